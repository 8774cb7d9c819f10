/*
 * account.c - rows of the table `account`.
 *
 * A number is never used twice and never goes, for it stands in the audit log and in rows of others: what is merged leaves a pointer, and
 * pointers point at what is no pointer, because whoever merges takes all that pointed at him along.
 */
#include "server/identity/account.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/base/secret.h"
#include "server/identity/acting.h"
#include "server/identity/consent.h"
#include "server/identity/factor.h"
#include "server/identity/identifier.h"
#include "server/identity/name.h"
#include "server/identity/party.h"
#include "server/identity/session.h"
#include "server/store/db.h"

static const char *const kind_names[ACCOUNT_KINDS] = { "citizen", "staff", "organisation",
                                                       "guest" };
static const char *const state_names[ACCOUNT_STATES] = { "open", "locked", "leaving", "merged",
                                                         "locked" };

const char *account_kind_name(enum account_kind kind)
{
    return kind_names[kind];
}

const char *account_state_name(enum account_state state)
{
    return state_names[state];
}

bool account_is_locked(const struct account *a)
{
    return a->state == ACCOUNT_LOCKED || a->state == ACCOUNT_HELD;
}

bool account_is_leaving(const struct account *a)
{
    return a->state == ACCOUNT_LEAVING || a->state == ACCOUNT_HELD;
}

static struct seal_place name_of(int64_t id)
{
    return (struct seal_place){ "account.name", id };
}

static enum rc missing(struct work *w, enum rc rc, int64_t id)
{
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "there is no account %" PRId64, id) : rc;
}

/* ---- reading ---- */

struct row {
    struct account a;
    const void *name; /* sealed */
    size_t name_n;
    int64_t merged;
};

static enum rc read_row(struct work *w, const struct rows *q, struct row *out)
{
    size_t n;
    const void *subject = rows_blob(q, 4, &n);
    int64_t kind = rows_int(q, 1), state = rows_int(q, 2);

    if (kind < 0 || kind >= ACCOUNT_KINDS || state < 0 || state >= ACCOUNT_STATES || !subject ||
        n != ACCOUNT_SUBJECT)
        return err_set(&w->err, RC_CORRUPT, "account %" PRId64 " is no account",
                       rows_int(q, 0));
    *out = (struct row){ .a = { .id = rows_int(q, 0),
                                .kind = (enum account_kind)kind,
                                .state = (enum account_state)state,
                                .level = (int)rows_int(q, 3),
                                .password = rows_dup_text(w, q, 6),
                                .password_at = rows_int(q, 7),
                                .created = rows_int(q, 8),
                                .state_at = rows_int(q, 12) },
                         .merged = rows_int(q, 9) };
    out->a.level_by = rows_dup_text(w, q, 10);
    out->a.level_at = rows_int(q, 11);
    memcpy(out->a.subject, subject, ACCOUNT_SUBJECT);
    out->name = rows_dup_blob(w, q, 5, &out->name_n);
    return RC_OK;
}

static enum rc open_name(struct work *w, struct row *r)
{
    char *name;
    size_t n;
    enum rc rc;

    if (!r->name)
        return RC_OK;
    if ((rc = seal_open(w, name_of(r->a.id), r->name, r->name_n, &name, &n)))
        return rc;
    r->a.name = name;
    return RC_OK;
}

static enum rc find(struct work *w, int64_t id, struct row *out)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_account_by_id, &q, "i", id)))
        rc = read_row(w, &q, out);
    end = rows_done(&q);
    rc = rc ? rc : end;
    return rc ? missing(w, rc, id) : open_name(w, out);
}

enum rc account_by_id(struct work *w, int64_t id, struct account *out)
{
    struct row r;
    enum rc rc = find(w, id, &r);

    if (!rc && r.a.state == ACCOUNT_MERGED)
        rc = find(w, r.merged, &r);
    if (!rc)
        *out = r.a;
    return rc;
}

enum rc account_by_identifier(struct work *w, const char *kind, const char *value,
                              struct account *out)
{
    int64_t id;
    enum rc rc = identifier_owner(w, kind, value, &id);

    return rc ? rc : account_by_id(w, id, out);
}

enum rc account_list(struct work *w, enum account_kind kind, int64_t after, int most,
                     struct account **out, int *n)
{
    int64_t limit = most < ACCOUNT_PAGE_MAX ? most : ACCOUNT_PAGE_MAX;
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_account_of_kind, &q, "iii", (int64_t)kind, after, limit)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct row r;

        if (!(rc = read_row(w, &q, &r)) && !(rc = open_name(w, &r)))
            buf_add(&list, &r.a, sizeof r.a);
    }
    end = rows_done(&q);
    if ((rc = rc ? rc : end))
        return rc;
    *out = (struct account *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

enum rc account_count(struct work *w)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_account_count, &q, "i", (int64_t)ACCOUNT_MERGED), end;

    if (!rc)
        metric_set(METRIC_accounts, rows_int(&q, 0));
    end = rows_done(&q);
    return rc ? rc : end;
}

/* ---- changing ---- */

