/*
 * websub_table.c - see the header.
 */
#include "server/websub/websub_table.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/store/db.h"

static const char ASK_SECRET[] = "websub_ask.secret", SECRET[] = "websub.secret";

static enum rc finish(struct rows *q, enum rc rc)
{
    enum rc end = rows_done(q);

    return rc ? rc : end;
}

static enum rc count(struct work *w, struct rows *q, enum rc rc, int64_t *out)
{
    (void)w;
    *out = rc ? 0 : rows_int(q, 0);
    return finish(q, rc);
}

/* ---- secrets ---- */

static enum rc put_secret(struct work *w, enum sql sql, const char *column, int64_t no,
                          const char *secret)
{
    uint8_t *sealed;
    size_t n;
    enum rc rc;

    if (!secret)
        return RC_OK;
    if ((rc = seal_close(w, (struct seal_place){ column, no }, secret, strlen(secret), &sealed,
                         &n)))
        return rc;
    return db_run(w, sql, "ib", no, sealed, n);
}

static enum rc read_secret(struct work *w, const struct rows *q, int at, const char *column,
                           int64_t no, const char **out)
{
    size_t n, plain_n;
    const void *sealed = rows_blob(q, at, &n);
    char *plain = NULL;
    enum rc rc = RC_OK;

    if (sealed)
        rc = seal_open(w, (struct seal_place){ column, no }, sealed, n, &plain, &plain_n);
    *out = plain;
    return rc;
}

/* ---- what was asked ---- */

static enum rc too_many(struct work *w, const char *what, int most)
{
    return err_set(&w->err, RC_TOO_MANY, "the host of the callback has %d %s; not more", most,
                   what);
}

/* A refusal is ours to tell, whoever waits. */
static enum rc need_room(struct work *w, const struct websub_ask *ask)
{
    int64_t n;
    struct rows q;
    enum rc rc;

    if (ask->mode == WEBSUB_DENIED)
        return RC_OK;
    if ((rc = count(w, &q, db_one(w, SQL_websub_asks_of_host, &q, "t", ask->host), &n)))
        return rc;
    if (n >= WEBSUB_ASKS_OF_HOST)
        return too_many(w, "requests that wait to be verified", WEBSUB_ASKS_OF_HOST);
    if (ask->mode == WEBSUB_UNSUBSCRIBE)
        return RC_OK;
    if ((rc = count(
             w, &q,
             db_one(w, SQL_websub_of_host, &q, "ttt", ask->host, ask->topic, ask->callback),
             &n)))
        return rc;
    return n >= WEBSUB_HOST_MOST ? too_many(w, "subscriptions of this feed", WEBSUB_HOST_MOST)
                                 : RC_OK;
}

enum rc websub_ask_add(struct work *w, const struct websub_ask *ask)
{
    int64_t no = 0;
    struct rows q;
    enum rc rc;

    if ((rc = need_room(w, ask)))
        return rc;
    rc = db_one(w, SQL_websub_ask_add, &q, "itttiti", (int64_t)ask->mode, ask->topic,
                ask->callback, ask->host, ask->lease, ask->reason, clock_now());
    if ((rc = count(w, &q, rc, &no)))
        return rc;
    return put_secret(w, SQL_websub_ask_secret, ASK_SECRET, no, ask->secret);
}

static enum rc read_ask(struct work *w, const struct rows *q, struct websub_ask *out)
{
    *out = (struct websub_ask){ .no = rows_int(q, 0),
                                .mode = (enum websub_mode)rows_int(q, 1),
                                .topic = rows_dup_text(w, q, 2),
                                .callback = rows_dup_text(w, q, 3),
                                .host = rows_dup_text(w, q, 4),
                                .lease = rows_int(q, 5),
                                .reason = rows_dup_text(w, q, 6) };
    return read_secret(w, q, 7, ASK_SECRET, out->no, &out->secret);
}

enum rc websub_ask_list(struct work *w, int64_t after, int most, struct websub_ask **out,
                        int *n)
{
    struct websub_ask *all = arena_zalloc(w->mem, (size_t)most * sizeof *all);
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(w, SQL_websub_asks, &q, "ii", after, (int64_t)most)))
        return rc;
    while (!rc && *n < most && rows_next(&q))
        rc = read_ask(w, &q, &all[(*n)++]);
    *out = all;
    return finish(&q, rc);
}

