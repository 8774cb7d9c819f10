/*
 * events.c - a head was shown: whoever listens is told where its twin stands.
 *
 *     head.c --(writer thread)--> one event --> sse.c --> phones, spread over hint_spread
 *
 * A hint names what is to be fetched and carries nothing of it: so it needs no signature, may be lost, doubled
 * or forged, and the worst it does is one request more. The twin's URL is new
 * with every head, so no cache on the way answers with the head before.
 */
#include "api/events.h"

#include <inttypes.h>
#include <stdio.h>

#include <sodium.h>

#include "server/http/sse.h"
#include "sync/live.h"
#include "sync/wire.h"

enum { RETRY_LEAST = 30, RETRY_SPREAD = 60 }; /* seconds */

const struct param event_params[] = {
    { "stream", P_TEXT, 1, WIRE_STREAM_MAX, "只要这个数据流的提示；不给则全部" }, { 0 }
};

static struct sse *hints;
static int64_t spread_s; /* what phones are told to wait, at most */

/* On the writer thread. */
static void tell(const struct wire_head *h)
{
    char id[SSE_WORD_MAX + 1], data[256 + 2 * WIRE_STREAM_MAX];

    snprintf(id, sizeof id, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, h->epoch, h->seq, h->sign);
    snprintf(data, sizeof data,
             "{\"stream\":\"%s\",\"head\":\"/v1/sync/%s/head/%s\",\"seq\":%" PRIu64
             ",\"poll\":%" PRIu32 ",\"spread\":%" PRId64 "}",
             h->stream, h->stream, id, h->seq, h->poll, spread_s);
    sse_publish(hints, h->stream, id, "head", data);
}

void events_open(const struct conf *conf)
{
    const struct sse_conf c = { .spread_ms = conf->hint_spread,
                                .beat_ms = conf->hint_heartbeat,
                                .readers_max = conf->hint_subscribers,
                                .client_max = conf->hint_per_address,
                                .sent = METRIC_hints_sent,
                                .readers = METRIC_hint_subscribers,
                                .skipped = METRIC_hints_skipped };

    spread_s = (c.spread_ms + 999) / 1000;
    hints = sse_new(&c);
    sync_on_head(tell);
}

void events_close(void)
{
    sync_on_head(NULL);
    sse_free(hints);
    hints = NULL;
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
    *wish = (struct sse_wish){
        .sse = hints, .client = rq->client_tag, .topic = stream, .last_id = rq->last_event_id
    };
    rp->type = TYPE_EVENTS;
    rp->stream = wish;
    reply_header(rp, "x-accel-buffering", "no");
    return RC_OK;
}
