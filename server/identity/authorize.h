/*
 * authorize.h - a party asks for a person: whether it may ask so, and what comes next. Pure: no table, no clock, no HTML.
 *
 *     parameters --> authorize_client_is_right? --no--> a page for the person: nobody else is told
 *                --> authorize_check            --no--> an error to the party's address
 *                --> authorize_next             ------> sign in, prove more, consent, a code, or an error
 */
#ifndef IDENTITY_AUTHORIZE_H
#define IDENTITY_AUTHORIZE_H

#include "server/base/err.h"
#include "server/identity/grant_client.h"

enum {
    AUTHORIZE_STATE_MAX = 512, /* bytes of state and of nonce */
    AUTHORIZE_CHALLENGE = 32,  /* SHA-256 of the verifier */
    AUTHORIZE_VERIFIER_MIN = 43,
    AUTHORIZE_VERIFIER_MAX = 128
};

/* As they came; NULL: absent. */
struct authorize_params {
    const char *client_id, *redirect_uri, *response_type, *response_mode, *scope, *state,
        *nonce, *code_challenge, *code_challenge_method, *prompt, *max_age, *acr_values,
        *login_hint, *request, *request_uri, *registration;
};

enum { PROMPT_NONE = 1 << 0, PROMPT_SIGN_IN = 1 << 1, PROMPT_CONSENT = 1 << 2 };

struct authorize {
    const char *redirect, *state, *nonce,
        *login_hint; /* state, nonce, login_hint may be NULL */
    unsigned scopes, prompt;
    int64_t max_age; /* seconds; -1: any */
    int level;       /* acr at least; 0: any */
    uint8_t challenge[AUTHORIZE_CHALLENGE];
};

/* Whether the answer, a good or a bad one, may go to the address that is named. */
bool authorize_client_is_right(const struct grant_client *c, const struct authorize_params *p);
/* NULL, and *out; or the error code for the party (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6), and why in `e`. */
const char *authorize_check(struct err *e, const struct grant_client *c,
                            const struct authorize_params *p, struct authorize *out);

/* Of acr_values: any of those that are listed will do, so the lowest is what must be reached. Others' words are passed over; 0: any. */
int authorize_level(const char *acr_values);

enum authorize_next {
    AUTHORIZE_SIGN_IN, /* also: once more */
    AUTHORIZE_MORE,    /* he is in, but must prove more: authorize.level */
    AUTHORIZE_CONSENT,
    AUTHORIZE_CODE,
    AUTHORIZE_REFUSE /* with *error for the party */
};

/* Who sits before the browser. */
struct authorize_person {
    int level;             /* 0: nobody is signed in */
    int64_t authenticated; /* seconds: when he proved who he is */
    unsigned consented;    /* of enum grant_scope */
    bool just_consented;
};

/* `asked`: when the party's question first came, in seconds; INT64_MAX: it comes now. */
enum authorize_next authorize_next(const struct authorize *a, const struct authorize_person *p,
                                   int64_t asked, int64_t now, const char **error);

/* Whether the verifier fits the challenge (RFC 7636, S256). */
bool authorize_verify(const uint8_t challenge[AUTHORIZE_CHALLENGE], const char *verifier);

#endif
