/*
 * cache.h - ready-made answers in memory, shared by all loops: at most cache_size bytes, least
 * recently used goes first.
 *
 * Bound to a generation: whatever changes what the public may see calls generation_next()
 * (server/base/generation.h) after its COMMIT, and every answer of an earlier generation is
 * stale from then on (but for R_FOREVER ones). An answer that is being made is waited for, not
 * made twice.
 */
#ifndef HTTP_CACHE_H
#define HTTP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/outcome.h"

void cache_forget_all(void); /* R_FOREVER ones too, and what is being made: a takedown */

/* The rest is for the edge. */

void cache_init(size_t bytes); /* empties it; before the loops start */
/* A reference to a fresh answer, or NULL. Never waits for anything but the table's lock. */
struct outcome *cache_get(const char *target, size_t n);
/* Whether asking for it makes no work: it is there, or somebody makes it. */
bool cache_knows(const char *target, size_t n);

struct cache_waiter {
    struct cache_waiter *next;
    /* On the builder's thread; c comes with a reference. */
    void (*ready)(struct cache_waiter *w, struct outcome *c);
};

struct cache_build; /* the duty to make one answer: ends with cache_finish(), always */

enum claim {
    CLAIM_HIT,   /* *hit is the answer, with a reference */
    CLAIM_BUILD, /* nobody makes it: *build is the caller's duty */
    CLAIM_WAIT,  /* it is being made: w->ready() will be called */
};
enum claim cache_claim(const char *target, size_t n, bool forever, struct cache_waiter *w,
                       struct outcome **hit, struct cache_build **build);
/* Tells the waiters; keeps the answer if it is good, small enough, and neither stale nor
 * forgotten meanwhile. Keeps the caller's reference intact. */
void cache_finish(struct cache_build *build, struct outcome *c);

#endif
