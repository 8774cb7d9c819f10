/*
 * plan.c - arithmetic over counts.
 */
#include "push/plan.h"

#include <stdio.h>

#include "push/push_thread.h"
#include "push/run.h"
#include "server/base/clock.h"

/* ---- how fast ---- */

/* Devices that may be under way at once by a transport; `singles`: how many transports of the plan want a request for each device. */
static int64_t at_once(const struct plan_line *l, int singles)
{
    int64_t share = SENDER_FLYING / singles, most = SENDER_JOBS * PUSH_SINGLES;

    if (l->limit.tokens > 1)
        return SENDER_JOBS * RUN_BATCH;
    return share < most ? share : most;
}

static void set_rates(struct plan *p)
{
    int singles = 0;

    for (int i = 0; i < p->n; i++)
        singles += p->lines[i].on && p->lines[i].reach && p->lines[i].limit.tokens <= 1;
    for (int i = 0; i < p->n; i++) {
        struct plan_line *l = &p->lines[i];

        l->rate = at_once(l, singles ? singles : 1) * 1000 / PLAN_ANSWER_MS;
        l->rate = l->rate < l->pace ? l->rate : l->pace;
        l->rate = l->rate > 0 ? l->rate : 1;
    }
}

static int64_t at_pace(int64_t n, int64_t pace)
{
    return (n + pace - 1) / pace;
}

/* ---- and when ---- */

/* When `seconds` of work are done that begin at `at`, and rest while the vendor takes nothing. */
static int64_t done_at(const struct plan_line *l, int64_t at, int64_t seconds)
{
    int64_t night, morning;

    if (!seconds)
        return at;
    for (;;) {
        if ((morning = push_limit_refused_until(&l->limit, at)))
            at = morning;
        night = push_limit_refused_from(&l->limit, at);
        if (seconds <= night - at || night == at)
            return at + seconds;
        seconds -= night - at;
        at = night;
    }
}

/* Seconds between two times in which the vendor takes messages. */
static int64_t open_seconds(const struct plan_line *l, int64_t from, int64_t to)
{
    int64_t sum = 0, night, morning;

    while (from < to) {
        if ((morning = push_limit_refused_until(&l->limit, from))) {
            from = morning;
            continue;
        }
        night = push_limit_refused_from(&l->limit, from);
        night = night > from && night < to ? night : to;
        sum += night - from;
        from = night;
    }
    return sum;
}

/* Whoever began before and has as much haste goes first; whoever has more goes first whenever he begins. */
static int64_t behind_others(const struct plan *p, struct plan_line *l)
{
    int64_t at = p->made, left = 0, ahead;

    for (int i = 0; i < p->nothers; i++) {
        const struct plan_other *o = &p->others[i];

        if (o->start > p->start || o->haste > p->haste || !o->left[l->by])
            continue;
        at = done_at(l, at > o->start ? at : o->start, at_pace(o->left[l->by], l->rate));
        left += o->left[l->by];
    }
    ahead = open_seconds(l, p->start, at) * l->rate;
    l->ahead = ahead < left ? ahead : left;
    return at > p->start ? at : p->start;
}

/* Those that come in between until `ends`. */
static int64_t with_hastier(const struct plan *p, struct plan_line *l, int64_t ends,
                            int64_t *between)
{
    for (int i = 0; i < p->nothers; i++) {
        const struct plan_other *o = &p->others[i];

        if (o->start <= p->start || o->haste >= p->haste || o->start >= ends)
            continue;
        *between += o->left[l->by];
        ends = done_at(l, ends, at_pace(o->left[l->by], l->rate));
    }
    return ends;
}

/* Whose turn comes when the campaign's time is over. */
static void take_late(const struct plan *p, struct plan_line *l, int64_t begins,
                      int64_t between)
{
    int64_t over = p->start + p->ttl, can;

    if (!p->ttl || l->ends <= over)
        return;
    can = open_seconds(l, begins, over) * l->rate - between;
    can = can < 0 ? 0 : can < l->send ? can : l->send;
    l->late = l->send - can;
    l->send = can;
    l->ends = can ? done_at(l, begins, at_pace(can + between, l->rate)) : 0;
}

