/*
 * events.c - a head was shown: whoever listens is told where its twin stands.
 *
 *     head.c --(writer thread)--> one event --> sse.c --> phones, spread over hint_spread
 *
 * The same hint comes again, with the number of the list, when something else of the stream is withheld.
 *
 * A hint names what is to be fetched and carries nothing of it: so it needs no signature, may be lost, doubled
 * or forged, and the worst it does is one request more. The twin's URL is new
 * with every head, so no cache on the way answers with the head before.
 */
#include "api/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "push/live.h"
#include "server/base/clock.h"
#include "server/citizen/entry.h"
#include "server/http/sse.h"
#include "server/identity/credential.h"
#include "server/identity/party.h"
#include "server/identity/role.h"
#include "server/identity/session.h"
#include "server/identity/staff_device.h"
#include "sync/heads.h"
#include "sync/live.h"
#include "sync/wire.h"

enum { RETRY_LEAST = 30, RETRY_SPREAD = 60 }; /* seconds */

const struct param event_params[] = {
    { "stream", P_TEXT, 1, WIRE_STREAM_MAX, "只要这个数据流的提示；不给则全部" }, { 0 }
};

static struct sse *hints;
static int64_t spread_s; /* what phones are told to wait, at most */

/* What is told of a stream; the writer thread's. */
static struct told {
    struct wire_head head; /* epoch 0: none yet */
    uint64_t list; /* the list since which something else is withheld; 0: as at the start */
} told[SSE_TOPICS];

static struct told *told_of(const char *stream)
{
    for (size_t i = 0; i < SSE_TOPICS; i++) {
        if (!told[i].head.epoch)
            snprintf(told[i].head.stream, sizeof told[i].head.stream, "%s", stream);
        if (!strcmp(told[i].head.stream, stream))
            return &told[i];
    }
    return NULL;
}

static void publish(const struct told *t)
{
    const struct wire_head *h = &t->head;
    char twin[SSE_WORD_MAX + 1], id[SSE_WORD_MAX + 1 + 24], list[40] = "";
    char data[320 + 2 * WIRE_STREAM_MAX];

    snprintf(twin, sizeof twin, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, h->epoch, h->seq, h->sign);
    strcpy(id, twin);
    if (t->list) {
        snprintf(id, sizeof id, "%.62s.%" PRIu64, twin, t->list);
        id[SSE_WORD_MAX] = '\0';
        snprintf(list, sizeof list, ",\"list\":%" PRIu64, t->list);
    }
    snprintf(data, sizeof data,
             "{\"stream\":\"%s\",\"head\":\"/v1/sync/%s/head/%s\",\"seq\":%" PRIu64
             ",\"poll\":%" PRIu32 ",\"spread\":%" PRId64 "%s}",
             h->stream, h->stream, twin, h->seq, h->poll, spread_s, list);
    sse_publish(hints, h->stream, id, "head", data);
}

/* On the writer thread. */
static void tell(const struct wire_head *h)
{
    struct told *t = told_of(h->stream), one = { 0 };

    t = t ? t : &one;
    t->head = *h;
    publish(t);
}

/* Likewise. */
static void tell_withheld(const char *stream, uint64_t counter)
{
    struct told *t = told_of(stream);

    if (!t || !t->head.epoch)
        return;
    t->list = counter;
    publish(t);
}

static void tell_person(int64_t account)
{
    sse_tell(hints, account);
}

static bool lasts(const struct sse_owner *o)
{
    return credential_lasts(o->session, o->key, o->rights, o->site);
}

static void weed(void)
{
    sse_weed(hints);
    live_weed();
}

void events_open(const struct conf *conf)
{
    const struct sse_conf c = { .spread_ms = conf->hint_spread,
                                .beat_ms = conf->hint_heartbeat,
                                .readers_max = conf->hint_subscribers,
                                .client_max = conf->hint_per_address,
                                .lasts = lasts,
                                .sent = METRIC_hints_sent,
                                .readers = METRIC_hint_subscribers,
                                .skipped = METRIC_hints_skipped };

    spread_s = (c.spread_ms + 999) / 1000;
    hints = sse_new(&c);
    live_open(&(struct live_conf){ .beat_ms = conf->hint_heartbeat, .lasts = lasts });
    memset(told, 0, sizeof told);
    sync_on_head(tell);
    sync_on_withheld(tell_withheld);
    entry_on_given(tell_person);
    session_on_end(weed);
    party_on_change(weed);
    role_on_change(weed);
    staff_device_on_change(weed);
}

void events_close(void)
{
    sync_on_head(NULL);
    sync_on_withheld(NULL);
    entry_on_given(NULL);
    session_on_end(NULL);
    party_on_change(NULL);
    role_on_change(NULL);
    staff_device_on_change(NULL);
    sse_free(hints);
    hints = NULL;
    live_close();
}

enum rc get_events(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *stream = request_text(rq, "stream", NULL);
    struct sse_wish *wish = arena_zalloc(w->mem, sizeof *wish);

    if (stream && !live_find(stream))
        return err_set(&w->err, RC_NOT_FOUND, "there is no stream of that name");
    if (!hints || sse_full(hints, rq->client_tag)) {
        reply_header(
            rp, "retry-after",
            arena_printf(w->mem, "%u", RETRY_LEAST + randombytes_uniform(RETRY_SPREAD)));
        return err_set(
            &w->err, RC_BUSY,
            "as many streams of hints are open as there may be, or as this address may have");
    }
    *wish = (struct sse_wish){ .sse = hints,
                               .client = rq->client_tag,
                               .owner = { .session = w->who.session, .key = w->who.key },
                               .account = w->who.account,
                               .topic = stream,
                               .last_id = rq->last_event_id };
    rp->type = TYPE_EVENTS;
    rp->stream = wish;
    reply_header(rp, "x-accel-buffering", "no");
    return RC_OK;
}
