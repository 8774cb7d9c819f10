/*
 * follow_dz.c - a catch-up as differences (docs/protocol/sync.md section 6), in bounded memory.
 *
 *     "TJZWDZ1\n" n Z | section: one zstd frame of Z bytes | the deltas, one behind the other
 *     section = n times:  0  record                     -> handed on at once
 *                         1  born seq name-of-prefix D  -> waits for its delta
 *
 * The section streams; what waits is 32 bytes a record. A delta is gathered (at most some 260 KB),
 * undone with the record it was made from, and handed on like any other record.
 * Nothing that comes out is believed here: the root of the tree decides.
 */
#include "sync/follow_engine.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
    OUT_ROOM = 64 << 10,
    WINDOW_LOG = 23,
    MOST = 1 << 14,
    ROOM = 1 + WIRE_RECORD_MAX,
};

struct dz {
    struct dz_calls calls;
    uint64_t limit, done;
    uint32_t most;
    uint8_t header[WIRE_DZ_HEADER];
    size_t header_n;
    uint32_t records, seen;
    uint64_t section; /* bytes of it still to come */
    ZSTD_DCtx *stream, *delta;
    bool ended; /* the section's frame is complete */

    uint8_t *room; /* ROOM: the record of the section that is not complete; then a delta */
    size_t held;
    struct dz_delta *waiting;
    size_t nwaiting, waiting_room, at; /* at: whose delta comes next */
    uint8_t *prefix, *out;             /* WIRE_RECORD_MAX each */
};

static uint32_t be32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static uint64_t be64(const uint8_t *in)
{
    return (uint64_t)be32(in) << 32 | be32(in + 4);
}

struct dz *dz_new(uint64_t limit, uint32_t most, const struct dz_calls *calls)
{
    struct dz *d = engine_alloc(sizeof *d);

    *d = (struct dz){ .calls = *calls,
                      .limit = limit,
                      .most = most < MOST ? most : MOST,
                      .stream = ZSTD_createDCtx(),
                      .delta = ZSTD_createDCtx(),
                      .room = engine_alloc(ROOM),
                      .prefix = engine_alloc(WIRE_RECORD_MAX),
                      .out = engine_alloc(WIRE_RECORD_MAX) };
    if (!d->stream || !d->delta ||
        ZSTD_isError(ZSTD_DCtx_setParameter(d->stream, ZSTD_d_windowLogMax, WINDOW_LOG)))
        abort();
    return d;
}

void dz_free(struct dz *d)
{
    if (!d)
        return;
    ZSTD_freeDCtx(d->stream);
    ZSTD_freeDCtx(d->delta);
    free(d->room);
    free(d->waiting);
    free(d->prefix);
    free(d->out);
    free(d);
}

/* ---- the section ---- */

static enum sync_rc count(struct sync_err *e, struct dz *d, uint64_t n)
{
    if (n > d->limit - d->done)
        return sync_err_set(e, SYNC_INVALID, "dz: decodes to more than it may");
    d->done += n;
    return SYNC_OK;
}

static enum sync_rc seen(struct sync_err *e, struct dz *d)
{
    return d->seen++ == d->records
               ? sync_err_set(e, SYNC_INVALID, "dz: more records than it says")
               : SYNC_OK;
}

/* What comes behind `how` 1. */
static enum sync_rc wait_for(struct sync_err *e, struct dz *d, const uint8_t *in)
{
    struct dz_delta w = { .born = be64(in), .seq = be64(in + 8), .size = be32(in + 24) };
    enum sync_rc rc;

    if ((rc = seen(e, d)))
        return rc;
    if (w.size == 0 || w.size > WIRE_RECORD_MAX)
        return sync_err_set(e, SYNC_INVALID, "dz: a delta of %u bytes", w.size);
    memcpy(w.name, in + 16, WIRE_DZ_NAME);
    if (d->nwaiting == d->waiting_room) {
        d->waiting_room = d->waiting_room ? 2 * d->waiting_room : 64;
        d->waiting = realloc(d->waiting, d->waiting_room * sizeof *d->waiting);
        if (!d->waiting)
            abort();
    }
    d->waiting[d->nwaiting++] = w;
    return SYNC_OK;
}

