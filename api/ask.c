/*
 * ask.c - a request is read again at every step, and never believed because it was read before.
 *
 *     ask --> parameters --> party, address --> rules --> person, what he allowed --> what is next
 *
 * oauth_authorize.c is the other caller: to it the program itself speaks.
 */
#include "api/ask.h"

#include <string.h>

#include "api/ask_flow.h"
#include "api/instance.h"
#include "server/base/clock.h"
#include "server/http/form.h"
#include "server/identity/audit.h"
#include "server/identity/consent.h"
#include "server/identity/oidc.h"
#include "server/identity/provider.h"
#include "server/identity/refusal.h"
#include "server/identity/session.h"

/* ---- reading ---- */

static struct authorize_params params_of(const struct form *f)
{
    return (struct authorize_params){
        .client_id = form_text(f, "client_id"),
        .redirect_uri = form_text(f, "redirect_uri"),
        .response_type = form_text(f, "response_type"),
        .response_mode = form_text(f, "response_mode"),
        .scope = form_text(f, "scope"),
        .state = form_text(f, "state"),
        .nonce = form_text(f, "nonce"),
        .code_challenge = form_text(f, "code_challenge"),
        .code_challenge_method = form_text(f, "code_challenge_method"),
        .prompt = form_text(f, "prompt"),
        .max_age = form_text(f, "max_age"),
        .acr_values = form_text(f, "acr_values"),
        .login_hint = form_text(f, "login_hint"),
        .request = form_text(f, "request"),
        .request_uri = form_text(f, "request_uri"),
        .registration = form_text(f, "registration"),
    };
}

bool ask_person(const struct work *w, struct grant_person *out)
{
    struct session_now s;

    if (!session_get(w->who.session, &s) || s.party || s.acting)
        return false;
    *out = (struct grant_person){ .account = s.account,
                                  .kind = s.kind,
                                  .level = s.level,
                                  .proofs = s.proofs,
                                  .authenticated = s.authenticated };
    return true;
}

static enum rc decide(struct work *w, struct ask_flow *f)
{
    struct authorize_person p = { .just_consented = f->just_consented };
    enum rc rc;

    if (ask_person(w, &f->person)) {
        p.level = f->person.level;
        p.authenticated = f->person.authenticated;
        if ((rc = consent_find(w, f->person.account, f->client.party, &p.consented)))
            return rc;
    }
    f->next = authorize_next(&f->a, &p, f->since, clock_now(), &f->error);
    if (f->next == AUTHORIZE_REFUSE)
        return err_set(&w->err, RC_INVALID, "a person would have to be asked");
    return RC_OK;
}

/* The way of a code to somebody else, if it were believed. */
static enum rc refuse_address(struct work *w)
{
    refusal_note("GET", "/oauth2/authorize", &w->who, w->client ? w->client : "", RC_FORBIDDEN);
    return err_field(&w->err, "redirect_uri",
                     "the client has not registered this redirect_uri");
}

enum rc ask_flow_read(struct work *w, const char *query, size_t n, struct ask_flow *f)
{
    struct authorize_params p;
    struct form form;
    enum rc rc;

    if ((rc = form_parse(&w->err, w->mem, query, n, &form)))
        return rc;
    p = params_of(&form);
    if (!p.client_id || !provider_clients()->by_id(w->mem, p.client_id, &f->client))
        return err_field(&w->err, "client_id", "there is no such client");
    if (!authorize_client_is_right(&f->client, &p))
        return refuse_address(w);
    f->a.redirect = p.redirect_uri;
    f->a.state = p.state && strlen(p.state) <= AUTHORIZE_STATE_MAX ? p.state : NULL;
    if ((f->error = authorize_check(&w->err, &f->client, &p, &f->a))) {
        f->next = AUTHORIZE_REFUSE;
        return RC_OK;
    }
    rc = decide(w, f);
    return f->next == AUTHORIZE_REFUSE ? RC_OK : rc;
}

static enum rc read_parked(struct work *w, const char *ask, struct ask_flow *f)
{
    const char *query;
    enum rc rc;

    if ((rc = parked_read(&w->err, w->mem, ask, clock_now(), &f->since, &query)))
        return rc;
    return ask_flow_read(w, query, strlen(query), f);
}

/* ---- what the pages show ---- */

/* "https://heping.example:8443" */
static const char *origin_of(struct work *w, const char *address)
{
    size_t host = (size_t)(strstr(address, "://") + 3 - address);

    return arena_strndup(w->mem, address, host + strcspn(address + host, "/?"));
}

enum rc ask_read(struct work *w, const char *ask, struct asked *out)
{
    struct ask_flow f = { 0 };
    enum rc rc;

    if ((rc = read_parked(w, ask, &f)))
        return rc;
    if (f.next == AUTHORIZE_REFUSE) /* the party lost a right since */
        return err_set(&w->err, RC_INVALID, "the program may not ask for this any more");
    *out = (struct asked){ .party = f.client.name,
                           .origin = origin_of(w, f.a.redirect),
                           .level = f.a.level,
                           .login_hint = f.a.login_hint,
                           .next = f.next };
    out->nscopes = grant_scopes_chinese(f.a.scopes, out->scopes);
    return RC_OK;
}

const char *ask_resume(struct work *w, const char *ask)
{
    return arena_printf(w->mem, "/oauth2/authorize?ask=%s", ask);
}

