/*
 * report.c - sets of outcomes, cut by sets of districts, block by block.
 */
#include "push/report.h"

#include <stdlib.h>
#include <string.h>

#include "push/campaign_said.h"
#include "push/run_row.h"
#include "push/sets.h"
#include "server/library/item.h"
#include "server/store/db.h"

int64_t report_devices(const struct report_line *l)
{
    int64_t n = l->waiting + l->sent;

    for (int what = 1; what < RUN_RESENT; what++)
        n += l->what[what];
    return n;
}

void report_add(struct report_line *to, const struct report_line *l)
{
    to->waiting += l->waiting;
    to->sent += l->sent;
    for (int what = 1; what < RUN_WHATS; what++)
        to->what[what] += l->what[what];
}

/* ---- districts ---- */

struct area {
    int64_t trait;
    int rank; /* in the campaign's order; behind it, of all others the same */
    char code[7];
};

static int by_rank(const void *a, const void *b)
{
    const struct area *x = a, *y = b;

    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
                              : strcmp(x->code, y->code);
}

static int rank_of(const char *order, const char *code)
{
    const char *at = strstr(order, code);

    return at ? (int)(at - order) : (int)strlen(order);
}

/* Codes of six digits that are no city's: what is below a district counts there. */
static bool is_district(const char *word)
{
    return strlen(word) == strlen("area/120101") && strcmp(word + 7, "0000") != 0;
}

static enum rc list_areas(struct work *w, const char *order, struct area **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_trait_areas, &q, "")))
        return rc;
    while (rows_next(&q)) {
        const char *word = rows_text(&q, 1);
        struct area a = { .trait = rows_int(&q, 0) };

        if (!is_district(word))
            continue;
        strncpy(a.code, word + strlen("area/"), sizeof a.code - 1);
        a.rank = rank_of(order, a.code);
        buf_add(&list, &a, sizeof a);
    }
    *out = (struct area *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    if (*n)
        qsort(*out, (size_t)*n, sizeof **out, by_rank);
    *n = *n < REPORT_AREAS ? *n : REPORT_AREAS;
    return rows_done(&q);
}

/* ---- a block ---- */

struct reporting {
    struct work *w;
    struct report *r;
    int64_t campaign, block;
    const struct area *areas;
    struct bits *there; /* of this block, by district; nobody is in two */
};

static enum rc read_block(struct reporting *k)
{
    struct bits all;
    enum rc rc = RC_OK;

    bits_clear(&all);
    for (int i = 0; i < k->r->nareas && !rc; i++) {
        rc = sets_read(k->w, k->areas[i].trait, k->block, &k->there[i]);
        if (rc == RC_CORRUPT) { /* who sends mends it; here they count elsewhere */
            bits_clear(&k->there[i]);
            rc = RC_OK;
        }
        bits_without(&k->there[i], &all);
        bits_or(&all, &k->there[i]);
    }
    return rc;
}

/* A row's n devices, of which those of the set are known: to the count of each line at `offset`. */
static void count(struct reporting *k, int64_t by, size_t offset, int64_t n,
                  const struct bits *who)
{
    struct report_line *line;

    if (by < 1 || by >= TRANSPORT_COUNT)
        return;
    for (int i = 0; i < k->r->nareas; i++) {
        struct bits some = *who;

        bits_and(&some, &k->there[i]);
        line = &k->r->by[by][i];
        *(int64_t *)(void *)((char *)line + offset) += bits_count(&some);
        n -= bits_count(&some);
    }
    line = &k->r->by[by][REPORT_AREAS];
    *(int64_t *)(void *)((char *)line + offset) += n;
}

static void read_set(const struct rows *q, int column, struct bits *out)
{
    size_t n = 0;
    const void *p = rows_blob(q, column, &n);

    if (!bits_read(out, p ? p : "", p ? n : 0))
        bits_clear(out);
}

static size_t what_at(int64_t what)
{
    return offsetof(struct report_line, what) + (size_t)what * sizeof(int64_t);
}

static enum rc count_outcomes(struct reporting *k)
{
    struct bits who;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(k->w, SQL_push_report_outcomes, &q, "ii", k->campaign, k->block)))
        return rc;
    while (rows_next(&q)) {
        int64_t what = rows_int(&q, 1);

        read_set(&q, 3, &who);
        if (what > 0 && what < RUN_WHATS)
            count(k, rows_int(&q, 0), what_at(what), rows_int(&q, 2), &who);
    }
    return rows_done(&q);
}

