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
 */
#include "sync/tree.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/db.h"
#include "sync/verify.h"

enum { PENDING_MAX = 4096, FIRST_ROOM = 4 * MERKLE_TILE };

struct level {
    uint8_t (*nodes)[HASH_BYTES];
    uint64_t room;
};

struct tree {
    uint64_t size, hashed; /* leaves; leaves that the upper levels know */
    struct level level[MERKLE_LEVELS];
    size_t pending_n;
    uint64_t pending[PENDING_MAX]; /* places whose leaf is new; not sorted, perhaps twice */
};

static void *must(void *p)
{
    if (!p)
        abort(); /* as everywhere: out of memory ends the process, and the supervisor starts it
                    again */
    return p;
}

struct tree *tree_new(void)
{
    return must(calloc(1, sizeof(struct tree)));
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    for (int i = 0; i < MERKLE_LEVELS; i++)
        free(t->level[i].nodes);
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

static void hash_pending(struct tree *t)
{
    struct merkle_tiles tiles = tiles_of(t);
    struct merkle_writer w;
    struct sync_err e;

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

void tree_put(struct tree *t, uint64_t born, const uint8_t leaf[HASH_BYTES])
{
    assert(born <= t->size);
    if (t->pending_n == PENDING_MAX)
        hash_pending(t);
    level_reserve(&t->level[0], born + 1);
    memcpy(t->level[0].nodes[born], leaf, HASH_BYTES);
    t->pending[t->pending_n++] = born;
    if (born == t->size)
        t->size++;
}

uint64_t tree_size(const struct tree *t)
{
    return t->size;
}

void tree_root(struct tree *t, uint8_t out[HASH_BYTES])
{
    struct merkle_tiles tiles = tiles_of(t);
    struct sync_err e;

    hash_pending(t);
    must_hold(merkle_root(&e, &tiles, t->size, out));
}

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
            tree_put(t, t->size, leaf);
    }
    end = rows_done(&q);
    if (rc || (rc = end))
        return rc;
    *seq = last;
    return RC_OK;
}
