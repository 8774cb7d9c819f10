/*
 * follow_fetch.c - requests: small answers into memory, parts into the store, as much as one
 * bad network allows.
 *
 * A part that was cut short goes on with Range and If-Range where it stopped, now or after a
 * restart. Fetching gives up when nothing more comes in IDLE tries in a row, or after TRIES in
 * all; what is held by then stays held.
 */
#include "sync/follow_engine.h"

#include <stdlib.h>
#include <string.h>

enum { IDLE = 3, TRIES = 40, REFUSAL_MAX = 64 << 10 /* bytes of what is not the answer */ };

enum sync_rc fetch_tick(struct sync_err *e, struct engine *f, enum follow_phase phase)
{
    f->progress.phase = phase;
    if (f->options->progress && f->options->progress(f->options->progress_ctx, &f->progress))
        return sync_err_set(e, SYNC_CANCELLED, "stopped on request");
    return SYNC_OK;
}

/* One batch; its bytes are counted whatever becomes of it. */
static enum sync_rc run_batch(struct sync_err *e, struct engine *f, struct follow_get *gets,
                              size_t n)
{
    enum sync_rc rc;

    if ((rc = fetch_tick(e, f, f->progress.phase)))
        return rc;
    for (size_t i = 0; i < n; i++)
        (void)sync_err_set(&gets[i].err, SYNC_NET, "no answer");
    rc = f->transport->get(f->transport->ctx, e, gets, n);
    for (size_t i = 0; i < n; i++) {
        f->out->requests++;
        f->out->bytes_down += gets[i].bytes_down;
        f->out->bytes_up += gets[i].bytes_up;
    }
    return rc;
}

/* What an answer other than the one hoped for means. Once a head is accepted, all that is asked
 * for are things that it names. */
static enum sync_rc refusal(struct sync_err *e, struct engine *f, const struct follow_get *g)
{
    f->retry_after = g->retry_after < FOLLOW_WAIT_MAX ? g->retry_after : FOLLOW_WAIT_MAX;
    if (g->status == 429 || g->status == 503) {
        f->out->wait = f->retry_after;
        return sync_err_set(e, SYNC_BUSY, "the server is busy (status %d)", g->status);
    }
    if (g->status == 400 || g->status == 404 || g->status == 410)
        return sync_err_set(e, f->head_known ? SYNC_STALE : SYNC_GONE,
                            "%s: the server answers %d", g->path, g->status);
    if (g->status == 413 && f->head_known) {
        f->too_large = true;
        f->out->wait = f->head.poll;
        return sync_err_set(e, SYNC_BUSY, "%s: too large; the server is making objects of it",
                            g->path);
    }
    if (g->status == 0 || g->status == 200 || g->status == 206)
        return sync_err_set(e, g->err.rc ? g->err.rc : SYNC_NET, "%s: %s", g->path,
                            g->err.rc ? g->err.text : "no answer");
    return sync_err_set(e, SYNC_NET, "%s: the server answers %d", g->path, g->status);
}

/* Of a problem document nothing is looked at but its status; one without an end is not listened to. */
static enum sync_rc refusal_body(struct follow_get *g, struct sync_err *e, uint64_t n)
{
    return n <= REFUSAL_MAX ? SYNC_OK
                            : sync_err_set(e, SYNC_NET, "%s: status %d with too long a body",
                                           g->path, g->status);
}

/* ---- into memory ---- */

static enum sync_rc text_body(struct follow_get *g, struct sync_err *e, const uint8_t *bytes,
                              size_t n)
{
    struct fetch_text *t = g->ctx;

    if (g->status != 200) {
        t->n += n;
        return refusal_body(g, e, t->n);
    }
    if (n > t->room - t->n)
        return sync_err_set(e, SYNC_INVALID, "%s: the answer is too long", g->path);
    memcpy(t->out + t->n, bytes, n);
    t->n += n;
    return SYNC_OK;
}

enum sync_rc fetch_texts(struct sync_err *e, struct engine *f, struct fetch_text *texts,
                         size_t n)
{
    struct follow_get *gets = engine_alloc(n * sizeof *gets);
    enum sync_rc rc = SYNC_OK;

    for (unsigned try = 0; try < IDLE; try++) {
        for (size_t i = 0; i < n; i++) {
            texts[i].n = 0;
            gets[i] = (struct follow_get){ .path = texts[i].path,
                                           .if_none = texts[i].if_none,
                                           .past_caches = f->past_caches || f->fresh_head,
                                           .body = text_body,
                                           .ctx = &texts[i] };
        }
        rc = run_batch(e, f, gets, n);
        for (size_t i = 0; i < n && !rc; i++) {
            bool good = gets[i].status == 200 || (gets[i].status == 304 && texts[i].if_none);

            texts[i].status = gets[i].status;
            memcpy(texts[i].etag, gets[i].etag, sizeof texts[i].etag);
            if (!good || gets[i].err.rc)
                rc = refusal(e, f, &gets[i]);
        }
        if (rc != SYNC_NET)
            break;
    }
    free(gets);
    return rc;
}

/* ---- into parts ---- */

struct part_sink {
    struct engine *f;
    struct part *part;
    struct follow_part held;
    uint64_t at, refused; /* refused: bytes of a body that is not the part */
    bool begun;
};

static enum sync_rc sink_begin(struct follow_get *g, struct sync_err *e)
{
    struct part_sink *s = g->ctx;

