/*
 * tree.c - the tiles of sync/verify.h, in memory.
 *
 * Level L holds the nodes of height 6L one behind the other: 32 bytes a leaf, and a 64th, a
 * 4,096th … of that above. Nodes in between are hashed again when they are needed, which is
 * cheaper than keeping them.
 *
 * A leaf is written where it stands as soon as it is put; its place is noted, and the nodes
 * above are brought up to date when somebody asks for the root. Many changes between two heads
 * so share the work on their common ancestors.
 *
 * What covers and tiles are made of stands at other heights, 10 and 16: sixteen nodes of level 1
 * or 2 each. Those are kept once they were computed, until a tile below them is written: 33 bytes
 * more for every 1,024 leaves, and a cover costs what has changed.
 *
 * The lock is held by the thread that changes things and by those that copy a tile's children. The
 * writer thread alone writes, so it may read without it.
 */
#include "sync/tree.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/be64.h"
#include "server/base/memory.h"
#include "server/store/db.h"
#include "sync/verify.h"

enum { PENDING_MAX = 4096, FIRST_ROOM = 4 * MERKLE_TILE, JOIN = 16 };

struct level {
    uint8_t (*nodes)[HASH_BYTES];
    uint64_t room;
};

/* Nodes of height 10 or 16: each joins JOIN nodes of the level below it. */
struct joined {
    unsigned level; /* that one */
    uint8_t (*nodes)[HASH_BYTES];
    bool *known;
    uint64_t room;
};

struct tree {
    pthread_mutex_t lock;
    uint64_t size, hashed; /* leaves; leaves that the upper levels know */
    struct level level[MERKLE_LEVELS];
    struct joined mid, top;
    uint64_t last_seq[MERKLE_TILE]; /* of the leaves behind the last complete 64 */
    bool anew;                      /* the upper levels know nothing: all is to be hashed */
    size_t pending_n;
    uint64_t pending[PENDING_MAX]; /* places whose leaf is new; not sorted, perhaps twice */
};

static void *must(void *p)
{
    if (!p)
        memory_end();
    return p;
}

struct tree *tree_new(void)
{
    struct tree *t = must(calloc(1, sizeof *t));

    pthread_mutex_init(&t->lock, NULL);
    t->mid.level = 1;
    t->top.level = 2;
    return t;
}

static void joined_free(struct joined *j)
{
    free(j->nodes);
    free(j->known);
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    for (int i = 0; i < MERKLE_LEVELS; i++)
        free(t->level[i].nodes);
    joined_free(&t->mid);
    joined_free(&t->top);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* Room for `need` nodes. Pages that were never written cost nothing, so doubling does not. */
static void level_reserve(struct level *l, uint64_t need)
{
    uint64_t room = l->room ? l->room : FIRST_ROOM;

    if (need <= l->room)
        return;
    while (room < need)
        room *= 2;
    l->nodes = must(realloc(l->nodes, room * HASH_BYTES));
    l->room = room;
}

/* ---- nodes of heights 10 and 16 ---- */

static void joined_reserve(struct joined *j, uint64_t need)
{
    uint64_t room = j->room ? j->room : MERKLE_TILE;

    if (need <= j->room)
        return;
    while (room < need)
        room *= 2;
    j->nodes = must(realloc(j->nodes, room * HASH_BYTES));
    j->known = must(realloc(j->known, room * sizeof *j->known));
    memset(j->known + j->room, 0, (room - j->room) * sizeof *j->known);
    j->room = room;
}

/* A tile of the level below is another one. */
static void joined_forget(struct joined *j, uint64_t tile)
{
    uint64_t first = tile * (MERKLE_TILE / JOIN);

    for (uint64_t i = first; i < first + MERKLE_TILE / JOIN && i < j->room; i++)
        j->known[i] = false;
}

/* The node is complete, and the levels are up to date. */
static const uint8_t *joined_node(struct tree *t, struct joined *j, uint64_t index)
{
    uint8_t nodes[JOIN][HASH_BYTES];

    joined_reserve(j, index + 1);
    if (j->known[index])
        return j->nodes[index];
    memcpy(nodes, t->level[j->level].nodes[index * JOIN], sizeof nodes);
    for (size_t n = JOIN; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++)
            verify_node(nodes[2 * i], nodes[2 * i + 1], nodes[i]);
    memcpy(j->nodes[index], nodes[0], HASH_BYTES);
    j->known[index] = true;
    return j->nodes[index];
}

/* ---- the tiles ---- */

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    const struct tree *t = ctx;

    (void)e;
    assert(index * MERKLE_TILE + count <= t->level[level].room);
    memcpy(nodes, t->level[level].nodes[index * MERKLE_TILE], (size_t)count * HASH_BYTES);
    return SYNC_OK;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct tree *t = ctx;

    (void)e;
    level_reserve(&t->level[level], index * MERKLE_TILE + count);
    memcpy(t->level[level].nodes[index * MERKLE_TILE], nodes, (size_t)count * HASH_BYTES);
    if (level == t->mid.level)
        joined_forget(&t->mid, index);
    if (level == t->top.level)
        joined_forget(&t->top, index);
    return SYNC_OK;
}

