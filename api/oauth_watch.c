/*
 * oauth_watch.c - what became of a token: introspection (RFC 7662), revocation (RFC 7009), and what it tells of its owner (userinfo).
 *
 * A program sees and ends its own tokens alone. Of all others it learns that they are not active, which is what it learns of garbage. But for
 * what another program got for itself: that is there to be shown to others, and tells them its name.
 */
#include "api/oauth.h"

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/grant_scope.h"
#include "server/identity/oidc.h"
#include "server/identity/provider.h"
#include "server/identity/session.h"

/* ---- introspection ---- */

/* Whether it is good, and for the client to know of; and whose it is. */
static enum rc look(struct work *w, const struct oauth_call *c, const char *token,
                    struct session_now *s, int64_t *ends, struct grant_client *of, bool *active)
{
    enum rc rc = session_find(w, token, s, ends);

    *active = !rc && (s->party == c->client.party || (s->party && !s->account)) &&
              *ends > clock_now() && provider_clients()->by_number(w->mem, s->party, of);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc describe(struct work *w, const struct grant_client *of,
                        const struct session_now *s, int64_t ends, struct buf *b)
{
    char scopes[GRANT_SCOPES_TEXT], subject[OIDC_SUBJECT];
    struct account a;
    enum rc rc;

    jx_put_bool(b, "active", true);
    jx_put_text(b, "client_id", of->id);
    jx_put_text(b, "token_type", "Bearer");
    jx_put_int(b, "exp", ends);
    jx_put_text(b, "scope", grant_scopes_text(s->scopes, scopes));
    if (!s->account)
        return RC_OK;
    if ((rc = account_by_id(w, s->account, &a)))
        return rc;
    oidc_subject(of, &a, subject);
    jx_put_text(b, "sub", subject);
    jx_put_text(b, "acr", arena_printf(w->mem, "%d", s->level));
    jx_put_int(b, "auth_time", s->authenticated);
    return RC_OK;
}

/* NULL, or the error. */
static const char *need_token(struct work *w, const struct oauth_call *c, bool key,
                              const char **token)
{
    if (c->error)
        return c->error;
    if (key && !c->client.confidential) {
        (void)err_set(&w->err, RC_INVALID, "this needs a client with a key");
        return "invalid_client";
    }
    if ((*token = oauth_text(c, "token")))
        return NULL;
    (void)err_set(&w->err, RC_INVALID, "token is missing");
    return "invalid_request";
}

enum rc post_introspect(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    const char *token, *error;
    struct grant_client of;
    struct session_now s;
    struct oauth_call c;
    int64_t ends;
    bool active;
    enum rc rc;

    oauth_read(w, rq, &c);
    if ((error = need_token(w, &c, true, &token))) {
        oauth_refuse(w, rq, rp, &c, error);
        return RC_OK;
    }
    if ((rc = look(w, &c, token, &s, &ends, &of, &active)))
        return rc;
    buf_addc(&b, '{');
    if (!active)
        jx_put_bool(&b, "active", false);
    else if ((rc = describe(w, &of, &s, ends, &b)))
        return rc;
    buf_adds(&b, "}\n");
    oauth_reply(rp, &b);
    return RC_OK;
}

/* ---- revocation ---- */

enum rc prepare_call(struct work *w, struct request *rq)
{
    struct oauth_call *c = arena_zalloc(w->mem, sizeof *c);

    rq->prepared = c;
    oauth_read(w, rq, c);
    return RC_OK;
}

/* A refresh token that was exchanged ends its session too: whoever holds it once held the session. */
enum rc post_revoke(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct oauth_call *c = rq->prepared;
    const char *token, *error;
    struct session_now s;
    int64_t ends;
    enum rc rc;

    if ((error = need_token(w, c, false, &token))) {
        oauth_refuse(w, rq, rp, c, error);
        return RC_OK;
    }
    rc = session_find(w, token, &s, &ends);
    if (rc == RC_NOT_FOUND || (!rc && s.party != c->client.party))
        return RC_OK; /* it is not active, as was asked */
    if (rc || (rc = session_end(w, s.account, s.id)))
        return rc;
    snprintf(w->who.name, sizeof w->who.name, "party:%s", c->client.id);
    return audit_add(w, AUDIT_grant_revoke, arena_printf(w->mem, "parties/%s", c->client.id),
                     RC_OK);
}

/* ---- userinfo ---- */

/* RFC 6750 section 3. */
static enum rc refuse(struct reply *rp, int status, const char *challenge)
{
    rp->status = status;
    reply_header(rp, "www-authenticate", challenge);
    return RC_OK;
}

enum rc get_userinfo(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct grant_client client;
    struct session_now s;
    enum rc rc;

    (void)rq;
    if (!session_get(w->who.session, &s) || !s.party || !s.account ||
        !provider_clients()->by_number(w->mem, s.party, &client))
        return refuse(rp, 401, "Bearer error=\"invalid_token\"");
    if (!(s.scopes & SCOPE_openid))
        return refuse(rp, 403, "Bearer error=\"insufficient_scope\", scope=\"openid\"");
    rc = oidc_userinfo(w, &client, s.account, s.scopes & client.scopes, &b);
    if (rc == RC_FORBIDDEN)
        return refuse(rp, 401, "Bearer error=\"invalid_token\"");
    if (!rc)
        reply_buf(rp, TYPE_JSON, &b);
    return rc;
}
