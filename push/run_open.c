/*
 * run_open.c - from an audience to parts, a block at a time.
 *
 * A campaign is opened rank by rank: first the devices of the first district of its order, block after block, then of the second, at last all others. What a block's earlier ranks have
 * is never opened again, so who moves meanwhile is sent to once, and nobody is left out.
 */
#include <string.h>

#include "push/address.h"
#include "push/audience.h"
#include "push/run_row.h"
#include "push/sets.h"
#include "push/trait.h"
#include "server/base/buf.h"
#include "server/base/clock.h"

enum { SETTLED_AT_ONCE = 500 };

static const char *const class_words[] = {
    [PUSH_EMERGENCY] = "emergency", [PUSH_SERVICE] = "service", [PUSH_MARKETING] = "marketing"
};

static enum rc last_device(struct work *w, int64_t *no)
{
    struct rows q;
    enum rc rc, end;

    *no = 0;
    if (!(rc = db_one(w, SQL_push_address_last, &q, "")))
        *no = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc run_begin(struct work *w, const struct run_new *r)
{
    struct buf areas = BUF_IN(w->mem);
    int64_t last;
    enum rc rc;

    for (int i = 0; i < r->nareas; i++)
        buf_printf(&areas, "%s%s", i ? "," : "", r->areas[i]);
    if ((rc = last_device(w, &last)))
        return rc;
    return db_run(w, SQL_push_run_put, "iititsiiiitii", r->campaign, (int64_t)r->class,
                  r->audience, (int64_t)r->doubt, r->column, areas.p ? areas.p : "", areas.n,
                  r->ends_ms, last, clock_now_ms(), (int64_t)r->nareas, r->said ? r->said : "",
                  r->after, (int64_t)r->news);
}

/* Those of a set that is named by a word; a word that no device ever had is nobody. */
static enum rc read_word(struct work *w, const char *word, int64_t block, struct bits *out)
{
    int64_t trait;
    enum rc rc = trait_find(w, word, &trait);

    bits_clear(out);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : sets_read(w, trait, block, out);
}

/* The order's district of that rank; NULL: all others. */
static const char *area_of(struct work *w, const struct run_row *r)
{
    const char *s = r->areas;

    for (int64_t i = 0; i < r->rank && *s; i++)
        s += strcspn(s, ",") + (s[strcspn(s, ",")] == ',');
    return *s ? arena_printf(w->mem, "area/%.*s", (int)strcspn(s, ","), s) : NULL;
}

static enum rc read_audience(struct work *w, const struct run_row *r, struct bits *out)
{
    json_t *value = NULL;
    struct audience *a;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, r->audience, strlen(r->audience), &value)) ||
        (rc = audience_parse(w, value, &a)))
        return rc;
    if (r->class != PUSH_EMERGENCY)
        audience_refusals(w, a, class_words[r->class], r->column);
    if ((rc = audience_open(w, a)))
        return rc;
    return audience_block(w, a, r->block, out);
}

static enum rc without(struct work *w, const struct run_row *r, enum sql rows, struct bits *who)
{
    struct bits had;
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, rows, &q, "ii", r->campaign, r->block)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = run_bits(w, &q, 0, &had)))
            bits_without(who, &had);
    end = rows_done(&q);
    return rc ? rc : end;
}

/* Whoever stands in a part stands in an outcome or a batch too, once it was taken; that counts where the part is damaged. */
static enum rc without_earlier(struct work *w, const struct run_row *r, struct bits *who)
{
    enum rc rc;

    if (!r->rank)
        return RC_OK;
    if ((rc = without(w, r, SQL_push_part_of_block, who)) ||
        (rc = without(w, r, SQL_push_outcome_of_block, who)))
        return rc;
    return without(w, r, SQL_push_batch_of_block, who);
}

/* A device that came since has a number of its own: a phone that was installed anew would get it twice. */
static void without_newer(const struct run_row *r, struct bits *who)
{
    if (r->block == r->last / BITS)
        for (int at = bits_next(who, (int)(r->last % BITS) + 1); at >= 0;
             at = bits_next(who, at + 1))
            bits_take(who, (unsigned)at);
}

