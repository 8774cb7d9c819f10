/*
 * sender.c - from jobs to requests, from answers to verdicts.
 *
 *     channel, one a transport     its grant; two lanes: emergency, and all else
 *       queue, one a haste         jobs in their order
 *         flight, one a job        how far it is; its verdicts
 *           ride, one a request    built when its lane lets it go, judged in the next turn after it landed
 *
 * The pace is the vendor's for all that we send, so an emergency does not add to the others but takes their place: while one of a transport has anything left to send, nothing else of it
 * leaves. It has a lane and connections of its own, so that neither the breaker nor a stream that hangs stands in its way.
 */
#include "push/sender.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "push/sender_part.h"
#include "push/vendor_keys.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"

enum {
    QUEUE_MAX = 1024,
    FLYING_EMERGENCY = 256,
    HOST_CONNECTIONS = 4,
    TOTAL_CONNECTIONS = 256,
    TURN_MS = 1000,
    MOST_A_TURN = 256 /* requests that are built before answers are looked at again */
};

static int lane_no(enum sender_haste haste)
{
    return haste == SENDER_EMERGENCY ? 0 : 1;
}

/* ---- the end of a flight ---- */

static void finish(struct channel *ch, struct sender_flight *f)
{
    struct sender_job *job = f->job;
    struct sender_flight **at = &ch->queue[job->haste];

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    ch->jobs[job->haste]--;
    job->open = f->lane_was_open || lane_is_open(&ch->lane[lane_no(job->haste)]);
    job->flight = NULL;
    job->done(job);
    arena_free(f->mem);
}

static bool is_over(const struct sender_flight *f)
{
    return f->sent == f->job->n && !f->away;
}

/* What has not left will not, also if it waits for its turn in the air: PUSH_AGAIN is how the verdicts began, and what becomes of such a request. */
static void give_up(struct sender *s, struct channel *ch, struct sender_flight *f)
{
    int lane = lane_no(f->job->haste);

    f->sent = f->job->n;
    f->lane_was_open |= lane_is_open(&ch->lane[lane]);
    if (f->away && !atomic_exchange(&f->given_up, true))
        post_stir(s->post[lane]);
}

/* ---- answers ---- */

static void on_landed(struct post_ride *p)
{
    struct ride *r = p->arg;
    struct sender *s = r->s;

    pthread_mutex_lock(&s->lock);
    r->next = s->landed;
    s->landed = r;
    pthread_cond_signal(&s->stirs);
    pthread_mutex_unlock(&s->lock);
}

static void ride_free(struct ride *r)
{
    post_ride_done(&r->post);
    arena_free(r->mem);
}

static void hear(struct ride *r, const struct vendor_heard *heard)
{
    enum lane_news news = heard->news;

    if (r->rq.service && news == LANE_SLOW) {
        for (int i = 0; i < LANES; i++) /* it is one service: what it says is for both */
            services_slow(&r->ch->services[i], r->rq.service, heard->after_ms,
                          clock_mono_us() / 1000);
        news = LANE_WENT;
    }
    lane_hear(&r->ch->news[r->lane - r->ch->lane], r->lane, r->round, news,
              heard->lane_after_ms);
}

static void later(struct sender_job *job, int64_t at_ms)
{
    if (at_ms > job->again_ms)
        job->again_ms = at_ms;
}

/* One service's word is not for those of another that are in the same job. */
static void rest(struct ride *r, int64_t until_ms)
{
    if (!r->rq.service)
        later(r->f->job, until_ms);
    for (int i = 0; r->rq.service && i < r->rq.n; i++)
        r->f->job->again[r->rq.first + i].at_ms = until_ms;
}

