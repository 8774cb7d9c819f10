/*
 * device.c - rows of the tables `device` and `device_result`.
 *
 *     n        taken: n = 1, 2, 3 …, each once, with its effect and its result in one transaction
 *     acked    the results up to there are on the phone: their bodies go, and after some hundred more the hashes too
 *
 * What nobody remembers any more cannot be told from another phone's: device_result_get() says so.
 */
#include "server/citizen/device.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/citizen/known.h"
#include "server/store/db.h"

enum rc device_get(struct work *w, int64_t account, const char *device, struct device *out)
{
    struct rows q;
    enum rc rc, end;

    *out = (struct device){ 0 };
    if (!(rc = db_one(w, SQL_device_one, &q, "it", account, device)))
        *out = (struct device){ .here = true,
                                .n = rows_int(&q, 0),
                                .acked = rows_int(&q, 1),
                                .seq = rows_int(&q, 2),
                                .heard = rows_int(&q, 3) };
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

/* ---- after the COMMIT ---- */

struct told {
    int64_t account;
    const char *device;
    struct known what;
};

static void tell_set(void *arg)
{
    const struct told *t = arg;

    known_put(t->account, t->device, t->what);
}

static void tell_gone(void *arg)
{
    const struct told *t = arg;

    known_drop(t->account, t->device);
}

static void tell(struct work *w, void (*fn)(void *), int64_t account, const char *device,
                 struct known what)
{
    const struct told t = { account, arena_strdup(w->mem, device), what };

    work_after_commit(w, fn, arena_dup(w->mem, &t, sizeof t));
}

/* ---- rows ---- */

static enum rc drop(struct work *w, int64_t account, const char *device)
{
    enum rc rc;

    if ((rc = db_run(w, SQL_device_drop_results, "it", account, device)) ||
        (rc = db_run(w, SQL_device_drop, "it", account, device)))
        return rc;
    tell(w, tell_gone, account, device, (struct known){ 0 });
    return RC_OK;
}

/* So that one more may come. */
static enum rc make_room(struct work *w, int64_t account)
{
    struct buf gone = BUF_IN(w->mem);
    struct rows q;
    int n = 0;
    enum rc rc;

    if ((rc = db_query(w, SQL_device_of_account, &q, "i", account)))
        return rc;
    while (rows_next(&q)) {
        const char *device = ++n >= DEVICES_MOST ? rows_dup_text(w, &q, 0) : NULL;

        if (device)
            buf_add(&gone, &device, sizeof device);
    }
    rc = rows_done(&q);
    for (size_t i = 0; i < gone.n / sizeof(char *) && !rc; i++)
        rc = drop(w, account, ((const char **)(void *)gone.p)[i]);
    return rc;
}

enum rc device_move(struct work *w, int64_t account, const char *device, const struct device *d)
{
    tell(w, tell_set, account, device, (struct known){ d->n, d->heard });
    return db_run(w, SQL_device_move, "itiii", account, device, d->n, d->acked, d->seq);
}

enum rc device_hear(struct work *w, int64_t account, const char *device, struct device *d)
{
    enum rc rc;

    if (!d->here && (rc = make_room(w, account)))
        return rc;
    d->here = true;
    d->heard = clock_now();
    tell(w, tell_set, account, device, (struct known){ d->n, d->heard });
    return db_run(w, SQL_device_hear, "itiiii", account, device, d->n, d->acked, d->seq,
                  d->heard);
}

enum rc device_ack(struct work *w, int64_t account, const char *device, struct device *d,
                   int64_t acked)
{
    enum rc rc;

    acked = acked < d->n ? acked : d->n;
    if (acked <= d->acked)
        return RC_OK;
    if ((rc = db_run(w, SQL_device_result_ack, "itii", account, device, d->acked, acked)))
        return rc;
    d->acked = acked;
    return db_run(w, SQL_device_result_forget, "iti", account, device,
                  acked - DEVICE_HASHES_KEPT);
}

/* ---- results ---- */

enum rc device_result_put(struct work *w, int64_t account, const char *device, int64_t n,
                          const uint8_t hash[DEVICE_HASH], const char *body)
{
    return db_run(w, SQL_device_result_put, "itibt", account, device, n, hash,
                  (size_t)DEVICE_HASH, body);
}

enum rc device_result_get(struct work *w, int64_t account, const char *device, int64_t n,
                          const uint8_t hash[DEVICE_HASH], bool *same, const char **body)
{
    struct rows q;
    enum rc rc, end;

    *same = false;
    *body = NULL;
    if (!(rc = db_one(w, SQL_device_result_one, &q, "iti", account, device, n))) {
        size_t size;
        const void *kept = rows_blob(&q, 0, &size);

        *same = kept && size == DEVICE_HASH && !memcmp(kept, hash, DEVICE_HASH);
        *body = rows_dup_text(w, &q, 1);
    }
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

/* ---- time ---- */

enum rc device_slowest(struct work *w, int64_t account, int64_t *seq)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_device_slowest, &q, "ii", account, clock_now() - DEVICE_AWAKE)))
        *seq = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

struct silent {
    int64_t account;
    const char *device;
};

enum rc device_forget_silent(struct work *w, int most, int *n)
{
    struct buf list = BUF_IN(w->mem);
    const struct silent *s;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_device_silent, &q, "ii", clock_now() - DEVICE_FORGOTTEN,
                       (int64_t)most)))
        return rc;
    while (rows_next(&q)) {
        const struct silent one = { rows_int(&q, 0), rows_dup_text(w, &q, 1) };

        buf_add(&list, &one, sizeof one);
    }
    rc = rows_done(&q);
    s = (const struct silent *)(void *)list.p;
    *n = (int)(list.n / sizeof *s);
    for (int i = 0; i < *n && !rc; i++)
        rc = drop(w, s[i].account, s[i].device);
    return rc;
}
