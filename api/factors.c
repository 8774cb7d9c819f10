/*
 * factors.c - an app with six digits, or a passkey: offered, proved, kept, removed.
 */
#include "api/factors.h"

#include <inttypes.h>
#include <string.h>

#include "api/auth_json.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/identity/account.h"

static const char *const kind_names[] = {
    [FACTOR_TOTP] = "totp", [FACTOR_PASSKEY] = "passkey"
};
static const char issuer[] = "天津政务";

enum rc get_my_factors(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    char text[CLOCK_TEXT];
    struct factor *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = factor_list(w, w->who.account, &list, &n)))
        return rc;
    view_list_open(&b, "factors");
    for (int i = 0; i < n; i++) {
        buf_adds(&b, i ? ",{" : "{");
        jx_put_text(&b, "created", clock_text(list[i].created, text));
        jx_put_int(&b, "id", list[i].no);
        jx_put_text(&b, "kind", kind_names[list[i].kind]);
        jx_put_text(&b, "name", list[i].name);
        if (list[i].used)
            jx_put_text(&b, "used", clock_text(list[i].used, text));
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- an offer ---- */

static void put_totp(struct buf *b, const struct slip *s, const char *name)
{
    struct buf uri = BUF_IN(b->mem);
    uint8_t secret[TOTP_SECRET];
    char text[TOTP_BASE32];

    factor_secret(s, secret);
    totp_base32(secret, text);
    totp_uri(&uri, issuer, name, secret);
    jx_put_text(b, "secret", text);
    jx_put_text(b, "uri", uri.p);
    secret_wipe(secret, sizeof secret);
}

static void put_base64(struct buf *b, const char *key, const void *p, size_t n)
{
    char text[128];

    if (b64url_text(p, n, text, sizeof text) >= 0)
        jx_put_text(b, key, text);
}

/* PublicKeyCredentialCreationOptions, as parseCreationOptionsFromJSON() reads them. */
static void put_creation(struct buf *b, const struct slip *s, const char *name,
                         const uint8_t *subject, size_t subject_n)
{
    uint8_t challenge[PASSKEY_CHALLENGE];

    factor_challenge(s, challenge);
    jx_key(b, "passkey");
    buf_adds(b, "{\"attestation\":\"none\",\"authenticatorSelection\":{\"residentKey\":"
                "\"preferred\",\"userVerification\":\"required\"}");
    put_base64(b, "challenge", challenge, sizeof challenge);
    jx_key(b, "pubKeyCredParams");
    buf_printf(b, "[{\"alg\":%d,\"type\":\"public-key\"},{\"alg\":%d,\"type\":\"public-key\"}]",
               PASSKEY_ES256, PASSKEY_RS256);
    jx_key(b, "rp");
    buf_addc(b, '{');
    jx_put_text(b, "id", factor_rp_id());
    jx_put_text(b, "name", issuer);
    buf_addc(b, '}');
    jx_put_int(b, "timeout", FACTOR_LIFE * 1000);
    jx_key(b, "user");
    buf_addc(b, '{');
    jx_put_text(b, "displayName", name);
    put_base64(b, "id", subject, subject_n);
    jx_put_text(b, "name", name);
    buf_adds(b, "}}");
}

enum rc factors_put_offer(struct work *w, struct buf *b, const struct slip *s, const char *name,
                          const uint8_t *subject, size_t subject_n)
{
    char ticket[SLIP_TEXT];

    if (s->note == FACTOR_PASSKEY && !factor_rp_id())
        return err_set(&w->err, RC_CONFLICT, "passkeys need a name: the setting public_url");
    buf_addc(b, '{');
    jx_put_int(b, "expires_in", FACTOR_LIFE);
    jx_put_text(b, "kind", kind_names[s->note]);
    if (s->note == FACTOR_PASSKEY)
        put_creation(b, s, name, subject, subject_n);
    else
        put_totp(b, s, name);
    slip_put(s, ticket);
    jx_put_text(b, "ticket", ticket);
    buf_adds(b, "}\n");
    return RC_OK;
}

enum rc factors_read_kind(struct work *w, const json_t *body, enum factor_kind *out)
{
    const char *kind = jx_text(body, "kind");

    for (int i = FACTOR_TOTP; i <= FACTOR_PASSKEY; i++)
        if (!strcmp(kind, kind_names[i])) {
            *out = (enum factor_kind)i;
            return RC_OK;
        }
    return err_field(&w->err, "/kind", "kind is totp or passkey");
}

enum rc post_my_factor_offer(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "kind", JX_TEXT, true, 1, 20 }, { 0 } };
    enum factor_kind kind = FACTOR_TOTP;
    struct buf b = BUF_IN(w->mem);
    struct account a;
    const char *name;
    struct slip s;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)) ||
        (rc = factors_read_kind(w, body, &kind)) || (rc = auth_need_fresh(w, rp)) ||
        (rc = account_by_id(w, w->who.account, &a)) || (rc = factor_label(w, &a, &name)))
        return rc;
    s = slip_new(SLIP_FACTOR, kind, a.id);
    if ((rc = factors_put_offer(w, &b, &s, name, a.subject, sizeof a.subject)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- keeping it ---- */

static enum rc fault(struct work *w, const char *at, const char *member, const char *what)
{
    return err_field(&w->err, arena_printf(w->mem, "%s/%s", at, member), "%s", what);
}

enum rc factors_read_proof(struct work *w, const json_t *o, const char *at,
                           struct factor_proof *out)
{
    static const struct jx_field members[] = { { "ticket", JX_TEXT, true, 1, 128 },
                                               { "name", JX_TEXT, true, 1, 40 },
                                               { "code", JX_TEXT, false, 1, 20 },
                                               { "passkey", JX_OBJECT, false },
                                               { 0 } };
    bool totp;
    enum rc rc;

    if ((rc = jx_check(&w->err, o, members, at)))
        return rc;
    *out = (struct factor_proof){ .name = jx_text(o, "name"), .code = jx_text(o, "code") };
    if (!slip_read(jx_text(o, "ticket"), SLIP_FACTOR, FACTOR_LIFE, &out->slip))
        return fault(w, at, "ticket", "this offer is over: ask for another");
    if ((rc = auth_read_attestation(w, o, "passkey", out)))
        return rc;
    totp = out->slip.note == FACTOR_TOTP;
    if (totp ? !out->code : !out->attestation.p)
        return fault(w, at, totp ? "code" : "passkey", "this is missing");
    return RC_OK;
}

enum rc prepare_my_factor(struct work *w, struct request *rq)
{
    struct factor_new *n = arena_zalloc(w->mem, sizeof *n);
    struct factor_proof p;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = factors_read_proof(w, body, "", &p)))
        return rc;
    if (p.slip.account != w->who.account)
        return fault(w, "", "ticket", "this offer is over: ask for another");
    rq->prepared = n;
    return factor_read(w, &p, n);
}

enum rc post_my_factor(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    int64_t no;
    enum rc rc;

    if ((rc = auth_need_fresh(w, rp)) ||
        (rc = factor_add(w, w->who.account, rq->prepared, &no)))
        return rc;
    buf_printf(&b, "{\"id\":%" PRId64 "}\n", no);
    reply_buf(rp, TYPE_JSON, &b);
    reply_header(rp, "location", arena_printf(w->mem, "/v1/me/factors/%" PRId64, no));
    rp->status = 201;
    return RC_OK;
}

enum rc delete_my_factor(struct work *w, const struct request *rq, struct reply *rp)
{
    struct account a;
    enum rc rc;

    rp->status = 204;
    if ((rc = auth_need_fresh(w, rp)) || (rc = account_by_id(w, w->who.account, &a)))
        return rc;
    return factor_remove(w, &a, request_int(rq, "factor", 0));
}
