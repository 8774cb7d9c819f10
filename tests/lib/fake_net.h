/*
 * fake_net.h - the bad network between a reader and the server of fake_sync.h. Faults come from
 * a seed.
 */
#ifndef TESTS_LIB_FAKE_NET_H
#define TESTS_LIB_FAKE_NET_H

#include "sync/follow.h"
#include "tests/lib/fake_sync.h"

enum fault {
    FAULT_CUT = 1,    /* the body ends early */
    FAULT_FLIP = 2,   /* one bit of the body */
    FAULT_STATUS = 4, /* 404, 410, 500, 503 or none */
    FAULT_OLD = 8,    /* an old head, as a frozen cache gives it */
    FAULT_SWAP = 16,  /* the body of another answer */
    FAULT_DROP = 32,  /* no tombstones in a catch-up */
    FAULT_TRUNC = 64, /* the body ends early and says that it is whole */
    FAULTS = 127,
};

struct fake_net {
    struct fake *server;
    uint64_t seed;             /* advances */
    unsigned faults;           /* of enum fault */
    unsigned percent;          /* of requests that suffer one */
    bool honest_when_uncached; /* no fault when caches are passed by */
    size_t
        cut_at; /* if above 0: cuts the first body longer than this after so many bytes, once */
    size_t frozen;      /* if above 0: caches answer with that old head for ever */
    size_t lost_after;  /* if above 0: after so many requests nothing answers any more */
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
