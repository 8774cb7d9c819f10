/*
 * submission_read.c - JSON --> HTML cleaned, files looked up --> a record --> import_prepare().
 */
#include "server/source/submission_read.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/jx.h"

enum { NAME_MAX = 200, URL_MAX = 2000 };

struct reading {
    struct err *e;
    struct arena *mem;
    const struct source_file *known;
    int nknown;
    struct buf files; /* of struct source_file */
};

/* ---- files ---- */

static int count(const struct reading *r)
{
    return (int)(r->files.n / sizeof(struct source_file));
}

static const struct source_file *all(const struct reading *r)
{
    return (const struct source_file *)(const void *)r->files.p;
}

/* What is known of it; it is noted if it was not met before. More than SOURCE_FILES_MAX are not. */
static const struct source_file *meet(struct reading *r, const char *url, const char *name)
{
    const struct source_file *f = source_file_find(all(r), count(r), url);
    struct source_file one = { .state = FILE_WANTED };
    struct buf made = BUF_IN(r->mem);

    if (f || count(r) >= SOURCE_FILES_MAX)
        return f;
    if ((f = source_file_find(r->known, r->nknown, url)))
        one = *f;
    one.url = arena_strdup(r->mem, url);
    if (!one.name && name)
        one.name = arena_strdup(r->mem, name);
    if (!one.name) {
        source_file_name(&made, url);
        one.name = made.p;
    }
    buf_add(&r->files, &one, sizeof one);
    return &all(r)[count(r) - 1];
}

static bool is_here(const struct source_file *f, char name[HASH_TEXT])
{
    if (!f || f->state != FILE_FETCHED)
        return false;
    memcpy(name, f->hash, HASH_TEXT);
    return true;
}

static enum html_picture on_picture(void *arg, const char *url, char name[65])
{
    const struct source_file *f = meet(arg, url, NULL);

    return is_here(f, name) && !strncmp(f->type, "image/", strlen("image/")) ? PICTURE_BLOB
                                                                             : PICTURE_LINK;
}

/* Documents by the ends of their addresses: a link to a page is no attachment. */
static bool is_document(const char *url)
{
    static const char *const ends[] = { ".pdf", ".doc",  ".docx", ".xls", ".xlsx",
                                        ".ppt", ".pptx", ".wps",  ".et",  ".ofd",
                                        ".zip", ".rar",  ".txt",  ".csv" };
    size_t n = strcspn(url, "?#");

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t k = strlen(ends[i]);

        if (n > k && !strncasecmp(url + n - k, ends[i], k))
            return true;
    }
    return false;
}

static bool on_link(void *arg, const char *url, char name[65])
{
    return is_document(url) && is_here(meet(arg, url, NULL), name);
}

static enum rc meet_files(struct reading *r, const json_t *files)
{
    static const struct jx_field members[] = { { "name", JX_TEXT, false, 1, NAME_MAX },
                                               { "url", JX_TEXT, true, 8, URL_MAX },
                                               { 0 } };
    size_t i;
    json_t *v;
    enum rc rc;

    json_array_foreach((json_t *)(uintptr_t)files, i, v)
    {
        const char *url = jx_text(v, "url"), *name = jx_text(v, "name");

        if ((rc = jx_check(r->e, v, members, "/files")))
            return rc;
        if (strncmp(url, "https://", 8) && strncmp(url, "http://", 7))
            return err_field(r->e, "/files", "a file's url is http or https");
        if (name && (strpbrk(name, "/\\") || name[0] == '.' ||
                     field_check_line(r->e, "/files/name", name, strlen(name), 1, NAME_MAX)))
            return err_field(r->e, "/files/name", "a file's name has no path");
        (void)meet(r, url, name);
    }
    return RC_OK;
}

/* ---- the record ---- */

static void hash_of(const json_t *record, uint8_t out[HASH_BYTES])
{
    char *text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);

    sha256(text ? text : "", text ? strlen(text) : 0, out);
    free(text);
}

static enum rc check(struct reading *r, const json_t *record)
{
    const json_t *files = json_object_get(record, "files"),
                 *html = json_object_get(record, "html");

