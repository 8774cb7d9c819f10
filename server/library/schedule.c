/*
 * schedule.c - rows of `schedule`.
 *
 * `next` is the earliest time of all, so that a tick of the writer costs nothing while nothing is due. It is read again after each COMMIT that
 * changed a row. Times are those of the wall clock: if it jumps forward, what it jumped over is published then; if it jumps back, the rest waits.
 * A row goes with the publication, so nothing is published twice.
 */
#include "server/library/schedule.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/identity/audit.h"
#include "server/identity/party_table.h"
#include "server/identity/role.h"
#include "server/library/item_row.h"
#include "server/library/publish.h"
#include "server/library/review.h"
#include "server/library/row.h"

enum { UNKNOWN = 0, AT_ONCE = 200 };

static int64_t next_due = UNKNOWN; /* the writer's thread alone has it; INT64_MAX: nothing */

static void look_again(void *arg)
{
    (void)arg;
    next_due = UNKNOWN;
}

static bool may_be_due(struct work *w)
{
    struct rows q;
    enum rc rc;

    if (next_due == UNKNOWN) {
        rc = db_one(w, SQL_schedule_next, &q, "");
        next_due = rc ? INT64_MAX : rows_int(&q, 0);
        if ((rc = row_finish(&q, rc)) && rc != RC_NOT_FOUND)
            next_due = UNKNOWN;
    }
    return next_due != UNKNOWN && clock_now() >= next_due;
}

enum rc schedule_of(struct work *w, const struct id *id, struct schedule *out)
{
    struct schedule s = { 0 };
    struct rows q;
    enum rc rc = db_one(w, SQL_schedule_of, &q, "b", id->b, sizeof id->b);

    if (!rc)
        s = (struct schedule){ rows_int(&q, 0), rows_int(&q, 1), rows_dup_text(w, &q, 2) };
    if ((rc = row_finish(&q, rc)) && rc != RC_NOT_FOUND)
        return rc;
    *out = s;
    return RC_OK;
}

enum rc schedule_drop(struct work *w, const struct id *id)
{
    work_after_commit(w, look_again, NULL);
    return db_run(w, SQL_schedule_drop, "b", id->b, sizeof id->b);
}

static enum rc check_time(struct work *w, int64_t at)
{
    int64_t now = clock_now();

    if (at <= now)
        return err_field(&w->err, "/at", "定时发布的时间要在现在以后");
    if (at > now + SCHEDULE_AHEAD)
        return err_field(&w->err, "/at", "定时发布最多排到一年以后");
    return RC_OK;
}

enum rc schedule_set(struct work *w, const struct id *id, int64_t rev, int64_t at,
                     struct item *out)
{
    struct content c;
    struct item it;
    enum state to;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = item_check_staff(&w->err, it.kind)))
        return rc;
    if (it.rev != rev)
        return err_set(&w->err, RC_CONFLICT,
                       "revision %" PRId64 " was seen, but %" PRId64 " is the newest", rev,
                       it.rev);
    if ((rc = state_step(w, VERB_PUBLISH, it.site, it.state, NULL, &to)) ||
        (rc = review_passed(w, &it)) || (rc = check_time(w, at)) ||
        (rc = revision_content(w, &it, rev, &c)))
        return rc;
    if (c.expires && c.expires <= at)
        return err_field(&w->err, "/at", "到那时它已经过了下线时间");
    work_after_commit(w, look_again, NULL);
    if ((rc = db_run(w, SQL_schedule_set, "biiti", id->b, sizeof id->b, rev, at, w->who.name,
                     clock_now())))
        return rc;
    *out = it;
    return RC_OK;
}

enum rc schedule_cancel(struct work *w, const struct id *id, struct item *out)
{
    struct schedule s;
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = work_need_at(w, RIGHT_PUBLISH, it.site)) ||
        (rc = schedule_of(w, id, &s)))
        return rc;
    if (!s.at)
        return err_set(&w->err, RC_NOT_FOUND, "这一条没有定时发布");
    if ((rc = schedule_drop(w, id)))
        return rc;
    *out = it;
    return RC_OK;
}

