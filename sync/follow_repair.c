/*
 * follow_repair.c - what is held, compared with the signed tree; only what differs travels
 * (docs/protocol/sync.md section 12).
 *
 *     cover -> roots of our own leaves, computed anew -> tiles where they differ -> leaves that differ
 *           -> alone, or by the object or the catch-up where that is cheaper -> one transaction (REPAIR)
 *
 * Our leaves take 32 bytes an item while this runs. Nothing that the server says here is believed
 * for itself: each piece is covered by the one above, and the first by the signed root. Only the seq of a leaf is
 * not; it serves to ask for the item.
 */
#include "sync/follow_engine.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALONE_COST = 500, /* bytes of a request and an answer besides the record */
    FEW = 16,
    FEW_TILES = 3, /* so many are fetched alone, whatever the index says */
};

/* ---- our own leaves ---- */

struct own {
    uint64_t first, size;
    uint8_t (*leaf)[WIRE_HASH]; /* of first ... size - 1; zeros where nothing is held */
};

static enum sync_rc own_leaf(void *ctx, struct sync_err *e, const struct follow_item *it)
{
    struct own *o = ctx;

    (void)e;
    if (it->born >= o->first && it->born < o->size)
        memcpy(o->leaf[it->born - o->first], it->leaf, WIRE_HASH);
    return SYNC_OK;
}

static void own_node(const struct own *o, unsigned height, uint64_t index,
                     uint8_t out[WIRE_HASH])
{
    uint64_t at = (index << height) - o->first;
    struct merkle_stack s = { 0 };

    for (uint64_t i = 0; i < (uint64_t)1 << height; i++)
        merkle_stack_add(&s, o->leaf[at + i]);
    merkle_stack_root(&s, out);
}

/* ---- where they differ ---- */

struct node {
    unsigned height;
    uint64_t index;
    uint8_t hash[WIRE_HASH];
};

/* Nodes that differ, a list for each height of which there are pieces; ascending. */
struct level {
    struct node *at;
    size_t n, room;
};

/* Items that come as objects. */
struct range {
    uint64_t first, last;
};

struct compare {
    struct engine *f;
    struct own own;
    struct level top, mid, low;
    size_t wrong_room;
    uint64_t log; /* what changed after this seq comes as one catch-up */
    struct range *range;
    size_t nranges, range_room;
};

static struct level *level_of(struct compare *c, unsigned height)
{
    return height == WIRE_COVER_TOP ? &c->top : height == WIRE_COVER_MID ? &c->mid : &c->low;
}

static void compare_node(struct compare *c, unsigned height, uint64_t index,
                         const uint8_t hash[WIRE_HASH])
{
    struct level *l = level_of(c, height);
    uint8_t own[WIRE_HASH];

    if (index << height < c->own.first)
        return;
    own_node(&c->own, height, index, own);
    if (memcmp(own, hash, WIRE_HASH) == 0)
        return;
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 16;
        l->at = realloc(l->at, l->room * sizeof *l->at);
        if (!l->at)
            abort();
    }
    l->at[l->n] = (struct node){ .height = height, .index = index };
    memcpy(l->at[l->n++].hash, hash, WIRE_HASH);
}

static struct truth *add_wrong(struct compare *c, uint64_t born)
{
    struct engine *f = c->f;

    if (f->nwrong == c->wrong_room) {
        c->wrong_room = c->wrong_room ? 2 * c->wrong_room : 64;
        f->wrong = realloc(f->wrong, c->wrong_room * sizeof *f->wrong);
        if (!f->wrong)
            abort();
    }
    f->wrong[f->nwrong] = (struct truth){ .born = born };
    return &f->wrong[f->nwrong++];
}

static void compare_leaf(struct compare *c, uint64_t born, const uint8_t row[WIRE_LEAF_ROW])
{
    struct truth *t;

    if (memcmp(c->own.leaf[born - c->own.first], row + 8, WIRE_HASH) == 0)
        return;
    t = add_wrong(c, born);
    for (size_t i = 0; i < 8; i++)
        t->seq = t->seq << 8 | row[i];
    memcpy(t->leaf, row + 8, WIRE_HASH);
}

/* The cover's pieces, but for its last leaves. */
static void compare_cover(struct compare *c)
{
    const struct wire_cover *v = &c->f->cover;
    uint64_t mid = v->first >> WIRE_COVER_MID;
    uint64_t low = v->size >> WIRE_COVER_MID << (WIRE_COVER_MID - WIRE_COVER_LOW);

    for (size_t i = 0; i < v->tops; i++)
        compare_node(c, WIRE_COVER_TOP, i, v->top + i * WIRE_HASH);
    for (size_t i = 0; i < v->mids; i++)
        compare_node(c, WIRE_COVER_MID, mid + i, v->mid + i * WIRE_HASH);
    for (size_t i = 0; i < v->lows; i++)
        compare_node(c, WIRE_COVER_LOW, low + i, v->low + i * WIRE_HASH);
}