/* The record, whole, that begins at `in`; as below. */
static enum sync_rc whole_record(struct sync_err *e, struct dz *d, const uint8_t *in, size_t n,
                                 size_t *used)
{
    struct wire_frame f;
    size_t frame;
    enum sync_rc rc;

    if (n < WIRE_FRAME_FIXED)
        return SYNC_OK;
    frame = WIRE_FRAME_FIXED + ((size_t)in[2] << 8 | in[3]);
    if (frame > WIRE_FRAME_MAX)
        return sync_err_set(e, SYNC_INVALID, "dz: a title of %zu bytes",
                            frame - WIRE_FRAME_FIXED);
    if (n < frame)
        return SYNC_OK;
    if ((rc = wire_frame_decode(e, in, frame, &f)))
        return rc;
    if (n < frame + f.length)
        return SYNC_OK;
    if ((rc = seen(e, d)) || (rc = count(e, d, frame + f.length)))
        return rc;
    *used = 1 + frame + f.length;
    return d->calls.record(d->calls.ctx, e, &f, in, in + frame);
}

/* What begins at `in`, of which n bytes are there. *used 0: it is not all there. */
static enum sync_rc section_record(struct sync_err *e, struct dz *d, const uint8_t *in,
                                   size_t n, size_t *used)
{
    *used = 0;
    if (n == 0)
        return SYNC_OK;
    if (in[0] == 0)
        return whole_record(e, d, in + 1, n - 1, used);
    if (in[0] != 1)
        return sync_err_set(e, SYNC_INVALID, "dz: a record of kind %u", in[0]);
    if (n < 1 + WIRE_DZ_DELTA)
        return SYNC_OK;
    *used = 1 + WIRE_DZ_DELTA;
    return wait_for(e, d, in + 1);
}

static enum sync_rc section_bytes(struct sync_err *e, struct dz *d, const uint8_t *in, size_t n)
{
    enum sync_rc rc = SYNC_OK;

    while (n > 0 && !rc) {
        size_t piece = n < ROOM - d->held ? n : ROOM - d->held, at = 0, used = 1;

        memcpy(d->room + d->held, in, piece);
        d->held += piece;
        in += piece;
        n -= piece;
        while (used && !(rc = section_record(e, d, d->room + at, d->held - at, &used)))
            at += used;
        memmove(d->room, d->room + at, d->held - at);
        d->held -= at;
    }
    return rc;
}

static enum sync_rc section_end(struct sync_err *e, struct dz *d)
{
    if (!d->ended || d->held > 0 || d->seen != d->records)
        return sync_err_set(e, SYNC_INVALID, "dz: the section ends after %u of %u records",
                            d->seen, d->records);
    return SYNC_OK;
}

static enum sync_rc section_feed(struct sync_err *e, struct dz *d, const uint8_t *in, size_t n)
{
    uint8_t out[OUT_ROOM];
    ZSTD_inBuffer from = { in, n, 0 };
    enum sync_rc rc;

    for (;;) {
        ZSTD_outBuffer to = { out, sizeof out, 0 };
        size_t left;

        if (d->ended && from.pos < from.size)
            return sync_err_set(e, SYNC_INVALID, "dz: the section goes on behind its frame");
        left = ZSTD_decompressStream(d->stream, &to, &from);
        if (ZSTD_isError(left))
            return sync_err_set(e, SYNC_INVALID, "dz: %s", ZSTD_getErrorName(left));
        d->ended = left == 0;
        if ((rc = section_bytes(e, d, out, to.pos)))
            return rc;
        if (from.pos == from.size && (d->ended || to.pos < to.size))
            break;
    }
    d->section -= n;
    return d->section == 0 ? section_end(e, d) : SYNC_OK;
}

/* ---- the deltas ---- */

