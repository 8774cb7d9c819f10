/*
 * oidc.h - what a party is told of a person: OpenID Connect Core, sections 2 and 5.
 */
#ifndef IDENTITY_OIDC_H
#define IDENTITY_OIDC_H

#include "server/identity/account.h"
#include "server/identity/grant_client.h"
#include "server/identity/grant_code.h"
#include "server/identity/jwt_keys.h"

enum {
    OIDC_SUBJECT = 44,
    OIDC_ID_TOKEN_LIFE = 300 /* seconds: it tells of a sign-in that has just been */
};

/* `sub`: for the parties of one sector the same, for all others another (section 8.1). */
void oidc_subject(const struct grant_client *c, const struct account *a,
                  char out[OIDC_SUBJECT]);

struct oidc_statement {
    const char *issuer;
    const struct grant_client *client;
    const struct grant_person *person;
    const char *nonce; /* NULL: none was given */
};

/* The ID token, in w->mem. RC_FORBIDDEN: the account is not open any more. About 1 ms: on a worker. */
enum rc oidc_id_token(struct work *w, struct jwt_keys *keys, const struct oidc_statement *s,
                      const char **out);
/* The members of a userinfo answer that the scopes allow, sub first. RC_FORBIDDEN as above. */
enum rc oidc_userinfo(struct work *w, const struct grant_client *c, int64_t account,
                      unsigned scopes, struct buf *out);

#endif
