/*
 * stream.c - a stream in the store, as the pull engine sees it: values, parts, and the one
 * transaction in which content changes.
 *
 * Items are applied into the open transaction together with the list of those touched (a
 * temporary table that also holds their new leaves), so that the engine can walk them by born
 * without holding them in memory. Readers, here and in other processes, see the state before
 * until COMMIT. A part's bytes are rows of a few KB, written as they come: a killed process
 * loses what was in flight and no more.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/store.h"

/* ---- sqlite's errors as the engine's ---- */

static enum sync_rc failed(struct stream *s, struct sync_err *e)
{
    int code = sqlite3_errcode(s->t->db) & 0xff;

    if (code == SQLITE_CONSTRAINT)
        return sync_err_set(e, SYNC_INVALID, "two items with one id: %s",
                            sqlite3_errmsg(s->t->db));
    return sync_err_set(e, code == SQLITE_FULL ? SYNC_FULL : SYNC_STORE, "%s: %s", s->t->path,
                        sqlite3_errmsg(s->t->db));
}

/* A statement with the stream's number as ?1. */
static sqlite3_stmt *stmt(struct stream *s, enum stmt which, struct sync_err *e)
{
    sqlite3_stmt *q = store_stmt(s->t, which, NULL);

    if (!q)
        (void)failed(s, e);
    else if (sqlite3_bind_parameter_count(q) > 0)
        sqlite3_bind_int64(q, 1, s->no);
    return q;
}

static enum sync_rc done(struct stream *s, struct sync_err *e, sqlite3_stmt *q)
{
    int code = sqlite3_step(q);
    enum sync_rc rc = code == SQLITE_DONE || code == SQLITE_ROW ? SYNC_OK : failed(s, e);

    store_reset(q);
    return rc;
}

/* Steps once: *row says whether there was one. On an error the statement is reset. */
static enum sync_rc one_row(struct stream *s, struct sync_err *e, sqlite3_stmt *q, bool *row)
{
    int code = sqlite3_step(q);
    enum sync_rc rc;

    *row = code == SQLITE_ROW;
    if (*row || code == SQLITE_DONE)
        return SYNC_OK;
    rc = failed(s, e);
    store_reset(q);
    return rc;
}

static enum sync_rc simple(struct stream *s, struct sync_err *e, enum stmt which)
{
    sqlite3_stmt *q = stmt(s, which, e);

    return q ? done(s, e, q) : e->rc;
}

/* ---- values ---- */

static enum sync_rc get(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                        size_t room, size_t *n)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_VALUE_GET, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)which);
    if ((rc = one_row(s, e, q, &row)))
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
    sqlite3_stmt *q = stmt(s, STMT_VALUE_PUT, e);
    enum sync_rc rc;

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)which);
    sqlite3_bind_blob64(q, 3, n ? bytes : "", n, SQLITE_STATIC);
    if ((rc = done(s, e, q)) || which != FOLLOW_DIRECTORY)
        return rc;
    return directory_take(s, e, bytes, n);
}

/* ---- parts ---- */

static enum sync_rc part_row(struct stream *s, struct sync_err *e, const char *path,
                             int64_t *no, struct follow_part *out)
{
    sqlite3_stmt *q = stmt(s, STMT_PART_FIND, e);
    enum sync_rc rc;
    bool row;

    *no = 0;
    *out = (struct follow_part){ 0 };
    if (!q)
        return e->rc;
    sqlite3_bind_text(q, 2, path, -1, SQLITE_STATIC);
    if ((rc = one_row(s, e, q, &row)))
        return rc;
    if (row) {
        *no = sqlite3_column_int64(q, 0);
        out->bytes = (uint64_t)sqlite3_column_int64(q, 1);
        out->whole = sqlite3_column_int(q, 2);
        strncpy(out->etag, (const char *)sqlite3_column_text(q, 3), sizeof out->etag - 1);
    }
    store_reset(q);
    return SYNC_OK;
}

static enum sync_rc part_find(void *ctx, struct sync_err *e, const char *path,
                              struct follow_part *out)
{
    int64_t no;

    return part_row(ctx, e, path, &no, out);
}