static enum rc add_bits(struct work *w, struct rows *q, struct bits *who)
{
    enum rc rc = RC_OK, end;

    while (!rc && rows_next(q)) {
        struct bits some;

        if (!(rc = run_bits(w, q, 0, &some)))
            bits_or(who, &some);
    }
    end = rows_done(q);
    return rc ? rc : end;
}

/* Whoever may have read what came before is told what came after, wherever he is by now. */
static enum rc with_reached(struct work *w, const struct run_row *r, struct bits *who)
{
    struct run_row earlier = { .after = r->after };
    struct rows q;
    enum rc rc;

    for (int i = 0; earlier.after && i < RUN_AFTER_MAX; i++) {
        if ((rc = run_read(w, earlier.after, &earlier)))
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        if ((rc =
                 db_query(w, SQL_push_outcome_reached, &q, "ii", earlier.campaign, r->block)) ||
            (rc = add_bits(w, &q, who)) ||
            (rc = db_query(w, SQL_push_batch_reached, &q, "ii", earlier.campaign, r->block)) ||
            (rc = add_bits(w, &q, who)))
            return rc;
    }
    return RC_OK;
}

static enum rc find_them(struct work *w, const struct run_row *r, struct bits *who)
{
    const char *area = area_of(w, r);
    struct bits there;
    enum rc rc;

    if ((rc = read_audience(w, r, who)) || (rc = with_reached(w, r, who)))
        return rc;
    if (area) {
        if ((rc = read_word(w, area, r->block, &there)))
            return rc;
        bits_and(who, &there);
    }
    without_newer(r, who);
    return without_earlier(w, r, who);
}

/* Those of one transport: to be sent to, or to nobody's use. */
static enum rc put_part(struct work *w, const struct run_row *r, enum transport by,
                        const struct bits *who, bool on)
{
    uint8_t text[BITS_BYTES];
    size_t n = bits_write(who, text);
    int64_t count = bits_count(who);
    enum rc rc;

    if (!n)
        return RC_OK;
    if (!on && (rc = run_outcome(w, r->campaign, by, r->block, RUN_OFF, who)))
        return rc;
    return db_run(w, SQL_push_part_put, "iiiiiiib", r->campaign, r->block, (int64_t)by, r->rank,
                  (int64_t)(on ? 0 : BITS), count, on ? count : (int64_t)0, text, n);
}

static enum rc split(struct work *w, const struct run_row *r, const struct bits *who,
                     unsigned on)
{
    enum rc rc = RC_OK;

    for (int i = TRANSPORT_NONE + 1; i < TRANSPORT_COUNT && !rc; i++) {
        struct bits part;

        if (!(rc = read_word(w, arena_printf(w->mem, "transport/%s", transport_type(i)->word),
                             r->block, &part))) {
            bits_and(&part, who);
            rc = put_part(w, r, (enum transport)i, &part, on >> i & 1U);
        }
    }
    return rc;
}

/* ---- of a recall ---- */

/* Those who may have it on their screens. */
static enum rc find_shown(struct work *w, const struct run_row *r, enum transport by,
                          struct bits *out)
{
    enum rc rc = RC_OK, end;
    struct bits some;
    struct rows q;

    bits_clear(out);
    if ((rc = db_query(w, SQL_push_outcome_shown, &q, "iii", run_campaign(r->campaign),
                       r->block, (int64_t)by)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = run_bits(w, &q, 0, &some)))
            bits_or(out, &some);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc split_shown(struct work *w, const struct run_row *r, unsigned recalls)
{
    struct bits who;
    enum rc rc = RC_OK;

    for (int by = 1; by < TRANSPORT_COUNT && !rc; by++)
        if (!(rc = find_shown(w, r, (enum transport)by, &who)))
            rc = put_part(w, r, (enum transport)by, &who, recalls >> by & 1U);
    return rc;
}

/* ---- a block ---- */

static enum rc open_all(struct work *w, const struct run_row *r, unsigned on)
{
    struct bits who;
    enum rc rc = find_them(w, r, &who);

