/*
 * verify_tree.c - the Merkle tree of RFC 6962 with replaceable leaves, kept in tiles of 64
 * nodes.
 *
 *     level 1   tile(1,0): the roots of 64 leaves each  ...
 *     level 0   tile(0,0): leaves 0-63   tile(0,1): 64-127   ...   the last one short
 *
 * A tree of n leaves is a row of complete subtrees, one for each bit of n, the largest first;
 * the root folds them from the right. A tile row holds every sixth level of those subtrees, and
 * the levels between are computed when wanted, which makes an update cheap: one open tile a
 * level. When the changes leave a tile, it is written, and if it is full its root is the change
 * of one node above. Not here: what a leaf is (verify.c), where tiles are kept (the embedder).
 */
#include "sync/verify.h"

#include <string.h>

/* ---- writing ---- */

unsigned merkle_tile_count(uint64_t size, unsigned level, uint64_t index)
{
    uint64_t nodes = size >> 6 * level, first = index * MERKLE_TILE;

    if (nodes <= first)
        return 0;
    return nodes - first < MERKLE_TILE ? (unsigned)(nodes - first) : MERKLE_TILE;
}

/* The root of 2^height nodes, in their own place. */
static void fold(uint8_t *nodes, unsigned height, uint8_t out[WIRE_HASH])
{
    for (size_t n = (size_t)1 << height; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++)
            verify_node(nodes + 2 * i * WIRE_HASH, nodes + (2 * i + 1) * WIRE_HASH,
                        nodes + i * WIRE_HASH);
    memcpy(out, nodes, WIRE_HASH);
}

void merkle_begin(struct merkle_writer *w, const struct merkle_tiles *tiles, uint64_t old_size,
                  uint64_t new_size)
{
    w->tiles = tiles;
    w->old_size = w->appended = old_size;
    w->new_size = new_size;
    w->next = 0;
    for (unsigned i = 0; i < MERKLE_LEVELS; i++)
        w->level[i].open = false;
}

/* Writes the open tile of a level; *up says whether `root` is now that of a full tile. */
static enum sync_rc tile_close(struct sync_err *e, struct merkle_writer *w, unsigned level,
                               bool *up, uint8_t root[WIRE_HASH])
{
    unsigned count = merkle_tile_count(w->new_size, level, w->level[level].index);
    enum sync_rc rc;

    w->level[level].open = false;
    if ((rc = w->tiles->write(w->tiles->ctx, e, level, w->level[level].index, count,
                              w->level[level].nodes)))
        return rc;
    *up = count == MERKLE_TILE;
    if (*up)
        fold(w->level[level].nodes, 6, root);
    return SYNC_OK;
}

/* Puts one node; a tile that this leaves is closed and puts its root one level up. */
static enum sync_rc node_put(struct sync_err *e, struct merkle_writer *w, unsigned level,
                             uint64_t place, const uint8_t hash[WIRE_HASH])
{
    uint64_t index = place / MERKLE_TILE;
    unsigned old = merkle_tile_count(w->old_size, level, index);
    enum sync_rc rc;

    if (w->level[level].open && w->level[level].index != index) {
        uint64_t left = w->level[level].index;
        uint8_t root[WIRE_HASH];
        bool up;

        if ((rc = tile_close(e, w, level, &up, root)) ||
            (up && (rc = node_put(e, w, level + 1, left, root))))
            return rc;
    }
    if (!w->level[level].open) {
        if (old > 0 &&
            (rc = w->tiles->read(w->tiles->ctx, e, level, index, old, w->level[level].nodes)))
            return rc;
        w->level[level].open = true;
        w->level[level].index = index;
    }
    memcpy(w->level[level].nodes + place % MERKLE_TILE * WIRE_HASH, hash, WIRE_HASH);
    return SYNC_OK;
}

enum sync_rc merkle_put(struct sync_err *e, struct merkle_writer *w, uint64_t born,
                        const uint8_t leaf[WIRE_HASH])
{
    if (born < w->next || born >= w->new_size || w->new_size < w->old_size)
        return sync_err_set(e, SYNC_INVALID, "tree: leaf %llu is out of order or out of range",
                            (unsigned long long)born);
    if (born > w->appended)
        return sync_err_set(e, SYNC_INVALID, "tree: leaf %llu is missing",
                            (unsigned long long)w->appended);
    w->next = born + 1;
    if (born == w->appended)
        w->appended++;
    return node_put(e, w, 0, born, leaf);
}

