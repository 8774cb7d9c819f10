/*
 * compact.c - the floor rises: tombstones up to it are gone, and a cursor below it gets the state as it is (visit.c).
 */
#include "server/citizen/compact.h"

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/citizen/device.h"
#include "server/store/db.h"

enum { EVERY = 60, AT_ONCE = 500 };

static int64_t looked; /* seconds; the writer's thread only */

static enum rc raise_floor(struct work *w, int64_t account, int64_t seq)
{
    return db_run(w, SQL_citizen_raise_floor, "ii", account, seq);
}

enum rc compact_account(struct work *w, int64_t account)
{
    int64_t read = 0, highest = 0;
    struct rows q;
    enum rc rc;

    if ((rc = device_slowest(w, account, &read)) || !read)
        return rc;
    if ((rc = db_query(w, SQL_entry_bury, &q, "ii", account, read)))
        return rc;
    while (rows_next(&q))
        highest = rows_int(&q, 0) > highest ? rows_int(&q, 0) : highest;
    if ((rc = rows_done(&q)) || !highest)
        return rc;
    return raise_floor(w, account, highest);
}

/* ---- time ---- */

struct buried {
    int64_t account, seq;
};

static enum rc bury_old(struct work *w, int *n)
{
    struct buf list = BUF_IN(w->mem);
    const struct buried *b;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_entry_bury_old, &q, "ii", clock_now() - COMPACT_AFTER,
                       (int64_t)AT_ONCE)))
        return rc;
    while (rows_next(&q)) {
        const struct buried one = { rows_int(&q, 0), rows_int(&q, 1) };

        buf_add(&list, &one, sizeof one);
    }
    rc = rows_done(&q);
    b = (const struct buried *)(void *)list.p;
    *n = (int)(list.n / sizeof *b);
    for (int i = 0; i < *n && !rc; i++)
        rc = raise_floor(w, b[i].account, b[i].seq);
    return rc;
}

static enum rc tidy(struct work *w, bool *all)
{
    int buried = 0, silent = 0;
    enum rc rc;

    if ((rc = db_begin(w)))
        return rc;
    if ((rc = bury_old(w, &buried)) || (rc = device_forget_silent(w, AT_ONCE, &silent)) ||
        (rc = db_commit(w))) {
        db_rollback(w->db);
        return rc;
    }
    work_committed(w);
    *all = buried < AT_ONCE && silent < AT_ONCE;
    return RC_OK;
}

void compact_tick(struct db *db, void *unused)
{
    int64_t now = clock_now();
    struct work w;
    bool all = true;

    (void)unused;
    if (now >= looked && now < looked + EVERY)
        return;
    work_init(&w, arena_new(), db, "clock", RIGHT_READ);
    if (tidy(&w, &all))
        LOG(LOG_ERROR, "state_not_tidied", L_STR("why", w.err.text));
    arena_free(w.mem);
    if (all)
        looked = now;
}
