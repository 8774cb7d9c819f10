/*
 * follow_prove.c - older items: proved tile by tile from a root below the horizon down to the leaf.
 *
 *     root(16) -> tile: 64 of height 10 -> tile: 16 of height 6 -> tile: 64 leaves, each with a seq
 *     root(10) ---------------------------^
 *
 * A kept item whose root has changed is hidden in the transaction that brings the new root, and
 * shown again in a later one, when its path has come: with its old record, or with the newer one
 * fetched for it. Proving is the last thing a run does, and what cannot be had is left for the next
 * run. follow_fetch_item does the same for an item that is not held.
 */
#include "sync/follow_engine.h"

#include <stdlib.h>
#include <string.h>

/* ---- tiles ---- */

static enum sync_rc tile_batch(struct sync_err *e, struct engine *f, struct tile *tiles,
                               size_t n)
{
    char paths[FETCH_BATCH][WIRE_URL_MAX];
    struct fetch_text texts[FETCH_BATCH];
    enum sync_rc rc;

    for (size_t i = 0; i < n; i++) {
        struct wire_url url = { .kind = WIRE_URL_TILE,
                                .height = tiles[i].height,
                                .index = tiles[i].index };

        strcpy(url.stream, f->head.stream);
        memcpy(url.hash, tiles[i].hash, WIRE_HASH);
        wire_url_print(&url, paths[i]);
        texts[i] = (struct fetch_text){ .path = paths[i],
                                        .out = (char *)tiles[i].at,
                                        .room = sizeof tiles[i].at };
    }
    if ((rc = fetch_texts(e, f, texts, n)))
        return rc;
    for (size_t i = 0; i < n && !rc; i++)
        rc = verify_tile(e, tiles[i].height, tiles[i].at, texts[i].n, tiles[i].hash);
    return rc;
}

enum sync_rc prove_tiles(struct sync_err *e, struct engine *f, struct tile *tiles, size_t n)
{
    enum sync_rc rc = SYNC_OK;

    for (size_t at = 0; at < n && !rc; at += FETCH_BATCH)
        rc = tile_batch(e, f, tiles + at, n - at < FETCH_BATCH ? n - at : FETCH_BATCH);
    return rc;
}

/* ---- paths ---- */

struct proof {
    uint64_t born, seq; /* seq: the one held */
    uint8_t leaf[WIRE_HASH];
    bool good;      /* what is held is what the tree says */
    bool is_proved; /* already */
    struct truth truth;
    unsigned height; /* of the node known on its path */
    uint8_t node[WIRE_HASH];
};

struct proofs {
    struct engine *f;
    struct proof *at;
    size_t n, room;
};

static struct proof *proof_add(struct proofs *p, uint64_t born)
{
    if (p->n == p->room) {
        p->room = p->room ? 2 * p->room : 16;
        p->at = realloc(p->at, p->room * sizeof *p->at);
        if (!p->at)
            abort();
    }
    p->at[p->n] = (struct proof){ .born = born };
    return &p->at[p->n++];
}

/* The node of the path that is one tile further down, from the tile that covers it. */
static void descend(struct proof *p, const struct tile *t)
{
    unsigned child;
    size_t bytes;
    size_t i;

    wire_tile_shape(t->height, &child, &bytes);
    i = (size_t)((p->born - (t->index << t->height)) >> child);
    memcpy(p->node, t->at + (i + 1) * bytes - WIRE_HASH, WIRE_HASH);
    p->height = child;
    if (child > 0)
        return;
    p->truth.born = p->born;
    memcpy(p->truth.leaf, p->node, WIRE_HASH);
    for (size_t k = 0; k < 8; k++)
        p->truth.seq = p->truth.seq << 8 | t->at[i * bytes + k];
}

/* One tile further down for all whose node has this height. Proofs ascend by born, so those under one
 * tile are neighbours. */
static enum sync_rc descend_all(struct sync_err *e, struct proofs *p, unsigned height)
{
    struct tile *tiles = engine_alloc((p->n + 1) * sizeof *tiles);
    size_t n = 0, at = 0;
    enum sync_rc rc;

    for (size_t i = 0; i < p->n; i++) {
        const struct proof *q = &p->at[i];

        if (q->height != height || (n > 0 && tiles[n - 1].index == q->born >> height))
            continue;
        tiles[n].height = height;
        tiles[n].index = q->born >> height;
        memcpy(tiles[n++].hash, q->node, WIRE_HASH);
    }
    rc = prove_tiles(e, p->f, tiles, n);
    for (size_t i = 0; i < p->n && !rc; i++) {
        if (p->at[i].height != height)
            continue;
        while (tiles[at].index != p->at[i].born >> height)
            at++;
        descend(&p->at[i], &tiles[at]);
    }
    free(tiles);
    return rc;
}

