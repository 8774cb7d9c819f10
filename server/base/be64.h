/*
 * be64.h - a big-endian number inside a cursor, a link or a token.
 */
#ifndef BASE_BE64_H
#define BASE_BE64_H

#include <stdint.h>

static inline void be64_put(uint8_t out[8], int64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
}

static inline int64_t be64_get(const uint8_t in[8])
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | in[i];
    return (int64_t)v;
}

#endif
