/*
 * block.c - where representations begin and end (RFC 7541, section 6), and nothing else.
 *
 *     1xxxxxxx  index                              no string
 *     01xxxxxx  index, or 0 and a name; a value    one string or two
 *     001xxxxx  size of the table                  no string
 *     000xxxxx  as 01, with an index of four bits
 *
 * libh2o 2.2.5 makes forty bytes of memory of a field that one byte names, and counts neither: a block of
 * 16 KB becomes a megabyte that stays as long as its stream does. Names and values need not be
 * read for that, so they are not: no Huffman, no table.
 */
#include "server/http/block.h"

enum state { FIRST, INDEX_MORE, LENGTH, LENGTH_MORE, STRING };

enum { MORE = 0x80, SHIFT_MAX = 21 }; /* longer numbers saturate: no block is so long */

/* After an index or a string. */
static uint8_t next(struct block *b)
{
    if (!b->strings)
        return FIRST;
    b->strings--;
    return LENGTH;
}

static uint8_t first(struct block *b, uint8_t byte)
{
    uint8_t mask = byte & 0x80 ? 0x7f : byte & 0x40 ? 0x3f : byte & 0x20 ? 0x1f : 0x0f;

    b->fields++;
    b->strings = byte & 0x80 || (byte & 0xe0) == 0x20 ? 0 : byte & mask ? 1 : 2;
    return (byte & mask) == mask ? INDEX_MORE : next(b);
}

static uint8_t string(struct block *b)
{
    return b->number ? STRING : next(b);
}

static uint8_t length(struct block *b, uint8_t byte)
{
    b->number = byte & 0x7f;
    b->shift = 0;
    return b->number == 0x7f ? LENGTH_MORE : string(b);
}

static uint8_t length_more(struct block *b, uint8_t byte)
{
    if (b->shift <= SHIFT_MAX)
        b->number += (uint32_t)(byte & 0x7f) << b->shift;
    b->shift = b->shift <= SHIFT_MAX ? b->shift + 7 : b->shift;
    return byte & MORE ? LENGTH_MORE : string(b);
}

void block_take(struct block *b, const uint8_t *p, size_t n)
{
    size_t at = 0, step;

    while (at < n) {
        switch ((enum state)b->state) {
        case FIRST: b->state = first(b, p[at++]); break;
        case INDEX_MORE: b->state = p[at++] & MORE ? INDEX_MORE : next(b); break;
        case LENGTH: b->state = length(b, p[at++]); break;
        case LENGTH_MORE: b->state = length_more(b, p[at++]); break;
        case STRING:
            step = n - at < b->number ? n - at : b->number;
            at += step;
            b->number -= (uint32_t)step;
            b->state = string(b);
            break;
        }
    }
}
