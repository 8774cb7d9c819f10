/*
 * auth.c - the steps of a sign-in, and what becomes of a session's tokens.
 *
 * What was entered goes to sign_in.c, and what comes of it goes back as JSON; nothing is decided here. No route takes an Idempotency-Key: answers hold secrets, which are
 * kept nowhere. A refusal whose guess was counted is no failure of the job, which must be committed: its problem is written by hand.
 */
#include "api/auth.h"

#include <inttypes.h>
#include <string.h>

#include "api/auth_json.h"
#include "server/base/clock.h"
#include "server/identity/audit.h"
#include "server/identity/code.h"

static const char route_sign_in[] = "/v1/auth/sign-in", route_refresh[] = "/v1/auth/refresh";

enum rc post_auth_code(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "phone", JX_TEXT, true, 1, 40 },
                                               { "known", JX_TEXT, false, 1, 128 },
                                               { 0 } };
    struct sign_in_ask ask = { .client = rq->client_tag };
    struct buf b = BUF_IN(w->mem);
    int64_t wait = 0;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    ask.phone = jx_text(body, "phone");
    ask.known = jx_text(body, "known");
    rc = sign_in_ask(w, &ask, &wait);
    if (rc == RC_TOO_MANY)
        auth_retry_after(w, rp, wait);
    if (rc)
        return rc;
    buf_printf(&b, "{\"again_in\":%d,\"digits\":%d,\"expires_in\":%d}\n", CODE_PAUSE,
               CODE_DIGITS, CODE_LIFE);
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 202;
    return RC_OK;
}

enum rc post_auth_passkey(struct work *w, const struct request *rq, struct reply *rp)
{
    struct slip s = sign_in_challenge();
    struct buf b = BUF_IN(w->mem);
    char ticket[SLIP_TEXT];
    enum rc rc;

    (void)rq;
    if (!factor_rp_id())
        return err_set(&w->err, RC_CONFLICT, "passkeys need a name: the setting public_url");
    buf_addc(&b, '{');
    jx_put_int(&b, "expires_in", SIGN_IN_LIFE);
    jx_key(&b, "passkey");
    if ((rc = auth_put_request(w, &b, &s, 0)))
        return rc;
    slip_put(&s, ticket);
    jx_put_text(&b, "ticket", ticket);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- sign in ---- */

static enum rc read_entry(struct work *w, const struct request *rq, struct sign_in_entry *out)
{
    static const struct jx_field members[] = { { "phone", JX_TEXT, false, 1, 40 },
                                               { "code", JX_TEXT, false, 1, 20 },
                                               { "login", JX_TEXT, false, 1, 128 },
                                               { "password", JX_TEXT, false, 1, 512 },
                                               { "ticket", JX_TEXT, false, 1, WORD_TICKET_MAX },
                                               { "totp", JX_TEXT, false, 1, 20 },
                                               { "passkey", JX_OBJECT, false },
                                               { "device", JX_TEXT, false, 1, 80 },
                                               { "known", JX_TEXT, false, 1, 128 },
                                               { 0 } };
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    *out = (struct sign_in_entry){ .phone = jx_text(body, "phone"),
                                   .code = jx_text(body, "code"),
                                   .login = jx_text(body, "login"),
                                   .password = jx_text(body, "password"),
                                   .ticket = jx_text(body, "ticket"),
                                   .totp = jx_text(body, "totp"),
                                   .known = jx_text(body, "known"),
                                   .client = rq->client_tag };
    if ((rc = auth_read_device(w, body, &out->device)))
        return rc;
    return auth_read_signed(w, body, "passkey", &out->passkey);
}

enum rc prepare_sign_in(struct work *w, struct request *rq)
{
    struct sign_in_entry entry;
    struct sign_in *s;
    enum rc rc;

    if ((rc = read_entry(w, rq, &entry)) || (rc = sign_in_prepare(w, &entry, &s, &rq->errand)))
        return rc;
    rq->prepared = s;
    return RC_OK;
}

enum rc post_sign_in(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct sign_in_result r;
    enum rc rc;

    if ((rc = sign_in_finish(w, rq->prepared, &r)))
        return rc;
    if (r.step == SIGN_IN_REFUSED)
        return auth_refuse(w, route_sign_in, &r, rp);
    if ((rc = auth_put_step(w, &b, &r)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- tokens ---- */

static enum rc refuse_refresh(struct work *w, struct reply *rp)
{
    struct sign_in_result r = { .why = err_set(&w->err, RC_UNAUTHORIZED,
                                               "this refresh token is not good any more") };

    return auth_refuse(w, route_refresh, &r, rp);
}

static enum rc tell_reuse(struct work *w, const struct session_tokens *whose)
{
    work_fact(w, "account", whose->account);
    work_fact(w, "session", whose->session);
    return audit_add(w, AUDIT_session_reuse, NULL, RC_OK);
}

/* Not written down each time: a million phones do it every quarter of an hour, and it shows nothing that the sign-in did not. */
enum rc post_refresh(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "refresh", JX_TEXT, true, 1, 128 }, { 0 } };
    struct buf b = BUF_IN(w->mem);
    enum session_answer how;
    struct session_tokens t;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)) ||
        (rc = session_exchange(w, 0, jx_text(body, "refresh"), clock_mono_us(), &how, &t)))
        return rc;
    if (how == SESSION_REUSED && (rc = tell_reuse(w, &t)))
        return rc;
    if (how == SESSION_REUSED || how == SESSION_UNKNOWN)
        return refuse_refresh(w, rp);
    buf_addc(&b, '{');
    jx_put_text(&b, "access", t.access);
    jx_put_int(&b, "expires_in", t.seconds);
    jx_put_text(&b, "refresh", t.refresh);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc post_sign_out(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    rp->status = 204;
    return session_end(w, w->who.account, w->who.session);
}
