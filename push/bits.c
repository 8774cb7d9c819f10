/*
 * bits.c - 1,024 words, and two ways to write them down.
 *
 * A block is 8 KB: an expression over many sets stays in the processor's first cache. The loops are plain, so that a compiler makes the best of them.
 */
#include "push/bits.h"

#include <endian.h>
#include <string.h>

enum { SPARSE = BITS_BYTES / 2 /* places, from which on the dense form is no longer */ };

void bits_clear(struct bits *b)
{
    memset(b, 0, sizeof *b);
}

void bits_put(struct bits *b, unsigned place)
{
    b->word[place / 64] |= UINT64_C(1) << place % 64;
}

void bits_take(struct bits *b, unsigned place)
{
    b->word[place / 64] &= ~(UINT64_C(1) << place % 64);
}

bool bits_have(const struct bits *b, unsigned place)
{
    return b->word[place / 64] >> place % 64 & 1;
}

void bits_and(struct bits *b, const struct bits *with)
{
    for (int i = 0; i < BITS_WORDS; i++)
        b->word[i] &= with->word[i];
}

void bits_or(struct bits *b, const struct bits *with)
{
    for (int i = 0; i < BITS_WORDS; i++)
        b->word[i] |= with->word[i];
}

void bits_without(struct bits *b, const struct bits *those)
{
    for (int i = 0; i < BITS_WORDS; i++)
        b->word[i] &= ~those->word[i];
}

int bits_count(const struct bits *b)
{
    int n = 0;

    for (int i = 0; i < BITS_WORDS; i++)
        n += __builtin_popcountll(b->word[i]);
    return n;
}

int bits_next(const struct bits *b, int from)
{
    uint64_t left;
    int i = from / 64;

    if (from >= BITS)
        return -1;
    left = b->word[i] >> from % 64 << from % 64;
    while (!left && ++i < BITS_WORDS)
        left = b->word[i];
    return left ? i * 64 + __builtin_ctzll(left) : -1;
}

size_t bits_write(const struct bits *b, uint8_t out[BITS_BYTES])
{
    size_t n = 0;

    if (bits_count(b) >= SPARSE) {
        for (int i = 0; i < BITS_WORDS; i++) {
            uint64_t word = htole64(b->word[i]);

            memcpy(out + i * 8, &word, 8);
        }
        return BITS_BYTES;
    }
    for (int p = bits_next(b, 0); p >= 0; p = bits_next(b, p + 1)) {
        out[n++] = (uint8_t)p;
        out[n++] = (uint8_t)(p >> 8);
    }
    return n;
}

static bool read_sparse(struct bits *out, const uint8_t *p, size_t n)
{
    int before = -1;

    for (size_t i = 0; i < n; i += 2) {
        int place = p[i] | p[i + 1] << 8;

        if (place <= before)
            return false;
        bits_put(out, (unsigned)place);
        before = place;
    }
    return true;
}

static bool read_dense(struct bits *out, const uint8_t *p)
{
    for (int i = 0; i < BITS_WORDS; i++) {
        memcpy(&out->word[i], p + i * 8, 8);
        out->word[i] = le64toh(out->word[i]);
    }
    return bits_count(out) >= SPARSE;
}

bool bits_read(struct bits *out, const void *p, size_t n)
{
    bits_clear(out);
    if (n == BITS_BYTES ? read_dense(out, p)
                        : n < BITS_BYTES && n % 2 == 0 && read_sparse(out, p, n))
        return true;
    bits_clear(out);
    return false;
}