/* ---- answers to the program ---- */

static void put(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addc(b, memchr(b->p, '?', b->n) ? '&' : '?');
    buf_adds(b, name);
    buf_addc(b, '=');
    buf_url(b, value, strlen(value));
}

static const char *location(struct work *w, const struct ask_flow *f, const char *code,
                            const char *error, const char *why)
{
    struct buf b = BUF_IN(w->mem);

    buf_adds(&b, f->a.redirect);
    put(&b, "code", code);
    put(&b, "error", error);
    put(&b, "error_description", why);
    put(&b, "state", f->a.state);
    put(&b, "iss", instance()->origin);
    return b.p;
}

const char *ask_flow_refuse(struct work *w, const struct ask_flow *f)
{
    return location(w, f, NULL, f->error, w->err.text);
}

enum rc ask_flow_code(struct work *w, const struct ask_flow *f, const char **to)
{
    struct grant_code g = { .party = f->client.party,
                            .person = f->person,
                            .scopes = f->a.scopes,
                            .redirect = f->a.redirect,
                            .nonce = f->a.nonce };
    char code[GRANT_CODE_TEXT];
    enum rc rc;

    memcpy(g.challenge, f->a.challenge, sizeof g.challenge);
    if ((rc = grant_code_make(w, &g, code)))
        return rc;
    *to = location(w, f, code, NULL, NULL);
    return RC_OK;
}

static enum rc tell(struct work *w, enum audit_action action, const struct grant_client *c)
{
    return audit_add(w, action, arena_printf(w->mem, "parties/%s", c->id), RC_OK);
}

static enum rc refuse_by_person(struct work *w, struct ask_flow *f, const char **to)
{
    *to = location(w, f, NULL, "access_denied", "the person refused");
    return tell(w, AUDIT_consent_refuse, &f->client);
}

/* By the name that it will be told, it may name him to us. */
static enum rc make_known(struct work *w, const struct ask_flow *f)
{
    char sub[OIDC_SUBJECT];
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(w, f->person.account, &a)))
        return rc;
    oidc_subject(&f->client, &a, sub);
    return consent_know(w, a.id, f->client.party, sub);
}

enum rc ask_answer(struct work *w, const char *ask, bool allowed, const char **to)
{
    struct ask_flow f = { .just_consented = true };
    enum rc rc;

    if ((rc = read_parked(w, ask, &f)))
        return rc;
    if (f.next == AUTHORIZE_REFUSE) {
        *to = ask_flow_refuse(w, &f);
        return RC_OK;
    }
    if (f.next != AUTHORIZE_CODE) {
        *to = ask_resume(w, ask);
        return RC_OK;
    }
    if (!allowed)
        return refuse_by_person(w, &f, to);
    if ((rc = consent_give(w, f.person.account, f.client.party, f.a.scopes)) ||
        (rc = make_known(w, &f)) || (rc = tell(w, AUDIT_consent_give, &f.client)))
        return rc;
    return ask_flow_code(w, &f, to);
}

/* ---- devices ---- */

static enum authorize_next next_of(bool in, const struct grant_person *p, int level)
{
    if (!in)
        return AUTHORIZE_SIGN_IN;
    return p->level < level ? AUTHORIZE_MORE : AUTHORIZE_CONSENT;
}

struct device_ask {
    char user[USER_CODE_TEXT];
    struct device_grant grant;
    struct grant_client client;
    struct grant_person person;
    enum authorize_next next;
};

static enum rc read_device(struct work *w, const char *typed, struct device_ask *d)
{
    enum rc rc;

    if (!device_user_code(typed, d->user))
        return err_set(&w->err, RC_NOT_FOUND, "a code has eight letters");
    if ((rc = device_grant_by_user(w, d->user, &d->grant)))
        return rc;
    if (!provider_clients()->by_number(w->mem, d->grant.party, &d->client))
        return err_set(&w->err, RC_NOT_FOUND, "there is no such client any more");
    d->next = next_of(ask_person(w, &d->person), &d->person, d->grant.level);
    return RC_OK;
}

enum rc ask_device_read(struct work *w, const char *typed, struct asked *out)
{
    struct device_ask d;
    enum rc rc;

    if ((rc = read_device(w, typed, &d)))
        return rc;
    *out = (struct asked){ .party = d.client.name, .level = d.grant.level, .next = d.next };
    out->nscopes = grant_scopes_chinese(d.grant.scopes, out->scopes);
    return RC_OK;
}

enum rc ask_device_answer(struct work *w, const char *typed, bool allowed)
{
    struct device_ask d;
    enum rc rc;

    if ((rc = read_device(w, typed, &d)))
        return rc;
    if (d.next == AUTHORIZE_SIGN_IN)
        return err_set(&w->err, RC_UNAUTHORIZED, "nobody is signed in");
    if (d.next == AUTHORIZE_MORE)
        return err_set(&w->err, RC_FORBIDDEN, "the program asks for a higher level");
    if (allowed && !d.client.party && d.person.kind != SESSION_STAFF)
        return err_set(&w->err, RC_FORBIDDEN, "this program is for members of staff");
    if ((rc = device_grant_answer(w, d.user, allowed ? &d.person : NULL)))
        return rc;
    return tell(w, allowed ? AUDIT_device_allow : AUDIT_device_refuse, &d.client);
}
