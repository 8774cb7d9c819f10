/*
 * article_page.c - the record, read once a generation, as HTML or as plain text.
 *
 *     what and when:  title, 来源, 来源日期, 入库时间, and where it was changed later, 更新时间
 *     what it is:     every other short field of field.def under its label (发文字号, 索引号,
 * 主题分类 …) what it says:   summary, picture, body, the long fields of a guide, attachments,
 * the original's address
 *
 * The fields come from the table, so a new field shows without a line here. Two dates are kept
 * apart: the day the source says it was first published, and the time it entered this library,
 * which nobody can set.
 *
 * What was withdrawn answers 410 and says when and why; the tombstone holds no word of the
 * text.
 */
#include "api/article_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/instance.h"
#include "api/markup.h"
#include "api/page.h"
#include "api/site_meta.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/item.h"

struct article {
    const struct item *item;
    const json_t *record; /* published or drafted members */
    struct column column;
    struct site site;
    const char *path; /* "/a/ID"; NULL in a preview */
    bool preview;
    const char
        *query; /* behind the addresses of its files: "", or the preview's right to them */
};

static const char *value(const struct article *a, enum field_no field)
{
    return jx_text(a->record, fields[field].name);
}

static const char *source_of(const struct article *a)
{
    return value(a, FIELD_contentSource) ? value(a, FIELD_contentSource) : a->site.name;
}

static enum rc find_place(struct work *w, struct article *a)
{
    enum rc rc;

    if ((rc = column_by_no(w, a->item->col, &a->column)))
        return rc;
    return site_by_no(w, a->item->site, &a->site);
}

/* ---- meta ---- */

static const char *joined(struct work *w, const json_t *lines, const char *between)
{
    struct buf b = BUF_IN(w->mem);

    for (size_t i = 0; i < json_array_size(lines); i++) {
        buf_adds(&b, i ? between : "");
        buf_adds(&b, json_string_value(json_array_get(lines, i)));
    }
    return b.p;
}

static const char *brief(struct work *w, const struct article *a)
{
    const char *summary = value(a, FIELD_summary), *body = value(a, FIELD_body);
    struct buf b = BUF_IN(w->mem);

    if (summary)
        return summary;
    if (!body)
        return NULL;
    markup_brief(&b, body, strlen(body), 120);
    return b.p;
}

static const char *url_of(struct work *w, const char *path)
{
    struct buf b = BUF_IN(w->mem);

    instance_url(&b, path);
    return b.p;
}

static void put_metas(struct work *w, const struct article *a, struct page *p)
{
    const char *about = brief(w, a), *url = a->path ? url_of(w, a->path) : NULL;
    const char *image = value(a, FIELD_image);
    char minute[CLOCK_TEXT];

    if (image)
        image = url_of(w, arena_printf(w->mem, "/v1/blobs/%s", image));
    site_meta(w, p, &a->site);
    column_meta(w, p, &a->column, &a->site);
    page_meta(p, "ArticleTitle", value(a, FIELD_title));
    if (a->item->published)
        page_meta(p, "PubDate", arena_strdup(w->mem, clock_minute(a->item->published, minute)));
    page_meta(p, "ContentSource", source_of(a));
    page_meta(p, "Keywords", joined(w, json_object_get(a->record, "keywords"), ","));
    page_meta(p, "Author", value(a, FIELD_author));
    page_meta(p, "Description", about);
    page_meta(p, "Image", image);
    page_meta(p, "Url", url);
    page_meta(p, "og:type", "article");
    page_meta(p, "og:title", value(a, FIELD_title));
    page_meta(p, "og:description", about);
    page_meta(p, "og:site_name", a->site.name);
    page_meta(p, "og:locale", "zh_CN");
    page_meta(p, "og:url", url);
    page_meta(p, "og:image", image);
}

/* ---- parts ---- */

/* Where a field stands when it is not one of the short ones under their labels. */
static bool stands_elsewhere(enum field_no field)
{
    static const enum field_no elsewhere[] = {
        FIELD_title,       FIELD_body,          FIELD_summary,    FIELD_image,
        FIELD_attachments, FIELD_contentSource, FIELD_sourceDate, FIELD_author,
        FIELD_sourceUrl,   FIELD_expires,       FIELD_keywords,   FIELD_language,
    };

    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (elsewhere[i] == field)
            return true;
    return fields[field].type == FIELD_SYSTEM;
}

