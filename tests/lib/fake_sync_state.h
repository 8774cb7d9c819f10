/*
 * fake_sync_state.h - what the files of the fake server share; nobody else includes it.
 */
#ifndef TESTS_LIB_FAKE_SYNC_STATE_H
#define TESTS_LIB_FAKE_SYNC_STATE_H

#include "tests/lib/fake_sync.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LATEST = 1 << 18,
    OBJECTS = 4096,
    HEADS = 4096,
    BASE_ITEMS = 128, /* 1,024 in a LARGE stream */
    LARGE = 20000,
    LINES = 1024,
    COVERS = 8
};

struct change {
    struct wire_frame frame;
    char title[64];
    struct fake_bytes record; /* frame and bytes */
    uint8_t leaf[WIRE_HASH], chain[WIRE_HASH];
};

struct signed_head {
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    size_t n;
    char list[2048]; /* of streams, signed */
    size_t list_n;
    uint8_t state[WIRE_HASH];
    uint8_t (*leaves)[WIRE_HASH]; /* head.size of them */
    uint64_t *seqs;
};

struct pair {
    uint8_t public_key[32], secret[64];
};

struct object {
    uint8_t hash[WIRE_HASH];
    struct fake_bytes body;
    bool gone; /* held what was purged */
};

struct fake {
    char stream[WIRE_STREAM_MAX + 1], ancestry[1024], directory[4096], keys[8192];
    size_t keys_n;
    struct pair platform, first_platform, key;
    uint64_t founded, epoch, size, cut, time, sign, index_seq, counter;
    uint8_t index[WIRE_HASH];
    struct wire_object line[LINES]; /* of the index */
    size_t lines, layers;
    uint8_t seeds;      /* of keys handed out */
    struct change *log; /* log[seq - 1] */
    uint64_t seq;
    struct object objects[OBJECTS];
    size_t nobjects;
    struct signed_head *heads;
    size_t nheads;
    bool drops_tombstones; /* lies */
    bool has_withheld;
    uint8_t withheld[WIRE_HASH];
};

#define MUST(expr)                                             \
    do {                                                       \
        struct sync_err must_err;                              \
        if ((expr) != SYNC_OK) {                               \
            fprintf(stderr, "%s: %s\n", #expr, must_err.text); \
            abort();                                           \
        }                                                      \
    } while (0)

/* The last change of every item with from < seq <= to; NULL where there is none. Freed by the
 * caller. */
const struct change **fake_latest(const struct fake *s, uint64_t from, uint64_t to);
struct fake_bytes fake_pack(const struct change **items, size_t n);
struct fake_bytes fake_encode(struct fake_bytes in, enum wire_encoding encoding);
/* A catch-up as differences to the state at `from`. */
struct fake_bytes fake_dz(const struct fake *s, uint64_t from, uint64_t to);

#endif
