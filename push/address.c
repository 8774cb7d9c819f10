/*
 * address.c - rows of the table push_address, and how the sets follow them.
 *
 *     a phone tells, an entry changes, an account or a session goes --(triggers)--> push_dirty --address_settle()--> traits of the row, push_set
 *
 * A token is sealed for its row and found by a keyed hash. Settling compares the traits that a row says it has with those its owner's entries give now; only what differs is changed,
 * for many devices at once, so that a row of a set is written once for all of them.
 *
 * What a damaged row says it has is not to be known. Such a device is taken out of every set there is, and put into those that its owner's entries give: so it stops nobody, refuses what he refused, and
 * is whole again.
 */
#include "push/address.h"

#include <string.h>

#include "push/sets.h"
#include "push/trait.h"
#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/seal.h"
#include "server/store/db.h"

enum {
    DAY = 86400,
    AT_ONCE = 500,
    SWEEPS = 4,   /* damaged devices of one settling: each touches a row of every trait */
    TICK_MS = 100 /* that others wait at most for a tick */
};

/* ---- told by the phone ---- */

static bool good_token(const struct transport_type *t, const char *token)
{
    size_t n = strlen(token);

    for (const char *s = token; *s; s++)
        if (*s <= ' ' || *s > '~')
            return false;
    return n >= t->least && n <= t->most;
}

struct told {
    enum transport by;
    uint8_t hash[HASH_BYTES];
    int64_t at, session;
};

/* What the device said last; at 0: nothing. */
static enum rc last_told(struct work *w, int64_t account, const char *device, struct told *out)
{
    const void *hash;
    struct rows q;
    enum rc rc, end;
    size_t n;

    *out = (struct told){ 0 };
    if (!(rc = db_one(w, SQL_push_address_one, &q, "it", account, device))) {
        *out = (struct told){ .by = (enum transport)rows_int(&q, 1),
                              .at = rows_int(&q, 3),
                              .session = rows_int(&q, 4) };
        if ((hash = rows_blob(&q, 2, &n)) && n == sizeof out->hash)
            memcpy(out->hash, hash, n);
    }
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

static enum rc put(struct work *w, int64_t account, const char *device, const struct told *now,
                   const char *token)
{
    uint8_t *sealed;
    struct rows q;
    enum rc rc, end;
    int64_t no = 0;
    size_t n;

    if ((rc = db_run(w, SQL_push_address_rename, "ibit", (int64_t)now->by, now->hash,
                     sizeof now->hash, account, device)) ||
        (rc = db_run(w, SQL_push_address_drop_token, "ibit", (int64_t)now->by, now->hash,
                     sizeof now->hash, account, device)))
        return rc;
    if (!(rc = db_one(w, SQL_push_address_set, &q, "itibbii", account, device, (int64_t)now->by,
                      now->hash, sizeof now->hash, "", (size_t)0, now->at, now->session)))
        no = rows_int(&q, 0);
    end = rows_done(&q);
    if (rc || (rc = end) ||
        (rc = seal_close(w, (struct seal_place){ "push_address.token", no }, token,
                         strlen(token), &sealed, &n)))
        return rc;
    return db_change(w, SQL_push_address_set_token, "ib", no, sealed, n);
}

/* It waited for the writer, and may have been ended by another phone meanwhile. */
static enum rc check_session(struct work *w)
{
    struct rows q;
    enum rc rc, end;

    if (!w->who.session)
        return RC_OK;
    rc = db_one(w, SQL_push_address_session, &q, "i", w->who.session);
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_UNAUTHORIZED, "this session has ended");
    return rc ? rc : end;
}

enum rc address_mine(struct work *w, int64_t account, const char *device, enum transport *by,
                     int64_t *told)
{
    struct told last;
    enum rc rc = last_told(w, account, device, &last);

    if (rc)
        return rc;
    if (!last.at)
        return err_set(&w->err, RC_NOT_FOUND, "this phone has not said where it is reached");
    *by = last.by;
    *told = last.at;
    return RC_OK;
}

