/*
 * live.c - what was told last of each campaign, and what is other now.
 *
 * Campaigns that are told of have a topic each, LIVE_MOST at most; for one more the one that was told of longest ago is forgotten, which is none that anybody watches go.
 */
#include "push/live.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "push/run.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/store/db.h"

enum { LIVE_MOST = 64, TEXT = 600, READERS = 500, CLIENT_READERS = 50, LATELY = 60 };

static struct {
    pthread_mutex_t lock; /* of all that follows */
    struct sse *sse;
    struct told {
        int64_t no, at_ms; /* no 0: nothing stands here */
        char text[TEXT];
    } told[LIVE_MOST];
    uint64_t id;
    int64_t looked_ms; /* the thread of push's */
} live = { .lock = PTHREAD_MUTEX_INITIALIZER };

void live_open(const struct live_conf *c)
{
    const struct sse_conf conf = { .beat_ms = c->beat_ms,
                                   .readers_max = READERS,
                                   .client_max = CLIENT_READERS,
                                   .own_ids = true,
                                   .lasts = c->lasts,
                                   .sent = METRIC_push_live_sent,
                                   .readers = METRIC_push_live_readers,
                                   .skipped = METRIC_push_live_skipped };

    live.sse = sse_new(&conf);
    live.looked_ms = 0;
    memset(live.told, 0, sizeof live.told);
}

void live_close(void)
{
    sse_free(live.sse);
    live.sse = NULL;
}

void live_weed(void)
{
    if (live.sse)
        sse_weed(live.sse);
}

/* ---- what there is to say ---- */

static void put_outcomes(struct buf *b, const struct run_counts *n)
{
    jx_key(b, "outcomes");
    buf_addc(b, '{');
    for (int what = 1; what < RUN_RESENT; what++) {
        int64_t sum = 0;

        for (int by = 1; by < TRANSPORT_COUNT; by++)
            sum += n->by[by][what];
        jx_put_int(b, run_words[what], sum);
    }
    buf_addc(b, '}');
}

static enum rc describe(struct work *w, const struct campaign *c, struct buf *b)
{
    struct run_counts n = { 0 }, back = { 0 };
    enum rc rc;

    if (((rc = run_count(w, c->no, &n)) && rc != RC_NOT_FOUND) ||
        ((rc = run_count(w, RUN_RECALLS + c->no, &back)) && rc != RC_NOT_FOUND))
        return rc;
    buf_addc(b, '{');
    jx_put_int(b, "audience", n.audience);
    jx_put_int(b, "campaign", c->no);
    jx_put_bool(b, "complete", n.opened);
    jx_put_int(b, "onTheWay", n.sent);
    put_outcomes(b, &n);
    jx_put_int(b, "recalled", back.audience - back.waiting - back.sent);
    jx_put_text(b, "state", campaign_states[c->state].word);
    jx_put_text(b, "stateText", campaign_states[c->state].chinese);
    jx_put_int(b, "waiting", n.waiting);
    buf_addc(b, '}');
    return RC_OK;
}

/* ---- told ---- */

static const char *topic_of(int64_t no, char out[24])
{
    snprintf(out, 24, "%" PRId64, no);
    return out;
}

/* Its place, or that of the one that was told of longest ago; under the lock. */
static struct told *place_of(int64_t no)
{
    struct told *oldest = &live.told[0];
    char topic[24];

    for (int i = 0; i < LIVE_MOST; i++) {
        if (live.told[i].no == no)
            return &live.told[i];
        if (live.told[i].at_ms < oldest->at_ms)
            oldest = &live.told[i];
    }
    if (oldest->no)
        sse_forget(live.sse, topic_of(oldest->no, topic));
    *oldest = (struct told){ .no = no };
    return oldest;
}

static void tell(int64_t no, const char *text)
{
    char topic[24], id[24];
    struct told *t;

    if (strlen(text) >= TEXT)
        return;
    pthread_mutex_lock(&live.lock);
    t = place_of(no);
    t->at_ms = clock_mono_us() / 1000;
    if (strcmp(t->text, text) != 0) {
        strcpy(t->text, text);
        snprintf(id, sizeof id, "%" PRIu64, ++live.id);
        sse_publish(live.sse, topic_of(no, topic), id, "progress", text);
    }
    pthread_mutex_unlock(&live.lock);
}

static enum rc tell_of(struct work *w, const struct campaign *c)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc = describe(w, c, &b);

    if (!rc)
        tell(c->no, b.p);
    return rc;
}

/* ---- looked for ---- */

/* Those on their way, and those of which somebody or something changed the state lately. */
static enum rc list_live(struct work *w, struct buf *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_campaign_live, &q, "ii", clock_now() - LATELY,
                       (int64_t)LIVE_MOST / 2)))
        return rc;
    while (rows_next(&q)) {
        int64_t no = rows_int(&q, 0);

        buf_add(out, &no, sizeof no);
    }
    return rows_done(&q);
}

void live_look(struct work *w)
{
    struct buf list = BUF_IN(w->mem);
    int64_t now_ms = clock_mono_us() / 1000;
    struct campaign c;
    enum rc rc;

    if (!live.sse || now_ms < live.looked_ms + LIVE_MS)
        return;
    live.looked_ms = now_ms;
    rc = list_live(w, &list);
    for (size_t i = 0; i < list.n / sizeof(int64_t) && !rc; i++)
        if (!(rc = campaign_find(w, ((int64_t *)(void *)list.p)[i], &c)))
            rc = tell_of(w, &c);
    if (rc)
        LOG(LOG_WARN, "push_live_not_told", L_STR("why", w->err.text));
}

enum rc live_wish(struct work *w, const struct campaign *c, uint64_t client,
                  struct sse_wish *out)
{
    char topic[24];
    enum rc rc;

    if (!live.sse || sse_full(live.sse, client))
        return err_set(&w->err, RC_BUSY, "同时观看的人太多");
    if ((rc = tell_of(w, c)))
        return rc;
    *out = (struct sse_wish){ .sse = live.sse,
                              .client = client,
                              .topic = arena_strdup(w->mem, topic_of(c->no, topic)) };
    return RC_OK;
}
