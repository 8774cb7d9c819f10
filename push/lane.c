/*
 * lane.c - a bucket, a factor and a breaker.
 *
 *     CLOSED --(5 failures in a row)--> OPEN for 1 s --(time)--> one trial --(went)--> CLOSED
 *                                        ^                          |
 *                                        +-- 2 s, 4 s … 60 s --(failed)
 *
 * The bucket is counted in thousandths of a message: a pace of N a second fills N of them a millisecond, without a rounding.
 *
 * The factor is halved when the vendor says "too fast", and rises by a tenth of the pace each second in which he does not. Two hundred requests that are under way are told so
 * two hundred times for one mistake, so it falls at most once a second.
 *
 * Likewise the breaker: what was under way when it opened fails as well and must not open it further. Each opening is a round of its own, and only news of the
 * present one count.
 */
#include "push/lane.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"

enum { WHOLE = 1000, RISE = 100, SECOND = 1000, BURST = 5 /* of a second */ };

void lane_init(struct lane *l, int64_t pace, int64_t now_ms)
{
    *l = (struct lane){ .pace = pace > 0 ? pace : 1,
                        .factor = WHOLE,
                        .saved = WHOLE,
                        .filled_ms = now_ms,
                        .risen_ms = now_ms,
                        .halved_ms = now_ms - SECOND,
                        .round = 1 };
}

void lane_pace(struct lane *l, int64_t pace)
{
    l->pace = pace > 0 ? pace : 1;
}

/* Thousandths of a message a millisecond, times a thousand for the factor's sake. */
static int64_t fill_rate(const struct lane *l)
{
    return l->pace * l->factor;
}

static int64_t burst(const struct lane *l)
{
    int64_t most = l->pace * WHOLE / BURST;

    return most > WHOLE ? most : WHOLE;
}

static void rise(struct lane *l, int64_t now_ms)
{
    int64_t seconds = (now_ms - l->risen_ms) / SECOND;

    if (seconds <= 0)
        return;
    l->risen_ms += seconds * SECOND;
    l->factor = seconds > WHOLE / RISE || l->factor + seconds * RISE > WHOLE
                    ? WHOLE
                    : l->factor + seconds * RISE;
}

static void fill(struct lane *l, int64_t now_ms)
{
    int64_t ms = now_ms - l->filled_ms;

    if (ms <= 0)
        return;
    /* In a tenth of a day the slowest has filled all that a request of any size took ahead. */
    l->saved += fill_rate(l) * (ms < 8640000 ? ms : 8640000) / WHOLE;
    if (l->saved > burst(l))
        l->saved = burst(l);
    l->filled_ms = now_ms;
    rise(l, now_ms);
}

static bool probe_is_out(const struct lane *l, int64_t now_ms)
{
    return l->probe_ms && now_ms < l->probe_ms + LANE_PROBE_MS;
}

uint32_t lane_take(struct lane *l, int n, int64_t now_ms)
{
    fill(l, now_ms);
    if (now_ms < l->closed_ms || l->saved < WHOLE)
        return 0;
    if (l->open_ms) {
        if (probe_is_out(l, now_ms))
            return 0;
        l->probe_ms = now_ms ? now_ms : 1;
    }
    l->saved -= (int64_t)n * WHOLE;
    return l->round;
}

int64_t lane_wait(const struct lane *l, int64_t now_ms)
{
    struct lane then = *l;
    int64_t wait = 0, rate;

    fill(&then, now_ms);
    rate = fill_rate(&then);
    if (then.saved < WHOLE)
        wait = ((WHOLE - then.saved) * WHOLE + rate - 1) / rate;
    if (then.closed_ms - now_ms > wait)
        wait = then.closed_ms - now_ms;
    if (then.open_ms && probe_is_out(&then, now_ms) &&
        then.probe_ms + LANE_PROBE_MS - now_ms > wait)
        wait = then.probe_ms + LANE_PROBE_MS - now_ms;
    return wait;
}

void lane_hear(struct lane_turn *t, const struct lane *l, uint32_t round, enum lane_news news,
               int64_t after_ms)
{
    bool present = round == l->round;

    t->went |= present && (news == LANE_WENT || news == LANE_SLOW);
    t->slow |= news == LANE_SLOW;
    t->down |= news == LANE_DOWN;
    t->failed |= present && (news == LANE_FAILED || news == LANE_DOWN);
    if (after_ms > t->after_ms)
        t->after_ms = after_ms;
}

