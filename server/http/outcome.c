/*
 * outcome.c - one block, any number of readers, one who pays.
 *
 *     made --> kept by the cache: nobody pays --let go--> whoever has read it longest pays --> gone
 *        \------------------------------------------------^
 *
 * A block lives until its last reader's request is over, and a peer that takes no bytes decides when that is. So the bytes of all blocks
 * that the cache does not keep are counted, once each however many read it, and charged to the client (crowd.h) of its first reader: of many phones
 * behind one address that fetch the same, the address pays for one. When he is done the next one pays; the last is who is slow.
 *
 * What has room: ALL_MAX in all, so that a handful of clients that each hold their share (unread_per_client) cannot fill the machine, and what they cannot
 * fill is kept for small answers, which are most of what phones ask for. A block is looked at when it is made, so each worker may exceed it by
 * one.
 */
#include "server/http/outcome.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/arena.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/http/crowd.h"

enum {
    ETAG_BYTES = 16,
    ALL_MAX = 32 << 20,
    SMALL = 16 << 10,
    FOR_SMALL = 16 << 20, /* above ALL_MAX, for small ones alone */
};

/* In the memory of his request. */
struct reader {
    struct reader *before, *after;
    struct block *of;
    struct crowd_client *client;
};

struct block { /* what outcome_new() allocates */
    struct outcome o;
    _Atomic int refs;
    pthread_mutex_t lock; /* of the next four */
    struct reader *first, *last;
    struct crowd_client *payer;
    bool kept;
    _Alignas(struct err) char bytes[]; /* on failure one of these first, then the texts */
};

static _Atomic int64_t unread; /* bytes of blocks that the cache does not keep */

/* ---- one block ---- */

static char *put(char **at, const char *s, size_t n)
{
    char *copy = *at;

    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    *at += n + 1;
    return copy;
}

static const char *put_text(char **at, const char *s)
{
    return s ? put(at, s, strlen(s)) : NULL;
}

static size_t length(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static size_t bytes_of(const struct reply *rp)
{
    size_t n = rp->len + 1 + length(rp->type) + length(rp->etag) + length(rp->cache) +
               length(rp->also) + 2 * ETAG_BYTES + 3;

    for (int i = 0; i < rp->nextra; i++)
        n += length(rp->extra[i].name) + length(rp->extra[i].value);
    return n;
}

static const char *make_etag(char **at, const struct reply *rp)
{
    uint8_t hash[ETAG_BYTES];
    char text[2 * ETAG_BYTES + 3] = "\"";

    crypto_generichash(hash, sizeof hash, (const uint8_t *)rp->body, rp->len, NULL, 0);
    sodium_bin2hex(text + 1, sizeof text - 1, hash, sizeof hash);
    text[sizeof text - 2] = '"';
    text[sizeof text - 1] = '\0';
    return put_text(at, text);
}

static void count(int64_t bytes)
{
    atomic_fetch_add_explicit(&unread, bytes, memory_order_relaxed);
    metric_add(METRIC_answers_unread, bytes);
}

static struct block *block_new(size_t n)
{
    struct block *b = malloc(sizeof *b + n);

    if (!b)
        memory_end();
    *b = (struct block){ .o.size = sizeof *b + n, .refs = 1 };
    pthread_mutex_init(&b->lock, NULL);
    count((int64_t)b->o.size);
    return b;
}

struct outcome *outcome_new(enum rc rc, const struct reply *rp, const struct err *err,
                            bool shared)
{
    struct block *b = block_new(bytes_of(rp) + (rc ? sizeof *err : 0));
    struct outcome *o = &b->o;
    char *at = b->bytes;

    o->rc = rc;
    o->rp = *rp;
    if (rc) {
        o->err = memcpy(at, err, sizeof *err);
        at += sizeof *err;
    }
    o->rp.body = put(&at, rp->body, rp->len);
    o->rp.type = put_text(&at, rp->type);
    o->rp.cache = put_text(&at, rp->cache);
    o->rp.also = put_text(&at, rp->also);
    o->rp.etag = put_text(&at, rp->etag);
    if (shared && !rc && !rp->etag && (rp->status == 0 || rp->status == 200))
        o->rp.etag = make_etag(&at, rp);
    for (int i = 0; i < rp->nextra; i++)
        o->rp.extra[i] = (struct header){ put_text(&at, rp->extra[i].name),
                                          put_text(&at, rp->extra[i].value) };
    return o;
}

struct outcome *outcome_ref(struct outcome *o)
{
    atomic_fetch_add_explicit(&((struct block *)o)->refs, 1, memory_order_relaxed);
    return o;
}

void outcome_unref(struct outcome *o)
{
    struct block *b = (struct block *)o;

    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) > 1)
        return;
    count(-(int64_t)o->size);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* ---- who pays ---- */

/* Under the lock, after a change. */
static void settle(struct block *b)
{
    struct crowd_client *payer = b->kept || !b->first ? NULL : b->first->client;

    if (payer == b->payer)
        return;
    crowd_hold(b->payer, -(int64_t)b->o.size);
    crowd_hold(payer, (int64_t)b->o.size);
    b->payer = payer;
}

static void reader_done(void *p)
{
    struct reader *r = p;
    struct block *b = r->of;

    pthread_mutex_lock(&b->lock);
    *(r->before ? &r->before->after : &b->first) = r->after;
    *(r->after ? &r->after->before : &b->last) = r->before;
    settle(b);
    pthread_mutex_unlock(&b->lock);
    outcome_unref(&b->o);
}

void outcome_read(struct outcome *o, struct arena *mem, struct crowd_client *client)
{
    struct reader *r = arena_alloc(mem, sizeof *r);
    struct block *b = (struct block *)o;

    arena_defer(mem, reader_done, r);
    *r = (struct reader){ .of = b, .client = client };
    pthread_mutex_lock(&b->lock);
    r->before = b->last;
    *(b->last ? &b->last->after : &b->first) = r;
    b->last = r;
    settle(b);
    pthread_mutex_unlock(&b->lock);
}

bool outcome_is_too_much(struct outcome *o, const struct crowd_client *client)
{
    struct block *b = (struct block *)o;
    bool alone;

    pthread_mutex_lock(&b->lock);
    alone = !b->kept && !b->first;
    pthread_mutex_unlock(&b->lock);
    return alone && crowd_is_laden(client);
}

bool outcome_has_room(const struct outcome *o)
{
    int64_t others = atomic_load_explicit(&unread, memory_order_relaxed) - (int64_t)o->size;

    return others < (o->size < SMALL ? ALL_MAX + FOR_SMALL : ALL_MAX);
}

static void set_kept(struct outcome *o, bool kept)
{
    struct block *b = (struct block *)o;

    pthread_mutex_lock(&b->lock);
    b->kept = kept;
    settle(b);
    pthread_mutex_unlock(&b->lock);
    count(kept ? -(int64_t)o->size : (int64_t)o->size);
}

void outcome_keep(struct outcome *o)
{
    set_kept(o, true);
}

void outcome_let_go(struct outcome *o)
{
    set_kept(o, false);
}
