/*
 * workday.c - a table of days that differ from the week, asked from the newest on.
 */
#include "server/citizen/workday.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/conf.h"

enum { DAY = 86400, BEIJING = 8 * 3600, THURSDAY = 4 /* 1970-01-01 */ };

/* Days of a notice, both ends included, as 20260101. */
static const struct span {
    int first, last;
    bool off;
} spans[] = {
#define NOTICE(year, source)
#define DAYS_OFF(first, last, name) { first, last, true },
#define DAY_ON(day, name)           { day, day, false },
#include "server/citizen/workday.def"
#undef NOTICE
#undef DAYS_OFF
#undef DAY_ON
};

static const int noticed[] = {
#define NOTICE(year, source) year,
#define DAYS_OFF(first, last, name)
#define DAY_ON(day, name)
#include "server/citizen/workday.def"
#undef NOTICE
#undef DAYS_OFF
#undef DAY_ON
};

enum { SPANS = sizeof spans / sizeof *spans, NOTICED = sizeof noticed / sizeof *noticed };

static struct { /* written before the threads start */
    int64_t day;
    bool off;
} added[WORKDAY_ADDED_MAX];
static int nadded;

int64_t workday_of(int64_t seconds)
{
    int64_t there = seconds + BEIJING;

    return there / DAY - (there % DAY < 0);
}

int64_t workday_begin(int64_t day)
{
    return day * DAY - BEIJING;
}

/* 20260101 of a day: the months are counted from March, so that the leap day is the last of its year. */
static int calendar(int64_t day)
{
    int64_t since = day + 719468, era = since / 146097, of_era = since % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153, of_month = of_year - (153 * month + 2) / 5 + 1;

    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);
    return (int)(year * 10000 + month * 100 + of_month);
}

bool workday_is(int64_t day)
{
    int date = calendar(day), weekday = (int)(((day + THURSDAY) % 7 + 7) % 7);

    for (int i = nadded - 1; i >= 0; i--)
        if (added[i].day == day)
            return !added[i].off;
    for (int i = SPANS - 1; i >= 0; i--)
        if (spans[i].first <= date && date <= spans[i].last)
            return !spans[i].off;
    return weekday >= 1 && weekday <= 5;
}

int64_t workday_after(int64_t day, int n)
{
    while (n > 0)
        n -= workday_is(++day);
    return day;
}

int workday_between(int64_t from, int64_t to)
{
    int n = 0;

    for (int64_t day = from + 1; day <= to && n < WORKDAYS_COUNTED; day++)
        n += workday_is(day);
    return n;
}

int64_t workday_deadline(int64_t seconds, int n)
{
    int64_t day = workday_of(seconds);

    return workday_begin((n ? workday_after(day, n) : workday_after(day - 1, 1)) + 1);
}

int workday_known(void)
{
    int last = noticed[NOTICED - 1];

    for (int i = 0; i < nadded; i++)
        if (calendar(added[i].day) / 10000 > last)
            last = calendar(added[i].day) / 10000;
    return last;
}

static enum rc add(struct err *e, const char *setting, const struct conf_list *days, bool off)
{
    for (int i = 0; i < days->n; i++) {
        int64_t at;

        if (strlen(days->v[i]) != 10 || clock_parse(days->v[i], 10, &at))
            return err_field(e, setting, "%s: \"%.20s\" is no day like 2027-01-01", setting,
                             days->v[i]);
        if (nadded == WORKDAY_ADDED_MAX)
            return err_field(e, setting, "%s: more than %d days", setting, WORKDAY_ADDED_MAX);
        added[nadded].day = workday_of(at);
        added[nadded++].off = off;
    }
    return RC_OK;
}

enum rc workday_open(struct err *e, const struct conf_list *off, const struct conf_list *on)
{
    enum rc rc;

    nadded = 0;
    rc = add(e, "days_off", off, true);
    return rc ? rc : add(e, "days_on", on, false);
}
