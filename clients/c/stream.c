/*
 * stream.c - a stream in the store, as the pull engine sees it: values, and the one transaction in which
 * content changes. Bodies on their way are files (sync/spool.h), what lies below the horizon is stream_kept.c.
 *
 * Items are applied into the open transaction together with the list of those touched (a
 * temporary table that also holds their new leaves), so that the engine can walk them by born
 * without holding them in memory. Readers, here and in other processes, see the state before
 * until COMMIT.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/stream.h"

/* ---- sqlite's errors as the engine's ---- */

enum sync_rc stream_failed(struct stream *s, struct sync_err *e)
{
    int code = sqlite3_errcode(s->t->db) & 0xff;

    if (code == SQLITE_CONSTRAINT)
        return sync_err_set(e, SYNC_INVALID, "two items with one id: %s",
                            sqlite3_errmsg(s->t->db));
    return sync_err_set(e, store_is_full(s->t) ? SYNC_FULL : SYNC_STORE, "%s: %s", s->t->path,
                        sqlite3_errmsg(s->t->db));
}

/* A statement with the stream's number as ?1. */
sqlite3_stmt *stream_stmt(struct stream *s, enum stmt which, struct sync_err *e)
{
    sqlite3_stmt *q = store_stmt(s->t, which, NULL);

    if (!q)
        (void)stream_failed(s, e);
    else if (sqlite3_bind_parameter_count(q) > 0)
        sqlite3_bind_int64(q, 1, s->no);
    return q;
}

enum sync_rc stream_done(struct stream *s, struct sync_err *e, sqlite3_stmt *q)
{
    int code = sqlite3_step(q);
    enum sync_rc rc = code == SQLITE_DONE || code == SQLITE_ROW ? SYNC_OK : stream_failed(s, e);

    store_reset(q);
    return rc;
}

/* Steps once: *row says whether there was one. If not, the statement is reset. */
enum sync_rc stream_one(struct stream *s, struct sync_err *e, sqlite3_stmt *q, bool *row)
{
    int code = sqlite3_step(q);
    enum sync_rc rc = SYNC_OK;

    *row = code == SQLITE_ROW;
    if (*row)
        return SYNC_OK;
    if (code != SQLITE_DONE)
        rc = stream_failed(s, e);
    store_reset(q); /* what is not reset takes no other bindings */
    return rc;
}

enum sync_rc stream_simple(struct stream *s, struct sync_err *e, enum stmt which)
{
    sqlite3_stmt *q = stream_stmt(s, which, e);

    return q ? stream_done(s, e, q) : e->rc;
}

void stream_rollback(struct stream *s)
{
    struct sync_err ignored;

    if (!sqlite3_get_autocommit(
            s->t->db)) /* sqlite may have rolled back by itself, when the disk was full */
        (void)stream_simple(s, &ignored, STMT_ROLLBACK);
}

/* ---- values ---- */

static enum sync_rc get(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                        size_t room, size_t *n)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_VALUE_GET, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)which);
    if ((rc = stream_one(s, e, q, &row)))
        return rc;
    *n = row ? (size_t)sqlite3_column_bytes(q, 0) : 0;
    if (*n > room)
        rc = sync_err_set(e, SYNC_STORE, "value %d is too long", (int)which);
    else if (*n > 0)
        memcpy(out, sqlite3_column_blob(q, 0), *n);
    store_reset(q);
    return rc;
}

static enum sync_rc put(void *ctx, struct sync_err *e, enum follow_value which,
                        const void *bytes, size_t n)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_VALUE_PUT, e);
    enum sync_rc rc;

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)which);
    sqlite3_bind_blob64(q, 3, n ? bytes : "", n, SQLITE_STATIC);
    if ((rc = stream_done(s, e, q)))
        return rc;
    switch (which) {
    case FOLLOW_DIRECTORY: return directory_take(s, e, bytes, n);
    case FOLLOW_BELOW: return kept_take_below(s, e, bytes, n);
    case FOLLOW_WITHHELD: return kept_take_withheld(s, e, bytes, n);
    default: return SYNC_OK;
    }
}

/* ---- the transaction ---- */

/* The first transaction of a run that repairs mends the damage that was found. */
static enum sync_rc settle(struct stream *s, struct sync_err *e)
{
    sqlite3_stmt *q;
    enum sync_rc rc;

    if (s->mending) {
        if (!(q = stream_stmt(s, STMT_STREAM_DAMAGED, e)))
            return e->rc;
        sqlite3_bind_int(q, 2, 0);
        if ((rc = stream_done(s, e, q)))
            return rc;
    }
    if ((rc = stream_simple(s, e, STMT_UNTOUCH)))
        return rc;
    return stream_simple(s, e, STMT_COMMIT);
}

static enum sync_rc transact(void *ctx, struct sync_err *e,
                             enum sync_rc (*fn)(void *fn_ctx, struct sync_err *e), void *fn_ctx)
{
    struct stream *s = ctx;
    enum sync_rc rc;

    if ((rc = stream_simple(s, e, STMT_BEGIN)))
        return rc;
    if ((rc = stream_simple(s, e, STMT_UNTOUCH)) || (rc = fn(fn_ctx, e)) || (rc = settle(s, e)))
        stream_rollback(s);
    return rc;
}

