/*
 * jwt.c - the one place that knows libjwt 1.10.2, and what it cannot be left alone with.
 *
 *     text --> jws_read --> key by kid AND alg --> libjwt, that key --> its alg again --> claims
 *
 * Measured, libjwt accepts a token signed as HS256 with our public PEM for its secret (the kind of
 * key does not decide the algorithm), any token at all when the key is NULL, members that stand
 * twice, a crit that it does not understand, and exp in the past. So nothing is left to it but the
 * mathematics: jws.c has fixed the form, the key record says which algorithm it verifies and a
 * token that says another finds no key, the key is never NULL, and what libjwt thinks the algorithm
 * was is compared once more. The claims that the caller gets are those that we read, never
 * libjwt's.
 *
 * Times are whole numbers (a text or a fraction is refused) and may be JWT_SKEW seconds off.
 *
 * libjwt parses the PEM anew at each call, which makes signing and verifying several times slower
 * than they need be (docs/identity.md has the figures). For ID tokens, one a sign-in, that is
 * nothing; what is checked at every request is a session's token (bearer.c), which is no JWT.
 */
#include "server/identity/jwt.h"

#include <stdlib.h>
#include <string.h>

#include <jwt.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/secret.h"

static const jwt_alg_t libjwt_alg[] = {
    [JWS_ES256] = JWT_ALG_ES256,
    [JWS_RS256] = JWT_ALG_RS256,
};

static void free_jwt(jwt_t **t)
{
    jwt_free(*t);
}

static enum rc refuse(struct err *e, const char *why)
{
    return err_set(e, RC_UNAUTHORIZED, "the statement is not believed: %s", why);
}

/* ---- claims ---- */

/* False: it is there and is no whole number. */
static bool seconds(const json_t *claims, const char *name, bool required, int64_t otherwise,
                    int64_t *out)
{
    const json_t *v = json_object_get(claims, name);

    *out = v ? json_integer_value(v) : otherwise;
    return v ? json_is_integer(v) : !required;
}

static bool is_text(const json_t *v, const char *text)
{
    return json_is_string(v) && json_string_length(v) == strlen(text) &&
           !strcmp(json_string_value(v), text);
}

/* RFC 7519 section 4.1.3, OpenID Connect Core section 3.1.3.7: of several readers azp names the
 * one that it was made for. */
static bool is_for(const json_t *claims, const char *reader)
{
    const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp"),
                 *v;
    bool named = is_text(aud, reader);
    size_t i;

    if (json_is_array(aud)) {
        json_array_foreach((json_t *)(uintptr_t)aud, i, v)
        {
            if (!json_is_string(v))
                return false;
            named |= is_text(v, reader);
        }
    }
    if (!named || (!azp && json_array_size(aud) > 1))
        return false;
    return !azp || is_text(azp, reader);
}

static enum rc check_claims(struct err *e, const json_t *claims, const struct jwt_expect *x)
{
    int64_t exp, nbf, iat;

    if (!is_text(json_object_get(claims, "iss"), x->iss))
        return refuse(e, "iss is another");
    if (!is_for(claims, x->aud))
        return refuse(e, "aud or azp is another");
    if (!seconds(claims, "exp", true, 0, &exp) || !seconds(claims, "iat", true, 0, &iat) ||
        !seconds(claims, "nbf", false, INT64_MIN, &nbf))
        return refuse(e, "exp, iat or nbf is no whole number");
    if (exp <= x->now - JWT_SKEW)
        return refuse(e, "its time is over");
    if (iat > x->now + JWT_SKEW || nbf > x->now + JWT_SKEW)
        return refuse(e, "its time has not begun");
    return RC_OK;
}

/* ---- believing ---- */

/* A statement without kid may be of the only key there is for its algorithm. */
static const struct jwk *find_key(const struct jwk *keys, int n, const struct jws *jws)
{
    const struct jwk *found = NULL;

    for (int i = 0; i < n; i++) {
        if (keys[i].alg != jws->alg || (jws->kid && strcmp(keys[i].kid, jws->kid)))
            continue;
        if (found)
            return NULL;
        found = &keys[i];
    }
    return found;
}

static enum rc check_signature(struct err *e, const struct jwk *key, const char *text)
{
    __attribute__((cleanup(free_jwt))) jwt_t *t = NULL;

    if (jwt_decode(&t, text, (const unsigned char *)key->pem, (int)strlen(key->pem)))
        return refuse(e, "its signature does not hold");
    if (jwt_get_alg(t) != libjwt_alg[key->alg])
        return refuse(e, "libjwt took another algorithm");
    return RC_OK;
}

enum rc jwt_verify(struct err *e, struct arena *mem, const struct jwk *keys, int n,
                   const struct jwt_expect *x, const char *text, size_t text_n, json_t **claims)
{
    const struct jwk *key;
    struct jws jws;
    enum rc rc;

    if ((rc = jws_read(e, mem, text, text_n, &jws)))
        return rc;
    if (jws.typ ? strcmp(jws.typ, x->typ ? x->typ : "JWT") != 0 : x->typ != NULL)
        return refuse(e, "typ is another");
    if (!(key = find_key(keys, n, &jws)))
        return refuse(e, "there is no key of its kid and alg");
    if ((rc = check_signature(e, key, arena_strndup(mem, text, text_n))) ||
        (rc = check_claims(e, jws.claims, x)))
        return rc;
    *claims = jws.claims;
    return RC_OK;
}

/* ---- issuing ---- */

static enum rc check_own(struct err *e, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    int64_t iat, exp;

    if (!jx_text(claims, "iss") || !jx_text(claims, "sub") ||
        !(json_is_string(aud) || json_array_size(aud)))
        return err_set(e, RC_INTERNAL, "a statement needs iss, sub and aud");
    if (!seconds(claims, "iat", true, 0, &iat) || !seconds(claims, "exp", true, 0, &exp) ||
        iat > exp || exp > clock_now() + JWT_LIFETIME_MAX)
        return err_set(e, RC_INTERNAL, "a statement lives at most %d s", JWT_LIFETIME_MAX);
    return RC_OK;
}

/* The compact form, to be freed; NULL: libjwt could not. */
static char *sign(const char *kid, const char *secret, const char *json)
{
    __attribute__((cleanup(free_jwt))) jwt_t *t = NULL;

    if (jwt_new(&t) || jwt_add_grants_json(t, json) || jwt_add_header(t, "kid", kid) ||
        jwt_set_alg(t, JWT_ALG_ES256, (const unsigned char *)secret, (int)strlen(secret)))
        return NULL;
    return jwt_encode_str(t);
}

enum rc jwt_issue(struct jwt_keys *k, struct err *e, struct arena *mem, const json_t *claims,
                  const char **out)
{
    char kid[JWS_NAME_MAX + 1], secret[JWT_SECRET_MAX];
    char *json, *text;
    enum rc rc;

    if ((rc = check_own(e, claims)))
        return rc;
    json = json_dumps(claims, JSON_COMPACT);
    jwt_keys_signing(k, kid, secret);
    text = json ? sign(kid, secret, json) : NULL;
    secret_wipe(secret, sizeof secret);
    free(json);
    if (!text)
        return err_set(e, RC_INTERNAL, "libjwt could not sign");
    if (strlen(text) > JWS_MAX)
        rc = err_set(e, RC_TOO_LARGE, "a statement has at most %d bytes", JWS_MAX);
    else
        *out = arena_strdup(mem, text);
    free(text);
    return rc;
}