static enum sync_rc part_put(struct stream *s, struct sync_err *e, const char *path,
                             uint64_t bytes, const char *etag, bool whole, int64_t *no)
{
    sqlite3_stmt *q = stmt(s, STMT_PART_PUT, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_text(q, 2, path, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, (int64_t)bytes);
    sqlite3_bind_int(q, 4, whole);
    sqlite3_bind_text(q, 5, etag, -1, SQLITE_STATIC);
    if ((rc = one_row(s, e, q, &row)))
        return rc;
    *no = row ? sqlite3_column_int64(q, 0) : 0;
    store_reset(q);
    return SYNC_OK;
}

static enum sync_rc chunks_drop(struct stream *s, struct sync_err *e, int64_t part)
{
    sqlite3_stmt *q = stmt(s, STMT_CHUNK_DROP, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 1, part);
    return done(s, e, q);
}

static enum sync_rc part_write_in(struct stream *s, struct sync_err *e, const char *path,
                                  uint64_t at, const void *bytes, size_t n, const char *etag,
                                  bool whole)
{
    sqlite3_stmt *q;
    int64_t no = 0;
    enum sync_rc rc;

    if ((rc = part_put(s, e, path, at + n, etag, whole, &no)) ||
        (at == 0 && (rc = chunks_drop(s, e, no))))
        return rc;
    if (n == 0)
        return SYNC_OK;
    if (!(q = stmt(s, STMT_CHUNK_PUT, e)))
        return e->rc;
    sqlite3_bind_int64(q, 1, no << 40 | (int64_t)at);
    sqlite3_bind_blob64(q, 2, bytes, n, SQLITE_STATIC);
    return done(s, e, q);
}

static void rollback(void *ctx)
{
    struct stream *s = ctx;
    struct sync_err ignored;

    if (!sqlite3_get_autocommit(
            s->t->db)) /* sqlite may have rolled back by itself, when the disk was full */
        (void)simple(s, &ignored, STMT_ROLLBACK);
}

static enum sync_rc part_write(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                               const void *bytes, size_t n, const char *etag, bool whole)
{
    struct stream *s = ctx;
    enum sync_rc rc;

    if ((rc = simple(s, e, STMT_BEGIN)))
        return rc;
    if (!(rc = part_write_in(s, e, path, at, bytes, n, etag, whole)))
        rc = simple(s, e, STMT_COMMIT);
    if (rc)
        rollback(s);
    return rc;
}

/* The chunk that holds byte `at`, from there on. */
static enum sync_rc part_read(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                              void *out, size_t room, size_t *n)
{
    struct stream *s = ctx;
    struct follow_part part;
    size_t skip, len;
    sqlite3_stmt *q;
    int64_t no;
    enum sync_rc rc;
    bool row;

    *n = 0;
    if ((rc = part_row(s, e, path, &no, &part)) || at >= part.bytes)
        return rc;
    if (!(q = stmt(s, STMT_CHUNK_AT, e)))
        return e->rc;
    sqlite3_bind_int64(q, 1, no << 40 | (int64_t)at);
    if ((rc = one_row(s, e, q, &row)))
        return rc;
    skip = row ? (size_t)((no << 40 | (int64_t)at) - sqlite3_column_int64(q, 0)) : SIZE_MAX;
    len = row ? (size_t)sqlite3_column_bytes(q, 1) : 0;
    if (skip >= len) {
        store_reset(q);
        return sync_err_set(e, SYNC_STORE, "a part has a hole");
    }
    *n = len - skip < room ? len - skip : room;
    memcpy(out, (const char *)sqlite3_column_blob(q, 1) + skip, *n);
    store_reset(q);
    return SYNC_OK;
}

static bool is_kept(const char *path, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(path, paths[i]) == 0)
            return true;
    return false;
}

static enum sync_rc part_drop(struct stream *s, struct sync_err *e, int64_t no)
{
    sqlite3_stmt *q;
    enum sync_rc rc;

    if ((rc = chunks_drop(s, e, no)))
        return rc;
    if (!(q = stmt(s, STMT_PART_DROP, e)))
        return e->rc;
    sqlite3_bind_int64(q, 1, no);
    return done(s, e, q);
}

static enum sync_rc part_keep(void *ctx, struct sync_err *e, const char *const *paths, size_t n)
{
    struct stream *s = ctx;
    enum sync_rc rc;
    int64_t no = 0;
    bool row = true;

