/*
 * listen.c - tjzw_listen: hints (docs/protocol/events.md) on one connection, syncs on others.
 *
 *     connect --> events --> a head that is not held: wait a random part of `spread` --> sync to its twin
 *        ^          |  ended, cut, silent for 60 s
 *        +-- wait --+  longer after each attempt that brought nothing; meanwhile poll
 *
 * The transport calls `stop` several times a second while it waits for bytes; that is where hints that have
 * ripened and polls that are due are seen to, and what a person of this phone has written, on the transport's other connections. So an event that comes
 * while another one ripens takes its place, and one sync runs at a time.
 */
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "clients/c/builtin.h"
#include "clients/c/count.h"
#include "clients/c/events.h"
#include "clients/c/exchange.h"
#include "clients/c/sync.h"

enum {
    SILENT_S = 60,
    CONNECT_S = 10,
    RETRY_MS = 5000,
    RETRY_MOST_MS = 300000,
    LOCKED_MS = 1000,
    LOOK_MS = 1000, /* at what was written, by whichever process, and what is due */
    POLL_S = 60,
    SPREAD_MOST_S = 3600,
    STREAMS = WIRE_STREAMS_MAX,
};

struct heard {
    char stream[WIRE_STREAM_MAX + 1];
    char twin[WIRE_URL_MAX]; /* a hint that ripens; "": none */
    uint64_t list;           /* a list that a hint told of; 0: none */
    uint64_t ripe;           /* ms: when they are to be followed */
    uint64_t last, poll;     /* ms: when a sync last ended; when the next poll is due */
    uint64_t fresh_until;    /* ms: when the lease of the head held runs out */
    uint32_t failures;
};

struct listener {
    struct tjzw *t;
    const struct tjzw_listen_options *options;
    uint64_t deadline; /* ms; 0: none */
    bool enough;       /* `synced` asked to stop */
    struct heard streams[STREAMS];
    size_t n;
    uint64_t look; /* ms: when to see to who is on this phone */
    bool asks;     /* whether or not something is due for him … */
    bool unheard;  /* … because the last time failed, and the network is back */
    bool again;    /* it listened before: what was told since then is told nobody twice */
    bool nameless; /* his token was refused: hints come without it, until he has another */
    char server[512], cacert[512];
    struct events events;
    int status;
    bool lively; /* this connection brought an event or a heartbeat */
    uint32_t retry_after;
    unsigned barren; /* attempts in a row that brought nothing */
};

static bool over(const struct listener *l)
{
    return l->enough || atomic_load(&l->t->stop) ||
           (l->deadline && link_now_ms() >= l->deadline);
}

/* ---- syncing ---- */

/* How long the head that is held may be called fresh, and how often it may be asked for. */
static void plan_poll(struct listener *l, struct heard *h, uint32_t wait)
{
    struct tjzw_status s;
    uint64_t fresh = 0;

    if (!tjzw_status(l->t, h->stream, &s, NULL))
        fresh = s.fresh_for;
    h->last = link_now_ms();
    h->fresh_until = h->last + 1000 * fresh;
    h->poll = h->last + 1000 * (uint64_t)(wait ? wait : POLL_S);
}

struct twin_run {
    const char *stream, *twin;
};

static enum tjzw_code run_one(struct link *k, const void *what, struct tjzw_sync_result *out,
                              struct tjzw_error *e)
{
    const struct twin_run *one = what;
    const struct run run = { .twin = one->twin };
    struct stream s;
    enum tjzw_code rc;

    if (!(rc = stream_begin(k->t, e)) && !(rc = stream_find(k->t, one->stream, &s, e)))
        rc = sync_stream(k, &s, &run, out, e);
    return rc || !out->changed ? rc : blob_weed(k->t, e);
}

static struct tjzw_sync_options limits(const struct listener *l)
{
    uint64_t now = link_now_ms(), left = l->deadline > now ? l->deadline - now : 0;

