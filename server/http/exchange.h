/*
 * exchange.h - one request that left its loop thread, until its answer is back (private to the
 * edge).
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdatomic.h>

#include "server/http/cache.h"
#include "server/http/edge.h"
#include "server/store/writer.h"

struct exchange {
    struct pool_job job;
    struct writer_job write;
    struct cache_waiter waiter;
    h2o_multithread_message_t back;

    /* Loop thread only. */
    struct edge_loop *loop;
    struct sending sending;   /* .req is NULL once the request is gone */
    struct exchange **ticket; /* in the request's pool; tells us when that goes */
    h2o_timeout_entry_t late; /* linked while a route with a prompt is asked */
    struct verdict limits[VERDICTS];

    struct arena
        *mem; /* the exchange's own, with what was asked; w.mem is gone when it comes home */

    /* Whoever holds the exchange. */
    const struct route *route;
    struct request rq;
    struct reply rp;
    struct work w;
    enum rc rc;
    struct cache_build *build; /* our duty towards the cache, or NULL */
    struct outcome *outcome;   /* what came of it; NULL: rc, rp and w.err tell */
    bool early;                /* it is the route's early() that answered */

    atomic_bool gone; /* set by the loop: nobody waits for the answer any more */
};

/* Hands it to another thread, or to the cache under `key`; it comes back by x->loop->home. */
void exchange_send_off(struct exchange *x, struct pool *pool, const char *key, size_t key_n);
/* Puts an answer on the wire that lies in x->w.mem, which must already belong to the request. */
void exchange_answer(struct exchange *x);
/* RC_BUSY, and counted: no more answers until some have been read. */
enum rc exchange_refuse_unread(struct err *e);
/* Loop thread: takes back what has come home. */
void exchange_come_home(h2o_multithread_receiver_t *home, h2o_linklist_t *messages);

#endif
