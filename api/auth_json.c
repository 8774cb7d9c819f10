/*
 * auth_json.c - the members that routes of accounts have in common.
 */
#include "api/auth_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/seal.h"
#include "server/http/problem.h"
#include "server/identity/account.h"
#include "server/identity/name.h"
#include "server/identity/refusal.h"
#include "server/identity/session_table.h"

enum { FRESH = 600, BYTES_MAX = 8192, TIMEOUT_MS = 300000 };

/* ---- reading ---- */

enum rc auth_read_body(struct work *w, const struct request *rq, const struct jx_field *fields,
                       json_t **out)
{
    enum rc rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, out);

    return rc ? rc : jx_check(&w->err, *out, fields, "");
}

enum rc auth_read_bytes(struct work *w, const json_t *o, const char *within, const char *name,
                        struct passkey_bytes *out)
{
    const char *text = jx_text(o, name);
    size_t n = text ? strlen(text) : 0;
    uint8_t *bytes;
    int got;

    *out = (struct passkey_bytes){ 0 };
    if (!text)
        return RC_OK;
    bytes = arena_alloc(w->mem, n + 1);
    got = n <= BYTES_MAX ? b64url_parse(text, n, bytes, n + 1) : -1;
    if (got < 1)
        return err_field(&w->err, arena_printf(w->mem, "%s/%s", within, name),
                         "this should be base64url without padding");
    *out = (struct passkey_bytes){ bytes, (size_t)got };
    return RC_OK;
}

struct part {
    const char *name;
    struct passkey_bytes *to;
};

/* {"id":…,"response":{…}}; a browser says more, which is passed over. */
static enum rc read_credential(struct work *w, const json_t *body, const char *name,
                               struct passkey_bytes *id, const struct part *parts)
{
    static const struct jx_field outer[] = { { "id", JX_TEXT, true, 1, 2048 },
                                             { "response", JX_OBJECT, true },
                                             { 0 } };
    const json_t *o = json_object_get(body, name), *response;
    const char *at = arena_printf(w->mem, "/%s", name);
    enum rc rc;

    if (!o)
        return RC_OK;
    if ((rc = jx_check_known(&w->err, o, outer, at)) ||
        (rc = auth_read_bytes(w, o, at, "id", id)))
        return rc;
    response = json_object_get(o, "response");
    at = arena_printf(w->mem, "/%s/response", name);
    for (; parts->name; parts++) {
        if ((rc = auth_read_bytes(w, response, at, parts->name, parts->to)))
            return rc;
        if (!parts->to->p)
            return err_field(&w->err, arena_printf(w->mem, "%s/%s", at, parts->name),
                             "this is missing");
    }
    return RC_OK;
}

enum rc auth_read_signed(struct work *w, const json_t *body, const char *name,
                         struct factor_signed *out)
{
    const struct part parts[] = { { "clientDataJSON", &out->client_data },
                                  { "authenticatorData", &out->authenticator_data },
                                  { "signature", &out->signature },
                                  { 0 } };

    const json_t *response = json_object_get(json_object_get(body, name), "response");
    const char *at = arena_printf(w->mem, "/%s/response", name);
    enum rc rc;

    *out = (struct factor_signed){ 0 };
    rc = read_credential(w, body, name, &out->credential, parts);
    return rc ? rc : auth_read_bytes(w, response, at, "userHandle", &out->user);
}

enum rc auth_read_attestation(struct work *w, const json_t *body, const char *name,
                              struct factor_proof *out)
{
    const struct part parts[] = { { "clientDataJSON", &out->client_data },
                                  { "attestationObject", &out->attestation },
                                  { 0 } };
    struct passkey_bytes id;

    out->client_data = out->attestation = (struct passkey_bytes){ 0 };
    return read_credential(w, body, name, &id, parts);
}

enum rc auth_read_device(struct work *w, const json_t *body, const char **out)
{
    const char *text = jx_text(body, "device");

    *out = text ? text : "未命名的设备";
    if (!name_is_fit(*out))
        return err_field(&w->err, "/device",
                         "a device's name is one line of characters that can be seen");
    return strlen(*out) <= SESSION_DEVICE_MAX
               ? RC_OK
               : err_field(&w->err, "/device", "a device's name has 1 to %d bytes",
                           SESSION_DEVICE_MAX);
}

/* ---- writing ---- */

static void put_base64(struct buf *b, const char *key, const void *p, size_t n)
{
    size_t room = n * 4 / 3 + 4;
    char *text = arena_alloc(b->mem, room);

    if (b64url_text(p, n, text, room) >= 0)
        jx_put_text(b, key, text);
}

static enum rc put_allowed(struct work *w, struct buf *b, int64_t account)
{
    struct factor *list;
    enum rc rc;
    int n;

    if ((rc = factor_list(w, account, &list, &n)))
        return rc;
    jx_key(b, "allowCredentials");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++)
        if (list[i].kind == FACTOR_PASSKEY) {
            buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
            put_base64(b, "id", list[i].passkey.id, list[i].passkey.id_n);
            jx_put_text(b, "type", "public-key");
            buf_addc(b, '}');
        }
    buf_addc(b, ']');
    return RC_OK;
}

enum rc auth_put_request(struct work *w, struct buf *b, const struct slip *s, int64_t account)
{
    uint8_t challenge[PASSKEY_CHALLENGE];
    enum rc rc;

