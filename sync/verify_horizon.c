/*
 * verify_horizon.c - the tree of a reader that does not hold everything, and its pieces as they
 * travel (docs/protocol/sync.md sections 7 and 11).
 *
 *     leaf  0             65,536·t        horizon                         size
 *           |  node(16, ·)  |  node(10, ·)  |  tiles of the reader's leaves  |
 *            ------- merkle_below --------
 *
 * Whatever the pieces are, they stand one behind the other and each is aligned to its own size;
 * so one merkle_stack folds them all. The tiles are those of the whole tree: a node with
 * something below the horizon under it is worth nothing there, and nobody reads it; it becomes
 * right by itself when a widening puts the leaves that were missing.
 * Not here: which horizons are allowed (wire_tree.c), writing tiles (verify_tree.c).
 */
#include "sync/verify.h"

#include <assert.h>
#include <string.h>

enum { TOP = WIRE_COVER_TOP, MID = WIRE_COVER_MID, MIDS = 1 << (TOP - MID) };

/* ---- the roots below a horizon ---- */

static size_t tops_of(uint64_t horizon)
{
    return (size_t)(horizon >> TOP);
}

size_t merkle_below_count(uint64_t horizon)
{
    return tops_of(horizon) + (size_t)((horizon >> MID) % MIDS);
}

static bool horizon_fits(uint64_t horizon)
{
    return horizon % (1u << MID) == 0 && merkle_below_count(horizon) <= BELOW_MAX;
}

size_t merkle_below_print(const struct merkle_below *b, uint8_t *out)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(b->horizon >> (56 - 8 * i));
    if (b->n > 0)
        memcpy(out + 8, b->roots, b->n * WIRE_HASH);
    return 8 + b->n * WIRE_HASH;
}

enum sync_rc merkle_below_parse(struct sync_err *e, const uint8_t *in, size_t n,
                                struct merkle_below *out)
{
    uint64_t horizon = 0;

    for (size_t i = 0; i < 8 && i < n; i++)
        horizon = horizon << 8 | in[i];
    if (n < 8 || !horizon_fits(horizon) || n != 8 + merkle_below_count(horizon) * WIRE_HASH)
        return sync_err_set(e, SYNC_INVALID, "horizon: not as many roots as it has");
    out->horizon = horizon;
    out->n = merkle_below_count(horizon);
    if (out->n > 0)
        memcpy(out->roots, in + 8, out->n * WIRE_HASH);
    return SYNC_OK;
}

void merkle_below_extent(const struct merkle_below *b, size_t i, uint64_t *first,
                         uint64_t *last, unsigned *height)
{
    size_t tops = tops_of(b->horizon);

    assert(i < b->n);
    *height = i < tops ? TOP : MID;
    *first =
        i < tops ? (uint64_t)i << TOP : ((uint64_t)tops << TOP) + ((uint64_t)(i - tops) << MID);
    *last = *first + ((uint64_t)1 << *height) - 1;
}

size_t merkle_below_of(const struct merkle_below *b, uint64_t born)
{
    size_t tops = tops_of(b->horizon);

    assert(born < b->horizon);
    return born >> TOP < tops ? (size_t)(born >> TOP) : tops + (size_t)((born >> MID) % MIDS);
}

/* One root over 64, a tile of height 16 and its children. */
static void join(const uint8_t *mids, uint8_t out[WIRE_HASH])
{
    struct merkle_stack s = { 0 };

    for (size_t i = 0; i < MIDS; i++)
        merkle_stack_add(&s, mids + i * WIRE_HASH);
    merkle_stack_root(&s, out);
}

