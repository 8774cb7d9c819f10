/*
 * index_layers.c - what changed since the bases, in few objects of which each is larger than
 * all newer ones together.
 *
 *     log      0 ........................................ S
 *     layers   |   full   |   full   |  large  | small |new|
 *                                    ^^^^^^^^^^^^^^^^^^^^^^ become one when the newer are as large
 *
 * So there are O(log n) of them beside the full ones, a record is written O(log n) times, and a
 * phone k changes behind fetches about the bytes of k changes. A merged layer has of each item
 * the newest record only, and none that a base holds already. It is cut by seq into pieces of
 * at most 4 MiB; full pieces are not merged again for their age, but
 *
 * for their size: when all objects together would be larger than TOTAL times the state's newest
 * records, all layers become one. Then what they hold is what REWRITE (index_plan.c) leaves
 * them, which is less; so between two such merges at least TOTAL - REWRITE of the state must
 * have changed.
 *
 * Layers of which nothing counts any more, because the bases below are newer, are dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "server/store/db.h"
#include "sync/index_plan.h"
#include "sync/live_state.h"

enum {
    FULL = WIRE_PACK_MAX,
    FULL_ENOUGH = FULL / 4 * 3,
    LAYERS_MAX = 12, /* that are not full */
    TOTAL = 125,     /* per cent */
};

/* ---- which ---- */

static int by_upto(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return x->upto < y->upto ? -1 : x->upto > y->upto;
}

/* Whether a record of the layer may still be some item's newest. */
static bool is_alive(const struct build *b, const struct part *layer)
{
    for (size_t i = 0; i < layer->spans; i++)
        for (size_t at = parts_of(&b->base, layer->span[i].first);; at++) {
            if (at == b->base.n) {
                if (!at || b->base.p[at - 1].o.last_born < layer->span[i].last)
                    return true; /* behind the last base */
                break;
            }
            if (b->base.p[at].o.first_born > layer->span[i].last)
                break;
            if (b->base.p[at].as_of < layer->upto)
                return true;
        }
    return false;
}

static void drop_dead(struct build *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->layer.n; i++)
        if (is_alive(b, &b->layer.p[i]))
            b->layer.p[n++] = b->layer.p[i];
    b->changed |= n < b->layer.n;
    b->layer.n = n;
    if (n)
        qsort(b->layer.p, n, sizeof *b->layer.p, by_upto);
}

/* Whether a change is in no new base. */
static bool is_open(const struct build *b, const struct delta *d)
{
    size_t at = parts_of(&b->base, d->born);

    return at == b->base.n || b->base.p[at].as_of < b->seq;
}

static bool is_full(const struct part *p)
{
    return p->o.bytes >= FULL_ENOUGH;
}

/* The first of the layers that become one with what is new; their number: none. */
static size_t first_merged(const struct build *b)
{
    const struct part *layer = b->layer.p;
    size_t k = b->layer.n, open = 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < b->deltas; i++)
        bytes += is_open(b, &b->delta[i]) ? b->delta[i].bytes : 0;
    if (!bytes)
        return k;
    while (k && !is_full(&layer[k - 1]) && bytes >= layer[k - 1].o.bytes)
        bytes += layer[--k].o.bytes;
    for (size_t i = 0; i < k; i++)
        open += !is_full(&layer[i]);
    for (; k && open >= LAYERS_MAX; k--)
        open -= !is_full(&layer[k - 1]);
    return k;
}

/* ---- what is in it ---- */

static void lower(uint64_t *a, uint64_t b)
{
    if (b < *a)
        *a = b;
}

/* After which seq each base, and behind them the rest, may have records in the layers from k on
 * and in what is new; UINT64_MAX: it has none. */
static uint64_t *reach(const struct build *b, size_t k)
{
    const struct parts *bases = &b->base;
    uint64_t *after = arena_alloc(b->mem, (bases->n + 1) * sizeof *after);

    for (size_t i = 0; i <= bases->n; i++)
        after[i] = UINT64_MAX;
    for (; k < b->layer.n; k++)
        for (size_t s = 0; s < b->layer.p[k].spans; s++) {
            const struct span *span = &b->layer.p[k].span[s];
            size_t at = parts_of(bases, span->first);

            for (; at < bases->n && bases->p[at].o.first_born <= span->last; at++)
                if (bases->p[at].as_of < b->layer.p[k].upto)
                    lower(&after[at], span->after);
            if (at == bases->n && (!at || bases->p[at - 1].o.last_born < span->last))
                lower(&after[at], span->after);
        }
    for (size_t i = 0; i < b->deltas; i++)
        if (is_open(b, &b->delta[i]))
            lower(&after[parts_of(bases, b->delta[i].born)], b->since);
    return after;
}

