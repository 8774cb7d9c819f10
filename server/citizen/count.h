/*
 * count.h - how often items were read (浏览量): a number for each item, day and channel, and of nobody's reading.
 *
 *     phones   POST /v1/counts     count_report.h   what a phone's owner allowed it to tell
 *     web      pages of articles   count_web.h      what this server showed to browsers
 *
 * What is not plausible stands apart in the same row: it is not forgotten, and nowhere added. A row stands for a day, and after two months it becomes
 * a part of its month.
 */
#ifndef CITIZEN_COUNT_H
#define CITIZEN_COUNT_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "server/store/db.h"

enum count_channel {
    COUNT_WEB,
    COUNT_PHONE
}; /* stand in rows: none is ever used for something else */

enum {
    COUNT_DAYS_KEPT = 62 * 86400,        /* then they are months … */
    COUNT_MONTHS_KEPT = 3 * 366 * 86400, /* … and then they go */
    COUNT_PAGE_MAX = 1000
};

/* The second at which the day began in Beijing. */
int64_t count_day(int64_t at);

struct count {
    struct id item;
    int64_t day; /* count_day() */
    enum count_channel channel;
    int64_t reads, apart;
};

/* On the writer: adds to the row. Above count_population reads by phones the rest stands apart; *apart says how many. */
enum rc count_add(struct work *w, const struct count *c, int64_t *apart);

struct count_query {
    int64_t since, until;  /* days: since <= day < until */
    int64_t site;          /* 0: all */
    const struct id *item; /* NULL: all */
    int limit;
};
struct count_row {
    struct id item;
    const char *title;
    int64_t site;
    int64_t day;
    bool month; /* all of the month that begins on that day */
    int64_t web, phone, apart;
};
/* The most read items first. RC_FORBIDDEN unless the actor may see drafts at that site; one who may at a site alone and names none gets that one's. */
enum rc count_items(struct work *w, const struct count_query *q, struct count_row **out,
                    int *n);
/* The days, the oldest first; of one item or of all. */
enum rc count_days(struct work *w, const struct count_query *q, struct count_row **out, int *n);

/* Before the writer starts. 0: no limit. */
void count_open(int64_t population, int64_t reports, int64_t pages);
/* A writer_tick: what browsers read is written down, and old days become months. */
void count_tick(struct db *db, void *unused);

#endif