enum rc websub_ask_drop(struct work *w, int64_t no)
{
    return db_run(w, SQL_websub_ask_drop, "i", no);
}

/* ---- subscriptions ---- */

static void read_place(const struct rows *q, int at, struct websub_place *out)
{
    size_t n;
    const void *chain = rows_blob(q, at + 1, &n);

    *out = (struct websub_place){ .n = rows_int(q, at) };
    if (chain && n == WEBSUB_CHAIN)
        memcpy(out->chain, chain, n);
}

enum rc websub_put(struct work *w, int64_t no, const struct websub_place *place,
                   struct websub_row *out)
{
    int64_t now = clock_now();
    struct websub_ask ask;
    struct rows q;
    enum rc rc = db_one(w, SQL_websub_ask_by_no, &q, "i", no);

    if ((rc = finish(&q, rc ? rc : read_ask(w, &q, &ask))))
        return rc;
    *out = (struct websub_row){ .topic = ask.topic,
                                .callback = ask.callback,
                                .host = ask.host,
                                .secret = ask.secret,
                                .since = now,
                                .ends = now + ask.lease };
    rc = db_one(w, SQL_websub_put, &q, "tttiiib", ask.topic, ask.callback, ask.host, now,
                out->ends, place->n, place->chain, sizeof place->chain);
    if (!rc) {
        out->no = rows_int(&q, 0);
        read_place(&q, 1, &out->place);
    }
    if ((rc = finish(&q, rc)))
        return rc;
    return put_secret(w, SQL_websub_secret, SECRET, out->no, ask.secret);
}

enum rc websub_leave(struct work *w, const char *topic, const char *callback)
{
    return db_run(w, SQL_websub_leave, "tt", topic, callback);
}

enum rc websub_set(struct work *w, int64_t no, const struct websub_place *place,
                   unsigned failures, int64_t again_ms)
{
    return db_run(w, SQL_websub_told, "iibii", no, place->n, place->chain, sizeof place->chain,
                  (int64_t)failures, again_ms);
}

enum rc websub_drop(struct work *w, int64_t no)
{
    return db_run(w, SQL_websub_drop, "i", no);
}

/* A secret that does not open (its key was lost) is one subscriber's affair. */
static void read_row(struct work *w, const struct rows *q, bool secrets, struct websub_row *out)
{
    *out = (struct websub_row){ .no = rows_int(q, 0),
                                .topic = rows_dup_text(w, q, 1),
                                .callback = rows_dup_text(w, q, 2),
                                .host = rows_dup_text(w, q, 3),
                                .since = rows_int(q, 4),
                                .ends = rows_int(q, 5),
                                .failures = (unsigned)rows_int(q, 8),
                                .again_ms = rows_int(q, 9) };
    read_place(q, 6, &out->place);
    out->damaged = secrets && read_secret(w, q, 10, SECRET, out->no, &out->secret);
}

enum rc websub_list(struct work *w, int64_t after, int most, bool secrets,
                    struct websub_row **out, int *n)
{
    struct websub_row *all = arena_zalloc(w->mem, (size_t)most * sizeof *all);
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(w, SQL_websub_page, &q, "ii", after, (int64_t)most)))
        return rc;
    while (*n < most && rows_next(&q))
        read_row(w, &q, secrets, &all[(*n)++]);
    *out = all;
    return rows_done(&q);
}

enum rc websub_behind(struct work *w, const char *path, int64_t n, struct websub_behind *out)
{
    struct rows q;
    enum rc rc =
        db_one(w, SQL_websub_behind, &q, "tttii", arena_printf(w->mem, "%s.atom", path),
               arena_printf(w->mem, "%s.rss", path), arena_printf(w->mem, "%s.json", path), n,
               clock_now());

    if (!rc)
        *out = (struct websub_behind){ rows_int(&q, 0), rows_int(&q, 1), rows_int(&q, 2) };
    return finish(&q, rc);
}
