/*
 * follow_apply.c - from fetched bytes to a committed state, or to nothing at all.
 *
 *     transact -> forget what goes -> records by the apply rule -> leaves into the tree
 *              -> root == signed root? -> values -> commit
 *                               \--- no: roll back, as if nothing had come
 *
 *     CATCH_UP   from the held head to the new one; the tree is changed where records came
 *     FIRST      nothing stays; the tree begins at the horizon
 *     WIDEN      the same head; the leaves between the new and the old horizon are put
 *     REPAIR     what differs goes first, and the tree is built anew from what the store really holds
 *
 * Records are applied while they are decoded, before the hash of their object or the root is
 * known; that is safe because nobody sees an open transaction, and it spares decoding twice.
 */
#include "sync/follow_engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sync/merge.h"

enum { TICK_EVERY = 256 };

/* ---- records ---- */

struct applying {
    struct engine *f;
    const struct part *part;
};

static enum sync_rc record_check(struct sync_err *e, const struct applying *a,
                                 const struct wire_frame *r)
{
    const struct engine *f = a->f;
    const struct wire_url *u = &a->part->url;

    if (r->seq > f->head.seq || r->born >= f->head.size)
        return sync_err_set(e, SYNC_INVALID, "%s: a record the head does not know",
                            a->part->path);
    if (a->part->kind == PART_LOG && r->seq <= u->from)
        return sync_err_set(e, SYNC_INVALID, "%s: a record from before", a->part->path);
    if (a->part->kind == PART_ITEM && (r->seq != u->seq || r->born != u->born))
        return sync_err_set(e, SYNC_INVALID, "%s: another item", a->part->path);
    return SYNC_OK;
}

static enum sync_rc record_apply(void *ctx, struct sync_err *e, const struct wire_frame *r,
                                 const uint8_t *frame, const uint8_t *bytes)
{
    struct applying *a = ctx;
    struct engine *f = a->f;
    const struct follow_store *store = f->store;
    uint8_t leaf[WIRE_HASH];
    uint64_t held;
    enum sync_rc rc;

    if ((rc = record_check(e, a, r)))
        return rc;
    if (++f->progress.records % TICK_EVERY == 0 && (rc = fetch_tick(e, f, FOLLOW_APPLYING)))
        return rc;
    if (r->born < f->next.horizon)
        return SYNC_OK;
    if ((rc = store->held(store->ctx, e, r->born, &held)))
        return rc;
    if (!merge_counts(held, r->seq))
        return SYNC_OK;
    verify_record(frame, wire_frame_size(r), bytes, r->length, leaf);
    if (a->part->has_leaf && memcmp(leaf, a->part->leaf, WIRE_HASH) != 0)
        return sync_err_set(e, SYNC_MISMATCH, "%s: another record than the signed one",
                            a->part->path);
    f->out->records++;
    return store->apply(store->ctx, e, r, frame, bytes, leaf);
}

/* What a delta was made from. If it is not held, the record comes alone. */
static enum sync_rc record_prefix(void *ctx, struct sync_err *e, const struct dz_delta *delta,
                                  uint8_t *out, size_t *n, bool *held)
{
    struct applying *a = ctx;
    bool counts;

    return part_prefix(e, a->f, delta, out, n, held, &counts);
}

static enum sync_rc apply_records(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc = SYNC_OK;

    f->progress.records = f->progress.records_expected = 0;
    for (size_t i = 0; i < f->plan.n && !rc; i++) {
        const struct part *p = &f->plan.parts[i];
        struct applying a = { f, p };
        struct dz_calls calls = { &a, record_apply, record_prefix };

        if (p->kind == PART_OBJECT || p->kind == PART_LOG || p->kind == PART_ITEM)
            rc = part_records(e, f, p, &calls);
    }
    return rc;
}

/* ---- the tree ---- */

/* The store's tiles, as the tree's functions want them: those of which a part lies below the
 * horizon may never have been written. Any other that cannot be read is damage. */
