/*
 * follow_apply.c - from fetched bytes to a committed state, or to nothing at all.
 *
 *     transact -> (forget) -> records by the apply rule -> leaves into the tree -> root == signed
 * root? -> values -> commit
 *                                                                              \--- no:
 * rollback, as if nothing had come
 *
 * Records are applied while they are decoded, before the hash of their object or the root is
 * known; that is safe because nobody sees an open transaction, and it spares decoding twice.
 * Only when a run fails are the parts looked at one by one, to keep the good ones.
 */
#include "sync/follow_engine.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sync/merge.h"

enum { READ_ROOM = 128 << 10, TICK_EVERY = 256 };

/* ---- parts ---- */

struct hashing {
    bool wanted;
    crypto_hash_sha256_state state;
    decode_fn *fn;
    void *ctx;
};

static enum sync_rc hash_and_hand_on(void *ctx, struct sync_err *e, const uint8_t *bytes,
                                     size_t n)
{
    struct hashing *h = ctx;

    if (h->wanted)
        crypto_hash_sha256_update(&h->state, bytes, n);
    return h->fn ? h->fn(h->ctx, e, bytes, n) : SYNC_OK;
}

static enum sync_rc read_through(struct sync_err *e, struct engine *f, const struct part *p,
                                 struct decode *d, uint8_t *room)
{
    uint64_t at = 0;
    enum sync_rc rc;
    size_t n;

    for (;;) {
        if ((rc = f->store->part_read(f->store->ctx, e, p->path, at, room, READ_ROOM, &n)))
            return rc;
        if (n == 0)
            return decode_end(e, d);
        if ((rc = decode_feed(e, d, room, n)))
            return rc;
        at += n;
    }
}

enum sync_rc part_decode(struct sync_err *e, struct engine *f, const struct part *p,
                         decode_fn *fn, void *ctx)
{
    struct hashing h = { .wanted = p->kind != PART_LOG, .fn = fn, .ctx = ctx };
    struct decode *d = decode_new(p->url.encoding, p->raw_max, hash_and_hand_on, &h);
    uint8_t *room = malloc(READ_ROOM), hash[WIRE_HASH];
    enum sync_rc rc;

    if (!room)
        abort();
    crypto_hash_sha256_init(&h.state);
    rc = read_through(e, f, p, d, room);
    free(room);
    decode_free(d);
    if (rc || !h.wanted)
        return rc;
    crypto_hash_sha256_final(&h.state, hash);
    if (memcmp(hash, p->url.hash, WIRE_HASH) != 0)
        return sync_err_set(e, SYNC_MISMATCH, "%s: the content is not what its name says",
                            p->path);
    return SYNC_OK;
}

struct text {
    char *bytes;
    size_t n, room;
};

static enum sync_rc text_gather(void *ctx, struct sync_err *e, const uint8_t *bytes, size_t n)
{
    struct text *t = ctx;

    (void)e;
    if (t->n + n > t->room) {
        t->room = 2 * (t->n + n);
        t->bytes = realloc(t->bytes, t->room);
        if (!t->bytes)
            abort();
    }
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    return SYNC_OK;
}

enum sync_rc part_text(struct sync_err *e, struct engine *f, const struct part *p, char **text,
                       size_t *n)
{
    struct text t = { .bytes = calloc(1, 1), .room = 1 };
    enum sync_rc rc;

    if ((rc = part_decode(e, f, p, text_gather, &t))) {
        free(t.bytes);
        return rc;
    }
    *text = t.bytes;
    *n = t.n;
    return SYNC_OK;
}

enum sync_rc weed_parts(struct sync_err *e, struct engine *f)
{
    const char **keep = calloc(f->plan.n + 1, sizeof *keep);
    struct sync_err ignored;
    size_t n = 0;
    enum sync_rc rc;

    if (!keep)
        abort();
    for (size_t i = 0; i < f->plan.n; i++) {
        const struct part *p = &f->plan.parts[i];

        if (p->kind != PART_LOG && p->whole && !part_decode(&ignored, f, p, NULL, NULL))
            keep[n++] = p->path;
    }
    rc = f->store->part_keep(f->store->ctx, e, keep, n);
    free(keep);
    return rc;
}

/* ---- records ---- */

struct applying {
    struct engine *f;
    const struct part *part;
    struct wire_pack pack;
};

static enum sync_rc record_check(struct sync_err *e, const struct applying *a,
                                 const struct wire_frame *r)
{
    const struct engine *f = a->f;

    if (r->seq > f->head.seq || r->born >= f->head.size)
        return sync_err_set(e, SYNC_INVALID, "%s: a record the head does not know",
                            a->part->path);
    if (a->part->kind == PART_LOG && r->seq <= a->part->url.from)
        return sync_err_set(e, SYNC_INVALID, "%s: a record from before", a->part->path);
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
    if ((rc = store->held(store->ctx, e, r->born, &held)))
        return rc;
    if (!merge_counts(held, r->seq))
        return SYNC_OK;
    verify_record(frame, wire_frame_size(r), bytes, r->length, leaf);
    f->out->records++;
    return store->apply(store->ctx, e, r, frame, bytes, leaf);
}

