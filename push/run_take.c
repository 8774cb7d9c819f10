/*
 * run_take.c - the next batch for a transport, and who is passed over on the way.
 *
 * A walk goes through a block's bits from a place on: whoever has his night, or had as many messages today as is allowed, becomes an outcome; the others, up to a batch, are sent to. So a
 * whole block of sleepers is passed over in one transaction.
 *
 * The ledger of quotas is the outcomes themselves: today's accepted and doubtful sets of all campaigns of that class, and what is on its way.
 */
#include <string.h>

#include "push/address.h"
#include "push/ledger.h"
#include "push/run_row.h"
#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"

enum { SAID_MS = 60000 };

/* ---- who is passed over ---- */

struct screen {
    struct bits quiet, had; /* had: as many as is allowed */
};

static int a_day(const struct run_row *r, const struct run_limits *limits)
{
    return r->news && r->class == PUSH_MARKETING ? limits->news_a_day : limits->a_day[r->class];
}

static enum rc make_screen(struct work *w, const struct run_row *r, enum transport by,
                           int64_t block, const struct run_limits *limits, struct screen *out)
{
    bool asks = run_kind(r->campaign) != RUN_RECALL;
    struct ledger_ask ask = { .block = block,
                              .except = r->campaign,
                              .class = r->class,
                              .by = by,
                              .a_day = a_day(r, limits),
                              .a_person = r->class == PUSH_MARKETING ? limits->a_person : 0 };
    enum rc rc;

    bits_clear(&out->quiet);
    bits_clear(&out->had);
    if (limits->refused_until_ms[r->class]) /* take_from(): it ends before his morning */
        memset(&out->quiet, 0xff, sizeof out->quiet);
    if (!asks)
        return RC_OK;
    if (r->class == PUSH_MARKETING && !limits->refused_until_ms[r->class] &&
        (rc = ledger_quiet_now(w, limits->quiets, block, &out->quiet)))
        return rc;
    return ledger_had(w, &ask, &out->had);
}

/* ---- the walk ---- */

struct walk {
    struct bits taken, quiet, had, gone;
    struct bits *moved; /* by transport; NULL: nobody was */
    int next; /* the place behind the last that it decided; BITS: it came to the end */
    int n;    /* of the taken */
};

static void walk(const struct bits *who, int from, int most, const struct screen *s,
                 struct walk *out)
{
    int at = bits_next(who, from);

    *out = (struct walk){ .next = BITS };
    for (; at >= 0 && out->n < most; at = bits_next(who, at + 1)) {
        unsigned place = (unsigned)at;

        if (bits_have(&s->quiet, place))
            bits_put(&out->quiet, place);
        else if (bits_have(&s->had, place))
            bits_put(&out->had, place);
        else {
            bits_put(&out->taken, place);
            out->n++;
        }
    }
    if (at >= 0)
        out->next = at;
}

/* RC_NOT_FOUND: it is reached there no more. */
static enum rc read_target(struct work *w, int64_t no, enum transport by,
                           struct run_target *out)
{
    enum rc rc;

    *out = (struct run_target){ .no = no };
    rc = address_read(w, no, by, &out->token, &out->told);
    if (rc == RC_CORRUPT) { /* nobody else's messages wait for that */
        LOG(LOG_ERROR, "push_address_corrupt", L_INT("device", no));
        rc = RC_NOT_FOUND;
    }
    return rc;
}

/* By whom it is reached since; TRANSPORT_NONE: by nobody, or still by him. */
static enum rc reached_by(struct work *w, int64_t no, enum transport not, enum transport *out)
{
    int64_t by = TRANSPORT_NONE;
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_address_traits, &q, "i", no)))
        by = rows_int(&q, 1);
    end = rows_done(&q);
    *out = transport_type((int)by) && by != (int64_t) not ? (enum transport)by : TRANSPORT_NONE;
    if (rc == RC_NOT_FOUND) /* nobody is there any more */
        return RC_OK;
    return rc ? rc : end;
}

/* It told another address meanwhile, and waits there; or it is gone. What takes a message back has nothing to look for where it never was. */
static enum rc pass_over(struct work *w, int at, struct walk *k, const struct run_batch *b)
{
    enum transport by = TRANSPORT_NONE;
    enum rc rc;

