/*
 * guest.c - made for whoever asks, so the asking is counted, by client.
 */
#include "server/citizen/guest.h"

#include <stdbool.h>

#include "server/base/clock.h"
#include "server/base/quota.h"
#include "server/citizen/adopt.h"
#include "server/identity/account.h"
#include "server/identity/bearer.h"

static struct quota guests = QUOTA(GUESTS_PER_HOUR, 3600);

enum rc guest_make(struct work *w, const char *device, uint64_t client, int64_t *account,
                   struct session_tokens *tokens, int64_t *wait)
{
    const struct account_new new = { .kind = ACCOUNT_GUEST };
    struct session_new s = { .kind = SESSION_GUEST, .device = device };
    struct account a;
    int64_t session;
    enum rc rc;

    if (!quota_take(&guests, client, 1, clock_now(), wait))
        return err_set(&w->err, RC_TOO_MANY,
                       "这个网络里一小时内新开始使用的手机太多了，请过一会儿再试，或者登录");
    if ((rc = account_make(w, &new, &a)))
        return rc;
    s.account = *account = a.id;
    return session_open(w, &s, &session, tokens);
}

/* An access token that has expired while its session lives: what it opens is still there. */
static bool may_be_refreshed(const char *token)
{
    struct bearer b;

    return bearer_read(token, &b) && session_lives(b.session);
}

enum rc guest_adopt(struct work *w, int64_t account, const char *token)
{
    struct session_now s;
    struct account guest;
    struct bearer b;
    int64_t ends;
    enum rc rc;

    if (!bearer_read(token, &b))
        return err_field(&w->err, "/guest", "this is no token of ours");
    rc = session_find(w, token, &s, &ends);
    if (rc == RC_NOT_FOUND && may_be_refreshed(token))
        return err_field(&w->err, "/guest", "this token has expired: refresh it first");
    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK
                                  : rc; /* no more: it was adopted before, or forgotten */
    if ((rc = account_by_id(w, s.account, &guest)))
        return rc;
    if (s.kind != SESSION_GUEST || guest.kind != ACCOUNT_GUEST)
        return err_set(&w->err, RC_CONFLICT, "this is the token of an account, not of a guest");
    if ((rc = adopt(w, guest.id, account)))
        return rc;
    return account_merge(w, guest.id, account);
}
