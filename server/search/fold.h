/*
 * fold.h - text as it is compared: what looks or means the same is the same bytes.
 *
 * Full-width forms, letters in circles and the like become what they stand for (NFKC), capitals small ones, accents go, and whatever is neither
 * letter nor digit becomes one blank, however much of it there is. Ideographs stay what they are, those too that this version of Unicode does not know
 * yet (生僻字), and the private use characters that older systems put in their place.
 */
#ifndef SEARCH_FOLD_H
#define SEARCH_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"

struct folded {
    char *p; /* UTF-8, NUL-terminated; neither begins with a blank nor has two in a row */
    size_t n;
    uint32_t *
        at; /* [n + 1]: where in the original the character begins that the byte is of; NULL unless asked for. The last: its end */
};

/* Linear in n. Bytes that are no UTF-8 are blanks. */
void fold(struct arena *mem, const char *s, size_t n, bool places, struct folded *out);

/* A byte of a folded text: of a word of small letters and digits, or of any other letter; else it is the blank. */
static inline bool fold_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
static inline bool fold_is_letter(char c)
{
    return (unsigned char)c >= 0x80;
}
/* Bytes of the UTF-8 character that begins with c. */
static inline size_t fold_char(char c)
{
    unsigned char u = (unsigned char)c;

    return u < 0x80 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

#endif
