/*
 * mirror_store.c - the callbacks of the pull engine over our tables, and the one transaction in which a
 * mirrored stream changes.
 *
 *     engine's records --> change, record, leaf --> mirror_settle(): items, head
 *
 * The log here has gaps: of several changes of an item between two heads only the last is known. That is enough
 * for every catch-up, because its end is a head that we held. The chain of a change is therefore not known and
 * stands as zeros; the head's is in the head's row.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/channel/mirror_files.h"
#include "server/channel/mirror_state.h"
#include "server/library/stream.h"
#include "server/store/writer.h"
#include "sync/object.h"
#include "sync/pack.h"
#include "sync/spool.h"

enum sync_rc mirror_failed(struct sync_err *e, enum rc rc, const struct err *why)
{
    return sync_err_set(e,
                        rc == RC_FULL      ? SYNC_FULL
                        : rc == RC_INVALID ? SYNC_INVALID
                                           : SYNC_STORE,
                        "%s", why->text);
}

/* The work in which a callback reads: the transaction's, or one of its own on the read connection. */
static struct work *work_of(struct mirror_store *s, struct work *own)
{
    if (s->w)
        return s->w;
    work_init(own, arena_new(), s->reader, "mirror", RIGHT_ALL);
    return own;
}

static enum sync_rc end_work(const struct mirror_store *s, struct work *w, struct sync_err *e,
                             enum rc rc)
{
    enum sync_rc out = rc ? mirror_failed(e, rc, &w->err) : SYNC_OK;

    if (w != s->w)
        arena_free(w->mem);
    return out;
}

/* Copies the blob of a query's only row; RC_OK and *n 0 if there is none. */
static enum rc take_blob(struct work *w, struct rows *q, void *out, size_t room, size_t *n)
{
    const void *p;
    enum rc rc = RC_OK, end;

    *n = 0;
    if (rows_next(q) && (p = rows_blob(q, 0, n))) {
        if (*n > room)
            rc = err_set(&w->err, RC_CORRUPT, "%s: longer than it may be", sql_name(q->sql));
        else
            memcpy(out, p, *n);
    }
    end = rows_done(q);
    return rc ? rc : end;
}

/* ---- values ---- */

enum sync_rc mirror_get(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                        size_t room, size_t *n)
{
    struct mirror_store *s = ctx;
    struct work own, *w = work_of(s, &own);
    struct rows q;
    enum rc rc = db_query(w, SQL_mirror_value, &q, "ii", s->no, (int64_t)which);

    return end_work(s, w, e, rc ? rc : take_blob(w, &q, out, room, n));
}

static enum rc keep_text(struct mirror_store *s, const char *kind, const void *p, size_t n)
{
    uint8_t hash[HASH_BYTES];

    return object_put(s->w, s->no, kind, p, n, hash);
}

static enum sync_rc put(void *ctx, struct sync_err *e, enum follow_value which,
                        const void *bytes, size_t n)
{
    struct mirror_store *s = ctx;
    enum rc rc =
        db_run(s->w, SQL_mirror_value_put, "iib", s->no, (int64_t)which, n ? bytes : "", n);

    if (!rc && which == FOLLOW_ANCESTRY)
        rc = keep_text(s, "ancestry", bytes, n);
    if (!rc && which == FOLLOW_DIRECTORY) {
        rc = keep_text(s, "directory", bytes, n);
        s->directory_new = true;
    }
    return rc ? mirror_failed(e, rc, &s->w->err) : SYNC_OK;
}

/* ---- records ---- */

static enum sync_rc held(void *ctx, struct sync_err *e, uint64_t born, uint64_t *seq)
{
    struct mirror_store *s = ctx;
    struct rows q;
    enum rc rc = db_query(s->w, SQL_mirror_held, &q, "ii", s->no, (int64_t)born);

    *seq = 0;
    if (!rc) {
        if (rows_next(&q))
            *seq = (uint64_t)rows_int(&q, 0);
        rc = rows_done(&q);
    }
    return rc ? mirror_failed(e, rc, &s->w->err) : SYNC_OK;
}

