/*
 * jwt.h - a signed statement about somebody: made for others, and believed from others only after
 * every rule. The only file that knows libjwt is jwt.c.
 */
#ifndef IDENTITY_JWT_H
#define IDENTITY_JWT_H

#include "server/identity/jwt_keys.h"

/*
 * `claims` as the statement says them: iss, sub and aud (a text or a list), iat and exp (seconds)
 * must be there, with iat <= exp <= now + JWT_LIFETIME_MAX. The compact form is in `mem`, with typ
 * "JWT" and the kid of the key that signs now. RC_TOO_LARGE: it would have more than JWS_MAX bytes.
 * About 1 ms: on a worker.
 */
enum rc jwt_issue(struct jwt_keys *k, struct err *e, struct arena *mem, const json_t *claims,
                  const char **out);

struct jwt_expect {
    const char *typ; /* "JWT"; NULL: that, or none (upstreams leave it out) */
    const char *iss; /* exactly this */
    const char *aud; /* this, or a list that has it and names it as azp */
    int64_t now;
};

/*
 * RC_INVALID: it breaks a rule of form (jws.h). RC_UNAUTHORIZED: no key of these signed it, or it
 * is not what is expected; `e` says why, for the log. What the claims mean beyond iss, aud, azp,
 * exp, nbf and iat (nonce, auth_time, acr) is the caller's. About 1 ms: on a worker.
 */
enum rc jwt_verify(struct err *e, struct arena *mem, const struct jwk *keys, int n,
                   const struct jwt_expect *x, const char *text, size_t text_n,
                   json_t **claims);

#endif
