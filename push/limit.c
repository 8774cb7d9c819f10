/*
 * limit.c - the table of limit.def, and what stands for a figure that nobody told us.
 *
 * UNKNOWN becomes the lowest figure of its class that some vendor did tell, on the day in question: slow and short are safe, and a vendor who allows more loses us nothing but time.
 */
#include "push/limit.h"

#include <assert.h>
#include <stddef.h>

enum { UNKNOWN = -1 };

struct row {
    enum transport by;
    enum push_class class;
    struct push_limit l;
};

static const struct row rows[] = {
#define LIMIT(transport, class, from, day, news, pace, of, tokens, title, text, payload, \
              night, night_from, night_to, ttl, collapse, source)                        \
    { TRANSPORT_##transport,                                                             \
      PUSH_##class,                                                                      \
      { from, day, news, pace, PUSH_##of, tokens, title, text, payload, PUSH_##night,    \
        night_from, night_to, ttl, collapse, source } },
#include "push/limit.def"
#undef LIMIT
};

enum { ROWS = sizeof rows / sizeof *rows };

/* The figures that may be unknown. */
static const size_t figures[] = {
    offsetof(struct push_limit, day),     offsetof(struct push_limit, news_day),
    offsetof(struct push_limit, pace),    offsetof(struct push_limit, tokens),
    offsetof(struct push_limit, title),   offsetof(struct push_limit, text),
    offsetof(struct push_limit, payload), offsetof(struct push_limit, ttl),
};

static int32_t *figure(struct push_limit *l, size_t offset)
{
    return (int32_t *)((char *)l + offset);
}

static const struct row *in_force(enum transport by, enum push_class class, int32_t day)
{
    const struct row *found = NULL;

    for (const struct row *r = rows; r < rows + ROWS; r++)
        if (r->by == by && r->class == class && (!found || r->l.from <= day))
            found = r;
    return found;
}

static int32_t lowest(size_t offset, enum push_class class, int32_t day)
{
    int32_t low = 0;

    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        const struct row *r = in_force((enum transport)by, class, day);
        struct push_limit l = r ? r->l : (struct push_limit){ 0 };
        int32_t v = *figure(&l, offset);

        if (v > 0 && (!low || v < low))
            low = v;
    }
    return low;
}

struct push_limit push_limit(enum transport by, enum push_class class, int32_t day)
{
    const struct row *r = in_force(by, class, day);
    struct push_limit l;

    assert(r);
    l = r->l;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (*figure(&l, figures[i]) == UNKNOWN)
            *figure(&l, figures[i]) = lowest(figures[i], class, day);
    return l;
}

/* ---- days and nights in Beijing, which has had no summer time since 1991 ---- */

enum { AHEAD = 8 * 3600, DAY = 86400 };

/* Howard Hinnant's civil_from_days, for days since 1970. */
int32_t push_limit_day(int64_t seconds)
{
    int64_t z = (seconds + AHEAD) / DAY + 719468, era = z / 146097, doe = z % 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);

    return (int32_t)(year * 10000 + month * 100 + doy - (153 * mp + 2) / 5 + 1);
}

int32_t push_limit_minute(int64_t seconds)
{
    return (int32_t)((seconds + AHEAD) % DAY / 60);
}

bool push_limit_is_night(const struct push_limit *l, int32_t minute)
{
    if (l->night == PUSH_DAY_AND_NIGHT)
        return false;
    if (l->night_from <= l->night_to)
        return minute >= l->night_from && minute < l->night_to;
    return minute >= l->night_from || minute < l->night_to;
}

/* Seconds until that minute of the day comes next; 0: it begins now. */
static int64_t until(int64_t at, int32_t minute)
{
    int64_t now = (at + AHEAD) % DAY, then = (int64_t)minute * 60;

    return (then - now + DAY) % DAY;
}

int64_t push_limit_refused_until(const struct push_limit *l, int64_t at)
{
    if (l->night != PUSH_REFUSED || !push_limit_is_night(l, push_limit_minute(at)))
        return 0;
    return at + until(at, l->night_to);
}

int64_t push_limit_refused_from(const struct push_limit *l, int64_t at)
{
    return l->night == PUSH_REFUSED ? at + until(at, l->night_from) : INT64_MAX;
}
