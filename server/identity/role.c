/*
 * role.c - rows, and what follows from them in memory.
 *
 *     role (account, role, site) --COMMIT--> members: account -> rights everywhere, rights at single sites
 *
 * Memory holds what may be done and not which role allows it. Of one account it is made anew from its rows whenever one of them changes,
 * inside the transaction, and put in its place after the COMMIT.
 */
#include "server/identity/role.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/identity/account.h"
#include "server/store/db.h"

static const struct role_info table[] = {
#define ROLE(name, number, word, chinese, rights, administrator) \
    { ROLE_##name, word, chinese, rights, administrator },
#include "server/identity/role.def"
#undef ROLE
};

enum { ROWS = sizeof table / sizeof *table };

const struct role_info *role_all(int *n)
{
    *n = ROWS;
    return table;
}

const struct role_info *role_find(const char *word)
{
    for (int i = 0; i < ROWS; i++)
        if (!strcmp(table[i].word, word))
            return &table[i];
    return NULL;
}

static const struct role_info *role_by_number(int64_t role)
{
    for (int i = 0; i < ROWS; i++)
        if (table[i].role == (enum role)role)
            return &table[i];
    return NULL;
}

/* ---- memory ---- */

struct member {
    int64_t account;
    unsigned rights;
    int n;
    struct scope scopes[]; /* by site */
};

static struct {
    pthread_rwlock_t lock;
    struct member **list; /* by account */
    int n, room;
} members = { .lock = PTHREAD_RWLOCK_INITIALIZER };

/* Where the account stands, or would. */
static int place_of(int64_t account)
{
    int low = 0, high = members.n;

    while (low < high) {
        int mid = (low + high) / 2;

        if (members.list[mid]->account < account)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct member **find(int64_t account)
{
    int at = place_of(account);

    return at < members.n && members.list[at]->account == account ? &members.list[at] : NULL;
}

static void make_room(void)
{
    if (members.n < members.room)
        return;
    members.room = members.room ? 2 * members.room : 64;
    members.list = realloc(members.list, (size_t)members.room * sizeof *members.list);
    if (!members.list)
        memory_end();
}

static size_t size_of(const struct member *m)
{
    return sizeof *m + (size_t)m->n * sizeof *m->scopes;
}

static void put(const struct member *m)
{
    struct member *copy = malloc(size_of(m)), **old = find(m->account);
    int at = place_of(m->account);

    if (!copy)
        memory_end();
    memcpy(copy, m, size_of(m));
    if (old) {
        free(*old);
        *old = copy;
        return;
    }
    make_room();
    memmove(members.list + at + 1, members.list + at,
            (size_t)(members.n - at) * sizeof *members.list);
    members.list[at] = copy;
    members.n++;
}

static void (*on_change)(void);

void role_on_change(void (*fn)(void))
{
    on_change = fn;
}

static void replace(void *member)
{
    pthread_rwlock_wrlock(&members.lock);
    put(member);
    pthread_rwlock_unlock(&members.lock);
    if (on_change)
        on_change();
}

void role_apply(int64_t account, struct arena *mem, struct actor *who)
{
    struct member **at;

    pthread_rwlock_rdlock(&members.lock);
    at = find(account);
    if (at) {
        who->rights |= (*at)->rights;
        who->nscopes = (*at)->n;
        who->scopes = arena_dup(mem, (*at)->scopes, (size_t)(*at)->n * sizeof *who->scopes);
    }
    pthread_rwlock_unlock(&members.lock);
}

/* ---- rows ---- */

static enum rc read_rows(struct work *w, struct rows *q, struct holding **out, int *n)
{
    struct buf list = BUF_IN(w->mem);

    while (rows_next(q)) {
        struct holding h = { .account = rows_int(q, 0),
                             .role = role_by_number(rows_int(q, 1)),
                             .site = rows_int(q, 2),
                             .giver = rows_dup_text(w, q, 3),
                             .since = rows_int(q, 4) };

        if (h.role) /* else of a newer program: it allows nothing here */
            buf_add(&list, &h, sizeof h);
    }
    *out = (struct holding *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(q);
}

static enum rc holdings_of(struct work *w, int64_t account, struct holding **out, int *n)
{
    struct rows q;
    enum rc rc = account ? db_query(w, SQL_role_of_account, &q, "i", account)
                         : db_query(w, SQL_role_all, &q, "");

    return rc ? rc : read_rows(w, &q, out, n);
}

/* The holdings of one account, by site. */
static struct member *member_of(struct arena *mem, int64_t account, const struct holding *h,
                                int n)
{
    struct member *m = arena_zalloc(mem, sizeof *m + (size_t)n * sizeof *m->scopes);

    m->account = account;
    for (int i = 0; i < n; i++) {
        if (h[i].site == EVERYWHERE) {
            m->rights |= h[i].role->rights;
            continue;
        }
        if (!m->n || m->scopes[m->n - 1].site != h[i].site)
            m->scopes[m->n++].site = h[i].site;
        m->scopes[m->n - 1].rights |= h[i].role->rights;
    }
    return m;
}

enum rc role_load(struct work *w)
{
    struct holding *h;
    enum rc rc;
    int n;

    if ((rc = holdings_of(w, 0, &h, &n)))
        return rc;
    pthread_rwlock_wrlock(&members.lock);
    while (members.n)
        free(members.list[--members.n]);
    for (int i = 0, end; i < n; i = end) {
        for (end = i; end < n && h[end].account == h[i].account; end++)
            ;
        put(member_of(w->mem, h[i].account, h + i, end - i));
    }
    pthread_rwlock_unlock(&members.lock);
    return RC_OK;
}

static enum rc changed(struct work *w, int64_t account)
{
    struct holding *h;
    enum rc rc;
    int n;

    if ((rc = holdings_of(w, account, &h, &n)))
        return rc;
    work_after_commit(w, replace, member_of(w->mem, account, h, n));
    return RC_OK;
}

enum rc role_list(struct work *w, int64_t account, struct holding **out, int *n)
{
    enum rc rc = work_need(w, RIGHT_SECURE);

    return rc ? rc : holdings_of(w, account, out, n);
}

/* ---- who may what by now ---- */

enum rc role_may(struct work *w, const char *name, unsigned rights, int64_t site, bool *may)
{
    static const char prefix[] = "account:";
    struct actor now = { 0 };
    struct account a;
    int64_t account;
    enum rc rc;

    *may = !strcmp(name, actor_operator.name);
    if (strncmp(name, prefix, sizeof prefix - 1))
        return RC_OK;
    account = strtoll(name + sizeof prefix - 1, NULL, 10);
    rc = account_by_id(w, account, &a);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc || a.id != account || account_is_locked(&a))
        return rc;
    role_apply(account, w->mem, &now);
    *may = actor_has_at(&now, rights, site);
    return RC_OK;
}

/* ---- who may give what to whom ---- */

static enum rc check_giver(struct work *w, int64_t account, const struct role_info *role)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_SECURE, EVERYWHERE)))
        return rc;
    if (role->administrator && !w->who.operator)
        return err_set(&w->err, RC_FORBIDDEN, "the role %s is given and taken on the machine",
                       role->word);
    if (w->who.account == account)
        return err_set(&w->err, RC_FORBIDDEN, "nobody changes his own roles");
    return RC_OK;
}

