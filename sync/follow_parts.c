/*
 * follow_parts.c - what was fetched, out of the store's parts: texts, records, and what a log asks
 * for besides.
 *
 * A text is checked against its name, which is its hash, while it is decoded. Records are believed
 * for nothing but the root that they make, which covers every byte of them: hashing their object
 * too would be a sixth of a first sync. Only when a run fails are the parts looked at one by one
 * under their names, to keep the good ones.
 */
#include "sync/follow_engine.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { READ_ROOM = 128 << 10 };

/* ---- decoding ---- */

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

/* The part's bytes as they came, through `decode` or `dz`. */
static enum sync_rc read_through(struct sync_err *e, struct engine *f, const struct part *p,
                                 struct decode *decode, struct dz *dz)
{
    uint8_t *room = engine_alloc(READ_ROOM);
    uint64_t at = 0;
    enum sync_rc rc;
    size_t n = 0;

    do {
        at += n;
        rc = f->store->parts.read(f->store->parts.ctx, e, p->path, at, room, READ_ROOM, &n);
        if (!rc && n > 0)
            rc = dz ? dz_feed(e, dz, room, n) : decode_feed(e, decode, room, n);
        else if (!rc)
            rc = dz ? dz_end(e, dz) : decode_end(e, decode);
    } while (!rc && n > 0);
    free(room);
    return rc;
}

static enum sync_rc decode_part(struct sync_err *e, struct engine *f, const struct part *p,
                                bool named, decode_fn *fn, void *ctx)
{
    struct hashing h = { .wanted = named, .fn = fn, .ctx = ctx };
    struct decode *d = decode_new(p->url.encoding, p->raw_max, hash_and_hand_on, &h);
    uint8_t hash[WIRE_HASH];
    enum sync_rc rc;

    crypto_hash_sha256_init(&h.state);
    rc = read_through(e, f, p, d, NULL);
    decode_free(d);
    if (rc || !h.wanted)
        return rc;
    crypto_hash_sha256_final(&h.state, hash);
    if (memcmp(hash, p->url.hash, WIRE_HASH) != 0)
        return sync_err_set(e, SYNC_MISMATCH, "%s: the content is not what its name says",
                            p->path);
    return SYNC_OK;
}

enum sync_rc part_decode(struct sync_err *e, struct engine *f, const struct part *p,
                         decode_fn *fn, void *ctx)
{
    return decode_part(e, f, p, p->url.kind == WIRE_URL_OBJECT, fn, ctx);
}

/* ---- texts ---- */

struct gathering {
    char *at;
    size_t n, room;
};

static enum sync_rc gather(void *ctx, struct sync_err *e, const uint8_t *bytes, size_t n)
{
    struct gathering *g = ctx;

    (void)e;
    if (g->n + n > g->room) {
        g->room = 2 * (g->n + n);
        g->at = realloc(g->at, g->room);
        if (!g->at)
            abort();
    }
    memcpy(g->at + g->n, bytes, n);
    g->n += n;
    return SYNC_OK;
}

enum sync_rc part_text(struct sync_err *e, struct engine *f, enum part_kind kind,
                       struct text *out)
{
    const struct part *p = plan_find(f, kind);
    struct gathering g = { .room = 1 };
    enum sync_rc rc;

    if (!p || out->at)
        return SYNC_OK;
    g.at = engine_alloc(1);
    if ((rc = part_decode(e, f, p, gather, &g))) {
        free(g.at);
        return rc;
    }
    *out = (struct text){ g.at, g.n };
    return SYNC_OK;
}

/* ---- records ---- */

struct packing {
    struct engine *f;
    struct wire_pack pack;
    const struct dz_calls *calls;
};

static enum sync_rc pack_bytes(void *ctx, struct sync_err *e, const uint8_t *bytes, size_t n)
{
    struct packing *p = ctx;
    bool started = p->pack.started;
    enum sync_rc rc = wire_pack_feed(e, &p->pack, bytes, n, p->calls->record, p->calls->ctx);

    if (!started && p->pack.started)
        p->f->progress.records_expected += p->pack.records;
    return rc;
}

static enum sync_rc dz_records(struct sync_err *e, struct engine *f, const struct part *p,
                               const struct dz_calls *calls)
{
    struct dz *d = dz_new(p->raw_max, (uint32_t)(p->url.to - p->url.from), calls);
    enum sync_rc rc = read_through(e, f, p, NULL, d);

    dz_free(d);
    return rc;
}

enum sync_rc part_records(struct sync_err *e, struct engine *f, const struct part *p,
                          const struct dz_calls *calls)
{
    struct packing packing = { .f = f, .calls = calls };
    uint8_t *room;
    enum sync_rc rc;

    if (p->url.encoding == WIRE_DZ)
        return dz_records(e, f, p, calls);
    room = engine_alloc(WIRE_RECORD_MAX);
    wire_pack_init(&packing.pack, room);
    if (!(rc = decode_part(e, f, p, false, pack_bytes, &packing)))
        rc = wire_pack_end(e, &packing.pack);
    free(room);
    return rc;
}

