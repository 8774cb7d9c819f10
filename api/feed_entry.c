/*
 * feed_entry.c - from the record to what a reader is given, whole: picture, text, the long fields of a guide, attachments, original.
 *
 * Who reads it has no page of ours around it: every address is absolute, and nothing depends on a style sheet.
 */
#include "api/feed_entry.h"

#include <string.h>

#include "api/instance.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/markup.h"
#include "server/library/stream.h"

enum { BRIEF = 120 /* characters */ };

/* By the ending of a name: what programs are told of a file that they will fetch. */
static const struct {
    const char *ending, *type;
} types[] = {
    { "pdf", "application/pdf" },
    { "ofd", "application/ofd" },
    { "doc", "application/msword" },
    { "wps", "application/vnd.ms-works" },
    { "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    { "xls", "application/vnd.ms-excel" },
    { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
    { "ppt", "application/vnd.ms-powerpoint" },
    { "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
    { "zip", "application/zip" },
    { "txt", "text/plain" },
    { "csv", "text/csv" },
    { "jpg", "image/jpeg" },
    { "jpeg", "image/jpeg" },
    { "png", "image/png" },
    { "mp3", "audio/mpeg" },
    { "mp4", "video/mp4" },
};

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(dot + 1, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

static const char *url_of(struct work *w, const char *before, const char *name)
{
    struct buf b = BUF_IN(w->mem);

    instance_url(&b, before);
    buf_adds(&b, name);
    return b.p;
}

static const char *value(const json_t *record, enum field_no field)
{
    return jx_text(record, fields[field].name);
}

static void put_escaped(struct buf *b, const char *s)
{
    buf_html(b, s, strlen(s));
}

static void put_link(struct buf *b, const char *url, const char *label)
{
    buf_adds(b, "<a href=\"");
    put_escaped(b, url);
    buf_adds(b, "\">");
    put_escaped(b, label);
    buf_adds(b, "</a>");
}

/* ---- parts ---- */

static void read_files(struct work *w, const json_t *record, struct feed_entry *e)
{
    const json_t *files = json_object_get(record, fields[FIELD_attachments].name);
    size_t n = json_array_size(files);
    struct feed_file *all = arena_zalloc(w->mem, (n + 1) * sizeof *all);

    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(files, i);
        const char *name = jx_text(f, "name");

        all[i] = (struct feed_file){ .name = name,
                                     .url = url_of(w, "/v1/blobs/", jx_text(f, "hash")),
                                     .type = type_of(name),
                                     .size = jx_int(f, "size", 0) };
    }
    e->files = all;
    e->nfiles = (int)n;
}

/* The column by the name that it had on that day. */
static void read_terms(struct work *w, const json_t *record, struct feed_entry *e)
{
    const json_t *keywords = json_object_get(record, fields[FIELD_keywords].name);
    const char **all = arena_zalloc(w->mem, (json_array_size(keywords) + 3) * sizeof *all);
    const char *column = value(record, FIELD_column), *theme = value(record, FIELD_theme);
    int n = 0;

    if (column)
        all[n++] = strrchr(column, '/') ? strrchr(column, '/') + 1 : column;
    if (theme)
        all[n++] = theme;
    for (size_t i = 0; i < json_array_size(keywords); i++)
        all[n++] = json_string_value(json_array_get(keywords, i));
    e->terms = all;
    e->nterms = n;
}

static void put_long_fields(struct buf *b, const json_t *record)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        const char *text = fields[i].type == FIELD_TEXT && i != FIELD_body && i != FIELD_summary
                               ? value(record, (enum field_no)i)
                               : NULL;

        if (!text)
            continue;
        buf_printf(b, "<h2>%s</h2>\n", fields[i].label);
        markup_html(b, text, strlen(text));
    }
}

static void put_files(struct buf *b, const struct feed_entry *e)
{
    if (!e->nfiles)
        return;
    buf_adds(b, "<h2>附件</h2>\n<ul>\n");
    for (int i = 0; i < e->nfiles; i++) {
        buf_adds(b, "<li>");
        put_link(b, e->files[i].url, e->files[i].name);
        buf_adds(b, "</li>\n");
    }
    buf_adds(b, "</ul>\n");
}

static const char *content(struct work *w, const json_t *record, const struct feed_entry *e)
{
    const char *body = value(record, FIELD_body);
    struct buf b = BUF_IN(w->mem);

    buf_adds(&b, "");
    if (e->image) {
        buf_adds(&b, "<p><img src=\"");
        put_escaped(&b, e->image);
        buf_adds(&b, "\" alt=\"\"></p>\n");
    }
    if (body)
        markup_html(&b, body, strlen(body));
    put_long_fields(&b, record);
    put_files(&b, e);
    if (e->origin) {
        buf_adds(&b, "<p>原文：");
        put_link(&b, e->origin, e->origin);
        buf_adds(&b, "</p>\n");
    }
    return b.p;
}

static const char *summary(struct work *w, const json_t *record)
{
    const char *given = value(record, FIELD_summary), *body = value(record, FIELD_body);
    struct buf b = BUF_IN(w->mem);

    if (given || !body)
        return given;
    markup_brief(&b, body, strlen(body), BRIEF);
    return b.p;
}

static int64_t time_of(const json_t *record, enum field_no field)
{
    const char *text = value(record, field);
    int64_t at;

    return text && !clock_parse(text, strlen(text), &at) ? at : 0;
}

enum rc feed_entry_read(struct work *w, struct places *places, const struct item *item,
                        const struct slice *record, bool whole, struct feed_entry *out)
{
    const struct site *site;
    struct stream stream;
    char id[ID_TEXT];
    json_t *o;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, record->p, record->n, &o)) ||
        (rc = places_site(w, places, item->site, &site)) ||
        (rc = stream_by_no(w, item->stream, &stream)))
        return rc;
    *out = (struct feed_entry){
        .id = item->id,
        .stream = arena_strdup(w->mem, stream.name),
        .seq = item->seq,
        .revision = item->live_rev,
        .title = value(o, FIELD_title),
        .url = url_of(w, "/a/", id_text(&item->id, id)),
        .summary = summary(w, o),
        .author = value(o, FIELD_contentSource) ? value(o, FIELD_contentSource) : site->name,
        .image = value(o, FIELD_image) ? url_of(w, "/v1/blobs/", value(o, FIELD_image)) : NULL,
        .origin = value(o, FIELD_sourceUrl),
        .published = time_of(o, FIELD_published),
        .updated = time_of(o, FIELD_updated),
    };
    read_files(w, o, out);
    read_terms(w, o, out);
    out->html = whole ? content(w, o, out)
                      : arena_printf(w->mem, "<p>全文见：<a href=\"%s\">%s</a></p>\n", out->url,
                                     out->url);
    return RC_OK;
}