static void compare_last(struct compare *c)
{
    const struct wire_cover *v = &c->f->cover;

    for (size_t i = 0; i < v->lasts; i++)
        if (v->size - v->lasts + i >= c->own.first)
            compare_leaf(c, v->size - v->lasts + i, v->last + i * WIRE_LEAF_ROW);
}

static void compare_tile(struct compare *c, const struct tile *t)
{
    unsigned child;
    size_t bytes, children = wire_tile_shape(t->height, &child, &bytes);

    for (size_t i = 0; i < children; i++) {
        const uint8_t *row = t->at + i * bytes;
        uint64_t index = t->index * children + i;

        if (child == 0)
            compare_leaf(c, index, row);
        else
            compare_node(c, child, index, row);
    }
}

static int by_index(const void *a, const void *b)
{
    const struct node *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

/* Fetches the tiles of the nodes that differ and compares their children. */
static enum sync_rc compare_below(struct sync_err *e, struct compare *c, struct level *l)
{
    struct tile *tiles = engine_alloc(FETCH_BATCH * sizeof *tiles);
    enum sync_rc rc = SYNC_OK;

    if (l->n > 1)
        qsort(l->at, l->n, sizeof *l->at, by_index);
    for (size_t at = 0; at < l->n && !rc; at += FETCH_BATCH) {
        size_t n = l->n - at < FETCH_BATCH ? l->n - at : FETCH_BATCH;

        for (size_t i = 0; i < n; i++) {
            tiles[i].height = l->at[at + i].height;
            tiles[i].index = l->at[at + i].index;
            memcpy(tiles[i].hash, l->at[at + i].hash, WIRE_HASH);
        }
        if ((rc = prove_tiles(e, c->f, tiles, n)))
            break;
        for (size_t i = 0; i < n; i++)
            compare_tile(c, &tiles[i]);
    }
    free(tiles);
    return rc;
}

/* ---- how to fetch them ---- */

static bool in_range(const struct compare *c, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < c->nranges; i++)
        if (first >= c->range[i].first && last <= c->range[i].last)
            return true;
    return false;
}

static void add_range(struct compare *c, uint64_t first, uint64_t last)
{
    if (in_range(c, first, last))
        return;
    if (c->nranges == c->range_room) {
        c->range_room = c->range_room ? 2 * c->range_room : 16;
        c->range = realloc(c->range, c->range_room * sizeof *c->range);
        if (!c->range)
            abort();
    }
    c->range[c->nranges++] = (struct range){ first, last };
}

/* What the items of a base cost if they do not come with it. */
typedef uint64_t cost_fn(const struct compare *c, const struct wire_object *o, uint64_t each);

static uint64_t cost_of_tiles(const struct compare *c, const struct wire_object *o,
                              uint64_t each)
{
    uint64_t n = 0;

    for (size_t i = 0; i < c->low.n; i++)
        n += c->low.at[i].index << WIRE_COVER_LOW >= o->first_born &&
             ((c->low.at[i].index + 1) << WIRE_COVER_LOW) - 1 <= o->last_born;
    return n * (WIRE_TILE_MAX + ALONE_COST + each);
}

static uint64_t cost_of_items(const struct compare *c, const struct wire_object *o,
                              uint64_t each)
{
    uint64_t n = 0;

    for (size_t i = 0; i < c->f->nwrong; i++)
        n += c->f->wrong[i].born >= o->first_born && c->f->wrong[i].born <= o->last_born &&
             c->f->wrong[i].seq <= c->log;
    return n * each;
}

/* The bases that come cheaper as objects. */
static enum sync_rc choose(struct sync_err *e, struct compare *c, cost_fn *cost)
{
    struct engine *f = c->f;
    const bool zstd = f->options->encoding == WIRE_ZSTD;
    struct wire_object o;
    struct wire_lines w;
    bool more;
    enum sync_rc rc;

    if (!f->head.has_index)
        return SYNC_OK;
    rc = plan_take_index(e, f);
    if (rc == SYNC_BUSY) /* the index is too far behind to be of use */
        return SYNC_OK;
    if (!rc)
        rc = wire_index_begin(e, f->index.at, f->index.n, &w);
    while (!rc && !(rc = wire_index_next(e, &w, &o, &more)) && more) {
        uint64_t each = o.bytes / (o.last_born - o.first_born + 1) / (zstd ? 2 : 1);

        if (o.kind == WIRE_BASE &&
            cost(c, &o, each + ALONE_COST) > (zstd ? o.zstd_bytes : o.bytes))
            add_range(c, o.first_born, o.last_born);
    }
    return rc;
}

/* The leaves of tiles that differ; those that come by the object need not be looked at. */
static enum sync_rc compare_low(struct sync_err *e, struct compare *c)
{
    size_t n = 0;
    enum sync_rc rc;

    if (c->low.n > FEW_TILES && (rc = choose(e, c, cost_of_tiles)))
        return rc;
    for (size_t i = 0; i < c->low.n; i++) {
        uint64_t first = c->low.at[i].index << WIRE_COVER_LOW, last = first + MERKLE_TILE - 1;

        if (!in_range(c, first, last))
            c->low.at[n++] = c->low.at[i];
        else
            for (uint64_t born = first; born <= last; born++)
                add_wrong(c, born);
    }
    c->low.n = n;
    return compare_below(e, c, &c->low);
}

