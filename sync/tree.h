/*
 * tree.h - the Merkle tree over a stream's leaves, in memory (docs/protocol/sync.md section 4).
 *
 * It follows the log: the writer thread puts every committed leaf, and asks for the root when a
 * head is signed. About 33 bytes an item. One thread changes it; any thread may ask for
 * tree_children() meanwhile.
 */
#ifndef SYNC_TREE_H
#define SYNC_TREE_H

#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/id.h"
#include "server/base/work.h"

struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *t); /* accepts NULL */

/*
 * Makes it a tree of `size` leaves: those that are missing become zeros, those above go. For a
 * mirror, whose leaves come in any order; the next tree_root() hashes all of it. A tree that became
 * smaller must be told its last leaves (from the last multiple of 64 on) again: their seqs stand
 * in the cover.
 */
void tree_reserve(struct tree *t, uint64_t size);
/* Replaces the leaf at `born`, or appends it: `born` is at most tree_size(). `seq` is its
 * change's. */
void tree_put(struct tree *t, uint64_t born, uint64_t seq, const uint8_t leaf[HASH_BYTES]);
uint64_t tree_size(const struct tree *t);
/* Hashes what changed since it was last asked: O(changes x log n). */
void tree_root(struct tree *t, uint8_t out[HASH_BYTES]);
/* Appends the cover of the tree as it is now (section 7). The same thread's. */
void tree_cover(struct tree *t, struct buf *out);
/*
 * The children of node(height, index), for the heights of tiles (16, 10, 6), to `out`, and how
 * many there are; 0 unless the node's value is `hash`. As of the last root or cover that was
 * asked for; but the children of height 6, which are leaves, are the newest.
 */
enum { TREE_CHILDREN = 64 };
size_t tree_children(struct tree *t, unsigned height, uint64_t index,
                     const uint8_t hash[HASH_BYTES], uint8_t out[TREE_CHILDREN][HASH_BYTES]);
/* Puts all leaves of the stream, and tells the highest seq among them. RC_CORRUPT if a born is
 * missing. */
enum rc tree_load(struct work *w, int64_t stream, struct tree *t, uint64_t *seq);

#endif