static const uint8_t *root_over(const struct merkle_below *b, uint64_t born)
{
    return b->roots[merkle_below_of(b, born)];
}

/* Finds what the tree says of each. */
static enum sync_rc find_truth(struct sync_err *e, struct proofs *p)
{
    const struct merkle_below *b = &p->f->below;
    enum sync_rc rc;

    for (size_t i = 0; i < p->n; i++) {
        size_t root = merkle_below_of(b, p->at[i].born);
        uint64_t first, last;

        merkle_below_extent(b, root, &first, &last, &p->at[i].height);
        memcpy(p->at[i].node, b->roots[root], WIRE_HASH);
    }
    (void)((rc = descend_all(e, p, WIRE_COVER_TOP)) ||
           (rc = descend_all(e, p, WIRE_COVER_MID)) ||
           (rc = descend_all(e, p, WIRE_COVER_LOW)));
    return rc;
}

/* ---- kept items ---- */

static enum sync_rc collect(void *ctx, struct sync_err *e, const struct follow_item *it)
{
    struct proofs *p = ctx;
    const struct merkle_below *next = &p->f->next, *before = &p->f->below;
    struct proof *q;

    (void)e;
    if (it->born >= next->horizon)
        return SYNC_OK;
    q = proof_add(p, it->born);
    q->seq = it->seq;
    memcpy(q->leaf, it->leaf, WIRE_HASH);
    q->is_proved = it->root && memcmp(it->root, root_over(next, it->born), WIRE_HASH) == 0;
    q->good = q->is_proved || (it->root && it->born < before->horizon &&
                               memcmp(it->root, root_over(before, it->born), WIRE_HASH) == 0);
    return SYNC_OK;
}

static enum sync_rc each_proof(struct sync_err *e, struct proofs *p)
{
    const struct follow_store *store = p->f->store;

    return store->each_kept(store->ctx, e, collect, p);
}

enum sync_rc prove_none(struct sync_err *e, struct engine *f, bool all)
{
    struct proofs p = { .f = f };
    enum sync_rc rc = f->next.horizon ? each_proof(e, &p) : SYNC_OK;

    for (size_t i = 0; i < p.n && !rc; i++)
        if (all || !p.at[i].is_proved)
            rc = f->store->proved(f->store->ctx, e, p.at[i].born, NULL);
    free(p.at);
    return rc;
}

enum sync_rc prove_carry(struct sync_err *e, struct engine *f)
{
    struct proofs p = { .f = f };
    enum sync_rc rc = each_proof(e, &p);

    for (size_t i = 0; i < p.n && !rc; i++)
        if (!p.at[i].is_proved)
            rc = f->store->proved(f->store->ctx, e, p.at[i].born,
                                  p.at[i].good ? root_over(&f->next, p.at[i].born) : NULL);
    free(p.at);
    return rc;
}

static void next_is_held(struct engine *f)
{
    f->next.horizon = f->below.horizon;
    f->next.n = f->below.n;
    memcpy(f->next.roots, f->below.roots, f->below.n * WIRE_HASH);
}

enum sync_rc prove_due(struct sync_err *e, struct engine *f, bool *due)
{
    struct proofs p = { .f = f };
    enum sync_rc rc = SYNC_OK;

    *due = false;
    next_is_held(f);
    if (f->below.horizon > 0 && !(rc = each_proof(e, &p)))
        for (size_t i = 0; i < p.n; i++)
            *due |= !p.at[i].is_proved;
    free(p.at);
    return rc;
}

/* ---- the records of those that changed ---- */

struct proving {
    struct proofs *p;
    struct proof *now;
    const struct part *part;
};

static enum sync_rc take_record(void *ctx, struct sync_err *e, const struct wire_frame *r,
                                const uint8_t *frame, const uint8_t *bytes)
{
    struct proving *v = ctx;
    const struct follow_store *store = v->p->f->store;
    uint8_t leaf[WIRE_HASH];

    verify_record(frame, wire_frame_size(r), bytes, r->length, leaf);
    if (r->born != v->now->born || memcmp(leaf, v->now->truth.leaf, WIRE_HASH) != 0)
        return sync_err_set(e, SYNC_MISMATCH, "%s: another record than the signed one",
                            v->part->path);
    v->now->good = true;
    v->p->f->out->records++;
    return store->apply(store->ctx, e, r, frame, bytes, leaf);
}

static enum sync_rc in_transaction(void *ctx, struct sync_err *e)
{
    struct proving *v = ctx;
    struct engine *f = v->p->f;
    const struct follow_store *store = f->store;
    enum sync_rc rc = apply_still_held(e, f);

