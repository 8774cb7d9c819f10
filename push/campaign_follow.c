/*
 * campaign_follow.c - campaigns follow their records: the change log, read change by change, each once.
 *
 *     put         the record has another revision or column    what has not begun is a draft of it as it is now
 *     withdrawn   and gone                                     what has not begun is cancelled, what has is recalled
 *     expired     its time is over, not what it said           the same, but what is done stays
 *
 * Where the reader stands is a row of push_follow, written with what follows: after a crash nothing is done twice or not at all.
 */
#include <string.h>

#include "push/campaign_damage.h"
#include "push/campaign_run.h"
#include "push/campaign_step.h"
#include "server/library/change.h"
#include "server/library/item.h"
#include "server/library/row.h"
#include "server/store/db.h"

struct change_row {
    int64_t seq, rev;
    struct id item;
    enum change_op op;
};

static bool allowed(const struct campaign *c, enum campaign_step step)
{
    return campaign_steps[step].from >> c->state & 1;
}

static enum rc go(struct work *w, struct campaign *c, enum campaign_step step)
{
    enum rc rc;

    if (!allowed(c, step))
        return RC_OK;
    rc = campaign_log(w, c, step, (enum campaign_state)campaign_steps[step].to, NULL);
    return rc ? rc : campaign_run(w, c, step);
}

/* A draft of the record as it is now: of what nobody has approved. */
static enum rc follow_put(struct work *w, struct campaign *c)
{
    int64_t rev = c->rev, col = c->col;
    enum rc rc;

    if (!allowed(c, CAMPAIGN_DO_STALE))
        return RC_OK;
    if ((rc = campaign_bind(w, c)) == RC_CONFLICT)
        return RC_OK; /* withdrawn since: that change is still to come */
    if (rc || (c->rev == rev && c->col == col))
        return rc;
    if ((rc = campaign_hash(w, c)) || (rc = campaign_update(w, c)) ||
        (rc = db_run(w, SQL_push_approval_drop, "i", c->no)))
        return rc;
    return go(w, c, CAMPAIGN_DO_STALE);
}

static enum rc follow_end(struct work *w, struct campaign *c, const struct change_row *change)
{
    enum rc rc;

    if (c->rev > change->rev) /* it is of what was published again since */
        return RC_OK;
    if (change->op == CHANGE_EXPIRED && c->state == CAMPAIGN_DONE)
        return RC_OK;
    if ((rc = go(w, c, CAMPAIGN_DO_DROP)))
        return rc;
    return go(w, c, CAMPAIGN_DO_PULL);
}

static enum rc follow_one(struct work *w, const struct change_row *change)
{
    struct buf list = BUF_IN(w->mem);
    struct campaign c;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_campaign_of_item, &q, "b", change->item.b,
                       sizeof change->item.b)))
        return rc;
    while (rows_next(&q)) {
        int64_t no = rows_int(&q, 0);

        buf_add(&list, &no, sizeof no);
    }
    if ((rc = rows_done(&q)))
        return rc;
    for (size_t i = 0; i < list.n / sizeof(int64_t) && !rc; i++) {
        int64_t no = ((int64_t *)(void *)list.p)[i];

        if ((rc = campaign_find(w, no, &c)) == RC_CORRUPT)
            rc = campaign_damaged(w, no, arena_strdup(w->mem, w->err.text));
        else if (!rc)
            rc = change->op == CHANGE_PUT ? follow_put(w, &c) : follow_end(w, &c, change);
    }
    return rc;
}

static enum rc read_changes(struct work *w, int64_t stream, int64_t seq, int most,
                            struct change_row **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct change_row c;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_follow_changes, &q, "iii", stream, seq, (int64_t)most)))
        return rc;
    while (!rc && rows_next(&q)) {
        c = (struct change_row){ .seq = rows_int(&q, 0),
                                 .rev = rows_int(&q, 2),
                                 .op = (enum change_op)rows_int(&q, 3) };
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
    enum rc rc = read_changes(w, p->stream, p->seq, most, &changes, n);

    for (int i = 0; i < *n && !rc; i++)
        rc = follow_one(w, &changes[i]);
    if (rc || !*n)
        return rc;
    return db_change(w, SQL_push_follow_set, "ii", p->stream, changes[*n - 1].seq);
}

enum rc campaign_follow(struct work *w, int most, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(w, SQL_push_follow_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        struct place p = { rows_int(&q, 0), rows_int(&q, 1) };

        buf_add(&list, &p, sizeof p);
    }
    if ((rc = rows_done(&q)))
        return rc;
    for (size_t i = 0; i < list.n / sizeof(struct place) && !rc && *n < most; i++) {
        int read = 0;

        rc = follow_stream(w, &((struct place *)(void *)list.p)[i], most - *n, &read);
        *n += read;
    }
    return rc;
}
