/*
 * index_world.h - sync_world.h with an index: what it names is read as a phone does, and held
 * against what was published.
 */
#ifndef TESTS_INDEX_WORLD_H
#define TESTS_INDEX_WORLD_H

#include "tests/lib/sync_world.h"

enum { BIG = 60000, OBJECTS_MAX = 64 };

struct index_list {
    uint64_t seq;
    struct wire_object object[OBJECTS_MAX];
    size_t n;
};

void index_world_build(struct sync_world *t);
/* The identity of an object, in the arena of t->w. */
const char *index_world_object(struct sync_world *t, const uint8_t hash[HASH_BYTES],
                               enum wire_encoding encoding, size_t *n);
struct index_list index_world_list(struct sync_world *t, const struct wire_head *h);
/* What a reader at `cursor` does: the objects above it, asked for in the first `encodings` encodings
 * by turns, then one catch-up. The bytes of the objects. */
uint64_t index_world_follow(struct sync_world *t, const struct wire_head *h, uint64_t cursor,
                            int encodings, struct state *out);
/* In all encodings that leads to the state of the head. */
void assert_index_takes_there(struct sync_world *t, const struct wire_head *h, uint64_t cursor);
/* Until there are so many items. */
void index_world_fill(struct sync_world *t, uint64_t items, size_t bytes);
/* What a reader is told who asks for an object. */
enum rc index_world_ask(struct sync_world *t, const uint8_t hash[HASH_BYTES]);

#endif
