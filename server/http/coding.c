/*
 * coding.c - by zlib and libzstd, a piece at a time into what grows, so that a small bomb never becomes more than was allowed.
 *
 * One gzip member, one zstd frame: nobody packs a request otherwise. The frame's window is bounded by `max` too, for that is memory a stranger asks for.
 */
#include "server/http/coding.h"

#include <string.h>
#include <strings.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "server/base/buf.h"

enum { PIECE = 16384, GZIP_WINDOW = 16 + 15, WINDOW_LOG = 20 };

struct unpacking {
    struct err *e;
    const char *body;
    size_t n, max;
    struct buf out;
};

static enum rc refuse_large(const struct unpacking *u)
{
    return err_set(u->e, RC_TOO_LARGE,
                   "the content has more than %zu bytes when it is unpacked", u->max);
}

static enum rc refuse_damaged(const struct unpacking *u, const char *coding)
{
    return err_set(u->e, RC_INVALID, "the content is not one whole piece of %s", coding);
}

/* Room for a piece; one byte more than is allowed tells that it is too large. */
static size_t reserve(struct unpacking *u)
{
    size_t left = u->max + 1 - u->out.n, room = left < PIECE ? left : PIECE;

    buf_reserve(&u->out, room + 1);
    return room;
}

static enum rc gunzip_all(struct unpacking *u, z_stream *z)
{
    int code = Z_OK;

    while (code == Z_OK) {
        size_t room = reserve(u);

        z->next_out = (unsigned char *)u->out.p + u->out.n;
        z->avail_out = (unsigned)room;
        code = inflate(z, Z_NO_FLUSH);
        u->out.n += room - z->avail_out;
        if (u->out.n > u->max)
            return refuse_large(u);
    }
    return code == Z_STREAM_END && !z->avail_in ? RC_OK : refuse_damaged(u, "gzip");
}

static enum rc gunzip(struct unpacking *u)
{
    z_stream z = { .next_in = (unsigned char *)(uintptr_t)u->body, .avail_in = (unsigned)u->n };
    enum rc rc;

    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return err_set(u->e, RC_INTERNAL, "zlib cannot start");
    rc = gunzip_all(u, &z);
    inflateEnd(&z);
    return rc;
}

static enum rc unzstd_all(struct unpacking *u, ZSTD_DCtx *z)
{
    ZSTD_inBuffer in = { u->body, u->n, 0 };
    size_t left = 1, before;

    do {
        size_t room = reserve(u);
        ZSTD_outBuffer out = { u->out.p + u->out.n, room, 0 };

        before = in.pos;
        left = ZSTD_decompressStream(z, &out, &in);
        if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
            return refuse_large(u);
        if (ZSTD_isError(left))
            return refuse_damaged(u, "zstd");
        u->out.n += out.pos;
        if (u->out.n > u->max)
            return refuse_large(u);
        if (left && !out.pos && in.pos == before)
            return refuse_damaged(u, "zstd");
    } while (left);
    return in.pos == in.size ? RC_OK : refuse_damaged(u, "zstd");
}

static enum rc unzstd(struct unpacking *u)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    enum rc rc;

    if (!z)
        return err_set(u->e, RC_INTERNAL, "libzstd cannot start");
    if (ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG)))
        rc = err_set(u->e, RC_INTERNAL, "libzstd takes no bound");
    else
        rc = unzstd_all(u, z);
    ZSTD_freeDCtx(z);
    return rc;
}

static const struct {
    const char *name;
    enum rc (*unpack)(struct unpacking *u);
} codings[] = { { "gzip", gunzip }, { "zstd", unzstd } };

enum rc coding_unpack(struct err *e, struct arena *mem, const char *coding, const char *body,
                      size_t n, size_t max, const char **out, size_t *out_n)
{
    struct unpacking u = { e, body, n, max, BUF_IN(mem) };
    enum rc rc;

    if (!coding || !strcasecmp(coding, "identity")) {
        *out = body;
        *out_n = n;
        return RC_OK;
    }
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        if (strcasecmp(coding, codings[i].name) != 0)
            continue;
        if ((rc = codings[i].unpack(&u)))
            return rc;
        u.out.p[u.out.n] = '\0';
        *out = u.out.p;
        *out_n = u.out.n;
        return RC_OK;
    }
    return err_field(e, "Content-Encoding", "this takes gzip, zstd or no coding");
}
