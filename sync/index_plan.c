/*
 * index_plan.c - the least that must be made again.
 *
 *     bases     | clean | full of changes | clean | small | small |   items behind the last base
 *     layers      #   #    # # ###   # #     #                        #################
 *     regions           ^^^^^^^^^^^^^^^^^         ^^^^^^^^^^^^^^^     (^^^^^^^^^^^^ if they fill one)
 *
 * A base is rewritten when it and what the layers hold of its items are together larger than
 * REWRITE times its items' newest records: the bytes before compression stand for those after
 * it, because reading them is free. Small neighbours are joined when that makes fewer objects,
 * unless there is a hurry. New items become bases when they fill an object, or, without a hurry,
 * together with the base before them when that is made again. Runs of neighbours are regions,
 * which index_build.c cuts into equal objects.
 *
 * What is clean but gone (it holds what was purged) or missing is made again by its recipe. So
 * a purge costs the objects that hold the text and nothing else, and phones far behind need not
 * fetch the base anew: its highest seq stays as it was.
 *
 * An index that cannot be built on - a line without a row, a gap - counts as none: then all is
 * made again.
 *
 * Not here: layers (index_layers.c).
 */
#include "sync/index_plan.h"

#include <stdlib.h>
#include <string.h>

#include "server/store/db.h"
#include "sync/live_state.h"
#include "sync/object.h"

enum {
    FULL = WIRE_PACK_MAX,
    SMALL = FULL / 2,
    HURRIED = SMALL * 7 / 8,                 /* objects made in a hurry are joined later */
    HURRY_BEHIND = WIRE_CATCHUP_MAX * 3 / 4, /* changes */
    REWRITE = 120, /* per cent; all objects together stay below 125 (index_layers.c) */
};

void parts_add(struct build *b, struct parts *to, const struct part *p)
{
    if (to->n == to->room) {
        struct part *old = to->p;

        to->room = to->room ? to->room * 2 : 64;
        to->p = arena_alloc(b->mem, to->room * sizeof *to->p);
        if (to->n)
            memcpy(to->p, old, to->n * sizeof *old);
    }
    to->p[to->n++] = *p;
}

static int by_born(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return x->o.first_born < y->o.first_born ? -1 : x->o.first_born > y->o.first_born;
}

void parts_sort(struct parts *bases)
{
    if (bases->n)
        qsort(bases->p, bases->n, sizeof *bases->p, by_born);
}

