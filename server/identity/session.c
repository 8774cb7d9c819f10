/*
 * session.c - the row is the truth, the table in memory its newest COMMIT.
 *
 *     session_open  --> row, generation 1
 *     exchange      --> the newest token: generation + 1              EXCHANGED
 *                       the one before it, within 10 s: the same      REPEATED
 *                       any other that we made, of this or an         REUSED: the row goes, and with it
 *                         earlier generation                            every token of the session
 *                       whatever else                                 UNKNOWN: nothing happens
 *     session_end, over  --> the row goes, and the rows of those that were begun by it (acting)
 *
 * A job of the writer changes the row; the table follows after the COMMIT, on the same thread and in the same order. Several
 * exchanges of one token may meet in one transaction: the second sees the first one's row, and is told from a reuse because the
 * table does not know that generation yet.
 *
 * A row holds the newest exchange's seed, so its answer can be made again and never an earlier one.
 * Not here: when it was used last, and what is over by the clock (session_tick.c).
 */
#include "server/identity/session.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/identity/network.h"
#include "server/identity/session_table.h"
#include "server/store/db.h"

enum { MINUTE = 60, DAY = 86400 };

static const struct policy {
    int64_t idle, whole; /* seconds it may rest; seconds it may last */
} policies[] = {
    [SESSION_CITIZEN] = { 90 * DAY, 366 * DAY },
    [SESSION_STAFF] = { 30 * MINUTE,
                        12 * 60 *
                            MINUTE }, /* GB/T 22239-2019 8.1.4.1: staff are signed out when they rest */
    [SESSION_ACTING] = { 30 * MINUTE,
                         12 * 60 * MINUTE }, /* so that nobody does it without knowing */
    /* Nobody can sign in again as a guest: he stays as long as he is heard of. With the days until an account is erased: 400. */
    [SESSION_GUEST] = { 385 * DAY, 36600 * (int64_t)DAY },
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

/* What is none is over soonest. */
static enum session_kind kind_of(int64_t kind)
{
    return kind >= 0 && kind < SESSION_KINDS ? (enum session_kind)kind : SESSION_STAFF;
}

static void read_row(const struct rows *q, int64_t id, struct row *out)
{
    *out = (struct row){
        .e = { .id = id,
               .account = rows_int(q, 0),
               .kind = kind_of(rows_int(q, 1)),
               .level = (int)rows_int(q, 2),
               .authenticated = rows_int(q, 3),
               .used = rows_int(q, 4),
               .stored = rows_int(q, 4),
               .ends = rows_int(q, 5),
               .generation = rows_int(q, 6),
               .pass = { { .ends = rows_int(q, 12) }, { .ends = rows_int(q, 14) } },
               .party = rows_int(q, 15),
               .scopes = (unsigned)rows_int(q, 16),
               .proofs = (unsigned)rows_int(q, 17),
               .acting = rows_int(q, 18),
               .opener = rows_int(q, 19),
               .machine = (uint64_t)rows_int(q, 20) },
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
    struct session_entry known;
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_session_by_id, &q, "i", id)))
        read_row(&q, id, out);
    end = rows_done(&q);
    if (!rc && session_table_get(id, &known) && known.used > out->e.used)
        out->e.used = known.used; /* by an access token, since it was written down */
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
        read_row(&q, rows_int(&q, 21), &row);
        session_table_put(&row.e);
    }
    return rows_done(&q);
}

/* ---- after the COMMIT ---- */

static void put(void *entry)
{
    session_table_put(entry);
}

static void (*on_end)(void);

void session_on_end(void (*fn)(void))
{
    on_end = fn;
}

static void drop(void *id)
{
    session_table_drop(*(int64_t *)id);
    if (on_end)
        on_end();
}

static void put_later(struct work *w, const struct session_entry *e)
{
    work_after_commit(w, put, arena_dup(w->mem, e, sizeof *e));
}

/* ---- gone ---- */

/* If it is a guest: nobody can come back as he, and the phone that lost him votes as another. */
static enum rc guest_leaves(struct work *w, int64_t account)
{
    enum rc rc = db_change(w, SQL_account_guest_leaves, "ii", account, clock_now());

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : db_run(w, SQL_account_guest_votes_go, "i", account);
}

static enum rc end_one(struct work *w, int64_t account, int64_t id)
{
    enum rc rc = db_change(w, SQL_session_drop, "ii", id, account);

    if (!rc)
        rc = guest_leaves(w, account);
    if (!rc)
        work_after_commit(w, drop, arena_dup(w->mem, &id, sizeof id));
    return rc;
}

/* Those that a query of numbers and accounts names; `account` 0: of whomever. What ends others is ended by none of them. */
static enum rc end_these(struct work *w, enum sql sql, int64_t by, int64_t account)
{
    struct buf list = BUF_IN(w->mem);
    struct session_entry e;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, sql, &q, "i", by)))
        return rc;
    while (rows_next(&q)) {
        e = (struct session_entry){ .id = rows_int(&q, 0), .account = rows_int(&q, 1) };
        if (!account || account == e.account)
            buf_add(&list, &e, sizeof e);
    }
    rc = rows_done(&q);
    for (size_t i = 0; i < list.n / sizeof e && !rc; i++) {
        memcpy(&e, list.p + i * sizeof e, sizeof e);
        rc = end_one(w, e.account, e.id);
    }
    return rc;
}