    return (struct tjzw_sync_options){
        .connect_timeout = l->options->connect_timeout,
        .idle_timeout = l->options->idle_timeout,
        .timeout = l->deadline ? 1 + (uint32_t)(left / 1000) : 0,
    };
}

/* One sync. With a twin: what it leads to nothing with is dropped, and nobody need hear of it. */
static void sync_one(struct listener *l, struct heard *h, const char *twin)
{
    const struct tjzw_sync_options how = limits(l);
    const struct twin_run one = { h->stream, twin };
    struct tjzw_sync_result result;
    struct tjzw_error e = { 0 };
    enum tjzw_code rc = link_run(l->t, &how, run_one, &one, &result, &e);

    h->failures = rc ? h->failures + 1 : 0;
    plan_poll(l, h,
              rc ? follow_backoff(result.wait ? result.wait : POLL_S, h->failures,
                                  randombytes_random())
                 : result.wait);
    if (rc == TJZW_LOCKED)
        h->poll = h->last + LOCKED_MS; /* what the other one gets is ours as well */
    if (!(rc && twin) && rc != TJZW_STOPPED && rc != TJZW_LOCKED && l->options->synced)
        l->enough = l->options->synced(l->options->ctx, h->stream, &result, rc, &e);
}

/* While hints come, a poll is for when the lease has run out. */
static bool poll_is_due(const struct listener *l, const struct heard *h, uint64_t now)
{
    return now >= h->poll && (h->last == 0 || h->failures > 0 || l->status != 200 ||
                              !l->lively || now >= h->fresh_until);
}

/* The number of the list that is held; 0: none. */
static uint64_t list_held(struct listener *l, const char *stream)
{
    char *text = malloc(WIRE_HEADS_MAX);
    struct follow_store store;
    struct wire_heads list;
    struct wire_note note;
    struct sync_err ignored;
    struct stream s;
    size_t n, notes;
    uint64_t counter = 0;

    if (!text)
        abort();
    if (!stream_find(l->t, stream, &s, NULL)) {
        store = stream_store(&s);
        if (!store.get(&s, &ignored, FOLLOW_HEADS, text, WIRE_HEADS_MAX, &n) && n &&
            !wire_heads_parse(&ignored, text, n, &list, &note, &notes))
            counter = list.counter;
    }
    free(text);
    return counter;
}

/* A twin brings no list: what a hint says of that is asked for by a sync of its own. */
static void see_to_list(struct listener *l, struct heard *h)
{
    uint64_t list = h->list;

    h->list = 0;
    if (list_held(l, h->stream) < list)
        sync_one(l, h, NULL);
}

static bool person_is_due(const struct listener *l)
{
    int64_t now = l->t->clock();

    return l->asks ? exchange_wanted(l->t)
                   : exchange_due(l->t, now) <= now || count_due(l->t) <= now;
}

/*
 * What a person wrote goes up when it is there; what is new comes down when one begins to listen, when the server says that there is something ("me"), and by its
 * `poll`. What it brings, tjzw_on_change tells.
 */
static void see_to_person(struct listener *l)
{
    const struct tjzw_sync_options how = limits(l);
    struct tjzw_error unheard;
    enum tjzw_code rc = TJZW_OK;

    if (l->options->stream || link_now_ms() < l->look)
        return;
    if (person_is_due(l))
        rc = link_run(l->t, &how, sync_me, NULL, NULL, &unheard);
    l->nameless = l->nameless && rc;
    l->asks = l->asks && rc == TJZW_LOCKED;
    l->unheard = rc == TJZW_NET;
    l->look = link_now_ms() + (rc && rc != TJZW_LOCKED ? POLL_S * 1000 : LOOK_MS);
}