    for (size_t i = 0, part = 0; i < v->p->n && !rc; i++) {
        struct dz_calls calls = { v, take_record, NULL };

        v->now = &v->p->at[i];
        if (!v->now->good) {
            v->part = &f->plan.parts[part++];
            /* what is held may have a higher seq, from a history that is no more */
            if ((rc = store->forget(store->ctx, e, v->now->born, v->now->born)) ||
                (rc = part_records(e, f, v->part, &calls)))
                break;
        }
        rc = store->proved(store->ctx, e, v->now->born, root_over(&f->below, v->now->born));
    }
    return rc;
}

/* Paths, then the records that differ, then one transaction. */
static enum sync_rc prove_all(struct sync_err *e, struct engine *f, struct proofs *p)
{
    struct proving v = { .p = p };
    enum sync_rc rc;

    f->plan.n = 0;
    if ((rc = find_truth(e, p)))
        return rc;
    for (size_t i = 0; i < p->n; i++) {
        struct proof *q = &p->at[i];

        q->good = memcmp(q->leaf, q->truth.leaf, WIRE_HASH) == 0;
        if (!q->good)
            plan_item(f, q->born, q->truth.seq, q->truth.leaf);
    }
    if ((rc = plan_keep(e, f)) || (rc = fetch_parts(e, f)))
        return rc;
    return f->store->transact(f->store->ctx, e, in_transaction, &v);
}

static enum sync_rc prove_these(struct sync_err *e, struct engine *f, struct proofs *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        if (!p->at[i].is_proved)
            p->at[n++] = p->at[i];
    p->n = n;
    return n ? prove_all(e, f, p) : SYNC_OK;
}

enum sync_rc prove_kept(struct sync_err *e, struct engine *f)
{
    struct proofs p = { .f = f };
    enum sync_rc rc;

    next_is_held(f);
    if (f->below.horizon == 0)
        return SYNC_OK;
    if (!(rc = each_proof(e, &p)))
        rc = prove_these(e, f, &p);
    free(p.at);
    switch (rc) {
    case SYNC_STORE:
    case SYNC_FULL:
    case SYNC_CANCELLED:
    case SYNC_USAGE: return rc;
    default: return SYNC_OK; /* they stay hidden until the next run */
    }
}

/* ---- one more ---- */

/* Where the server says the item is. */
static enum sync_rc ask_place(struct sync_err *e, struct engine *f, const uint8_t id[WIRE_ID],
                              struct proof *out)
{
    struct wire_url url = { .kind = WIRE_URL_PLACE };
    char path[WIRE_URL_MAX], answer[64];
    struct fetch_text t = { .path = path, .out = answer, .room = sizeof answer };
    enum sync_rc rc;

    strcpy(url.stream, f->head.stream);
    memcpy(url.id, id, WIRE_ID);
    wire_url_print(&url, path);
    if ((rc = fetch_texts(e, f, &t, 1)))
        return t.status == 404
                   ? sync_err_set(e, SYNC_NOT_HELD, "no such item was ever published here")
                   : rc;
    return wire_place_parse(e, answer, t.n, &out->born, &out->seq);
}

struct looking {
    const uint8_t *id;
    bool found, stands;
};

static enum sync_rc look(void *ctx, struct sync_err *e, const struct wire_frame *r,
                         const uint8_t *frame, const uint8_t *bytes)
{
    struct looking *l = ctx;

    (void)e, (void)frame, (void)bytes;
    l->found = memcmp(r->id, l->id, WIRE_ID) == 0;
    l->stands = r->op == WIRE_PUT;
    return SYNC_OK;
}

enum sync_rc prove_one(struct sync_err *e, struct engine *f, const uint8_t id[WIRE_ID])
{
    struct looking l = { .id = id };
    struct dz_calls calls = { &l, look, NULL };
    struct proof one = { 0 };
    struct proofs p = { .f = f, .at = &one, .n = 1 };
    struct proving v = { .p = &p };
    enum sync_rc rc;

    f->plan.n = 0;
    if ((rc = ask_place(e, f, id, &one)))
        return rc;
    if (one.born >= f->held.size)
        return sync_err_set(e, SYNC_STALE, "the item is newer than what is held");
    if (one.born >= f->below.horizon)
        return SYNC_OK; /* held anyhow */
    if ((rc = find_truth(e, &p)))
        return rc;
    plan_item(f, one.born, one.truth.seq, one.truth.leaf);
    if ((rc = plan_keep(e, f)) || (rc = fetch_parts(e, f)) ||
        (rc = part_records(e, f, &f->plan.parts[0], &calls)))
        return rc;
    if (!l.found)
        return sync_err_set(e, SYNC_INVALID, "the server names another item's place");
    if (!l.stands)
        return sync_err_set(e, SYNC_NOT_HELD, "the item was withdrawn");
    return f->store->transact(f->store->ctx, e, in_transaction, &v);
}