static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct engine *f = ctx;
    const struct merkle_tiles *t = &f->store->tiles;
    uint64_t first = index * MERKLE_TILE << 6 * level;
    uint64_t horizon = f->mode == WIDEN ? f->below.horizon : f->next.horizon;
    enum sync_rc rc = t->read(t->ctx, e, level, index, count, nodes);

    if (rc == SYNC_NOT_HELD && first < horizon) {
        memset(nodes, 0, (size_t)count * WIRE_HASH);
        return SYNC_OK;
    }
    f->damaged |= rc == SYNC_NOT_HELD || rc == SYNC_STORE;
    return rc;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    const struct merkle_tiles *t = &((struct engine *)ctx)->store->tiles;

    return t->write(t->ctx, e, level, index, count, nodes);
}

static struct merkle_tiles tiles_of(struct engine *f)
{
    return (struct merkle_tiles){ f, tile_read, tile_write };
}

/* A tree that does not add up to the head it was committed with was damaged here, not on the
 * way: it is built anew from what is really held. */
static enum sync_rc own_tree_check(struct sync_err *e, struct engine *f)
{
    uint8_t root[WIRE_HASH];
    enum sync_rc rc;

    f->damaged = f->missed = f->rebuilt = false;
    if (f->mode == FIRST || f->mode == REPAIR)
        return SYNC_OK;
    rc = merkle_root_above(e, &f->store->tiles, f->held.size, &f->below, root);
    if (rc == SYNC_FULL)
        return rc;
    f->damaged = rc || memcmp(root, f->held.root, WIRE_HASH) != 0;
    return SYNC_OK;
}

static enum sync_rc leaf_put(void *ctx, struct sync_err *e, uint64_t born, const uint8_t *leaf)
{
    return merkle_put(e, ctx, born, leaf);
}

static enum sync_rc item_put(void *ctx, struct sync_err *e, const struct follow_item *it)
{
    return merkle_put(e, ctx, it->born, it->leaf);
}

/* How many leaves there are before this transaction. */
static uint64_t old_size(const struct engine *f)
{
    switch (f->mode) {
    case CATCH_UP: return f->held.size > f->next.horizon ? f->held.size : f->next.horizon;
    case WIDEN: return f->head.size;
    case FIRST:
    case REPAIR: break;
    }
    return f->next.horizon;
}

/* The root that the leaves make up now. */
static enum sync_rc tree_root(struct sync_err *e, struct engine *f, uint64_t before, bool anew,
                              uint8_t root[WIRE_HASH])
{
    const struct follow_store *store = f->store;
    struct merkle_tiles tiles = tiles_of(f);
    struct merkle_writer w;
    enum sync_rc rc;

    if (anew && (rc = store->untile(store->ctx, e)))
        return rc;
    merkle_begin(&w, &tiles, before, f->head.size);
    rc = anew ? store->each(store->ctx, e, item_put, &w)
              : store->changed(store->ctx, e, leaf_put, &w);
    if (rc || (rc = merkle_end(e, &w)))
        return rc;
    return merkle_root_above(e, &tiles, f->head.size, &f->next, root);
}

/* If the tree as it was kept does not lead to the signed root, the leaves as they are held may. */
static enum sync_rc tree_check(struct sync_err *e, struct engine *f)
{
    bool anew = f->mode == REPAIR || f->damaged, may_be_own = f->mode != FIRST && !anew;
    uint8_t root[WIRE_HASH];
    enum sync_rc rc = tree_root(e, f, anew ? f->next.horizon : old_size(f), anew, root);

    if (!rc && memcmp(root, f->head.root, WIRE_HASH) == 0) {
        f->rebuilt = anew;
        return SYNC_OK;
    }
    if (may_be_own && (!rc || rc == SYNC_INVALID || f->damaged)) {
        rc = tree_root(e, f, f->next.horizon, true, root);
        f->rebuilt = !rc && memcmp(root, f->head.root, WIRE_HASH) == 0;
        if (f->rebuilt)
            return SYNC_OK;
    }
    f->missed = !rc || rc == SYNC_INVALID; /* invalid: a leaf is missing */
    return rc ? rc
              : sync_err_set(e, SYNC_MISMATCH,
                             "the records up to seq %" PRIu64 " do not make up the signed root",
                             f->head.seq);
}

