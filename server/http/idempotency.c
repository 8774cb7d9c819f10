/*
 * idempotency.c - the table `idempotency`.
 *
 * The column `type` holds the Content-Type and, each on a line of its own, "name: value" of
 * every further header that the answer had, so that a replay is whole: Location matters most
 * where the first answer was lost.
 *
 * The body is sealed for its row: an answer may hold a letter, or who somebody is. One longer than SEAL_MAX is not kept.
 *
 * An item that is removed for good takes the bodies of all answers with it (server/library/takedown.c): then a replay has
 * status and headers only.
 */
#include "server/http/idempotency.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/http/witness.h"
#include "server/store/db.h"

static struct seal_place place_of(int64_t no)
{
    return (struct seal_place){ "idempotency.body", no };
}

/* Each part with its NUL between: no two requests give the same bytes. */
static void hash_request(struct work *w, const struct request *rq, uint8_t out[HASH_BYTES])
{
    struct buf b = BUF_IN(w->mem);

    buf_adds(&b, method_name(rq->method));
    buf_addc(&b, '\0');
    buf_adds(&b, rq->target);
    buf_addc(&b, '\0');
    buf_add(&b, rq->body, rq->body_len);
    if (w->who.person) /* in another's name it is another request */
        buf_printf(&b, "%c%" PRId64, '\0', w->who.account);
    sha256(b.p, b.n, out);
}

static void unpack_headers(struct work *w, const char *packed, struct reply *rp)
{
    char *at = arena_strdup(w->mem, packed), *line, *colon;

    line = strsep(&at, "\n");
    rp->type = *line ? line : NULL;
    while ((line = strsep(&at, "\n"))) {
        colon = strstr(line, ": ");
        if (!colon)
            continue;
        *colon = '\0';
        if (!strcmp(line, "etag"))
            rp->etag = colon + 2;
        else
            reply_header(rp, line, colon + 2);
    }
}

static char *pack_headers(struct work *w, const struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    buf_adds(&b, rp->type ? rp->type : "");
    if (rp->etag)
        buf_printf(&b, "\netag: %s", rp->etag);
    for (int i = 0; i < rp->nextra; i++)
        buf_printf(&b, "\n%s: %s", rp->extra[i].name, rp->extra[i].value);
    buf_addc(&b, '\0');
    return b.p;
}

/* It stays none if there is none. */
static enum rc open_body(struct work *w, const struct rows *q, struct reply *rp)
{
    size_t n;
    const void *sealed = rows_blob(q, 3, &n);
    char *body;
    enum rc rc;

    if (!sealed)
        return RC_OK;
    if ((rc = seal_open(w, place_of(rows_int(q, 4)), sealed, n, &body, &n)))
        return rc;
    rp->body = body;
    rp->len = n;
    return RC_OK;
}

static enum rc replay(struct work *w, const struct rows *q, const uint8_t hash[HASH_BYTES],
                      struct reply *rp)
{
    size_t n;
    const void *first = rows_blob(q, 0, &n);
    enum rc rc;

    if (!first || n != HASH_BYTES || memcmp(first, hash, HASH_BYTES))
        return err_set(&w->err, RC_UNPROCESSABLE,
                       "this Idempotency-Key was used for another request");
    rp->status = (int)rows_int(q, 1);
    unpack_headers(w, rows_text(q, 2), rp);
    if ((rc = open_body(w, q, rp)))
        return rc;
    rp->type = rp->len ? rp->type : NULL;
    if (rp->nextra < REPLY_HEADERS)
        reply_header(rp, "idempotency-replayed", "true");
    return RC_OK;
}

/* *known: there is an answer under this key, and rp is it. */
static enum rc look_up(struct work *w, const char *key, const uint8_t hash[HASH_BYTES],
                       struct reply *rp, bool *known)
{
    struct rows q;
    enum rc rc, end;

    *known = false;
    if ((rc = db_query(w, SQL_idempotency_find, &q, "tti", w->who.name, key,
                       clock_now() - IDEMPOTENCY_KEPT)))
        return rc;
    if (rows_next(&q)) {
        *known = true;
        rc = replay(w, &q, hash, rp);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc keep(struct work *w, const char *key, const uint8_t hash[HASH_BYTES],
                    const struct reply *rp)
{
    struct rows q;
    int64_t no = 0;
    uint8_t *sealed;
    size_t n;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_idempotency_put, &q, "ttbiti", w->who.name, key, hash,
                      (size_t)HASH_BYTES, (int64_t)rp->status, pack_headers(w, rp),
                      clock_now())))
        no = rows_int(&q, 0);
    end = rows_done(&q);
    if ((rc = rc ? rc : end) || !rp->len || rp->len > SEAL_MAX)
        return rc;
    if ((rc = seal_close(w, place_of(no), rp->body, rp->len, &sealed, &n)))
        return rc;
    return db_change(w, SQL_idempotency_set_body, "ib", no, sealed, n);
}

enum rc idempotency_run(struct work *w, const struct route *r, const struct request *rq,
                        struct reply *rp)
{
    const char *key = r->flags & R_NO_KEY ? NULL : rq->idempotency_key;
    uint8_t hash[HASH_BYTES];
    bool known = false;
    enum rc rc;

    if (!key)
        return witness_handle(w, r, rq, rp);
    hash_request(w, rq, hash);
    rc = look_up(w, key, hash, rp, &known);
    if (rc || known)
        return rc;
    rc = witness_handle(w, r, rq, rp);
    return rc ? rc : keep(w, key, hash, rp);
}
