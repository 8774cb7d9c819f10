/*
 * catchup.c - built when first asked for, then kept by every cache on the way.
 *
 * A reader may ask only for the ends that its cursor rounds to, so a head has some eighty such
 * URLs (in each encoding) for all readers together; the response cache in front (server/http/cache.h) sees to it
 * that each is built once. The body never depends on what came after `to`: of each item it has
 * the last change inside the range, though the table holds later ones.
 *
 * One of more than BYTES_MAX is refused: its reader takes the objects of the index and a shorter
 * one from there. So that there is such an index soon, the refusal asks for it.
 */
#include "sync/catchup.h"

#include <inttypes.h>

#include "server/base/metric.h"
#include "server/store/db.h"
#include "sync/dz.h"
#include "sync/head.h"
#include "sync/live_state.h"
#include "sync/pack.h"

enum { BYTES_MAX = 64 << 20, LARGE = 1 << 20 };

/* Somebody waits for it: at most some 50 ms of compression. */
static int level_for(size_t n)
{
    return n > LARGE ? PACK_HURRY : PACK_WAIT;
}

static enum rc number(struct work *w, enum sql sql, struct live *l, const struct wire_url *u,
                      int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, sql, &q, "iii", live_no(l), (int64_t)u->from, (int64_t)u->to);

    *out = rc ? 0 : rows_int(&q, 0);
    return rows_done(&q);
}

static enum rc check_cut(struct work *w, struct live *l, const struct wire_url *u)
{
    struct rows q;
    uint64_t epoch, cut;
    enum rc rc = db_one(w, SQL_sync_stream_by_no, &q, "i", live_no(l));

    epoch = rc ? 0 : (uint64_t)rows_int(&q, 0);
    cut = rc ? 0 : (uint64_t)rows_int(&q, 2);
    if ((rc = rows_done(&q)))
        return rc;
    if (u->epoch != epoch)
        return err_set(&w->err, RC_NOT_FOUND, "the log is in epoch %" PRIu64, epoch);
    if (u->cut < cut)
        return err_set(&w->err, RC_GONE, "something was taken down since cut %" PRIu64, u->cut);
    if (u->cut > cut)
        return err_set(&w->err, RC_NOT_FOUND, "there is no cut %" PRIu64, u->cut);
    return RC_OK;
}

static enum rc collect(struct work *w, struct live *l, const struct wire_url *u, struct pack *p)
{
    struct rows q;
    enum rc rc, end;

    rc = db_query(w, SQL_sync_catchup, &q, "iii", live_no(l), (int64_t)u->from, (int64_t)u->to);
    if (rc)
        return rc;
    while (!rc && rows_next(&q))
        rc = pack_add(&w->err, p, &q);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc check(struct work *w, struct live *l, const struct wire_url *u, int64_t *bytes)
{
    enum rc rc;

    if ((rc = check_cut(w, l, u)) || (rc = head_known(w, l, u->epoch, u->to)) ||
        (rc = number(w, SQL_sync_catchup_bytes, l, u, bytes)))
        return rc;
    if (*bytes <= BYTES_MAX)
        return RC_OK;
    index_want(l->index, u->to);
    return err_set(&w->err, RC_TOO_LARGE,
                   "these changes have %" PRId64 " bytes: take the objects of the index",
                   *bytes);
}

/* The pack, or, as .dz, what takes its place. Checks and records are from one snapshot: a takedown in between
 * cannot be missed. */
static enum rc read_body(struct work *w, struct live *l, const struct wire_url *u,
                         struct pack *p)
{
    int64_t bytes;
    enum rc rc = check(w, l, u, &bytes);

    if (rc)
        return rc;
    if (u->encoding == WIRE_DZ) {
        p->body.n = 0;
        return dz_make(w, live_no(l), u, &p->body);
    }
    buf_reserve(&p->body, (size_t)bytes);
    rc = collect(w, l, u, p);
    pack_end(p);
    return rc;
}

static void drop_buf(void *b)
{
    buf_done(b);
}

/* A heap buffer that goes with the arena: growing inside of it would keep every smaller one. */
static struct buf *buf_with(struct arena *mem)
{
    struct buf *b = arena_zalloc(mem, sizeof *b);

    arena_defer(mem, drop_buf, b);
    return b;
}

static enum rc encode(struct work *w, const struct wire_url *u, struct pack *p,
                      const char **out, size_t *n)
{
    struct buf *coded = buf_with(w->mem);
    enum rc rc = RC_OK;

    if (u->encoding == WIRE_IDENTITY || u->encoding == WIRE_DZ) {
        *coded = p->body;
        p->body = BUF_HEAP;
    } else {
        rc = pack_encode(&w->err, u->encoding, level_for(p->body.n), p->body.p, p->body.n,
                         coded);
    }
    *out = coded->p;
    *n = coded->n;
    return rc;
}

enum rc catchup_make(struct work *w, struct live *l, const struct wire_url *u, const char **out,
                     size_t *n)
{
    struct pack p;
    enum rc rc;

    if (!wire_catchup_ok(u->from, u->to))
        return err_set(&w->err, RC_INVALID,
                       "no cursor rounds to %" PRIu64 " for a head at %" PRIu64, u->from,
                       u->to);
    if ((rc = db_begin_read(w)))
        return rc;
    pack_init(&p, 0);
    rc = read_body(w, l, u, &p);
    db_end_read(w->db);
    if (!rc && !(rc = encode(w, u, &p, out, n)))
        metric_add(METRIC_packs_built, 1);
    pack_done(&p);
    return rc;
}