static struct merkle_tiles tiles_of(struct tree *t)
{
    return (struct merkle_tiles){ .ctx = t, .read = tile_read, .write = tile_write };
}

/* Tiles in memory do not fail: an error is our own mistake. */
static void must_hold(enum sync_rc rc)
{
    assert(rc == SYNC_OK);
    (void)rc;
}

static int by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void hash_all(struct tree *t)
{
    struct merkle_tiles tiles = tiles_of(t);
    struct merkle_writer w;
    struct sync_err e;
    uint8_t leaf[HASH_BYTES];

    merkle_begin(&w, &tiles, 0, t->size);
    for (uint64_t i = 0; i < t->size; i++) {
        memcpy(leaf, t->level[0].nodes[i], sizeof leaf);
        must_hold(merkle_put(&e, &w, i, leaf));
    }
    must_hold(merkle_end(&e, &w));
    t->anew = false;
    t->hashed = t->size;
}

void tree_reserve(struct tree *t, uint64_t size)
{
    if (size == t->size)
        return;
    pthread_mutex_lock(&t->lock);
    level_reserve(&t->level[0], size);
    if (size > t->size)
        memset(t->level[0].nodes[t->size], 0, (size - t->size) * HASH_BYTES);
    t->size = size;
    t->pending_n = 0;
    t->anew = true;
    pthread_mutex_unlock(&t->lock);
}

static void hash_pending(struct tree *t)
{
    struct merkle_tiles tiles = tiles_of(t);
    struct merkle_writer w;
    struct sync_err e;

    if (t->anew)
        hash_all(t);
    if (!t->pending_n)
        return;
    qsort(t->pending, t->pending_n, sizeof *t->pending, by_place);
    merkle_begin(&w, &tiles, t->hashed, t->size);
    for (size_t i = 0; i < t->pending_n; i++) {
        uint8_t leaf[HASH_BYTES];

        if (i && t->pending[i] == t->pending[i - 1])
            continue;
        memcpy(leaf, t->level[0].nodes[t->pending[i]], sizeof leaf);
        must_hold(merkle_put(&e, &w, t->pending[i], leaf));
    }
    must_hold(merkle_end(&e, &w));
    t->pending_n = 0;
    t->hashed = t->size;
}

void tree_put(struct tree *t, uint64_t born, uint64_t seq, const uint8_t leaf[HASH_BYTES])
{
    assert(born <= t->size);
    pthread_mutex_lock(&t->lock);
    if (t->pending_n == PENDING_MAX)
        hash_pending(t);
    level_reserve(&t->level[0], born + 1);
    memcpy(t->level[0].nodes[born], leaf, HASH_BYTES);
    if (!t->anew)
        t->pending[t->pending_n++] = born;
    if (born / MERKLE_TILE == t->size / MERKLE_TILE)
        t->last_seq[born % MERKLE_TILE] = seq;
    if (born == t->size)
        t->size++;
    pthread_mutex_unlock(&t->lock);
}

