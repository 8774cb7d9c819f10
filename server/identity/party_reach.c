/*
 * party_reach.c - the table of party_reach.h.
 */
#include "server/identity/party_reach.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/identity/account.h"
#include "server/store/db.h"

enum whom { OWN, OTHER, PUBLIC, WHOM };
enum fate { REAL, TRIED, REFUSED };

static const enum fate fates[][WHOM] = {
    [PARTY_NONE] = { REAL, REAL, REAL },
    [PARTY_TEST] = { TRIED, TRIED, TRIED },
    [PARTY_TEAM] = { REAL, REFUSED, TRIED },
    [PARTY_LIVE] = { REAL, REAL, REAL },
};

/* Only a team has people of its own. */
static enum rc is_own(struct work *w, int64_t account, bool *out)
{
    struct rows q;
    enum rc rc;

    *out = false;
    if (w->who.kind != PARTY_TEAM)
        return RC_OK;
    if ((rc = db_query(w, SQL_party_team_has, &q, "ii", w->who.party, account)))
        return rc;
    *out = rows_next(&q);
    return rows_done(&q);
}

enum rc party_may_reach(struct work *w, int64_t account)
{
    bool own;
    enum rc rc = is_own(w, account, &own);

    if (rc || fates[w->who.kind][own ? OWN : OTHER] != REFUSED)
        return rc;
    return err_set(&w->err, RC_FORBIDDEN,
                   "内部（team）密钥只能发给登记为它自己的人的账号；请安全管理员登记，"
                   "或换用正式（live）密钥");
}

static void remember(struct work *w, int64_t account, const char *kind, const char *shown)
{
    struct reached *r;
    int n = 0;

    for (r = w->reached; r; r = r->next)
        n++;
    if (n == REACHED_MAX)
        return;
    r = arena_alloc(work_kept(w), sizeof *r);
    *r = (struct reached){ w->reached, account, kind,
                           shown ? arena_strdup(work_kept(w), shown) : NULL };
    w->reached = r;
}

enum rc party_reach(struct work *w, int64_t account, const char *kind, const char *shown)
{
    enum rc rc = party_may_reach(w, account);

    if (!rc && fates[w->who.kind][OTHER] == TRIED)
        remember(w, account, kind, shown);
    return rc;
}

void party_reach_public(struct work *w)
{
    w->tried = w->tried || fates[w->who.kind][PUBLIC] == TRIED;
}

bool party_is_tried(const struct work *w)
{
    return w->tried || fates[w->who.kind][OWN] == TRIED;
}

/* ---- a party's own people ---- */

enum rc party_team_list(struct work *w, int64_t party, int64_t **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_party_team_of, &q, "i", party)))
        return rc;
    while (rows_next(&q)) {
        int64_t account = rows_int(&q, 0);

        buf_add(&list, &account, sizeof account);
    }
    *out = (int64_t *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

static enum rc add(struct work *w, int64_t party, int64_t account)
{
    struct account a;
    enum rc rc = account_by_id(w, account, &a);

    if (rc == RC_NOT_FOUND || (!rc && a.state != ACCOUNT_OPEN))
        return err_field(&w->err, "team", "there is no open account %" PRId64, account);
    return rc ? rc : db_run(w, SQL_party_team_add, "ii", party, a.id);
}

enum rc party_team_set(struct work *w, int64_t party, const int64_t *accounts, int n)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_SECURE, EVERYWHERE)))
        return rc;
    if (n > PARTY_TEAM_MAX)
        return err_field(&w->err, "team", "a team has at most %d accounts", PARTY_TEAM_MAX);
    rc = db_run(w, SQL_party_team_clear, "i", party);
    for (int i = 0; i < n && !rc; i++)
        rc = add(w, party, accounts[i]);
    return rc;
}

enum rc party_team_move(struct work *w, int64_t from, int64_t into)
{
    enum rc rc = db_run(w, SQL_party_team_move, "ii", from, into);

    return rc ? rc : db_run(w, SQL_erase_party_team, "i", from);
}