enum sync_rc merkle_below_from_cover(struct sync_err *e, const struct wire_cover *c,
                                     uint64_t horizon, struct merkle_below *out)
{
    size_t tops = tops_of(horizon), n = merkle_below_count(horizon);
    const uint8_t *mid = c->mid;

    if (!wire_horizon_ok(c->size, horizon) || !horizon_fits(horizon))
        return sync_err_set(e, SYNC_INVALID, "horizon: %llu is none of a tree of %llu leaves",
                            (unsigned long long)horizon, (unsigned long long)c->size);
    for (size_t i = 0; i < tops; i++)
        if (i < c->tops) {
            memcpy(out->roots[i], c->top + i * WIRE_HASH, WIRE_HASH);
        } else {
            join(mid, out->roots[i]);
            mid += MIDS * WIRE_HASH;
        }
    if (n > tops)
        memcpy(out->roots[tops], mid, (n - tops) * WIRE_HASH);
    out->horizon = horizon;
    out->n = n;
    return SYNC_OK;
}

/* ---- moving up ---- */

/* node(height, index) from tiles of a tree that has at least `sure` leaves. A tile that is not
 * full by then has a length we do not know; but those one level down are full. */
static enum sync_rc sure_node(struct sync_err *e, const struct merkle_tiles *tiles,
                              uint64_t sure, unsigned height, uint64_t index,
                              uint8_t out[WIRE_HASH])
{
    unsigned level = height / 6, above = height % 6;
    struct merkle_stack s = { 0 };
    uint8_t node[WIRE_HASH];
    enum sync_rc rc;

    if (merkle_tile_count(sure, level, (index << above) / MERKLE_TILE) == MERKLE_TILE)
        return merkle_piece(e, tiles, sure, level, height, index, out);
    for (uint64_t i = index << above; i < (index + 1) << above; i++) {
        if ((rc = merkle_piece(e, tiles, sure, level - 1, 6 * level, i, node)))
            return rc;
        merkle_stack_add(&s, node);
    }
    merkle_stack_root(&s, out);
    return SYNC_OK;
}

/* node(16, index) of which the first `have` children are in `mids` already. */
static enum sync_rc complete_top(struct sync_err *e, const struct merkle_tiles *tiles,
                                 uint64_t sure, uint64_t index,
                                 const uint8_t (*mids)[WIRE_HASH], size_t have,
                                 uint8_t out[WIRE_HASH])
{
    uint8_t all[MIDS][WIRE_HASH];
    enum sync_rc rc;

    if (have == 0)
        return sure_node(e, tiles, sure, TOP, index, out);
    memcpy(all, mids, have * WIRE_HASH);
    for (size_t i = have; i < MIDS; i++)
        if ((rc = sure_node(e, tiles, sure, MID, index * MIDS + i, all[i])))
            return rc;
    join(all[0], out);
    return SYNC_OK;
}

/* The roots from the first that changes on; the old ones are overwritten. */
static enum sync_rc raise_roots(struct sync_err *e, const struct merkle_tiles *tiles,
                                uint64_t horizon, const struct merkle_below *b,
                                const uint8_t (*mids)[WIRE_HASH])
{
    size_t tops = tops_of(b->horizon), have = b->n - tops, new_tops = tops_of(horizon);
    size_t n = merkle_below_count(horizon);
    enum sync_rc rc;

    for (size_t i = tops; i < new_tops; i++, have = 0)
        if ((rc = complete_top(e, tiles, horizon, i, mids, have, b->roots[i])))
            return rc;
    for (size_t i = new_tops + have; i < n; i++)
        if ((rc = sure_node(e, tiles, horizon, MID, (uint64_t)new_tops * MIDS + i - new_tops,
                            b->roots[i])))
            return rc;
    return SYNC_OK;
}

enum sync_rc merkle_below_raise(struct sync_err *e, const struct merkle_tiles *tiles,
                                uint64_t horizon, struct merkle_below *b)
{
    size_t tops = tops_of(b->horizon);
    uint8_t mids[MIDS][WIRE_HASH];
    enum sync_rc rc;

    if (horizon < b->horizon || !horizon_fits(horizon))
        return sync_err_set(e, SYNC_USAGE, "horizon: %llu does not follow %llu",
                            (unsigned long long)horizon, (unsigned long long)b->horizon);
    if (b->n > tops)
        memcpy(mids, b->roots[tops], (b->n - tops) * WIRE_HASH);
    if ((rc = raise_roots(e, tiles, horizon, b, mids))) {
        if (b->n > tops) /* a failing store leaves the old horizon as it was */
            memcpy(b->roots[tops], mids, (b->n - tops) * WIRE_HASH);
        return rc;
    }
    b->horizon = horizon;
    b->n = merkle_below_count(horizon);
    return SYNC_OK;
}

