/*
 * sync.c - tjzw_sync: the pull engine run on a stream, with the store at one end and a
 * transport at the other.
 *
 * The engine speaks of paths and ETags, a transport of URLs and header lines; the link between
 * them lives here, with the time limit and the stop flag, which both look at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "clients/c/net.h"
#include "clients/c/store.h"

enum { HEADERS_MOST = 4, HEADER_ROOM = 192, CONNECT_S = 10, IDLE_S = 20 };

struct link {
    struct tjzw *t;
    const struct stream *stream;
    const struct tjzw_sync_options *options;
    struct tjzw_transport transport;
    uint64_t deadline;    /* ms of the monotonic clock; 0: none */
    bool untrusted;       /* some request failed at the server's certificate */
    enum sync_rc body_rc; /* of the body that ended a batch */
    struct sync_err body_err;
};

/* One get of the engine as a request of the transport. */
struct carried {
    struct link *link;
    struct follow_get *get;
    char url[700];
    char lines[HEADERS_MOST][HEADER_ROOM];
    const char *headers[HEADERS_MOST + 1];
    size_t nheaders;
};

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool must_stop(void *ctx)
{
    const struct link *l = ctx;

    return atomic_load(&l->t->stop) || (l->deadline && now_ms() >= l->deadline);
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
    struct follow_get *g = ((struct carried *)r->ctx)->get;

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

static enum sync_rc link_get(void *ctx, struct sync_err *e, struct follow_get *gets, size_t n)
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
    l->transport.get(l->transport.ctx, requests, n, must_stop, l);
    for (size_t i = 0; i < n; i++)
        conclude(l, &requests[i], &gets[i]);
    free(requests);
    free(carried);
    if (l->body_rc) {
        *e = l->body_err;
        return l->body_rc;
    }
    return must_stop(l) ? sync_err_set(e, SYNC_CANCELLED, "stopped, or out of time") : SYNC_OK;
}

/* In steps, so that tjzw_stop and the time limit are heard. */
static enum sync_rc link_wait(void *ctx, struct sync_err *e, uint32_t ms)
{
    enum { STEP = 50 };
    const struct timespec step = { .tv_nsec = STEP * 1000000L };
    uint64_t until = now_ms() + ms;

    while (now_ms() < until && !must_stop(ctx))
        nanosleep(&step, NULL);
    return must_stop(ctx) ? sync_err_set(e, SYNC_CANCELLED, "stopped, or out of time")
                          : SYNC_OK;
}

static bool on_progress(void *ctx, const struct follow_progress *p)
{
    struct link *l = ctx;
    struct tjzw_progress out = { (enum tjzw_phase)p->phase, p->bytes, p->bytes_expected,
                                 p->records, p->records_expected };

    return must_stop(l) ||
           (l->options->progress && l->options->progress(l->options->ctx, &out));
}

/* ---- a run ---- */

static void take_numbers(struct tjzw_sync_result *out, const struct follow_result *r)
{
    out->changed |= r->changed;
    out->first_use |= r->first_use;
    out->started_over |= r->repaired;
    out->records += r->records;
    out->requests += r->requests;
    out->bytes_down += r->bytes_down;
    out->bytes_up += r->bytes_up;
    out->wait = out->wait > r->wait ? out->wait : r->wait;
    wire_hex(r->trust, sizeof r->trust, out->trust);
    if (r->head.epoch)
        wire_cursor_print((struct wire_cursor){ r->head.epoch, r->head.seq }, out->cursor);
}

static enum tjzw_code note_checked(struct stream *s, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(s->t, STMT_STREAM_CHECKED, e);

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s->no);
    sqlite3_bind_int64(q, 2, (int64_t)time(NULL));
    return store_run(s->t, q, e);
}

static enum tjzw_code sync_stream(struct link *l, struct stream *s,
                                  struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    struct follow_transport transport = { l, link_get, link_wait };
    struct follow_options options = {
        .stream = s->name,
        .trust = s->has_trust ? s->trust : NULL,
        .encoding = WIRE_ZSTD,
        .repair = s->damaged,
        .progress = on_progress,
        .progress_ctx = l,
    };
    struct follow_result result;
    struct sync_err why = { 0 };
    enum tjzw_code code;
    enum sync_rc rc;

    l->stream = s;
    if (l->t->net)
        net_configure(l->t->net, s->cacert[0] ? s->cacert : NULL,
                      l->options->connect_timeout ? l->options->connect_timeout : CONNECT_S,
                      l->options->idle_timeout ? l->options->idle_timeout : IDLE_S);
    rc = follow_run(&why, &store, &transport, &options, &result);
    take_numbers(out, &result);
    if (rc == SYNC_NET && l->untrusted)
        return fail_with(e, TJZW_TLS, "%s", why.text);
    if (rc)
        return fail_sync(e, &why);
    code = stream_keep(s, e);
    return code ? code : note_checked(s, e);
}

static enum tjzw_code sync_streams(struct link *l, struct tjzw_sync_result *out,
                                   struct tjzw_error *e)
{
    struct stream s = { 0 };
    enum tjzw_code rc;
    bool any = false;

    if (l->options->stream) {
        rc = stream_find(l->t, l->options->stream, &s, e);
        return rc ? rc : sync_stream(l, &s, out, e);
    }
    while (!(rc = stream_next(l->t, s.no, &s, e)) && s.no) {
        any = true;
        if ((rc = sync_stream(l, &s, out, e)))
            return rc;
    }
    return rc || any ? rc : fail_with(e, TJZW_NOT_FOUND, "no stream is followed");
}

enum tjzw_code tjzw_sync(struct tjzw *t, const struct tjzw_sync_options *options,
                         struct tjzw_sync_result *out, struct tjzw_error *e)
{
    static const struct tjzw_sync_options defaults;
    struct link l = { .t = t,
                      .options = options ? options : &defaults,
                      .transport = t->transport };
    struct tjzw_sync_result ignored;
    uint64_t began = now_ms();
    enum tjzw_code rc;
    int lock;

    out = out ? out : &ignored;
    *out = (struct tjzw_sync_result){ 0 };
    atomic_store(&t->stop, false);
    if ((rc = store_lock(t, &lock, e)))
        return rc;
    if (!l.transport.get) {
        t->net = t->net ? t->net : net_open();
        l.transport = (struct tjzw_transport){ t->net, net_get };
    }
    l.deadline = l.options->timeout ? began + (uint64_t)l.options->timeout * 1000 : 0;
    if (!(rc = stream_begin(t, e)))
        rc = sync_streams(&l, out, e);
    out->ms = now_ms() - began;
    close(lock);
    return rc;
}

void tjzw_stop(struct tjzw *t)
{
    atomic_store(&t->stop, true);
}
