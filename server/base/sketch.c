/*
 * sketch.c - two rows of 65,536 counters: 512 KB. With 10,000 things in them, one in forty is taken for more than it is, by the least of what it meets.
 */
#include "server/base/sketch.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/base/memory.h"
#include "server/base/secret.h"

enum { ROWS = 2, CELLS = 1 << 16 };

struct sketch {
    uint8_t key[crypto_shorthash_KEYBYTES];
    uint32_t cells[ROWS][CELLS];
};

struct sketch *sketch_new(void)
{
    struct sketch *s = calloc(1, sizeof *s);

    if (!s)
        memory_end();
    secret_random(s->key, sizeof s->key);
    return s;
}

void sketch_free(struct sketch *s)
{
    free(s);
}

void sketch_clear(struct sketch *s)
{
    memset(s->cells, 0, sizeof s->cells);
}

uint32_t sketch_meet(struct sketch *s, const void *p, size_t n)
{
    uint32_t least = UINT32_MAX;
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, p, n, s->key);
    for (int row = 0; row < ROWS; row++, hash >>= 16) {
        uint32_t *cell = &s->cells[row][hash % CELLS];

        least = *cell < least ? *cell : least;
        *cell += *cell < UINT32_MAX;
    }
    return least;
}