enum rc address_tell(struct work *w, int64_t account, const char *device, enum transport by,
                     const char *token)
{
    const struct transport_type *type = transport_type((int)by);
    struct told now = { .by = by, .at = clock_now(), .session = w->who.session }, before;
    enum rc rc;

    if (!type || !good_token(type, token))
        return err_set(&w->err, RC_INVALID, "this is no token of this transport");
    seal_index(type->word, token, strlen(token), now.hash);
    if ((rc = check_session(w)) || (rc = last_told(w, account, device, &before)))
        return rc;
    if (before.by == by && before.session == now.session &&
        !memcmp(before.hash, now.hash, sizeof now.hash) && now.at - before.at < DAY &&
        now.at >= before.at)
        return RC_OK;
    return put(w, account, device, &now, token);
}

enum rc address_forget(struct work *w, int64_t account, const char *device)
{
    return db_run(w, SQL_push_address_drop, "it", account, device);
}

enum rc address_read(struct work *w, int64_t no, enum transport by, const char **token,
                     int64_t *told)
{
    const void *sealed;
    size_t n = 0, plain_n;
    char *plain = NULL;
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_address_target, &q, "ii", no, (int64_t)by))) {
        sealed = rows_blob(&q, 0, &n);
        *told = rows_int(&q, 1);
        rc = seal_open(w, (struct seal_place){ "push_address.token", no }, sealed,
                       sealed ? n : 0, &plain, &plain_n);
    }
    end = rows_done(&q);
    if (rc || (rc = end))
        return rc;
    *token = plain;
    return RC_OK;
}