static enum rc end(struct work *w, int64_t account, int64_t id)
{
    enum rc rc = end_one(w, account, id);

    return rc ? rc : end_these(w, SQL_session_opened, id, 0);
}

/* It may have gone already, with the one that began it. */
static enum rc end_if_there(struct work *w, int64_t account, int64_t id)
{
    enum rc rc = end(w, account, id);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- open ---- */

static void hand_out(const struct bearer *access, const struct bearer *refresh, int64_t seconds,
                     struct session_tokens *out)
{
    bearer_put(access, out->access);
    bearer_put(refresh, out->refresh);
    out->seconds = seconds;
}

static int64_t new_id(void)
{
    uint64_t id;

    secret_random(&id, sizeof id);
    return (int64_t)(id >> 1 | 1);
}

/* Whoever signs in again and again leaves no heap of devices behind. */
static enum rc make_room(struct work *w, const struct session_new *new)
{
    struct session *there;
    int n, like = 0;
    enum rc rc;

    rc = session_list(w, new->account, &there, &n);
    for (int i = 0; i < n && !rc; i++) /* the one used last is the first */
        if (there[i].party == new->party && ++like >= SESSIONS_PER_ACCOUNT)
            rc = end_if_there(w, new->account, there[i].id);
    return rc;
}

enum rc session_open(struct work *w, const struct session_new *n, int64_t *id,
                     struct session_tokens *out)
{
    static const uint8_t none[BEARER_SEED];
    const struct policy *p = &policies[n->kind];
    int64_t now = clock_now(), number = new_id(),
            whole = n->once ? SESSION_ACCESS_LIFE : p->whole;
    struct bearer access = bearer_first(BEARER_ACCESS, number, key),
                  refresh = bearer_first(BEARER_REFRESH, number, key);
    struct session_entry e = {
        .id = number,
        .account = n->account,
        .party = n->party,
        .acting = n->acting,
        .opener = n->opener,
        .machine = n->machine,
        .scopes = n->scopes,
        .proofs = n->proofs,
        .kind = n->kind,
        .level = n->level,
        .authenticated = n->authenticated ? n->authenticated : now,
        .pass = { { .ends = now + (n->browser ? whole : SESSION_ACCESS_LIFE) } },
        .idle = p->idle,
        .ends = now + whole,
        .used = now,
        .stored = now,
        .generation = 1
    };
    uint8_t hash[32], *network;
    size_t network_n;
    enum rc rc;

    if (n->until && n->until < e.ends)
        e.ends = n->until;
    if (!*n->device || strlen(n->device) > SESSION_DEVICE_MAX)
        return err_field(&w->err, "device", "a device's name has 1 to %d bytes",
                         SESSION_DEVICE_MAX);
    if ((rc = make_room(w, n)) || (rc = network_close(w, number, &network, &network_n)))
        return rc;
    bearer_hash(&access, e.pass[0].hash);
    bearer_hash(&refresh, hash);
    if ((rc = db_run(w, SQL_session_add, "iiiitiiibbbiiiiibiii", number, n->account,
                     (int64_t)n->kind, (int64_t)n->level, n->device, now, session_over(&e),
                     e.ends, none, sizeof none, hash, sizeof hash, e.pass[0].hash,
                     sizeof e.pass[0].hash, e.pass[0].ends, e.authenticated, e.party,
                     (int64_t)e.scopes, (int64_t)e.proofs, network, network_n, e.acting,
                     e.opener, (int64_t)e.machine)))
        return rc;
    put_later(w, &e);
    hand_out(&access, &refresh, e.pass[0].ends - now, out);
    if (n->browser || n->once)
        secret_wipe(out->refresh, sizeof out->refresh);
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
    uint8_t seed[BEARER_SEED], hash[32], *network;
    size_t network_n;
    enum rc rc;

    if ((rc = network_close(w, e->id, &network, &network_n)))
        return rc;
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
    if ((rc = db_change(w, SQL_session_exchange, "iibbbiiib", e->id, clock_now_ms(), seed,
                        sizeof seed, hash, sizeof hash, e->pass[0].hash, sizeof e->pass[0].hash,
                        e->pass[0].ends, x->now, session_over(e), network, network_n)))
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

static const enum metric counts[] = { [SESSION_EXCHANGED] = METRIC_refreshes,
                                      [SESSION_REPEATED] = METRIC_refreshes_repeated,
                                      [SESSION_REUSED] = METRIC_refreshes_reused };

enum rc session_exchange(struct work *w, int64_t party, const char *refresh, int64_t now_us,
                         enum session_answer *how, struct session_tokens *out)
{
    struct turn x = { .now = clock_now(), .now_us = now_us };
    enum rc rc;

