/*
 * single.c - what a reader asks for when it lacks one record only: something old that somebody
 * wants to read, a delta whose prefix it does not hold, an item that repair has forgotten.
 *
 * Only the newest version is given away, as in a catch-up. So an answer may be kept for ever by
 * whoever got it, and not by us: the response cache forgets it with the generation, and then the
 * version that was superseded is gone here too.
 */
#include "sync/single.h"

#include <inttypes.h>
#include <string.h>

#include "server/store/db.h"
#include "sync/pack.h"

static enum rc check_epoch(struct work *w, struct live *l, const struct wire_url *u)
{
    struct rows q;
    uint64_t epoch;
    enum rc rc = db_one(w, SQL_sync_stream_by_no, &q, "i", live_no(l));

    epoch = rc ? 0 : (uint64_t)rows_int(&q, 0);
    if ((rc = rows_done(&q)))
        return rc;
    return u->epoch == epoch
               ? RC_OK
               : err_set(&w->err, RC_NOT_FOUND, "the log is in epoch %" PRIu64, epoch);
}

/* Another version than the newest was asked for: was there ever such a one? */
static enum rc not_newest(struct work *w, struct live *l, const struct wire_url *u,
                          uint64_t newest)
{
    struct rows q;
    bool ever = false;
    enum rc rc = db_query(w, SQL_sync_change_born, &q, "ii", live_no(l), (int64_t)u->seq);

    if (rc)
        return rc;
    if (rows_next(&q))
        ever = (uint64_t)rows_int(&q, 0) == u->born;
    if ((rc = rows_done(&q)))
        return rc;
    if (ever)
        return err_set(&w->err, RC_GONE, "item %" PRIu64 " is at %" PRIu64 " now", u->born,
                       newest);
    return err_set(&w->err, RC_NOT_FOUND, "item %" PRIu64 " never was at %" PRIu64, u->born,
                   u->seq);
}

static enum rc read_record(struct work *w, struct live *l, const struct wire_url *u,
                           struct pack *p)
{
    struct rows q;
    uint64_t newest = 0;
    enum rc rc = check_epoch(w, l, u), end;

    if (rc || (rc = db_query(w, SQL_sync_single, &q, "ii", live_no(l), (int64_t)u->born)))
        return rc;
    if (rows_next(&q)) {
        newest = (uint64_t)rows_int(&q, 0);
        rc = newest == u->seq ? pack_add(&w->err, p, &q) : RC_OK;
    }
    end = rows_done(&q);
    if (rc || (rc = end))
        return rc;
    return p->records ? RC_OK : not_newest(w, l, u, newest);
}

enum rc single_record(struct work *w, struct live *l, const struct wire_url *u,
                      const char **out, size_t *n)
{
    struct buf coded = BUF_IN(w->mem);
    struct pack p;
    enum rc rc = db_begin_read(w);

    if (rc)
        return rc;
    pack_init(&p, 0);
    rc = read_record(w, l, u, &p);
    db_end_read(w->db);
    if (!rc) {
        pack_end(&p);
        rc = pack_encode(&w->err, u->encoding, PACK_WAIT, p.body.p, p.body.n, &coded);
        *out = coded.p;
        *n = coded.n;
    }
    pack_done(&p);
    return rc;
}

enum rc single_place(struct work *w, struct live *l, const uint8_t id[WIRE_ID],
                     const char **out, size_t *n)
{
    struct rows q;
    const char *text = NULL;
    enum rc rc = db_one(w, SQL_sync_place, &q, "bi", id, (size_t)WIRE_ID, live_no(l));

    if (!rc)
        text =
            arena_printf(w->mem, "%" PRId64 " %" PRId64 "\n", rows_int(&q, 0), rows_int(&q, 1));
    if ((rc = rows_done(&q)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "no item of this id was ever published in this stream");
    if (!rc) {
        *out = text;
        *n = strlen(text);
    }
    return rc;
}
