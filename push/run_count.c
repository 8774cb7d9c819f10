/*
 * run_count.c - how far a campaign is.
 */
#include "push/run_row.h"
#include "push/sets.h"
#include "push/trait.h"

static enum rc sum(struct work *w, enum sql sql, int64_t campaign, int64_t out[2])
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, sql, &q, "i", campaign)))
        for (int i = 0; i < 2; i++)
            out[i] = rows_int(&q, i);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc sum_outcomes(struct work *w, int64_t campaign, struct run_counts *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_outcome_sums, &q, "i", campaign)))
        return rc;
    while (rows_next(&q)) {
        int64_t by = rows_int(&q, 0), what = rows_int(&q, 1);

        if (by > 0 && by < TRANSPORT_COUNT && what > 0 && what < RUN_WHATS)
            out->by[by][what] = rows_int(&q, 2);
    }
    return rows_done(&q);
}

enum rc run_state(struct work *w, int64_t campaign, enum run_state *out)
{
    struct run_row r;
    enum rc rc = run_read(w, campaign, &r);

    if (!rc)
        *out = r.state;
    return rc;
}

enum rc run_count(struct work *w, int64_t campaign, struct run_counts *out)
{
    int64_t parts[2], batches[2];
    struct run_row r;
    enum rc rc;

    *out = (struct run_counts){ 0 };
    if ((rc = run_read(w, campaign, &r)) ||
        (rc = sum(w, SQL_push_part_sums, campaign, parts)) ||
        (rc = sum(w, SQL_push_batch_sums, campaign, batches)))
        return rc;
    out->audience = parts[0];
    out->waiting = parts[1] + batches[0];
    out->sent = batches[1];
    out->opened = r.opened;
    out->state = r.state;
    return sum_outcomes(w, campaign, out);
}

enum rc run_count_area(struct work *w, int64_t campaign, const char *area,
                       int64_t out[RUN_WHATS])
{
    struct bits some, there;
    int64_t trait = 0;
    struct rows q;
    enum rc rc, end;

    for (int i = 0; i < RUN_WHATS; i++)
        out[i] = 0;
    if ((rc = trait_find(w, arena_printf(w->mem, "area/%s", area), &trait)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if ((rc = db_query(w, SQL_push_outcome_all, &q, "i", campaign)))
        return rc;
    while (!rc && rows_next(&q)) {
        int64_t what = rows_int(&q, 1);

        if ((rc = run_bits(w, &q, 2, &some)) ||
            (rc = sets_read(w, trait, rows_int(&q, 0), &there)))
            break;
        bits_and(&some, &there);
        if (what > 0 && what < RUN_WHATS)
            out[what] += bits_count(&some);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}
