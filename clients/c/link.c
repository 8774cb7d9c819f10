/*
 * link.c - the pull engine at one end, a transport at the other.
 *
 * The engine speaks of paths and ETags, a transport of URLs and header lines; the link between
 * them lives here, with the time limit and the stop flag, which both look at. Blobs are fetched
 * through it as well.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "clients/c/link.h"
#include "clients/c/net.h"

enum { HEADERS_MOST = 4, HEADER_ROOM = 192, CONNECT_S = 10, IDLE_S = 20 };

/* One get of the engine as a request of the transport. */
struct carried {
    struct link *link;
    struct follow_get *get;
    char url[700];
    char lines[HEADERS_MOST][HEADER_ROOM];
    const char *headers[HEADERS_MOST + 1];
    size_t nheaders;
};

uint64_t link_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool link_must_stop(void *ctx)
{
    const struct link *l = ctx;

    return atomic_load(&l->t->stop) || (l->deadline && link_now_ms() >= l->deadline);
}

/* ---- from get to request ---- */

static void add_header(struct carried *c, const char *name, const char *value)
{
    snprintf(c->lines[c->nheaders], HEADER_ROOM, "%s: %s", name, value);
    c->headers[c->nheaders] = c->lines[c->nheaders];
    c->nheaders++;
}

static void question(struct carried *c, const char *server)
{
    char range[48];

    snprintf(c->url, sizeof c->url, "%s%s", server, c->get->path);
    if (c->get->from > 0) {
        snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)c->get->from);
        add_header(c, "Range", range);
        add_header(c, "If-Range", c->get->if_range);
    }
    if (c->get->if_none)
        add_header(c, "If-None-Match", c->get->if_none);
    if (c->get->past_caches)
        add_header(c, "Cache-Control", "no-cache");
}

/* ---- from answer to get ---- */

static void on_status(struct tjzw_request *r, int status)
{
    struct carried *c = r->ctx;
    struct follow_get *g = c->get;

    c->link->length = 0;
    g->status = status;
    g->range_from = 0;
    g->retry_after = 0;
    g->etag[0] = '\0';
}

static void on_header(struct tjzw_request *r, const char *name, const char *value)
{
    struct follow_get *g = ((struct carried *)r->ctx)->get;
    unsigned long long from;

    if (strcasecmp(name, "etag") == 0 && value[0] == '"' && strlen(value) < sizeof g->etag)
        strcpy(g->etag, value);
    else if (strcasecmp(name, "content-range") == 0 && sscanf(value, "bytes %llu-", &from) == 1)
        g->range_from = from;
    else if (strcasecmp(name, "content-length") == 0)
        ((struct carried *)r->ctx)->link->length = strtoull(value, NULL, 10);
    else if (strcasecmp(name, "retry-after") == 0 && value[0] >= '0' && value[0] <= '9')
        g->retry_after = (uint32_t)strtoul(value, NULL, 10);
}

static int on_body(struct tjzw_request *r, const void *bytes, size_t n)
{
    struct carried *c = r->ctx;
    struct link *l = c->link;

    l->body_rc = c->get->body(c->get, &l->body_err, bytes, n);
    return l->body_rc != SYNC_OK;
}

static void conclude(struct link *l, const struct tjzw_request *r, struct follow_get *g)
{
    struct tjzw_trace trace = { g->path, g->status, r->bytes_down, r->bytes_up, r->ms };

    g->bytes_down = r->bytes_down;
    g->bytes_up = r->bytes_up;
    if (r->whole && g->status)
        g->err.rc = SYNC_OK;
    else
        (void)sync_err_set(&g->err, SYNC_NET, "%s", r->why);
    l->untrusted |= r->untrusted;
    if (l->options->trace)
        l->options->trace(l->options->ctx, &trace);
}

enum sync_rc link_get(void *ctx, struct sync_err *e, struct follow_get *gets, size_t n)
{
    struct link *l = ctx;
    struct tjzw_request *requests = calloc(n, sizeof *requests);
    struct carried *carried = calloc(n, sizeof *carried);

    if (!requests || !carried)
        abort();
    for (size_t i = 0; i < n; i++) {
        carried[i].link = l;
        carried[i].get = &gets[i];
        question(&carried[i], l->stream->url);
        requests[i] = (struct tjzw_request){ .url = carried[i].url,
                                             .headers = carried[i].headers,
                                             .on_status = on_status,
                                             .on_header = on_header,
                                             .on_body = on_body,
                                             .ctx = &carried[i] };
        snprintf(requests[i].why, sizeof requests[i].why, "not asked");
    }
    l->body_rc = SYNC_OK;
    l->transport.get(l->transport.ctx, requests, n, link_must_stop, l);
    for (size_t i = 0; i < n; i++)
        conclude(l, &requests[i], &gets[i]);
    free(requests);
    free(carried);
    if (l->body_rc) {
        *e = l->body_err;
        return l->body_rc;
    }
    return link_must_stop(l) ? sync_err_set(e, SYNC_CANCELLED, "stopped, or out of time")
                             : SYNC_OK;
}

/* In steps, so that tjzw_stop and the time limit are heard. */
enum sync_rc link_wait(void *ctx, struct sync_err *e, uint32_t ms)
{
    enum { STEP = 50 };
    const struct timespec step = { .tv_nsec = STEP * 1000000L };
    uint64_t until = link_now_ms() + ms;

    while (link_now_ms() < until && !link_must_stop(ctx))
        nanosleep(&step, NULL);
    return link_must_stop(ctx) ? sync_err_set(e, SYNC_CANCELLED, "stopped, or out of time")
                               : SYNC_OK;
}

bool link_progress(void *ctx, const struct follow_progress *p)
{
    struct link *l = ctx;
    struct tjzw_progress out = { (enum tjzw_phase)p->phase, p->bytes, p->bytes_expected,
                                 p->records, p->records_expected };

    return link_must_stop(l) ||
           (l->options->progress && l->options->progress(l->options->ctx, &out));
}

/* ---- from one call of the library to its end ---- */

enum tjzw_code link_open(struct link *l, struct tjzw *t,
                         const struct tjzw_sync_options *options, struct tjzw_error *e)
{
    static const struct tjzw_sync_options defaults;
    enum tjzw_code rc;

    *l = (struct link){ .t = t,
                        .options = options ? options : &defaults,
                        .transport = t->transport,
                        .began = link_now_ms(),
                        .lock = -1 };
    if ((rc = store_lock(t, &l->lock, e)))
        return rc;
    link_attach(l);
    return TJZW_OK;
}

void link_attach(struct link *l)
{
    uint32_t seconds = l->options->timeout;

    if (!l->transport.get) {
        l->t->net = l->t->net ? l->t->net : net_open();
        l->transport = (struct tjzw_transport){ l->t->net, net_get };
    }
    l->deadline = seconds ? l->began + (uint64_t)seconds * 1000 : 0;
}

void link_to(struct link *l, const struct stream *s)
{
    const struct tjzw_sync_options *o = l->options;

    l->stream = s;
    l->untrusted = false;
    if (l->t->net)
        net_configure(l->t->net, s->cacert[0] ? s->cacert : NULL,
                      o->connect_timeout ? o->connect_timeout : CONNECT_S,
                      o->idle_timeout ? o->idle_timeout : IDLE_S);
}

void link_close(struct link *l)
{
    if (l->lock >= 0)
        close(l->lock);
    l->lock = -1;
}