static void put_term(struct buf *b, const char *label)
{
    buf_printf(b, "<div><dt>%s</dt><dd>", label);
}

static void put_fact(struct buf *b, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    put_term(b, label);
    page_text(b, text);
    buf_adds(b, "</dd></div>\n");
}

static void put_time_fact(struct buf *b, const char *label, int64_t at)
{
    put_term(b, label);
    page_time(b, at, true);
    buf_adds(b, "</dd></div>\n");
}

static void put_origin(struct buf *b, const struct article *a)
{
    const struct item *it = a->item;

    buf_adds(b, "<dl class=\"facts\">\n");
    put_fact(b, "来源", source_of(a));
    put_fact(b, fields[FIELD_author].label, value(a, FIELD_author));
    put_fact(b, "来源日期", value(a, FIELD_sourceDate));
    if (it->published)
        put_time_fact(b, "入库时间", it->published);
    if (it->published && it->updated > it->published)
        put_time_fact(b, "更新时间", it->updated);
    buf_adds(b, "</dl>\n");
}

static void put_short_fields(struct work *w, struct buf *b, const struct article *a)
{
    size_t start = b->n, empty;

    buf_adds(b, "<dl class=\"document\">\n");
    empty = b->n;
    for (int i = 0; i < FIELD_COUNT; i++) {
        const json_t *v = json_object_get(a->record, fields[i].name);

        if (!v || fields[i].type == FIELD_TEXT || stands_elsewhere((enum field_no)i))
            continue;
        put_fact(b, fields[i].label,
                 json_is_array(v) ? joined(w, v, "、") : json_string_value(v));
    }
    if (b->n == empty)
        b->n = start;
    else
        buf_adds(b, "</dl>\n");
}

static void put_long_fields(struct buf *b, const struct article *a)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        const char *text = fields[i].type == FIELD_TEXT ? value(a, (enum field_no)i) : NULL;

        if (!text || stands_elsewhere((enum field_no)i))
            continue;
        buf_printf(b, "<section class=\"body\">\n<h2>%s</h2>\n", fields[i].label);
        markup_html(b, text, strlen(text));
        buf_adds(b, "</section>\n");
    }
}

static void put_size(struct buf *b, int64_t bytes)
{
    if (bytes < 1024)
        buf_printf(b, "%" PRId64 " 字节", bytes);
    else if (bytes < 1024 * 1024)
        buf_printf(b, "%" PRId64 " KB", (bytes + 1023) / 1024);
    else
        buf_printf(b, "%" PRId64 ".%" PRId64 " MB", bytes >> 20, (bytes & 0xfffff) * 10 >> 20);
}

static void put_attachments(struct buf *b, const struct article *a)
{
    const json_t *files = json_object_get(a->record, "attachments");

    if (!json_array_size(files))
        return;
    buf_adds(b, "<section>\n<h2>附件</h2>\n<ul class=\"files\">\n");
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *f = json_array_get(files, i);

        buf_printf(b, "<li><a href=\"/v1/blobs/%s%s\" download=\"", jx_text(f, "hash"),
                   a->query);
        page_text(b, jx_text(f, "name"));
        buf_adds(b, "\">");
        page_text(b, jx_text(f, "name"));
        buf_adds(b, "</a> <span class=\"small\">");
        put_size(b, jx_int(f, "size", 0));
        buf_adds(b, "</span></li>\n");
    }
    buf_adds(b, "</ul>\n</section>\n");
}

static void put_source_link(struct buf *b, const struct article *a)
{
    const char *url = value(a, FIELD_sourceUrl);

    if (!url)
        return;
    buf_adds(b, "<p class=\"small\">原文：<a rel=\"noopener nofollow\" href=\"");
    page_text(b, url);
    buf_adds(b, "\">");
    page_text(b, url);
    buf_adds(b, "</a>（外部网页）</p>\n");
}

