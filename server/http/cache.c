/*
 * cache.c - one table, one list in order of use, one lock.
 *
 *     (nothing) --claim--> BEING MADE --finish--> KEPT --evict, forget, stale--> gone
 *                               \---forget, stale--> DETACHED --finish--> gone
 *
 * A slot is an answer or the place of one that is being made. A slot that becomes stale or is
 * forgotten while its answer is made leaves the table at once: who asked before still gets that
 * answer (it was true when they asked), who asks afterwards starts anew. Nothing is ever
 * answered that is older than the question.
 *
 * The lock is held for some tens of nanoseconds: bytes are copied and freed outside.
 */
#include "server/http/cache.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/generation.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/base/secret.h"

enum { BUCKETS = 1 << 13 };

struct cache_build {
    struct cache_build *chain;         /* of its bucket */
    struct cache_build *newer, *older; /* in order of use, when kept */
    struct outcome *value;             /* NULL: being made */
    struct cache_waiter *waiters, **last;
    uint64_t hash, generation;
    bool forever, detached;
    size_t n;
    char target[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cache_build *buckets[BUCKETS];
static struct cache_build *newest, *oldest;
static size_t used, limit;
static uint8_t key[crypto_shorthash_KEYBYTES];

static void *must(void *p)
{
    if (!p)
        memory_end();
    return p;
}

/* ---- the table; everything below runs under the lock unless it says otherwise ---- */

static uint64_t hash_of(const char *target, size_t n)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)target, n, key);
    return hash;
}

static struct cache_build **place_of(const char *target, size_t n, uint64_t hash)
{
    struct cache_build **at = &buckets[hash % BUCKETS];

    while (*at && ((*at)->hash != hash || (*at)->n != n || memcmp((*at)->target, target, n)))
        at = &(*at)->chain;
    return at;
}

static void unlink_use(struct cache_build *s)
{
    *(s->newer ? &s->newer->older : &newest) = s->older;
    *(s->older ? &s->older->newer : &oldest) = s->newer;
    s->newer = s->older = NULL;
}

static void link_newest(struct cache_build *s)
{
    s->older = newest;
    *(newest ? &newest->newer : &oldest) = s;
    newest = s;
}

static size_t cost(const struct cache_build *s)
{
    return sizeof *s + s->n + (s->value ? s->value->size : 0);
}

/* Out of the table. A kept answer goes to `dead`; one that is being made is left to its maker.
 */
static void take_out(struct cache_build **at, struct cache_build **dead)
{
    struct cache_build *s = *at;

    *at = s->chain;
    s->chain = NULL;
    if (!s->value) {
        s->detached = true;
        return;
    }
    unlink_use(s);
    used -= cost(s);
    outcome_let_go(s->value);
    s->chain = *dead;
    *dead = s;
}

static bool is_fresh(const struct cache_build *s)
{
    return s->forever || s->generation == generation_now();
}

static struct outcome *use(struct cache_build *s)
{
    if (s != newest) {
        unlink_use(s);
        link_newest(s);
    }
    return outcome_ref(s->value);
}

static void evict(struct cache_build **dead)
{
    while (used > limit && oldest)
        take_out(place_of(oldest->target, oldest->n, oldest->hash), dead);
    metric_set(METRIC_cache_bytes, (int64_t)used);
}

/* Outside the lock. */
static void bury(struct cache_build *dead)
{
    while (dead) {
        struct cache_build *next = dead->chain;

        outcome_unref(dead->value);
        free(dead);
        dead = next;
    }
}

/* ---- what the edge calls ---- */

void cache_init(size_t bytes)
{
    cache_forget_all();
    pthread_mutex_lock(&lock);
    limit = bytes;
    secret_random(key, sizeof key);
    pthread_mutex_unlock(&lock);
}

struct outcome *cache_get(const char *target, size_t n)
{
    struct outcome *hit = NULL;
    struct cache_build *s;

    pthread_mutex_lock(&lock);
    s = *place_of(target, n, hash_of(target, n));
    if (s && s->value && is_fresh(s))
        hit = use(s);
    pthread_mutex_unlock(&lock);
    return hit;
}

bool cache_knows(const char *target, size_t n)
{
    const struct cache_build *s;
    bool known;

    pthread_mutex_lock(&lock);
    s = *place_of(target, n, hash_of(target, n));
    known = s && is_fresh(s);
    pthread_mutex_unlock(&lock);
    return known;
}

static struct cache_build *slot_new(const char *target, size_t n, uint64_t hash, bool forever)
{
    struct cache_build *s = must(calloc(1, sizeof *s + n));

    s->last = &s->waiters;
    s->hash = hash;
    s->generation = generation_now();
    s->forever = forever;
    s->n = n;
    memcpy(s->target, target, n);
    return s;
}

enum claim cache_claim(const char *target, size_t n, bool forever, struct cache_waiter *w,
                       struct outcome **hit, struct cache_build **build)
{
    struct cache_build *fresh, *dead = NULL, **at;
    enum claim claim = CLAIM_BUILD;
    uint64_t hash;

    pthread_mutex_lock(&lock);
    hash = hash_of(target, n);
    at = place_of(target, n, hash);
    if (*at && !is_fresh(*at))
        take_out(at, &dead);
    at = place_of(target, n, hash);
    if (*at && (*at)->value) {
        claim = CLAIM_HIT;
        *hit = use(*at);
    } else if (*at) {
        claim = CLAIM_WAIT;
        w->next = NULL;
        *(*at)->last = w;
        (*at)->last = &w->next;
    } else {
        fresh = slot_new(target, n, hash, forever);
        fresh->chain = buckets[hash % BUCKETS];
        buckets[hash % BUCKETS] = *build = fresh;
    }
    pthread_mutex_unlock(&lock);
    bury(dead);
    return claim;
}

/* Whether later requests may have it: a whole answer or what is new in one, since an error must not outlive its cause. */
static bool is_worth_keeping(const struct outcome *c)
{
    bool good = c->rp.status == 0 || c->rp.status == 200 || c->rp.status == 226;

    return !c->rc && good && !c->rp.once && c->size <= limit / 4;
}

void cache_finish(struct cache_build *s, struct outcome *c)
{
    struct cache_build *dead = NULL;
    struct cache_waiter *w, *next;
    bool keep;

    pthread_mutex_lock(&lock);
    w = s->waiters;
    s->waiters = NULL;
    keep = !s->detached && is_fresh(s) && is_worth_keeping(c);
    if (keep) {
        s->value = outcome_ref(c);
        outcome_keep(c);
        used += cost(s);
        link_newest(s);
        evict(&dead);
    } else if (!s->detached) {
        take_out(place_of(s->target, s->n, s->hash), &dead);
    }
    pthread_mutex_unlock(&lock);
    if (!keep)
        free(s);
    bury(dead);
    for (; w; w = next) {
        next = w->next; /* ready() may free the waiter */
        w->ready(w, outcome_ref(c));
    }
}

void cache_forget_all(void)
{
    struct cache_build *dead = NULL;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < BUCKETS; i++)
        while (buckets[i])
            take_out(&buckets[i], &dead);
    metric_set(METRIC_cache_bytes, (int64_t)used);
    pthread_mutex_unlock(&lock);
    bury(dead);
}
