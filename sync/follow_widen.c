/*
 * follow_widen.c - a horizon that comes down step by step, newest first.
 *
 *     born   0                        wanted                  here           size
 *            |  roots, from the cover   |  the next steps ->    |  is held     |
 *
 * Each step takes one base of the index or some more (so that a first sync of many objects is not one round
 * trip each), all objects and changes that reach into the new range, and is one transaction under
 * the signed root. What was fetched for a step that reaches into the next one as well stays.
 */
#include "sync/follow_engine.h"

#include <stdlib.h>
#include <string.h>

enum { STRIDE_MAX = 8 /* bases a step: at most 32 MiB of records */, MIN_SIZE = 1 << 10 };

uint64_t engine_wanted(const struct engine *f)
{
    uint64_t most = f->options->horizon;

    if (most == 0 || most >= f->head.size)
        return 0;
    return wire_horizon_below(f->head.size, f->head.size - most);
}

bool widen_in_steps(const struct engine *f)
{
    return (f->options->in_steps || f->options->horizon) && f->head.has_index &&
           f->head.size > MIN_SIZE;
}

/* ---- where the next step ends ---- */

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* The first borns of the bases that begin below `end`, descending; freed by the caller. */
static enum sync_rc bases(struct sync_err *e, const struct engine *f, uint64_t end,
                          uint64_t **out, size_t *n)
{
    size_t room = 64;
    struct wire_object o;
    struct wire_lines w;
    bool more;
    enum sync_rc rc;

    *n = 0;
    *out = engine_alloc(room * sizeof **out);
    rc = wire_index_begin(e, f->index.at, f->index.n, &w);
    while (!rc && !(rc = wire_index_next(e, &w, &o, &more)) && more) {
        if (o.kind != WIRE_BASE || o.first_born >= end)
            continue;
        if (*n == room && !(*out = realloc(*out, (room *= 2) * sizeof **out)))
            abort();
        (*out)[(*n)++] = o.first_born;
    }
    qsort(*out, *n, sizeof **out, descending);
    return rc;
}

/* Down from `end`, `stride` bases or as many as reach an allowed horizon. */
static enum sync_rc next_horizon(struct sync_err *e, const struct engine *f, uint64_t end,
                                 unsigned stride, uint64_t *out)
{
    uint64_t wanted = engine_wanted(f), *first;
    size_t n;
    enum sync_rc rc = bases(e, f, end, &first, &n);

    *out = wanted;
    for (size_t i = stride - 1; i < n && !rc; i++) {
        uint64_t h = wire_horizon_above(f->head.size, first[i]);

        if (first[i] > 0 && h > wanted && h < end) {
            *out = h;
            break;
        }
    }
    free(first);
    return rc;
}

/* ---- a step ---- */

/* Everything of the items from f->next.horizon up to `end`, and the log. */
static enum sync_rc fetch_range(struct sync_err *e, struct engine *f, uint64_t end)
{
    enum sync_rc rc;

    f->cursor = 0;
    if ((rc = plan_objects(e, f, f->next.horizon, end)))
        return rc;
    plan_log(f, f->index_seq, f->options->encoding);
    if ((rc = plan_keep(e, f)))
        return rc;
    return fetch_parts(e, f);
}

enum sync_rc widen_first(struct sync_err *e, struct engine *f)
{
    uint64_t horizon;
    enum sync_rc rc;

    plan_cover(f);
    plan_text(f, PART_INDEX, f->head.index);
    if ((rc = plan_take_texts(e, f)) || (rc = plan_take_cover(e, f)) ||
        (rc = plan_take_index(e, f)) || (rc = next_horizon(e, f, UINT64_MAX, 1, &horizon)) ||
        (rc = merkle_below_from_cover(e, &f->cover, horizon, &f->next)))
        return rc;
    return fetch_range(e, f, UINT64_MAX);
}

static enum sync_rc one_step(struct sync_err *e, struct engine *f, unsigned stride)
{
    uint64_t end = f->below.horizon, horizon;
    enum sync_rc rc;

    f->mode = WIDEN;
    if ((rc = next_horizon(e, f, end, stride, &horizon)))
        return rc;
    if (horizon == 0)
        f->next.horizon = f->next.n = 0;
    else if ((rc = merkle_below_from_cover(e, &f->cover, horizon, &f->next)))
        return rc;
    f->plan.n = 0;
    if ((rc = fetch_range(e, f, end)))
        return rc;
    return apply_plan(e, f);
}

enum sync_rc widen_on(struct sync_err *e, struct engine *f)
{
    bool steps = f->options->in_steps || f->options->horizon;
    enum sync_rc rc;

    if (f->below.horizon < engine_wanted(f))
        return apply_narrow(e, f);
    if (f->below.horizon == engine_wanted(f))
        return SYNC_OK;
    f->plan.n = 0;
    plan_cover(f);
    if ((rc = plan_take_index(e, f)) || (rc = plan_take_cover(e, f)))
        return rc;
    for (unsigned stride = 1; f->below.horizon > engine_wanted(f);
         stride = stride < STRIDE_MAX ? 2 * stride : STRIDE_MAX)
        if ((rc = one_step(e, f, steps ? stride : 1u << 30)))
            return rc;
    return SYNC_OK;
}
