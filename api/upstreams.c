/*
 * upstreams.c - an app sends its user to an upstream, and brings the code that it came back with.
 *
 *     start --> url, state, ticket --> the upstream --> code, state --> what comes of it: a step of a sign-in (auth.h)
 *
 * Whoever is signed in goes the same way to have the upstream bound to his account (/v1/me/upstreams): his ticket names it, and a ticket of one kind is
 * none of the other.
 *
 * The ticket is what ties both ends together: PKCE's verifier and the nonce follow from it (upstream_ask.h), so a code that was made for another ticket
 * opens nothing. A mini-program's code has neither: WeChat gives it to that mini-program alone.
 */
#include "api/upstreams.h"

#include <string.h>

#include "api/auth_json.h"
#include "api/me.h"
#include "server/identity/upstream_ask.h"

static const char route_upstream[] = "/v1/auth/upstreams/:upstream",
                  route_mine[] = "/v1/me/upstreams/:upstream", my_base[] = "/v1/me/";

static enum rc find(struct work *w, const struct request *rq, const struct upstream **out)
{
    *out = upstream_find(request_text(rq, "upstream", ""));
    return *out ? RC_OK : err_set(&w->err, RC_NOT_FOUND, "there is no such upstream");
}

enum rc get_upstreams(struct work *w, const struct request *rq, struct reply *rp)
{
    static const char *const kinds[] = { "oidc", "wechat_oauth", "wechat_mini" };
    struct buf b = BUF_IN(w->mem);