static void see_to(struct listener *l)
{
    for (size_t i = 0; i < l->n && !over(l); i++) {
        struct heard *h = &l->streams[i];
        uint64_t now = link_now_ms();
        char twin[WIRE_URL_MAX];

        if (h->twin[0] && now >= h->ripe) {
            memcpy(twin, h->twin, sizeof twin);
            h->twin[0] = '\0';
            sync_one(l, h, twin);
        } else if (h->list && now >= h->ripe) {
            see_to_list(l, h);
        } else if (poll_is_due(l, h, now)) {
            sync_one(l, h, NULL);
        }
    }
    if (!over(l))
        see_to_person(l);
}

/* The transport's `stop`. */
static bool pump(void *ctx)
{
    struct listener *l = ctx;

    see_to(l);
    return over(l);
}

/* ---- events ---- */

static bool is_held(struct listener *l, const struct wire_url *twin)
{
    struct wire_note signatures;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    struct stream s;
    size_t n;

    return !stream_find(l->t, twin->stream, &s, NULL) &&
           !stream_head(&s, &head, note, &n, &signatures, NULL) && head.epoch == twin->epoch &&
           head.seq == twin->seq && head.sign == twin->sign;
}

static void on_event(void *ctx, const struct event *event)
{
    struct listener *l = ctx;
    struct hint hint;
    bool held;

    if (strcmp(event->type, "me") == 0) {
        l->asks = true;
        l->look = 0;
        return;
    }
    if (!event_hint(event, &hint))
        return;
    held = is_held(l, &hint.twin);
    if (held && !hint.list)
        return;
    for (size_t i = 0; i < l->n; i++) {
        struct heard *h = &l->streams[i];
        uint32_t most =
            (uint32_t)(hint.spread < SPREAD_MOST_S ? hint.spread : SPREAD_MOST_S) * 1000;
        uint64_t ripe = link_now_ms() + randombytes_uniform(most + 1);

        if (strcmp(h->stream, hint.twin.stream) != 0)
            continue;
        if ((!h->twin[0] && !h->list) || ripe < h->ripe)
            h->ripe = ripe; /* a later hint does not put the first one off */
        h->list = hint.list;
        if (!held)
            wire_url_print(&hint.twin, h->twin);
    }
}

static void on_status(struct tjzw_request *r, int status)
{
    struct listener *l = r->ctx;

    l->status = status;
    l->nameless = l->nameless || status == 401;
    if (((l->unheard || l->again) && status == 200) || status == 401) {
        l->asks = true;
        l->look = 0;
    }
}

static void on_header(struct tjzw_request *r, const char *name, const char *value)
{
    struct listener *l = r->ctx;

    if (strcasecmp(name, "retry-after") == 0 && value[0] >= '0' && value[0] <= '9')
        l->retry_after = (uint32_t)strtoul(value, NULL, 10);
}

static int on_body(struct tjzw_request *r, const void *bytes, size_t n)
{
    struct listener *l = r->ctx;

    if (l->status != 200)
        return 1; /* a refusal; its body says nothing that is needed, and may have no end */
    l->lively = true;
    return !events_take(&l->events, bytes, n, on_event, l);
}

/* ---- the connection ---- */

/* Whose news he wants to hear of as well: his token goes to the server that gave it, and to no other. False: nobody's. */
static bool name_him(struct listener *l, char *out, size_t room)
{
    struct person p;

    if (l->nameless || l->options->stream || person_here(l->t, &p, NULL) || !p.no ||
        !p.access[0] || strcmp(p.url, l->server) != 0)
        return false;
    snprintf(out, room, "Authorization: Bearer %s", p.access);
    return true;
}