static void put_forms(struct buf *b, const struct article *a, bool large)
{
    if (!a->path)
        return;
    buf_adds(b, "<nav class=\"forms\" aria-label=\"阅读方式\">\n<ul>\n");
    buf_printf(b, "<li><a href=\"%s%s\">%s</a></li>\n", a->path, large ? "" : "/large",
               large ? "标准版" : "长辈版");
    buf_printf(b, "<li><a href=\"%s/text\">纯文本</a></li>\n</ul>\n</nav>\n", a->path);
}

static void put_crumbs(struct buf *b, const struct article *a, bool large)
{
    buf_printf(b,
               "<nav class=\"crumbs\" aria-label=\"位置\">\n<a href=\"%s\">首页</a> <span "
               "aria-hidden=\"true\">›</span> <a href=\"/columns/%" PRId64 "%s\">",
               large ? "/large" : "/", a->column.no, large ? "?large=1" : "");
    page_text(b, a->column.name);
    buf_adds(b, "</a>\n</nav>\n");
}

static void put_text_of(struct buf *b, const struct article *a)
{
    const char *summary = value(a, FIELD_summary), *body = value(a, FIELD_body);
    const char *image = value(a, FIELD_image);

    if (summary) {
        buf_adds(b, "<p class=\"lead\">");
        page_text(b, summary);
        buf_adds(b, "</p>\n");
    }
    if (image)
        buf_printf(b, "<p><img src=\"/v1/blobs/%s%s\" alt=\"\"></p>\n", image, a->query);
    if (body) {
        buf_adds(b, "<div class=\"body\">\n");
        markup_html(b, body, strlen(body));
        buf_adds(b, "</div>\n");
    }
}

static void put_article(struct work *w, struct buf *b, const struct article *a, bool large)
{
    struct page page = {
        .title = value(a, FIELD_title), .path = a->path, .large = large, .noindex = a->preview
    };

    put_metas(w, a, &page);
    if (a->path)
        page.other = large ? a->path : arena_printf(w->mem, "%s/large", a->path);
    if (a->preview)
        page.banner = "预览，未发布：这不是正式内容，请勿转发。";
    page_open(b, &page);
    put_crumbs(b, a, large);
    buf_adds(b, "<article>\n<h1>");
    page_text(b, value(a, FIELD_title));
    buf_adds(b, "</h1>\n");
    put_origin(b, a);
    put_forms(b, a, large);
    put_short_fields(w, b, a);
    put_text_of(b, a);
    put_long_fields(b, a);
    put_attachments(b, a);
    put_source_link(b, a);
    buf_adds(b, "</article>\n");
    page_close(b, &page);
}

/* ---- plain text ---- */

static void put_line(struct buf *b, const char *label, const char *text)
{
    if (text)
        buf_printf(b, "%s：%s\n", label, text);
}

static void put_plain(struct work *w, struct buf *b, const struct article *a)
{
    const json_t *files = json_object_get(a->record, "attachments");
    char minute[CLOCK_TEXT];

    buf_printf(b, "%s\n\n", value(a, FIELD_title));
    put_line(b, "来源", source_of(a));
    put_line(b, "来源日期", value(a, FIELD_sourceDate));
    put_line(b, "入库时间", clock_minute(a->item->published, minute));
    for (int i = 0; i < FIELD_COUNT; i++) {
        const json_t *v = json_object_get(a->record, fields[i].name);

        if (v && fields[i].type != FIELD_TEXT && !stands_elsewhere((enum field_no)i))
            put_line(b, fields[i].label,
                     json_is_array(v) ? joined(w, v, "、") : json_string_value(v));
    }
    for (int i = 0; i < FIELD_COUNT; i++) {
        const char *text = fields[i].type == FIELD_TEXT ? value(a, (enum field_no)i) : NULL;

        if (!text)
            continue;
        buf_adds(b, "\n");
        if (i != FIELD_body)
            buf_printf(b, "%s\n\n", fields[i].label);
        markup_text(b, text, strlen(text));
    }
    for (size_t i = 0; i < json_array_size(files); i++)
        buf_printf(b, "\n附件：%s\n", jx_text(json_array_get(files, i), "name"));
}

/* ---- what was withdrawn ---- */