static enum rc check_taker(struct work *w, int64_t account)
{
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(w, account, &a)))
        return rc;
    if (a.id != account || a.kind != ACCOUNT_STAFF || a.state != ACCOUNT_OPEN)
        return err_set(&w->err, RC_CONFLICT, "account %" PRId64 " is not an open one of staff",
                       account);
    return RC_OK;
}

/* The administrators stand alone. */
static enum rc check_others(struct work *w, const struct role_info *role,
                            const struct holding *h, int n)
{
    if (n >= ROLES_PER_ACCOUNT)
        return err_set(&w->err, RC_CONFLICT, "an account holds at most %d roles",
                       ROLES_PER_ACCOUNT);
    for (int i = 0; i < n; i++)
        if (h[i].role != role && (role->administrator || h[i].role->administrator))
            return err_set(&w->err, RC_CONFLICT,
                           "the account holds the role %s, which excludes %s", h[i].role->word,
                           role->word);
    return RC_OK;
}

enum rc role_grant(struct work *w, int64_t account, const struct role_info *role, int64_t site)
{
    struct holding *h;
    enum rc rc;
    int n;

    if (role->administrator && site != EVERYWHERE)
        return err_field(&w->err, "site", "the role %s is for the whole server", role->word);
    if ((rc = check_giver(w, account, role)) || (rc = check_taker(w, account)) ||
        (rc = holdings_of(w, account, &h, &n)) || (rc = check_others(w, role, h, n)))
        return rc;
    rc = db_run(w, SQL_role_add, "iiiti", account, (int64_t)role->role, site, w->who.name,
                clock_now());
    if (rc == RC_CONFLICT)
        return err_set(&w->err, rc, "the account holds the role %s there already", role->word);
    return rc ? rc : changed(w, account);
}

enum rc role_revoke(struct work *w, int64_t account, const struct role_info *role, int64_t site)
{
    enum rc rc;

    if ((rc = check_giver(w, account, role)))
        return rc;
    rc = db_change(w, SQL_role_drop, "iii", account, (int64_t)role->role, site);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, rc, "the account does not hold the role %s there", role->word);
    if (!rc &&
        role->rights & RIGHT_SECURE) /* his links would go on giving what he may not any more */
        rc = db_run(w, SQL_invite_drop_of, "t",
                    arena_printf(w->mem, "account:%" PRId64, account));
    return rc ? rc : changed(w, account);
}