    if (html && !json_is_string(html))
        return err_field(r->e, "/html", "html should be a string");
    if (html && json_object_get(record, "body"))
        return err_field(r->e, "/html", "html and body mean the same: give one");
    if (json_object_get(record, "attachments") &&
        !json_is_array(json_object_get(record, "attachments")))
        return err_field(r->e, "attachments", "attachments should be an array of objects");
    if (files && (!json_is_array(files) || json_array_size(files) > SOURCE_FILES_MAX))
        return err_field(r->e, "/files", "files is an array of at most %d", SOURCE_FILES_MAX);
    return RC_OK;
}

static enum rc clean(struct reading *r, json_t *record, struct html_found *found)
{
    const json_t *html = json_object_get(record, "html");
    const char *base =
        jx_text(record, "url") ? jx_text(record, "url") : jx_text(record, "sourceUrl");
    const struct html_how how = {
        .base = base, .picture = on_picture, .link = on_link, .arg = r
    };
    struct buf body = BUF_IN(r->mem);
    enum rc rc;

    if (!html)
        return RC_OK;
    if ((rc = html_clean(r->e, json_string_value(html), json_string_length(html), &how, &body,
                         found)))
        return rc;
    if (json_object_del(record, "html") ||
        (body.n && json_object_set_new(record, "body", json_stringn(body.p, body.n))))
        return err_set(r->e, RC_INTERNAL, "cannot put the cleaned text in its place");
    return RC_OK;
}

static bool has_file(const json_t *list, const char *hash)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *have = jx_text(json_array_get(list, i), "hash");

        if (have && !strcmp(have, hash))
            return true;
    }
    return false;
}

/* What was fetched belongs to the item; without that nobody would be given it. */
static enum rc attach(struct reading *r, json_t *record)
{
    json_t *list = json_object_get(record, "attachments");

    for (int i = 0; i < count(r); i++) {
        const struct source_file *f = &all(r)[i];

        if (f->state != FILE_FETCHED)
            continue;
        if (!list && json_object_set_new(record, "attachments", list = json_array()))
            return err_set(r->e, RC_INTERNAL, "cannot attach a file");
        if (!has_file(list, f->hash) &&
            json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:s}", "hash", f->hash, "name",
                                                  f->name, "size", (json_int_t)f->size, "type",
                                                  f->type)))
            return err_set(r->e, RC_INTERNAL, "cannot attach a file");
    }
    return RC_OK;
}

/* `source` is two things to an import, the site and what readers see; here each is said by itself. */
static enum rc place(struct reading *r, json_t *record, const struct site *site)
{
    json_t *source = json_object_get(record, "source");
    int failed = 0;

    if (!json_object_get(record, "contentSource"))
        failed = source ? json_object_set(record, "contentSource", source)
                        : json_object_set_new(record, "contentSource", json_string(site->name));
    json_object_del(record, "site");
    if (failed || json_object_set_new(record, "source", json_string(site->code)))
        return err_set(r->e, RC_INTERNAL, "cannot say where the record goes");
    return RC_OK;
}

static enum rc prepare(struct reading *r, const json_t *record, struct submitted *out)
{
    char *text = json_dumps(record, JSON_COMPACT);

    if (!text)
        return err_set(r->e, RC_INTERNAL, "cannot write the record");
    import_prepare(r->mem, text, strlen(text), &out->line);
    free(text);
    if (out->line.why.rc)
        *r->e = out->line.why;
    return out->line.why.rc;
}

enum rc submission_read(struct err *e, struct arena *mem, json_t *record,
                        const struct site *site, const struct source_file *known, int nknown,
                        struct submitted *out)
{
    struct reading r = { e, mem, known, nknown, BUF_IN(mem) };
    enum rc rc;

    *out = (struct submitted){ 0 };
    hash_of(record, out->hash);
    if ((rc = check(&r, record)) || (rc = clean(&r, record, &out->found)) ||
        (rc = meet_files(&r, json_object_get(record, "files"))))
        return rc;
    json_object_del(record, "files");
    if ((rc = attach(&r, record)) || (rc = place(&r, record, site)) ||
        (rc = prepare(&r, record, out)))
        return rc;
    out->files = (struct source_file *)(void *)r.files.p;
    out->nfiles = count(&r);
    for (int i = 0; i < out->nfiles; i++)
        out->wanted += out->files[i].state == FILE_WANTED;
    return RC_OK;
}