/* The recipe of the layers from k on and of what is new, as one. */
static void one_layer(const struct build *b, size_t k, struct part *out)
{
    const uint64_t *after = reach(b, k);
    size_t n = b->base.n;
    uint64_t end = n ? b->base.p[n - 1].o.last_born + 1 : 0;

    *out = (struct part){ .o = { .kind = WIRE_LAYER }, .as_of = b->seq, .upto = b->seq };
    out->span = arena_alloc(b->mem, (n + 1) * sizeof *out->span);
    for (size_t i = 0; i <= n; i++) {
        const struct part *p = i < n ? &b->base.p[i] : NULL;
        struct span s = { .first = p ? p->o.first_born : end,
                          .last = p ? p->o.last_born : b->items - 1,
                          .after = after[i] };

        if (s.after == UINT64_MAX)
            continue;
        if (p && s.after < p->as_of)
            s.after = p->as_of;
        out->span[out->spans++] = s;
    }
}

/* ---- whether that is enough ---- */

static enum rc live_bytes(struct work *w, struct live *l, const struct build *b, uint64_t *out)
{
    uint64_t end = b->base.n ? b->base.p[b->base.n - 1].o.last_born + 1 : 0;
    struct rows q;
    enum rc rc = db_one(w, SQL_sync_records_bytes, &q, "iii", l->no, (int64_t)end,
                        (int64_t)b->items - 1);

    *out = rc ? 0 : (uint64_t)rows_int(&q, 0);
    for (size_t i = 0; i < b->base.n; i++)
        *out += b->base.p[i].live;
    return rows_done(&q);
}

static enum rc too_large(struct work *w, struct live *l, const struct build *b, size_t k,
                         const struct entry *entry, size_t n, bool *is)
{
    uint64_t all = 0, live;
    enum rc rc = live_bytes(w, l, b, &live);

    for (size_t i = 0; i < b->base.n; i++)
        all += b->base.p[i].o.bytes;
    for (size_t i = 0; i < k; i++)
        all += b->layer.p[i].o.bytes;
    for (size_t i = 0; i < n; i++)
        all += entry[i].bytes;
    *is = all * 100 > live * TOTAL;
    return rc;
}

/* ---- pieces ---- */

static int by_seq(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int by_born(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->born < y->born ? -1 : x->born > y->born;
}

/* Of the whole layer's spans those that have records in the piece, as narrow as can be. */
static void narrow_spans(struct build *b, const struct part *whole, struct piece *out)
{
    struct part *p = &out->part;

    p->span = arena_alloc(b->mem, (whole->spans + 1) * sizeof *p->span);
    for (size_t i = 0; i < out->n; i++) {
        struct entry *e = &out->entry[i];
        struct span *s = p->spans ? &p->span[p->spans - 1] : NULL;

        if (!s || s->first != whole->span[e->span].first) {
            s = &p->span[p->spans++];
            *s = whole->span[e->span];
            s->after = e->seq - 1;
            s->bytes = 0;
        }
        lower(&s->after, e->seq - 1);
        s->bytes += e->bytes;
    }
}

/* The entries, ascending by seq, in runs of at most 4 MiB. */
static void cut(struct build *b, const struct part *whole, struct entry *entry, size_t n)
{
    size_t room = 1;
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += entry[i].bytes;
    room += (size_t)(bytes / (FULL_ENOUGH / 2));
    b->piece = arena_zalloc(b->mem, room * sizeof *b->piece);
    for (size_t i = 0, j; i < n; i = j) {
        struct piece *p = &b->piece[b->pieces++];

        bytes = WIRE_PACK_HEADER;
        for (j = i; j < n && (j == i || bytes + entry[j].bytes <= FULL); j++)
            bytes += entry[j].bytes;
        p->part = (struct part){ .o = { .kind = WIRE_LAYER },
                                 .as_of = whole->as_of,
                                 .upto = j < n ? entry[j - 1].seq : whole->upto };
        p->entry = entry + i;
        p->n = j - i;
        qsort(p->entry, p->n, sizeof *p->entry, by_born);
        narrow_spans(b, whole, p);
    }
}

enum rc plan_layers(struct work *w, struct live *l, struct build *b)
{
    struct part whole;
    struct entry *entry = NULL;
    size_t k, n = 0;
    bool large = false;
    enum rc rc;

    parts_sort(&b->base);
    drop_dead(b);
    k = first_merged(b);
    do {
        k = large ? 0 : k;
        one_layer(b, k, &whole);
        if ((rc = recipe_entries(w, l->no, &whole, &entry, &n)) ||
            (rc = too_large(w, l, b, k, entry, n, &large)))
            return rc;
        b->left |= large && b->urgent;
    } while (large && k && !b->urgent);
    b->changed |= n || k < b->layer.n;
    b->layer.n = k;
    if (n) {
        qsort(entry, n, sizeof *entry, by_seq);
        cut(b, &whole, entry, n);
    }
    return RC_OK;
}