enum sync_rc merkle_end(struct sync_err *e, struct merkle_writer *w)
{
    enum sync_rc rc;

    if (w->appended != w->new_size)
        return sync_err_set(e, SYNC_INVALID, "tree: leaf %llu of %llu is missing",
                            (unsigned long long)w->appended, (unsigned long long)w->new_size);
    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        uint8_t root[WIRE_HASH];
        bool up;

        if (!w->level[level].open)
            continue;
        if ((rc = tile_close(e, w, level, &up, root)) ||
            (up && (rc = node_put(e, w, level + 1, w->level[level].index, root))))
            return rc;
    }
    return SYNC_OK;
}

enum sync_rc merkle_update(struct sync_err *e, const struct merkle_tiles *tiles,
                           uint64_t old_size, const struct merkle_change *changes, size_t n,
                           uint64_t new_size)
{
    struct merkle_writer w;
    enum sync_rc rc;

    merkle_begin(&w, tiles, old_size, new_size);
    for (size_t i = 0; i < n; i++)
        if ((rc = merkle_put(e, &w, changes[i].born, changes[i].leaf)))
            return rc;
    return merkle_end(e, &w);
}

/* ---- the root ---- */

enum sync_rc merkle_node(struct sync_err *e, const struct merkle_tiles *tiles, uint64_t size,
                         unsigned height, uint64_t index, uint8_t out[WIRE_HASH])
{
    if (height > 62 || index >= size >> height)
        return sync_err_set(e, SYNC_USAGE, "tree: node %u.%llu is not complete", height,
                            (unsigned long long)index);
    return merkle_piece(e, tiles, size, height / 6, height, index, out);
}

enum sync_rc merkle_piece(struct sync_err *e, const struct merkle_tiles *tiles, uint64_t size,
                          unsigned level, unsigned height, uint64_t index,
                          uint8_t out[WIRE_HASH])
{
    uint8_t nodes[MERKLE_TILE * WIRE_HASH];
    unsigned above = height - 6 * level;
    uint64_t first = index << above, tile = first / MERKLE_TILE;
    enum sync_rc rc;

    if ((rc = tiles->read(tiles->ctx, e, level, tile, merkle_tile_count(size, level, tile),
                          nodes)))
        return rc;
    fold(nodes + first % MERKLE_TILE * WIRE_HASH, above, out);
    return SYNC_OK;
}

enum sync_rc merkle_root(struct sync_err *e, const struct merkle_tiles *tiles, uint64_t size,
                         uint8_t out[WIRE_HASH])
{
    uint8_t root[WIRE_HASH], left[WIRE_HASH];
    uint64_t end = size;
    bool any = false;
    enum sync_rc rc;

    verify_sha256("", 0, root);
    for (unsigned height = 0; height < 63; height++) {
        if (!(size >> height & 1))
            continue;
        end -= (uint64_t)1 << height;
        if ((rc = merkle_node(e, tiles, size, height, end >> height, left)))
            return rc;
        if (any)
            verify_node(left, root, root);
        else
            memcpy(root, left, WIRE_HASH);
        any = true;
    }
    memcpy(out, root, WIRE_HASH);
    return SYNC_OK;
}

/* ---- without tiles ---- */

void merkle_stack_node(struct merkle_stack *s, unsigned height, const uint8_t hash[WIRE_HASH])
{
    uint8_t node[WIRE_HASH];
    unsigned at = height;

    memcpy(node, hash, WIRE_HASH);
    for (; s->size >> at & 1; at++)
        verify_node(s->peaks[at], node, node);
    memcpy(s->peaks[at], node, WIRE_HASH);
    s->size += (uint64_t)1 << height;
}

void merkle_stack_add(struct merkle_stack *s, const uint8_t leaf[WIRE_HASH])
{
    merkle_stack_node(s, 0, leaf);
}

void merkle_stack_root(const struct merkle_stack *s, uint8_t out[WIRE_HASH])
{
    bool any = false;

    verify_sha256("", 0, out);
    for (unsigned height = 0; height < 64; height++) {
        if (!(s->size >> height & 1))
            continue;
        if (any)
            verify_node(s->peaks[height], out, out);
        else
            memcpy(out, s->peaks[height], WIRE_HASH);
        any = true;
    }
}
