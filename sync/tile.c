/*
 * tile.c - answered while the tree is so. The hash stands in the name, so an answer is right for
 * ever; and a name that does not fit costs one comparison and no look into the database.
 *
 * Tiles above the leaves come from memory. The leaves' own come from the table, because a reader
 * needs their seq as well; it may be ahead of the tree by a COMMIT, so they count only if they
 * make up the hash.
 */
#include "sync/tile.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/be64.h"
#include "server/store/db.h"
#include "sync/live_state.h"
#include "sync/verify.h"

static enum rc no_tile(struct work *w, const struct wire_url *u)
{
    return err_set(&w->err, RC_NOT_FOUND, "node %" PRIu64 " of height %u has another value now",
                   u->index, u->height);
}

/* Appends seq and leaf of the 64 items under a node of height 6. */
static enum rc read_leaves(struct work *w, struct live *l, uint64_t first, struct buf *out)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_sync_leaf_range, &q, "iii", live_no(l), (int64_t)first,
                          (int64_t)(first + MERKLE_TILE));

    if (rc)
        return rc;
    while (rows_next(&q)) {
        uint8_t seq[8];
        size_t n = 0;
        const void *leaf = rows_blob(&q, 1, &n);

        be64_put(seq, rows_int(&q, 0));
        buf_add(out, seq, sizeof seq);
        buf_add(out, leaf ? leaf : "", n);
    }
    return rows_done(&q);
}

enum rc tile_make(struct work *w, struct live *l, const struct wire_url *u, const char **out,
                  size_t *n)
{
    uint8_t nodes[TREE_CHILDREN][HASH_BYTES];
    size_t children = tree_children(l->tree, u->height, u->index, u->hash, nodes);
    struct buf b = BUF_IN(w->mem);
    struct sync_err se;
    enum rc rc;

    if (!children)
        return no_tile(w, u);
    if (u->height > WIRE_COVER_LOW) {
        buf_add(&b, nodes, children * HASH_BYTES);
    } else {
        if ((rc = read_leaves(w, l, u->index * MERKLE_TILE, &b)))
            return rc;
        if (verify_tile(&se, u->height, (const uint8_t *)b.p, b.n, u->hash))
            return no_tile(w, u);
    }
    *out = b.p;
    *n = b.n;
    return RC_OK;
}
