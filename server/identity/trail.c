/*
 * trail.c - the clock of the audit log.
 *
 *     every second    refusals, and lists that were read, that were counted for long enough
 *     every hour      a signature, if there is a row since the last one; then months that are old enough go
 *
 * What goes, goes from the beginning and up to the end of a month in Beijing, and in the same transaction a
 * boundary is signed: so far all was kept its time. The first row that is left follows the chain of the last that
 * is gone, so the log can still be verified from there on.
 */
#include "server/identity/trail.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/identity/audit.h"
#include "server/identity/audit_head.h"
#include "server/identity/reading.h"
#include "server/identity/refusal.h"
#include "server/store/db.h"
#include "server/store/writer.h"

enum { TICK_MS = 1000, PRUNE_ROWS = 2000, DAY = 86400 };
#define HOUR_US INT64_C(3600000000)

static struct {
    int64_t keep; /* seconds */
    int64_t next_us;
    bool open;
} life;

/* ---- what is old enough ---- */

/* The first second of the month in which rows of that age were written. */
static int64_t month_of(int64_t at)
{
    char day[CLOCK_TEXT];
    int64_t out = 0;

    clock_day(at, day);
    memcpy(day + strlen("2026-11-"), "01", 2);
    return clock_parse(day, strlen(day), &out) ? 0 : out;
}

/* The last of the oldest rows that are before `until`: *b, with no 0 if there is none. */
static enum rc find_boundary(struct work *w, int64_t until, struct audit_head *b, int64_t *n)
{
    struct audit_row row;
    struct rows q;
    enum rc rc;

    *b = (struct audit_head){ .kind = AUDIT_BOUNDARY, .time = clock_now() };
    *n = 0;
    if ((rc = db_query(w, SQL_audit_oldest, &q, "i", (int64_t)PRUNE_ROWS)))
        return rc;
    while (rows_next(&q) && audit_read(&q, &row) && row.at < until) {
        b->no = row.no;
        b->at = row.at > b->at ? row.at : b->at;
        memcpy(b->chain, row.chain, HASH_BYTES);
        ++*n;
    }
    return rows_done(&q);
}

enum rc trail_prune(struct work *w, int64_t keep_seconds, bool *more)
{
    struct audit_head b;
    int64_t n;
    enum rc rc;

    *more = false;
    if ((rc = find_boundary(w, month_of(clock_now() - keep_seconds), &b, &n)) || !n)
        return rc;
    if ((rc = db_run(w, SQL_audit_drop, "i", b.no)) || (rc = audit_head_bound(w, &b)))
        return rc;
    *more = n == PRUNE_ROWS;
    work_fact(w, "rows", n);
    work_fact(w, "through", b.no);
    rc = audit_add(w, AUDIT_audit_prune, NULL, RC_OK);
    work_forget_facts(w);
    return rc;
}

/* ---- the tick ---- */

static enum rc sign(struct work *w, void *unused)
{
    (void)unused;
    return audit_head_sign(w);
}

static enum rc prune(struct work *w, void *more)
{
    return trail_prune(w, life.keep, more);
}

static enum rc write_counts(struct work *w, bool all)
{
    enum rc rc = refusal_write(w, all);

    return rc ? rc : reading_write(w, all);
}

static enum rc write_due(struct work *w, void *unused)
{
    (void)unused;
    return write_counts(w, false);
}

/* On the writer's thread: a transaction of its own. */
static void commit(struct db *db, enum rc (*fn)(struct work *w, void *arg), void *arg)
{
    struct arena *mem = arena_new();
    struct work w;

    work_init(&w, mem, db, "system", RIGHT_ALL);
    if (db_begin(&w) || fn(&w, arg) || db_commit(&w)) {
        db_rollback(db);
        LOG(LOG_ERROR, "audit_failed", L_STR("why", w.err.text));
    } else {
        work_committed(&w);
    }
    arena_free(mem);
}

static void tick(struct db *db, void *unused)
{
    bool more = true;

    (void)unused;
    if (refusal_is_due(false) || reading_is_due())
        commit(db, write_due, NULL);
    if (clock_mono_us() < life.next_us)
        return;
    life.next_us = clock_mono_us() + HOUR_US;
    commit(db, sign, NULL);
    while (more) {
        more = false;
        commit(db, prune, &more);
    }
}

/* ---- life ---- */

enum rc trail_open(struct err *e, int64_t keep_ms)
{
    if (keep_ms < (int64_t)AUDIT_KEEP_DAYS * DAY * 1000)
        return err_set(e, RC_INVALID, "audit_keep is at least %dd: the law wants a year",
                       AUDIT_KEEP_DAYS);
    life.keep = keep_ms / 1000;
    life.next_us = clock_mono_us() + HOUR_US;
    writer_tick(TICK_MS, tick, NULL);
    return RC_OK;
}

/* From its first row on a server signs with all the keys that it has. */
static enum rc begin(struct work *w, void *serves)
{
    enum rc rc = audit_head_settle(w);

    if (rc || !serves)
        return rc;
    rc = audit_add(w, AUDIT_server_start, NULL, RC_OK);
    return rc ? rc : audit_head_sign(w);
}

static enum rc end(struct work *w, void *unused)
{
    enum rc rc = write_counts(w, true);

    (void)unused;
    return rc ? rc : audit_head_sign(w);
}

static enum rc call(struct err *e, enum rc (*fn)(struct work *w, void *arg), void *arg)
{
    struct arena *mem = arena_new();
    struct work w;
    enum rc rc;

    work_init(&w, mem, NULL, "system", RIGHT_ALL);
    if ((rc = writer_call(&w, fn, arg)))
        *e = w.err;
    arena_free(mem);
    return rc;
}

enum rc trail_begin(struct err *e, const char *data, bool sm2, bool serves)
{
    enum rc rc = audit_head_load(e, data, sm2 && serves);

    if (!rc)
        rc = call(e, begin, serves ? &life : NULL);
    life.open = !rc;
    return rc;
}

void trail_finish(void)
{
    struct err e;

    if (life.open && call(&e, end, NULL))
        LOG(LOG_ERROR, "audit_failed", L_STR("why", e.text));
    life.open = false;
}

void trail_close(void)
{
    reading_forget();
    audit_head_forget();
}