static enum rc count_parts(struct reporting *k)
{
    struct bits who;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(k->w, SQL_push_report_parts, &q, "ii", k->campaign, k->block)))
        return rc;
    while (rows_next(&q)) {
        read_set(&q, 3, &who);
        for (int at = 0; at < rows_int(&q, 1) && at < BITS; at++)
            bits_take(&who, (unsigned)at);
        count(k, rows_int(&q, 0), offsetof(struct report_line, waiting), rows_int(&q, 2), &who);
    }
    return rows_done(&q);
}

static enum rc count_batches(struct reporting *k)
{
    struct bits who;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(k->w, SQL_push_report_batches, &q, "ii", k->campaign, k->block)))
        return rc;
    while (rows_next(&q)) {
        read_set(&q, 3, &who);
        count(k, rows_int(&q, 0),
              rows_int(&q, 1) ? offsetof(struct report_line, sent)
                              : offsetof(struct report_line, waiting),
              rows_int(&q, 2), &who);
    }
    return rows_done(&q);
}

static enum rc count_block(struct reporting *k)
{
    enum rc rc;

    if ((rc = read_block(k)) || (rc = count_outcomes(k)) || (rc = count_parts(k)))
        return rc;
    return count_batches(k);
}

static enum rc count_run(struct work *w, const struct run_row *row, struct report *r)
{
    struct reporting k = { .w = w, .r = r, .campaign = row->campaign };
    struct area *areas;
    enum rc rc;

    if ((rc = list_areas(w, row->areas, &areas, &r->nareas)))
        return rc;
    k.areas = areas;
    k.there = arena_alloc(w->mem, (size_t)(r->nareas + 1) * sizeof *k.there);
    for (int i = 0; i < r->nareas; i++)
        memcpy(r->area[i], areas[i].code, sizeof r->area[i]);
    for (; k.block <= row->last / BITS && !rc; k.block++)
        rc = count_block(&k);
    return rc;
}

/* ---- the recall ---- */

static void recall_line(struct report_recall *l, const struct run_counts *n, int by,
                        bool revokes)
{
    const int64_t *what = n->by[by];

    *(revokes ? &l->revoked : &l->overwritten) = what[RUN_ACCEPTED];
    l->only_inbox = what[RUN_OFF] + what[RUN_REJECTED] + what[RUN_QUOTA] + what[RUN_QUIET] +
                    what[RUN_STOPPED];
    l->in_doubt = what[RUN_DOUBT];
    l->waiting = l->of - what[RUN_ACCEPTED] - l->only_inbox - l->in_doubt - what[RUN_GONE];
    l->unreachable = what[RUN_GONE];
}

/* What was damaged is nobody's whom an order could be sent to. */
static void nobody_waits(struct report_recall *l)
{
    l->unreachable += l->waiting;
    l->waiting = 0;
}

static enum rc count_recall(struct work *w, const struct campaign *c, struct report *r)
{
    struct campaign_said said;
    struct run_counts n;
    enum rc rc;

    for (int by = 1; by < TRANSPORT_COUNT; by++)
        for (int i = 0; i <= REPORT_AREAS; i++)
            r->recall[by].of += r->by[by][i].what[RUN_ACCEPTED] + r->by[by][i].what[RUN_DOUBT];
    rc = run_count(w, RUN_RECALLS + c->no, &n);
    r->recalled = !rc;
    if (rc || (rc = campaign_said(w, RUN_RECALLS + c->no, &said)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        recall_line(&r->recall[by], &n, by, said.revokes >> by & 1U);
        if (n.state == RUN_OVER)
            nobody_waits(&r->recall[by]);
    }
    return RC_OK;
}

static enum rc ask_inbox(struct work *w, const struct campaign *c, bool *out)
{
    struct item it;
    enum rc rc = item_find(w, &c->item, &it);

    *out = !rc && it.live_rev;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- */

enum rc report_make(struct work *w, const struct campaign *c, struct report **out)
{
    struct report *r = arena_zalloc(w->mem, sizeof *r);
    struct run_row row = { 0 };
    enum rc rc;

    r->by = arena_zalloc(w->mem, TRANSPORT_COUNT * sizeof *r->by);
    if (!(rc = run_read(w, c->no, &row)))
        rc = count_run(w, &row, r);
    if ((rc && rc != RC_NOT_FOUND) || (rc = count_recall(w, c, r)) ||
        (rc = ask_inbox(w, c, &r->inbox)))
        return rc;
    r->opened = row.opened;
    for (int by = 1; by < TRANSPORT_COUNT; by++)
        for (int i = 0; i <= REPORT_AREAS; i++)
            r->audience += report_devices(&r->by[by][i]);
    *out = r;
    return RC_OK;
}