    buf_addc(b, '{');
    if (account && (rc = put_allowed(w, b, account)))
        return rc;
    factor_challenge(s, challenge);
    put_base64(b, "challenge", challenge, sizeof challenge);
    jx_put_text(b, "rpId", factor_rp_id());
    jx_put_int(b, "timeout", TIMEOUT_MS);
    jx_put_text(b, "userVerification", account ? "preferred" : "required");
    buf_addc(b, '}');
    return RC_OK;
}

static void put_ticket(struct buf *b, const struct slip *s)
{
    char text[SLIP_TEXT];

    slip_put(s, text);
    jx_put_text(b, "ticket", text);
}

static enum rc put_factors(struct work *w, struct buf *b, const struct sign_in_result *r)
{
    bool totp = r->factors & 1u << FACTOR_TOTP, passkey = r->factors & 1u << FACTOR_PASSKEY;
    enum rc rc;

    jx_put_int(b, "expires_in", SIGN_IN_LIFE);
    jx_key(b, "factors");
    buf_printf(b, "[%s%s%s]", totp ? "\"totp\"" : "", totp && passkey ? "," : "",
               passkey ? "\"passkey\"" : "");
    if (passkey) {
        jx_key(b, "passkey");
        if ((rc = auth_put_request(w, b, &r->slip, r->account)))
            return rc;
    }
    jx_put_text(b, "step", "factor");
    put_ticket(b, &r->slip);
    return RC_OK;
}

/*
 * A key that comes with each sign-in of the account and with nothing else: what somebody leaves unsent on a phone that he gives away is sealed with it. It follows from what is
 * random of the account, for a restored backup gives the same numbers to other people.
 */
static enum rc put_vault(struct work *w, struct buf *b, int64_t account)
{
    struct account a;
    char text[48];
    uint8_t key[HASH_BYTES];
    enum rc rc = account_by_id(w, account, &a);

    if (rc)
        return rc;
    seal_index("vault", (const char *)a.subject, sizeof a.subject, key);
    if (b64url_text(key, sizeof key, text, sizeof text) < 0)
        __builtin_trap(); /* the lengths are constants */
    jx_put_text(b, "vault", text);
    return RC_OK;
}

static enum rc put_done(struct work *w, struct buf *b, const struct sign_in_result *r)
{
    jx_put_text(b, "access", r->tokens.access);
    jx_put_int(b, "account", r->account);
    jx_put_int(b, "expires_in", r->tokens.seconds);
    jx_put_text(b, "known", *r->known ? r->known : NULL);
    jx_put_int(b, "level", r->level);
    jx_put_bool(b, "new", r->made);
    jx_put_text(b, "refresh", r->tokens.refresh);
    jx_put_text(b, "step", "done");
    return put_vault(w, b, r->account);
}

enum rc auth_put_step(struct work *w, struct buf *b, const struct sign_in_result *r)
{
    enum rc rc = RC_OK;

    buf_addc(b, '{');
    switch (r->step) {
    case SIGN_IN_FACTOR: rc = put_factors(w, b, r); break;
    case SIGN_IN_PASSWORD:
        jx_put_int(b, "expires_in", SIGN_IN_LIFE);
        jx_put_text(b, "step", "password");
        put_ticket(b, &r->slip);
        break;
    case SIGN_IN_PHONE:
        jx_put_int(b, "expires_in", WORD_LIFE);
        jx_put_text(b, "step", "phone");
        jx_put_text(b, "ticket", r->ticket);
        break;
    case SIGN_IN_CODE:
        jx_put_int(b, "retry_after", r->wait);
        jx_put_text(b, "step", "code");
        break;
    case SIGN_IN_DONE: rc = put_done(w, b, r); break;
    case SIGN_IN_REFUSED: break; /* auth_refuse() */
    }
    buf_adds(b, "}\n");
    return rc;
}

/* ---- refusing ---- */

void auth_retry_after(struct work *w, struct reply *rp, int64_t seconds)
{
    reply_header(rp, "retry-after", arena_printf(w->mem, "%" PRId64, seconds));
}

enum rc auth_refuse(struct work *w, const char *route, const struct sign_in_result *r,
                    struct reply *rp)
{
    struct actor who = w->who;

    if (r->why == RC_TOO_MANY)
        auth_retry_after(w, rp, r->wait);
    else if (r->why == RC_UNAUTHORIZED)
        reply_header(rp, "www-authenticate", "Bearer");
    if (r->account)
        snprintf(who.name, sizeof who.name, "account:%" PRId64, r->account);
    if (r->why != RC_TOO_MANY)
        refusal_note("POST", route, &who, w->client ? w->client : "", r->why);
    problem_reply(w->mem, problem_of(r->why), &w->err, w->request, false, rp);
    return RC_OK;
}

enum rc auth_need_fresh(struct work *w, struct reply *rp)
{
    struct session_entry e;

    if (session_table_get(w->who.session, &e) && clock_now() - e.authenticated <= FRESH)
        return RC_OK;
    reply_header(rp, "www-authenticate",
                 "Bearer error=\"insufficient_user_authentication\", max_age=600");
    return err_set(&w->err, RC_UNAUTHORIZED,
                   "this needs a sign-in of the last ten minutes: sign in again");
}