    return rc ? rc : split(w, r, &who, on);
}

static enum rc open_block(struct work *w, const struct run_row *r, unsigned on,
                          unsigned recalls)
{
    bool row_ends = r->block == r->last / BITS;
    enum rc rc =
        run_kind(r->campaign) == RUN_RECALL ? split_shown(w, r, recalls) : open_all(w, r, on);

    if (rc)
        return rc;
    return db_change(w, SQL_push_run_opened, "iiii", r->campaign, r->rank + row_ends,
                     row_ends ? (int64_t)0 : r->block + 1, clock_now_ms());
}

/* The sets say what citizens said, or they are not asked yet. */
static enum rc settle(struct work *w)
{
    enum rc rc;
    int n;

    if ((rc = address_settle(w, SETTLED_AT_ONCE, &n)))
        return rc;
    return n < SETTLED_AT_ONCE ? RC_OK
                               : err_set(&w->err, RC_BUSY, "devices are still being settled");
}

/* ---- one account ---- */

/* Its devices in one block that one transport reaches. */
struct gathering {
    struct run_row run;
    unsigned on;
    enum transport by; /* TRANSPORT_NONE: nobody yet */
    struct bits who;
    int n;
};

static enum rc close_gathering(struct work *w, struct gathering *g)
{
    if (g->by == TRANSPORT_NONE)
        return RC_OK;
    return put_part(w, &g->run, g->by, &g->who, g->on >> g->by & 1U);
}

static enum rc gather(struct work *w, struct gathering *g, int64_t no, enum transport by)
{
    enum rc rc;

    if (by != g->by || no / BITS != g->run.block) {
        if ((rc = close_gathering(w, g)))
            return rc;
        g->by = by;
        g->run.block = no / BITS;
        bits_clear(&g->who);
    }
    bits_put(&g->who, (unsigned)(no % BITS));
    g->n++;
    return RC_OK;
}

struct reached_at {
    int64_t no, by;
};

/* By transport, then by number. */
static enum rc list_devices(struct work *w, int64_t account, struct buf *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_address_reached, &q, "i", account)))
        return rc;
    while (rows_next(&q)) {
        struct reached_at d = { rows_int(&q, 0), rows_int(&q, 1) };

        buf_add(out, &d, sizeof d);
    }
    return rows_done(&q);
}

enum rc run_begin_for(struct work *w, int64_t run, int64_t account, enum push_class class,
                      int64_t ends_ms, unsigned on, int *devices)
{
    struct gathering g = { .run = { .campaign = run }, .on = on, .by = TRANSPORT_NONE };
    struct buf list = BUF_IN(w->mem);
    const struct reached_at *d;
    enum rc rc;

    *devices = 0;
    if ((rc = list_devices(w, account, &list)) || !list.n)
        return rc;
    d = (const struct reached_at *)(const void *)list.p;
    rc = db_run(w, SQL_push_run_put_open, "iiiii", run, (int64_t) class, (int64_t)RUN_RESEND,
                ends_ms, clock_now_ms());
    for (size_t i = 0; i < list.n / sizeof *d && !rc; i++)
        rc = gather(w, &g, d[i].no, (enum transport)d[i].by);
    if (rc || (rc = close_gathering(w, &g)))
        return rc;
    *devices = g.n;
    return RC_OK;
}

enum rc run_open(struct work *w, unsigned on, unsigned recalls, int64_t *campaign)
{
    int64_t next = 0;
    struct run_row r;
    struct rows q;
    enum rc rc, end;

    *campaign = 0;
    if (!(rc = db_one(w, SQL_push_run_unopened, &q, "")))
        next = rows_int(&q, 0);
    end = rows_done(&q);
    if (rc || (rc = end))
        return rc;
    *campaign = next;
    if ((rc = run_read(w, next, &r)))
        return rc;
    *campaign = 0; /* what cannot be settled is no run's fault */
    rc = settle(w);
    if (rc && (rc != RC_BUSY ||
               r.class != PUSH_EMERGENCY)) /* who is in danger waits for nobody's removal */
        return rc;
    *campaign = next;
    return open_block(w, &r, on, recalls);
}