    (void)rq;
    buf_adds(&b, "{\"upstreams\":[");
    for (int i = 0; i < upstreams_count(); i++) {
        const struct upstream *u = upstream_at(i);

        buf_adds(&b, i ? ",{" : "{");
        jx_put_text(&b, "kind", kinds[u->kind]);
        jx_put_text(&b, "label", u->label);
        jx_put_text(&b, "name", u->name);
        buf_addc(&b, '}');
    }
    buf_adds(&b, "]}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- out ---- */

struct departure {
    struct upstream_ask ask;
    const char *redirect;
};

/* The account that the upstream is to be bound to; 0: somebody is to be signed in. */
static int64_t account_of(const struct work *w, const struct request *rq)
{
    return strncmp(rq->path, my_base, strlen(my_base)) ? 0 : w->who.account;
}

/* WeChat's own program on the phone needs no address; a page of an upstream leads back to one that its file names. */
static enum rc check_redirect(struct work *w, const struct upstream *u, const char *redirect)
{
    if (!redirect && u->kind != UPSTREAM_OIDC)
        return RC_OK;
    if (redirect && upstream_takes(u, redirect))
        return RC_OK;
    return err_field(&w->err, "/redirect", "this address is not registered for this upstream");
}

enum rc prepare_upstream_start(struct work *w, struct request *rq)
{
    static const struct jx_field members[] = {
        { "redirect", JX_TEXT, false, 1, UPSTREAM_URL_MAX }, { 0 }
    };
    struct departure *d = arena_zalloc(w->mem, sizeof *d);
    const struct upstream *u;
    json_t *body;
    enum rc rc;

    if ((rc = find(w, rq, &u)) || (rc = auth_read_body(w, rq, members, &body)))
        return rc;
    if (u->kind == UPSTREAM_WECHAT_MINI)
        return err_set(&w->err, RC_CONFLICT, "a mini-program begins with its code");
    d->redirect = jx_text(body, "redirect");
    if ((rc = check_redirect(w, u, d->redirect)))
        return rc;
    upstream_ask_begin(&d->ask, u, w->mem);
    rq->prepared = d;
    rq->errand = &d->ask.errand;
    return RC_OK;
}

enum rc post_upstream_start(struct work *w, const struct request *rq, struct reply *rp)
{
    struct departure *d = rq->prepared;
    const struct upstream *u = d->ask.of;
    struct slip s = slip_new(SLIP_UPSTREAM, u->no, account_of(w, rq));
    struct buf b = BUF_IN(w->mem), url = BUF_IN(w->mem);
    char ticket[SLIP_TEXT], state[UPSTREAM_STATE_TEXT];
    enum rc rc;

    if (s.account && (rc = auth_need_fresh(w, rp)))
        return rc;
    if (d->ask.rc) {
        w->err = d->ask.err;
        return d->ask.rc;
    }
    buf_addc(&b, '{');
    jx_put_int(&b, "expires_in", UPSTREAM_LIFE);
    upstream_state(&s, state);
    jx_put_text(&b, "state", state);
    slip_put(&s, ticket);
    jx_put_text(&b, "ticket", ticket);
    if (d->redirect) {
        upstream_put_url(&url, u, &d->ask.at, &s, d->redirect);
        jx_put_text(&b, "url", url.p);
    }
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- and back ---- */

struct arrival {
    struct upstream_ask ask;
    struct slip slip;
    struct sign_in_entry entry;
    bool asked; /* else it is refused before */
};

/* The ticket is ours, for this upstream and this account, and the state is its own. */
static bool is_expected(const struct upstream *u, int64_t account, const json_t *body,
                        struct slip *out)
{
    return slip_read(jx_text(body, "ticket"), SLIP_UPSTREAM, UPSTREAM_LIFE, out) &&
           out->note == u->no && out->account == account &&
           upstream_is_state(out, jx_text(body, "state"));
}

static enum rc read_arrival(struct work *w, const struct request *rq, const json_t *body,
                            struct arrival *a)
{
    const struct upstream *u = a->ask.of;
    enum rc rc;

    a->entry =
        (struct sign_in_entry){ .known = jx_text(body, "known"), .client = rq->client_tag };
    if ((rc = auth_read_device(w, body, &a->entry.device)))
        return rc;
    a->ask.code = jx_text(body, "code");
    a->ask.redirect = jx_text(body, "redirect");
    a->ask.iss = jx_text(body, "iss");
    if (u->kind == UPSTREAM_WECHAT_MINI) {
        a->asked = !json_object_get(body, "ticket");
        return RC_OK;
    }
    if ((rc = check_redirect(w, u, a->ask.redirect)))
        return rc;
    a->asked = is_expected(u, account_of(w, rq), body, &a->slip);
    a->ask.slip = &a->slip;
    return RC_OK;
}

enum rc prepare_upstream(struct work *w, struct request *rq)
{
    static const struct jx_field members[] = {
        { "code", JX_TEXT, true, 1, UPSTREAM_CODE_MAX },
        { "ticket", JX_TEXT, false, 1, 128 },
        { "state", JX_TEXT, false, 1, 128 },
        { "redirect", JX_TEXT, false, 1, UPSTREAM_URL_MAX },
        { "iss", JX_TEXT, false, 1, UPSTREAM_URL_MAX },
        { "device", JX_TEXT, false, 1, 80 },
        { "known", JX_TEXT, false, 1, 128 },
        { 0 },
    };
    struct arrival *a = arena_zalloc(w->mem, sizeof *a);
    const struct upstream *u;
    json_t *body;
    enum rc rc;

    rq->prepared = a;
    if ((rc = find(w, rq, &u)) || (rc = auth_read_body(w, rq, members, &body)))
        return rc;
    upstream_ask_begin(&a->ask, u, w->mem);
    if ((rc = read_arrival(w, rq, body, a)))
        return rc;
    if (a->asked)
        rq->errand = &a->ask.errand;
    return RC_OK;
}

/* What the upstream, or who came from it, is refused for; RC_OK: nothing. */
static enum rc judge(struct work *w, const struct arrival *a)
{
    if (!a->asked)
        return err_set(&w->err, RC_UNAUTHORIZED, "this sign-in is over: begin anew");
    if (a->ask.rc)
        w->err = a->ask.err;
    else if (a->ask.slip)
        return slip_use(w, a->ask.slip, UPSTREAM_LIFE);
    return a->ask.rc;
}

enum rc post_upstream(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct arrival *a = rq->prepared;
    struct sign_in_result r = { .step = SIGN_IN_REFUSED, .wait = 60 };
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    r.why = judge(w, a);
    if (r.why == RC_BUSY)
        return r.why;
    if (!r.why && (rc = sign_in_by_word(w, &a->entry, &a->ask.word, &r)))
        return rc;
    if (r.step == SIGN_IN_REFUSED)
        return auth_refuse(w, route_upstream, &r, rp);
    if ((rc = auth_put_step(w, &b, &r)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- bound to one's own account ---- */

/* Not a 401: his own token is as good as before. */
static enum rc refuse_link(struct work *w, enum rc why, struct reply *rp)
{
    struct sign_in_result r = { .account = w->who.account, .wait = 60, .why = why };

    if (why == RC_BUSY)
        return why;
    if (why == RC_UNAUTHORIZED)
        r.why = err_set(&w->err, RC_FORBIDDEN,
                        "this is over, or the upstream is not believed: begin anew");
    return auth_refuse(w, route_mine, &r, rp);
}

enum rc post_my_upstream(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct arrival *a = rq->prepared;
    enum rc rc;

    /* a mini-program comes with nothing that says when it began */
    if (!a->ask.slip && (rc = auth_need_fresh(w, rp)))
        return rc;
    if ((rc = judge(w, a)))
        return refuse_link(w, rc, rp);
    if ((rc = word_link(w, &a->ask.word, w->who.account)))
        return rc;
    work_fact_word(w, "upstream", a->ask.of->name);
    return get_me(w, rq, rp);
}
