/*
 * follow_plan.c - what a head asks for, and the catch-up.
 *
 *     texts    directory, ancestry, withheld list, if their hashes are new; cover and index, if they
 *              will be needed: all in one round trip
 *     near     at most 4,096 changes behind: one log, as .dz if the state it builds upon is held
 *              and caches are believed. What it asks for besides is found by a first look into it: the cover, if something below the
 *              horizon changed; single items in place of deltas that cannot be undone
 *     far      the objects that reach above our cursor and into our horizon, and a log from the
 *              index's seq
 */
#include "sync/follow_engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIRE_SLACK = 64 << 10 /* what an encoding may add */, LOG_MAX = 64 << 20 };

/* ---- parts ---- */

struct part *plan_add(struct engine *f, enum part_kind kind, const struct wire_url *url,
                      uint64_t wire_max, uint64_t raw_max)
{
    struct plan *plan = &f->plan;
    struct part *p;

    if (plan->n == plan->room) {
        plan->room = plan->room ? 2 * plan->room : 8;
        plan->parts = realloc(plan->parts, plan->room * sizeof *plan->parts);
        if (!plan->parts)
            abort();
    }
    p = &plan->parts[plan->n++];
    *p = (struct part){ .kind = kind, .url = *url, .wire_max = wire_max, .raw_max = raw_max };
    snprintf(p->url.stream, sizeof p->url.stream, "%s", f->options->stream);
    wire_url_print(&p->url, p->path);
    return p;
}

const struct part *plan_find(const struct engine *f, enum part_kind kind)
{
    for (size_t i = 0; i < f->plan.n; i++)
        if (f->plan.parts[i].kind == kind)
            return &f->plan.parts[i];
    return NULL;
}

void plan_text(struct engine *f, enum part_kind kind, const uint8_t hash[WIRE_HASH])
{
    struct wire_url url = { .kind = WIRE_URL_OBJECT, .encoding = f->options->encoding };

    memcpy(url.hash, hash, WIRE_HASH);
    plan_add(f, kind, &url, FOLLOW_TEXT_MAX + WIRE_SLACK, FOLLOW_TEXT_MAX);
}

void plan_cover(struct engine *f)
{
    struct wire_url url = { .kind = WIRE_URL_COVER,
                            .epoch = f->head.epoch,
                            .seq = f->head.seq };

    if (!f->cover_text.at && !plan_find(f, PART_COVER))
        plan_add(f, PART_COVER, &url, WIRE_COVER_MAX, WIRE_COVER_MAX);
}

void plan_log(struct engine *f, uint64_t cursor, enum wire_encoding encoding)
{
    struct wire_url url = { .kind = WIRE_URL_LOG,
                            .epoch = f->head.epoch,
                            .cut = f->head.cut,
                            .from = wire_catchup_from(cursor, f->head.seq),
                            .to = f->head.seq,
                            .encoding = encoding };
    uint64_t raw = LOG_MAX + WIRE_PACK_HEADER + (url.to - url.from) * WIRE_FRAME_MAX;

    if (cursor < f->head.seq)
        plan_add(f, PART_LOG, &url, raw + WIRE_SLACK, raw);
}

void plan_item(struct engine *f, uint64_t born, uint64_t seq, const uint8_t *leaf)
{
    struct wire_url url = { .kind = WIRE_URL_ITEM,
                            .epoch = f->head.epoch,
                            .born = born,
                            .seq = seq,
                            .encoding = f->options->encoding };
    uint64_t raw = WIRE_PACK_HEADER + WIRE_RECORD_MAX;
    struct part *p = plan_add(f, PART_ITEM, &url, raw + WIRE_SLACK, raw);

    if (leaf) {
        p->has_leaf = true;
        memcpy(p->leaf, leaf, WIRE_HASH);
    }
}

static enum sync_rc plan_object(struct sync_err *e, struct engine *f,
                                const struct wire_object *o)
{
    const uint64_t sizes[] = {
        [WIRE_IDENTITY] = o->bytes, [WIRE_GZIP] = o->gzip_bytes, [WIRE_ZSTD] = o->zstd_bytes
    };
    struct wire_url url = { .kind = WIRE_URL_OBJECT, .encoding = f->options->encoding };
    uint64_t size = sizes[url.encoding];

    if (o->bytes > WIRE_PACK_MAX && o->bytes > WIRE_PACK_HEADER + WIRE_RECORD_MAX)
        return sync_err_set(e, SYNC_INVALID, "index: an object of %" PRIu64 " bytes", o->bytes);
    if (size > o->bytes + WIRE_SLACK)
        return sync_err_set(e, SYNC_INVALID, "index: %" PRIu64 " bytes encoded as %" PRIu64,
                            o->bytes, size);
    memcpy(url.hash, o->hash, WIRE_HASH);
    plan_add(f, PART_OBJECT, &url, size, o->bytes);
    f->progress.bytes_expected += size;
    return SYNC_OK;
}