/* One connection to its end. */
static void attend(struct listener *l)
{
    struct tjzw_transport transport = l->t->transport;
    const char *stream = l->options->stream;
    char url[sizeof l->server + 64], id[EVENT_ID_MAX + 32];
    const char *headers[4] = { "Accept: text/event-stream" };
    char bearer[TOKEN_MAX + 32];
    int n = 1;
    struct tjzw_request r = { .url = url,
                              .headers = headers,
                              .on_status = on_status,
                              .on_header = on_header,
                              .on_body = on_body,
                              .ctx = l };

    snprintf(url, sizeof url, "%s/v1/events%s%s", l->server, stream ? "?stream=" : "",
             stream ? stream : "");
    snprintf(id, sizeof id, "Last-Event-ID: %s", l->events.id);
    if (l->events.id[0])
        headers[n++] = id;
    if (name_him(l, bearer, sizeof bearer))
        headers[n++] = bearer;
    l->status = 0;
    l->lively = false;
    l->retry_after = 0;
    events_begin(&l->events);
    if (!transport.get) {
        l->t->events = l->t->events ? l->t->events : builtin_open();
        transport = builtin_transport(l->t->events);
        net_configure(l->t->events, l->cacert[0] ? l->cacert : NULL,
                      l->options->connect_timeout ? l->options->connect_timeout : CONNECT_S,
                      SILENT_S);
    }
    transport.get(transport.ctx, &r, 1, pump, l);
    l->barren = l->lively ? 0 : l->barren + 1;
    l->again = l->again || l->status == 200;
}

static uint64_t until_next(const struct listener *l)
{
    uint64_t ms = l->events.retry_ms ? l->events.retry_ms : RETRY_MS;

    if (l->retry_after) {
        ms = 1000 * (uint64_t)(l->retry_after < 86400 ? l->retry_after : 86400);
        return ms + randombytes_uniform((uint32_t)(ms / 4) + 1);
    }
    for (unsigned i = 1; i < l->barren && ms < RETRY_MOST_MS; i++)
        ms *= 2;
    ms = ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
    return ms + randombytes_uniform((uint32_t)(ms / 2) + 1);
}

static void rest(struct listener *l, uint64_t ms)
{
    const struct timespec step = { .tv_nsec = 50 * 1000000L };
    uint64_t until = link_now_ms() + ms;

    l->status = 0;
    while (link_now_ms() < until && !pump(l))
        nanosleep(&step, NULL);
}

/* ---- tjzw_listen ---- */

/* The streams of one server: all of it, or the one. */
static enum tjzw_code choose(struct listener *l, struct tjzw_error *e)
{
    const char *only = l->options->stream;
    struct stream s = { 0 };
    enum tjzw_code rc;

    if ((rc = stream_begin(l->t, e)))
        return rc;
    while (!(rc = stream_next(l->t, s.no, &s, e)) && s.no && l->n < STREAMS) {
        if (only && strcmp(only, s.name) != 0)
            continue;
        if (l->n == 0) {
            memcpy(l->server, s.url, sizeof l->server);
            memcpy(l->cacert, s.cacert, sizeof l->cacert);
        }
        if (strcmp(s.url, l->server) == 0)
            memcpy(l->streams[l->n++].stream, s.name, sizeof s.name);
    }
    if (!rc && l->n == 0)
        rc = fail_with(e, TJZW_NOT_FOUND, "%s is not followed", only ? only : "no stream");
    return rc;
}

enum tjzw_code tjzw_listen(struct tjzw *t, const struct tjzw_listen_options *options,
                           struct tjzw_error *e)
{
    static const struct tjzw_listen_options defaults;
    struct listener *l = calloc(1, sizeof *l);
    enum tjzw_code rc;

    if (!l)
        abort();
    atomic_store(&t->stop, false);
    l->t = t;
    l->asks = true;
    l->options = options ? options : &defaults;
    if (l->options->seconds)
        l->deadline = link_now_ms() + 1000 * (uint64_t)l->options->seconds;
    if (!(rc = choose(l, e))) {
        see_to(l);
        while (!over(l)) {
            attend(l);
            if (!over(l))
                rest(l, until_next(l));
        }
        if (atomic_load(&t->stop))
            rc = fail_with(e, TJZW_STOPPED, "stopped");
    }
    free(l);
    return rc;
}
