/*
 * oauth_token.c - POST /oauth2/token: what a person allowed, or what a program is by itself, becomes tokens.
 *
 *     worker    who is the program, is the grant its own and good, the ID token is signed (1 ms)
 *     writer    the grant is looked at again and used up, a session of the party begins or goes on, COMMIT
 *
 * An answer that says no is an answer like any other, so that what it did (a code that was used twice ends a session) is committed.
 */
#include "api/oauth.h"

#include <string.h>

#include "api/instance.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/device_grant.h"
#include "server/identity/device_slip.h"
#include "server/identity/grant_scope.h"
#include "server/identity/oidc.h"
#include "server/identity/provider.h"
#include "server/identity/refusal.h"

struct token_call {
    struct oauth_call call;
    const struct grant_kind *kind;
    const char *secret; /* the code, the device code or the refresh token */
    struct grant_code code;
    struct device_grant device;
    struct session_now session; /* of the refresh token */
    const char *id_token;       /* NULL: none is due */
    unsigned scopes;
    struct session_tokens tokens;
    char known[SLIP_TEXT]; /* for the command line to keep; "": it is none */
};

/* On a worker and on the writer in turn: NULL, or the error that the program is told. rc is our own failure. */
struct grant_kind {
    const char *type;
    enum grant_way way;
    enum rc (*prepare)(struct work *w, struct token_call *t, const char **error);
    enum rc (*give)(struct work *w, struct token_call *t, const char **error);
};

static enum rc refuse(struct work *w, const char **error, const char *code, const char *why)
{
    (void)err_set(&w->err, RC_INVALID, "%s", why);
    *error = code;
    return RC_OK;
}

static enum rc tell(struct work *w, const struct token_call *t, enum audit_action action)
{
    work_fact_word(w, "grant", t->kind->type);
    return audit_add(w, action, arena_printf(w->mem, "parties/%s", t->call.client.id), RC_OK);
}

/* ---- what all of them do ---- */

/* Its name, as much of it as a device's has room for. */
static const char *device_name(struct work *w, const struct grant_client *c)
{
    size_t n = strlen(c->name);

    if (n > SESSION_DEVICE_MAX)
        for (n = SESSION_DEVICE_MAX; ((unsigned char)c->name[n] & 0xc0) == 0x80;)
            n--;
    return arena_strndup(w->mem, c->name, n);
}

static enum rc open_session(struct work *w, struct token_call *t, const struct grant_person *p,
                            int64_t *id, const char **error)
{
    const struct grant_client *c = &t->call.client;
    bool lasts = t->scopes & SCOPE_offline_access && c->ways & GRANT_BY_REFRESH;
    struct session_new n = { .account = p->account,
                             .party = c->party,
                             .scopes = t->scopes,
                             .kind = p->kind,
                             .proofs = p->proofs,
                             .authenticated = p->authenticated,
                             .level = p->level < c->ceiling ? p->level : c->ceiling,
                             .device = device_name(w, c),
                             .once = !lasts };
    struct account a;
    enum rc rc;

    if (!c->party) /* our own command line, at a member of staff's */
        n.machine = device_slip_put(oauth_text(&t->call, "known"), p->account, t->known);
    if (p->account && (rc = account_by_id(w, p->account, &a)))
        return rc == RC_NOT_FOUND ? refuse(w, error, "invalid_grant", "the account is gone")
                                  : rc;
    if (p->account && (a.state != ACCOUNT_OPEN || a.id != p->account))
        return refuse(w, error, "invalid_grant", "the account is not open");
    return session_open(w, &n, id, &t->tokens);
}

static enum rc sign(struct work *w, struct token_call *t, const struct grant_person *p,
                    const char *nonce, const char **error)
{
    const struct oidc_statement s = {
        .issuer = instance()->origin, .client = &t->call.client, .person = p, .nonce = nonce
    };
    enum rc rc;

    if (!(t->scopes & SCOPE_openid))
        return RC_OK;
    rc = oidc_id_token(w, provider_keys(), &s, &t->id_token);
    return rc == RC_FORBIDDEN ? refuse(w, error, "invalid_grant", "the account is not open")
                              : rc;
}

static const char *need(struct work *w, struct token_call *t, const char *name,
                        const char **error)
{
    const char *text = oauth_text(&t->call, name);

    if (!text) {
        (void)err_set(&w->err, RC_INVALID, "%s is missing", name);
        *error = "invalid_request";
    }
    return text;
}

/* ---- authorization_code ---- */

static enum rc check_code(struct work *w, struct token_call *t, const char *redirect,
                          const char *verifier, const char **error)
{
    if (t->code.given)
        return RC_OK; /* the writer ends what it gave */
    if (clock_now() - t->code.made > GRANT_CODE_LIFE || clock_now() < t->code.made)
        return refuse(w, error, "invalid_grant", "the code is too old");
    if (strcmp(t->code.redirect, redirect))
        return refuse(w, error, "invalid_grant", "redirect_uri is another");
    if (!authorize_verify(t->code.challenge, verifier))
        return refuse(w, error, "invalid_grant", "code_verifier does not fit");
    return RC_OK;
}

