/*
 * feed_read.c - rows of the scope's log, and for each what the library says of the item now.
 *
 *     rows   1 … 50 | 51 … 100 | 101 … 150 | 151 … 187        the newest document holds 101 … 187: 50 to 99 rows,
 *            archive 1  archive 2  (archive 3)                 and links archive 2; so none is missing between them
 *
 * The projection may lag, so it decides about places only. An entry is shown if the item is published at this moment: in the newest document and in what is new
 * with that very change, in an archive with the text that the change published, as long as that may be read.
 */
#include "api/feed_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/feed_entry.h"
#include "api/instance.h"
#include "server/base/jx.h"
#include "server/derived/derived.h"
#include "server/library/item.h"
#include "server/library/stream.h"

enum { FEED_ARCHIVE_TEXT = 64 };

enum {
    BLOCK = 50,
    CONTENT_BYTES = 4 << 20, /* of one document; what is older then leads to its page */
};

struct reading {
    struct work *w;
    struct places places;
    struct feed_entry *entries;
    struct feed_gone *gone;
    int n, ngone;
    size_t bytes;
};

static const char *url_of(struct work *w, const char *path, const char *rest)
{
    struct buf b = BUF_IN(w->mem);

    instance_url(&b, path);
    buf_adds(&b, rest);
    return b.p;
}

/* ---- rows into entries ---- */

/* As much as a document may hold, then entries that lead to their pages. */
static enum rc put_entry(struct reading *r, const struct feed_row *row, const struct item *item,
                         const struct slice *record)
{
    struct feed_entry *e = &r->entries[r->n];
    bool whole = r->bytes + record->n <= CONTENT_BYTES;
    enum rc rc;

    if ((rc = feed_entry_read(r->w, &r->places, item, record, whole, e)))
        return rc;
    if (row->at >
        e->updated) /* moved: who removes by time what was said to be gone must see that it came later */
        e->updated = row->at;
    r->bytes += whole ? record->n : 0;
    r->n++;
    return RC_OK;
}

/* The bytes that this very change published. In an archive the item may have later ones. */
static enum rc read_entry(struct reading *r, const struct feed_row *row, bool archive)
{
    struct slice record;
    struct item item;
    enum rc rc = item_live(r->w, &row->item, &item, &record);

    if (rc == RC_GONE || rc == RC_NOT_FOUND ||
        (!rc && (item.stream != row->stream || (!archive && item.seq != row->seq))))
        return RC_OK; /* the library is ahead of the projection, which says it in a moment */
    if (!rc && item.seq != row->seq)
        rc = item_record_at(r->w, row->stream, row->seq, &record);
    if (rc == RC_GONE)
        return RC_OK;
    if (rc)
        return rc;
    item.seq = row->seq;
    item.live_rev = row->rev;
    return put_entry(r, row, &item, &record);
}

/* The reason, where there is one, is the tombstone's; an archive would lose it with the next publication, so it says none. */
static enum rc read_gone(struct reading *r, const struct feed_row *row, bool archive)
{
    struct feed_gone *g = &r->gone[r->ngone++];
    struct slice record;
    struct stream stream;
    struct item item;
    json_t *o;
    enum rc rc;

