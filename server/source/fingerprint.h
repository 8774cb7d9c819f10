/*
 * fingerprint.h - whether two texts are the same, or nearly: what remains of a text for that question.
 *
 * A text is first reduced to its ideographs, letters and digits: full-width ones as ASCII, capitals as small letters; spaces, punctuation and the marks of light Markdown do not count, nor do addresses
 * and names of files in parentheses behind a bracket.
 *
 *     exact   SHA-256 of that
 *     near    SimHash (Charikar): of each overlapping pair of characters 64 bits of a hash vote, once for each time the pair stands there; a bit is set where the ayes have it. Texts of
 *             which a few words differ differ in a few bits of 64.
 *
 * Texts that differ in at most FINGERPRINT_NEAR bits have at least one of four quarters of 16 bits in common, by which they are found.
 */
#ifndef SOURCE_FINGERPRINT_H
#define SOURCE_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/id.h"

enum {
    FINGERPRINT_NEAR = 3,         /* bits */
    FINGERPRINT_LEAST = 20,       /* characters: of less nothing is said */
    FINGERPRINT_CHARACTERS = 150, /* … for "near": of less a few words are much of the text */
    FINGERPRINT_QUARTERS = 4
};

struct fingerprint {
    int characters; /* that count */
    uint8_t exact[HASH_BYTES];
    uint64_t near;
};

/* `n` bytes of UTF-8. Linear, no memory but 64 counters. */
void fingerprint_of(const char *text, size_t n, struct fingerprint *out);

enum likeness { UNLIKE, NEAR, SAME };
enum likeness fingerprint_compare(const struct fingerprint *a, const struct fingerprint *b);
/* Quarter 0 to 3 of `near`. */
static inline uint16_t fingerprint_quarter(const struct fingerprint *f, int i)
{
    return (uint16_t)(f->near >> (16 * i));
}

#endif
