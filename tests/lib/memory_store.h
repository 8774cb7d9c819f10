/*
 * memory_store.h - the pull engine's store as plain memory, open to a test's eyes and hands.
 *
 * A transaction works on a copy of everything, so that what is visible (`now`) is exactly what was committed.
 */
#ifndef TESTS_LIB_MEMORY_STORE_H
#define TESTS_LIB_MEMORY_STORE_H

#include "sync/follow.h"

enum { MEMORY_PARTS = 512, MEMORY_LEVELS = 4 };

/* A record as it came, shared by the copies of a content; a test may harm its bytes. */
struct memory_record {
    unsigned refs;
    struct wire_frame frame; /* without title */
    size_t frame_n, n;       /* of the bytes at `at`: the frame, then the record's bytes */
    uint8_t at[];
};

struct memory_item {
    struct memory_record *record; /* NULL: none is held */
    bool touched;                 /* applied in the open transaction */
    bool is_proved;               /* kept items only */
    uint8_t root[WIRE_HASH];      /* what proved it */
};

struct memory_tile {
    unsigned count; /* 0: never written */
    uint8_t nodes[MERKLE_TILE * WIRE_HASH];
};

struct memory_value {
    char *at;
    size_t n;
};

struct memory_content { /* what a transaction changes */
    struct memory_item *items;
    size_t nitems;
    struct memory_tile *tiles[MEMORY_LEVELS];
    size_t ntiles[MEMORY_LEVELS];
    struct memory_value values[FOLLOW_VALUES];
};

struct memory_store {
    struct memory_content *now, *open; /* open: what the transaction has made of it */
    struct {
        char path[WIRE_URL_MAX];
        struct follow_part as;
        uint8_t *bytes;
    } parts[MEMORY_PARTS];
    bool *keeps; /* by born: the user keeps it, also below the horizon */
    size_t nkeeps;
    bool full;         /* refuses to commit */
    unsigned crash_in; /* if above 0: fails at that many calls from now inside a transaction */
    bool crash_committed;  /* or, when that number falls in it, right behind the commit */
    unsigned transactions; /* begun */
    size_t parts_most;     /* most bytes of parts held at once */
};

struct memory_store *memory_store_new(void);
void memory_store_free(struct memory_store *s);
struct follow_store memory_store_callbacks(struct memory_store *s);
void memory_store_keep(struct memory_store *s, uint64_t born);
/* NULL: none is held. */
const struct memory_record *memory_record_at(const struct memory_content *c, uint64_t born);
uint64_t memory_horizon(const struct memory_content *c);

#endif
