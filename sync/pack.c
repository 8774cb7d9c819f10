/*
 * pack.c - from rows of the log to the bytes that travel.
 *
 * A record is put together from the columns of its change and the bytes of its record, and
 * those are hashed again on the way: what the disk damaged is refused here and not on fourteen
 * million phones.
 *
 * Measured on 4 MiB of articles: zstd 9 at 52 MB/s to 842 KB, 12 at 25 MB/s to 823 KB, 19 at 2
 * MB/s to 708 KB, gzip 9 at 21 MB/s to 1,049 KB.
 */
#include "sync/pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/memory.h"

/* zstd's own blocks have this size: at its level 19 some 60 ms. Where the cuts are is part of the bytes. */
enum { SLICE = 128 << 10 };

enum { /* columns of the statements */
       C_SEQ,
       C_BORN,
       C_ITEM,
       C_OP,
       C_FLAGS,
       C_SITE,
       C_COL,
       C_DATE,
       C_TITLE,
       C_LENGTH,
       C_DIGEST,
       C_BYTES,
};

void pack_init(struct pack *p, size_t room)
{
    *p = (struct pack){ .body = BUF_HEAP, .lowest_seq = UINT64_MAX };
    buf_reserve(&p->body, room + WIRE_PACK_HEADER);
    p->body.n = WIRE_PACK_HEADER;
}

void pack_done(struct pack *p)
{
    buf_done(&p->body);
}

static enum rc frame_of(struct err *e, const struct rows *q, int first, struct wire_frame *f)
{
    size_t n = 0;
    const void *id = rows_blob(q, first + C_ITEM, &n);
    const char *title = rows_text(q, first + C_TITLE);

    if (!id || n != WIRE_ID || !title || strlen(title) > WIRE_TITLE_MAX)
        return err_set(e, RC_CORRUPT, "change %" PRId64 " is damaged",
                       rows_int(q, first + C_SEQ));
    *f = (struct wire_frame){
        .op = (uint8_t)rows_int(q, first + C_OP),
        .flags = (uint8_t)rows_int(q, first + C_FLAGS),
        .title_len = (uint16_t)strlen(title),
        .length = (uint32_t)rows_int(q, first + C_LENGTH),
        .born = (uint64_t)rows_int(q, first + C_BORN),
        .seq = (uint64_t)rows_int(q, first + C_SEQ),
        .site = (uint32_t)rows_int(q, first + C_SITE),
        .column = (uint32_t)rows_int(q, first + C_COL),
        .date = rows_int(q, first + C_DATE),
        .title = title,
    };
    memcpy(f->id, id, WIRE_ID);
    return RC_OK;
}

/* The record's bytes, if they are those that were published. */
static enum rc bytes_of(struct err *e, const struct rows *q, int first, struct pack_record *out)
{
    uint8_t found[HASH_BYTES];
    size_t n = 0, digest_n = 0;
    const void *digest = rows_blob(q, first + C_DIGEST, &digest_n);
    const void *bytes = rows_blob(q, first + C_BYTES, &n);

    if (rows_null(q, first + C_BYTES))
        return err_set(e, RC_GONE, "the bytes of change %" PRIu64 " were purged", out->f.seq);
    sha256(bytes ? bytes : "", n, found);
    if (n != out->f.length || digest_n != HASH_BYTES || memcmp(found, digest, HASH_BYTES))
        return err_set(e, RC_CORRUPT, "the bytes of change %" PRIu64 " are not those published",
                       out->f.seq);
    out->bytes = bytes ? bytes : "";
    out->digest = digest;
    return RC_OK;
}

static void count(struct pack *p, const struct wire_frame *f)
{
    if (!p->records++)
        p->first_born = f->born;
    p->last_born = f->born;
    if (f->seq < p->lowest_seq)
        p->lowest_seq = f->seq;
    if (f->seq > p->highest_seq)
        p->highest_seq = f->seq;
}

enum rc pack_record(struct err *e, const struct rows *q, int first, struct pack_record *out)
{
    struct sync_err se;
    enum rc rc;

    if ((rc = frame_of(e, q, first, &out->f)) || (rc = bytes_of(e, q, first, out)))
        return rc;
    if (wire_frame_encode(&se, &out->f, out->frame, &out->frame_n))
        return err_set(e, RC_CORRUPT, "change %" PRIu64 ": %s", out->f.seq, se.text);
    return RC_OK;
}

enum rc pack_add(struct err *e, struct pack *p, const struct rows *q)
{
    struct pack_record r;
    enum rc rc = pack_record(e, q, 0, &r);

    if (rc)
        return rc;
    buf_add(&p->body, r.frame, r.frame_n);
    buf_add(&p->body, r.bytes, r.f.length);
    count(p, &r.f);
    return RC_OK;
}

