/*
 * clock.c - time, and dates as people here write them. Beijing is UTC+8 throughout; the few
 * summers of 1986-1991 are not worth a time zone database.
 */
#include "server/base/clock.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

enum { BEIJING = 8 * 3600, CLOSE_MS = 20 };

static _Atomic int64_t fake = INT64_MIN; /* ms */
static _Atomic int64_t skipped_us;

static int64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    int64_t set = atomic_load_explicit(&fake, memory_order_relaxed);

    return set != INT64_MIN ? set : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_now(void)
{
    return clock_now_ms() / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC) + atomic_load_explicit(&skipped_us, memory_order_relaxed);
}

/* Between two readings we may have been stopped for a while: only those count that stand close together. */
int64_t clock_offset_ms(void)
{
    for (;;) {
        int64_t before = clock_mono_us() / 1000, wall = clock_now_ms();

        if (clock_mono_us() / 1000 - before < CLOSE_MS)
            return wall - before;
    }
}

int64_t clock_ran_us(pthread_t thread)
{
    clockid_t id;

    return pthread_getcpuclockid(thread, &id) ? 0 : read_us(id);
}

bool clock_is_kept(void)
{
    struct timex t = { 0 };

    return adjtimex(&t) < 0 || !(t.status & STA_UNSYNC);
}

void clock_sleep_ms(int64_t ms)
{
    const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

void clock_set(int64_t seconds)
{
    atomic_store(&fake, seconds * 1000);
}

void clock_unset(void)
{
    atomic_store(&fake, INT64_MIN);
}

void clock_skip(int64_t ms)
{
    if (atomic_load(&fake) != INT64_MIN)
        atomic_fetch_add(&fake, ms);
    atomic_fetch_add(&skipped_us, ms * 1000);
}

static struct tm beijing(int64_t seconds)
{
    time_t t = (time_t)(seconds + BEIJING);
    struct tm tm;

    gmtime_r(&t, &tm);
    return tm;
}

static char *print(int64_t seconds, char *out, const char *format)
{
    struct tm tm = beijing(seconds);

    if (!strftime(out, CLOCK_TEXT, format, &tm))
        out[0] = '\0';
    return out;
}

char *clock_text(int64_t seconds, char out[CLOCK_TEXT])
{
    return print(seconds, out, "%Y-%m-%dT%H:%M:%S+08:00");
}

char *clock_minute(int64_t seconds, char out[CLOCK_TEXT])
{
    return print(seconds, out, "%Y-%m-%d %H:%M");
}

char *clock_day(int64_t seconds, char out[CLOCK_TEXT])
{
    return print(seconds, out, "%Y-%m-%d");
}

/* Reads exactly `digits` digits. */
static bool number(const char **p, const char *end, int digits, int *out)
{
    int v = 0;

    if (end - *p < digits)
        return false;
    for (int i = 0; i < digits; i++) {
        char c = (*p)[i];

        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *p += digits;
    *out = v;
    return true;
}

static bool mark(const char **p, const char *end, char c)
{
    if (*p == end || **p != c)
        return false;
    ++*p;
    return true;
}

static bool leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static bool is_date(int y, int m, int d)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return y >= 1900 && y <= 2200 && m >= 1 && m <= 12 && d >= 1 &&
           d <= days[m - 1] + (m == 2 && leap(y));
}

/* "Z", "+HH:MM" or nothing, which means Beijing. */
static bool zone(const char **p, const char *end, int *offset)
{
    int h, m, sign;

    *offset = BEIJING;
    if (*p == end)
        return true;
    if (mark(p, end, 'Z')) {
        *offset = 0;
        return true;
    }
    sign = **p == '-' ? -1 : 1;
    if (!mark(p, end, '+') && !mark(p, end, '-'))
        return false;
    if (!number(p, end, 2, &h) || !mark(p, end, ':') || !number(p, end, 2, &m) || h > 14 ||
        m > 59)
        return false;
    *offset = sign * (h * 3600 + m * 60);
    return true;
}

static bool time_of_day(const char **p, const char *end, int *seconds)
{
    int h, m, s = 0;

    if (!number(p, end, 2, &h) || !mark(p, end, ':') || !number(p, end, 2, &m))
        return false;
    if (mark(p, end, ':') && !number(p, end, 2, &s))
        return false;
    if (h > 23 || m > 59 || s > 59)
        return false;
    *seconds = h * 3600 + m * 60 + s;
    return true;
}

int clock_parse(const char *text, size_t n, int64_t *out)
{
    const char *p = text, *end = text + n;
    int y, m, d, seconds = 0, offset = BEIJING;
    struct tm tm = { 0 };

    if (!number(&p, end, 4, &y) || !mark(&p, end, '-') || !number(&p, end, 2, &m) ||
        !mark(&p, end, '-') || !number(&p, end, 2, &d) || !is_date(y, m, d))
        return -1;
    if (p != end) {
        if (!mark(&p, end, 'T') && !mark(&p, end, ' '))
            return -1;
        if (!time_of_day(&p, end, &seconds) || !zone(&p, end, &offset) || p != end)
            return -1;
    }
    tm.tm_year = y - 1900;
    tm.tm_mon = m - 1;
    tm.tm_mday = d;
    *out = (int64_t)timegm(&tm) + seconds - offset;
    return 0;
}
