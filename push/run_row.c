/*
 * run_row.c - rows of push_run, push_batch and push_outcome.
 */
#include "push/run_row.h"

#include <stdlib.h>

#include "server/base/buf.h"
#include "server/base/clock.h"

const char *const run_words[RUN_WHATS] = {
    [RUN_ACCEPTED] = "accepted", [RUN_REJECTED] = "rejected",   [RUN_GONE] = "gone",
    [RUN_QUOTA] = "quota",       [RUN_QUIET] = "quiet",         [RUN_DOUBT] = "doubt",
    [RUN_OFF] = "off",           [RUN_STOPPED] = "stopped",     [RUN_RESENT] = "resent",
    [RUN_OWNER] = "owner",       [RUN_DELIVERED] = "delivered", [RUN_CLICKED] = "clicked",
    [RUN_DROPPED] = "dropped",
};

enum run_kind run_kind(int64_t run)
{
    return run < 0               ? RUN_TEST
           : run > RUN_NOTICES   ? RUN_NOTICE
           : run > RUN_RECALLS   ? RUN_RECALL
           : run > RUN_BULLETINS ? RUN_BULLETIN
                                 : RUN_OWN;
}

int64_t run_campaign(int64_t run)
{
    if (run > RUN_NOTICES)
        return run - RUN_NOTICES;
    return run < 0 ? -run : run > RUN_RECALLS ? run - RUN_RECALLS : run;
}

enum rc run_read(struct work *w, int64_t campaign, struct run_row *out)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_run_one, &q, "i", campaign)))
        *out = (struct run_row){ .campaign = campaign,
                                 .audience = rows_dup_text(w, &q, 0),
                                 .class = (enum push_class)rows_int(&q, 1),
                                 .column = rows_dup_text(w, &q, 2),
                                 .areas = rows_dup_text(w, &q, 3),
                                 .doubt = (enum run_doubt)rows_int(&q, 4),
                                 .ends_ms = rows_int(&q, 5),
                                 .last = rows_int(&q, 6),
                                 .rank = rows_int(&q, 7),
                                 .block = rows_int(&q, 8),
                                 .state = (enum run_state)rows_int(&q, 9),
                                 .opened = rows_int(&q, 10) != 0,
                                 .said = rows_dup_text(w, &q, 11),
                                 .after = rows_int(&q, 12),
                                 .news = rows_int(&q, 13) != 0,
                                 .moved_ms = rows_int(&q, 14) };
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc run_bits(struct work *w, const struct rows *q, int column, struct bits *out)
{
    size_t n = 0;
    const void *p = rows_blob(q, column, &n);

    if (!bits_read(out, p ? p : "", p ? n : 0))
        return err_set(&w->err, RC_CORRUPT, "a campaign's set of devices is damaged (%s)",
                       sql_name(q->sql));
    return RC_OK;
}

/* What the outcome is already. */
static enum rc read_outcome(struct work *w, int64_t campaign, enum transport by, int64_t block,
                            enum run_what what, int64_t day, struct bits *out)
{
    struct rows q;
    enum rc rc, end;

    bits_clear(out);
    if (!(rc = db_one(w, SQL_push_outcome_one, &q, "iiiii", campaign, block, (int64_t)by,
                      (int64_t)what, day)))
        rc = run_bits(w, &q, 0, out);
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

static enum rc add(struct work *w, int64_t campaign, enum transport by, int64_t block,
                   enum run_what what, int64_t day, const struct bits *who)
{
    uint8_t text[BITS_BYTES];
    struct bits all;
    enum rc rc;
    size_t n;