    if (g->status == 206 && (g->from == 0 || g->range_from != g->from))
        return sync_err_set(e, SYNC_INVALID, "%s: another range than the one asked for",
                            g->path);
    s->at = g->status == 206 ? g->from : 0;
    s->begun = true;
    return SYNC_OK;
}

static enum sync_rc part_body(struct follow_get *g, struct sync_err *e, const uint8_t *bytes,
                              size_t n)
{
    struct part_sink *s = g->ctx;
    enum sync_rc rc;

    if (g->status != 200 && g->status != 206) {
        s->refused += n;
        return refusal_body(g, e, s->refused);
    }
    if (!s->begun && (rc = sink_begin(g, e)))
        return rc;
    if (s->at + n > s->part->wire_max)
        return sync_err_set(e, SYNC_INVALID, "%s: the answer is too long", g->path);
    rc = s->f->store->parts.write(s->f->store->parts.ctx, e, s->part->path, s->at, bytes, n,
                                  g->etag, false);
    if (rc)
        return rc;
    s->at += n;
    s->f->progress.bytes += n;
    return fetch_tick(e, s->f, FOLLOW_FETCHING);
}

/* An answer has ended: the part is whole, or may be tried again (SYNC_NET), or not. */
static enum sync_rc part_ended(struct sync_err *e, struct engine *f, struct follow_get *g)
{
    const struct follow_store *store = f->store;
    struct part_sink *s = g->ctx;
    enum sync_rc rc;

    if (g->status ==
        416) { /* what we hold is as long as the whole, or of another body: fetch it afresh */
        if ((rc = store->parts.write(store->parts.ctx, e, s->part->path, 0, "", 0, "", false)))
            return rc;
        return sync_err_set(e, SYNC_NET, "%s: the range could not be had", g->path);
    }
    if ((g->status != 200 && g->status != 206) || g->err.rc)
        return refusal(e, f, g);
    if (!s->begun && (rc = sink_begin(g, e)))
        return rc;
    if ((rc = store->parts.write(store->parts.ctx, e, s->part->path, s->at, "", 0, g->etag,
                                 true)))
        return rc;
    s->part->whole = true;
    return SYNC_OK;
}

/* What an earlier run left: it may have come from a network that lied to that one. */
static enum sync_rc resume(struct sync_err *e, struct engine *f, struct part *p,
                           struct follow_part *held)
{
    p->whole = held->whole || (p->kind == PART_OBJECT && held->bytes == p->wire_max);
    if (!p->whole || !part_has_proof(p) || part_is_right(f, p))
        return SYNC_OK;
    p->whole = false;
    *held = (struct follow_part){ 0 };
    return f->store->parts.write(f->store->parts.ctx, e, p->path, 0, "", 0, "", false);
}

/* Fills `gets` and `sinks` with what is still missing, FETCH_BATCH at most. */
static enum sync_rc missing(struct sync_err *e, struct engine *f, struct follow_get *gets,
                            struct part_sink *sinks, size_t *n)
{
    const struct follow_store *store = f->store;
    enum sync_rc rc;

    *n = 0;
    for (size_t i = 0; i < f->plan.n && *n < FETCH_BATCH; i++) {
        struct part *p = &f->plan.parts[i];
        struct part_sink *s = &sinks[*n];

        if (p->whole)
            continue;
        *s = (struct part_sink){ .f = f, .part = p };
        if ((rc = store->parts.find(store->parts.ctx, e, p->path, &s->held)))
            return rc;
        if ((rc = resume(e, f, p, &s->held)))
            return rc;
        if (p->whole)
            continue;
        gets[*n] = (struct follow_get){
            .path = p->path,
            .past_caches = f->past_caches,
            .body = part_body,
            .ctx = s,
            .from = s->held.etag[0] ? s->held.bytes : 0,
            .if_range = s->held.etag,
        };
        ++*n;
    }
    return SYNC_OK;
}

/* One pass over what is missing. SYNC_NET: try again; *moved: something came; *n 0: all is whole. */
static enum sync_rc fetch_pass(struct sync_err *e, struct engine *f, struct follow_get *gets,
                               struct part_sink *sinks, bool *moved, size_t *n)
{
    uint64_t before = f->progress.bytes;
    enum sync_rc rc, worst;
    struct sync_err one;

    if ((rc = missing(e, f, gets, sinks, n)) || *n == 0)
        return rc;
    worst = run_batch(e, f, gets, *n);
    for (size_t i = 0; i < *n; i++) { /* even if the run ends now, what came whole is whole */
        rc = part_ended(&one, f, &gets[i]);
        if (rc && (!worst || worst == SYNC_NET)) {
            worst = rc;
            *e = one;
        }
    }
    *moved = f->progress.bytes > before;
    return worst;
}

enum sync_rc fetch_parts(struct sync_err *e, struct engine *f)
{
    struct follow_get *gets = engine_alloc(FETCH_BATCH * sizeof *gets);
    struct part_sink *sinks = engine_alloc(FETCH_BATCH * sizeof *sinks);
    enum sync_rc rc = SYNC_OK;
    unsigned idle = 0, tries = 0;
    size_t n = 1;

    f->progress.phase = FOLLOW_FETCHING;
    while (n > 0 && tries < TRIES && idle < IDLE) {
        bool moved = false;

        rc = fetch_pass(e, f, gets, sinks, &moved, &n);
        if (rc && rc != SYNC_NET)
            break;
        tries += rc == SYNC_NET;
        idle = moved || !rc ? 0 : idle + 1;
    }
    free(gets);
    free(sinks);
    return rc;
}
