/*
 * session.c - the row is the truth, the table in memory its newest COMMIT.
 *
 *     session_open  --> row, generation 1
 *     exchange      --> the newest token: generation + 1              EXCHANGED
 *                       the one before it, within 10 s: the same      REPEATED
 *                       any other that we made, of this or an         REUSED: the row goes, and with it
 *                         earlier generation                            every token of the session
 *                       whatever else                                 UNKNOWN: nothing happens
 *     session_end, over  --> the row goes
 *
 * A job of the writer changes the row; the table follows after the COMMIT, on the same thread and in the same order. Several
 * exchanges of one token may meet in one transaction: the second sees the first one's row, and is told from a reuse because the
 * table does not know that generation yet.
 *
 * A row holds the newest exchange's seed, so its answer can be made again and never an earlier one.
 *
 * When a session was last used is written down only when it matters, after a thirtieth of the time it may rest: every minute for
 * staff, every three days for citizens. So a crash shortens a session by that at most.
 */
#include "server/identity/session.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/secret.h"
#include "server/identity/session_table.h"
#include "server/store/db.h"

enum {
    MINUTE = 60,
    DAY = 86400,
    WORTH_WRITING = 30, /* a use is written down after this part of the time it may rest */
    TICK_MOST = 1000    /* sessions that one look at the clock writes down, or removes */
};

static const struct policy {
    int64_t idle, whole; /* seconds it may rest; seconds it may last */
} policies[] = {
    [SESSION_CITIZEN] = { 90 * DAY, 366 * DAY },
    [SESSION_STAFF] = { 30 * MINUTE,
                        12 * 60 *
                            MINUTE }, /* GB/T 22239-2019 8.1.4.1: staff are signed out when they rest */
};

static uint8_t key[SECRET_BYTES];

/* ---- rows ---- */

struct row {
    struct session_entry e; /* e.exchanged_us is not the row's to know */
    int64_t exchanged_ms;
    uint8_t seed[BEARER_SEED], refresh[32], before[32];
};

static void copy_blob(const struct rows *q, int column, uint8_t *out, size_t want)
{
    size_t n;
    const void *p = rows_blob(q, column, &n);

    memset(out, 0, want);
    if (p && n == want)
        memcpy(out, p, want);
}

static void read_row(const struct rows *q, int64_t id, struct row *out)
{
    *out = (struct row){
        .e = { .id = id,
               .account = rows_int(q, 0),
               .kind = rows_int(q, 1) == SESSION_STAFF ? SESSION_STAFF : SESSION_CITIZEN,
               .level = (int)rows_int(q, 2),
               .authenticated = rows_int(q, 3),
               .used = rows_int(q, 4),
               .stored = rows_int(q, 4),
               .ends = rows_int(q, 5),
               .generation = rows_int(q, 6),
               .pass = { { .ends = rows_int(q, 12) }, { .ends = rows_int(q, 14) } } },
        .exchanged_ms = rows_int(q, 7),
    };
    out->e.idle = policies[out->e.kind].idle;
    copy_blob(q, 8, out->seed, sizeof out->seed);
    copy_blob(q, 9, out->refresh, 32);
    copy_blob(q, 10, out->before, 32);
    copy_blob(q, 11, out->e.pass[0].hash, 32);
    copy_blob(q, 13, out->e.pass[1].hash, 32);
}

