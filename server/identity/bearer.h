/*
 * bearer.h - the tokens that a signed-in device carries, as bytes and as text.
 *
 *     access    "tja_" base64url( session 8 | secret 32 )
 *     refresh   "tjr_" base64url( session 8 | generation 8 | secret 32 | tag 16 )
 *
 * Numbers are big-endian. tag: the first 16 bytes of BLAKE2b-256, keyed with the token key, of
 * "tag" | session | generation | secret. It says that we made the token, even one that we have
 * long forgotten: so a token that is used twice is known from one that somebody invented.
 *
 * Every secret but the first follows from the refresh token it was exchanged for. So the same
 * exchange can be answered again as long as its seed is kept, and nobody learns a token from
 * key and seed alone.
 *
 * Pure: no store, no clock.
 */
#ifndef IDENTITY_BEARER_H
#define IDENTITY_BEARER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BEARER_SECRET = 32, BEARER_SEED = 16, BEARER_TAG = 16, BEARER_TEXT = 91 };

enum bearer_kind { BEARER_ACCESS, BEARER_REFRESH };

struct bearer {
    enum bearer_kind kind;
    int64_t session;    /* above 0 */
    int64_t generation; /* REFRESH: how many exchanges came before; from 1 */
    uint8_t secret[BEARER_SECRET];
    uint8_t tag[BEARER_TAG]; /* REFRESH */
};

/* False: it is no token of ours by its looks. Canonical text only. */
bool bearer_read(const char *text, struct bearer *out);
/* Whether a refresh token's tag is right: we made it. */
bool bearer_is_ours(const struct bearer *b, const uint8_t key[32]);
void bearer_put(const struct bearer *b, char out[BEARER_TEXT]);
/* What is stored of a token: of its secret, and of its tag. So no bit of it can be altered, though the key be lost. */
void bearer_hash(const struct bearer *b, uint8_t out[32]);

/* The first of a session, by chance. */
struct bearer bearer_first(enum bearer_kind kind, int64_t session, const uint8_t key[32]);
/* What `refresh` is exchanged for. */
struct bearer bearer_next(enum bearer_kind kind, const struct bearer *refresh,
                          const uint8_t key[32], const uint8_t seed[BEARER_SEED]);

#endif
