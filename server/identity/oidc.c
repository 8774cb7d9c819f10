/*
 * oidc.c - claims, no more of them than were asked for and allowed.
 *
 * A party's ceiling bounds the acr that it is told: how well we know somebody is a fact about him.
 */
#include "server/identity/oidc.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/identity/grant_scope.h"
#include "server/identity/identifier.h"
#include "server/identity/jwt.h"

void oidc_subject(const struct grant_client *c, const struct account *a, char out[OIDC_SUBJECT])
{
    uint8_t both[HASH_BYTES + ACCOUNT_SUBJECT], hash[HASH_BYTES];

    sha256(c->sector, strlen(c->sector), both);
    memcpy(both + HASH_BYTES, a->subject, ACCOUNT_SUBJECT);
    seal_index("sub", (const char *)both, sizeof both, hash);
    if (b64url_text(hash, sizeof hash, out, OIDC_SUBJECT) < 0)
        __builtin_trap(); /* the lengths are constants */
}

static enum rc open_account(struct work *w, int64_t id, struct account *out)
{
    enum rc rc = account_by_id(w, id, out);

    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if (rc || out->state != ACCOUNT_OPEN)
        return err_set(&w->err, RC_FORBIDDEN, "the account is not open");
    return RC_OK;
}

/* RFC 8176, where it has a word. */
static json_t *amr_of(unsigned proofs)
{
    static const struct {
        enum session_proof proof;
        const char *word;
    } words[] = { { PROOF_SMS, "sms" },       { PROOF_PASSWORD, "pwd" },
                  { PROOF_TOTP, "otp" },      { PROOF_PASSKEY, "hwk" },
                  { PROOF_WECHAT, "wechat" }, { PROOF_UPSTREAM, "fed" } };
    json_t *amr = json_array();

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (proofs & words[i].proof)
            json_array_append_new(amr, json_string(words[i].word));
    return amr;
}

static json_t *claims_of(const struct oidc_statement *s, const struct account *a)
{
    const struct grant_client *c = s->client;
    int level = s->person->level < c->ceiling ? s->person->level : c->ceiling;
    char subject[OIDC_SUBJECT], acr[2] = { (char)('0' + level), '\0' };
    json_int_t now = clock_now();
    json_t *claims;

    oidc_subject(c, a, subject);
    claims = json_pack("{ss ss ss ss sI sI sI ss}", "iss", s->issuer, "sub", subject, "aud",
                       c->id, "azp", c->id, "iat", now, "exp", now + OIDC_ID_TOKEN_LIFE,
                       "auth_time", (json_int_t)s->person->authenticated, "acr", acr);
    if (s->person->proofs)
        json_object_set_new(claims, "amr", amr_of(s->person->proofs));
    if (s->nonce)
        json_object_set_new(claims, "nonce", json_string(s->nonce));
    return claims;
}

enum rc oidc_id_token(struct work *w, struct jwt_keys *keys, const struct oidc_statement *s,
                      const char **out)
{
    struct account a;
    json_t *claims;
    enum rc rc;

    if ((rc = open_account(w, s->person->account, &a)))
        return rc;
    claims = claims_of(s, &a);
    rc = jwt_issue(keys, &w->err, w->mem, claims, out);
    json_decref(claims);
    return rc;
}

static enum rc put_phone(struct work *w, int64_t account, struct buf *out)
{
    struct identifier *there;
    enum rc rc;
    int n;

    if ((rc = identifier_list(w, account, &there, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        if (strcmp(there[i].kind, "phone"))
            continue;
        jx_put_text(out, "phone_number", arena_printf(w->mem, "+%s", there[i].value));
        jx_put_bool(out, "phone_number_verified", true);
        break;
    }
    return RC_OK;
}

enum rc oidc_userinfo(struct work *w, const struct grant_client *c, int64_t account,
                      unsigned scopes, struct buf *out)
{
    char subject[OIDC_SUBJECT];
    struct account a;
    enum rc rc;

    if ((rc = open_account(w, account, &a)))
        return rc;
    oidc_subject(c, &a, subject);
    buf_addc(out, '{');
    jx_put_text(out, "sub", subject);
    if (scopes & SCOPE_profile)
        jx_put_text(out, "name", a.name);
    if (scopes & SCOPE_phone && (rc = put_phone(w, a.id, out)))
        return rc;
    buf_adds(out, "}\n");
    return RC_OK;
}