static enum sync_rc held(void *ctx, struct sync_err *e, uint64_t born, uint64_t *seq)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_ITEM_SEQ, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)born);
    if ((rc = stream_one(s, e, q, &row)))
        return rc;
    *seq = row ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    store_reset(q);
    return SYNC_OK;
}

static enum sync_rc touch(struct stream *s, struct sync_err *e, uint64_t born,
                          const uint8_t *leaf)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_TOUCH, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 1, (int64_t)born);
    sqlite3_bind_blob(q, 2, leaf, WIRE_HASH, SQLITE_STATIC);
    return stream_done(s, e, q);
}

static enum sync_rc apply(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes,
                          const uint8_t leaf[WIRE_HASH])
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_ITEM_PUT, e);
    enum sync_rc rc;

    (void)frame; /* is made of the columns again when it is needed: held_record */
    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)f->born);
    sqlite3_bind_int64(q, 3, (int64_t)f->seq);
    sqlite3_bind_int(q, 4, f->op);
    sqlite3_bind_int(q, 5, f->flags);
    sqlite3_bind_blob(q, 6, f->id, WIRE_ID, SQLITE_STATIC);
    sqlite3_bind_int64(q, 7, f->site);
    sqlite3_bind_int64(q, 8, f->column);
    sqlite3_bind_int64(q, 9, f->date);
    sqlite3_bind_text(q, 10, f->title_len ? f->title : "", f->title_len, SQLITE_STATIC);
    sqlite3_bind_blob(q, 11, f->length ? (const void *)bytes : "", (int)f->length,
                      SQLITE_STATIC);
    if ((rc = stream_done(s, e, q)))
        return rc;
    return touch(s, e, f->born, leaf);
}

static enum sync_rc changed(void *ctx, struct sync_err *e, follow_leaf_fn *fn, void *fn_ctx)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_TOUCHED, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    while (!(rc = stream_one(s, e, q, &row)) && row)
        if ((rc = fn(fn_ctx, e, (uint64_t)sqlite3_column_int64(q, 0),
                     sqlite3_column_blob(q, 1))))
            break;
    store_reset(q);
    return rc;
}

static enum sync_rc range(struct stream *s, struct sync_err *e, enum stmt which, uint64_t first,
                          uint64_t last)
{
    sqlite3_stmt *q = stream_stmt(s, which, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, first > INT64_MAX ? INT64_MAX : (int64_t)first);
    sqlite3_bind_int64(q, 3, last > INT64_MAX ? INT64_MAX : (int64_t)last);
    return stream_done(s, e, q);
}

static enum sync_rc forget(void *ctx, struct sync_err *e, uint64_t first, uint64_t last)
{
    return range(ctx, e, STMT_ITEM_FORGET, first, last);
}

static enum sync_rc record_of(void *ctx, struct sync_err *e, uint64_t born, uint8_t *out,
                              size_t *n, uint64_t *seq)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_HELD_ONE, e);
    struct sync_err ignored;
    struct wire_frame f;
    enum sync_rc rc;
    bool row;

    *seq = 0;
    *n = 0;
    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)born);
    if ((rc = stream_one(s, e, q, &row)) || !row)
        return rc;
    *seq = (uint64_t)sqlite3_column_int64(q, 1);
    if (!held_frame(q, &ignored, &f, out, n)) {
        if (f.length > 0)
            memcpy(out + *n, sqlite3_column_blob(q, 9), f.length);
        *n += f.length;
    }
    store_reset(q);
    return SYNC_OK;
}

/* ---- tiles ---- */

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_TILE_GET, e);
    size_t n = (size_t)count * WIRE_HASH;
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)level);
    sqlite3_bind_int64(q, 3, (int64_t)index);
    if ((rc = stream_one(s, e, q, &row)))
        return rc;
    if (!row)
        return sync_err_set(e, SYNC_NOT_HELD, "there is no tile %u/%" PRIu64, level, index);
    if ((size_t)sqlite3_column_bytes(q, 0) == n)
        memcpy(nodes, sqlite3_column_blob(q, 0), n);
    else
        rc = sync_err_set(e, SYNC_STORE, "tile %u/%" PRIu64 " has %d bytes instead of %zu",
                          level, index, sqlite3_column_bytes(q, 0), n);
    store_reset(q);
    return rc;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stream_stmt(s, STMT_TILE_PUT, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)level);
    sqlite3_bind_int64(q, 3, (int64_t)index);
    sqlite3_bind_blob(q, 4, nodes, (int)(count * WIRE_HASH), SQLITE_STATIC);
    return stream_done(s, e, q);
}

static enum sync_rc untile(void *ctx, struct sync_err *e)
{
    return stream_simple(ctx, e, STMT_TILE_WIPE);
}

const char *stream_parts(struct stream *s)
{
    snprintf(s->parts, sizeof s->parts, "%s-parts/%s", s->t->path, s->name);
    return s->parts;
}

struct follow_store stream_store(struct stream *s)
{
    return (struct follow_store){
        .ctx = s,
        .get = get,
        .parts = spool_parts(stream_parts(s)),
        .transact = transact,
        .put = put,
        .held = held,
        .apply = apply,
        .changed = changed,
        .forget = forget,
        .narrow = kept_narrow,
        .proved = kept_proved,
        .untile = untile,
        .tiles = { s, tile_read, tile_write },
        .each = kept_each,
        .each_kept = kept_each_below,
        .record = record_of,
    };
}