static enum rc prepare_code(struct work *w, struct token_call *t, const char **error)
{
    const char *code = need(w, t, "code", error);
    const char *redirect = code ? need(w, t, "redirect_uri", error) : NULL;
    const char *verifier = redirect ? need(w, t, "code_verifier", error) : NULL;
    enum rc rc;

    if (!verifier)
        return RC_OK;
    t->secret = code;
    rc = grant_code_find(w, code, &t->code);
    if (rc == RC_NOT_FOUND || (!rc && t->code.party != t->call.client.party))
        return refuse(w, error, "invalid_grant", "there is no such code");
    if (rc || (rc = check_code(w, t, redirect, verifier, error)) || *error || t->code.given)
        return rc;
    t->scopes = t->code.scopes;
    return sign(w, t, &t->code.person, t->code.nonce, error);
}

static enum rc tell_reuse(struct work *w, const struct token_call *t, int64_t account,
                          int64_t session)
{
    work_fact(w, "account", account);
    work_fact(w, "session", session);
    return tell(w, t, AUDIT_grant_reused);
}

/* Whoever comes second has the code from somewhere else than we gave it to, or the first had. */
static enum rc end_what_it_gave(struct work *w, struct token_call *t, const char **error)
{
    enum rc rc = session_end(w, t->code.person.account, t->code.given);

    if (rc && rc != RC_NOT_FOUND) /* he may have ended it himself meanwhile */
        return rc;
    if ((rc = tell_reuse(w, t, t->code.person.account, t->code.given)))
        return rc;
    return refuse(w, error, "invalid_grant", "the code was used before");
}

static enum rc give_by_code(struct work *w, struct token_call *t, const char **error)
{
    int64_t id;
    enum rc rc;

    if ((rc = grant_code_find(w, t->secret, &t->code)))
        return rc == RC_NOT_FOUND ? refuse(w, error, "invalid_grant", "there is no such code")
                                  : rc;
    if (t->code.given)
        return end_what_it_gave(w, t, error);
    if ((rc = open_session(w, t, &t->code.person, &id, error)) || *error ||
        (rc = grant_code_use(w, t->secret, id)))
        return rc;
    return tell(w, t, AUDIT_grant_give);
}

/* ---- refresh_token ---- */

static enum rc prepare_refresh(struct work *w, struct token_call *t, const char **error)
{
    const char *token = need(w, t, "refresh_token", error),
               *scope = oauth_text(&t->call, "scope");
    int64_t ends;
    enum rc rc;

    if (!token)
        return RC_OK;
    t->secret = token;
    rc = session_find(w, token, &t->session, &ends);
    if (rc == RC_NOT_FOUND || (!rc && t->session.party != t->call.client.party))
        return refuse(w, error, "invalid_grant", "the refresh token is not good");
    if (rc)
        return rc;
    t->scopes = t->session.scopes;
    if (scope && grant_scopes_read(scope) & ~t->scopes)
        return refuse(w, error, "invalid_scope", "scope names what was not allowed");
    return RC_OK;
}

static enum rc give_by_refresh(struct work *w, struct token_call *t, const char **error)
{
    enum session_answer how;
    enum rc rc;

    if ((rc = session_exchange(w, t->call.client.party, t->secret, clock_mono_us(), &how,
                               &t->tokens)))
        return rc;
    if (how == SESSION_EXCHANGED || how == SESSION_REPEATED)
        return RC_OK;
    if (how == SESSION_REUSED && (rc = tell_reuse(w, t, t->tokens.account, t->tokens.session)))
        return rc;
    return refuse(w, error, "invalid_grant", "the refresh token is not good");
}

/* ---- client_credentials ---- */

static enum rc prepare_itself(struct work *w, struct token_call *t, const char **error)
{
    const char *scope = oauth_text(&t->call, "scope");

    if (!t->call.client.confidential)
        return refuse(w, error, "unauthorized_client", "this client has no key of its own");
    if (scope && grant_scopes_read(scope))
        return refuse(w, error, "invalid_scope",
                      "nobody has signed in whom that could be about");
    return RC_OK;
}

static enum rc give_to_itself(struct work *w, struct token_call *t, const char **error)
{
    static const struct grant_person nobody = { 0 };
    int64_t id;
    enum rc rc = open_session(w, t, &nobody, &id, error);

    return rc ? rc : tell(w, t, AUDIT_grant_give);
}

/* ---- device_code ---- */

static enum rc prepare_device_code(struct work *w, struct token_call *t, const char **error)
{
    const char *code = need(w, t, "device_code", error);
    enum rc rc;

