/*
 * channel_task.c - rows of channel_task: each change of one is a function here. Who makes requests of them: channel_thread.c.
 */
#include "server/channel/channel_task.h"

#include <inttypes.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/library/change.h"
#include "server/library/row.h"
#include "server/store/db.h"

static const char *const verbs[] = { "publish", "delete" };
static const char *const states[][2] = { { "queued", "等待发送" },  { "waiting", "平台处理中" },
                                         { "unknown", "结果不明" }, { "done", "完成" },
                                         { "failed", "平台拒绝" },  { "cancelled", "已取消" } };

static bool is(const struct channel_task *t, const char *state)
{
    return !strcmp(t->state, state);
}

const char *channel_task_chinese(const char *state)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(states[i][0], state))
            return states[i][1];
    return NULL;
}

bool channel_task_is_state(const char *word)
{
    return channel_task_chinese(word) != NULL;
}

/* ---- rows ---- */

static struct channel_task read_row(struct work *w, const struct rows *q)
{
    return (struct channel_task){ .no = rows_int(q, 0),
                                  .channel = rows_int(q, 1),
                                  .version = rows_int(q, 2),
                                  .verb = strcmp(rows_text(q, 3), "delete") ? CHANNEL_PUBLISH
                                                                            : CHANNEL_DELETE,
                                  .state = rows_dup_text(w, q, 4),
                                  .intent = (enum channel_step)rows_int(q, 5),
                                  .doomed = rows_int(q, 6) != 0,
                                  .failures = rows_int(q, 7),
                                  .again = rows_int(q, 8),
                                  .cover_id = rows_dup_text(w, q, 9),
                                  .draft_id = rows_dup_text(w, q, 10),
                                  .publish_id = rows_dup_text(w, q, 11),
                                  .article_id = rows_dup_text(w, q, 12),
                                  .url = rows_dup_text(w, q, 13),
                                  .said = rows_dup_text(w, q, 14),
                                  .created = rows_int(q, 15),
                                  .changed = rows_int(q, 16) };
}

static enum rc read_one(struct work *w, struct rows *q, enum rc rc, struct channel_task *out)
{
    if (!rc)
        *out = read_row(w, q);
    return row_finish(q, rc);
}

static enum rc read_all(struct work *w, struct rows *q, struct channel_task **out, int *n)
{
    struct buf list = BUF_IN(w->mem);

    while (rows_next(q)) {
        struct channel_task t = read_row(w, q);

        buf_add(&list, &t, sizeof t);
    }
    *out = (struct channel_task *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(q);
}

enum rc channel_task_find(struct work *w, int64_t no, struct channel_task *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_task_one, &q, "i", no);

    rc = read_one(w, &q, rc, out);
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "没有编号为 %" PRId64 " 的发布任务", no)
                              : rc;
}

enum rc channel_task_of(struct work *w, int64_t version, enum channel_verb verb,
                        struct channel_task *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_task_of_version, &q, "it", version, verbs[verb]);

    return read_one(w, &q, rc, out);
}

enum rc channel_task_list(struct work *w, const char *state, int64_t before,
                          struct channel_task **out, int *n)
{
    int64_t below = before ? before : INT64_MAX, page = CHANNEL_PAGE;
    struct rows q;
    enum rc rc = state ? db_query(w, SQL_channel_task_page_state, &q, "iit", below, page, state)
                       : db_query(w, SQL_channel_task_page, &q, "ii", below, page);

    return rc ? rc : read_all(w, &q, out, n);
}

enum rc channel_task_count(struct work *w, const char *state, int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_task_count_state, &q, "t", state);

    *out = rc ? 0 : rows_int(&q, 0);
    return row_finish(&q, rc);
}

enum rc channel_task_count_stuck(struct work *w, int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_task_count_stuck, &q, "");

    *out = rc ? 0 : rows_int(&q, 0);
    return row_finish(&q, rc);
}

enum rc channel_standing(struct work *w, const struct id *item, const char *kind,
                         struct channel_standing *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_standing, &q, "bt", item->b, sizeof item->b, kind);

    if (!rc)
        *out = (struct channel_standing){ rows_int(&q, 0), rows_int(&q, 1), rows_int(&q, 2) };
    return row_finish(&q, rc);
}

