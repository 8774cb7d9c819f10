/*
 * party_key.h - what a party's program shows with a request: "tjp_live_" base64url( 32 random bytes ). It is shown once; we keep its
 * BLAKE2b-256.
 */
#ifndef IDENTITY_PARTY_KEY_H
#define IDENTITY_PARTY_KEY_H

#include "server/identity/party.h"
#include "server/identity/provider.h"

enum {
    PARTY_KEY_TEXT = 64,
    PARTY_KEYS = 20,                    /* that a party may have at a time */
    PARTY_KEY_LIFE_MAX = 731 * 86400,   /* seconds */
    PARTY_KEY_OVERLAP_MAX = 30 * 86400, /* … that both are good when one is exchanged */
    PARTY_KEY_MINUTE_MAX = 1000000,     /* requests */
    PARTY_KEY_DAY_MAX = 1000 * 1000 * 1000
};

struct party_key {
    int64_t no, created, expires;
    int64_t per_minute, per_day; /* requests */
    int64_t used;                /* about when; 0: never */
};

/* On the writer. `in`: expires, per_minute, per_day; no and created are set. The text goes to `out` and nowhere else. The owner may, or RIGHT_SECURE. */
enum rc party_key_make(struct work *w, const struct party *p, struct party_key *in,
                       char out[PARTY_KEY_TEXT]);
/*
 * A new key that is as good for as long as the old one was made for; the old one ends after `overlap` seconds, if not sooner. RC_NOT_FOUND:
 * the party has no such key.
 */
enum rc party_key_rotate(struct work *w, const struct party *p, int64_t no, int64_t overlap,
                         struct party_key *next, char out[PARTY_KEY_TEXT]);
enum rc party_key_revoke(struct work *w, const struct party *p, int64_t no); /* RC_NOT_FOUND */

/* In w->mem, the newest first; what has expired, too. */
enum rc party_key_list(struct work *w, int64_t party, struct party_key **out, int *n);

/* Any thread, from memory: whose key it is. */
bool party_key_know(const char *text, struct arena *mem, struct actor *out);
/* Its number if it is this party's and good, else 0; it takes as long for any other text. */
int64_t party_key_of(int64_t party, const char *text);
extern const struct provider_clients party_clients; /* what the provider asks of parties */

#endif
