/*
 * memory_store.h - the pull engine's store as plain memory, open to a test's eyes and hands.
 *
 * A transaction works on a copy of everything, so that what is visible (`now`) is exactly what was committed.
 */
#ifndef TESTS_LIB_MEMORY_STORE_H
#define TESTS_LIB_MEMORY_STORE_H

#include "sync/follow.h"

enum { MEMORY_ITEMS = 2048, MEMORY_TILES = MEMORY_ITEMS / 64 + 1, MEMORY_PARTS = 128 };

struct memory_item {
    uint64_t seq;
    uint8_t op, leaf[WIRE_HASH];
    uint8_t *bytes;
    uint32_t length;
    bool touched;
};

struct memory_value {
    char *at;
    size_t n;
};

struct memory_content { /* what a transaction changes */
    struct memory_item items[MEMORY_ITEMS];
    uint8_t tiles[2][MEMORY_TILES][64 * WIRE_HASH];
    unsigned counts[2][MEMORY_TILES];
    struct memory_value values[FOLLOW_VALUES];
};

struct memory_store {
    struct memory_content *now, *open; /* open: what the transaction has made of it */
    struct {
        char path[WIRE_URL_MAX];
        struct follow_part as;
        uint8_t *bytes;
    } parts[MEMORY_PARTS];
    bool full; /* refuses to commit */
};

struct memory_store *memory_store_new(void);
void memory_store_free(struct memory_store *s);
struct follow_store memory_store_callbacks(struct memory_store *s);

#endif