uint64_t tree_size(const struct tree *t)
{
    return t->size;
}

void tree_root(struct tree *t, uint8_t out[HASH_BYTES])
{
    struct merkle_tiles tiles = tiles_of(t);
    struct sync_err e;

    pthread_mutex_lock(&t->lock);
    hash_pending(t);
    must_hold(merkle_root(&e, &tiles, t->size, out));
    pthread_mutex_unlock(&t->lock);
}

/* ---- covers and tiles ---- */

static void add_joined(struct tree *t, struct joined *j, uint64_t first, size_t n,
                       struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        buf_add(out, joined_node(t, j, first + i), HASH_BYTES);
}

static void add_lasts(const struct tree *t, size_t n, struct buf *out)
{
    uint64_t first = t->size - n;

    for (size_t i = 0; i < n; i++) {
        uint8_t seq[8];

        be64_put(seq, (int64_t)t->last_seq[i]);
        buf_add(out, seq, sizeof seq);
        buf_add(out, t->level[0].nodes[first + i], HASH_BYTES);
    }
}

void tree_cover(struct tree *t, struct buf *out)
{
    uint8_t header[WIRE_COVER_HEADER];
    struct wire_cover c;

    pthread_mutex_lock(&t->lock);
    hash_pending(t);
    wire_cover_shape(t->size, &c);
    wire_cover_header(&c, header);
    buf_reserve(out, wire_cover_bytes(&c));
    buf_add(out, header, sizeof header);
    add_joined(t, &t->top, 0, c.tops, out);
    add_joined(t, &t->mid, c.first >> WIRE_COVER_MID, c.mids, out);
    if (c.lows)
        buf_add(out, t->level[1].nodes[(t->size >> WIRE_COVER_LOW) - c.lows],
                c.lows * HASH_BYTES);
    add_lasts(t, c.lasts, out);
    pthread_mutex_unlock(&t->lock);
}

static const uint8_t *node_at(struct tree *t, unsigned height, uint64_t index)
{
    switch (height) {
    case WIRE_COVER_TOP: return joined_node(t, &t->top, index);
    case WIRE_COVER_MID: return joined_node(t, &t->mid, index);
    case WIRE_COVER_LOW: return t->level[1].nodes[index];
    default: return t->level[0].nodes[index];
    }
}

size_t tree_children(struct tree *t, unsigned height, uint64_t index,
                     const uint8_t hash[HASH_BYTES], uint8_t out[TREE_CHILDREN][HASH_BYTES])
{
    unsigned below = 0;
    size_t n = wire_tile_shape(height, &below, NULL);

    assert(n && n <= TREE_CHILDREN);
    pthread_mutex_lock(&t->lock);
    if (index >= t->hashed >> height || memcmp(node_at(t, height, index), hash, HASH_BYTES))
        n = 0;
    for (size_t i = 0; i < n; i++)
        memcpy(out[i], node_at(t, below, index * n + i), HASH_BYTES);
    pthread_mutex_unlock(&t->lock);
    return n;
}

/* ---- from the table ---- */

enum rc tree_load(struct work *w, int64_t stream, struct tree *t, uint64_t *seq)
{
    struct rows q;
    enum rc rc, end;
    uint64_t last = 0;

    if ((rc = db_query(w, SQL_sync_leaves, &q, "i", stream)))
        return rc;
    while (!rc && rows_next(&q)) {
        uint64_t at = (uint64_t)rows_int(&q, 1);
        size_t n = 0;
        const void *leaf = rows_blob(&q, 2, &n);

        last = at > last ? at : last;
        if ((uint64_t)rows_int(&q, 0) != t->size || n != HASH_BYTES)
            rc = err_set(&w->err, RC_CORRUPT, "the leaf of item number %" PRIu64 " is missing",
                         t->size);
        else
            tree_put(t, t->size, at, leaf);
    }
    end = rows_done(&q);
    if (rc || (rc = end))
        return rc;
    *seq = last;
    return RC_OK;
}