enum rc channel_task_oldest(struct work *w, int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_task_oldest, &q, "");

    *out = rc ? 0 : rows_int(&q, 0);
    return row_finish(&q, rc);
}

static enum rc add(struct work *w, int64_t channel, int64_t version, enum channel_verb verb,
                   const char *article)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_channel_task_add, &q, "iitit", channel, version, verbs[verb],
                          clock_now(), article);

    if (rc)
        return rc;
    (void)rows_next(&q); /* none: it is there already */
    return rows_done(&q);
}

/* ---- what comes next ---- */

bool channel_step_is_risky(enum channel_step step)
{
    return step == CHANNEL_STEP_SUBMIT || step == CHANNEL_STEP_SHARE;
}

enum channel_step channel_task_step(const struct channel_task *t, const char *kind,
                                    bool pictures_left)
{
    bool weibo = !strcmp(kind, "weibo");

    if (!t->again)
        return CHANNEL_NO_STEP;
    if (t->verb == CHANNEL_DELETE)
        return CHANNEL_STEP_DELETE;
    if (is(t, "unknown"))
        return weibo ? CHANNEL_NO_STEP : CHANNEL_STEP_LOOK;
    if (weibo)
        return CHANNEL_STEP_SHARE;
    if (t->publish_id)
        return CHANNEL_STEP_RESULT;
    if (t->draft_id)
        return CHANNEL_STEP_SUBMIT;
    if (!t->cover_id)
        return CHANNEL_STEP_COVER;
    return pictures_left ? CHANNEL_STEP_PICTURE : CHANNEL_STEP_DRAFT;
}

/* ---- the thread ---- */

/* What was accepted is asked after whatever happens here; what is to be deleted is deleted. */
static bool asks_for_leave(enum channel_step step)
{
    return step != CHANNEL_STEP_RESULT && step != CHANNEL_STEP_LOOK &&
           step != CHANNEL_STEP_DELETE;
}

static enum rc cancel(struct work *w, struct channel_task *t, const char *why)
{
    t->state = "cancelled";
    t->again = 0;
    t->said = why;
    return channel_task_set(w, t, CHANNEL_NO_STEP);
}

static enum rc may_step(struct work *w, const struct channel_task *t)
{
    struct channel_version v;
    struct channel_account a;
    enum rc rc = channel_version_find(w, t->version, &v);

    return rc ? rc : channel_version_may_go(w, &v, &a);
}

enum rc channel_task_intend(struct work *w, int64_t no, enum channel_step step,
                            struct channel_task *out)
{
    enum rc rc, leave;

    if ((rc = channel_task_find(w, no, out)))
        return rc;
    if (!out->again || out->intent)
        return err_set(&w->err, RC_CONFLICT, "it is not to be done now");
    leave = asks_for_leave(step) ? may_step(w, out) : RC_OK;
    if (leave == RC_CONFLICT || leave == RC_NOT_FOUND) {
        rc = cancel(w, out, arena_strdup(w->mem, w->err.text));
        out->intent = CHANNEL_NO_STEP;
        return rc;
    }
    if (leave)
        return leave;
    rc = db_change(w, SQL_channel_task_intend, "iii", no, (int64_t)step, clock_now());
    out->intent = step;
    return rc;
}

static enum rc is_out(struct work *w, const struct channel_task *t)
{
    enum rc rc = db_run(w, SQL_channel_account_published, "ii", t->channel, clock_now());

    if (!rc && t->doomed)
        rc = add(w, t->channel, t->version, CHANNEL_DELETE, t->article_id);
    return rc;
}

static void count(struct work *w, const struct channel_task *t)
{
    if (is(t, "done") && t->verb == CHANNEL_PUBLISH)
        work_count(w, METRIC_channel_published, 1);
    if (is(t, "unknown"))
        work_count(w, METRIC_channel_unknown, 1);
    if (is(t, "failed"))
        work_count(w, METRIC_channel_failed, 1);
}

enum rc channel_task_set(struct work *w, const struct channel_task *t, enum channel_step intent)
{
    enum rc rc = db_change(w, SQL_channel_task_set,
                           "iitiiittttt"
                           "ti",
                           t->no, (int64_t)intent, t->state, (int64_t)t->doomed, t->failures,
                           t->again, t->cover_id, t->draft_id, t->publish_id, t->article_id,
                           t->url, t->said, clock_now());

