/*
 * oidc_pages.c - what programs read of us before they ask (OpenID Connect Discovery, RFC 8414, RFC 7517), and where they send somebody
 * who wants to leave (OpenID Connect RP-Initiated Logout).
 */
#include "api/oauth.h"

#include <string.h>

#include "api/ask_flow.h"
#include "api/instance.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/jwt.h"
#include "server/identity/oidc.h"
#include "server/identity/provider.h"
#include "server/identity/refusal.h"

/* ---- discovery ---- */

static const struct {
    const char *name, *path;
} endpoints[] = {
    { "authorization_endpoint", "/oauth2/authorize" },
    { "token_endpoint", "/oauth2/token" },
    { "userinfo_endpoint", "/oauth2/userinfo" },
    { "jwks_uri", "/oauth2/keys" },
    { "device_authorization_endpoint", "/oauth2/device" },
    { "introspection_endpoint", "/oauth2/introspect" },
    { "revocation_endpoint", "/oauth2/revoke" },
    { "end_session_endpoint", "/oauth2/logout" },
};

static const struct {
    const char *name, *values; /* JSON */
} abilities[] = {
    { "scopes_supported", "[\"openid\",\"profile\",\"phone\",\"offline_access\"]" },
    { "response_types_supported", "[\"code\"]" },
    { "response_modes_supported", "[\"query\"]" },
    { "grant_types_supported",
      "[\"authorization_code\",\"refresh_token\",\"client_credentials\","
      "\"urn:ietf:params:oauth:grant-type:device_code\"]" },
    { "acr_values_supported", "[\"1\",\"2\",\"3\",\"4\"]" },
    { "subject_types_supported", "[\"pairwise\"]" },
    { "id_token_signing_alg_values_supported", "[\"ES256\"]" },
    { "code_challenge_methods_supported", "[\"S256\"]" },
    { "token_endpoint_auth_methods_supported",
      "[\"client_secret_basic\",\"client_secret_post\",\"none\"]" },
    { "introspection_endpoint_auth_methods_supported",
      "[\"client_secret_basic\",\"client_secret_post\"]" },
    { "revocation_endpoint_auth_methods_supported",
      "[\"client_secret_basic\",\"client_secret_post\",\"none\"]" },
    { "claims_supported",
      "[\"iss\",\"sub\",\"aud\",\"azp\",\"iat\",\"exp\",\"auth_time\",\"acr\",\"amr\","
      "\"nonce\",\"name\",\"phone_number\",\"phone_number_verified\"]" },
    { "prompt_values_supported", "[\"none\",\"login\",\"consent\",\"select_account\"]" },
    { "ui_locales_supported", "[\"zh-CN\"]" },
    { "claims_parameter_supported", "false" },
    { "request_parameter_supported", "false" },
    { "request_uri_parameter_supported", "false" },
    { "authorization_response_iss_parameter_supported", "true" },
};

enum rc get_oidc_configuration(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    (void)rq;
    buf_addc(&b, '{');
    jx_put_text(&b, "issuer", instance()->origin);
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        jx_put_text(&b, endpoints[i].name,
                    arena_printf(w->mem, "%s%s", instance()->origin, endpoints[i].path));
    for (size_t i = 0; i < sizeof abilities / sizeof *abilities; i++) {
        jx_key(&b, abilities[i].name);
        buf_adds(&b, abilities[i].values);
    }
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = "public, max-age=600";
    return RC_OK;
}

/* A key is shown for a day before it signs, so an hour in a cache is nothing. */
enum rc get_oidc_keys(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *set = jwt_keys_set(provider_keys(), w->mem);

    (void)rq;
    reply_body(rp, "application/jwk-set+json", set, strlen(set));
    rp->cache = "public, max-age=3600";
    return RC_OK;
}

/* ---- leaving ---- */

struct leaving {
    struct grant_client client;
    const char *subject;  /* of whom the program speaks */
    const char *location; /* where the browser goes */
};

/*
 * Our own ID token, which may be long over: it says who leaves, not that he may come in. So it is verified as of its own time. RC_UNAUTHORIZED,
 * RC_INVALID: it is not ours.
 */
