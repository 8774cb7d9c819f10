/*
 * lockout.c - who may, and what goes with it.
 */
#include "server/identity/lockout.h"

#include <inttypes.h>

#include "server/identity/role.h"
#include "server/store/db.h"

static enum rc check_asker(struct work *w, int64_t account)
{
    struct holding *h;
    enum rc rc;
    int n;

    if ((rc = work_need_at(w, RIGHT_SECURE, EVERYWHERE)) ||
        (rc = role_list(w, account, &h, &n)))
        return rc;
    if (w->who.account == account)
        return err_set(&w->err, RC_FORBIDDEN, "nobody locks his own account");
    for (int i = 0; i < n; i++)
        if (h[i].role->administrator && !w->who.operator)
            return err_set(&w->err, RC_FORBIDDEN,
                           "the account holds the role %s: it is locked on the machine",
                           h[i].role->word);
    return RC_OK;
}

static enum rc drop_invitations(struct work *w, int64_t account)
{
    return db_run(w, SQL_invite_drop_of, "t",
                  arena_printf(w->mem, "account:%" PRId64, account));
}

static enum account_state state_of(const struct account *a, bool locked)
{
    if (account_is_leaving(a))
        return locked ? ACCOUNT_HELD : ACCOUNT_LEAVING;
    return locked ? ACCOUNT_LOCKED : ACCOUNT_OPEN;
}

enum rc lockout_set(struct work *w, int64_t account, bool locked, struct account *out)
{
    struct account a;
    enum account_state to;
    enum rc rc;

    if ((rc = check_asker(w, account)) || (rc = account_by_id(w, account, &a)))
        return rc;
    if (a.id != account)
        return err_set(&w->err, RC_CONFLICT, "account %" PRId64 " is a part of another",
                       account);
    to = state_of(&a, locked);
    if (a.state != to && (rc = account_set_state(w, account, to)))
        return rc;
    if (locked && (rc = drop_invitations(w, account)))
        return rc;
    return account_by_id(w, account, out);
}