static enum rc find(struct work *w, int64_t id, struct row *out)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_session_by_id, &q, "i", id)))
        read_row(&q, id, out);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc session_load(struct work *w, const uint8_t token_key[32])
{
    struct row row;
    struct rows q;
    enum rc rc;

    memcpy(key, token_key, sizeof key);
    session_table_empty();
    if ((rc = db_query(w, SQL_session_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        read_row(&q, rows_int(&q, 15), &row);
        session_table_put(&row.e);
    }
    return rows_done(&q);
}

/* ---- after the COMMIT ---- */

static void put(void *entry)
{
    session_table_put(entry);
}

static void drop(void *id)
{
    session_table_drop(*(int64_t *)id);
}

static void put_later(struct work *w, const struct session_entry *e)
{
    work_after_commit(w, put, arena_dup(w->mem, e, sizeof *e));
}

/* ---- open ---- */

static void hand_out(const struct bearer *access, const struct bearer *refresh, int64_t seconds,
                     struct session_tokens *out)
{
    bearer_put(access, key, out->access);
    bearer_put(refresh, key, out->refresh);
    out->seconds = seconds;
}

static int64_t new_id(void)
{
    uint64_t id;

    secret_random(&id, sizeof id);
    return (int64_t)(id >> 1 | 1);
}

/* Whoever signs in again and again leaves no heap of devices behind. */
static enum rc make_room(struct work *w, int64_t account)
{
    struct session *there;
    enum rc rc;
    int n;

    if ((rc = session_list(w, account, &there, &n)))
        return rc;
    while (!rc && n >= SESSIONS_PER_ACCOUNT)
        rc = session_end(w, account, there[--n].id);
    return rc;
}

enum rc session_open(struct work *w, const struct session_new *n, int64_t *id,
                     struct session_tokens *out)
{
    static const uint8_t none[BEARER_SEED];
    const struct policy *p = &policies[n->kind];
    int64_t now = clock_now(), number = new_id();
    struct bearer access = bearer_first(BEARER_ACCESS, number),
                  refresh = bearer_first(BEARER_REFRESH, number);
    struct session_entry e = { .id = number,
                               .account = n->account,
                               .kind = n->kind,
                               .level = n->level,
                               .authenticated = now,
                               .pass = { { .ends = now + SESSION_ACCESS_LIFE } },
                               .idle = p->idle,
                               .ends = now + p->whole,
                               .used = now,
                               .stored = now,
                               .generation = 1 };
    uint8_t hash[32];
    enum rc rc;

    if (!*n->device || strlen(n->device) > SESSION_DEVICE_MAX)
        return err_field(&w->err, "device", "a device's name has 1 to %d bytes",
                         SESSION_DEVICE_MAX);
    if ((rc = make_room(w, n->account)))
        return rc;
    bearer_hash(&access, e.pass[0].hash);
    bearer_hash(&refresh, hash);
    if ((rc = db_run(w, SQL_session_add, "iiiitiiibbbi", number, n->account, (int64_t)n->kind,
                     (int64_t)n->level, n->device, now, session_over(&e), e.ends, none,
                     sizeof none, hash, sizeof hash, e.pass[0].hash, sizeof e.pass[0].hash,
                     e.pass[0].ends)))
        return rc;
    put_later(w, &e);
    hand_out(&access, &refresh, SESSION_ACCESS_LIFE, out);
    *id = number;
    return RC_OK;
}

/* ---- exchange ---- */

struct turn {
    struct bearer token;
    uint8_t hash[32];
    struct row row;
    int64_t now, now_us;
};

/* Whether the row's newest token was given out just now. */
static bool is_fresh(const struct turn *x)
{
    struct session_entry known;
    int64_t ms;

    if (session_table_get(x->row.e.id, &known)) {
        if (known.generation < x->row.e.generation)
            return true; /* in this very transaction */
        if (known.exchanged_us)
            return x->now_us - known.exchanged_us <= SESSION_REPEAT_MS * (int64_t)1000;
    }
    ms = clock_now_ms() - x->row.exchanged_ms; /* before this process began */
    return ms >= 0 && ms <= SESSION_REPEAT_MS;
}

static enum rc give_next(struct work *w, struct turn *x, struct session_tokens *out)
{
    struct session_entry *e = &x->row.e;
    struct bearer access, refresh;
    uint8_t seed[BEARER_SEED], hash[32];
    enum rc rc;

    secret_random(seed, sizeof seed);
    access = bearer_next(BEARER_ACCESS, &x->token, key, seed);
    refresh = bearer_next(BEARER_REFRESH, &x->token, key, seed);
    e->pass[1] = e->pass[0];
    bearer_hash(&access, e->pass[0].hash);
    bearer_hash(&refresh, hash);
    e->pass[0].ends = x->now + SESSION_ACCESS_LIFE;
    e->generation++;
    e->exchanged_us = x->now_us;
    e->used = e->stored = x->now;
    if ((rc = db_change(w, SQL_session_exchange, "iibbbiii", e->id, clock_now_ms(), seed,
                        sizeof seed, hash, sizeof hash, e->pass[0].hash, sizeof e->pass[0].hash,
                        e->pass[0].ends, x->now, session_over(e))))
        return rc;
    put_later(w, e);
    hand_out(&access, &refresh, SESSION_ACCESS_LIFE, out);
    return RC_OK;
}

static void give_again(const struct turn *x, struct session_tokens *out)
{
    struct bearer access = bearer_next(BEARER_ACCESS, &x->token, key, x->row.seed);
    struct bearer refresh = bearer_next(BEARER_REFRESH, &x->token, key, x->row.seed);

    hand_out(&access, &refresh, x->row.e.pass[0].ends - x->now, out);
}

static enum rc end(struct work *w, int64_t account, int64_t id)
{
    enum rc rc = db_change(w, SQL_session_drop, "ii", id, account);

    if (!rc)
        work_after_commit(w, drop, arena_dup(w->mem, &id, sizeof id));
    return rc;
}

/* What the token is to its session. */
static enum session_answer judge(const struct turn *x)
{
    if (x->now >= session_over(&x->row.e))
        return SESSION_UNKNOWN;
    if (secret_equal(x->hash, x->row.refresh, 32))
        return x->token.generation == x->row.e.generation ? SESSION_EXCHANGED : SESSION_UNKNOWN;
    if (!bearer_is_ours(&x->token, key) || x->token.generation > x->row.e.generation)
        return SESSION_UNKNOWN;
    return secret_equal(x->hash, x->row.before, 32) && is_fresh(x) ? SESSION_REPEATED
                                                                   : SESSION_REUSED;
}

enum rc session_exchange(struct work *w, const char *refresh, int64_t now_us,
                         enum session_answer *how, struct session_tokens *out)
{
    struct turn x = { .now = clock_now(), .now_us = now_us };
    struct session_entry known;
    enum rc rc;

    *how = SESSION_UNKNOWN;
    if (!bearer_read(refresh, &x.token) || x.token.kind != BEARER_REFRESH)
        return RC_OK;
    if ((rc = find(w, x.token.session, &x.row)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (session_table_get(x.row.e.id, &known) && known.used > x.row.e.used)
        x.row.e.used = known.used; /* by an access token, since it was written down */
    bearer_hash(&x.token, x.hash);
    *how = judge(&x);
    switch (*how) {
    case SESSION_EXCHANGED: rc = give_next(w, &x, out); break;
    case SESSION_REPEATED: give_again(&x, out); break;
    case SESSION_REUSED: rc = end(w, x.row.e.account, x.row.e.id); break;
    case SESSION_UNKNOWN: break;
    }
    secret_wipe(&x, sizeof x);
    return rc;
}

/* ---- end ---- */

enum rc session_end(struct work *w, int64_t account, int64_t id)
{
    enum rc rc = end(w, account, id);

    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "this account has no such session") : rc;
}

enum rc session_end_all(struct work *w, int64_t account, int64_t but)
{
    struct session *there;
    enum rc rc;
    int n;

    rc = session_list(w, account, &there, &n);
    for (int i = 0; i < n && !rc; i++)
        if (there[i].id != but)
            rc = end(w, account, there[i].id);
    return rc;
}

/* ---- who is it ---- */

bool session_check(const char *access, struct session_now *out)
{
    struct session_entry e;
    struct bearer token;
    uint8_t hash[32];
    bool good;

    if (!bearer_read(access, &token) || token.kind != BEARER_ACCESS)
        return false;
    bearer_hash(&token, hash);
    good = session_table_check(token.session, hash, clock_now(), &e);
    secret_wipe(&token, sizeof token);
    if (good)
        *out = (struct session_now){ .id = e.id,
                                     .account = e.account,
                                     .kind = (enum session_kind)e.kind,
                                     .level = e.level,
                                     .authenticated = e.authenticated };
    return good;
}

enum rc session_list(struct work *w, int64_t account, struct session **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct session_entry known;
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(w, SQL_session_of_account, &q, "i", account)))
        return rc;
    while (rows_next(&q)) {
        struct session s = { .id = rows_int(&q, 0),
                             .account = account,
                             .kind = (enum session_kind)rows_int(&q, 1),
                             .level = (int)rows_int(&q, 2),
                             .device = rows_dup_text(w, &q, 3),
                             .created = rows_int(&q, 4),
                             .authenticated = rows_int(&q, 5),
                             .used = rows_int(&q, 6),
                             .ends = rows_int(&q, 7) };

        if (session_table_get(s.id, &known)) {
            s.used = known.used;
            s.ends = session_over(&known);
        }
        buf_add(&list, &s, sizeof s);
    }
    *out = (struct session *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

/* ---- time ---- */

struct uses {
    int n;
    struct session_entry e[TICK_MOST];
};

static bool note_use(void *arg, struct session_entry *e)
{
    struct uses *u = arg;

    if (e->used - e->stored < e->idle / WORTH_WRITING)
        return true;
    e->stored = e->used;
    u->e[u->n++] = *e;
    return u->n < TICK_MOST;
}

/* What could not be written is written when it was used again. */
static enum rc store_uses(struct work *w)
{
    struct uses *u = arena_alloc(w->mem, sizeof *u);
    enum rc rc = RC_OK;

    u->n = 0;
    session_table_each(note_use, u);
    for (int i = 0; i < u->n && !rc; i++)
        rc = db_run(w, SQL_session_used, "iii", u->e[i].id, u->e[i].used,
                    session_over(&u->e[i]));
    return rc;
}

static enum rc remove_over(struct work *w)
{
    struct buf list = BUF_IN(w->mem);
    int64_t now = clock_now();
    struct session_entry e, known;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_session_over, &q, "ii", now, (int64_t)TICK_MOST)))
        return rc;
    while (rows_next(&q)) {
        e = (struct session_entry){ .id = rows_int(&q, 0), .account = rows_int(&q, 1) };
        buf_add(&list, &e, sizeof e);
    }
    rc = rows_done(&q);
    for (size_t i = 0; i < list.n / sizeof e && !rc; i++) {
        memcpy(&e, list.p + i * sizeof e, sizeof e);
        if (session_table_get(e.id, &known) && now < session_over(&known))
            rc = db_run(w, SQL_session_used, "iii", e.id, known.used, session_over(&known));
        else
            rc = end(w, e.account, e.id);
    }
    return rc;
}

static enum rc tidy(struct work *w)
{
    enum rc rc;

    if ((rc = db_begin(w)))
        return rc;
    if ((rc = store_uses(w)) || (rc = remove_over(w)) || (rc = db_commit(w))) {
        db_rollback(w->db);
        return rc;
    }
    work_committed(w);
    return RC_OK;
}

void session_tick(struct db *db, void *arg)
{
    struct arena *mem = arena_new();
    struct work w;

    (void)arg;
    work_init(&w, mem, db, "clock", RIGHT_READ);
    if (tidy(&w))
        LOG(LOG_ERROR, "sessions_not_tidied", L_STR("why", w.err.text));
    arena_free(mem);
}