static enum sync_rc apply(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes,
                          const uint8_t leaf[WIRE_HASH])
{
    static const uint8_t unknown[HASH_BYTES];
    struct mirror_store *s = ctx;
    struct mirror_touched t = { .born = f->born, .seq = f->seq };
    uint8_t digest[HASH_BYTES];
    char title[WIRE_TITLE_MAX + 1];
    enum rc rc;

    (void)frame;
    memcpy(title, f->title ? f->title : "", f->title_len);
    title[f->title_len] = '\0';
    sha256(bytes, f->length, digest);
    if ((rc = db_run(s->w, SQL_mirror_change_put, "iiibiiiiiitibbi", s->no, (int64_t)f->seq,
                     (int64_t)f->born, f->id, (size_t)WIRE_ID, (int64_t)0, (int64_t)f->op,
                     (int64_t)f->flags, (int64_t)f->site, (int64_t)f->column, f->date, title,
                     (int64_t)f->length, digest, sizeof digest, unknown, sizeof unknown,
                     clock_now())) ||
        (rc = db_run(s->w, SQL_mirror_record_put, "iib", s->no, (int64_t)f->seq,
                     f->length ? (const void *)bytes : "", (size_t)f->length)) ||
        (rc = db_run(s->w, SQL_leaf_set, "iiib", s->no, (int64_t)f->born, (int64_t)f->seq, leaf,
                     (size_t)WIRE_HASH)))
        return mirror_failed(e, rc, &s->w->err);
    if (f->flags & WIRE_PURGE &&
        (rc = db_run(s->w, SQL_record_forget, "iii", s->no, (int64_t)f->born, (int64_t)f->seq)))
        return mirror_failed(e, rc, &s->w->err);
    memcpy(t.leaf, leaf, WIRE_HASH);
    buf_add(&s->touched, &t, sizeof t);
    s->sorted = false;
    return SYNC_OK;
}

static int by_born(const void *a, const void *b)
{
    const struct mirror_touched *x = a, *y = b;

    return x->born != y->born ? (x->born < y->born ? -1 : 1)
                              : (x->seq > y->seq) - (x->seq < y->seq);
}

/* Ascending by born; of one that came twice only the newest. */
struct mirror_touched *mirror_touched(struct mirror_store *s, size_t *n)
{
    struct mirror_touched *t = (struct mirror_touched *)(void *)s->touched.p;
    size_t all = s->touched.n / sizeof *t, kept = 0;

    if (!s->sorted && all) {
        qsort(t, all, sizeof *t, by_born);
        for (size_t i = 0; i < all; i++)
            if (i + 1 == all || t[i + 1].born != t[i].born)
                t[kept++] = t[i];
        s->touched.n = kept * sizeof *t;
    }
    s->sorted = true;
    *n = s->touched.n / sizeof *t;
    return t;
}

static enum sync_rc changed(void *ctx, struct sync_err *e, follow_leaf_fn *fn, void *fn_ctx)
{
    enum sync_rc rc = SYNC_OK;
    size_t n;
    const struct mirror_touched *t = mirror_touched(ctx, &n);

    for (size_t i = 0; i < n && !rc; i++)
        rc = fn(fn_ctx, e, t[i].born, t[i].leaf);
    return rc;
}

static enum rc forget_range(struct work *w, int64_t stream, uint64_t first, uint64_t last)
{
    static const enum sql parts[] = {
        SQL_mirror_forget_records,   SQL_mirror_forget_changes,     SQL_mirror_forget_places,
        SQL_mirror_forget_revisions, SQL_mirror_forget_attachments, SQL_mirror_forget_items
    };
    int64_t from = first > INT64_MAX ? INT64_MAX : (int64_t)first;
    int64_t to = last > INT64_MAX ? INT64_MAX : (int64_t)last;
    struct rows q;
    int64_t shown;
    enum rc rc = db_one(w, SQL_mirror_shown, &q, "iii", stream, from, to);

    shown = rc ? 0 : rows_int(&q, 0);
    if ((rc = rows_done(&q)) || (rc = mirror_gain(w, stream, -shown)) ||
        (rc = mirror_files_forget(w, stream, from, to)))
        return rc;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && !rc; i++)
        rc = db_run(w, parts[i], "iii", stream, from, to);
    return rc;
}

static enum sync_rc forget(void *ctx, struct sync_err *e, uint64_t first, uint64_t last)
{
    struct mirror_store *s = ctx;
    enum rc rc = forget_range(s->w, s->no, first, last);

