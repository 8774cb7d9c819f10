/*
 * block.h - an HPACK header block, walked without being decoded: how many fields it will become.
 */
#ifndef HTTP_BLOCK_H
#define HTTP_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* All zero: before the first byte. */
struct block {
    uint32_t fields; /* representations that have begun */
    uint32_t number; /* the length that is being read, then what is left of the string */
    uint8_t strings; /* of this representation still to come */
    uint8_t shift;   /* of the number's next seven bits */
    uint8_t state;
};

/* Cut the block where you like. What is no HPACK is counted somehow; libh2o will refuse it. */
void block_take(struct block *b, const uint8_t *bytes, size_t n);

#endif
