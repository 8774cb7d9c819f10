/*
 * demo.c - the same door as every import: prepared line by line, applied in one transaction.
 */
#include "server/demo/demo.h"

#include <string.h>

#include "server/demo/demo_gen.h"
#include "server/demo/demo_warning.h"
#include "server/library/import.h"
#include "server/library/org.h"
#include "server/library/site.h"
#include "server/library/stream.h"
#include "server/store/writer.h"

/* A code of no place: identification codes begin with a region's, and there is no 99. The domain is one that nobody can have (RFC 2606). */
static const struct site demo_site = { .code = "9900000001",
                                       .name = "示例市人民政府",
                                       .domain = "www.shili.example" };

/* Citizens write to it, and its staff are the site's. */
static const struct org demo_org = { .code = "shili", .name = "示例市政务服务办公室" };

struct demo {
    int64_t stream;
    struct import_line *lines;
    int n;
    bool is_demo; /* the library holds the demo's articles */
};

static void prepare_all(struct demo *d, struct arena *mem)
{
    const char *p = embed_articles_ndjson, *end = p + embed_articles_ndjson_n;

    d->lines = arena_zalloc(mem, IMPORT_CHUNK_MAX * sizeof *d->lines);
    while (p < end && d->n < IMPORT_CHUNK_MAX) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);

        if (n)
            import_prepare(mem, p, n, &d->lines[d->n++]);
        p += n + 1;
    }
}

/* What is there already stays as it is: an earlier start got no further. */
static enum rc make_places(struct work *w, int64_t stream)
{
    struct site site = demo_site;
    struct org org = demo_org;
    enum rc rc = org_create(w, &org);

    if (rc == RC_CONFLICT)
        rc = org_find(w, demo_org.code, &org);
    if (rc)
        return rc;
    site.stream = stream;
    site.org = org.no;
    rc = site_create(w, &site);
    return rc == RC_CONFLICT ? RC_OK : rc;
}

static enum rc apply(struct work *w, void *arg)
{
    struct demo *d = arg;
    struct import_options o = {
        .stream = d->stream, .site = demo_site.code, .publish = true, .create = true
    };
    struct stream s;
    struct site site;
    enum rc rc;

    if ((rc = stream_by_no(w, d->stream, &s)))
        return rc;
    if (s.seq) {
        rc = site_find(w, demo_site.code, &site);
        d->is_demo = !rc;
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    d->is_demo = true;
    if ((rc = make_places(w, d->stream)))
        return rc;
    if ((rc = import_apply(w, &o, d->lines, d->n)))
        return rc;
    for (int i = 0; i < d->n; i++)
        if (d->lines[i].result == IMPORT_REFUSED)
            return err_set(&w->err, RC_INTERNAL, "demo article %d was refused: %.200s", i + 1,
                           d->lines[i].why.text);
    return demo_warning(w);
}

enum rc demo_fill(struct err *e, int64_t stream, bool *is_demo)
{
    struct arena *mem = arena_new();
    struct demo d = { .stream = stream };
    struct work w;
    enum rc rc;

    work_init(&w, mem, NULL, "demo", RIGHT_ALL);
    prepare_all(&d, mem);
    if ((rc = writer_call(&w, apply, &d)))
        *e = w.err;
    *is_demo = d.is_demo;
    arena_free(mem);
    return rc;
}
