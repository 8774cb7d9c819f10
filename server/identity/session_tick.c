/*
 * session_tick.c - about once a minute: when sessions were used is written down, what is over goes.
 *
 * A use is written down only when it matters, after a thirtieth of the time that the session may rest: every minute for staff and for who
 * acts for an organisation, every three days for citizens. So a crash shortens a session by that at most.
 */
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/identity/session.h"
#include "server/identity/session_table.h"
#include "server/store/db.h"

enum {
    WORTH_WRITING = 30, /* a use is written down after this part of the time it may rest */
    TICK_MOST = 1000    /* sessions that one look at the clock writes down, or removes */
};

struct uses {
    int n;
    struct session_entry e[TICK_MOST];
};

static bool note_use(void *arg, struct session_entry *e)
{
    struct uses *u = arg;

    if (e->used - e->stored < e->idle / WORTH_WRITING)
        return true;
    e->stored = e->used;
    u->e[u->n++] = *e;
    return u->n < TICK_MOST;
}

/* What could not be written is written when it was used again. */
static enum rc store_uses(struct work *w)
{
    struct uses *u = arena_alloc(w->mem, sizeof *u);
    enum rc rc = RC_OK;

    u->n = 0;
    session_table_each(note_use, u);
    for (int i = 0; i < u->n && !rc; i++)
        rc = db_run(w, SQL_session_used, "iii", u->e[i].id, u->e[i].used,
                    session_over(&u->e[i]));
    return rc;
}

static enum rc remove_over(struct work *w)
{
    struct buf list = BUF_IN(w->mem);
    int64_t now = clock_now();
    struct session_entry e, known;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_session_over, &q, "ii", now, (int64_t)TICK_MOST)))
        return rc;
    while (rows_next(&q)) {
        e = (struct session_entry){ .id = rows_int(&q, 0), .account = rows_int(&q, 1) };
        buf_add(&list, &e, sizeof e);
    }
    rc = rows_done(&q);
    for (size_t i = 0; i < list.n / sizeof e && !rc; i++) {
        memcpy(&e, list.p + i * sizeof e, sizeof e);
        if (session_table_get(e.id, &known) && now < session_over(&known))
            rc = db_run(w, SQL_session_used, "iii", e.id, known.used, session_over(&known));
        else
            rc = session_end(w, e.account, e.id);
        if (rc == RC_NOT_FOUND) /* it went with the one that began it */
            rc = RC_OK;
    }
    return rc;
}

static enum rc tidy(struct work *w)
{
    enum rc rc;

    if ((rc = db_begin(w)))
        return rc;
    if ((rc = store_uses(w)) || (rc = remove_over(w)) || (rc = db_commit(w))) {
        db_rollback(w->db);
        return rc;
    }
    work_committed(w);
    return RC_OK;
}

void session_tick(struct db *db, void *arg)
{
    struct arena *mem = arena_new();
    struct work w;

    (void)arg;
    work_init(&w, mem, db, "clock", RIGHT_READ);
    if (tidy(&w))
        LOG(LOG_ERROR, "sessions_not_tidied", L_STR("why", w.err.text));
    arena_free(mem);
}