/* ---- what a log asks for besides ---- */

struct scanning {
    struct engine *f;
    const struct part *log;
    struct scan *out;
};

/* Before anything is asked for in its name. */
static enum sync_rc scan_check(struct sync_err *e, struct scanning *s, uint64_t born,
                               uint64_t seq)
{
    const struct wire_url *u = &s->log->url;

    if (seq <= u->from || seq > u->to || born >= s->f->head.size)
        return sync_err_set(e, SYNC_INVALID, "%s: a record the head does not know",
                            s->log->path);
    s->out->below |= born < s->f->below.horizon;
    return SYNC_OK;
}

static enum sync_rc scan_record(void *ctx, struct sync_err *e, const struct wire_frame *r,
                                const uint8_t *frame, const uint8_t *bytes)
{
    struct scanning *s = ctx;

    (void)frame, (void)bytes;
    return scan_check(e, s, r->born, r->seq);
}

/* Whether these n bytes are a record whose leaf begins so. */
static bool has_name(const uint8_t *record, size_t n, const uint8_t name[WIRE_DZ_NAME])
{
    struct sync_err ignored;
    struct wire_frame f;
    uint8_t leaf[WIRE_HASH];
    size_t frame;

    if (wire_frame_decode(&ignored, record, n, &f))
        return false;
    frame = wire_frame_size(&f);
    verify_record(record, frame, record + frame, n - frame, leaf);
    return memcmp(leaf, name, WIRE_DZ_NAME) == 0;
}

enum sync_rc part_prefix(struct sync_err *e, struct engine *f, const struct dz_delta *delta,
                         uint8_t *out, size_t *n, bool *held, bool *counts)
{
    uint64_t seq;
    enum sync_rc rc;

    *held = *counts = false;
    if (delta->born < f->below.horizon)
        return SYNC_OK;
    if ((rc = f->store->record(f->store->ctx, e, delta->born, out, n, &seq)))
        return rc;
    *counts = seq < delta->seq;
    *held = *counts && seq > 0 && has_name(out, *n, delta->name);
    return SYNC_OK;
}

/* Finds out whether the delta can be undone, and leaves it. */
static enum sync_rc scan_prefix(void *ctx, struct sync_err *e, const struct dz_delta *delta,
                                uint8_t *out, size_t *n, bool *held)
{
    struct scanning *s = ctx;
    bool found, counts;
    enum sync_rc rc;

    *held = false;
    if ((rc = scan_check(e, s, delta->born, delta->seq)) ||
        (rc = part_prefix(e, s->f, delta, out, n, &found, &counts)) || found || !counts)
        return rc;
    if (s->out->n < SCAN_MISSING)
        s->out->missing[s->out->n] = (struct truth){ .born = delta->born, .seq = delta->seq };
    if (s->out->n <= SCAN_MISSING)
        s->out->n++;
    return SYNC_OK;
}

enum sync_rc part_scan(struct sync_err *e, struct engine *f, const struct part *log,
                       struct scan *out)
{
    struct scanning s = { f, log, out };
    struct dz_calls calls = { &s, scan_record, scan_prefix };

    return part_records(e, f, log, &calls);
}

/* ---- after a failure ---- */

static enum sync_rc has_leaf(void *ctx, struct sync_err *e, const struct wire_frame *r,
                             const uint8_t *frame, const uint8_t *bytes)
{
    const struct part *p = ctx;
    uint8_t leaf[WIRE_HASH];

    verify_record(frame, wire_frame_size(r), bytes, r->length, leaf);
    return memcmp(leaf, p->leaf, WIRE_HASH) == 0
               ? SYNC_OK
               : sync_err_set(e, SYNC_MISMATCH, "%s: another record", p->path);
}

bool part_has_proof(const struct part *p)
{
    return p->url.kind == WIRE_URL_OBJECT || p->has_leaf;
}

bool part_is_right(struct engine *f, const struct part *p)
{
    struct dz_calls calls = { (void *)p, has_leaf, NULL };
    struct sync_err ignored;

    return p->url.kind == WIRE_URL_OBJECT
               ? part_decode(&ignored, f, p, NULL, NULL) == SYNC_OK
               : p->has_leaf && part_records(&ignored, f, p, &calls) == SYNC_OK;
}

enum sync_rc part_weed(struct sync_err *e, struct engine *f)
{
    const char **keep = engine_alloc((f->plan.n + 1) * sizeof *keep);
    size_t n = 0;
    enum sync_rc rc;

    for (size_t i = 0; i < f->plan.n; i++)
        if (f->plan.parts[i].whole && part_is_right(f, &f->plan.parts[i]))
            keep[n++] = f->plan.parts[i].path;
    rc = f->store->parts.keep(f->store->parts.ctx, e, keep, n);
    free(keep);
    return rc;
}