    *how = SESSION_UNKNOWN;
    if (!bearer_read(refresh, &x.token) || x.token.kind != BEARER_REFRESH)
        return RC_OK;
    if ((rc = find(w, x.token.session, &x.row)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (x.row.e.party != party)
        return RC_OK;
    bearer_hash(&x.token, x.hash);
    *how = judge(&x);
    switch (*how) {
    case SESSION_EXCHANGED: rc = give_next(w, &x, out); break;
    case SESSION_REPEATED: give_again(&x, out); break;
    case SESSION_REUSED:
        out->account = x.row.e.account;
        out->session = x.row.e.id;
        rc = end(w, x.row.e.account, x.row.e.id);
        break;
    case SESSION_UNKNOWN: break;
    }
    if (!rc && *how != SESSION_UNKNOWN)
        work_count(w, counts[*how], 1);
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

    if ((rc = db_run(w, SQL_erase_grant_code, "i", account)) ||
        (rc = db_run(w, SQL_erase_device_grant, "i", account)) ||
        (rc = session_list(w, account, &there, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++)
        if (there[i].id != but)
            rc = end_if_there(w, account, there[i].id);
    return rc;
}

enum rc session_end_acting(struct work *w, int64_t person, int64_t organisation)
{
    return end_these(w, SQL_session_of_acting, organisation, person);
}

static void drop_all(void *ids) /* on_end: programs have no streams of events */
{
    const struct buf *gone = ids;

    for (size_t i = 0; i < gone->n; i += sizeof(int64_t))
        session_table_drop(*(const int64_t *)(const void *)(gone->p + i));
}

enum rc session_end_of_party(struct work *w, int64_t party)
{
    struct buf gone = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_session_drop_of_party, &q, "i", party)))
        return rc;
    while (rows_next(&q)) {
        int64_t id = rows_int(&q, 0);

        buf_add(&gone, &id, sizeof id);
    }
    work_after_commit(w, drop_all, arena_dup(w->mem, &gone, sizeof gone));
    return rows_done(&q);
}

/* ---- who is it ---- */

static struct session_now now_of(const struct session_entry *e)
{
    return (struct session_now){ .id = e->id,
                                 .account = e->account,
                                 .party = e->party,
                                 .acting = e->acting,
                                 .opener = e->opener,
                                 .scopes = e->scopes,
                                 .proofs = e->proofs,
                                 .kind = (enum session_kind)e->kind,
                                 .level = e->level,
                                 .machine = e->machine,
                                 .authenticated = e->authenticated };
}

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
        *out = now_of(&e);
    return good;
}

static enum rc find_by_access(const char *access, struct session_now *out, int64_t *ends)
{
    struct session_entry e;
    struct bearer token;
    uint8_t hash[32];

    if (!session_check(access, out) || !bearer_read(access, &token) ||
        !session_table_get(out->id, &e))
        return RC_NOT_FOUND;
    bearer_hash(&token, hash);
    *ends = e.pass[!secret_equal(hash, e.pass[0].hash, 32)].ends;
    return RC_OK;
}

static enum rc find_by_refresh(struct work *w, const struct bearer *token,
                               struct session_now *out, int64_t *ends)
{
    struct row row;
    uint8_t hash[32];
    bool newest;
    enum rc rc;

    if ((rc = find(w, token->session, &row)))
        return rc;
    bearer_hash(token, hash);
    newest = secret_equal(hash, row.refresh, 32);
    if (clock_now() >= session_over(&row.e) || (!newest && !bearer_is_ours(token, key)))
        return RC_NOT_FOUND;
    *out = now_of(&row.e);
    *ends = newest ? session_over(&row.e) : 0;
    return RC_OK;
}

enum rc session_find(struct work *w, const char *token, struct session_now *out, int64_t *ends)
{
    struct bearer read;

    if (!bearer_read(token, &read))
        return RC_NOT_FOUND;
    return read.kind == BEARER_ACCESS ? find_by_access(token, out, ends)
                                      : find_by_refresh(w, &read, out, ends);
}

bool session_get(int64_t id, struct session_now *out)
{
    struct session_entry e;

    if (!session_table_get(id, &e) || clock_now() >= session_over(&e))
        return false;
    *out = now_of(&e);
    return true;
}

bool session_lives(int64_t id)
{
    struct session_now now;

    return session_get(id, &now);
}

static int by_use(const void *a, const void *b)
{
    const struct session *x = a, *y = b;

    return x->used != y->used ? (x->used < y->used) - (x->used > y->used)
                              : (x->id > y->id) - (x->id < y->id);
}

/* Rows know of a use some time later. */
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
                             .ends = rows_int(&q, 7),
                             .party = rows_int(&q, 8),
                             .scopes = (unsigned)rows_int(&q, 9),
                             .network = network_open(w, rows_int(&q, 0), &q, 10),
                             .acting = rows_int(&q, 11),
                             .machine = (uint64_t)rows_int(&q, 12) };

        if (session_table_get(s.id, &known)) {
            s.used = known.used;
            s.ends = session_over(&known);
        }
        buf_add(&list, &s, sizeof s);
    }
    *out = (struct session *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    if (*n)
        qsort(*out, (size_t)*n, sizeof **out, by_use);
    return rows_done(&q);
}