enum sync_rc plan_objects(struct sync_err *e, struct engine *f, uint64_t first, uint64_t end)
{
    struct wire_object o;
    struct wire_lines w;
    bool more;
    enum sync_rc rc;

    if ((rc = wire_index_begin(e, f->index.at, f->index.n, &w)))
        return rc;
    while (!(rc = wire_index_next(e, &w, &o, &more)) && more)
        if (o.highest_seq > f->cursor && o.last_born >= first && o.first_born < end &&
            (rc = plan_object(e, f, &o)))
            return rc;
    return rc;
}

enum sync_rc plan_keep(struct sync_err *e, struct engine *f)
{
    const char **paths = engine_alloc((f->plan.n + 1) * sizeof *paths);
    enum sync_rc rc;

    for (size_t i = 0; i < f->plan.n; i++)
        paths[i] = f->plan.parts[i].path;
    rc = f->store->parts.keep(f->store->parts.ctx, e, paths, f->plan.n);
    free(paths);
    return rc;
}

/* ---- texts ---- */

static bool is_new(const struct engine *f, const uint8_t *held, const uint8_t *next)
{
    return f->held.epoch == 0 || f->must_repair || memcmp(held, next, WIRE_HASH) != 0;
}

void plan_texts(struct engine *f)
{
    const uint8_t *before = ask_withheld(f, &f->listed);
    const uint8_t *now = f->has_list ? ask_withheld(f, &f->heads) : NULL;

    if (is_new(f, f->held.ancestry, f->head.ancestry))
        plan_text(f, PART_ANCESTRY, f->head.ancestry);
    if (is_new(f, f->held.directory, f->head.directory))
        plan_text(f, PART_DIRECTORY, f->head.directory);
    if (now && (!before || memcmp(before, now, WIRE_HASH) != 0))
        plan_text(f, PART_WITHHELD, now);
}

static enum sync_rc withheld_check(struct sync_err *e, const struct text *t)
{
    uint8_t id[WIRE_ID];
    struct wire_lines w;
    bool more = true;
    enum sync_rc rc;

    if (!t->at)
        return SYNC_OK;
    rc = wire_withheld_begin(e, t->at, t->n, &w);
    while (!rc && more)
        rc = wire_withheld_next(e, &w, id, &more);
    return rc;
}

static enum sync_rc ancestry_check(struct sync_err *e, const struct engine *f)
{
    bool ignored;

    return f->ancestry.at
               ? wire_ancestry_allows(e, f->ancestry.at, f->ancestry.n, f->head.epoch,
                                      (struct wire_cursor){ f->head.epoch, 0 }, &ignored)
               : SYNC_OK;
}

static enum sync_rc directory_check(struct sync_err *e, const struct text *t)
{
    if (t->at && !wire_is_canonical(t->at, t->n))
        return sync_err_set(e, SYNC_INVALID, "directory: not an object of canonical JSON");
    return SYNC_OK;
}

enum sync_rc plan_take_texts(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    if ((rc = fetch_parts(e, f)) || (rc = part_text(e, f, PART_ANCESTRY, &f->ancestry)) ||
        (rc = part_text(e, f, PART_DIRECTORY, &f->directory)) ||
        (rc = part_text(e, f, PART_WITHHELD, &f->withheld)) ||
        (rc = directory_check(e, &f->directory)) || (rc = withheld_check(e, &f->withheld)))
        return rc;
    return ancestry_check(e, f);
}

enum sync_rc plan_take_cover(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    if (f->cover_text.at)
        return SYNC_OK;
    plan_cover(f);
    if ((rc = fetch_parts(e, f)) || (rc = part_text(e, f, PART_COVER, &f->cover_text)))
        return rc;
    if (!(rc = wire_cover_parse(e, (const uint8_t *)f->cover_text.at, f->cover_text.n,
                                &f->cover)))
        rc = verify_cover(e, &f->cover, &f->head);
    if (rc) {
        free(f->cover_text.at);
        f->cover_text = (struct text){ 0 };
    }
    return rc;
}

/* Many changes came at once and their objects are still being made. */
static enum sync_rc index_awaited(struct sync_err *e, struct engine *f)
{
    f->out->wait = f->head.poll;
    return sync_err_set(e, SYNC_BUSY, "the server has no index yet that reaches seq %" PRIu64,
                        f->head.seq);
}

enum sync_rc plan_take_index(struct sync_err *e, struct engine *f)
{
    struct wire_lines w;
    enum sync_rc rc;

    if (!f->head.has_index)
        return index_awaited(e, f);
    if (!f->index.at && !plan_find(f, PART_INDEX))
        plan_text(f, PART_INDEX, f->head.index);
    if ((rc = fetch_parts(e, f)) || (rc = part_text(e, f, PART_INDEX, &f->index)) ||
        (rc = wire_index_begin(e, f->index.at, f->index.n, &w)))
        return rc;
    if (w.seq > f->head.seq)
        return sync_err_set(e, SYNC_INVALID,
                            "index: of seq %" PRIu64 " under a head of %" PRIu64, w.seq,
                            f->head.seq);
    if (f->head.seq - w.seq > WIRE_CATCHUP_MAX)
        return index_awaited(e, f);
    f->index_seq = w.seq;
    return SYNC_OK;
}