enum rc account_make(struct work *w, const struct account_new *n, struct account *out)
{
    int64_t now = clock_now();
    struct account a = { .kind = n->kind, .level = n->level, .created = now, .state_at = now };
    struct rows q;
    enum rc rc, end;

    if (n->subject)
        memcpy(a.subject, n->subject, sizeof a.subject);
    else
        secret_random(a.subject, sizeof a.subject);
    rc = db_one(w, SQL_account_add, &q, "iiibi", (int64_t)a.kind, (int64_t)ACCOUNT_OPEN,
                (int64_t)a.level, a.subject, sizeof a.subject, a.created);
    if (!rc)
        a.id = rows_int(&q, 0);
    end = rows_done(&q);
    if ((rc = rc ? rc : end))
        return rc;
    if (n->name && (rc = account_set_name(w, a.id, n->name)))
        return rc;
    a.name = arena_strdup(w->mem, n->name);
    work_count(w, METRIC_accounts, 1);
    *out = a;
    return RC_OK;
}

enum rc account_check_name(struct err *e, const char *name)
{
    if (strnlen(name, ACCOUNT_NAME_MAX + 1) > ACCOUNT_NAME_MAX)
        return err_field(e, "name", "a name has 1 to %d bytes", ACCOUNT_NAME_MAX);
    if (!name_is_fit(name))
        return err_field(e, "name", "a name is one line of characters that can be seen");
    return RC_OK;
}

enum rc account_set_name(struct work *w, int64_t id, const char *name)
{
    uint8_t *sealed = NULL;
    size_t n = 0;
    enum rc rc;

    if (name && ((rc = account_check_name(&w->err, name)) ||
                 (rc = seal_close(w, name_of(id), name, strlen(name), &sealed, &n))))
        return rc;
    return missing(w, db_change(w, SQL_account_set_name, "ib", id, sealed, n), id);
}

enum rc account_set_password(struct work *w, int64_t id, const char *hash)
{
    return missing(w,
                   db_change(w, SQL_account_set_password, "iti", id, hash,
                             hash ? clock_now() : (int64_t)0),
                   id);
}

enum rc account_renew_password(struct work *w, int64_t id, const char *old, const char *hash)
{
    return db_run(w, SQL_account_renew_password, "itt", id, old, hash);
}

enum rc account_set_state(struct work *w, int64_t id, enum account_state state)
{
    struct account to = { .state = state };
    struct row r;
    enum rc rc;

    if ((rc = find(w, id, &r)))
        return rc;
    if (r.a.state == ACCOUNT_MERGED || state == ACCOUNT_MERGED)
        return err_set(&w->err, RC_CONFLICT, "account %" PRId64 " is a part of another", id);
    if (account_is_locked(&to) &&
        ((rc = session_end_all(w, id, 0)) || (rc = session_end_acting(w, 0, id))))
        return rc;
    if (account_is_leaving(&r.a) && account_is_leaving(&to))
        to.state_at = r.a.state_at;
    else
        to.state_at = clock_now();
    if ((rc = db_change(w, SQL_account_set_state, "iii", id, (int64_t)state, to.state_at)))
        return rc;
    return party_follow_owner(w, id);
}

enum rc account_raise(struct work *w, int64_t id, int level, const char *by)
{
    if (level < 1 || level > ACCOUNT_LEVEL_MAX)
        return err_set(&w->err, RC_INVALID, "a level is 1 to %d", ACCOUNT_LEVEL_MAX);
    return db_run(w, SQL_account_raise, "iiti", id, (int64_t)level, by, clock_now());
}

static bool may_merge(const struct account *from, const struct account *into)
{
    return (from->kind == ACCOUNT_CITIZEN || from->kind == ACCOUNT_GUEST) &&
           from->state == ACCOUNT_OPEN && into->kind == ACCOUNT_CITIZEN &&
           into->state == ACCOUNT_OPEN;
}

enum rc account_may_merge(struct work *w, int64_t from, int64_t into)
{
    struct row a, b;
    unsigned factors;
    enum rc rc;

    if ((rc = find(w, from, &a)) || (rc = find(w, into, &b)) ||
        (rc = factor_kinds(w, from, &factors)))
        return rc;
    if (factors)
        return err_set(&w->err, RC_CONFLICT,
                       "the other account has a second factor: remove it there first");
    if (from == into || !may_merge(&a.a, &b.a))
        return err_set(&w->err, RC_CONFLICT, "these accounts cannot become one");
    return RC_OK;
}

enum rc account_merge(struct work *w, int64_t from, int64_t into)
{
    enum rc rc;

    if ((rc = account_may_merge(w, from, into)))
        return rc;
    if ((rc = session_end_all(w, from, 0)) || (rc = identifier_move(w, from, into)) ||
        (rc = acting_move(w, from, into)) || (rc = party_move(w, from, into)) ||
        (rc = consent_forget(w, from)))
        return rc;
    if ((rc = db_run(w, SQL_account_point, "ii", from, into)))
        return rc;
    work_count(w, METRIC_accounts, -1);
    return db_change(w, SQL_account_merge, "iiii", from, into, (int64_t)ACCOUNT_MERGED,
                     clock_now());
}
