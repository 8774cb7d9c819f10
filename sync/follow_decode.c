/*
 * follow_decode.c - identity, gzip and zstd as one stream of bytes, in bounded memory.
 *
 * What comes out is limited (a few bytes can decode to gigabytes), and a zstd frame may ask for
 * a window of 8 MB and no more. A body that ends early or goes on behind its end is refused.
 */
#include "sync/follow_engine.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { OUT_ROOM = 128 << 10, WINDOW_LOG = 23 };

struct decode {
    enum wire_encoding encoding;
    uint64_t limit, done;
    decode_fn *fn;
    void *ctx;
    bool ended; /* the last frame is complete */
    ZSTD_DCtx *zstd;
    z_stream gzip;
    uint8_t out[OUT_ROOM];
};

struct decode *decode_new(enum wire_encoding encoding, uint64_t limit, decode_fn *fn, void *ctx)
{
    struct decode *d = malloc(sizeof *d);

    if (!d)
        abort();
    d->encoding = encoding;
    d->limit = limit;
    d->done = 0;
    d->fn = fn;
    d->ctx = ctx;
    d->ended = encoding == WIRE_IDENTITY;
    d->zstd = encoding == WIRE_ZSTD ? ZSTD_createDCtx() : NULL;
    d->gzip = (z_stream){ 0 };
    if (encoding == WIRE_ZSTD && (!d->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(
                                                  d->zstd, ZSTD_d_windowLogMax, WINDOW_LOG))))
        abort();
    if (encoding == WIRE_GZIP && inflateInit2(&d->gzip, 15 + 16) != Z_OK)
        abort();
    return d;
}

void decode_free(struct decode *d)
{
    if (!d)
        return;
    ZSTD_freeDCtx(d->zstd);
    if (d->encoding == WIRE_GZIP)
        inflateEnd(&d->gzip);
    free(d);
}

static enum sync_rc hand_on(struct sync_err *e, struct decode *d, const uint8_t *bytes,
                            size_t n)
{
    if (n == 0)
        return SYNC_OK;
    if (n > d->limit - d->done)
        return sync_err_set(e, SYNC_INVALID, "a body decodes to more than it may");
    d->done += n;
    return d->fn(d->ctx, e, bytes, n);
}

static enum sync_rc feed_zstd(struct sync_err *e, struct decode *d, const uint8_t *in, size_t n)
{
    ZSTD_inBuffer from = { in, n, 0 };
    enum sync_rc rc;

    for (;;) {
        ZSTD_outBuffer to = { d->out, OUT_ROOM, 0 };
        size_t left = ZSTD_decompressStream(d->zstd, &to, &from);

        if (ZSTD_isError(left))
            return sync_err_set(e, SYNC_INVALID, "zstd: %s", ZSTD_getErrorName(left));
        d->ended = left == 0;
        if ((rc = hand_on(e, d, d->out, to.pos)))
            return rc;
        if (from.pos == from.size && to.pos < to.size)
            return SYNC_OK;
    }
}

static enum sync_rc feed_gzip(struct sync_err *e, struct decode *d, const uint8_t *in, size_t n)
{
    enum sync_rc rc;

    d->gzip.next_in = (Bytef *)in;
    d->gzip.avail_in = (uInt)n;
    do {
        int code;

        if (d->ended)
            return sync_err_set(e, SYNC_INVALID, "gzip: bytes behind the end");
        d->gzip.next_out = d->out;
        d->gzip.avail_out = OUT_ROOM;
        code = inflate(&d->gzip, Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return sync_err_set(e, SYNC_INVALID, "gzip: %s",
                                d->gzip.msg ? d->gzip.msg : "broken");
        d->ended = code == Z_STREAM_END;
        if ((rc = hand_on(e, d, d->out, OUT_ROOM - d->gzip.avail_out)))
            return rc;
    } while (d->gzip.avail_in > 0 || (d->gzip.avail_out == 0 && !d->ended));
    return SYNC_OK;
}

enum sync_rc decode_feed(struct sync_err *e, struct decode *d, const uint8_t *in, size_t n)
{
    if (n == 0)
        return SYNC_OK;
    switch (d->encoding) {
    case WIRE_IDENTITY: return hand_on(e, d, in, n);
    case WIRE_GZIP: return feed_gzip(e, d, in, n);
    case WIRE_ZSTD: return feed_zstd(e, d, in, n);
    case WIRE_DZ: break;
    }
    return sync_err_set(e, SYNC_USAGE, "no such encoding");
}

enum sync_rc decode_end(struct sync_err *e, struct decode *d)
{
    if (!d->ended)
        return sync_err_set(e, SYNC_INVALID, "a body ends in the middle of its encoding");
    return SYNC_OK;
}