int64_t pack_born(const struct rows *q)
{
    return rows_int(q, C_BORN);
}

int64_t pack_seq(const struct rows *q)
{
    return rows_int(q, C_SEQ);
}

void pack_end(struct pack *p)
{
    wire_pack_header((uint8_t *)p->body.p, p->records);
}

/* gzip's counterpart of zstd's levels. */
static int gzip_level(int level)
{
    return level >= PACK_BEST ? 9 : level >= PACK_WAIT ? 6 : 4;
}

static size_t slice(size_t rest)
{
    return rest < SLICE ? rest : SLICE;
}

static bool is_set(const atomic_bool *stop)
{
    return stop && atomic_load_explicit(stop, memory_order_relaxed);
}

static enum rc stopped(struct err *e)
{
    return err_set(e, RC_BUSY, "the compression was stopped for something more urgent");
}

static enum rc gzip(struct err *e, int level, const void *p, size_t n, const atomic_bool *stop,
                    struct buf *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)p };
    uLong most;
    int done = Z_OK;

    if (deflateInit2(&z, gzip_level(level), Z_DEFLATED,
                     15 + 16 /* a gzip header without name and time */, 9,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(e, RC_INTERNAL, "zlib cannot start");
    most = deflateBound(&z, n);
    buf_reserve(out, most);
    z.next_out = (Bytef *)out->p + out->n;
    z.avail_out = (uInt)most;
    for (size_t at = 0; done == Z_OK && !is_set(stop);) {
        size_t part = slice(n - at);

        z.avail_in = (uInt)part;
        at += part;
        done = deflate(&z, at == n ? Z_FINISH : Z_NO_FLUSH);
    }
    out->n += z.total_out;
    deflateEnd(&z);
    if (done == Z_OK && is_set(stop))
        return stopped(e);
    return done == Z_STREAM_END ? RC_OK : err_set(e, RC_INTERNAL, "zlib did not finish");
}

static void free_cctx(ZSTD_CCtx **z)
{
    ZSTD_freeCCtx(*z);
}

static enum rc zstd(struct err *e, int level, const void *p, size_t n, const atomic_bool *stop,
                    struct buf *out)
{
    AUTO(free_cctx) ZSTD_CCtx *z = ZSTD_createCCtx();
    size_t most = ZSTD_compressBound(n), left = 1, at = 0;
    ZSTD_outBuffer to;

    if (!z)
        memory_end();
    buf_reserve(out, most);
    to = (ZSTD_outBuffer){ .dst = out->p + out->n, .size = most };
    /* Level 19 alone would have tables of 50 MB for 4 MiB; with these it is 18 MB and 0.4 per cent longer. */
    if (level >= PACK_BEST &&
        (ZSTD_isError(left = ZSTD_CCtx_setParameter(z, ZSTD_c_hashLog, 17)) ||
         ZSTD_isError(left = ZSTD_CCtx_setParameter(z, ZSTD_c_chainLog, 22))))
        return err_set(e, RC_INTERNAL, "zstd: %s", ZSTD_getErrorName(left));
    /* The size, told first, gives the parameters and the header of one call. */
    if (ZSTD_isError(left = ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(left = ZSTD_CCtx_setPledgedSrcSize(z, n)))
        return err_set(e, RC_INTERNAL, "zstd: %s", ZSTD_getErrorName(left));
    do {
        ZSTD_inBuffer from = { .src = (const char *)p + at, .size = slice(n - at) };

        if (is_set(stop))
            return stopped(e);
        at += from.size;
        do
            left = ZSTD_compressStream2(z, &to, &from, at == n ? ZSTD_e_end : ZSTD_e_continue);
        while (!ZSTD_isError(left) && (from.pos < from.size || (at == n && left)));
    } while (at < n && !ZSTD_isError(left));
    if (ZSTD_isError(left))
        return err_set(e, RC_INTERNAL, "zstd: %s", ZSTD_getErrorName(left));
    out->n += to.pos;
    return RC_OK;
}

enum rc pack_encode_until(struct err *e, enum wire_encoding encoding, int level, const void *p,
                          size_t n, const atomic_bool *stop, struct buf *out)
{
    switch (encoding) {
    case WIRE_GZIP: return gzip(e, level, p, n, stop, out);
    case WIRE_ZSTD: return zstd(e, level, p, n, stop, out);
    default: buf_add(out, p, n); return RC_OK;
    }
}

enum rc pack_encode(struct err *e, enum wire_encoding encoding, int level, const void *p,
                    size_t n, struct buf *out)
{
    return pack_encode_until(e, encoding, level, p, n, NULL, out);
}