static enum rc read_hint(struct work *w, const char *hint, struct leaving *l)
{
    struct jwt_expect x = { .typ = "JWT", .iss = instance()->origin };
    struct jws jws;
    json_t *claims;
    struct jwk *keys;
    enum rc rc;
    int n;

    if ((rc = jws_read(&w->err, w->mem, hint, strlen(hint), &jws)))
        return rc;
    if (!(x.aud = jx_text(jws.claims, "aud")) ||
        !provider_clients()->by_id(w->mem, x.aud, &l->client))
        return err_set(&w->err, RC_UNAUTHORIZED, "the ID token is of no client");
    x.now = jx_int(jws.claims, "iat", 0);
    keys = jwt_keys_public(provider_keys(), w->mem, &n);
    if ((rc = jwt_verify(&w->err, w->mem, keys, n, &x, hint, strlen(hint), &claims)))
        return rc;
    l->subject = jx_text(claims, "sub");
    return RC_OK;
}

static const char *way_back(struct work *w, const struct form *f)
{
    const char *to = form_text(f, "post_logout_redirect_uri"), *state = form_text(f, "state");
    struct buf b = BUF_IN(w->mem);

    if (!to)
        return "/";
    buf_adds(&b, to);
    if (state) {
        buf_printf(&b, "%cstate=", strchr(to, '?') ? '&' : '?');
        buf_url(&b, state, strlen(state));
    }
    return b.p;
}

/* Without our word for who leaves (or with that for somebody else) it may be anybody's link: the person is asked by a page. */
static enum rc judge(struct work *w, const struct request *rq, const struct form *f,
                     struct leaving *l, bool *sure)
{
    const char *hint = form_text(f, "id_token_hint"), *id = form_text(f, "client_id"),
               *to = form_text(f, "post_logout_redirect_uri");
    char subject[OIDC_SUBJECT];
    struct grant_person p;
    struct account a;
    enum rc rc;

    *sure = false;
    if (!hint)
        return RC_OK;
    if (read_hint(w, hint, l)) {
        refusal_note(method_name(rq->method), "/oauth2/logout", &w->who, rq->client,
                     RC_UNAUTHORIZED);
        return RC_OK;
    }
    if (id && strcmp(id, l->client.id))
        return err_field(&w->err, "client_id", "the ID token is another client's");
    if (to && !grant_client_leads(&l->client, to)) {
        refusal_note("GET", "/oauth2/logout", &w->who, rq->client, RC_FORBIDDEN);
        return err_field(&w->err, "post_logout_redirect_uri",
                         "the client has not registered this address");
    }
    if (!ask_person(w, &p)) {
        *sure =
            !w->who
                 .session; /* he has left already; or he acts for an organisation, and is asked */
        return RC_OK;
    }
    if ((rc = account_by_id(w, p.account, &a)))
        return rc;
    oidc_subject(&l->client, &a, subject);
    *sure = l->subject && !strcmp(l->subject, subject);
    return RC_OK;
}

enum rc prepare_logout(struct work *w, struct request *rq)
{
    struct leaving *l = arena_zalloc(w->mem, sizeof *l);
    const char *query, *ask;
    struct form form;
    int64_t since;
    bool sure;
    enum rc rc;

    rq->prepared = l;
    if ((rc = oauth_query(w, rq, &query, &ask, &since)) ||
        (rc = form_parse(&w->err, w->mem, query, strlen(query), &form)) ||
        (rc = judge(w, rq, &form, l, &sure)))
        return rc;
    l->location = sure ? way_back(w, &form) : "/sign-out";
    if (!sure)
        l->subject = NULL;
    return RC_OK;
}

enum rc get_logout(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct leaving *l = rq->prepared;
    struct grant_person p;
    enum rc rc;

    if (l->subject && ask_person(w, &p)) {
        rc = session_end(w, p.account, w->who.session);
        if (!rc)
            rc = audit_add(w, AUDIT_sign_out, NULL, RC_OK);
        if (rc)
            return rc;
    }
    oauth_send(rp, l->location);
    return RC_OK;
}