    if (bits_next(who, 0) < 0)
        return RC_OK;
    if ((rc = read_outcome(w, campaign, by, block, what, day, &all)))
        return rc;
    bits_or(&all, who);
    n = bits_write(&all, text);
    return db_run(w, SQL_push_outcome_put, "iiiiiib", campaign, block, (int64_t)by,
                  (int64_t)what, day, (int64_t)bits_count(&all), text, n);
}

/* ---- who was in doubt before ---- */

/* Endings that say: he has it not. Of one whom it may have reached already nobody can say that. */
static const bool denies[RUN_WHATS] = {
    [RUN_REJECTED] = true, [RUN_GONE] = true, [RUN_QUOTA] = true,
    [RUN_QUIET] = true,    [RUN_OFF] = true,  [RUN_STOPPED] = true
};

struct resent {
    enum transport by;
    struct bits who;
};

/* Those of a block that were in doubt and go out again, by the transport and day of the doubt: rows of struct resent. */
static enum rc list_resent(struct work *w, int64_t campaign, int64_t block, struct buf *out)
{
    struct resent one;
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_push_outcome_resent, &q, "ii", campaign, block)))
        return rc;
    while (!rc && rows_next(&q)) {
        one.by = (enum transport)rows_int(&q, 0);
        if (!(rc = run_bits(w, &q, 1, &one.who)))
            buf_add(out, &one, sizeof one);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc run_any_resent(struct work *w, int64_t campaign, int64_t block, bool *any)
{
    struct buf list = BUF_IN(w->mem);
    enum rc rc = list_resent(w, campaign, block, &list);

    *any = list.n > 0;
    return rc;
}

/*
 * Those of *who that were in doubt stay so, where they were sent to, and leave *who. Of no day: their note of being sent again counts in the ledger, on the day it was sent; here they would count
 * twice, or on another day.
 */
static enum rc keep_doubt(struct work *w, int64_t campaign, int64_t block, struct bits *who)
{
    struct buf list = BUF_IN(w->mem);
    const struct resent *r;
    enum rc rc;

    if ((rc = list_resent(w, campaign, block, &list)))
        return rc;
    r = (const struct resent *)(const void *)list.p;
    for (size_t i = 0; i < list.n / sizeof *r && !rc; i++) {
        struct bits some = *who;

        bits_and(&some, &r[i].who);
        bits_without(who, &some);
        rc = add(w, campaign, r[i].by, block, RUN_DOUBT, 0, &some);
    }
    return rc;
}

enum rc run_outcome(struct work *w, int64_t campaign, enum transport by, int64_t block,
                    enum run_what what, const struct bits *who)
{
    struct bits rest = *who;
    enum rc rc;

    if (denies[what] && bits_next(who, 0) >= 0 && (rc = keep_doubt(w, campaign, block, &rest)))
        return rc;
    return add(w, campaign, by, block, what, ledger_today(), &rest);
}

enum rc run_note(struct work *w, int64_t campaign, enum transport by, int64_t block,
                 enum run_what what, const struct bits *who)
{
    return add(w, campaign, by, block, what, 0, who);
}

enum rc run_wait(struct work *w, int64_t campaign, enum transport by, int64_t block, int tries,
                 int64_t at_ms, const struct bits *who)
{
    uint8_t text[BITS_BYTES];
    size_t n = bits_write(who, text);

    return n ? db_run(w, SQL_push_batch_wait, "iiiiiib", campaign, (int64_t)by, block,
                      (int64_t)tries, at_ms, (int64_t)bits_count(who), text, n)
             : RC_OK;
}

/* A vendor that keeps silent is not asked for ever: whoever was sent to again already stays in doubt. */
static enum rc leave_resent(struct work *w, const struct run_row *r, enum transport by,
                            int64_t block, struct bits *who)
{
    struct buf list = BUF_IN(w->mem);
    struct bits before, twice = *who;
    enum rc rc = list_resent(w, r->campaign, block, &list);

    if (rc)
        return rc;
    bits_clear(&before);
    for (size_t i = 0; i < list.n / sizeof(struct resent); i++)
        bits_or(&before, &((const struct resent *)(const void *)list.p)[i].who);
    bits_and(&twice, &before);
    bits_without(who, &before);
    if ((rc = run_owners(w, r, by, block, &twice)))
        return rc;
    return run_outcome(w, r->campaign, by, block, RUN_DOUBT, &twice);
}

enum rc run_doubtful(struct work *w, const struct run_row *r, enum transport by, int64_t block,
                     int tries, int64_t at_ms, const struct bits *who)
{
    int64_t now_ms = clock_now_ms();
    struct bits again = *who;
    enum rc rc;

    if (r->doubt == RUN_SKIP || r->state == RUN_STOPPING || now_ms >= r->ends_ms)
        return (rc = run_owners(w, r, by, block, who))
                   ? rc
                   : run_outcome(w, r->campaign, by, block, RUN_DOUBT, who);
    if ((at_ms && (rc = leave_resent(w, r, by, block, &again))) ||
        (rc = run_owners(w, r, by, block, &again)) ||
        (rc = run_outcome(w, r->campaign, by, block, RUN_RESENT, &again)))
        return rc;
    return run_wait(w, r->campaign, by, block, tries + 1, at_ms < r->ends_ms ? at_ms : now_ms,
                    &again);
}

/* ---- the owners ---- */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* All other devices of the owners of those, ascending. */
static enum rc list_siblings(struct work *w, int64_t block, const struct bits *who,
                             struct buf *out)
{
    enum rc rc = RC_OK;
    struct rows q;

    for (int at = bits_next(who, 0); at >= 0 && !rc; at = bits_next(who, at + 1)) {
        if ((rc = db_query(w, SQL_push_address_siblings, &q, "i", block * BITS + at)))
            break;
        while (rows_next(&q)) {
            int64_t no = rows_int(&q, 0);

            buf_add(out, &no, sizeof no);
        }
        rc = rows_done(&q);
    }
    if (out->n)
        qsort(out->p, out->n / sizeof(int64_t), sizeof(int64_t), by_number);
    return rc;
}

enum rc run_owners(struct work *w, const struct run_row *r, enum transport by, int64_t block,
                   const struct bits *who)
{
    struct buf list = BUF_IN(w->mem);
    const int64_t *no;
    struct bits some;
    size_t n, i = 0;
    enum rc rc;

    if (r->class != PUSH_MARKETING || run_kind(r->campaign) == RUN_RECALL)
        return RC_OK;
    rc = list_siblings(w, block, who, &list);
    no = (const int64_t *)(const void *)list.p;
    n = list.n / sizeof *no;
    while (i < n && !rc) {
        int64_t there = no[i] / BITS;

        bits_clear(&some);
        for (; i < n && no[i] / BITS == there; i++)
            bits_put(&some, (unsigned)(no[i] % BITS));
        rc = run_outcome(w, r->campaign, by, there, RUN_OWNER, &some);
    }
    return rc;
}