enum sync_rc plan_epoch(struct sync_err *e, struct engine *f, bool *allowed)
{
    struct wire_cursor held = { f->held.epoch, f->held.seq };
    enum sync_rc rc;

    if (!f->ancestry.at)
        return sync_err_set(e, SYNC_INVALID, "head: a new epoch with the old ancestry");
    if ((rc = wire_ancestry_allows(e, f->ancestry.at, f->ancestry.n, f->head.epoch, held,
                                   allowed)))
        return rc;
    *allowed = *allowed && held.seq <= f->head.seq && f->held.size <= f->head.size;
    return SYNC_OK;
}

/* ---- near ---- */

static void drop_log(struct engine *f)
{
    for (size_t i = 0; i < f->plan.n; i++)
        if (f->plan.parts[i].kind == PART_LOG)
            f->plan.parts[i--] = f->plan.parts[--f->plan.n];
}

/* The horizon whose roots the cover gives us: ours, or the next one if the log has outgrown it. */
static enum sync_rc below_from_cover(struct sync_err *e, struct engine *f, uint64_t horizon)
{
    const uint64_t top = 1u << WIRE_COVER_TOP;
    enum sync_rc rc = plan_take_cover(e, f);

    if (rc)
        return rc;
    if (!wire_horizon_ok(f->head.size, horizon))
        horizon = (horizon + top - 1) / top * top;
    return merkle_below_from_cover(e, &f->cover, horizon, &f->next);
}

static enum sync_rc supply(struct sync_err *e, struct engine *f, const struct scan *scan)
{
    if (scan->n > SCAN_MISSING) {
        drop_log(f);
        plan_log(f, f->cursor, f->options->encoding);
    } else {
        for (size_t i = 0; i < scan->n; i++)
            plan_item(f, scan->missing[i].born, scan->missing[i].seq, NULL);
    }
    if (scan->below)
        plan_cover(f);
    return fetch_parts(e, f);
}

static enum sync_rc near(struct sync_err *e, struct engine *f)
{
    bool dz = f->options->encoding == WIRE_ZSTD && !f->options->plain && f->held.epoch &&
              !f->past_caches;
    struct truth missing[SCAN_MISSING];
    struct scan scan = { .missing = missing };
    const struct part *log;
    enum sync_rc rc;

    plan_log(f, f->cursor, dz ? WIRE_DZ : f->options->encoding);
    if ((rc = plan_keep(e, f)) || (rc = plan_take_texts(e, f)) ||
        !(log = plan_find(f, PART_LOG)))
        return rc;
    if (dz || f->below.horizon > 0) {
        if ((rc = part_scan(e, f, log, &scan)) || (rc = supply(e, f, &scan)))
            return rc;
    }
    return scan.below ? below_from_cover(e, f, f->below.horizon) : SYNC_OK;
}

/* ---- far ---- */

static enum sync_rc far(struct sync_err *e, struct engine *f)
{
    uint64_t horizon = f->below.horizon, wanted = engine_wanted(f);
    enum sync_rc rc;

    if ((rc = plan_take_index(e, f)))
        return rc;
    if (horizon < wanted && f->held.epoch)
        horizon = wanted; /* what is given up soon is not fetched before */
    if (horizon > 0 && (rc = below_from_cover(e, f, horizon)))
        return rc;
    if ((rc = plan_objects(e, f, f->next.horizon, UINT64_MAX)))
        return rc;
    plan_log(f, f->index_seq > f->cursor ? f->index_seq : f->cursor, f->options->encoding);
    if ((rc = plan_keep(e, f)))
        return rc;
    return plan_take_texts(e, f);
}

/* ---- either ---- */

enum sync_rc plan_catch_up(struct sync_err *e, struct engine *f)
{
    bool first = f->held.epoch == 0;

    f->mode = first ? FIRST : CATCH_UP;
    f->cursor = f->held.seq;
    f->next.horizon = f->next.n = 0;
    if (first && widen_in_steps(f))
        return widen_first(e, f);
    if (!first) {
        f->next.horizon = f->below.horizon;
        f->next.n = f->below.n;
        memcpy(f->next.roots, f->below.roots, f->below.n * WIRE_HASH);
    }
    if (f->head.seq - f->cursor <= WIRE_CATCHUP_MAX && !f->by_objects)
        return near(e, f);
    if (f->head.has_index)
        plan_text(f, PART_INDEX, f->head.index);
    if (f->below.horizon > 0 || engine_wanted(f) > f->below.horizon)
        plan_cover(f);
    return far(e, f);
}
