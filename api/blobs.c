/*
 * blobs.c - bytes whose name is their hash.
 *
 *     PUT /v1/blobs/{sha256}
 *         Content-Range: bytes 0-262143/700000    a piece: {"have":262144,"size":700000}
 *         the same with * for 0-262143, no body   how much is there?
 *         no Content-Range                        the whole, in one piece
 *
 * A piece that does not begin where the last one ended is answered 409 with what is there in
 * Upload-Offset, so an upload that was cut goes on. While somebody else's piece of the same blob
 * is being written: 503 with Retry-After. A blob never changes; its name is its ETag.
 *
 * Everybody gets what a published item has, and may keep it for ever; who may edit or import
 * gets all; a preview link opens the files of its draft (?preview=). The rest is not there:
 * neither a draft's files nor those of what was withdrawn. What is not public is kept by no
 * cache, whoever was given it.
 *
 * What somebody uploaded is never believed: only pictures and PDF, known by their first bytes,
 * are given their type, all else is a download.
 */
#include "api/blobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/instance.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/channel/mirror_files.h"
#include "server/http/condition.h"
#include "server/identity/party_reach.h"
#include "server/library/attachment.h"
#include "server/library/item.h"
#include "server/store/blob.h"

static const struct magic {
    const char *bytes;
    size_t n, at;
    const char *type;
} magics[] = {
    { "\x89PNG\r\n\x1a\n", 8, 0, "image/png" },
    { "\xff\xd8\xff", 3, 0, "image/jpeg" },
    { "GIF8", 4, 0, "image/gif" },
    { "WEBP", 4, 8, "image/webp" },
    { "%PDF-", 5, 0, "application/pdf" },
};

static const char *type_of(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];

        if (n >= m->at + m->n && !memcmp(p + m->at, m->bytes, m->n))
            return m->type;
    }
    return NULL;
}

enum { READ_AT_ONCE = 16 * 1024, HEAD_BYTES = 4096 /* by which type_of() knows it */ };

static enum rc read_span(struct work *w, int fd, size_t from, size_t n)
{
    char into[READ_AT_ONCE];
    ssize_t got;

    for (; n; from += (size_t)got, n -= (size_t)got) {
        got = pread(fd, into, n < sizeof into ? n : sizeof into, (off_t)from);
        if (!got)
            errno = EIO; /* its end is missing */
        if (got <= 0)
            return err_errno(&w->err, "read a blob at %zu", from);
    }
    return RC_OK;
}

/*
 * Reads what will be sent and keeps none of it: then the loop, which sends from the mapping, finds it in the kernel's memory. A disk that
 * hangs holds up a worker here and all connections there; one that fails is an answer here and a SIGBUS there.
 */
static enum rc read_ahead(struct work *w, const struct request *rq, int fd, size_t size)
{
    size_t from, n;
    enum rc rc;

    if (!rq->range || rq->if_range ||
        condition_range(rq->range, strlen(rq->range), size, &from, &n) != RANGE_PART)
        return read_span(w, fd, 0, size);
    rc = read_span(w, fd, 0, size < HEAD_BYTES ? size : HEAD_BYTES);
    return rc ? rc : read_span(w, fd, from, n);
}

struct mapping {
    void *p;
    size_t n;
};

static void unmap(void *p)
{
    struct mapping *m = p;

    munmap(m->p, m->n);
}

/* The file in memory for as long as the work. A blob is never rewritten or cut, so the mapping
 * holds. */
static enum rc map_blob(struct work *w, const struct request *rq, const struct arg *hash,
                        struct mapping *out)
{
    AUTO(closep) int fd = -1;
    struct mapping *m;
    int64_t size;
    void *p;
    enum rc rc;