/* Without one nobody was reached: what is true of one token is of all that are left. */
static void take_ticket(struct ride *r, struct vendor_heard *heard)
{
    struct sender_flight *f = r->f;
    struct push_verdict all;
    const char *ticket =
        vendor_take_ticket(r->ch->vendor, r->mem, &r->post.answer, &all, heard);

    f->asking = false;
    if (ticket) {
        f->message.ticket = arena_strdup(f->mem, ticket);
        return;
    }
    all.why = arena_strdup(f->mem, all.why);
    while (f->sent < f->job->n)
        f->job->verdict[f->sent++] = all;
}

static void take_verdicts(struct ride *r, struct vendor_heard *heard)
{
    struct sender_flight *f = r->f;
    struct push_verdict *v = f->job->verdict + r->rq.first;

    vendor_judge(r->ch->vendor, r->mem, f->job->tokens, &r->rq, &r->post.answer, v, heard);
    for (int i = 0; i < r->rq.n; i++)
        if (*v[i].why)
            v[i].why = arena_strdup(f->mem, v[i].why);
}

static void judge(struct ride *r)
{
    struct sender_flight *f = r->f;
    struct vendor_heard heard;

    if (r->ticket)
        take_ticket(r, &heard);
    else
        take_verdicts(r, &heard);
    if (r->post.dropped)
        lane_unsaid(r->lane, r->round);
    else
        hear(r, &heard);
    if (heard.after_ms)
        rest(r, clock_mono_us() / 1000 + heard.after_ms);
    if (heard.grant_refused) {
        grant_refuse(&r->ch->grant, r->grant, clock_now());
        later(f->job,
              clock_mono_us() / 1000 + (grant_not_before(&r->ch->grant) - clock_now()) * 1000);
    }
    f->away--;
    if (is_over(f))
        finish(r->ch, f);
}

static void tell_lanes(struct sender *s, int64_t mono_ms)
{
    for (int t = 1; t < TRANSPORT_COUNT; t++)
        for (int i = 0; i < LANES; i++)
            lane_told_all(&s->ch[t].lane[i], &s->ch[t].news[i], mono_ms);
}

static void settle(struct sender *s, int64_t mono_ms)
{
    struct ride *r, *next;

    pthread_mutex_lock(&s->lock);
    r = s->landed;
    s->landed = NULL;
    pthread_mutex_unlock(&s->lock);
    for (; r; r = next) {
        next = r->next;
        if (r->f)
            judge(r);
        else
            grant_told(&r->ch->grant, &r->post.answer);
        ride_free(r);
    }
    tell_lanes(s, mono_ms);
}

/* ---- requests ---- */

static struct ride *ride_new(struct sender *s, struct channel *ch, struct sender_flight *f)
{
    struct arena *mem = arena_new();
    struct ride *r = arena_zalloc(mem, sizeof *r);

    r->mem = mem;
    r->s = s;
    r->ch = ch;
    r->f = f;
    r->post = (struct post_ride){ .rq = &r->rq, .done = on_landed, .arg = r };
    return r;
}

static void ask_grant(struct sender *s, struct channel *ch)
{
    struct ride *r = ride_new(s, ch, NULL);

    ch->vendor->ask_grant(&s->site, r->mem, clock_now(), &r->rq);
    grant_asked(&ch->grant, clock_now());
    if (post_send(s->post[0], &r->post)) /* an emergency may wait for it */
        return;
    ch->grant.asking = false;
    ride_free(r);
}

static struct ride *ride_on_lane(struct sender *s, struct channel *ch, struct sender_flight *f,
                                 const char *grant, uint32_t round)
{
    struct ride *r = ride_new(s, ch, f);

    r->lane = &ch->lane[lane_no(f->job->haste)];
    r->round = round;
    r->grant = arena_strdup(r->mem, grant);
    r->post.unwanted = &f->given_up;
    return r;
}

static void refuse(struct sender_flight *f)
{
    f->job->verdict[f->sent++] = (struct push_verdict){ PUSH_REJECTED, 0, "unsendable" };
}