static enum sync_rc pack_feed(void *ctx, struct sync_err *e, const uint8_t *bytes, size_t n)
{
    struct applying *a = ctx;
    bool started = a->pack.started;
    enum sync_rc rc = wire_pack_feed(e, &a->pack, bytes, n, record_apply, a);

    if (!started && a->pack.started)
        a->f->progress.records_expected += a->pack.records;
    return rc;
}

static enum sync_rc apply_part(struct sync_err *e, struct engine *f, const struct part *p,
                               uint8_t *room)
{
    struct applying a = { .f = f, .part = p };
    enum sync_rc rc;

    wire_pack_init(&a.pack, room);
    if ((rc = part_decode(e, f, p, pack_feed, &a)))
        return rc;
    return wire_pack_end(e, &a.pack);
}

static enum sync_rc apply_records(struct sync_err *e, struct engine *f)
{
    uint8_t *room = malloc(WIRE_RECORD_MAX);
    enum sync_rc rc = SYNC_OK;

    if (!room)
        abort();
    f->progress.records = f->progress.records_expected = f->out->records = 0;
    for (size_t i = 0; i < f->plan.n && !rc; i++) {
        const struct part *p = &f->plan.parts[i];

        if (p->kind == PART_OBJECT || p->kind == PART_LOG)
            rc = apply_part(e, f, p, room);
    }
    free(room);
    return rc;
}

/* ---- the tree ---- */

static enum sync_rc leaf_put(void *ctx, struct sync_err *e, uint64_t born, const uint8_t *leaf)
{
    return merkle_put(e, ctx, born, leaf);
}

/* A tree that does not add up to the head it was committed with was damaged here, not on the
 * way: begin afresh. */
static enum sync_rc own_tree_check(struct sync_err *e, struct engine *f)
{
    uint8_t root[WIRE_HASH];
    enum sync_rc rc;

    if (f->start_over)
        return SYNC_OK;
    rc = merkle_root(e, &f->store->tiles, f->held.size, root);
    if (rc == SYNC_FULL || (!rc && memcmp(root, f->held.root, WIRE_HASH) == 0))
        return rc;
    f->damaged = true;
    return sync_err_set(e, SYNC_MISMATCH, "the store does not add up to the head it holds");
}

static enum sync_rc tree_check(struct sync_err *e, struct engine *f)
{
    uint64_t old_size = f->start_over ? 0 : f->held.size;
    struct merkle_writer w;
    uint8_t root[WIRE_HASH];
    enum sync_rc rc;

    merkle_begin(&w, &f->store->tiles, old_size, f->head.size);
    if ((rc = f->store->changed(f->store->ctx, e, leaf_put, &w)) || (rc = merkle_end(e, &w)) ||
        (rc = merkle_root(e, &f->store->tiles, f->head.size, root)))
        return rc;
    if (memcmp(root, f->head.root, WIRE_HASH) != 0)
        return sync_err_set(e, SYNC_MISMATCH,
                            "the records up to seq %" PRIu64 " do not make up the signed root",
                            f->head.seq);
    return SYNC_OK;
}

/* ---- the transaction ---- */

static enum sync_rc put_values(struct sync_err *e, struct engine *f)
{
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
        { FOLLOW_ANCESTRY, f->ancestry, f->ancestry_len, f->ancestry != NULL },
        { FOLLOW_DIRECTORY, f->directory, f->directory_len, f->directory != NULL },
    };
    enum sync_rc rc = SYNC_OK;

    for (size_t i = 0; i < sizeof values / sizeof values[0] && !rc; i++)
        if (values[i].put)
            rc = f->store->put(f->store->ctx, e, values[i].which, values[i].bytes, values[i].n);
    return rc;
}

/* Whether the head we started from is still the one held: two processes may follow into one
 * store. */
static enum sync_rc still_held(struct sync_err *e, struct engine *f, bool *same)
{
    char note[WIRE_HEAD_MAX];
    size_t n;
    enum sync_rc rc;

    if ((rc = f->store->get(f->store->ctx, e, FOLLOW_HEAD, note, sizeof note, &n)))
        return rc;
    *same = n == f->note_len && memcmp(note, f->note, n) == 0;
    return SYNC_OK;
}

static enum sync_rc in_transaction(void *ctx, struct sync_err *e)
{
    struct engine *f = ctx;
    const struct follow_store *store = f->store;
    enum sync_rc rc;
    bool same;

    if ((rc = still_held(e, f, &same)))
        return rc;
    f->raced = !same;
    if (f->raced)
        return sync_err_set(e, SYNC_BUSY, "another process changed the store meanwhile");
    if (f->start_over && ((rc = store->forget(store->ctx, e, 0, INT64_MAX)) ||
                          (rc = store->untile(store->ctx, e))))
        return rc;
    if ((rc = own_tree_check(e, f)) || (rc = apply_records(e, f)) || (rc = tree_check(e, f)) ||
        (rc = put_values(e, f)))
        return rc;
    return fetch_tick(e, f, FOLLOW_APPLYING);
}

enum sync_rc apply_plan(struct sync_err *e, struct engine *f)
{
    return f->store->transact(f->store->ctx, e, in_transaction, f);
}