    if ((rc = blob_open(&w->err, instance()->dir, hash->hash, &fd, &size)))
        return rc;
    *out = (struct mapping){ .p = (void *)"" };
    if (!size)
        return RC_OK;
    if ((rc = read_ahead(w, rq, fd, (size_t)size)))
        return rc;
    p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_errno(&w->err, "read blob %s", hash->text);
    m = arena_zalloc(w->mem, sizeof *m);
    *m = *out = (struct mapping){ p, (size_t)size };
    arena_defer(w->mem, unmap, m);
    return RC_OK;
}

/* RC_NOT_FOUND if whoever asks may not see it; *open whether everybody may, and by this URL. */
static enum rc may_read(struct work *w, const struct request *rq, const struct arg *hash,
                        bool *open)
{
    const char *token = request_text(rq, "preview", NULL);
    struct id item;
    int64_t rev;
    enum rc rc;

    *open = false;
    if (token && !preview_check(&w->err, &instance()->preview, token, &item, &rev))
        return attachment_of(w, &item, rev, hash->hash);
    rc = attachment_public(w, hash->hash);
    *open = !rc && !token;
    return rc == RC_NOT_FOUND && actor_has(&w->who, ITEM_DRAFT_RIGHTS | RIGHT_IMPORT) ? RC_OK
                                                                                      : rc;
}

enum rc get_blob(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct arg *hash = request_arg(rq, "hash");
    struct mapping blob;
    const char *type;
    bool open;
    enum rc rc;

    if ((rc = may_read(w, rq, hash, &open)))
        return rc;
    if ((rc = map_blob(w, rq, hash, &blob)))
        return rc == RC_NOT_FOUND ? mirror_files_missing(w, hash->hash) : rc;
    type = type_of(blob.p, blob.n);
    reply_body(rp, type ? type : TYPE_BYTES, blob.p, blob.n);
    if (!type)
        reply_header(rp, "content-disposition", "attachment");
    reply_header(rp, "content-security-policy", "default-src 'none'; sandbox");
    rp->etag = arena_printf(w->mem, "\"%s\"", hash->text);
    rp->cache = open ? CACHE_FOREVER : NULL;
    rp->ranges = true;
    rp->in_place = true;
    return RC_OK;
}

/* "bytes 0-99/700"; or, to ask, an asterisk in place of the range. */
enum rc blobs_range(struct work *w, const struct request *rq, int64_t *offset, int64_t *size)
{
    const char *text = rq->content_range;
    int64_t last;
    int end = 0;

    *offset = 0;
    *size = (int64_t)rq->body_len;
    if (!text)
        return RC_OK;
    if (!rq->body_len && sscanf(text, "bytes */%12" SCNd64 "%n", size, &end) == 1 && !text[end])
        return RC_OK;
    end = 0;
    if (sscanf(text, "bytes %12" SCNd64 "-%12" SCNd64 "/%12" SCNd64 "%n", offset, &last, size,
               &end) != 3 ||
        !end || text[end] || *offset < 0 || last < *offset || last >= *size ||
        last - *offset + 1 != (int64_t)rq->body_len)
        return err_field(&w->err, "Content-Range",
                         "Content-Range is not \"bytes FIRST-LAST/SIZE\" of the bytes sent");
    return RC_OK;
}

enum rc put_blob(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    int64_t offset, size, have = 0;
    enum rc rc;

    if ((rc = blobs_range(w, rq, &offset, &size)))
        return rc;
    if (party_is_tried(w)) { /* a file is no row that a rollback takes back */
        reply_header(rp, "sandbox", "true");
        have = offset + (int64_t)rq->body_len;
    } else
        rc = blob_chunk(&w->err, instance()->dir, request_arg(rq, "hash")->hash, size, offset,
                        rq->body, rq->body_len, &have);
    if (rc == RC_CONFLICT)
        reply_header(rp, "upload-offset", arena_printf(w->mem, "%" PRId64, have));
    if (rc)
        return rc;
    buf_addc(&b, '{');
    jx_put_int(&b, "have", have);
    jx_put_int(&b, "size", size);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = have == size && rq->body_len ? 201 : 200;
    return RC_OK;
}
