/*
 * retention.c - retention.def, a batch of each row at a time.
 *
 * Each row of the table is a transaction of its own: what cannot be purged holds up nothing else. A batch takes some milliseconds, so that jobs wait
 * no longer than for one of their own kind; a server that was off for a year catches up with a thousand rows a second of each.
 */
#include "server/retention.h"

#include "push/address.h"
#include "push/notice.h"
#include "push/run.h"
#include "server/base/arena.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/citizen/count.h"
#include "server/citizen/count_report.h"
#include "server/citizen/survey.h"
#include "server/http/idempotency.h"
#include "server/identity/account.h"
#include "server/identity/code.h"
#include "server/identity/consent.h"
#include "server/identity/device_grant.h"
#include "server/identity/grant_code.h"
#include "server/identity/party_sandbox.h"
#include "server/source/submission.h"
#include "server/store/db.h"
#include "server/websub/websub_table.h"
#include "warning/warning.h"

enum { EVERY = 60, MONTH = 31 * 86400, KEPT_WITH_AUDIT = -1, PARTY_KEY_SHOWN = 90 * 86400 };

static const struct retention rows[] = {
#define RETENTION(table, statement, seconds, rule) { #table, rule, seconds },
#include "server/retention.def"
#undef RETENTION
};

static const enum sql statements[] = {
#define RETENTION(table, statement, seconds, rule) SQL_##statement,
#include "server/retention.def"
#undef RETENTION
};

enum { ROWS = sizeof rows / sizeof *rows };

static struct {         /* the writer's thread only */
    int64_t audit_keep; /* seconds */
    int64_t looked;     /* when all was gone that was due */
} here = { .audit_keep = 366 * 86400 };

const struct retention *retention_rows(int *n)
{
    *n = ROWS;
    return rows;
}

void retention_open(int64_t audit_keep_ms)
{
    here.audit_keep = audit_keep_ms / 1000;
    here.looked = 0;
}

static int64_t kept(const struct retention *r)
{
    return r->keep == KEPT_WITH_AUDIT ? here.audit_keep + MONTH : r->keep;
}

static enum rc purge(struct work *w, int i, int *n)
{
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_begin(w)))
        return rc;
    if (!(rc = db_query(w, statements[i], &q, "ii", clock_now() - kept(&rows[i]),
                        (int64_t)RETENTION_BATCH))) {
        while (rows_next(&q))
            ++*n;
        rc = rows_done(&q);
    }
    if (rc || (rc = db_commit(w)))
        db_rollback(w->db);
    return rc;
}

bool retention_run(struct db *db)
{
    bool all = true;

    for (int i = 0; i < ROWS; i++) {
        struct work w;
        int n;

        work_init(&w, arena_new(), db, "clock", RIGHT_READ);
        if (purge(&w, i, &n))
            LOG(LOG_ERROR, "not_purged", L_STR("table", rows[i].table),
                L_STR("why", w.err.text));
        all &= n < RETENTION_BATCH;
        arena_free(w.mem);
    }
    return all;
}

void retention_tick(struct db *db, void *unused)
{
    int64_t now = clock_now();

    (void)unused;
    if (now >= here.looked && now < here.looked + EVERY)
        return;
    if (retention_run(db))
        here.looked = now;
}
