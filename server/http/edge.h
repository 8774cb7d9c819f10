/*
 * edge.h - where HTTP ends: what stands between libh2o and the handlers of the route table.
 *
 *     bytes --> target --> route --> limit, size, credential, parameters --.
 *     bytes <-- reply <-- handler, on the loop, a worker or the writer <---'
 *
 * One call a process to edge_init(); then each loop thread has a struct edge_loop.
 */
#ifndef HTTP_EDGE_H
#define HTTP_EDGE_H

#include <h2o.h>

#include "server/base/conf.h"
#include "server/base/pool.h"
#include "server/http/proxy.h"
#include "server/http/send.h"

struct edge_conf {
    struct pool *pool; /* runs ON_WORKER, and what has something to prepare */
    size_t cache_size; /* bytes */
    int64_t
        rate_limit; /* requests a minute and address that the cache cannot answer; 0: no limit */
    struct networks trusted; /* proxies whose Forwarded is believed */
    struct conf_list cors;   /* its texts must live as long as the process */
    bool log_requests;
    const char *
        edge_of; /* "" or the server whose content alone is shown: nothing can be changed here */
};

void edge_init(const struct edge_conf *conf); /* after routes_set(), before the loops */
struct edge_loop {
    h2o_multithread_receiver_t home; /* where requests come back to from other threads */
    int away; /* how many are out; the loop must not end before they are back */
    h2o_loop_t *loop;
    h2o_timeout_t prompt; /* of routes that have a prompt */
};

/* On the loop's own thread. */
void edge_loop_init(struct edge_loop *loop, h2o_context_t *ctx);
/* After the pool and the writer have ended: one of them may still be ringing the loop's bell
 * when `away` is 0. */
void edge_loop_done(struct edge_loop *loop);

/* Registers the three hosts, one an origin; an h2o_accept_ctx_t takes its own as
 * {hosts[origin], NULL}. */
void edge_install(h2o_globalconf_t *global, h2o_hostconf_t *hosts[ORIGIN_COUNT]);

#endif