    if (rc)
        return rc;
    count(w, t);
    return is(t, "done") && t->verb == CHANNEL_PUBLISH ? is_out(w, t) : RC_OK;
}

enum rc channel_task_in_doubt(struct work *w, struct channel_task *t)
{
    enum channel_step step = t->intent;

    if (channel_step_is_risky(step)) {
        t->state = "unknown";
        t->failures = 0;
        t->said = "平台没有答复，不知道发出去没有";
    }
    t->again = step == CHANNEL_STEP_SHARE ? 0 : clock_now();
    return channel_task_set(w, t, step);
}

enum rc channel_tasks_left(struct work *w, int *n)
{
    struct channel_task *all;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_channel_task_left, &q, "i", (int64_t)CHANNEL_PAGE)) ||
        (rc = read_all(w, &q, &all, n)))
        return rc;
    for (int i = 0; i < *n && !rc; i++)
        rc = channel_task_in_doubt(w, &all[i]);
    return rc;
}

/* ---- staff ---- */

static enum rc need_task(struct work *w, int64_t no, struct channel_task *t)
{
    struct channel_account a;
    enum rc rc;

    if ((rc = channel_task_find(w, no, t)) || (rc = channel_account_find(w, t->channel, &a)))
        return rc;
    return work_need_at(w, RIGHT_PUBLISH, a.site);
}

enum rc channel_send(struct work *w, int64_t version, struct channel_task *out)
{
    struct channel_version v;
    struct channel_account a;
    enum rc rc;

    if ((rc = channel_version_find(w, version, &v)) ||
        (rc = channel_account_find(w, v.channel, &a)) ||
        (rc = work_need_at(w, RIGHT_PUBLISH, a.site)))
        return rc;
    rc = channel_task_of(w, version, CHANNEL_PUBLISH, out);
    if (rc != RC_NOT_FOUND)
        return rc;
    if (!a.secret)
        return err_set(&w->err, RC_CONFLICT, "账号“%s”还没有凭证", a.name);
    if ((rc = channel_version_may_go(w, &v, &a)) ||
        (rc = add(w, v.channel, version, CHANNEL_PUBLISH, NULL)))
        return rc;
    return channel_task_of(w, version, CHANNEL_PUBLISH, out);
}

enum rc channel_task_cancel(struct work *w, int64_t no, struct channel_task *out)
{
    enum rc rc;

    if ((rc = need_task(w, no, out)))
        return rc;
    if (!is(out, "queued") || out->intent)
        return err_set(&w->err, RC_CONFLICT, "它已经发出，或者正在发出：不能再取消");
    return cancel(w, out, "由工作人员取消");
}

/* Accepted, and nobody has said that it failed. */
static bool may_be_out(const struct channel_task *t)
{
    return is(t, "unknown") || (is(t, "failed") && t->publish_id);
}

/* A deletion that nobody does any more. */
static bool is_stuck(const struct channel_task *t)
{
    return t->verb == CHANNEL_DELETE && (is(t, "failed") || is(t, "cancelled"));
}

enum rc channel_task_retry(struct work *w, int64_t no, struct channel_task *out)
{
    enum rc rc;

    if ((rc = need_task(w, no, out)))
        return rc;
    if (!is(out, "failed") && !is_stuck(out))
        return err_set(&w->err, RC_CONFLICT, "只有平台拒绝了的可以重试");
    if (may_be_out(out))
        return err_set(&w->err, RC_CONFLICT, "平台已经受理，没有说失败：看过后请认定结果");
    out->state = "queued";
    out->draft_id = NULL; /* what was submitted has failed there */
    out->again = clock_now();
    out->failures = 0;
    out->said = NULL;
    return channel_task_set(w, out, CHANNEL_NO_STEP);
}

enum rc channel_task_resolve(struct work *w, int64_t no, bool went, const char *article,
                             struct channel_task *out)
{
    enum rc rc;

