/*
 * fake_sync.h - a delta-sync server in memory, and the bad network before it.
 *
 * It publishes, edits, withdraws, restores from a backup, and answers every URL of
 * docs/protocol/sync.md as the page says, written from the page and not from the server, so
 * that tests of the readers do not lean on our own server. Faults come from a seed.
 */
#ifndef TESTS_LIB_FAKE_SYNC_H
#define TESTS_LIB_FAKE_SYNC_H

#include "sync/follow.h"

struct fake;

/* Its keys follow from the epoch. */
struct fake *fake_new(const char *stream, uint64_t epoch);
void fake_free(struct fake *s);
const uint8_t *fake_trust(const struct fake *s); /* the platform's first public key */

/* Each writes one change. `body` is the record's bytes. */
uint64_t fake_publish(struct fake *s, const char *title, const char *body); /* returns born */
void fake_edit(struct fake *s, uint64_t born, const char *title, const char *body);
void fake_withdraw(struct fake *s, uint64_t born);
void fake_take_down(struct fake *s, uint64_t born); /* purges: raises the cut */
void fake_rotate_keys(struct fake *s,
                      bool platform); /* a new stream key, and before it a new platform key */
void fake_index(struct fake *s);      /* objects and an index as of now */
void fake_restore(struct fake *s, uint64_t seq); /* back to seq, under a later epoch */
void fake_set_directory(struct fake *s, const char *json);
/* Signs what is there: a new head. */
void fake_head(struct fake *s);
uint64_t fake_seq(const struct fake *s);
uint64_t fake_size(const struct fake *s);
/* SHA-256 over the records published at the head `note`, ascending by born; fails the test for
 * a head never signed. */
void fake_state(const struct fake *s, const struct wire_head *head, uint8_t out[WIRE_HASH]);
/* Adds one record of such a state. */
struct fake_digest {
    uint8_t sum[WIRE_HASH];
};
void fake_digest_add(struct fake_digest *d, uint64_t born, uint64_t seq, const void *bytes,
                     size_t n);

/* ---- the network ---- */

enum fault {
    FAULT_CUT = 1,    /* the body ends early */
    FAULT_FLIP = 2,   /* one bit of the body */
    FAULT_STATUS = 4, /* 404, 410, 500, 503 or none */
    FAULT_OLD = 8,    /* an old head, as a frozen cache gives it */
    FAULT_SWAP = 16,  /* the body of another answer */
};

struct fake_net {
    struct fake *server;
    uint64_t seed;             /* advances */
    unsigned faults;           /* of enum fault */
    unsigned percent;          /* of requests that suffer one */
    bool honest_when_uncached; /* no fault when caches are passed by */
    size_t
        cut_at; /* if above 0: cuts the first body longer than this after so many bytes, once */
    bool wrong_range;   /* a 206 begins one byte late */
    size_t catchup_max; /* if above 0: a catch-up of more bytes is refused (413) */
    unsigned waits;
    uint64_t waited;                      /* ms, told and not spent */
    void (*on_wait)(struct fake *server); /* NULL, or what the server does meanwhile */
    void (*spy)(void *ctx, const char *path, uint64_t from,
                size_t sent); /* NULL, or called after each answer */
    void (*pause)(void *ctx); /* NULL, or called before each piece of a body */
    void *spy_ctx;
    unsigned requests;
};

struct follow_transport fake_transport(struct fake_net *net);
uint32_t fake_random(uint64_t *seed, uint32_t below);

#endif