/* Its service's turn has not come, though the transport's has: PUSH_AGAIN is how the verdicts began. */
static bool is_put_off(struct ride *r)
{
    struct sender_flight *f = r->f;
    const struct vendor *v = r->ch->vendor;
    const char *service =
        v->service ? v->service(&r->s->site, r->mem, f->job->tokens[f->sent]) : NULL;
    int64_t mono_ms = clock_mono_us() / 1000, wait_ms;

    if (!service || services_take(&r->ch->services[r->lane - r->ch->lane], service,
                                  r->lane->pace, mono_ms, &wait_ms))
        return false;
    f->job->again[f->sent++] = (struct sender_again){ mono_ms + wait_ms, true };
    lane_unsaid(r->lane, r->round);
    return true;
}

/* One request of it; false: the thread has no room. */
static bool send_some(struct sender *s, struct channel *ch, struct sender_flight *f,
                      const char *grant, int most, uint32_t round)
{
    struct sender_job *job = f->job;
    struct ride *r = ride_on_lane(s, ch, f, grant, round);

    if (is_put_off(r)) {
        ride_free(r);
        return true;
    }
    if (vendor_build(ch->vendor, &s->site, r->mem, grant, &f->message, job->tokens + f->sent,
                     most, clock_now(), &r->rq)) {
        refuse(f);
        ride_free(r);
        return true;
    }
    r->rq.first = f->sent;
    if (!post_send(s->post[lane_no(job->haste)], &r->post)) {
        ride_free(r);
        return false;
    }
    /* Should the answer never be judged, this is what is true of it. */
    for (int i = 0; i < r->rq.n; i++)
        job->verdict[f->sent + i] = (struct push_verdict){ PUSH_DOUBT, 0, "" };
    f->sent += r->rq.n;
    f->away++;
    return true;
}

/* ---- tickets ---- */

static bool lacks_ticket(const struct channel *ch, const struct sender_flight *f)
{
    int from = ch->vendor->ticket_from;

    return from && !f->message.ticket && f->job->n - f->sent >= from;
}

static void ask_ticket(struct sender *s, struct channel *ch, struct sender_flight *f,
                       const char *grant, int64_t mono_ms)
{
    struct lane *lane = &ch->lane[lane_no(f->job->haste)];
    struct ride *r;

    if (f->asking || lane_wait(lane, mono_ms) > 0)
        return;
    r = ride_on_lane(s, ch, f, grant, lane->round);
    r->ticket = true;
    if (ch->vendor->ask_ticket(&s->site, r->mem, grant, &f->message, clock_now(), &r->rq)) {
        while (f->sent < f->job->n)
            refuse(f);
        ride_free(r);
    } else if (post_send(s->post[lane_no(f->job->haste)], &r->post)) {
        f->asking = true;
        f->away++;
    } else {
        ride_free(r);
    }
}

/* ---- the queues ---- */

static struct sender_flight *first_waiting(struct channel *ch, enum sender_haste haste)
{
    struct sender_flight *f = ch->queue[haste];

    while (f && f->sent == f->job->n)
        f = f->next;
    return f;
}

/* Sends of the first flight while its lane lets it. In how many ms to come again; -1: nothing waits. */
static int64_t pump(struct sender *s, struct channel *ch, enum sender_haste haste,
                    const char *grant, int64_t mono_ms)
{
    struct lane *lane = &ch->lane[lane_no(haste)];
    struct sender_flight *f;

    for (int built = 0; (f = first_waiting(ch, haste)); built++) {
        struct push_limit l =
            push_limit(ch->vendor->by, f->job->message->class, push_limit_day(clock_now()));
        int left = f->job->n - f->sent, most = left < l.tokens ? left : l.tokens;
        uint32_t round;

        if (!grant)
            return TURN_MS / 10;
        if (lacks_ticket(ch, f)) {
            ask_ticket(s, ch, f, grant, mono_ms);
            if (!is_over(f))
                return TURN_MS / 10;
            finish(ch, f);
            continue;
        }
        if (built == MOST_A_TURN || !post_room(s->post[lane_no(haste)]))
            return built == MOST_A_TURN ? 0 : 5;
        lane_pace(lane, l.pace);
        if (!(round = lane_take(lane, most, mono_ms)))
            return lane_wait(lane, mono_ms);
        if (!send_some(s, ch, f, grant, most, round))
            return 5;
        if (is_over(f))
            finish(ch, f);
    }
    return -1;
}