static bool is_night(const struct plan_line *l, int64_t at)
{
    return push_limit_is_night(&l->limit, push_limit_minute(at));
}

static bool is_held(const struct plan_line *l, int64_t start)
{
    int64_t night = start;

    if (l->limit.night != PUSH_HELD || !l->send)
        return false;
    while (night < l->ends && !is_night(l, night))
        night += 60;
    return night < l->ends || is_night(l, l->ends);
}

static void reckon_line(const struct plan *p, struct plan_line *l)
{
    int64_t begins, between = 0;

    l->send = l->on ? l->reach - l->quota - l->quiet : 0;
    l->ends = l->ahead = l->late = 0;
    l->held = false;
    begins = behind_others(p, l);
    if (!l->send)
        return;
    l->ends = with_hastier(p, l, done_at(l, begins, at_pace(l->send, l->rate)), &between);
    l->ahead += between;
    take_late(p, l, begins, between);
    l->held = is_held(l, p->start);
}

/* The campaign's own pace is that of all its transports together. */
static void slow_down(struct plan *p, int64_t pace)
{
    if (p->ttl && p->send > pace * p->ttl) {
        p->late += p->send - pace * p->ttl;
        p->send = pace * p->ttl;
    }
    if (p->start + at_pace(p->send, pace) > p->ends)
        p->ends = p->start + at_pace(p->send, pace);
}

void plan_reckon(struct plan *p, int64_t pace)
{
    p->send = p->off = p->ends = p->late = 0;
    set_rates(p);
    for (int i = 0; i < p->n; i++) {
        struct plan_line *l = &p->lines[i];

        reckon_line(p, l);
        p->send += l->send;
        p->late += l->late;
        p->off += l->on ? 0 : l->reach;
        p->ends = l->ends > p->ends ? l->ends : p->ends;
    }
    if (p->send && pace)
        slow_down(p, pace);
}

/* ---- as JSON ---- */

static void put_time(struct buf *b, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];

    if (at)
        jx_put_text(b, key, clock_text(at, text));
}

/* What transport.def knows: whether a message of ours ever arrived by this vendor himself. */
static void put_verified(struct buf *b, int tried)
{
    char text[64] = "未与厂商验证";

    if (tried)
        snprintf(text, sizeof text, "%04d-%02d-%02d 起有消息经厂商送达", tried / 10000,
                 tried / 100 % 100, tried % 100);
    jx_put_bool(b, "verified", tried != 0);
    jx_put_text(b, "verifiedText", text);
}

static void put_line(struct buf *b, const struct plan_line *l)
{
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_int(b, "ahead", l->ahead);
    put_time(b, "ends", l->ends);
    jx_put_bool(b, "held", l->held);
    jx_put_int(b, "late", l->late);
    jx_put_bool(b, "on", l->on);
    jx_put_int(b, "pace", l->pace);
    jx_put_int(b, "quiet", l->quiet);
    jx_put_int(b, "quota", l->quota);
    jx_put_int(b, "rate", l->rate);
    jx_put_int(b, "reach", l->reach);
    jx_put_int(b, "send", l->send);
    jx_put_text(b, "transport", transport_type((int)l->by)->word);
    put_verified(b, l->tried);
    buf_addc(b, '}');
}

void plan_print(const struct plan *p, struct buf *out)
{
    buf_addc(out, '{');
    jx_put_int(out, "approvalsNeeded", p->eyes);
    jx_put_int(out, "audience", p->audience);
    jx_key(out, "districts");
    buf_addc(out, '[');
    for (int i = 0; i < p->ndistricts; i++) {
        buf_adds(out, i ? ",{" : "{");
        jx_put_text(out, "code", p->districts[i].code);
        jx_put_int(out, "devices", p->districts[i].devices);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
    put_time(out, "ends", p->ends);
    jx_put_int(out, "late", p->late);
    put_time(out, "made", p->made);
    jx_put_int(out, "off", p->off);
    jx_put_int(out, "refused", p->refused);
    jx_put_int(out, "send", p->send);
    put_time(out, "start", p->start);
    jx_key(out, "transports");
    buf_addc(out, '[');
    for (int i = 0; i < p->n; i++)
        put_line(out, &p->lines[i]);
    buf_adds(out, "]}");
}