    while (row) {
        sqlite3_stmt *q = stmt(s, STMT_PART_NEXT, e);
        bool keep = true;

        if (!q)
            return e->rc;
        sqlite3_bind_int64(q, 2, no);
        if ((rc = one_row(s, e, q, &row)))
            return rc;
        if (row) {
            no = sqlite3_column_int64(q, 0);
            keep = is_kept((const char *)sqlite3_column_text(q, 1), paths, n);
        }
        store_reset(q);
        if (!keep && (rc = part_drop(s, e, no)))
            return rc;
    }
    return SYNC_OK;
}

/* ---- the transaction ---- */

/* What is written is whole: the damage that was found is mended, the list of those touched is done with. */
static enum sync_rc settle(struct stream *s, struct sync_err *e)
{
    sqlite3_stmt *q = stmt(s, STMT_STREAM_DAMAGED, e);
    enum sync_rc rc;

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, 0);
    if ((rc = done(s, e, q)) || (rc = simple(s, e, STMT_UNTOUCH)))
        return rc;
    return simple(s, e, STMT_COMMIT);
}

static enum sync_rc transact(void *ctx, struct sync_err *e,
                             enum sync_rc (*fn)(void *fn_ctx, struct sync_err *e), void *fn_ctx)
{
    struct stream *s = ctx;
    enum sync_rc rc;

    if ((rc = simple(s, e, STMT_BEGIN)))
        return rc;
    if ((rc = simple(s, e, STMT_UNTOUCH)) || (rc = fn(fn_ctx, e)) || (rc = settle(s, e)))
        rollback(s);
    return rc;
}

static enum sync_rc held(void *ctx, struct sync_err *e, uint64_t born, uint64_t *seq)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_ITEM_SEQ, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)born);
    if ((rc = one_row(s, e, q, &row)))
        return rc;
    *seq = row ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    store_reset(q);
    return SYNC_OK;
}

static enum sync_rc touch(struct stream *s, struct sync_err *e, uint64_t born,
                          const uint8_t *leaf)
{
    sqlite3_stmt *q = stmt(s, STMT_TOUCH, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 1, (int64_t)born);
    sqlite3_bind_blob(q, 2, leaf, WIRE_HASH, SQLITE_STATIC);
    return done(s, e, q);
}

static enum sync_rc apply(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes,
                          const uint8_t leaf[WIRE_HASH])
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_ITEM_PUT, e);
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
    if ((rc = done(s, e, q)))
        return rc;
    return touch(s, e, f->born, leaf);
}

static enum sync_rc changed(void *ctx, struct sync_err *e, follow_leaf_fn *fn, void *fn_ctx)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_TOUCHED, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    while (!(rc = one_row(s, e, q, &row)) && row)
        if ((rc = fn(fn_ctx, e, (uint64_t)sqlite3_column_int64(q, 0),
                     sqlite3_column_blob(q, 1))))
            break;
    store_reset(q);
    return rc;
}

static enum sync_rc range(struct stream *s, struct sync_err *e, enum stmt which, uint64_t first,
                          uint64_t last)
{
    sqlite3_stmt *q = stmt(s, which, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, first > INT64_MAX ? INT64_MAX : (int64_t)first);
    sqlite3_bind_int64(q, 3, last > INT64_MAX ? INT64_MAX : (int64_t)last);
    return done(s, e, q);
}

static enum sync_rc forget(void *ctx, struct sync_err *e, uint64_t first, uint64_t last)
{
    enum sync_rc rc = range(ctx, e, STMT_KEPT_FORGET, first, last);

    return rc ? rc : range(ctx, e, STMT_ITEM_FORGET, first, last);
}

/* ---- below the horizon ---- */

static enum sync_rc narrow(void *ctx, struct sync_err *e, const struct merkle_below *below)
{
    return below->horizon ? forget(ctx, e, 0, below->horizon - 1) : SYNC_OK;
}

static enum sync_rc proved(void *ctx, struct sync_err *e, uint64_t born,
                           const uint8_t root[WIRE_HASH])
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_KEPT_PROVED, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)born);
    if (root)
        sqlite3_bind_blob(q, 3, root, WIRE_HASH, SQLITE_STATIC);
    else
        sqlite3_bind_null(q, 3);
    return done(s, e, q);
}