static bool is_planned(const struct engine *f, const struct part *p)
{
    for (size_t i = 0; i < f->plan.n; i++)
        if (&f->plan.parts[i] != p && strcmp(f->plan.parts[i].path, p->path) == 0)
            return true;
    return false;
}

static int by_born(const void *a, const void *b)
{
    const struct truth *x = a, *y = b;

    return x->born < y->born ? -1 : x->born > y->born;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x > y ? -1 : x < y;
}

/*
 * The seq from which one catch-up brings more of what is wrong than of what is right; the head's
 * own if there is none. After a restore that is all the new history has written.
 */
static uint64_t log_pays_from(const struct engine *f)
{
    uint64_t *seq = engine_alloc((f->nwrong + 1) * sizeof *seq), from = f->head.seq;

    for (size_t i = 0; i < f->nwrong; i++)
        seq[i] = f->wrong[i].seq;
    if (f->nwrong > 1)
        qsort(seq, f->nwrong, sizeof *seq, newest_first);
    for (size_t i = 0; i < f->nwrong && seq[i] > 0 && seq[i] <= f->head.seq; i++) {
        uint64_t changes = f->head.seq - seq[i] + 1;

        if (changes <= WIRE_CATCHUP_MAX && changes <= 2 * (i + 1))
            from = seq[i] - 1;
    }
    free(seq);
    return from;
}

static enum sync_rc plan_wrong(struct sync_err *e, struct compare *c)
{
    struct engine *f = c->f;
    enum sync_rc rc = SYNC_OK;

    f->cursor = 0;
    if (f->nwrong > 1)
        qsort(f->wrong, f->nwrong, sizeof *f->wrong, by_born);
    c->log = log_pays_from(f);
    if (f->nwrong > FEW && (rc = choose(e, c, cost_of_items)))
        return rc;
    for (size_t i = 0; i < c->nranges && !rc; i++) {
        size_t before = f->plan.n;

        rc = plan_objects(e, f, c->range[i].first, c->range[i].last + 1);
        for (size_t k = before; k < f->plan.n; k++) /* a layer may reach into several */
            if (is_planned(f, &f->plan.parts[k]))
                f->plan.parts[k--] = f->plan.parts[--f->plan.n];
    }
    if (rc)
        return rc;
    if (c->nranges > 0 && f->index_seq < c->log)
        c->log = f->index_seq;
    plan_log(f, c->log, f->options->encoding);
    for (size_t i = 0; i < f->nwrong; i++)
        if (!in_range(c, f->wrong[i].born, f->wrong[i].born) && f->wrong[i].seq <= c->log)
            plan_item(f, f->wrong[i].born, f->wrong[i].seq, f->wrong[i].leaf);
    return rc;
}

/* ---- all of it ---- */

/* Ours, as far as the signed tree allows it; what is given up soon is not repaired before. */
static uint64_t horizon_of(const struct engine *f)
{
    const uint64_t top = 1u << WIRE_COVER_TOP;
    uint64_t h = f->below.horizon, wanted = engine_wanted(f);

    if (h < wanted)
        return wanted;
    if (wire_horizon_ok(f->head.size, h))
        return h;
    return h > f->head.size ? wire_horizon_below(f->head.size, h) : (h + top - 1) / top * top;
}

static enum sync_rc find_wrong(struct sync_err *e, struct compare *c)
{
    enum sync_rc rc;

    compare_cover(c);
    if ((rc = compare_below(e, c, &c->top)) || (rc = compare_below(e, c, &c->mid)))
        return rc;
    if ((rc = compare_low(e, c)))
        return rc;
    compare_last(c);
    return SYNC_OK;
}

/* Our leaves against the signed ones, and what is planned for those that differ. */
static enum sync_rc survey(struct sync_err *e, struct engine *f)
{
    struct compare c = { .f = f, .own = { .first = f->next.horizon, .size = f->head.size } };
    size_t n = (size_t)(c.own.size - c.own.first) * WIRE_HASH;
    enum sync_rc rc;

    c.own.leaf = engine_alloc(n);
    memset(c.own.leaf, 0, n);
    free(f->wrong);
    f->wrong = NULL;
    f->nwrong = 0;
    if (!(rc = f->store->each(f->store->ctx, e, own_leaf, &c.own)) && !(rc = find_wrong(e, &c)))
        rc = plan_wrong(e, &c);
    free(c.own.leaf);
    free(c.top.at);
    free(c.mid.at);
    free(c.low.at);
    free(c.range);
    return rc;
}

enum sync_rc repair(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    f->mode = REPAIR;
    plan_cover(f);
    if ((rc = plan_take_texts(e, f)) || (rc = plan_take_cover(e, f)) ||
        (rc = merkle_below_from_cover(e, &f->cover, horizon_of(f), &f->next)) ||
        (rc = survey(e, f)) || (rc = plan_keep(e, f)) || (rc = fetch_parts(e, f)))
        return rc;
    return apply_plan(e, f);
}