size_t parts_of(const struct parts *bases, uint64_t born)
{
    size_t low = 0, high = bases->n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (bases->p[mid].o.last_born < born)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* ---- the index before ---- */

struct old_index {
    uint64_t seq;
    struct parts base; /* ascending, without a gap from born 0 */
    struct parts layer;
    bool *dirty; /* bases that are rewritten */
};

/* One line and its row; false if nothing can be built on it. */
static enum rc old_line(struct work *w, struct live *l, struct build *b,
                        const struct wire_object *o, struct old_index *out, bool *ok)
{
    uint64_t next = out->base.n ? out->base.p[out->base.n - 1].o.last_born + 1 : 0;
    struct part p;
    enum rc rc = part_find(w, l->no, o->hash, &p);

    *ok = !rc && p.o.kind == o->kind &&
          (p.o.kind == WIRE_LAYER || (p.o.first_born == next && !out->layer.n));
    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    p.missing = !object_exists(w->mem, l->data, &p.o);
    parts_add(b, p.o.kind == WIRE_BASE ? &out->base : &out->layer, &p);
    return RC_OK;
}

static enum rc old_lines(struct work *w, struct live *l, struct build *b, const char *text,
                         size_t n, struct old_index *out, bool *ok)
{
    struct wire_lines lines;
    struct wire_object o;
    struct sync_err se;
    bool more = true;
    enum rc rc = RC_OK;

    *ok = !wire_index_begin(&se, text, n, &lines);
    out->seq = lines.seq;
    while (!rc && *ok) {
        *ok = !wire_index_next(&se, &lines, &o, &more);
        if (!*ok || !more)
            break;
        rc = old_line(w, l, b, &o, out, ok);
    }
    return rc;
}

/* The stored index, empty if there is none that can be built on. */
static enum rc old_read(struct work *w, struct live *l, struct build *b,
                        const struct stream_now *now, struct old_index *out)
{
    const char *text = NULL;
    struct rows q;
    size_t n = 0;
    bool ok = false;
    enum rc rc;

    *out = (struct old_index){ 0 };
    if (now->index_n != HASH_BYTES)
        return RC_OK;
    if ((rc = db_query(w, SQL_sync_object, &q, "b", now->index, now->index_n)))
        return rc;
    if (rows_next(&q))
        text = rows_dup_blob(w, &q, 0, &n);
    if ((rc = rows_done(&q)) || !text)
        return rc;
    rc = old_lines(w, l, b, text, n, out, &ok);
    if (!ok)
        *out = (struct old_index){ 0 };
    out->dirty = arena_zalloc(w->mem, out->base.n + 1);
    return rc;
}

/* ---- what changed ---- */

static uint64_t record_bytes(const struct rows *q, int length, int title)
{
    const char *t = rows_text(q, title);

    return WIRE_FRAME_FIXED + (t ? strlen(t) : 0) + (uint64_t)rows_int(q, length);
}

static enum rc read_deltas(struct work *w, struct live *l, struct build *b)
{
    size_t room = 0;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_object_changed, &q, "iii", l->no, (int64_t)b->since,
                       (int64_t)b->seq)))
        return rc;
    while (rows_next(&q)) {
        if (b->deltas == room) {
            struct delta *old = b->delta;

            room = room ? room * 2 : 256;
            b->delta = arena_alloc(b->mem, room * sizeof *b->delta);
            if (old)
                memcpy(b->delta, old, b->deltas * sizeof *old);
        }
        b->delta[b->deltas++] =
            (struct delta){ .born = (uint64_t)rows_int(&q, 0),
                            .bytes = record_bytes(&q, 2, 3),
                            .before = rows_null(&q, 4) ? 0 : record_bytes(&q, 4, 5) };
    }
    return rows_done(&q);
}

/* ---- what is rewritten ---- */

/* Brings the live bytes of bases up to S, and marks those that are too full of what changed. */
static void mark_dirty(const struct build *b, struct old_index *old)
{
    struct parts *bases = &old->base;
    uint64_t *share = arena_zalloc(b->mem, (bases->n + 1) * sizeof *share);

    for (size_t i = 0; i < old->layer.n; i++)
        for (size_t k = 0; k < old->layer.p[i].spans; k++) {
            const struct span *s = &old->layer.p[i].span[k];
            size_t at = parts_of(bases, s->first);

            if (at < bases->n && bases->p[at].as_of < old->layer.p[i].upto)
                share[at] += s->bytes;
        }
    for (size_t i = 0; i < b->deltas; i++) {
        size_t at = parts_of(bases, b->delta[i].born);

        if (at == bases->n)
            break; /* they ascend: the rest is behind the last base */
        share[at] += b->delta[i].bytes;
        bases->p[at].live += b->delta[i].bytes - b->delta[i].before;
        bases->p[at].fresh = true;
    }
    for (size_t i = 0; i < bases->n; i++)
        old->dirty[i] = (bases->p[i].o.bytes + share[i]) * 100 > bases->p[i].live * REWRITE;
}

static bool is_small(const struct part *p)
{
    return p->live < SMALL;
}

/* Whether the bases from..to-1, all small, would be fewer objects if they were joined. */
static bool worth_joining(const struct part *p, size_t n)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += p[i].live;
    return (bytes + FULL - 1) / FULL < n;
}

/* Marks runs of small neighbours that are better joined; tells whether there are any. */
static bool mark_small(const struct parts *bases, bool *dirty)
{
    bool any = false;

    for (size_t i = 0, j; i < bases->n; i = j + 1) {
        for (j = i; j < bases->n && (is_small(&bases->p[j]) || (dirty && dirty[j]));)
            j++;
        if (j - i < 2 || !worth_joining(bases->p + i, j - i))
            continue;
        any = true;
        if (dirty)
            memset(dirty + i, true, j - i);
    }
    return any;
}

static enum rc bytes_between(struct work *w, struct live *l, uint64_t first, uint64_t last,
                             uint64_t *out)
{
    struct rows q;
    enum rc rc =
        db_one(w, SQL_sync_records_bytes, &q, "iii", l->no, (int64_t)first, (int64_t)last);

    *out = rc ? 0 : (uint64_t)rows_int(&q, 0);
    return rows_done(&q);
}