/* The n bytes of d->out, which must be the record that the section tells of. */
static enum sync_rc delta_record(struct sync_err *e, struct dz *d, const struct dz_delta *w,
                                 size_t n)
{
    struct wire_frame f;
    size_t frame;
    enum sync_rc rc;

    if ((rc = count(e, d, n)) || (rc = wire_frame_decode(e, d->out, n, &f)))
        return rc;
    frame = wire_frame_size(&f);
    if (n != frame + f.length)
        return sync_err_set(e, SYNC_INVALID, "dz: a delta gives %zu of %zu bytes", n,
                            frame + f.length);
    if (f.born != w->born || f.seq != w->seq)
        return sync_err_set(e, SYNC_INVALID, "dz: a delta gives another record");
    return d->calls.record(d->calls.ctx, e, &f, d->out, d->out + frame);
}

static enum sync_rc delta_undo(struct sync_err *e, struct dz *d, const struct dz_delta *w)
{
    size_t prefix_n = 0, n;
    bool held = false;
    enum sync_rc rc;

    if ((rc = d->calls.prefix(d->calls.ctx, e, w, d->prefix, &prefix_n, &held)) || !held)
        return rc;
    if (ZSTD_findFrameCompressedSize(d->room, w->size) != w->size)
        return sync_err_set(e, SYNC_INVALID, "dz: a delta is not one frame");
    n = ZSTD_DCtx_refPrefix(d->delta, d->prefix, prefix_n);
    if (!ZSTD_isError(n))
        n = ZSTD_decompressDCtx(d->delta, d->out, WIRE_RECORD_MAX, d->room, w->size);
    if (ZSTD_isError(n))
        return sync_err_set(e, SYNC_INVALID, "dz: a delta: %s", ZSTD_getErrorName(n));
    return delta_record(e, d, w, n);
}

static enum sync_rc delta_feed(struct sync_err *e, struct dz *d, const uint8_t **in, size_t *n)
{
    const struct dz_delta *w = &d->waiting[d->at];
    size_t piece = w->size - d->held < *n ? w->size - d->held : *n;
    enum sync_rc rc;

    memcpy(d->room + d->held, *in, piece);
    d->held += piece;
    *in += piece;
    *n -= piece;
    if (d->held < w->size)
        return SYNC_OK;
    if ((rc = delta_undo(e, d, w)))
        return rc;
    d->held = 0;
    d->at++;
    return SYNC_OK;
}

/* ---- all of it ---- */

static enum sync_rc header_take(struct sync_err *e, struct dz *d)
{
    if (memcmp(d->header, "TJZWDZ1\n", 8) != 0)
        return sync_err_set(e, SYNC_INVALID, "dz: not of version 1");
    d->records = be32(d->header + 8);
    d->section = be32(d->header + 12);
    if (d->records > d->most)
        return sync_err_set(e, SYNC_INVALID, "dz: %u records", d->records);
    if (d->section == 0)
        return sync_err_set(e, SYNC_INVALID, "dz: without a section");
    return SYNC_OK;
}

enum sync_rc dz_feed(struct sync_err *e, struct dz *d, const uint8_t *in, size_t n)
{
    enum sync_rc rc = SYNC_OK;

    while (n > 0 && d->header_n < WIRE_DZ_HEADER && !rc) {
        d->header[d->header_n++] = *in++;
        n--;
        if (d->header_n == WIRE_DZ_HEADER)
            rc = header_take(e, d);
    }
    while (n > 0 && !rc) {
        if (d->section > 0) {
            size_t piece = n < d->section ? n : (size_t)d->section;

            rc = section_feed(e, d, in, piece);
            in += piece;
            n -= piece;
        } else if (d->at < d->nwaiting) {
            rc = delta_feed(e, d, &in, &n);
        } else {
            rc = sync_err_set(e, SYNC_INVALID, "dz: bytes behind the last delta");
        }
    }
    return rc;
}

enum sync_rc dz_end(struct sync_err *e, struct dz *d)
{
    if (d->header_n < WIRE_DZ_HEADER || d->section > 0 || d->at < d->nwaiting)
        return sync_err_set(e, SYNC_INVALID, "dz: cut short");
    return SYNC_OK;
}