/* ---- what goes first ---- */

enum sync_rc apply_below(struct sync_err *e, struct engine *f)
{
    uint8_t *text = engine_alloc(BELOW_TEXT_MAX);
    size_t n = merkle_below_print(&f->next, text);
    enum sync_rc rc = f->store->put(f->store->ctx, e, FOLLOW_BELOW, text, n);

    free(text);
    return rc;
}

/* Runs of neighbours go in one call. */
static enum sync_rc forget_wrong(struct sync_err *e, struct engine *f)
{
    const struct follow_store *store = f->store;
    enum sync_rc rc = SYNC_OK;

    for (size_t i = 0, k; i < f->nwrong && !rc; i = k) {
        for (k = i + 1; k < f->nwrong && f->wrong[k].born == f->wrong[k - 1].born + 1; k++)
            ;
        rc = store->forget(store->ctx, e, f->wrong[i].born, f->wrong[k - 1].born);
    }
    return rc ? rc : store->forget(store->ctx, e, f->head.size, INT64_MAX);
}

/* The horizon moves up under roots that the cover gave: what was kept below it is to be proved. */
static enum sync_rc move_up(struct sync_err *e, struct engine *f)
{
    const struct follow_store *store = f->store;
    enum sync_rc rc;

    if ((rc = store->narrow(store->ctx, e, &f->next)) || (rc = apply_below(e, f)) ||
        (rc = prove_none(e, f, true)))
        return rc;
    return f->next.horizon > f->held.size ? store->untile(store->ctx, e) : SYNC_OK;
}

static enum sync_rc make_room(struct sync_err *e, struct engine *f)
{
    const struct follow_store *store = f->store;
    bool up = f->next.horizon > f->below.horizon;
    enum sync_rc rc;

    switch (f->mode) {
    case CATCH_UP: return up ? move_up(e, f) : SYNC_OK;
    case WIDEN: return store->forget(store->ctx, e, f->next.horizon, f->below.horizon - 1);
    case FIRST:
        rc = store->forget(store->ctx, e, 0, INT64_MAX);
        return rc ? rc : store->untile(store->ctx, e);
    case REPAIR: break;
    }
    if (up && (rc = move_up(e, f)))
        return rc;
    return (rc = forget_wrong(e, f)) ? rc : store->untile(store->ctx, e);
}

/* ---- values ---- */

static bool below_same(const struct engine *f)
{
    return f->next.horizon == f->below.horizon && f->next.n == f->below.n &&
           (f->next.n == 0 ||
            memcmp(f->next.roots, f->below.roots, f->next.n * WIRE_HASH) == 0);
}

static enum sync_rc put_values(struct sync_err *e, struct engine *f)
{
    bool list = f->has_list, withheld = list && ask_withheld(f, &f->heads);
    const struct {
        enum follow_value which;
        const void *bytes;
        size_t n;
        bool put;
    } values[] = {
        { FOLLOW_HEAD, f->new_note, f->new_note_len, true },
        { FOLLOW_ETAG, f->new_etag, strlen(f->new_etag), true },
        { FOLLOW_KEYS, f->keys, f->keys_len, f->keys_fetched },
        { FOLLOW_TRUST, f->out->trust, VERIFY_ED25519, true },
        { FOLLOW_ANCESTRY, f->ancestry.at, f->ancestry.n, f->ancestry.at != NULL },
        { FOLLOW_DIRECTORY, f->directory.at, f->directory.n, f->directory.at != NULL },
        { FOLLOW_HEADS, f->answer, f->new_list_len, list },
        { FOLLOW_WITHHELD, f->withheld.at, f->withheld.n, f->withheld.at != NULL },
        { FOLLOW_WITHHELD, "", 0, list && !withheld },
    };
    enum sync_rc rc = SYNC_OK;

    for (size_t i = 0; i < sizeof values / sizeof values[0] && !rc; i++)
        if (values[i].put)
            rc = f->store->put(f->store->ctx, e, values[i].which, values[i].bytes, values[i].n);
    return rc;
}

/* Whether the head we started from is still the one held: two processes may follow into one
 * store. */
