/*
 * run_write.c - what became of a batch; and campaigns that were killed, pause, stop and end.
 */
#include "push/address.h"
#include "push/run_row.h"
#include "server/base/clock.h"

/* ---- answers ---- */

/* Bits by what they were answered; those that are not a word of ours were answered nothing. */
static void sort_targets(const struct run_batch *b, struct bits by[RUN_WHATS])
{
    for (int i = 0; i < RUN_WHATS; i++)
        bits_clear(&by[i]);
    for (int i = 0; i < b->n; i++)
        bits_put(&by[b->target[i].what < RUN_WHATS ? b->target[i].what : RUN_DOUBT],
                 (unsigned)(b->target[i].no % BITS));
}

/* A device that says since that it is there, is: it is sent to once more, by what it said. */
static enum rc forget_gone(struct work *w, const struct run_batch *b)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < b->n && !rc; i++) {
        struct run_target *t = &b->target[i];
        int64_t told = 0;

        if (t->what != RUN_GONE || t->keep || (rc = address_gone(w, t->no, t->told)))
            continue;
        rc = address_told(w, t->no, &told);
        if (!rc && told > t->told && run_kind(b->campaign) != RUN_RECALL)
            t->what = 0;
        rc = rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    return rc;
}

/* The end of its time: it came, or was over when somebody went on with it after a pause. */
static enum run_what over_as(int64_t ends_ms)
{
    return ends_ms ? RUN_REJECTED : RUN_STOPPED;
}

static enum rc again(struct work *w, const struct run_row *r, const struct run_batch *b,
                     int tries, int64_t at_ms, const struct bits *who)
{
    if (r->state == RUN_STOPPING)
        return run_outcome(w, r->campaign, b->by, b->block, RUN_STOPPED, who);
    if (at_ms >= r->ends_ms)
        return run_outcome(w, r->campaign, b->by, b->block, over_as(r->ends_ms), who);
    return run_wait(w, r->campaign, b->by, b->block, tries, at_ms, who);
}

static bool is_alike(const struct run_target *t, const struct run_target *u)
{
    return !u->what && u->again_ms == t->again_ms && u->put_off == t->put_off;
}

/* Those of one moment, and of as many tries, wait together: the services of a batch are few. */
static enum rc again_all(struct work *w, const struct run_row *r, const struct run_batch *b,
                         int64_t again_ms, struct bits *left)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < b->n && !rc; i++) {
        const struct run_target *t = &b->target[i];
        struct bits who;

        if (!bits_have(left, (unsigned)(t->no % BITS)))
            continue;
        bits_clear(&who);
        for (int j = i; j < b->n; j++)
            if (is_alike(t, &b->target[j]))
                bits_put(&who, (unsigned)(b->target[j].no % BITS));
        bits_without(left, &who);
        rc = again(w, r, b, b->tries + !t->put_off, t->again_ms ? t->again_ms : again_ms, &who);
    }
    return rc;
}

enum rc run_write(struct work *w, const struct run_batch *b, int64_t again_ms)
{
    struct bits *by = arena_alloc(w->mem, RUN_WHATS * sizeof *by);
    struct run_row r;
    enum rc rc;

    if ((rc = db_change(w, SQL_push_batch_drop, "i", b->no)) ||
        (rc = run_read(w, b->campaign, &r)) || (rc = forget_gone(w, b)))
        return rc;
    sort_targets(b, by);
    for (int what = RUN_ACCEPTED; what <= RUN_QUOTA && !rc; what++)
        rc = run_outcome(w, b->campaign, b->by, b->block, (enum run_what)what, &by[what]);
    if (rc || (rc = run_owners(w, &r, b->by, b->block, &by[RUN_ACCEPTED])) ||
        (rc = run_doubtful(w, &r, b->by, b->block, b->tries, again_ms, &by[RUN_DOUBT])) ||
        (rc = again_all(w, &r, b, again_ms, &by[0])))
        return rc;
    return db_change(w, SQL_push_run_moved, "ii", b->campaign, clock_now_ms());
}

/* ---- after a crash ---- */

struct open {
    int64_t no, campaign, block;
    enum transport by;
    int tries;
    struct bits who;
};

/* RC_NOT_FOUND. RC_CORRUPT: its set is, and the rest of *out is as it stands there. */
static enum rc next_open(struct work *w, int64_t after, struct open *out)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_batch_open, &q, "i", after))) {
        *out = (struct open){ .no = rows_int(&q, 0),
                              .campaign = rows_int(&q, 1),
                              .by = (enum transport)rows_int(&q, 2),
                              .block = rows_int(&q, 3),
                              .tries = (int)rows_int(&q, 4) };
        rc = run_bits(w, &q, 5, &out->who);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc run_recover(struct work *w, int64_t *no, int64_t *campaign)
{
    struct open o = { 0 };
    struct run_row r;
    enum rc rc = next_open(w, *no, &o);

    if (rc == RC_NOT_FOUND)
        return rc;
    *no = o.no;
    *campaign = o.campaign;
    if (rc || (rc = db_change(w, SQL_push_batch_drop, "i", o.no)) ||
        (rc = run_read(w, o.campaign, &r)))
        return rc;
    return run_doubtful(w, &r, o.by, o.block, o.tries, 0, &o.who);
}

/* ---- states ---- */

static enum rc change_state(struct work *w, int64_t campaign, enum run_state from,
                            enum run_state to)
{
    enum rc rc = db_change(w, SQL_push_run_state, "iiii", campaign, (int64_t)from, (int64_t)to,
                           clock_now_ms());