/* What went speaks loudest: he is there. */
void lane_told_all(struct lane *l, struct lane_turn *t, int64_t now_ms)
{
    struct lane_turn n = *t;

    *t = (struct lane_turn){ 0 };
    if (n.slow)
        lane_told(l, 0, LANE_SLOW, n.after_ms, now_ms);
    if (n.went)
        lane_told(l, l->round, LANE_WENT, n.after_ms, now_ms);
    if (n.down || n.failed)
        lane_told(l, n.went ? 0 : l->round, n.down ? LANE_DOWN : LANE_FAILED, n.after_ms,
                  now_ms);
}

bool lane_is_slowed(const struct lane *l, int64_t now_ms)
{
    return l->factor < WHOLE || l->closed_ms > now_ms;
}

bool lane_is_open(const struct lane *l)
{
    return l->open_ms;
}

static void slow_down(struct lane *l, int64_t now_ms)
{
    l->risen_ms = now_ms;
    if (now_ms - l->halved_ms < SECOND)
        return;
    l->factor = l->factor / 2 > LANE_FACTOR_LEAST ? l->factor / 2 : LANE_FACTOR_LEAST;
    l->halved_ms = now_ms;
    if (l->saved > WHOLE)
        l->saved = WHOLE; /* what was saved up at the old pace would leave at it */
}

static void close_until(struct lane *l, int64_t then_ms)
{
    if (then_ms > l->closed_ms)
        l->closed_ms = then_ms;
}

static void open_breaker(struct lane *l, int64_t now_ms)
{
    int64_t longer = l->open_ms ? l->open_ms * 2 : LANE_OPEN_LEAST_MS;

    l->open_ms = longer < LANE_OPEN_MOST_MS ? longer : LANE_OPEN_MOST_MS;
    l->probe_ms = 0;
    l->failures = 0;
    l->round++;
    if (!l->round)
        l->round = 1;
    close_until(l, now_ms + l->open_ms);
}

void lane_told(struct lane *l, uint32_t round, enum lane_news news, int64_t after_ms,
               int64_t now_ms)
{
    fill(l, now_ms);
    if (after_ms > 0)
        close_until(l,
                    now_ms + (after_ms < LANE_AFTER_MOST_MS ? after_ms : LANE_AFTER_MOST_MS));
    if (news == LANE_SLOW || news == LANE_DOWN)
        slow_down(l, now_ms);
    if (round != l->round)
        return;
    if (news == LANE_WENT || news == LANE_SLOW) {
        l->failures = 0;
        l->open_ms = l->probe_ms = 0;
        return;
    }
    if (l->open_ms || ++l->failures >= LANE_BREAK)
        open_breaker(l, now_ms);
}

void lane_unsaid(struct lane *l, uint32_t round)
{
    if (round == l->round)
        l->probe_ms = 0;
}

/* ---- one message ---- */

int64_t lane_retry(int tries, int64_t now, int64_t until, int64_t after_s, uint64_t dice)
{
    int64_t most = LANE_RETRY_LEAST_S, wait;

    for (int i = 1; i < tries && most < LANE_RETRY_MOST_S; i++)
        most *= 2;
    if (most > LANE_RETRY_MOST_S)
        most = LANE_RETRY_MOST_S;
    wait = most / 2 + (int64_t)(dice % (uint64_t)(most - most / 2 + 1));
    if (after_s > 0)
        /* All are told the same moment: they come back spread over as long as they would have been. */
        wait += after_s;
    return now + wait <= until ? now + wait : -1;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" alone of the three forms of a date: nobody may send the others. */
static int64_t http_date(const char *s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[32];
    const char *m = NULL;
    int64_t at;

    if (strlen(s) != 29 || s[3] != ',' || strcmp(s + 25, " GMT") != 0)
        return -1;
    for (int i = 0; i < 12; i++)
        if (!strncmp(s + 8, months + (size_t)i * 3, 3))
            m = months + (size_t)i * 3;
    if (!m)
        return -1;
    /* YYYY-MM-DDTHH:MM:SSZ */
    memcpy(iso, s + 12, 4);
    iso[4] = iso[7] = '-';
    iso[5] = (char)('0' + ((m - months) / 3 + 1) / 10);
    iso[6] = (char)('0' + ((m - months) / 3 + 1) % 10);
    memcpy(iso + 8, s + 5, 2);
    iso[10] = 'T';
    memcpy(iso + 11, s + 17, 8);
    memcpy(iso + 19, "Z", 2);
    return clock_parse(iso, 20, &at) ? -1 : at;
}

int64_t lane_after(const char *value, int64_t now)
{
    size_t digits = strspn(value, "0123456789");
    int64_t at;

    if (digits && !value[digits]) {
        if (digits > 6)
            return LANE_AFTER_MOST_MS;
        at = atoi(value);
    } else {
        at = http_date(value) - now;
    }
    if (at <= 0)
        return 0;
    return at < LANE_AFTER_MOST_MS / SECOND ? at * SECOND : LANE_AFTER_MOST_MS;
}
