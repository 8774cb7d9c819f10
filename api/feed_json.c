/*
 * feed_json.c - JSON Feed 1.1 (jsonfeed.org/version/1.1). What it has no word for stands under `_tjzw`, as the format asks of extensions:
 * where an item stands in the log, what is gone, the archive before.
 */
#include <string.h>

#include "api/feed.h"
#include "server/base/clock.h"
#include "server/base/jx.h"

static void put_time(struct buf *b, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];

    jx_put_text(b, key, clock_text(at, text));
}

static void put_id(struct buf *b, const struct id *id)
{
    char text[ID_TEXT];

    jx_key(b, "id");
    buf_printf(b, "\"urn:uuid:%s\"", id_text(id, text));
}

static void put_place(struct buf *b, const char *stream, int64_t seq)
{
    jx_put_int(b, "seq", seq);
    jx_put_text(b, "stream", stream);
}

static void put_next(struct buf *b, int i) /* before element i of an array */
{
    buf_adds(b, i ? ",\n{" : "{");
}

static void put_entry(struct buf *b, const struct feed_entry *e)
{
    put_id(b, &e->id);
    jx_put_text(b, "url", e->url);
    jx_put_text(b, "external_url", e->origin);
    jx_put_text(b, "title", e->title);
    jx_put_text(b, "content_html", e->html);
    jx_put_text(b, "summary", e->summary);
    jx_put_text(b, "image", e->image);
    put_time(b, "date_published", e->published);
    put_time(b, "date_modified", e->updated);
    if (e->author) {
        jx_key(b, "authors");
        buf_adds(b, "[{");
        jx_put_text(b, "name", e->author);
        buf_adds(b, "}]");
    }
    if (e->nterms) {
        jx_key(b, "tags");
        buf_addc(b, '[');
        for (int i = 0; i < e->nterms; i++) {
            buf_adds(b, i ? "," : "");
            jx_quote(b, e->terms[i], strlen(e->terms[i]));
        }
        buf_addc(b, ']');
    }
    if (e->nfiles) {
        jx_key(b, "attachments");
        buf_addc(b, '[');
        for (int i = 0; i < e->nfiles; i++) {
            put_next(b, i);
            jx_put_text(b, "url", e->files[i].url);
            jx_put_text(b, "mime_type", e->files[i].type);
            jx_put_text(b, "title", e->files[i].name);
            jx_put_int(b, "size_in_bytes", e->files[i].size);
            buf_addc(b, '}');
        }
        buf_addc(b, ']');
    }
    jx_key(b, "_tjzw");
    buf_addc(b, '{');
    jx_put_int(b, "revision", e->revision);
    put_place(b, e->stream, e->seq);
    buf_adds(b, "}}");
}

static void put_gone(struct buf *b, const struct feed_gone *g)
{
    put_id(b, &g->id);
    jx_put_text(b, "reason", g->reason);
    put_place(b, g->stream, g->seq);
    put_time(b, "when", g->at);
    buf_addc(b, '}');
}

static void put_ours(struct buf *b, const struct feed *f)
{
    jx_key(b, "_tjzw");
    buf_addc(b, '{');
    jx_put_bool(b, "archive", f->archive);
    jx_put_text(b, "current", f->current);
    jx_key(b, "deleted");
    buf_addc(b, '[');
    for (int i = 0; i < f->ngone; i++) {
        put_next(b, i);
        put_gone(b, &f->gone[i]);
    }
    buf_addc(b, ']');
    put_time(b, "updated", f->updated);
    jx_put_text(b, "prev_archive", f->before);
    buf_addc(b, '}');
}

void feed_write_json(const struct feed *f, struct buf *b)
{
    buf_addc(b, '{');
    jx_put_text(b, "version", "https://jsonfeed.org/version/1.1");
    jx_put_text(b, "title", f->title);
    jx_put_text(b, "description", f->about);
    jx_put_text(b, "home_page_url", f->home);
    jx_put_text(b, "feed_url", f->self);
    jx_put_text(b, "language", "zh-CN");
    if (f->hub) {
        jx_key(b, "hubs");
        buf_adds(b, "[{");
        jx_put_text(b, "type", "WebSub");
        jx_put_text(b, "url", f->hub);
        buf_adds(b, "}]");
    }
    put_ours(b, f);
    jx_key(b, "items");
    buf_addc(b, '[');
    for (int i = 0; i < f->n; i++) {
        put_next(b, i);
        put_entry(b, &f->entries[i]);
    }
    buf_adds(b, "]}\n");
}