    if (run_kind(b->campaign) != RUN_RECALL &&
        (rc = reached_by(w, b->block * BITS + at, b->by, &by)))
        return rc;
    if (by && !k->moved)
        k->moved = arena_zalloc(w->mem, TRANSPORT_COUNT * sizeof *k->moved);
    bits_put(by ? &k->moved[by] : &k->gone, (unsigned)at);
    bits_take(&k->taken, (unsigned)at);
    return RC_OK;
}

/* The tokens of those taken. */
static enum rc find_targets(struct work *w, struct walk *k, struct run_batch *b)
{
    b->target = arena_alloc(w->mem, (size_t)(k->n ? k->n : 1) * sizeof *b->target);
    b->n = 0;
    for (int at = bits_next(&k->taken, 0); at >= 0; at = bits_next(&k->taken, at + 1)) {
        enum rc rc = read_target(w, b->block * BITS + at, b->by, &b->target[b->n]);

        if (rc == RC_NOT_FOUND)
            rc = pass_over(w, at, k, b);
        else
            b->n += !rc;
        if (rc)
            return rc;
    }
    return RC_OK;
}

static enum rc write_moved(struct work *w, const struct walk *k, const struct run_batch *b)
{
    enum rc rc = RC_OK;

    for (int by = 1; k->moved && by < TRANSPORT_COUNT && !rc; by++)
        rc = run_wait(w, b->campaign, (enum transport)by, b->block, b->tries, clock_now_ms(),
                      &k->moved[by]);
    return rc;
}

static enum rc write_walk(struct work *w, const struct walk *k, struct run_batch *b)
{
    uint8_t text[BITS_BYTES];
    size_t n = bits_write(&k->taken, text);
    struct rows q;
    enum rc rc, end;

    if ((rc = run_outcome(w, b->campaign, b->by, b->block, RUN_QUIET, &k->quiet)) ||
        (rc = run_outcome(w, b->campaign, b->by, b->block, RUN_QUOTA, &k->had)) ||
        (rc = run_outcome(w, b->campaign, b->by, b->block, RUN_GONE, &k->gone)) ||
        (rc = write_moved(w, k, b)) || !n)
        return rc;
    if (!(rc = db_one(w, SQL_push_batch_send, &q, "iiiiiib", b->campaign, (int64_t)b->by,
                      b->block, (int64_t)b->tries, clock_now_ms(), (int64_t)b->n, text, n)))
        b->no = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc take_of(struct work *w, const struct run_row *r, const struct bits *who,
                       int from, const struct run_limits *limits, struct walk *k,
                       struct run_batch *b)
{
    int most = limits->most < RUN_BATCH ? limits->most : RUN_BATCH;
    struct screen s;
    enum rc rc;

    if ((rc = make_screen(w, r, b->by, b->block, limits, &s)))
        return rc;
    walk(who, from, most, &s, k);
    if ((rc = find_targets(w, k, b)))
        return rc;
    return write_walk(w, k, b);
}

/* ---- from what waits, or from a part ---- */

static enum rc take_waiting(struct work *w, const struct run_row *r,
                            const struct run_limits *limits, struct run_batch *b)
{
    int64_t no = 0, at_ms = 0;
    struct bits who, rest;
    struct walk k;
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_batch_due, &q, "iii", r->campaign, (int64_t)b->by,
                      clock_now_ms()))) {
        no = rows_int(&q, 0);
        b->block = rows_int(&q, 1);
        b->tries = (int)rows_int(&q, 2);
        at_ms = rows_int(&q, 3);
        rc = run_bits(w, &q, 4, &who);
    }
    end = rows_done(&q);
    if (rc || (rc = end) || (rc = db_change(w, SQL_push_batch_drop, "i", no)) ||
        (rc = take_of(w, r, &who, 0, limits, &k, b)))
        return rc;
    bits_clear(&rest);
    for (int at = k.next < BITS ? k.next : -1; at >= 0; at = bits_next(&who, at + 1))
        bits_put(&rest, (unsigned)at);
    return run_wait(w, r->campaign, b->by, b->block, b->tries, at_ms, &rest);
}

static int count_from(const struct bits *who, int from)
{
    int n = 0;

    for (int at = from < BITS ? bits_next(who, from) : -1; at >= 0; at = bits_next(who, at + 1))
        n++;
    return n;
}

