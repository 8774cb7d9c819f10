/*
 * bits.h - a set of places from 0 to 65,535: a block of devices (docs/push.md).
 *
 * Its compact form, as rows hold it:
 *
 *     fewer than 4,096 places    each as 16 bits little-endian, ascending: 2 to 8,190 bytes
 *     more                       8,192 bytes, place p is bit p % 8 of byte p / 8
 *
 * so the length alone tells which it is, and a set has one form. That of the empty set is no bytes.
 */
#ifndef PUSH_BITS_H
#define PUSH_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BITS = 65536, BITS_WORDS = BITS / 64, BITS_BYTES = BITS / 8 };

struct bits {
    uint64_t word[BITS_WORDS];
};

void bits_clear(struct bits *b);
void bits_put(struct bits *b, unsigned place);
void bits_take(struct bits *b, unsigned place);
bool bits_have(const struct bits *b, unsigned place);
void bits_and(struct bits *b, const struct bits *with);
void bits_or(struct bits *b, const struct bits *with);
void bits_without(struct bits *b, const struct bits *those);
int bits_count(const struct bits *b);
/* The first place that is not below `from`; -1: none. */
int bits_next(const struct bits *b, int from);

/* How many bytes of `out` it took. */
size_t bits_write(const struct bits *b, uint8_t out[BITS_BYTES]);
/* False, and *out is empty, for bytes that bits_write() never makes. */
bool bits_read(struct bits *out, const void *p, size_t n);

#endif