    return rc ? mirror_failed(e, rc, &s->w->err) : SYNC_OK;
}

static enum sync_rc narrow(void *ctx, struct sync_err *e, const struct merkle_below *below)
{
    return below->horizon ? forget(ctx, e, 0, below->horizon - 1) : SYNC_OK;
}

/* A mirror keeps nothing below a horizon. */
static enum sync_rc proved(void *ctx, struct sync_err *e, uint64_t born,
                           const uint8_t root[WIRE_HASH])
{
    (void)ctx, (void)e, (void)born, (void)root;
    return SYNC_OK;
}

static enum sync_rc each_kept(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    (void)ctx, (void)e, (void)fn, (void)fn_ctx;
    return SYNC_OK;
}

/* A row that makes no record any more has the leaf of nothing, which differs from all others. */
static enum sync_rc each(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    struct mirror_store *s = ctx;
    struct work own, *w = work_of(s, &own);
    struct pack_record *r = arena_alloc(w->mem, sizeof *r);
    enum sync_rc result = SYNC_OK, end;
    struct rows q;
    enum rc rc = db_query(w, SQL_mirror_each, &q, "i", s->no);

    if (rc)
        return end_work(s, w, e, rc);
    while (!result && rows_next(&q)) {
        struct follow_item it = { .born = (uint64_t)pack_born(&q),
                                  .seq = (uint64_t)pack_seq(&q) };
        struct err ignored;

        if (!pack_record(&ignored, &q, 0, r))
            verify_record(r->frame, r->frame_n, r->bytes, r->f.length, it.leaf);
        result = fn(fn_ctx, e, &it);
    }
    rc = rows_done(&q);
    end = end_work(s, w, e, rc);
    return result ? result : end;
}

static enum sync_rc record_of(void *ctx, struct sync_err *e, uint64_t born, uint8_t *out,
                              size_t *n, uint64_t *seq)
{
    struct mirror_store *s = ctx;
    struct work own, *w = work_of(s, &own);
    struct pack_record r;
    struct err ignored;
    struct rows q;
    enum rc rc = db_query(w, SQL_sync_single, &q, "ii", s->no, (int64_t)born);

    *seq = 0;
    *n = 0;
    if (!rc) {
        if (rows_next(&q)) {
            *seq = (uint64_t)pack_seq(&q);
            if (!pack_record(&ignored, &q, 0, &r)) {
                memcpy(out, r.frame, r.frame_n);
                memcpy(out + r.frame_n, r.bytes, r.f.length);
                *n = r.frame_n + r.f.length;
            }
        }
        rc = rows_done(&q);
    }
    return end_work(s, w, e, rc);
}

/* ---- tiles ---- */

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct mirror_store *s = ctx;
    struct work own, *w = work_of(s, &own);
    size_t want = (size_t)count * WIRE_HASH, n = 0;
    struct rows q;
    enum sync_rc sr;
    enum rc rc = db_query(w, SQL_mirror_tile, &q, "iii", s->no, (int64_t)level, (int64_t)index);

    if ((sr = end_work(s, w, e, rc ? rc : take_blob(w, &q, nodes, want, &n))))
        return sr;
    if (!n)
        return sync_err_set(e, SYNC_NOT_HELD, "there is no tile %u/%" PRIu64, level, index);
    return n == want ? SYNC_OK
                     : sync_err_set(e, SYNC_STORE, "tile %u/%" PRIu64 " is cut", level, index);
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct mirror_store *s = ctx;
    enum rc rc = db_run(s->w, SQL_mirror_tile_put, "iiib", s->no, (int64_t)level,
                        (int64_t)index, nodes, (size_t)count * WIRE_HASH);

    return rc ? mirror_failed(e, rc, &s->w->err) : SYNC_OK;
}

static enum sync_rc untile(void *ctx, struct sync_err *e)
{
    struct mirror_store *s = ctx;
    enum rc rc = db_run(s->w, SQL_mirror_tile_forget, "i", s->no);

    return rc ? mirror_failed(e, rc, &s->w->err) : SYNC_OK;
}

/* ---- the transaction ---- */

struct job {
    struct mirror_store *store;
    enum sync_rc (*fn)(void *fn_ctx, struct sync_err *e);
    void *fn_ctx;
    struct sync_err *e;
    enum sync_rc rc;
};