/* ---- when it is time ---- */

struct due {
    struct id id;
    int64_t rev;
    const char *actor;
};

static enum rc find_due(struct work *w, int limit, struct buf *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_schedule_due, &q, "ii", clock_now(), (int64_t)limit)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct due d = { .rev = rows_int(&q, 1), .actor = rows_dup_text(w, &q, 3) };

        if (!(rc = row_bytes(w, &q, 0, d.id.b, sizeof d.id.b)))
            buf_add(out, &d, sizeof d);
    }
    return row_finish(&q, rc);
}

/* Who set it must still be allowed to publish there. */
static enum rc check_setter(struct work *w, const struct due *d, int64_t site)
{
    bool may = party_table_may(d->actor, RIGHT_PUBLISH, site);
    enum rc rc;

    if (!may && (rc = role_may(w, d->actor, RIGHT_PUBLISH, site, &may)))
        return rc;
    return may ? RC_OK : err_set(&w->err, RC_FORBIDDEN, "设定的人已经没有发布的权限");
}

static enum rc publish_due(struct work *w, const struct due *d)
{
    char text[ID_TEXT];
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, &d->id, &it)) || (rc = check_setter(w, d, it.site)) ||
        (rc = publish_item(w, &d->id, d->rev, &it)))
        return rc;
    work_forget_facts(w);
    work_fact(w, "rev", d->rev);
    return audit_add(w, AUDIT_item_due, arena_printf(w->mem, "items/%s", id_text(&d->id, text)),
                     RC_OK);
}

static bool is_store(enum rc rc)
{
    return rc == RC_IO || rc == RC_FULL || rc == RC_UNWRITABLE || rc == RC_BUSY;
}

/* Not RC_OK only when the store failed: then the row stays, and the next tick tries again. */
static enum rc run_one(struct work *w, const struct due *d, int *done)
{
    struct commit_hook **end = &w->after;
    struct item it;
    enum rc rc;

    while (*end)
        end = &(*end)->next;
    if ((rc = db_savepoint(w)))
        return rc;
    if (!(rc = publish_due(w, d))) {
        ++*done; /* the row went with the publication */
        return db_release(w);
    }
    if (is_store(rc))
        return rc;
    LOG(LOG_WARN, "schedule_refused", L_STR("why", w->err.text));
    *end = NULL;
    if ((rc = db_back(w)) || (rc = schedule_drop(w, &d->id)))
        return rc;
    rc = review_comment(w, &d->id,
                        arena_printf(w->mem, "定时发布没有进行：%.450s", w->err.text), &it);
    return is_store(rc) ? rc : RC_OK;
}

static enum rc run_due(struct work *w, int *done)
{
    struct buf list = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = find_due(w, AT_ONCE, &list)))
        return rc;
    for (size_t at = 0; at < list.n && !rc; at += sizeof(struct due))
        rc = run_one(w, (const struct due *)(const void *)(list.p + at), done);
    work_after_commit(w, look_again, NULL);
    return rc;
}

static enum rc run(struct work *w, int *done)
{
    enum rc rc;

    if ((rc = db_begin(w)))
        return rc;
    if ((rc = run_due(w, done)) || (rc = db_commit(w))) {
        db_rollback(w->db);
        return rc;
    }
    work_committed(w);
    return RC_OK;
}

void schedule_tick(struct db *db, void *arg)
{
    struct arena *mem = arena_new();
    struct work w;
    int done = 0;

    (void)arg;
    work_init(&w, mem, db, "clock", RIGHT_PUBLISH);
    if (may_be_due(&w) && run(&w, &done))
        LOG(LOG_ERROR, "schedule_failed", L_STR("why", w.err.text));
    else if (done)
        LOG(LOG_INFO, "scheduled_published", L_INT("items", done));
    arena_free(mem);
}