enum rc address_told(struct work *w, int64_t no, int64_t *told)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_push_address_told, &q, "i", no)))
        *told = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc address_find(struct work *w, enum transport by, const char *token, int64_t *no)
{
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc, end;

    seal_index(transport_type((int)by)->word, token, strlen(token), hash);
    if (!(rc = db_one(w, SQL_push_address_by_token, &q, "ib", (int64_t)by, hash, sizeof hash)))
        *no = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc address_gone(struct work *w, int64_t no, int64_t told)
{
    return db_run(w, SQL_push_address_gone, "ii", no, told);
}

/* ---- the sets follow ---- */

struct settling {
    struct work *w;
    struct buf changes; /* struct sets_change */
    int sweeps;
};

static void change(struct settling *s, int64_t trait, int64_t no, bool in)
{
    struct sets_change c = { trait, no, in };

    buf_add(&s->changes, &c, sizeof c);
}

/* Both ascend. */
static bool differ(struct settling *s, int64_t no, const struct traits *before,
                   const struct traits *now)
{
    size_t at = s->changes.n;
    int i = 0, k = 0;

    while (i < before->n || k < now->n) {
        if (k == now->n || (i < before->n && before->no[i] < now->no[k]))
            change(s, before->no[i++], no, false);
        else if (i == before->n || now->no[k] < before->no[i])
            change(s, now->no[k++], no, true);
        else
            i++, k++;
    }
    return s->changes.n > at;
}

/* Whatever it stood in. */
static enum rc sweep(struct settling *s, int64_t no, const struct traits *now)
{
    struct rows q;
    enum rc rc = db_query(s->w, SQL_push_trait_all, &q, "");

    if (rc)
        return rc;
    while (rows_next(&q))
        if (!traits_have(now, rows_int(&q, 0)))
            change(s, rows_int(&q, 0), no, false);
    for (int i = 0; i < now->n; i++)
        change(s, now->no[i], no, true);
    s->sweeps++;
    LOG(LOG_ERROR, "push_device_damaged", L_STR("what", "its traits"));
    work_count(s->w, METRIC_push_devices_mended, 1);
    return rows_done(&q);
}

struct row {
    int64_t no, account;
    enum transport by;
    bool has_traits; /* it has stood in sets */
    bool damaged;    /* … and nobody knows in which */
    struct traits traits;
};

/* RC_NOT_FOUND. */
static enum rc read_row(struct work *w, int64_t no, struct row *out)
{
    struct rows q;
    enum rc rc, end;
    const void *p;
    size_t n = 0;

    if (!(rc = db_one(w, SQL_push_address_traits, &q, "i", no))) {
        p = rows_blob(&q, 2, &n);
        *out = (struct row){ .no = no,
                             .account = rows_int(&q, 0),
                             .by = (enum transport)rows_int(&q, 1),
                             .has_traits = !rows_null(&q, 2) };
        out->damaged = !traits_read(w, p ? p : "", p ? n : 0, &out->traits);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc settle_one(struct settling *s, int64_t no)
{
    struct traits now = { 0 };
    const void *p;
    struct row r;
    enum rc rc;
    size_t n;

    if ((rc = read_row(s->w, no, &r)) ||
        (transport_type((int)r.by) && (rc = traits_of(s->w, r.account, r.by, &now))))
        return rc;
    if (r.damaged && (rc = sweep(s, no, &now)))
        return rc;
    if (!r.damaged && !differ(s, no, &r.traits, &now) && r.has_traits)
        return RC_OK;
    traits_write(s->w, &now, &p, &n);
    return db_change(s->w, SQL_push_address_set_traits, "ib", no, p, n);
}

struct dirty {
    int64_t no;
    bool gone, damaged;
    struct traits had;
};

static enum rc settle_gone(struct settling *s, const struct dirty *d)
{
    static const struct traits none;

    if (d->damaged)
        return sweep(s, d->no, &none);
    differ(s, d->no, &d->had, &none);
    return RC_OK;
}

static enum rc list_dirty(struct work *w, int most, struct dirty **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(w, SQL_push_dirty_some, &q, "i", (int64_t)most)))
        return rc;
    while (rows_next(&q)) {
        struct dirty d = { .no = rows_int(&q, 0), .gone = !rows_null(&q, 1) };
        size_t len = 0;
        const void *p = rows_blob(&q, 1, &len);

        d.damaged = !traits_read(w, p ? p : "", p ? len : 0, &d.had);
        buf_add(&list, &d, sizeof d);
    }
    *out = (struct dirty *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

/* A set that was made anew may have found damaged devices. */
static enum rc leave_none(struct work *w, int most, int *n)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_push_dirty_some, &q, "i", (int64_t)1);

    if (rc)
        return rc;
    if (rows_next(&q))
        *n = most;
    return rows_done(&q);
}

enum rc address_settle(struct work *w, int most, int *n)
{
    struct settling s = { .w = w, .changes = BUF_IN(w->mem) };
    struct dirty *list;
    enum rc rc;

    if ((rc = list_dirty(w, most, &list, n)))
        return rc;
    for (int i = 0; i < *n; i++) {
        if (s.sweeps == SWEEPS) {
            *n = most; /* others are left for the next time */
            break;
        }
        rc = list[i].gone ? settle_gone(&s, &list[i]) : settle_one(&s, list[i].no);
        if (rc || (rc = db_run(w, SQL_push_dirty_done, "i", list[i].no)))
            return rc;
    }
    rc = sets_apply(w, (struct sets_change *)(void *)s.changes.p,
                    (int)(s.changes.n / sizeof(struct sets_change)));
    return rc || !*n ? rc : leave_none(w, most, n);
}

static enum rc settle_some(struct work *w, int *n)
{
    enum rc rc;

    if ((rc = db_begin(w)))
        return rc;
    if ((rc = address_settle(w, AT_ONCE, n)) || (rc = db_commit(w))) {
        db_rollback(w->db);
        return rc;
    }
    work_committed(w);
    return RC_OK;
}

void address_tick(struct db *db, void *unused)
{
    int64_t until = clock_mono_us() + TICK_MS * 1000;
    struct work w;
    int n;

    (void)unused;
    do {
        n = 0;
        work_init(&w, arena_new(), db, "clock", RIGHT_READ);
        if (settle_some(&w, &n)) {
            LOG(LOG_ERROR, "push_not_settled", L_STR("why", w.err.text));
            n = 0;
        }
        arena_free(w.mem);
    } while (n == AT_ONCE && clock_mono_us() < until);
}

/* ---- how many are damaged ---- */

static enum rc last_number(struct work *w, int64_t *no)
{
    struct rows q;
    enum rc rc, end;

    *no = 0;
    if (!(rc = db_one(w, SQL_push_address_last, &q, "")))
        *no = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc count_damaged(struct work *w, int64_t from, int64_t *n)
{
    struct traits t;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_address_block, &q, "ii", from, from + BITS)))
        return rc;
    while (rows_next(&q)) {
        size_t len = 0;
        const void *p = rows_blob(&q, 1, &len);

        *n += !traits_read(w, p ? p : "", p ? len : 0, &t);
    }
    return rows_done(&q);
}

enum rc address_damaged(struct work *w, int64_t *n)
{
    int64_t last;
    enum rc rc = last_number(w, &last);

    *n = 0;
    for (int64_t from = 0; from <= last && !rc; from += BITS) {
        work_part(w);
        rc = count_damaged(w, from, n);
        work_part_done(w);
    }
    return rc;
}