/* Runs of dirty bases are regions, and become equal parts; the rest stays. */
static enum rc make_regions(struct work *w, struct live *l, struct build *b,
                            const struct old_index *old)
{
    uint64_t most = b->hurry ? HURRIED : FULL, end = 0, bytes;
    enum rc rc = RC_OK;

    b->region = arena_zalloc(b->mem, (old->base.n + 2) * sizeof *b->region);
    for (size_t i = 0, j; i < old->base.n && !rc; i = j) {
        const struct part *p = &old->base.p[i];
        struct region *r = &b->region[b->regions];

        end = p->o.last_born + 1;
        j = i + 1;
        if (!old->dirty[i]) {
            parts_add(b, p->gone || p->missing ? &b->again : &b->base, p);
            continue;
        }
        for (; j < old->base.n && old->dirty[j]; j++)
            end = old->base.p[j].o.last_born + 1;
        if (j == old->base.n && !b->hurry)
            end = b->items;
        rc = bytes_between(w, l, p->o.first_born, end - 1, &bytes);
        *r = (struct region){ .first = p->o.first_born, .last = end - 1 };
        r->target = bytes / ((bytes + most - 1) / most + !bytes);
        b->regions++;
    }
    if (rc || end == b->items || (rc = bytes_between(w, l, end, b->items - 1, &bytes)) ||
        bytes < most)
        return rc;
    b->left |= b->urgent;
    if (!b->urgent)
        b->region[b->regions++] = (struct region){ end, b->items - 1, most, true, bytes };
    return RC_OK;
}

/* ---- the plan ---- */

enum rc plan_stream(struct work *w, struct live *l, struct stream_now *out)
{
    struct rows q;
    const void *p;
    enum rc rc = db_one(w, SQL_sync_stream, &q, "t", l->name);

    *out = (struct stream_now){ 0 };
    if (!rc) {
        out->seq = (uint64_t)rows_int(&q, 2);
        out->born = (uint64_t)rows_int(&q, 3);
        out->index_seq = (uint64_t)rows_int(&q, 6);
        p = rows_blob(&q, 7, &out->index_n);
        if (p && out->index_n == HASH_BYTES)
            memcpy(out->index, p, HASH_BYTES);
    }
    return rows_done(&q);
}

bool plan_in_hurry(const struct stream_now *now)
{
    return now->seq - now->index_seq > HURRY_BEHIND;
}

static bool any_missing(const struct parts *parts)
{
    for (size_t i = 0; i < parts->n; i++)
        if (parts->p[i].missing)
            return true;
    return false;
}

/* In an urgent build nothing is rewritten for its size alone. */
static void put_off(struct build *b, struct old_index *old)
{
    for (size_t i = 0; i < old->base.n; i++)
        b->left |= old->dirty[i];
    memset(old->dirty, false, old->base.n);
}

enum rc plan_make(struct work *w, struct live *l, struct build *b)
{
    struct stream_now now;
    struct old_index old;
    enum rc rc;

    if ((rc = plan_stream(w, l, &now)) || (rc = old_read(w, l, b, &now, &old)))
        return rc;
    b->seq = now.seq;
    b->items = now.born;
    b->since = old.seq;
    b->hurry = plan_in_hurry(&now);
    b->urgent |= any_missing(&old.base) || any_missing(&old.layer); /* somebody waits for it */
    if ((rc = read_deltas(w, l, b)))
        return rc;
    if (old.base.n)
        mark_dirty(b, &old);
    if (old.base.n && b->urgent)
        put_off(b, &old);
    else if (!b->hurry)
        mark_small(&old.base, old.dirty);
    if ((rc = make_regions(w, l, b, &old)))
        return rc;
    for (size_t i = 0; i < old.layer.n; i++)
        parts_add(b, old.layer.p[i].gone || old.layer.p[i].missing ? &b->again : &b->layer,
                  &old.layer.p[i]);
    b->agains = b->again.n;
    b->changed = b->regions > 0;
    return RC_OK;
}

bool plan_untidy(const struct build *b)
{
    return b->left || mark_small(&b->base, NULL);
}
