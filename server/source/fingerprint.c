/*
 * fingerprint.c - see the header. The text is walked once; characters go to SHA-256 and pairs of them to the votes as they come.
 */
#include "server/source/fingerprint.h"

#include <sodium.h>
#include <string.h>

struct reducing {
    crypto_hash_sha256_state exact;
    int votes[64];
    uint32_t last; /* 0: none yet */
    int characters;
};

/* The code point at p, which is left behind; what is no UTF-8 is 0. */
static uint32_t next(const unsigned char **p, const unsigned char *end)
{
    uint32_t c = *(*p)++;
    int more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : -1;

    if (more < 0)
        return 0;
    if (more)
        c &= 0x3fu >> more;
    for (; more && *p < end && (**p & 0xc0) == 0x80; more--)
        c = c << 6 | (*(*p)++ & 0x3f);
    return more ? 0 : c;
}

/* As it counts; 0: it does not. */
static uint32_t fold(uint32_t c)
{
    if (c >= 0xff01 && c <= 0xff5e)
        c -= 0xfee0;
    if (c >= 'A' && c <= 'Z')
        return c + 32;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return c;
    if (c < 0xc0 || (c >= 0x2000 && c <= 0x33ff) || (c >= 0xe000 && c <= 0xf8ff) ||
        (c >= 0xfe00 && c <= 0xffff))
        return 0;
    return c;
}

/* splitmix64: well mixed, and the same everywhere. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void count(struct reducing *r, uint32_t c)
{
    uint8_t bytes[4] = { (uint8_t)(c >> 24), (uint8_t)(c >> 16), (uint8_t)(c >> 8),
                         (uint8_t)c };

    crypto_hash_sha256_update(&r->exact, bytes, sizeof bytes);
    r->characters++;
    if (r->last) {
        uint64_t bits = mix((uint64_t)r->last << 32 | c);

        for (int i = 0; i < 64; i++)
            r->votes[i] += bits >> i & 1 ? 1 : -1;
    }
    r->last = c;
}

/* Where "](…)" at p ends; p if there is none. */
static const unsigned char *skip_address(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *to;

    if (end - p < 3 || p[0] != ']' || p[1] != '(')
        return p;
    to = memchr(p, ')', (size_t)(end - p));
    return to && to - p < 2100 ? to + 1 : p;
}

void fingerprint_of(const char *text, size_t n, struct fingerprint *out)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + n;
    struct reducing r = { 0 };

    crypto_hash_sha256_init(&r.exact);
    while (p < end) {
        const unsigned char *behind = skip_address(p, end);
        uint32_t c;

        if (behind > p)
            p = behind;
        else if ((c = fold(next(&p, end))))
            count(&r, c);
    }
    *out = (struct fingerprint){ .characters = r.characters };
    crypto_hash_sha256_final(&r.exact, out->exact);
    for (int i = 0; i < 64; i++)
        out->near |= (uint64_t)(r.votes[i] > 0) << i;
}

enum likeness fingerprint_compare(const struct fingerprint *a, const struct fingerprint *b)
{
    if (a->characters < FINGERPRINT_LEAST || b->characters < FINGERPRINT_LEAST)
        return UNLIKE;
    if (!memcmp(a->exact, b->exact, sizeof a->exact))
        return SAME;
    if (a->characters < FINGERPRINT_CHARACTERS || b->characters < FINGERPRINT_CHARACTERS ||
        __builtin_popcountll(a->near ^ b->near) > FINGERPRINT_NEAR)
        return UNLIKE;
    return NEAR;
}
