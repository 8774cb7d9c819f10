/*
 * party_table.h - all parties and their keys in memory, so that a key is checked, and counted, without a database.
 *
 * For any thread. Filled at the start and then changed only after a COMMIT.
 */
#ifndef IDENTITY_PARTY_TABLE_H
#define IDENTITY_PARTY_TABLE_H

#include "server/base/id.h"
#include "server/base/verdict.h"
#include "server/identity/party.h"

struct party_pass { /* a key */
    int64_t no;
    uint8_t hash[HASH_BYTES];
    int64_t expires;
    int64_t per_minute, per_day;
    int64_t used;       /* seconds; 0: never */
    int64_t day, spent; /* how many requests on which day of Beijing */
    int64_t
        full_at; /* microseconds of clock_mono_us(): when the minute's quota would be whole */
    bool dirty;  /* used, since it was written down */
};

struct party_entry {
    struct party party;
    struct party_pass *keys;
    int n;
};

/* In the place of the one with its number. What memory knows of a key's use stays. */
void party_table_put(const struct party_entry *e);
void party_table_empty(void);

/* Who comes with the key of this hash: false unless it is known and good now. Scopes lie in `mem`. */
bool party_table_know(const uint8_t hash[HASH_BYTES], int64_t now, struct arena *mem,
                      struct actor *out);
/* The number of the key if it is this party's, and good now; else 0. */
int64_t party_table_key_of(int64_t party, const uint8_t hash[HASH_BYTES], int64_t now);
bool party_table_lives(int64_t key, int64_t now);
/* party_table_know() by the key's number. */
bool party_table_know_key(int64_t key, int64_t now, struct arena *mem, struct actor *out);
/* One request more: false if a quota is spent. Minute and day. */
bool party_table_charge(int64_t key, int64_t now, int64_t now_us, struct verdict out[VERDICTS]);
/* "party:ID", of one that is open; false: it is not. */
bool party_table_name(int64_t no, char *out, size_t size);
/* A copy in `mem`. By number, or, where that is 0, by id. */
bool party_table_find(struct arena *mem, int64_t no, const char *id, struct party *out);
/* Whether "party:ID" is open now, and may what one of `rights` allows at the site. */
bool party_table_may(const char *name, unsigned rights, int64_t site);
/* Calls fn for keys that were used since fn was last called for them. */
void party_table_uses(void (*fn)(void *arg, const struct party_pass *key), void *arg);

#endif