enum sync_rc apply_still_held(struct sync_err *e, struct engine *f)
{
    char note[WIRE_HEAD_MAX];
    size_t n;
    enum sync_rc rc;

    if ((rc = f->store->get(f->store->ctx, e, FOLLOW_HEAD, note, sizeof note, &n)))
        return rc;
    f->raced = n != f->note_len || memcmp(note, f->note, n) != 0;
    return f->raced ? sync_err_set(e, SYNC_BUSY, "another process changed the store meanwhile")
                    : SYNC_OK;
}

/* ---- the transaction ---- */

static enum sync_rc in_transaction(void *ctx, struct sync_err *e)
{
    struct engine *f = ctx;
    enum sync_rc rc;

    if ((rc = apply_still_held(e, f)) || (rc = own_tree_check(e, f)) || (rc = make_room(e, f)))
        return rc;
    if (f->mode == REPAIR || !below_same(f))
        if ((rc = apply_below(e, f)) || (rc = prove_none(e, f, f->mode == REPAIR)))
            return rc;
    if ((rc = apply_records(e, f)) || (rc = tree_check(e, f)) ||
        (f->mode != WIDEN && (rc = put_values(e, f))))
        return rc;
    return fetch_tick(e, f, FOLLOW_APPLYING);
}

static bool withheld_changed(const struct engine *f)
{
    const uint8_t *a = ask_withheld(f, &f->listed), *b = ask_withheld(f, &f->heads);

    return f->has_list && f->held.epoch && (a || b) &&
           (!a || !b || memcmp(a, b, WIRE_HASH) != 0);
}

/* What was committed is what is held from now on. */
static void committed(struct engine *f)
{
    f->out->changed |= f->mode != CATCH_UP || f->step != VERIFY_SAME || withheld_changed(f);
    f->out->repaired |= f->mode == REPAIR || f->rebuilt;
    f->out->head = f->held = f->head;
    f->out->horizon = f->next.horizon;
    f->below.horizon = f->next.horizon;
    f->below.n = f->next.n;
    memcpy(f->below.roots, f->next.roots, f->next.n * WIRE_HASH);
    memcpy(f->note, f->new_note, f->new_note_len);
    f->note_len = f->new_note_len;
    f->must_repair = f->damaged = f->missed = false;
}

enum sync_rc apply_plan(struct sync_err *e, struct engine *f)
{
    uint64_t before = f->out->records;
    enum sync_rc rc;

    if (f->options->prepare && !f->prepared && f->mode != WIDEN) {
        if ((rc = f->options->prepare(f->options->prepare_ctx, e, &f->head)))
            return rc;
        f->prepared = true;
    }
    rc = f->store->transact(f->store->ctx, e, in_transaction, f);
    if (rc)
        f->out->records = before;
    else
        committed(f);
    return rc;
}

/* ---- narrower ---- */

static enum sync_rc narrowing(void *ctx, struct sync_err *e)
{
    struct engine *f = ctx;
    uint64_t horizon = f->next.horizon;
    enum sync_rc rc;

    f->next.horizon = f->below.horizon;
    f->next.n = f->below.n;
    memcpy(f->next.roots, f->below.roots, f->below.n * WIRE_HASH);
    if ((rc = apply_still_held(e, f)) || (rc = own_tree_check(e, f)))
        return rc;
    if (f->damaged)
        return sync_err_set(e, SYNC_MISMATCH, "the store does not add up to the head it holds");
    if ((rc = merkle_below_raise(e, &f->store->tiles, horizon, &f->next)) ||
        (rc = f->store->narrow(f->store->ctx, e, &f->next)))
        return rc;
    return (rc = apply_below(e, f)) ? rc : prove_carry(e, f);
}

enum sync_rc apply_narrow(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    f->mode = CATCH_UP;
    f->next.horizon = engine_wanted(f);
    if ((rc = f->store->transact(f->store->ctx, e, narrowing, f)))
        return rc;
    f->below.horizon = f->out->horizon = f->next.horizon;
    f->below.n = f->next.n;
    memcpy(f->below.roots, f->next.roots, f->next.n * WIRE_HASH);
    f->out->changed = true;
    return SYNC_OK;
}
