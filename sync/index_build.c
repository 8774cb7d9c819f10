/*
 * index_build.c - one object at a time.
 *
 * A region is cut into objects of at most 4 MiB, on multiples of 64 where they can, because a
 * tile of the tree is that wide. What is gone or missing is made by its recipe; a piece of a layer from the
 * entries that the plan found.
 *
 * A record that was purged since the plan is passed over: its item has a newer one behind S.
 */
#include "sync/index_build.h"

#include <inttypes.h>
#include <string.h>

#include "server/store/db.h"
#include "sync/live_state.h"
#include "sync/object.h"
#include "sync/pack.h"

static int level_of(const struct build *b)
{
    return b->hurry ? PACK_HURRY : b->urgent ? PACK_WAIT : PACK_BEST;
}

/* Writes what was packed; `p` has kind and recipe. The builder's own fields follow the pack. */
static enum rc write_part(struct work *w, struct live *l, struct build *b, struct pack *pack,
                          struct part *p)
{
    uint8_t before[HASH_BYTES];
    uint64_t size = p->o.gzip_bytes + p->o.zstd_bytes;
    enum rc rc;

    memcpy(before, p->o.hash, sizeof before);
    pack_end(pack);
    p->o.lowest_seq = pack->records ? pack->lowest_seq : p->as_of + !p->as_of;
    p->o.highest_seq = pack->records ? pack->highest_seq : p->o.lowest_seq;
    if (p->o.kind == WIRE_LAYER)
        p->o.first_born = pack->first_born, p->o.last_born = pack->last_born;
    rc = object_write(w, l->data, l->no, pack->body.p, pack->body.n, b->yield, p);
    p->o.bytes = pack->body.n;
    p->gone = p->missing = false;
    p->fresh = p->built = true;
    b->changed |=
        memcmp(before, p->o.hash, sizeof before) || size != p->o.gzip_bytes + p->o.zstd_bytes;
    return rc;
}

/* Where a pack may be cut back to. */
struct mark {
    struct pack pack;
    uint64_t last;
};

static void cut_back(struct pack *p, const struct mark *to)
{
    struct buf body = p->body;

    *p = to->pack;
    body.n = to->pack.body.n;
    p->body = body;
}

/* Records of the region's next object, from r->first on; the last item that it covers. */
static enum rc fill(struct work *w, struct live *l, struct rows *q, const struct region *r,
                    struct pack *p, uint64_t *last)
{
    struct mark tile = { *p, 0 };
    bool any_tile = false, left_out;
    enum rc rc;

    for (uint64_t born = r->first; rows_next(q); born++) {
        struct mark before = { *p, born - 1 };

        if ((uint64_t)pack_born(q) != born)
            return err_set(&w->err, RC_CORRUPT, "item number %" PRIu64 " has no change", born);
        if ((rc = recipe_add(w, l->no, p, q, &left_out)))
            return rc;
        *last = born;
        if (p->body.n > WIRE_PACK_MAX && born > r->first) {
            const struct mark *to = any_tile ? &tile : &before;

            cut_back(p, to);
            *last = to->last;
            return RC_OK;
        }
        if ((born + 1) % 64 == 0) {
            tile = (struct mark){ *p, born };
            any_tile = true;
            if (p->body.n >= r->target)
                return RC_OK;
        }
    }
    return RC_OK;
}

/* The next object's region is smaller by this one; an open one ends when nothing would fill another. */
static void advance(struct build *b, struct region *r, const struct part *p)
{
    r->first = p->o.last_born + 1;
    r->rest -= p->o.bytes < r->rest ? p->o.bytes : r->rest;
    if (r->first > r->last || (r->open && r->rest < r->target))
        b->at++;
}

static enum rc build_base(struct work *w, struct live *l, struct build *b, struct region *r)
{
    struct part p = { .o = { .kind = WIRE_BASE, .first_born = r->first },
                      .as_of = b->seq,
                      .upto = b->seq,
                      .spans = 1,
                      .level = level_of(b) };
    struct pack pack;
    struct rows q;
    uint64_t last = UINT64_MAX;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_sync_records, &q, "iiii", l->no, (int64_t)r->first,
                       (int64_t)r->last, (int64_t)b->seq)))
        return rc;
    pack_init(&pack, WIRE_PACK_MAX);
    rc = fill(w, l, &q, r, &pack, &last);
    end = rows_done(&q);
    if (!rc && !(rc = end) && last == UINT64_MAX)
        rc = err_set(&w->err, RC_CORRUPT, "item number %" PRIu64 " has no change", r->first);
    if (!rc) {
        p.o.last_born = last;
        p.live = pack.body.n - WIRE_PACK_HEADER;
        p.span = arena_alloc(b->mem, sizeof *p.span);
        *p.span = (struct span){ r->first, last, 0, p.live };
        rc = write_part(w, l, b, &pack, &p);
    }
    pack_done(&pack);
    if (rc)
        return rc;
    parts_add(b, &b->base, &p);
    advance(b, r, &p);
    return RC_OK;
}

/* What is gone or missing, by its recipe. A layer of which nothing is left goes. */
static enum rc build_again(struct work *w, struct live *l, struct build *b, struct part p)
{
    struct pack pack;
    enum rc rc;

    if (p.gone)
        p.level = level_of(b);
    pack_init(&pack, p.o.bytes);
    rc = recipe_make(w, l->no, &p, &pack);
    if (!rc && (p.o.kind == WIRE_BASE || pack.records)) {
        if (!(rc = write_part(w, l, b, &pack, &p)))
            parts_add(b, p.o.kind == WIRE_BASE ? &b->base : &b->layer, &p);
    } else {
        b->changed = true;
    }
    pack_done(&pack);
    b->at++;
    return rc;
}

static enum rc build_piece(struct work *w, struct live *l, struct build *b, struct piece *piece)
{
    struct pack pack;
    enum rc rc;

    piece->part.level = level_of(b);
    pack_init(&pack, WIRE_PACK_MAX);
    rc = recipe_fill(w, l->no, piece->entry, piece->n, &pack);
    if (!rc && pack.records && !(rc = write_part(w, l, b, &pack, &piece->part)))
        parts_add(b, &b->layer, &piece->part);
    pack_done(&pack);
    b->at++;
    return rc;
}

/* A step that was stopped is no failure. */
static enum rc unless_overtaken(struct build *b, enum rc rc)
{
    b->overtaken = rc == RC_BUSY && b->yield && atomic_load(b->yield);
    return b->overtaken ? RC_OK : rc;
}

enum rc build_next(struct work *w, struct live *l, struct build *b)
{
    struct stream_now now;
    struct arena *mem = w->mem;
    size_t bases = b->agains + b->regions;
    enum rc rc = plan_stream(w, l, &now);

    b->overtaken = !rc && ((!b->hurry && plan_in_hurry(&now)) || (!b->urgent && b->cut));
    if (rc || b->overtaken)
        return rc;
    if (b->at < b->agains)
        return unless_overtaken(b, build_again(w, l, b, b->again.p[b->at]));
    if (b->at < bases)
        return unless_overtaken(b, build_base(w, l, b, &b->region[b->at - b->agains]));
    if (b->layered)
        return unless_overtaken(b, build_piece(w, l, b, &b->piece[b->at - bases]));
    w->mem = b->mem;
    rc = plan_layers(w, l, b);
    w->mem = mem;
    b->layered = true;
    return rc;
}

bool build_is_done(const struct build *b)
{
    return b->layered && b->at == b->agains + b->regions + b->pieces;
}