    return rc == RC_NOT_FOUND
               ? err_set(&w->err, RC_CONFLICT, "the campaign is in another state")
               : rc;
}

enum rc run_pause(struct work *w, int64_t campaign, bool paused)
{
    enum rc rc;

    if (paused)
        return change_state(w, campaign, RUN_RUNNING, RUN_PAUSED);
    rc = change_state(w, campaign, RUN_PAUSED, RUN_RUNNING);
    return rc ? rc : db_run(w, SQL_push_run_late, "ii", campaign, clock_now_ms());
}

enum rc run_late(struct work *w, int64_t campaign, int64_t *n)
{
    struct run_counts counts;
    struct run_row r;
    enum rc rc = run_read(w, campaign, &r);

    *n = 0;
    if (rc || r.ends_ms > clock_now_ms() || r.state == RUN_OVER)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (!(rc = run_count(w, campaign, &counts)))
        *n = counts.waiting;
    return rc;
}

enum rc run_stop(struct work *w, int64_t campaign)
{
    enum rc rc = change_state(w, campaign, RUN_RUNNING, RUN_STOPPING);

    return rc == RC_CONFLICT ? change_state(w, campaign, RUN_PAUSED, RUN_STOPPING) : rc;
}

/* What is left of a row becomes an outcome. */
struct left {
    int64_t campaign, block, rank, no;
    enum transport by;
    int from;
    enum run_what what;
    struct bits who;
};

static enum run_what left_as(enum run_state state, int64_t ends_ms)
{
    if (state == RUN_STOPPING)
        return RUN_STOPPED;
    return ends_ms <= clock_now_ms() ? over_as(ends_ms) : RUN_OFF;
}

static enum rc drop_part(struct work *w, unsigned on, int64_t *campaign)
{
    struct left l = { 0 };
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_part_left, &q, "ii", clock_now_ms(), (int64_t)on))) {
        l = (struct left){ .campaign = rows_int(&q, 0),
                           .block = rows_int(&q, 1),
                           .by = (enum transport)rows_int(&q, 2),
                           .rank = rows_int(&q, 3),
                           .from = (int)rows_int(&q, 4),
                           .what = left_as((enum run_state)rows_int(&q, 6), rows_int(&q, 7)) };
        rc = run_bits(w, &q, 5, &l.who);
    }
    end = rows_done(&q);
    *campaign = l.campaign;
    if (rc || (rc = end))
        return rc;
    for (int at = 0; at < l.from; at++)
        bits_take(&l.who, (unsigned)at);
    if ((rc = run_outcome(w, l.campaign, l.by, l.block, l.what, &l.who)))
        return rc;
    return db_change(w, SQL_push_part_taken, "iiiiii", l.campaign, l.block, (int64_t)l.by,
                     l.rank, (int64_t)BITS, (int64_t)0);
}

static enum rc drop_batch(struct work *w, unsigned on, int64_t *campaign)
{
    struct left l = { 0 };
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_batch_left, &q, "ii", clock_now_ms(), (int64_t)on))) {
        l = (struct left){ .no = rows_int(&q, 0),
                           .campaign = rows_int(&q, 1),
                           .by = (enum transport)rows_int(&q, 2),
                           .block = rows_int(&q, 3),
                           .what = left_as((enum run_state)rows_int(&q, 5), rows_int(&q, 6)) };
        rc = run_bits(w, &q, 4, &l.who);
    }
    end = rows_done(&q);
    *campaign = l.campaign;
    if (rc || (rc = end) || (rc = db_change(w, SQL_push_batch_drop, "i", l.no)))
        return rc;
    return run_outcome(w, l.campaign, l.by, l.block, l.what, &l.who);
}

enum rc run_drop(struct work *w, unsigned on, int64_t *campaign)
{
    enum rc rc = drop_part(w, on, campaign);

    return rc == RC_NOT_FOUND ? drop_batch(w, on, campaign) : rc;
}

enum rc run_end(struct work *w, int64_t *campaign, bool *stopped)
{
    enum run_state state = RUN_OVER;
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_run_done, &q, ""))) {
        *campaign = rows_int(&q, 0);
        state = (enum run_state)rows_int(&q, 1);
        *stopped = state == RUN_STOPPING;
    }
    end = rows_done(&q);
    if (rc || (rc = end))
        return rc;
    return change_state(w, *campaign, state, RUN_OVER);
}

enum rc run_forget(struct work *w, int64_t campaign)
{
    enum run_state state;
    enum rc rc = run_state(w, campaign, &state);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (!rc && state != RUN_OVER)
        return err_set(&w->err, RC_CONFLICT, "the campaign is on its way");
    return rc ? rc : db_change(w, SQL_push_run_forget, "i", campaign);
}

enum rc run_give_up(struct work *w, int64_t campaign)
{
    return db_change(w, SQL_push_run_give_up, "i", campaign);
}