static enum rc take_part(struct work *w, const struct run_row *r,
                         const struct run_limits *limits, struct run_batch *b)
{
    int64_t rank = 0;
    struct bits who;
    struct walk k;
    struct rows q;
    enum rc rc, end;
    int from = 0;

    b->tries = 0;
    if (!(rc = db_one(w, SQL_push_part_next, &q, "ii", r->campaign, (int64_t)b->by))) {
        b->block = rows_int(&q, 0);
        rank = rows_int(&q, 1);
        from = (int)rows_int(&q, 2);
        rc = run_bits(w, &q, 3, &who);
    }
    end = rows_done(&q);
    if (rc || (rc = end) || (rc = take_of(w, r, &who, from, limits, &k, b)))
        return rc;
    return db_change(w, SQL_push_part_taken, "iiiiii", r->campaign, b->block, (int64_t)b->by,
                     rank, (int64_t)k.next, (int64_t)count_from(&who, k.next));
}

static enum rc has(struct work *w, enum sql rows, const struct run_row *r, enum transport by)
{
    struct rows q;
    enum rc rc = rows == SQL_push_batch_due
                     ? db_one(w, rows, &q, "iii", r->campaign, (int64_t)by, clock_now_ms())
                     : db_one(w, rows, &q, "ii", r->campaign, (int64_t)by);
    enum rc end = rows_done(&q);

    return rc ? rc : end;
}

/* It does not stand still, and nobody is called at night because of it (missing.h): once a minute it says so. */
static enum rc rest_until_morning(struct work *w, const struct run_row *r, enum transport by)
{
    enum rc rc;

    if (clock_now_ms() - r->moved_ms < SAID_MS)
        return RC_NOT_FOUND;
    if ((rc = has(w, SQL_push_part_next, r, by)) == RC_NOT_FOUND)
        rc = has(w, SQL_push_batch_due, r, by);
    if (!rc)
        rc = db_change(w, SQL_push_run_moved, "ii", r->campaign, clock_now_ms());
    return rc ? rc : RC_NOT_FOUND;
}

static enum rc take_from(struct work *w, int64_t campaign, const struct run_limits *limits,
                         struct run_batch *b)
{
    struct run_row r;
    enum rc rc;

    if ((rc = run_read(w, campaign, &r)))
        return rc;
    if (limits->refused_until_ms[r.class] && limits->refused_until_ms[r.class] < r.ends_ms)
        return rest_until_morning(w, &r, b->by);
    rc = take_waiting(w, &r, limits, b);
    return rc == RC_NOT_FOUND ? take_part(w, &r, limits, b) : rc;
}

/* Campaigns that run and are meant, the most hasty first; they are few. */
static enum rc list_running(struct work *w, const struct run_limits *limits, struct buf *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_run_running, &q, "")))
        return rc;
    while (rows_next(&q)) {
        int64_t campaign = rows_int(&q, 0);

        if ((rows_int(&q, 1) == PUSH_EMERGENCY) == limits->emergency &&
            !(limits->rests && limits->rests(limits->arg, campaign)))
            buf_add(out, &campaign, sizeof campaign);
    }
    return rows_done(&q);
}

/* Of runs for one account there may be thousands: the oldest of those that have something for the transport now. */
static enum rc find_personal(struct work *w, enum transport by, struct buf *out)
{
    int64_t run;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_run_personal, &q, "ii", (int64_t)by, clock_now_ms())))
        return rc;
    while (rows_next(&q)) {
        run = rows_int(&q, 0);
        buf_add(out, &run, sizeof run);
    }
    return rows_done(&q);
}

enum rc run_take(struct work *w, enum transport by, const struct run_limits *limits,
                 struct run_batch *out)
{
    struct buf running = BUF_IN(w->mem);
    const int64_t *campaign;
    enum rc rc;

    rc = limits->personal ? find_personal(w, by, &running) : list_running(w, limits, &running);
    if (rc)
        return rc;
    campaign = (const int64_t *)(const void *)running.p;
    rc = RC_NOT_FOUND;
    for (size_t i = 0; i < running.n / sizeof *campaign && rc == RC_NOT_FOUND; i++) {
        *out = (struct run_batch){ .by = by };
        out->campaign = campaign[i];
        rc = take_from(w, campaign[i], limits, out);
    }
    return rc;
}

enum rc run_waits(struct work *w, enum transport by, int64_t *at_ms)
{
    struct rows q;
    enum rc rc, end;

    *at_ms = 0;
    if (!(rc = db_one(w, SQL_push_batch_soonest, &q, "i", (int64_t)by)))
        *at_ms = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc run_shift(struct work *w, int64_t ms)
{
    enum rc rc = db_run(w, SQL_push_batch_shift, "i", ms);

    return rc ? rc : db_run(w, SQL_push_run_shift, "i", ms);
}