static enum rc reply_withdrawn(struct work *w, const struct item *item,
                               const struct slice *tombstone, struct reply *rp)
{
    const char *words[4] = { NULL }, *reason, *at;
    json_t *record;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, tombstone->p, tombstone->n, &record)))
        return rc;
    reason = jx_text(record, "reason");
    at = jx_text(record, "withdrawn");
    words[0] = item->state == STATE_EXPIRED ? "这篇内容已过有效期，不再提供。"
                                            : "这篇内容已由发布单位撤下，不再提供。";
    if (at)
        words[1] =
            arena_printf(w->mem, "撤下时间：%.10s %.5s", at, strlen(at) > 15 ? at + 11 : "");
    if (reason)
        words[2] = arena_printf(w->mem, "原因：%s", reason);
    page_words(w, rp, 410, "本文已撤下", words);
    return RC_OK;
}

/* The published item of the request. *shown is false when the answer is already made: it was
 * withdrawn. */
static enum rc open_article(struct work *w, const struct request *rq, struct article *a,
                            struct item *item, bool *shown, struct reply *rp)
{
    const struct arg *id = request_arg(rq, "id");
    struct slice record;
    json_t *object;
    enum rc rc;

    rc = item_live(w, &id->id, item, &record);
    *shown = rc == RC_OK;
    if (rc == RC_GONE)
        return reply_withdrawn(w, item, &record, rp);
    if (rc || (rc = jx_object(&w->err, w->mem, record.p, record.n, &object)))
        return rc;
    *a = (struct article){ .item = item,
                           .record = object,
                           .query = "",
                           .path = arena_printf(w->mem, "/a/%s", id->text) };
    return find_place(w, a);
}

static enum rc article(struct work *w, const struct request *rq, bool large, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct article a;
    struct item item;
    bool shown;
    enum rc rc;

    if ((rc = open_article(w, rq, &a, &item, &shown, rp)) || !shown)
        return rc;
    put_article(w, &b, &a, large);
    page_reply(rp, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_article(struct work *w, const struct request *rq, struct reply *rp)
{
    return article(w, rq, false, rp);
}

enum rc get_article_large(struct work *w, const struct request *rq, struct reply *rp)
{
    return article(w, rq, true, rp);
}

enum rc get_article_text(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct article a;
    struct item item;
    bool shown;
    enum rc rc;

    if ((rc = open_article(w, rq, &a, &item, &shown, rp)) || !shown)
        return rc;
    put_plain(w, &b, &a);
    reply_buf(rp, TYPE_TEXT, &b);
    reply_header(rp, "content-language", "zh-CN");
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

/* ---- previews ---- */

static enum rc reply_expired(struct work *w, struct reply *rp)
{
    static const char *const words[] = { "预览链接只在一段时间内有效，这一个已经过期。",
                                         "请向给您链接的编辑再要一个。", NULL };

    page_words(w, rp, 410, "预览链接已过期", words);
    return RC_OK;
}

static enum rc put_draft(struct work *w, const char *token, const struct id *id, int64_t rev,
                         struct buf *b)
{
    struct buf text = BUF_IN(w->mem);
    struct revision revision;
    struct content content;
    struct article a = { .preview = true };

    struct item item;
    json_t *object;
    enum rc rc;

    if ((rc = item_revision(w, id, rev, &item, &revision, &content)))
        return rc;
    content_write(&content, &text);
    if ((rc = jx_object(&w->err, w->mem, text.p, text.n, &object)))
        return rc;
    a.item = &item;
    a.record = object;
    a.query = arena_printf(w->mem, "?preview=%s", token); /* base64url: needs no escapes */
    if ((rc = find_place(w, &a)))
        return rc;
    put_article(w, b, &a, false);
    return RC_OK;
}

enum rc get_preview(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct id id;
    const char *token = request_arg(rq, "token")->text;
    int64_t rev;
    enum rc rc;

    rc = preview_check(&w->err, &instance()->preview, token, &id, &rev);
    if (rc == RC_GONE)
        return reply_expired(w, rp);
    if (rc || (rc = put_draft(w, token, &id, rev, &b)))
        return rc;
    page_reply(rp, &b);
    reply_header(rp, "x-robots-tag", "noindex");
    reply_header(rp, "referrer-policy", "no-referrer");
    return RC_OK;
}
