/*
 * letter_files.c - the same pieces as PUT /v1/blobs/{hash} (blobs.c), into another place with other readers.
 *
 * What is read is what was kept, so its bytes are not those of the hash in the address: metadata is out (server/citizen/picture.h). No cache may keep it.
 */
#include "api/letter_files.h"

#include <inttypes.h>
#include <string.h>

#include "api/blobs.h"
#include "server/base/jx.h"
#include "server/citizen/letter_scan.h"
#include "server/citizen/letter_staff.h"

const struct param letter_file_params[] = {
    { "letter", P_TEXT, 1, ID_TEXT - 1, "信件的编号，或 UUID" },
    { "hash", P_HASH, 0, 0, "文件的 SHA-256，64 位小写十六进制" },
    { 0 }
};

/* ---- sent ---- */

struct upload {
    struct letter_piece piece;
    struct letter_taken taken;
};

enum rc prepare_my_blob(struct work *w, struct request *rq)
{
    struct upload *u = arena_zalloc(w->mem, sizeof *u);
    enum rc rc;

    u->piece.p = rq->body;
    u->piece.n = rq->body_len;
    u->piece.client = rq->client_tag;
    memcpy(u->piece.hash, request_arg(rq, "hash")->hash, sizeof u->piece.hash);
    if ((rc = blobs_range(w, rq, &u->piece.offset, &u->piece.size)))
        return rc;
    rc = letter_file_take(w, &u->piece, &u->taken);
    rq->prepared = u;
    return rc == RC_CONFLICT ? RC_OK : rc; /* the handler says how much is there */
}

enum rc put_my_blob(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct upload *u = rq->prepared;
    const struct letter_piece *p = &u->piece;
    struct buf b = BUF_IN(w->mem);
    int64_t have = u->taken.have;
    enum rc rc;

    if ((rc = letter_file_note(w, p, &u->taken)))
        return rc;
    if (p->n && p->offset + (int64_t)p->n > have) {
        reply_header(rp, "upload-offset", arena_printf(w->mem, "%" PRId64, have));
        return err_set(&w->err, RC_CONFLICT, "请从第 %" PRId64 " 字节接着传", have);
    }
    buf_addc(&b, '{');
    jx_put_int(&b, "have", have);
    jx_put_int(&b, "size", p->size);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = have == p->size && p->n ? 201 : 200;
    return RC_OK;
}

/* ---- read ---- */

static enum rc reply_file(struct work *w, const struct letter_file *f, bool for_staff,
                          struct reply *rp)
{
    char *bytes;
    size_t n;
    enum rc rc;

    if ((rc = letter_scan_may_read(w, f, for_staff)) ||
        (rc = letter_file_read(w, f, &bytes, &n)))
        return rc;
    reply_body(rp, file_kind_type(f->kind), bytes, n);
    reply_header(rp, "content-security-policy", "default-src 'none'; sandbox");
    reply_header(rp, "content-disposition", "attachment");
    return RC_OK;
}

enum rc get_my_blob(struct work *w, const struct request *rq, struct reply *rp)
{
    struct letter_file f;
    enum rc rc;

    if ((rc = letter_file_find(w, w->who.account, request_arg(rq, "hash")->hash, &f)))
        return rc;
    return reply_file(w, &f, false, rp);
}

enum rc get_letter_file(struct work *w, const struct request *rq, struct reply *rp)
{
    struct letter_file f;
    struct letter l;
    enum rc rc;

    if ((rc = letter_find(w, request_arg(rq, "letter")->text, &l)) ||
        (rc = letter_may(w, l.unit)) ||
        (rc = letter_file_of(w, &l, request_arg(rq, "hash")->text, &f)))
        return rc;
    return reply_file(w, &f, true, rp);
}
