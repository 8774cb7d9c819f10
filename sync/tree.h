/*
 * tree.h - the Merkle tree over a stream's leaves, in memory (docs/protocol/sync.md section 4).
 *
 * It follows the log: the writer thread puts every committed leaf, and asks for the root when a
 * head is signed. About 33 bytes an item. Not for two threads at once.
 */
#ifndef SYNC_TREE_H
#define SYNC_TREE_H

#include <stdint.h>

#include "server/base/id.h"
#include "server/base/work.h"

struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *t); /* accepts NULL */

/* Replaces the leaf at `born`, or appends it: `born` is at most tree_size(). */
void tree_put(struct tree *t, uint64_t born, const uint8_t leaf[HASH_BYTES]);
uint64_t tree_size(const struct tree *t);
/* Hashes what changed since it was last asked: O(changes x log n). */
void tree_root(struct tree *t, uint8_t out[HASH_BYTES]);
/* Puts all leaves of the stream, and tells the highest seq among them. RC_CORRUPT if a born is
 * missing. */
enum rc tree_load(struct work *w, int64_t stream, struct tree *t, uint64_t *seq);

#endif