/* Those whose time is over, or that were dropped, end. */
static void end_late(struct sender *s, struct channel *ch, int64_t now_ms)
{
    for (int h = 0; h < SENDER_HASTES; h++)
        for (struct sender_flight *f = ch->queue[h], *next; f; f = next) {
            next = f->next;
            if (f->dropped || now_ms >= f->job->until_ms)
                give_up(s, ch, f);
            if (is_over(f))
                finish(ch, f);
        }
}

static int64_t turn_channel(struct sender *s, struct channel *ch, int64_t mono_ms)
{
    int64_t soonest = TURN_MS, ms;
    const char *grant;
    bool ask;

    end_late(s, ch, clock_mono_us() / 1000);
    if (!ch->jobs[0] && !ch->jobs[1] && !ch->jobs[2])
        return soonest;
    grant = grant_get(&ch->grant, clock_now(), &ask);
    if (ask)
        ask_grant(s, ch);
    for (int h = 0; h < SENDER_HASTES; h++) {
        ms = pump(s, ch, (enum sender_haste)h, grant, mono_ms);
        if (ms >= 0 && ms < soonest)
            soonest = ms;
        if (ms >= 0)
            break; /* what has more haste goes first */
    }
    return soonest;
}

int64_t sender_turn(struct sender *s)
{
    int64_t soonest = TURN_MS, ms, mono_ms = clock_mono_us() / 1000;

    settle(s, mono_ms);
    for (int t = 1; t < TRANSPORT_COUNT; t++)
        if (s->ch[t].on && (ms = turn_channel(s, &s->ch[t], mono_ms)) < soonest)
            soonest = ms;
    return soonest;
}

void sender_wait(struct sender *s, int64_t ms)
{
    struct timespec until;
    int64_t at = clock_mono_us() * 1000 + (ms > 0 ? ms : 0) * 1000000;

    until.tv_sec = at / 1000000000;
    until.tv_nsec = at % 1000000000;
    pthread_mutex_lock(&s->lock);
    while (!s->landed && !s->woken && ms > 0)
        if (pthread_cond_timedwait(&s->stirs, &s->lock, &until) == ETIMEDOUT)
            break;
    s->woken = false;
    pthread_mutex_unlock(&s->lock);
}

void sender_wake(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    s->woken = true;
    pthread_cond_signal(&s->stirs);
    pthread_mutex_unlock(&s->lock);
}

/* ---- jobs ---- */

unsigned sender_on(const struct sender *s)
{
    unsigned on = 0;

    for (int t = 1; t < TRANSPORT_COUNT; t++)
        on |= s->ch[t].on ? 1U << t : 0;
    return on;
}

enum vendor_recall sender_recalls(const struct sender *s, enum transport by)
{
    return s->ch[by].on ? vendor_recalls(by, &s->site) : VENDOR_RECALL_NONE;
}

int sender_room(const struct sender *s, enum transport by, enum sender_haste haste)
{
    return s->ch[by].on ? SENDER_JOBS - s->ch[by].jobs[haste] : 0;
}

enum rc sender_give(struct sender *s, struct err *e, struct sender_job *job)
{
    struct channel *ch = &s->ch[job->by];
    struct sender_flight **at = &ch->queue[job->haste], *f;
    struct arena *mem;

