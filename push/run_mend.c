/*
 * run_mend.c - a campaign of which a disk lost something.
 *
 * Beside each set stands how many it has, so of a set that cannot be read the number is still known. It goes, with that number and nobody in it, to a day below zero, which no ledger asks for: the
 * sums of a report stay right, and what comes later has a row that can be read.
 */
#include "push/run_row.h"
#include "server/base/buf.h"
#include "server/base/clock.h"

struct broken {
    int64_t block, by, what,
        day; /* of an outcome; what: the rank of a part, or whether a batch was sent */
    int64_t no, n;
};

static bool is_broken(const struct rows *q, int column)
{
    struct bits b;
    size_t n = 0;
    const void *p = rows_blob(q, column, &n);

    return !bits_read(&b, p ? p : "", p ? n : 0);
}

/* A day that no other row has. */
static int64_t aside(void)
{
    static int64_t last; /* the writer's */
    int64_t now = clock_now_ms(), before = last;

    last = now > before ? now : before + 1;
    return -last;
}

static enum rc put_aside(struct work *w, int64_t campaign, const struct broken *b,
                         enum run_what what)
{
    return b->n ? db_run(w, SQL_push_outcome_put, "iiiiiib", campaign, b->block, b->by,
                         (int64_t)what, aside(), b->n, "", (size_t)0)
                : RC_OK;
}

static enum rc mend_outcome(struct work *w, int64_t campaign, const struct broken *b)
{
    return db_change(w, SQL_push_outcome_aside, "iiiiiib", campaign, b->block, b->by, b->what,
                     b->day, aside(), "", (size_t)0);
}

static enum rc mend_part(struct work *w, int64_t campaign, const struct broken *b)
{
    enum rc rc = put_aside(w, campaign, b, RUN_STOPPED);

    return rc ? rc
              : db_change(w, SQL_push_part_aside, "iiiib", campaign, b->block, b->by, b->what,
                          "", (size_t)0);
}

/* On its way, or it waits, and some of the block were in doubt: perhaps these. */
static enum rc mend_batch(struct work *w, int64_t campaign, const struct broken *b)
{
    bool resent;
    enum rc rc = run_any_resent(w, campaign, b->block, &resent);

    if (rc)
        return rc;
    rc = put_aside(w, campaign, b, b->what || resent ? RUN_DOUBT : RUN_STOPPED);
    return rc ? rc : db_change(w, SQL_push_batch_drop, "i", b->no);
}

static void read_outcome(const struct rows *q, struct broken *b)
{
    *b = (struct broken){ .block = rows_int(q, 0),
                          .by = rows_int(q, 1),
                          .what = rows_int(q, 2),
                          .day = rows_int(q, 3) };
}

static void read_part(const struct rows *q, struct broken *b)
{
    *b = (struct broken){ .block = rows_int(q, 0),
                          .by = rows_int(q, 1),
                          .what = rows_int(q, 2),
                          .n = rows_int(q, 3) };
}

static void read_batch(const struct rows *q, struct broken *b)
{
    *b = (struct broken){ .no = rows_int(q, 0),
                          .block = rows_int(q, 1),
                          .by = rows_int(q, 2),
                          .what = rows_int(q, 3),
                          .n = rows_int(q, 4) };
}

static const struct table {
    enum sql rows;
    int bits; /* the column of the set */
    void (*read)(const struct rows *q, struct broken *b);
    enum rc (*mend)(struct work *w, int64_t campaign, const struct broken *b);
} tables[] = {
    { SQL_push_outcome_rows, 4, read_outcome, mend_outcome },
    { SQL_push_part_rows, 4, read_part, mend_part },
    { SQL_push_batch_rows, 5, read_batch, mend_batch },
};

static enum rc mend_table(struct work *w, int64_t campaign, const struct table *t, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct broken b;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, t->rows, &q, "i", campaign)))
        return rc;
    while (rows_next(&q))
        if (is_broken(&q, t->bits)) {
            t->read(&q, &b);
            buf_add(&list, &b, sizeof b);
        }
    rc = rows_done(&q);
    for (size_t i = 0; i < list.n / sizeof b && !rc; i++, ++*n)
        rc = t->mend(w, campaign, &((struct broken *)(void *)list.p)[i]);
    return rc;
}

enum rc run_mend(struct work *w, int64_t campaign, int *n)
{
    enum rc rc = RC_OK;

    *n = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && !rc; i++)
        rc = mend_table(w, campaign, &tables[i], n);
    return rc;
}
