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

#include "server/http/reply.h"

void cache_forget_all(void); /* R_FOREVER ones too, and what is being made: a takedown */

/* The rest is for the edge. */

/* An outcome that several requests share, counted by references from any thread: an answer, or
 * why there is none. */
struct cached {
    enum rc rc; /* RC_OK: rp is the answer */
    /* Its texts and bytes are part of this block. On failure only the extra headers count. */
    struct reply rp;
    const struct err *err; /* NULL unless rc */
    size_t size;
};

/* Copies everything. A good answer without an ETag gets one made of its bytes. The caller holds
 * the one reference. */
struct cached *cached_new(enum rc rc, const struct reply *rp, const struct err *err);
struct cached *cached_ref(struct cached *c);
void cached_unref(void *c); /* accepts NULL; untyped so that an arena can defer it */

void cache_init(size_t bytes); /* empties it; before the loops start */
/* A reference to a fresh answer, or NULL. Never waits for anything but the table's lock. */
struct cached *cache_get(const char *target, size_t n);
/* Whether asking for it makes no work: it is there, or somebody makes it. */
bool cache_knows(const char *target, size_t n);

struct cache_waiter {
    struct cache_waiter *next;
    /* On the builder's thread; c comes with a reference. */
    void (*ready)(struct cache_waiter *w, struct cached *c);
};

struct cache_build; /* the duty to make one answer: ends with cache_finish(), always */

enum claim {
    CLAIM_HIT,   /* *hit is the answer, with a reference */
    CLAIM_BUILD, /* nobody makes it: *build is the caller's duty */
    CLAIM_WAIT,  /* it is being made: w->ready() will be called */
};
enum claim cache_claim(const char *target, size_t n, bool forever, struct cache_waiter *w,
                       struct cached **hit, struct cache_build **build);
/* Tells the waiters; keeps the answer if it is good, small enough, and neither stale nor
 * forgotten meanwhile. Keeps the caller's reference intact. */
void cache_finish(struct cache_build *build, struct cached *c);

#endif
