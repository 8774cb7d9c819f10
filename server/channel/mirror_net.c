/*
 * mirror_net.c - the pull engine's gets as requests of sync/net: what the client library's link is there.
 *
 * Nobody signed a Retry-After, and takedowns must be followed: an hour is the most that one may ask for.
 */
#include "server/channel/mirror_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "sync/follow_http.h"
#include "sync/net.h"

enum { CONNECT_S = 10, SILENT_S = 20, RETRY_MOST_S = 3600 };

struct mirror_net {
    struct net *net;
    const atomic_bool *stop;
    char url[512];
    uint32_t retry;
    struct sync_err refused; /* by the body of a get */
};

/* A get under way. */
struct flight {
    struct mirror_net *mirror;
    struct follow_get *get;
    struct follow_question question;
};

static uint64_t now_ms(void)
{
    return (uint64_t)clock_mono_us() / 1000;
}

struct mirror_net *mirror_net_new(const struct conf *c, const atomic_bool *stop)
{
    struct mirror_net *n = calloc(1, sizeof *n);

    if (!n)
        memory_end();
    n->net = net_open("tjzw/" TJZW_VERSION, now_ms);
    net_proxy(n->net, c->outbound_proxy, c->outbound_proxy_secret, c->outbound_direct);
    n->stop = stop;
    return n;
}

void mirror_net_free(struct mirror_net *n)
{
    if (!n)
        return;
    net_close(n->net);
    free(n);
}

void mirror_net_to(struct mirror_net *n, const char *url, const char *cacert)
{
    snprintf(n->url, sizeof n->url, "%s", url);
    if (*n->url && n->url[strlen(n->url) - 1] == '/')
        n->url[strlen(n->url) - 1] = '\0';
    net_configure(n->net, cacert, CONNECT_S, SILENT_S);
}

uint32_t mirror_net_retry(struct mirror_net *n)
{
    uint32_t retry = n->retry;

    n->retry = 0;
    return retry;
}

/* ---- from answer to get ---- */

static void on_status(void *ctx, int status)
{
    follow_take_status(((struct flight *)ctx)->get, status);
}

static void on_header(void *ctx, const char *name, const char *value)
{
    struct flight *f = ctx;

    follow_take_header(f->get, name, value);
    if (f->get->retry_after > RETRY_MOST_S)
        f->get->retry_after = RETRY_MOST_S;
    if (f->get->retry_after > f->mirror->retry)
        f->mirror->retry = f->get->retry_after;
}

static int on_body(void *ctx, const void *bytes, size_t n)
{
    struct flight *f = ctx;
    struct sync_err *refused = &f->mirror->refused;

    refused->rc = f->get->body(f->get, refused, bytes, n);
    return refused->rc != SYNC_OK;
}

static void conclude(const struct net_request *r, struct follow_get *g)
{
    g->bytes_down = r->bytes_down;
    g->bytes_up = r->bytes_up;
    if (r->whole && g->status)
        g->err.rc = SYNC_OK;
    else
        (void)sync_err_set(&g->err, SYNC_NET, "%s", r->why);
}

/* ---- the engine's transport ---- */

static bool must_stop(void *ctx)
{
    const struct mirror_net *n = ctx;

    return atomic_load(n->stop);
}

static enum sync_rc get(void *ctx, struct sync_err *e, struct follow_get *gets, size_t count)
{
    struct mirror_net *n = ctx;
    struct net_request *requests = calloc(count + 1, sizeof *requests);
    struct flight *flights = calloc(count + 1, sizeof *flights);

    if (!requests || !flights)
        memory_end();
    for (size_t i = 0; i < count; i++) {
        flights[i].mirror = n;
        flights[i].get = &gets[i];
        gets[i].status = 0;
        follow_ask_http(&gets[i], n->url, &flights[i].question);
        requests[i] = (struct net_request){ .url = flights[i].question.url,
                                            .headers = flights[i].question.headers,
                                            .on_status = on_status,
                                            .on_header = on_header,
                                            .on_body = on_body,
                                            .ctx = &flights[i] };
    }
    n->refused.rc = SYNC_OK;
    net_get(n->net, requests, count, must_stop, n);
    for (size_t i = 0; i < count; i++)
        conclude(&requests[i], &gets[i]);
    free(requests);
    free(flights);
    if (n->refused.rc) {
        *e = n->refused;
        return e->rc;
    }
    return must_stop(n) ? sync_err_set(e, SYNC_CANCELLED, "stopped") : SYNC_OK;
}

static enum sync_rc wait(void *ctx, struct sync_err *e, uint32_t ms)
{
    struct mirror_net *n = ctx;
    uint64_t until = now_ms() + ms;

    while (now_ms() < until && !must_stop(n))
        usleep(20 * 1000);
    return must_stop(n) ? sync_err_set(e, SYNC_CANCELLED, "stopped") : SYNC_OK;
}

struct follow_transport mirror_net_transport(struct mirror_net *n)
{
    return (struct follow_transport){ .ctx = n, .get = get, .wait = wait };
}