/* Meanwhile it may have been dropped, and its number be another's. */
static enum rc still_ours(struct work *w, const struct mirror_store *s)
{
    struct stream row;
    enum rc rc = stream_by_no(w, s->no, &row);

    if (rc && rc != RC_NOT_FOUND)
        return rc;
    return rc || strcmp(row.name, s->name)
               ? err_set(&w->err, RC_CONFLICT, "the stream %s is mirrored no more", s->name)
               : RC_OK;
}

/* On the writer thread. */
static enum rc run(struct work *w, void *arg)
{
    struct job *j = arg;
    struct mirror_store *s = j->store;
    enum rc rc = still_ours(w, s);

    if (rc)
        return rc;
    s->w = w;
    s->touched.n = 0;
    s->sorted = true;
    s->directory_new = false;
    if (!(j->rc = j->fn(j->fn_ctx, j->e)))
        j->rc = mirror_settle(s, j->e);
    s->w = NULL;
    if (j->rc)
        return err_set(&w->err, RC_CONFLICT, "%s", j->e->text);
    return RC_OK;
}

static enum sync_rc transact(void *ctx, struct sync_err *e,
                             enum sync_rc (*fn)(void *fn_ctx, struct sync_err *e), void *fn_ctx)
{
    struct mirror_store *s = ctx;
    struct job j = { .store = s, .fn = fn, .fn_ctx = fn_ctx, .e = e };
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "mirror", RIGHT_ALL);
    rc = writer_call(&w, run, &j);
    if (rc && !j.rc)
        j.rc = mirror_failed(e, rc, &w.err);
    if (!rc)
        s->gone.n = 0;
    arena_free(w.mem);
    return j.rc;
}

/* ---- life ---- */

struct mirror_store *mirror_store_new(struct live *l, struct db *reader)
{
    struct mirror_store *s = calloc(1, sizeof *s);

    if (!s)
        memory_end();
    s->live = l;
    s->no = live_no(l);
    s->name = live_name(l);
    s->data = live_data(l);
    s->reader = reader;
    snprintf(s->parts, sizeof s->parts, "%s/mirror/%s", s->data, s->name);
    return s;
}

void mirror_store_free(struct mirror_store *s)
{
    if (!s)
        return;
    buf_done(&s->touched);
    buf_done(&s->gone);
    free(s);
}

void mirror_parts_drop(void *dir)
{
    spool_drop(dir);
}

struct follow_store mirror_store_callbacks(struct mirror_store *s)
{
    return (struct follow_store){
        .ctx = s,
        .get = mirror_get,
        .parts = spool_parts(s->parts),
        .transact = transact,
        .put = put,
        .held = held,
        .apply = apply,
        .changed = changed,
        .forget = forget,
        .narrow = narrow,
        .proved = proved,
        .untile = untile,
        .tiles = { s, tile_read, tile_write },
        .each = each,
        .each_kept = each_kept,
        .record = record_of,
    };
}

enum rc mirror_store_forget(struct work *w, int64_t stream)
{
    static const enum sql rest[] = {
        SQL_mirror_value_forget, SQL_mirror_tile_forget,     SQL_mirror_forget_columns,
        SQL_mirror_forget_sites, SQL_mirror_forget_withheld, SQL_mirror_file_forget,
        SQL_mirror_drop
    };
    enum rc rc = forget_range(w, stream, 0, INT64_MAX);

    for (size_t i = 0; i < sizeof rest / sizeof *rest && !rc; i++)
        rc = db_run(w, rest[i], "i", stream);
    return rc;
}

enum rc mirror_store_sweep(struct work *w, int64_t stream, int64_t epoch)
{
    struct rows q;
    int64_t seq = 0;
    enum rc rc = db_one(w, SQL_mirror_oldest_head, &q, "ii", stream, epoch), end;

    if (!rc)
        seq = rows_int(&q, 0);
    end = rows_done(&q);
    if (rc || (rc = end) || !seq)
        return rc;
    if ((rc = db_run(w, SQL_mirror_sweep_records, "ii", stream, seq)))
        return rc;
    return db_run(w, SQL_mirror_sweep_changes, "ii", stream, seq);
}
