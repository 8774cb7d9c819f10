/*
 * count.c - the rows of read_count, and what becomes of them.
 *
 *     day --(62 days)--> a part of the month's row --(3 years)--> gone
 *
 * Adding is one statement, so nothing is lost between reading and writing, and a number never goes down.
 * Not here: what is believed (count_report.c, count_web.c).
 */
#include "server/citizen/count.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/citizen/count_report.h"
#include "server/citizen/count_web.h"
#include "server/library/item.h"

enum { DAY = 86400, BEIJING = 8 * 3600, FOLD_BATCH = 500, FOLD_EVERY = 3600 };
enum span { SPAN_DAY, SPAN_MONTH };

static struct {
    int64_t population;
    int64_t folded; /* when no day was old; the writer's thread */
} here;

void count_open(int64_t population, int64_t reports, int64_t pages)
{
    here.population = population;
    here.folded = 0;
    count_report_open(reports);
    count_web_open(pages);
}

int64_t count_day(int64_t at)
{
    return (at + BEIJING) / DAY * DAY - BEIJING;
}

/* The second at which the day's month began. */
static int64_t month_of(int64_t day)
{
    char text[CLOCK_TEXT];
    int64_t first = day;

    clock_day(day, text);
    memcpy(text + strlen("2026-11-"), "01", 2);
    return clock_parse(text, strlen(text), &first) ? day : first;
}

/* ---- in ---- */

static enum rc room_of(struct work *w, const struct count *c, int64_t *room)
{
    int64_t have = 0;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_count_of, &q, "bii", c->item.b, sizeof c->item.b, c->day,
                       (int64_t)c->channel)))
        return rc;
    if (rows_next(&q))
        have = rows_int(&q, 0);
    *room = have < here.population ? here.population - have : 0;
    return rows_done(&q);
}

static enum rc add(struct work *w, const struct count *c, enum span span)
{
    return db_run(w, SQL_count_add, "biiiii", c->item.b, sizeof c->item.b, (int64_t)span,
                  c->day, (int64_t)c->channel, c->reads, c->apart);
}

enum rc count_add(struct work *w, const struct count *c, int64_t *apart)
{
    struct count believed = *c;
    int64_t room = c->reads;
    enum rc rc;

    if (here.population && c->channel == COUNT_PHONE && (rc = room_of(w, c, &room)))
        return rc;
    if (room < c->reads) {
        believed.reads = room;
        believed.apart += c->reads - room;
    }
    *apart = believed.apart;
    metric_add(METRIC_reads_counted, believed.reads);
    metric_add(METRIC_reads_apart, believed.apart);
    return add(w, &believed, SPAN_DAY);
}

/* ---- days become months ---- */

static enum rc old_days(struct work *w, struct buf *list)
{
    struct count c = { 0 };
    struct rows q;
    size_t n;
    enum rc rc;

    if ((rc = db_query(w, SQL_count_old_days, &q, "ii",
                       count_day(clock_now() - COUNT_DAYS_KEPT), (int64_t)FOLD_BATCH)))
        return rc;
    while (rows_next(&q)) {
        memcpy(c.item.b, rows_blob(&q, 0, &n), sizeof c.item.b);
        c.day = rows_int(&q, 1);
        c.channel = (enum count_channel)rows_int(&q, 2);
        c.reads = rows_int(&q, 3);
        c.apart = rows_int(&q, 4);
        buf_add(list, &c, sizeof c);
    }
    return rows_done(&q);
}

static enum rc fold(struct work *w)
{
    struct buf list = BUF_IN(w->mem);
    struct count *c;
    size_t n;
    enum rc rc;

    if ((rc = old_days(w, &list)))
        return rc;
    c = (struct count *)(void *)list.p;
    n = list.n / sizeof *c;
    for (size_t i = 0; i < n && !rc; i++) {
        rc = db_run(w, SQL_count_drop_day, "bii", c[i].item.b, sizeof c[i].item.b, c[i].day,
                    (int64_t)c[i].channel);
        c[i].day = month_of(c[i].day);
        if (!rc)
            rc = add(w, &c[i], SPAN_MONTH);
    }
    if (!rc && n < FOLD_BATCH)
        here.folded = clock_now();
    return rc;
}

static bool may_fold(void)
{
    int64_t now = clock_now();

    return now < here.folded || now >= here.folded + FOLD_EVERY;
}

void count_tick(struct db *db, void *unused)
{
    struct work w;
    enum rc rc;

    (void)unused;
    work_init(&w, arena_new(), db, "clock", RIGHT_READ);
    if (!(rc = db_begin(&w))) {
        if ((rc = count_web_write(&w)) || (may_fold() && (rc = fold(&w))) ||
            (rc = db_commit(&w)))
            db_rollback(db);
        count_web_done(!rc);
    }
    if (rc)
        LOG(LOG_ERROR, "counts_failed", L_STR("why", w.err.text));
    arena_free(w.mem);
}

/* ---- out ---- */

/* Who may see those of a site alone and names none means his. */
static int64_t site_of(const struct actor *who)
{
    for (int i = 0; i < who->nscopes; i++)
        if (who->scopes[i].rights & ITEM_DRAFT_RIGHTS &&
            !actor_has_at(who, ITEM_DRAFT_RIGHTS, EVERYWHERE))
            return who->scopes[i].site;
    return EVERYWHERE;
}

static enum rc need(struct work *w, struct count_query *q)
{
    struct item item;
    enum rc rc;

    if (!q->item && !q->site)
        q->site = site_of(&w->who);
    if (!q->item)
        return work_need_at(w, ITEM_DRAFT_RIGHTS, q->site);
    if ((rc = item_find(w, q->item, &item)))
        return rc;
    return work_need_at(w, ITEM_DRAFT_RIGHTS, item.site);
}

enum rc count_items(struct work *w, const struct count_query *asked, struct count_row **out,
                    int *n)
{
    struct count_query wish = *asked, *query = &wish;
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    size_t length;
    enum rc rc;

    if ((rc = need(w, query)) ||
        (rc = db_query(w, SQL_count_by_item, &q, "iiii", query->since, query->until,
                       query->site, (int64_t)query->limit)))
        return rc;
    while (rows_next(&q)) {
        struct count_row r = { .title = rows_dup_text(w, &q, 1),
                               .site = rows_int(&q, 2),
                               .web = rows_int(&q, 3),
                               .phone = rows_int(&q, 4),
                               .apart = rows_int(&q, 5) };

        memcpy(r.item.b, rows_blob(&q, 0, &length), sizeof r.item.b);
        buf_add(&list, &r, sizeof r);
    }
    *out = (struct count_row *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

static enum rc ask_days(struct work *w, const struct count_query *query, struct rows *q)
{
    if (query->item)
        return db_query(w, SQL_count_of_item, q, "iibi", query->since, query->until,
                        query->item->b, sizeof query->item->b, (int64_t)query->limit);
    return db_query(w, SQL_count_by_day, q, "iiii", query->since, query->until, query->site,
                    (int64_t)query->limit);
}

enum rc count_days(struct work *w, const struct count_query *asked, struct count_row **out,
                   int *n)
{
    struct count_query wish = *asked, *query = &wish;
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = need(w, query)) || (rc = ask_days(w, query, &q)))
        return rc;
    while (rows_next(&q)) {
        struct count_row r = { .day = rows_int(&q, 0),
                               .month = rows_int(&q, 1) == SPAN_MONTH,
                               .web = rows_int(&q, 2),
                               .phone = rows_int(&q, 3),
                               .apart = rows_int(&q, 4) };

        buf_add(&list, &r, sizeof r);
    }
    *out = (struct count_row *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}
