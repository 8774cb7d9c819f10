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
#include <time.h>
#include <unistd.h>

#include "clients/c/builtin.h"
#include "clients/c/link.h"
#include "sync/follow_http.h"

enum { CONNECT_S = 10, IDLE_S = 20 };

/* One get of the engine as a request of the transport. */
struct carried {
    struct link *link;
    struct follow_get *get;
    struct follow_question question;
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

/* ---- a get as a request ---- */

static void on_status(struct tjzw_request *r, int status)
{
    follow_take_status(((struct carried *)r->ctx)->get, status);
}

static void on_header(struct tjzw_request *r, const char *name, const char *value)
{
    follow_take_header(((struct carried *)r->ctx)->get, name, value);
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
    struct tjzw_trace trace = { g->path, g->status, r->bytes_down, r->bytes_up, r->ms, "GET" };

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
        follow_ask_http(&gets[i], l->stream->url, &carried[i].question);
        requests[i] = (struct tjzw_request){ .url = carried[i].question.url,
                                             .headers = carried[i].question.headers,
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

static enum tjzw_code begin(struct link *l, struct tjzw *t,
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
        l->t->net = l->t->net ? l->t->net : builtin_open();
        l->transport = builtin_transport(l->t->net);
    }
    l->deadline = seconds ? l->began + (uint64_t)seconds * 1000 : 0;
}

void link_trust(struct link *l, const char *cacert)
{
    const struct tjzw_sync_options *o = l->options;

    if (l->t->net)
        net_configure(l->t->net, cacert[0] ? cacert : NULL,
                      o->connect_timeout ? o->connect_timeout : CONNECT_S,
                      o->idle_timeout ? o->idle_timeout : IDLE_S);
}

void link_to(struct link *l, const struct stream *s)
{
    l->stream = s;
    l->untrusted = false;
    link_trust(l, s->cacert);
}

enum tjzw_code link_run(struct tjzw *t, const struct tjzw_sync_options *options, link_fn *run,
                        const void *what, struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct tjzw_sync_result ignored;
    struct link l;
    enum tjzw_code rc;

    out = out ? out : &ignored;
    *out = (struct tjzw_sync_result){ 0 };
    if ((rc = begin(&l, t, options, e)))
        return rc;
    rc = run(&l, what, out, e);
    out->ms = link_now_ms() - l.began;
    store_forget_log(t);
    close(l.lock);
    return rc;
}