/* The first 8 bytes of the roots below it (merkle_below_print). */
static enum sync_rc horizon(struct stream *s, struct sync_err *e, uint64_t *out)
{
    sqlite3_stmt *q = stmt(s, STMT_VALUE_GET, e);
    enum sync_rc rc;
    bool row;

    *out = 0;
    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, FOLLOW_BELOW);
    if ((rc = one_row(s, e, q, &row)))
        return rc;
    if (row && sqlite3_column_bytes(q, 0) >= 8)
        for (size_t i = 0; i < 8; i++)
            *out = *out << 8 | ((const uint8_t *)sqlite3_column_blob(q, 0))[i];
    store_reset(q);
    return SYNC_OK;
}

/* A row that makes no record any more has the leaf of nothing, which differs from all others. */
static enum sync_rc walk(struct stream *s, struct sync_err *e, enum stmt which,
                         follow_item_fn *fn, void *fn_ctx)
{
    struct wire_frame f;
    struct sync_err ignored;
    sqlite3_stmt *q;
    uint64_t h;
    enum sync_rc rc;
    bool row;

    if ((rc = horizon(s, e, &h)))
        return rc;
    if (!(q = stmt(s, which, e)))
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)h);
    while (!(rc = one_row(s, e, q, &row)) && row) {
        struct follow_item it = { .born = (uint64_t)sqlite3_column_int64(q, 0),
                                  .seq = (uint64_t)sqlite3_column_int64(q, 1) };

        if (held_record(q, &ignored, &f, it.leaf))
            memset(it.leaf, 0, WIRE_HASH);
        if (sqlite3_column_bytes(q, 10) == WIRE_HASH)
            it.root = sqlite3_column_blob(q, 10);
        if ((rc = fn(fn_ctx, e, &it)))
            break;
    }
    store_reset(q);
    return rc;
}

static enum sync_rc each(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    return walk(ctx, e, STMT_HELD_FROM, fn, fn_ctx);
}

static enum sync_rc each_kept(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    return walk(ctx, e, STMT_HELD_BELOW, fn, fn_ctx);
}

static enum sync_rc bytes_of(void *ctx, struct sync_err *e, uint64_t born, void *out, size_t *n,
                             uint64_t *seq)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_ITEM_BYTES, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)born);
    if ((rc = one_row(s, e, q, &row)))
        return rc;
    *seq = row ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    *n = row ? (size_t)sqlite3_column_bytes(q, 1) : 0;
    if (*n > WIRE_BYTES_MAX)
        rc = sync_err_set(e, SYNC_STORE, "item %" PRIu64 " is too long", born);
    else if (*n > 0)
        memcpy(out, sqlite3_column_blob(q, 1), *n);
    store_reset(q);
    return rc;
}

/* ---- tiles ---- */

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_TILE_GET, e);
    size_t n = (size_t)count * WIRE_HASH;
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)level);
    sqlite3_bind_int64(q, 3, (int64_t)index);
    if ((rc = one_row(s, e, q, &row)))
        return rc;
    if (!row)
        return sync_err_set(e, SYNC_NOT_HELD, "there is no tile %u/%" PRIu64, level, index);
    if ((size_t)sqlite3_column_bytes(q, 0) == n)
        memcpy(nodes, sqlite3_column_blob(q, 0), n);
    else
        rc = sync_err_set(e, SYNC_STORE, "tile %u/%" PRIu64 " is not as it was written", level,
                          index);
    store_reset(q);
    return rc;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct stream *s = ctx;
    sqlite3_stmt *q = stmt(s, STMT_TILE_PUT, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int(q, 2, (int)level);
    sqlite3_bind_int64(q, 3, (int64_t)index);
    sqlite3_bind_blob(q, 4, nodes, (int)(count * WIRE_HASH), SQLITE_STATIC);
    return done(s, e, q);
}

static enum sync_rc untile(void *ctx, struct sync_err *e)
{
    return simple(ctx, e, STMT_TILE_WIPE);
}

struct follow_store stream_store(struct stream *s)
{
    return (struct follow_store){
        .ctx = s,
        .get = get,
        .part_find = part_find,
        .part_write = part_write,
        .part_read = part_read,
        .part_keep = part_keep,
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
        .bytes = bytes_of,
    };
}
