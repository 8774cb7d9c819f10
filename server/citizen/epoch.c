/*
 * epoch.c - one row, and its number in memory.
 */
#include "server/citizen/epoch.h"

#include "server/base/clock.h"
#include "server/store/db.h"

static int64_t epoch, base; /* set before the threads start */

enum rc epoch_load(struct work *w)
{
    struct rows q;
    enum rc rc, end;

    base = 0;
    if (!(rc = db_one(w, SQL_state_epoch_get, &q, ""))) {
        epoch = rows_int(&q, 0);
        base = rows_int(&q, 1);
    }
    end = rows_done(&q);
    if (rc != RC_NOT_FOUND)
        return rc ? rc : end;
    epoch = clock_now();
    return db_run(w, SQL_state_epoch_set, "i", epoch);
}

int64_t epoch_now(void)
{
    return epoch;
}

int64_t epoch_base(void)
{
    return base;
}
