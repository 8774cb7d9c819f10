/*
 * plan.c - arithmetic over counts.
 */
#include "push/plan.h"

#include "server/base/clock.h"

enum { DAY = 86400, BEIJING = 8 * 3600 };

/* Seconds from `at` until the minute comes the next time; 0: it is that minute. */
static int64_t until(int64_t at, int32_t minute)
{
    int64_t now = (at + BEIJING) % DAY, then = (int64_t)minute * 60;

    return (then - now + DAY) % DAY;
}

static bool is_night(const struct plan_line *l, int64_t at)
{
    const struct push_limit window = { .night = l->night,
                                       .night_from = l->night_from,
                                       .night_to = l->night_to };

    return push_limit_is_night(&window, push_limit_minute(at));
}

/* When `seconds` of work are done that begin at `at`, and rest while the vendor takes nothing. */
static int64_t done_at(const struct plan_line *l, int64_t at, int64_t seconds)
{
    int64_t day;

    if (l->night != PUSH_REFUSED)
        return at + seconds;
    for (;;) {
        if (is_night(l, at))
            at += until(at, l->night_to);
        day = until(at, l->night_from);
        if (seconds <= day || !day)
            return at + seconds;
        seconds -= day;
        at += day;
    }
}

static int64_t at_pace(int64_t n, int64_t pace)
{
    return (n + pace - 1) / pace;
}

static void reckon_line(struct plan_line *l, int64_t start)
{
    l->send = l->on ? l->reach - l->quota - l->quiet : 0;
    l->ends = 0;
    l->held = false;
    if (!l->send)
        return;
    l->ends = done_at(l, start, at_pace(l->ahead + l->send, l->pace));
    l->held = l->night == PUSH_HELD && (is_night(l, start) || is_night(l, l->ends) ||
                                        l->ends - start > until(start, l->night_from));
}

void plan_reckon(struct plan *p, int64_t pace)
{
    p->send = p->off = p->ends = 0;
    for (int i = 0; i < p->n; i++) {
        struct plan_line *l = &p->lines[i];

        reckon_line(l, p->start);
        p->send += l->send;
        p->off += l->on ? 0 : l->reach;
        p->ends = l->ends > p->ends ? l->ends : p->ends;
    }
    if (p->send && pace && p->start + at_pace(p->send, pace) > p->ends)
        p->ends = p->start + at_pace(p->send, pace);
}

/* ---- as JSON ---- */

static void put_time(struct buf *b, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];

    if (at)
        jx_put_text(b, key, clock_text(at, text));
}

static void put_line(struct buf *b, const struct plan_line *l)
{
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_int(b, "ahead", l->ahead);
    put_time(b, "ends", l->ends);
    jx_put_bool(b, "held", l->held);
    jx_put_bool(b, "on", l->on);
    jx_put_int(b, "pace", l->pace);
    jx_put_int(b, "quiet", l->quiet);
    jx_put_int(b, "quota", l->quota);
    jx_put_int(b, "reach", l->reach);
    jx_put_int(b, "send", l->send);
    jx_put_text(b, "transport", transport_type((int)l->by)->word);
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