    if (!code)
        return RC_OK;
    t->secret = code;
    rc = device_grant_find(w, code, &t->device);
    if (rc == RC_NOT_FOUND || (!rc && t->device.party != t->call.client.party))
        return refuse(w, error, "invalid_grant", "there is no such device code");
    if (rc)
        return rc;
    if (clock_now() - t->device.made >= DEVICE_GRANT_LIFE)
        return refuse(w, error, "expired_token", "nobody has answered in time");
    t->scopes = t->device.scopes;
    return t->device.state == DEVICE_ALLOWED ? sign(w, t, &t->device.person, NULL, error)
                                             : RC_OK;
}

static enum rc keep_waiting(struct work *w, const struct token_call *t, const char **error)
{
    bool soon;
    enum rc rc;

    if ((rc = device_grant_asked(w, t->secret, &t->device, &soon)))
        return rc;
    return soon ? refuse(w, error, "slow_down", "wait five seconds longer each time")
                : refuse(w, error, "authorization_pending", "the person has not answered yet");
}

static enum rc give_by_device(struct work *w, struct token_call *t, const char **error)
{
    int64_t id;
    enum rc rc;

    if (t->device.state == DEVICE_WAITING)
        return keep_waiting(w, t, error);
    rc = device_grant_drop(w, t->secret);
    if (rc == RC_NOT_FOUND)
        return refuse(w, error, "invalid_grant", "there is no such device code");
    if (rc)
        return rc;
    if (t->device.state == DEVICE_REFUSED)
        return refuse(w, error, "access_denied", "the person refused");
    if ((rc = open_session(w, t, &t->device.person, &id, error)) || *error)
        return rc;
    return tell(w, t, AUDIT_grant_give);
}

/* ---- the endpoint ---- */

static const struct grant_kind kinds[] = {
    { "authorization_code", GRANT_BY_CODE, prepare_code, give_by_code },
    { "refresh_token", GRANT_BY_REFRESH, prepare_refresh, give_by_refresh },
    { "client_credentials", GRANT_BY_ITSELF, prepare_itself, give_to_itself },
    { "urn:ietf:params:oauth:grant-type:device_code", GRANT_BY_DEVICE, prepare_device_code,
      give_by_device },
};

static enum rc find_kind(struct work *w, struct token_call *t, const char **error)
{
    const char *type = need(w, t, "grant_type", error);

    for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].type, type))
            t->kind = &kinds[i];
    if (type && !t->kind)
        return refuse(w, error, "unsupported_grant_type", "there is no such grant_type");
    if (type && !(t->call.client.ways & t->kind->way))
        return refuse(w, error, "unauthorized_client", "this client may not use this grant");
    return RC_OK;
}

enum rc prepare_grant(struct work *w, struct request *rq)
{
    struct token_call *t = arena_zalloc(w->mem, sizeof *t);
    const char **error = &t->call.error;
    enum rc rc;

    rq->prepared = t;
    oauth_read(w, rq, &t->call);
    if (*error || (rc = find_kind(w, t, error)) || *error)
        return RC_OK;
    return t->kind->prepare(w, t, error);
}

static void answer(struct work *w, const struct token_call *t, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    char scopes[GRANT_SCOPES_TEXT];

    buf_addc(&b, '{');
    jx_put_text(&b, "access_token", t->tokens.access);
    jx_put_text(&b, "token_type", "Bearer");
    jx_put_int(&b, "expires_in", t->tokens.seconds);
    if (*t->tokens.refresh)
        jx_put_text(&b, "refresh_token", t->tokens.refresh);
    jx_put_text(&b, "id_token", t->id_token);
    jx_put_text(&b, "known", *t->known ? t->known : NULL);
    jx_put_text(&b, "scope", grant_scopes_text(t->scopes, scopes));
    buf_adds(&b, "}\n");
    oauth_reply(rp, &b);
}

/* Whoever tries out codes and tokens is seen, under the program's name. */
static void refuse_grant(struct work *w, const struct request *rq, const struct token_call *t,
                         struct reply *rp)
{
    if (!strcmp(t->call.error, "invalid_grant"))
        refusal_note("POST", "/oauth2/token", &w->who, rq->client, RC_UNAUTHORIZED);
    oauth_refuse(w, rq, rp, &t->call, t->call.error);
}

enum rc post_grant(struct work *w, const struct request *rq, struct reply *rp)
{
    struct token_call *t = rq->prepared;
    enum rc rc;

    if (t->kind) /* it has shown who it is */
        snprintf(w->who.name, sizeof w->who.name, "party:%s", t->call.client.id);
    if (!t->call.error && (rc = t->kind->give(w, t, &t->call.error)))
        return rc;
    if (t->call.error)
        refuse_grant(w, rq, t, rp);
    else
        answer(w, t, rp);
    return RC_OK;
}
