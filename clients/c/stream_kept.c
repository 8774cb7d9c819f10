/*
 * stream_kept.c - what is held below the horizon, what proves it, and what the server withholds.
 *
 *     born >= stream.horizon          held, proved by the tree
 *     below it, item.proof 64 bytes   the root of FOLLOW_BELOW whose path proved it, and the leaf it was proved with: shown
 *     below it, item.proof NULL       its root has changed: not shown until the next sync has proved it anew
 *
 * What the user wants to keep is a list of ids of its own (table kept), so that it outlives the
 * row, which a repair may drop and fetch again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/stream.h"

enum { PROOF = 2 * WIRE_HASH, PROOF_COLUMN = 10 /* of the statements HELD... */ };

/* ---- proofs ---- */

static enum sync_rc proof_put(struct stream *s, struct sync_err *e, uint64_t born,
                              const uint8_t *proof)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_ITEM_PROOF, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)born);
    if (proof)
        sqlite3_bind_blob(q, 3, proof, PROOF, SQLITE_STATIC);
    return stream_done(s, e, q);
}

/* The leaf of the row as it is; *row false: there is none. */
static enum sync_rc leaf_of(struct stream *s, struct sync_err *e, uint64_t born,
                            uint8_t leaf[WIRE_HASH], bool *row)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_HELD_ONE, e);
    struct wire_frame f;
    enum sync_rc rc;

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)born);
    if ((rc = stream_one(s, e, q, row)))
        return rc;
    if (*row)
        rc = held_record(q, e, &f, leaf);
    store_reset(q);
    return rc;
}

enum sync_rc kept_proved(void *ctx, struct sync_err *e, uint64_t born,
                         const uint8_t root[WIRE_HASH])
{
    struct stream *s = ctx;
    uint8_t proof[PROOF];
    enum sync_rc rc;
    bool row;

    if (!root)
        return proof_put(s, e, born, NULL);
    memcpy(proof, root, WIRE_HASH);
    rc = leaf_of(s, e, born, proof + WIRE_HASH, &row);
    return rc || !row ? rc : proof_put(s, e, born, proof);
}

bool kept_proof_holds(sqlite3_stmt *held, const uint8_t leaf[WIRE_HASH])
{
    const uint8_t *proof = sqlite3_column_blob(held, PROOF_COLUMN);

    return sqlite3_column_bytes(held, PROOF_COLUMN) == PROOF &&
           memcmp(proof + WIRE_HASH, leaf, WIRE_HASH) == 0;
}

/* ---- the horizon moves up ---- */

/* The next item that is kept and that the horizon is about to pass. */
static enum sync_rc next_passed(struct stream *s, struct sync_err *e, uint64_t from,
                                uint64_t horizon, uint64_t *born, bool *row)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_KEPT_NEXT, e);
    enum sync_rc rc;

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)from);
    sqlite3_bind_int64(q, 3, (int64_t)horizon);
    if ((rc = stream_one(s, e, q, row)))
        return rc;
    *born = *row ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    store_reset(q);
    return SYNC_OK;
}

static enum sync_rc drop_below(struct stream *s, struct sync_err *e, enum stmt which,
                               uint64_t horizon)
{
    sqlite3_stmt *q = stream_stmt(s, which, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 2, (int64_t)horizon);
    return stream_done(s, e, q);
}

enum sync_rc kept_narrow(void *ctx, struct sync_err *e, const struct merkle_below *below)
{
    struct stream *s = ctx;
    uint64_t born = 0;
    bool row = true;
    enum sync_rc rc;

    if ((rc = drop_below(s, e, STMT_ITEM_NARROW, below->horizon)) ||
        (rc = drop_below(s, e, STMT_TILE_NARROW, below->horizon)))
        return rc;
    for (uint64_t from = 0; row; from = born + 1) {
        if ((rc = next_passed(s, e, from, below->horizon, &born, &row)))
            return rc;
        if (row && (rc = kept_proved(s, e, born, below->roots[merkle_below_of(below, born)])))
            return rc;
    }
    return SYNC_OK;
}

/* ---- walks ---- */

/* A row that makes no record any more has the leaf of nothing, which differs from all others. */
static enum sync_rc walk(struct stream *s, struct sync_err *e, enum stmt which,
                         follow_item_fn *fn, void *fn_ctx)
{
    sqlite3_stmt *q = stream_stmt(s, which, e);
    struct wire_frame f;
    struct sync_err ignored;
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    while (!(rc = stream_one(s, e, q, &row)) && row) {
        struct follow_item it = { .born = (uint64_t)sqlite3_column_int64(q, 0),
                                  .seq = (uint64_t)sqlite3_column_int64(q, 1) };

        if (held_record(q, &ignored, &f, it.leaf))
            memset(it.leaf, 0, WIRE_HASH);
        if (kept_proof_holds(q, it.leaf))
            it.root = sqlite3_column_blob(q, PROOF_COLUMN);
        if ((rc = fn(fn_ctx, e, &it)))
            break;
    }
    store_reset(q);
    return rc;
}

enum sync_rc kept_each(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    return walk(ctx, e, STMT_HELD_ABOVE, fn, fn_ctx);
}

enum sync_rc kept_each_below(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    return walk(ctx, e, STMT_HELD_BELOW, fn, fn_ctx);
}

/* ---- values that are rows as well ---- */

/* The horizon is the first 8 bytes (merkle_below_print). */
enum sync_rc kept_take_below(struct stream *s, struct sync_err *e, const uint8_t *bytes,
                             size_t n)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_STREAM_HORIZON, e);
    uint64_t horizon = 0;

    if (!q)
        return e->rc;
    for (size_t i = 0; i < 8 && n >= 8; i++)
        horizon = horizon << 8 | bytes[i];
    sqlite3_bind_int64(q, 2, (int64_t)horizon);
    return stream_done(s, e, q);
}

static enum sync_rc withhold(struct stream *s, struct sync_err *e, const uint8_t id[WIRE_ID])
{
    sqlite3_stmt *q = stream_stmt(s, STMT_WITHHELD_PUT, e);

    if (!q)
        return e->rc;
    sqlite3_bind_blob(q, 2, id, WIRE_ID, SQLITE_STATIC);
    return stream_done(s, e, q);
}

enum sync_rc kept_take_withheld(struct stream *s, struct sync_err *e, const char *text,
                                size_t n)
{
    enum sync_rc rc = stream_simple(s, e, STMT_WITHHELD_WIPE);
    uint8_t id[WIRE_ID];
    struct wire_lines w;
    bool more = n > 0;

    if (rc || n == 0 || (rc = wire_withheld_begin(e, text, n, &w)))
        return rc;
    while (!(rc = wire_withheld_next(e, &w, id, &more)) && more)
        if ((rc = withhold(s, e, id)))
            break;
    return rc;
}