/* ---- the root ---- */

enum sync_rc merkle_root_above(struct sync_err *e, const struct merkle_tiles *tiles,
                               uint64_t size, const struct merkle_below *below,
                               uint8_t out[WIRE_HASH])
{
    struct merkle_stack s = { 0 };
    size_t tops = tops_of(below->horizon);
    uint8_t node[WIRE_HASH];
    enum sync_rc rc;

    if (below->horizon == 0)
        return merkle_root(e, tiles, size, out);
    if (below->horizon > size)
        return sync_err_set(e, SYNC_USAGE, "horizon: %llu is above a tree of %llu leaves",
                            (unsigned long long)below->horizon, (unsigned long long)size);
    for (size_t i = 0; i < below->n; i++)
        merkle_stack_node(&s, i < tops ? TOP : MID, below->roots[i]);
    while (s.size < size) {
        unsigned height = (unsigned)__builtin_ctzll(s.size);

        while (size - s.size < (uint64_t)1 << height)
            height--;
        if ((rc = merkle_node(e, tiles, size, height, s.size >> height, node)))
            return rc;
        merkle_stack_node(&s, height, node);
    }
    merkle_stack_root(&s, out);
    return SYNC_OK;
}

/* ---- covers and tiles ---- */

void verify_cover_root(const struct wire_cover *c, uint8_t out[WIRE_HASH])
{
    struct merkle_stack s = { 0 };

    for (size_t i = 0; i < c->tops; i++)
        merkle_stack_node(&s, WIRE_COVER_TOP, c->top + i * WIRE_HASH);
    for (size_t i = 0; i < c->mids; i++)
        merkle_stack_node(&s, WIRE_COVER_MID, c->mid + i * WIRE_HASH);
    for (size_t i = 0; i < c->lows; i++)
        merkle_stack_node(&s, WIRE_COVER_LOW, c->low + i * WIRE_HASH);
    for (size_t i = 0; i < c->lasts; i++)
        merkle_stack_add(&s, c->last + i * WIRE_LEAF_ROW + 8);
    merkle_stack_root(&s, out);
}

enum sync_rc verify_cover(struct sync_err *e, const struct wire_cover *c,
                          const struct wire_head *head)
{
    uint8_t root[WIRE_HASH];

    if (c->size != head->size)
        return sync_err_set(e, SYNC_MISMATCH, "cover: of %llu leaves, the head of %llu",
                            (unsigned long long)c->size, (unsigned long long)head->size);
    verify_cover_root(c, root);
    if (memcmp(root, head->root, WIRE_HASH) != 0)
        return sync_err_set(e, SYNC_MISMATCH, "cover: its root is not the head's");
    return SYNC_OK;
}

enum sync_rc verify_tile(struct sync_err *e, unsigned height, const uint8_t *in, size_t n,
                         const uint8_t hash[WIRE_HASH])
{
    struct merkle_stack s = { 0 };
    size_t bytes, children = wire_tile_shape(height, NULL, &bytes);
    uint8_t root[WIRE_HASH];

    if (children == 0 || n != children * bytes)
        return sync_err_set(e, SYNC_INVALID, "tile: %zu bytes are none of height %u", n,
                            height);
    if (bytes == WIRE_LEAF_ROW && !wire_rows_ok(in, children))
        return sync_err_set(e, SYNC_INVALID, "tile: a seq is out of range");
    /* The hash ends each child; a leaf has its seq before. */
    for (size_t i = 0; i < children; i++)
        merkle_stack_add(&s, in + (i + 1) * bytes - WIRE_HASH);
    merkle_stack_root(&s, root);
    if (memcmp(root, hash, WIRE_HASH) != 0)
        return sync_err_set(e, SYNC_MISMATCH, "tile: its children do not make up its hash");
    return SYNC_OK;
}