    if (!ch->on)
        return err_set(e, RC_NOT_FOUND, "this transport is off");
    if (!sender_room(s, job->by, job->haste))
        return err_set(e, RC_BUSY, "this lane has enough to do");
    mem = arena_new();
    f = arena_zalloc(mem, sizeof *f);
    f->mem = mem;
    f->job = job;
    f->message = *job->message;
    job->flight = f;
    job->again_ms = 0;
    job->open = false;
    job->verdict = arena_zalloc(mem, (size_t)job->n * sizeof *job->verdict);
    job->again = arena_zalloc(mem, (size_t)job->n * sizeof *job->again);
    vendor_all(job->verdict, job->n, PUSH_AGAIN, "");
    while (*at)
        at = &(*at)->next;
    *at = f;
    ch->jobs[job->haste]++;
    return RC_OK;
}

void sender_drop(struct sender *s, bool (*is)(const struct sender_job *job, void *arg),
                 void *arg)
{
    for (int t = 1; t < TRANSPORT_COUNT; t++)
        for (int h = 0; h < SENDER_HASTES; h++)
            for (struct sender_flight *f = s->ch[t].queue[h]; f; f = f->next)
                f->dropped |= is(f->job, arg);
}

/* ---- open and close ---- */

static enum rc open_posts(struct err *e, struct sender *s)
{
    struct post_conf c = { .name = "push-first",
                           .ca = s->conf->push_ca,
                           .queue_max = QUEUE_MAX,
                           .flying_max = FLYING_EMERGENCY,
                           .host_connections = HOST_CONNECTIONS,
                           .total_connections = TOTAL_CONNECTIONS };
    enum rc rc;

    if ((rc = post_open(e, &c, &s->post[0])))
        return rc;
    c.name = "push";
    c.flying_max = SENDER_FLYING;
    return post_open(e, &c, &s->post[1]);
}

static void open_channels(struct sender *s, const char *data)
{
    int64_t mono_ms = clock_mono_us() / 1000;

    for (int t = 1; t < TRANSPORT_COUNT; t++) {
        struct channel *ch = &s->ch[t];

        ch->vendor = vendor_of((enum transport)t);
        ch->on = vendor_is_on((enum transport)t, &s->site);
        if (!ch->vendor)
            continue;
        grant_open(&ch->grant, ch->vendor, &s->site, data);
        for (int i = 0; i < LANES; i++)
            lane_init(&ch->lane[i], 1, mono_ms);
    }
}

enum rc sender_open(struct err *e, const struct conf *c, const char *data, struct sender **out)
{
    struct arena *mem = arena_new();
    struct sender *s = arena_zalloc(mem, sizeof *s);
    pthread_condattr_t monotonic;

    s->mem = mem;
    s->conf = c;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->stirs, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&s->lock, NULL);
    if (vendor_keys_open(e, c, c->data, &s->keys)) {
        sender_close(s);
        return e->rc;
    }
    s->site = (struct vendor_site){ .conf = c, .keys = s->keys };
    open_channels(s, data ? arena_strdup(mem, data) : NULL);
    if (open_posts(e, s)) {
        sender_close(s);
        return e->rc;
    }
    *out = s;
    return RC_OK;
}

static bool everyone(const struct sender_job *job, void *arg)
{
    (void)job, (void)arg;
    return true;
}

void sender_close(struct sender *s)
{
    if (!s)
        return;
    sender_drop(s, everyone, NULL);
    for (int i = 0; i < LANES; i++)
        post_close(s->post[i]);
    settle(s, clock_mono_us() / 1000);
    for (int t = 1; t < TRANSPORT_COUNT; t++) {
        end_late(s, &s->ch[t], clock_mono_us() / 1000);
        grant_close(&s->ch[t].grant);
    }
    vendor_keys_close(s->keys);
    pthread_cond_destroy(&s->stirs);
    pthread_mutex_destroy(&s->lock);
    arena_free(s->mem);
}
