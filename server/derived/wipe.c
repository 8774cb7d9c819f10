/*
 * wipe.c - cleans the file after something was taken from the public: rounds of small steps, while there is nothing to take.
 *
 *     wipe (no, since, n)      asked for n times since the last round that was enough
 *
 * A round: wipe() of each projection until nothing is left, then each of their tables is scrubbed, then the log is emptied.
 */
#include <string.h>

#include "server/base/clock.h"
#include "server/derived/state.h"
#include "server/library/row.h"

/* *asked: how often since the last round that was enough; 0: never. */
static enum rc wipe_asked(struct work *w, int64_t *asked)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_wipe_asked, &q, "");

    if (rc)
        return rc;
    *asked = rows_next(&q) ? rows_int(&q, 0) : 0;
    return rows_done(&q);
}

enum {
    WIPE_SHARE = 10
}; /* at most a tenth of the time, however often something is withdrawn */

/* One projection after the other, a step at a time. */
static struct {
    int which;       /* of derived.all */
    bool begun;      /* its first step was made */
    size_t scrubbed; /* of the tables of all */
    int edition;
    int64_t
        asked; /* for before the first step: what comes later has to wait for the next round */
    int64_t since,
        rest_until; /* clock_mono_us(): the round has lasted, and the next may begin */
} wiping;

static void begin_round(void)
{
    wiping.which = 0;
    wiping.begun = false;
    wiping.scrubbed = 0;
    wiping.edition = atomic_load(&derived.edition);
    wiping.since = 0;
}

static void end_round(void)
{
    int64_t now = clock_mono_us();

    wiping.rest_until = now + WIPE_SHARE * (now - wiping.since);
    begin_round();
}

static enum rc wipe_step(struct work *w, const struct projection *p, bool *more)
{
    enum rc rc = derived_begin(w);

    if (rc)
        return rc;
    rc = p->wipe(w, !wiping.begun, more);
    return derived_commit(w, rc);
}

static const char *table_at(size_t n)
{
    for (const struct projection *const *p = derived.all; *p; p++)
        for (const char *const *t = (*p)->tables; t && *t; t++)
            if (!n--)
                return *t;
    return NULL;
}

static bool goes_on(void)
{
    return !atomic_load(&derived.stop);
}

/* A table a step. *done: that was the last. False: somebody is reading, or the thread is to end. */
static bool scrub_step(bool *done)
{
    const char *table = table_at(wiping.scrubbed);

    *done = !table;
    if (!table)
        return db_forget_log(derived.db);
    if (!db_scrub_while(derived.db, table, goes_on))
        return false;
    wiping.scrubbed++;
    return true;
}

/* What was asked for meanwhile stays asked for. */
static enum rc wiped(struct work *w)
{
    int64_t asked = wiping.asked;
    enum rc rc;

    end_round();
    if ((rc = derived_begin(w)))
        return rc;
    return derived_commit(w, db_run(w, SQL_wipe_done, "i", asked));
}

/* Who is refused because somebody reads comes again after a pause: *more is false, and the round goes on then. */
static enum rc wipe(struct work *w, bool now, bool *more)
{
    const struct projection *p;
    bool again = false, done;
    int64_t asked;
    enum rc rc;

    if ((rc = wipe_asked(w, &asked)) || !asked)
        return rc;
    if (wiping.edition != atomic_load(&derived.edition))
        begin_round();
    if (!wiping.since) {
        if (!now && clock_mono_us() < wiping.rest_until)
            return RC_OK;
        wiping.since = clock_mono_us();
        wiping.asked = asked;
    }
    *more = true;
    if ((p = derived.all[wiping.which])) {
        if (p->wipe && (rc = wipe_step(w, p, &again)))
            return rc;
        wiping.begun = again;
        wiping.which += !again;
        return RC_OK;
    }
    if (!scrub_step(&done)) {
        *more = false;
        return RC_OK;
    }
    if (!done)
        return RC_OK;
    *more = now && asked != wiping.asked;
    return wiped(w);
}

enum rc derived_wipe(struct work *w, bool now, bool *more)
{
    struct work mine;
    enum rc rc;

    *more = false;
    if (!derived.db)
        return RC_OK;
    work_init(&mine, arena_new(), w->db, "derived", RIGHT_ALL);
    mine.derived = derived.db;
    if ((rc = wipe(&mine, now, more)))
        w->err = mine.err;
    db_end_read(w->db);
    arena_free(mine.mem);
    return rc;
}
