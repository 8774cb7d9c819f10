/*
 * article.c - from the stored record to what a page shows, and what is said of one that was
 * withdrawn.
 *
 * The record is parsed here and nowhere else, once a generation and page; its JSON is served as
 * it is stored. A tombstone holds no word of the text, only when and why.
 */
#include "api/article.h"

#include <string.h>

#include "api/page.h"
#include "server/base/jx.h"

const char *article_value(const struct article *a, enum field_no field)
{
    return jx_text(a->record, fields[field].name);
}

const char *article_source(const struct article *a)
{
    return article_value(a, FIELD_contentSource) ? article_value(a, FIELD_contentSource)
                                                 : a->site.name;
}

bool article_is_reprint(const struct article *a)
{
    return json_is_true(json_object_get(a->record, fields[FIELD_isReprint].name));
}

/* A page of ours by its title, as long as it is published. */
static bool find_item(struct work *w, const char *text, struct article_link *out)
{
    struct slice record;
    struct item item;
    struct id id;

    if (!id_parse(text, strlen(text), &id) || item_live(w, &id, &item, &record))
        return false;
    out->path = arena_printf(w->mem, "/a/%s", text);
    out->title = item.title;
    return true;
}

int article_related(struct work *w, const struct article *a, struct article_link **out)
{
    const json_t *links = json_object_get(a->record, fields[FIELD_related].name);
    struct article_link *all = arena_zalloc(w->mem, (json_array_size(links) + 1) * sizeof *all);
    int n = 0;

    for (size_t i = 0; i < json_array_size(links); i++) {
        const char *text = json_string_value(json_array_get(links, i));

        if (strchr(text, ':'))
            all[n++] = (struct article_link){ .title = text };
        else
            n += find_item(w, text, &all[n]);
    }
    *out = all;
    return n;
}

enum rc article_place(struct work *w, struct article *a)
{
    enum rc rc;

    if ((rc = column_by_no(w, a->item->col, &a->column)))
        return rc;
    return site_by_no(w, a->item->site, &a->site);
}

const char *article_joined(struct work *w, const json_t *lines, const char *between)
{
    struct buf b = BUF_IN(w->mem);

    for (size_t i = 0; i < json_array_size(lines); i++) {
        buf_adds(&b, i ? between : "");
        buf_adds(&b, json_string_value(json_array_get(lines, i)));
    }
    return b.p;
}

bool article_is_apart(enum field_no field)
{
    static const enum field_no elsewhere[] = {
        FIELD_title,       FIELD_body,          FIELD_summary,    FIELD_image,
        FIELD_attachments, FIELD_contentSource, FIELD_sourceDate, FIELD_author,
        FIELD_sourceUrl,   FIELD_expires,       FIELD_keywords,   FIELD_language,
        FIELD_isReprint,   FIELD_related,       FIELD_questions,  FIELD_recipients,
    };

    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (elsewhere[i] == field)
            return true;
    return fields[field].type == FIELD_SYSTEM;
}

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
               : item->state == STATE_PUBLISHED
                   ? "本平台不展示这篇内容，请到发布单位的网站查看。"
                   : "这篇内容已由发布单位撤下，不再提供。";
    if (at)
        words[1] =
            arena_printf(w->mem, "撤下时间：%.10s %.5s", at, strlen(at) > 15 ? at + 11 : "");
    if (reason)
        words[2] = arena_printf(w->mem, "原因：%s", reason);
    page_gone(w, rp, item->state == STATE_PUBLISHED ? "本平台不展示本文" : "本文已撤下", words);
    return RC_OK;
}

enum rc article_open(struct work *w, const struct request *rq, struct article *a,
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
    return article_place(w, a);
}
