/*
 * article_page.c - an article as HTML, in two sizes.
 *
 *     what and when   title, 来源, 来源日期, 入库时间, and 更新时间 where it was changed later
 *     what it is      every other short field of field.def under its label (发文字号, 索引号 …)
 *     what it says    summary, picture, body, the long fields of a guide, attachments, 相关内容, original
 *
 * The fields come from the table, so a new field shows without a line here. Two dates are kept
 * apart: the day the source says it was first published, and the time it entered this library,
 * which nobody can set.
 *
 * Not here: reading the record, and what was withdrawn (article.c); plain text
 * (article_text.c); drafts (preview_page.c).
 */
#include "api/article_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/instance.h"
#include "api/page.h"
#include "api/site_meta.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/markup.h"

/* ---- meta ---- */

static const char *brief(struct work *w, const struct article *a)
{
    const char *summary = article_value(a, FIELD_summary), *body = article_value(a, FIELD_body);
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
    const char *image = article_value(a, FIELD_image);
    char minute[CLOCK_TEXT];

    if (image)
        image = url_of(w, arena_printf(w->mem, "/v1/blobs/%s", image));
    site_meta(w, p, &a->site);
    column_meta(w, p, &a->column, &a->site);
    page_meta(p, "ArticleTitle", article_value(a, FIELD_title));
    if (a->item->published)
        page_meta(p, "PubDate", arena_strdup(w->mem, clock_minute(a->item->published, minute)));
    page_meta(p, "ContentSource", article_source(a));
    page_meta(p, "Keywords", article_joined(w, json_object_get(a->record, "keywords"), ","));
    page_meta(p, "Author", article_value(a, FIELD_author));
    page_meta(p, "Description", about);
    page_meta(p, "Image", image);
    page_meta(p, "Url", url);
    page_meta(p, "og:type", "article");
    page_meta(p, "og:title", article_value(a, FIELD_title));
    page_meta(p, "og:description", about);
    page_meta(p, "og:site_name", a->site.name);
    page_meta(p, "og:locale", "zh_CN");
    page_meta(p, "og:url", url);
    page_meta(p, "og:image", image);
}

/* ---- parts ---- */

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
    put_term(b, "来源");
    page_text(b, article_source(a));
    buf_printf(b, "%s</dd></div>\n", article_is_reprint(a) ? "（转载）" : "");
    put_fact(b, fields[FIELD_author].label, article_value(a, FIELD_author));
    put_fact(b, "来源日期", article_value(a, FIELD_sourceDate));
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

        if (!v || fields[i].type == FIELD_TEXT || article_is_apart((enum field_no)i))
            continue;
        put_fact(b, fields[i].label,
                 json_is_array(v) ? article_joined(w, v, "、") : json_string_value(v));
    }
    if (b->n == empty)
        b->n = start;
    else
        buf_adds(b, "</dl>\n");
}

static void put_long_fields(struct buf *b, const struct article *a)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        const char *text =
            fields[i].type == FIELD_TEXT ? article_value(a, (enum field_no)i) : NULL;

        if (!text || article_is_apart((enum field_no)i))
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

static void put_related(struct work *w, struct buf *b, const struct article *a, bool large)
{
    struct article_link *links;
    int n = article_related(w, a, &links);

    if (!n)
        return;
    buf_printf(b, "<section>\n<h2>%s</h2>\n<ul class=\"files\">\n",
               fields[FIELD_related].label);
    for (int i = 0; i < n; i++) {
        const struct article_link *l = &links[i];

        buf_adds(b, l->path ? "<li><a href=\"" : "<li><a rel=\"noopener nofollow\" href=\"");
        page_text(b, l->path ? l->path : l->title);
        buf_adds(b, l->path && large ? "/large\">" : "\">");
        page_text(b, l->title);
        buf_printf(b, "</a>%s</li>\n", l->path ? "" : "（外部网页）");
    }
    buf_adds(b, "</ul>\n</section>\n");
}

static void put_source_link(struct buf *b, const struct article *a)
{
    const char *url = article_value(a, FIELD_sourceUrl);

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
    const char *summary = article_value(a, FIELD_summary), *body = article_value(a, FIELD_body);
    const char *image = article_value(a, FIELD_image);

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

/* What an item of kind `survey` asks is a page of its own, which is not the same for everybody. */
static void put_survey_link(struct buf *b, const struct article *a, bool large)
{
    if (a->item->kind != KIND_SURVEY || !a->path)
        return;
    buf_printf(b, "<p class=\"way\"><a href=\"/surveys/%s%s\">填写问卷</a></p>\n",
               a->path + strlen("/a/"), large ? "?large=1" : "");
}

void article_html(struct work *w, struct buf *b, const struct article *a, bool large)
{
    struct page page = { .title = article_value(a, FIELD_title),
                         .path = a->path,
                         .large = large,
                         .noindex = a->preview };

    put_metas(w, a, &page);
    if (a->path)
        page.other = large ? a->path : arena_printf(w->mem, "%s/large", a->path);
    if (a->preview)
        page.banner = "预览，未发布：这不是正式内容，请勿转发。";
    page_open(b, &page);
    put_crumbs(b, a, large);
    buf_adds(b, "<article>\n<h1>");
    page_text(b, article_value(a, FIELD_title));
    buf_adds(b, "</h1>\n");
    put_origin(b, a);
    put_forms(b, a, large);
    put_short_fields(w, b, a);
    put_text_of(b, a);
    put_survey_link(b, a, large);
    put_long_fields(b, a);
    put_attachments(b, a);
    put_related(w, b, a, large);
    put_source_link(b, a);
    buf_adds(b, "</article>\n");
    page_close(b, &page);
}

static enum rc article(struct work *w, const struct request *rq, bool large, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct article a;
    struct item item;
    bool shown;
    enum rc rc;

    if ((rc = article_open(w, rq, &a, &item, &shown, rp)) || !shown)
        return rc;
    article_html(w, &b, &a, large);
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