    if ((rc = need_task(w, no, out)))
        return rc;
    if (is_stuck(out) && went)
        article = out->article_id; /* somebody has deleted it there */
    else if (!may_be_out(out) || out->intent)
        return err_set(&w->err, RC_CONFLICT, "它的结果是清楚的，或者正在查看");
    out->state = went ? "done" : out->doomed ? "cancelled" : "queued";
    out->again = went || out->doomed ? 0 : clock_now();
    out->failures = 0;
    out->article_id = went ? article : NULL;
    out->publish_id = went ? out->publish_id : NULL; /* else its result would be asked for */
    out->said = went ? "工作人员认定：已经完成" : "工作人员认定：没有发出";
    return channel_task_set(w, out, CHANNEL_NO_STEP);
}

/* ---- withdrawals ---- */

static enum rc withdraw_one(struct work *w, struct channel_task *t,
                            struct channel_coverage *out)
{
    if (is(t, "cancelled"))
        return RC_OK;
    if (is(t, "done")) {
        out->deleting++;
        return add(w, t->channel, t->version, CHANNEL_DELETE, t->article_id);
    }
    if (!t->intent && !may_be_out(t) && (is(t, "queued") || is(t, "failed"))) {
        out->cancelled++;
        return cancel(w, t, "内容已经撤回");
    }
    out->marked++;
    return db_change(w, SQL_channel_task_doom, "ii", t->no, clock_now());
}

enum rc channel_withdrawn(struct work *w, const struct id *item, int64_t rev, bool forget,
                          struct channel_coverage *out)
{
    struct channel_coverage ignored, *coverage = out ? out : &ignored;
    struct channel_task *all;
    struct rows q;
    enum rc rc;
    int n;

    *coverage = (struct channel_coverage){ 0 };
    if ((rc = db_query(w, SQL_channel_tasks_of_item, &q, "bi", item->b, sizeof item->b, rev)) ||
        (rc = read_all(w, &q, &all, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++)
        rc = withdraw_one(w, &all[i], coverage);
    return rc || !forget
               ? rc
               : db_run(w, SQL_channel_version_forget, "bi", item->b, sizeof item->b, rev);
}

/* ---- the change log ---- */

struct change_row {
    int64_t seq, rev, flags;
    struct id item;
    enum change_op op;
};

static enum rc follow_one(struct work *w, const struct change_row *c)
{
    if (c->op == CHANGE_EXPIRED) /* its time is over, and not what it said */
        return RC_OK;
    if (c->op == CHANGE_PUT)
        return c->flags & CHANGE_PURGE ? channel_withdrawn(w, &c->item, c->rev - 1, true, NULL)
                                       : RC_OK;
    return channel_withdrawn(w, &c->item, c->rev, c->op == CHANGE_GONE, NULL);
}

static enum rc read_changes(struct work *w, int64_t stream, int64_t seq, int most,
                            struct change_row **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct change_row c;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_channel_follow_changes, &q, "iii", stream, seq, (int64_t)most)))
        return rc;
    while (!rc && rows_next(&q)) {
        c = (struct change_row){ .seq = rows_int(&q, 0),
                                 .rev = rows_int(&q, 2),
                                 .op = (enum change_op)rows_int(&q, 3),
                                 .flags = rows_int(&q, 4) };
        rc = row_bytes(w, &q, 1, c.item.b, sizeof c.item.b);
        buf_add(&list, &c, sizeof c);
    }
    *out = (struct change_row *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return row_finish(&q, rc);
}

struct place {
    int64_t stream, seq;
};

static enum rc follow_stream(struct work *w, const struct place *p, int most, int *n)
{
    struct change_row *changes;
    int here = 0;
    enum rc rc = read_changes(w, p->stream, p->seq, most, &changes, &here);

    for (int i = 0; i < here && !rc; i++)
        rc = follow_one(w, &changes[i]);
    *n += here;
    return rc || !here
               ? rc
               : db_change(w, SQL_channel_follow_set, "ii", p->stream, changes[here - 1].seq);
}

enum rc channel_follow(struct work *w, int most, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_run(w, SQL_channel_follow_begin, "")) ||
        (rc = db_query(w, SQL_channel_follow_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        struct place p = { rows_int(&q, 0), rows_int(&q, 1) };

        buf_add(&list, &p, sizeof p);
    }
    rc = rows_done(&q);
    for (size_t i = 0; i < list.n / sizeof(struct place) && !rc; i++)
        rc = follow_stream(w, (struct place *)(void *)list.p + i, most, n);
    return rc;
}