    if ((rc = stream_by_no(r->w, row->stream, &stream)))
        return rc;
    *g = (struct feed_gone){ .id = row->item,
                             .stream = arena_strdup(r->w->mem, stream.name),
                             .seq = row->seq,
                             .at = row->at };
    if (archive)
        return RC_OK;
    rc = item_live(r->w, &row->item, &item, &record);
    if (rc == RC_GONE && item.seq == row->seq &&
        !jx_object(&r->w->err, r->w->mem, record.p, record.n, &o))
        g->reason = jx_text(o, "reason");
    return rc == RC_GONE || rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* In an archive the newest row of an item is the newest in its block. */
static bool is_repeated(const struct feed_row *rows, int i)
{
    for (int j = 0; j < i; j++)
        if (!memcmp(rows[j].item.b, rows[i].item.b, ID_BYTES))
            return true;
    return false;
}

static enum rc read_rows(struct work *w, const struct feed_scope *scope, int64_t after,
                         int64_t upto, bool archive, struct feed *out)
{
    struct reading r = { .w = w, .places = PLACES_NONE };
    struct feed_row *rows;
    enum rc rc;
    int n;

    if ((rc = feed_rows(w, scope, after, upto, &rows, &n)))
        return rc;
    r.entries = arena_zalloc(w->mem, (size_t)(n + 1) * sizeof *r.entries);
    r.gone = arena_zalloc(w->mem, (size_t)(n + 1) * sizeof *r.gone);
    for (int i = 0; i < n && !rc; i++) {
        if (archive ? is_repeated(rows, i) : !rows[i].newest)
            continue;
        if (rows[i].op != FEED_ENTRY)
            rc = read_gone(&r, &rows[i], archive);
        else if (rows[i].good)
            rc = read_entry(&r, &rows[i], archive);
    }
    out->entries = r.entries;
    out->n = r.n;
    out->gone = r.gone;
    out->ngone = r.ngone;
    return rc;
}

/* ---- documents ---- */

/* Of the feed itself, or of the archive of that name. */
static const char *address(struct work *w, const struct feed_source *of, const char *archive)
{
    return url_of(w, of->path,
                  arena_printf(w->mem, "%s%s%s%s", archive ? "/" : "", archive ? archive : "",
                               of->ending, of->query ? of->query : ""));
}

void feed_open(struct work *w, const struct feed_source *of, struct feed *out)
{
    const char *name = instance()->name ? instance()->name : "天津政务";

    *out = (struct feed){
        .title = of->title ? arena_printf(w->mem, "%s：%s", name, of->title) : name,
        .about = of->title ? arena_printf(w->mem, "%s在%s发布的内容", of->title, name)
                           : arena_printf(w->mem, "%s发布的全部内容", name),
        .home = url_of(w, of->home, ""),
        .self = address(w, of, NULL),
        .current = address(w, of, NULL),
        .hub = of->scope ? url_of(w, "/hub", "") : NULL,
    };
}

/* The archive whose last row is `last`. */
static enum rc name_archive(struct work *w, const struct feed_scope *now, int64_t last,
                            char out[FEED_ARCHIVE_TEXT])
{
    char chain[FEED_CHAIN_TEXT];
    struct feed_scope then;
    int64_t void_after;
    enum rc rc;

    if ((rc = feed_scope_at(w, now, last, &then)) ||
        (rc = feed_void_after(w, now, last, &void_after)))
        return rc;
    snprintf(out, FEED_ARCHIVE_TEXT, "%" PRId64 "-%s-%" PRId64, last / BLOCK,
             hex_text(then.chain, sizeof then.chain, chain), void_after);
    return RC_OK;
}

static enum rc link_before(struct work *w, const struct feed_source *of,
                           const struct feed_scope *now, int64_t last, struct feed *out)
{
    char name[FEED_ARCHIVE_TEXT];
    enum rc rc;

    if (last <= 0)
        return RC_OK;
    if ((rc = name_archive(w, now, last, name)))
        return rc;
    out->before = address(w, of, name);
    return RC_OK;
}

enum rc feed_read_newest(struct work *w, const struct feed_source *of, struct feed *out,
                         struct feed_scope *at)
{
    int64_t after;
    enum rc rc;

    if ((rc = derived_read(w)) || (rc = feed_scope_find(w, of->scope, at)))
        return rc;
    feed_open(w, of, out);
    out->updated = at->at;
    after = at->n < 2 * BLOCK ? 0 : (at->n / BLOCK - 1) * BLOCK;
    if ((rc = link_before(w, of, at, after, out)))
        return rc;
    return read_rows(w, at, after, at->n, false, out);
}

/* "N.CHAIN" */
static bool read_since(const char *text, int64_t *n, uint8_t chain[FEED_CHAIN_BYTES])
{
    char *end;

    if (*text < '1' || *text > '9' || strspn(text, "0123456789") > 18)
        return false;
    *n = strtoll(text, &end, 10);
    return *end == '.' && hex_parse(end + 1, strlen(end + 1), chain, FEED_CHAIN_BYTES);
}

enum rc feed_read_since(struct work *w, const struct feed_source *of, const char *since,
                        struct feed *out, struct feed_scope *at, enum feed_news *news)
{
    struct feed_scope now, then;
    uint8_t chain[FEED_CHAIN_BYTES];
    int64_t n;
    enum rc rc;

    *news = FEED_UNKNOWN;
    if (!read_since(since, &n, chain))
        return RC_OK;
    if ((rc = derived_read(w)) || (rc = feed_scope_find(w, of->scope, &now)))
        return rc;
    if (n > now.n || now.n - n >= 2 * BLOCK)
        return RC_OK;
    if ((rc = feed_scope_at(w, &now, n, &then)) || memcmp(then.chain, chain, sizeof chain))
        return rc;
    *at = now;
    *news = n == now.n ? FEED_NO_NEWS : FEED_NEWS;
    if (*news == FEED_NO_NEWS)
        return RC_OK;
    feed_open(w, of, out);
    out->updated = now.at;
    return read_rows(w, &now, n, now.n, false, out);
}

enum rc feed_read_archive(struct work *w, const struct feed_source *of, const char *name,
                          struct feed *out)
{
    char right[FEED_ARCHIVE_TEXT];
    struct feed_scope now, then;
    int64_t last = strspn(name, "0123456789") <= 12 ? strtoll(name, NULL, 10) * BLOCK : 0;
    enum rc rc;

    if ((rc = derived_read(w)) || (rc = feed_scope_find(w, of->scope, &now)))
        return rc;
    if (last < BLOCK || last > now.n)
        return err_set(&w->err, RC_NOT_FOUND, "the feed has no such archive");
    if ((rc = name_archive(w, &now, last, right)))
        return rc;
    if (strcmp(name, right))
        return err_set(&w->err, RC_GONE,
                       "the archive was made anew, because something in it was withdrawn; the "
                       "feed leads to it");
    if ((rc = feed_scope_at(w, &now, last, &then)))
        return rc;
    feed_open(w, of, out);
    out->self = address(w, of, name);
    out->hub = NULL; /* it never changes */
    out->archive = true;
    out->updated = then.at;
    if ((rc = link_before(w, of, &now, last - BLOCK, out)))
        return rc;
    return read_rows(w, &now, last - BLOCK, last, true, out);
}
