/*
 * authorize.c - rules in their order.
 *
 * PKCE is for everybody, with S256 alone: "plain", or none, would let whoever sees the request in a browser's history use the code.
 * Where the party does not say a method, "plain" is what RFC 7636 means by that, so it is refused as well.
 */
#include "server/identity/authorize.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/id.h"
#include "server/base/secret.h"
#include "server/identity/grant_scope.h"

enum { MAX_AGE_DIGITS = 9 };

bool authorize_client_is_right(const struct grant_client *c, const struct authorize_params *p)
{
    return p->redirect_uri && grant_redirect_is_fit(p->redirect_uri) &&
           grant_client_takes(c, p->redirect_uri);
}

static bool is(const char *text, const char *word)
{
    return text && !strcmp(text, word);
}

static const char *refuse(struct err *e, const char *error, const char *why)
{
    (void)err_set(e, RC_INVALID, "%s", why);
    return error;
}

/* ---- one rule each: NULL, or the error ---- */

static const char *check_kind(struct err *e, const struct grant_client *c,
                              const struct authorize_params *p, struct authorize *out)
{
    (void)out;
    if (!p->response_type)
        return refuse(e, "invalid_request", "response_type is missing");
    if (!is(p->response_type, "code"))
        return refuse(e, "unsupported_response_type", "response_type should be code");
    if (!(c->ways & GRANT_BY_CODE))
        return refuse(e, "unauthorized_client", "this client may not use authorization codes");
    if (p->response_mode && !is(p->response_mode, "query"))
        return refuse(e, "invalid_request", "response_mode should be query");
    return NULL;
}

static const char *check_absent(struct err *e, const struct grant_client *c,
                                const struct authorize_params *p, struct authorize *out)
{
    (void)c, (void)out;
    if (p->request)
        return refuse(e, "request_not_supported", "request objects are not taken");
    if (p->request_uri)
        return refuse(e, "request_uri_not_supported", "request objects are not taken");
    if (p->registration)
        return refuse(e, "registration_not_supported", "clients register beforehand");
    return NULL;
}

static const char *check_challenge(struct err *e, const struct grant_client *c,
                                   const struct authorize_params *p, struct authorize *out)
{
    (void)c;
    if (!p->code_challenge)
        return refuse(e, "invalid_request", "code_challenge is missing: PKCE is required");
    if (!is(p->code_challenge_method, "S256"))
        return refuse(e, "invalid_request", "code_challenge_method should be S256");
    if (b64url_parse(p->code_challenge, strlen(p->code_challenge), out->challenge,
                     AUTHORIZE_CHALLENGE) != AUTHORIZE_CHALLENGE)
        return refuse(e, "invalid_request", "code_challenge should be a SHA-256 in base64url");
    return NULL;
}

static const char *check_scope(struct err *e, const struct grant_client *c,
                               const struct authorize_params *p, struct authorize *out)
{
    out->scopes = p->scope ? grant_scopes_read(p->scope) : 0;
    if (!out->scopes)
        return refuse(e, "invalid_scope", "scope names nothing that there is");
    if (out->scopes & ~c->scopes)
        return refuse(e, "invalid_scope", "scope names what this client may not ask for");
    return NULL;
}

static const char *check_texts(struct err *e, const struct grant_client *c,
                               const struct authorize_params *p, struct authorize *out)
{
    (void)c;
    if (p->state && strlen(p->state) > AUTHORIZE_STATE_MAX)
        return refuse(e, "invalid_request", "state is too long");
    if (p->nonce && strlen(p->nonce) > AUTHORIZE_STATE_MAX)
        return refuse(e, "invalid_request", "nonce is too long");
    out->state = p->state;
    out->nonce = p->nonce;
    out->login_hint = p->login_hint;
    return NULL;
}

static unsigned prompt_of(const char *word, size_t n)
{
    static const struct {
        const char *word;
        unsigned prompt;
    } words[] = { { "none", PROMPT_NONE },
                  { "login", PROMPT_SIGN_IN },
                  { "select_account", PROMPT_SIGN_IN },
                  { "consent", PROMPT_CONSENT } };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == n && !memcmp(words[i].word, word, n))
            return words[i].prompt;
    return 0;
}

static const char *check_prompt(struct err *e, const struct grant_client *c,
                                const struct authorize_params *p, struct authorize *out)
{
    const char *at = p->prompt ? p->prompt : "";

    (void)c;
    for (size_t n; *at; at += n + (at[n] == ' ')) {
        unsigned prompt = prompt_of(at, n = strcspn(at, " "));

        if (!prompt)
            return refuse(e, "invalid_request",
                          "prompt should be none, login, consent or select_account");
        out->prompt |= prompt;
    }
    if (out->prompt & PROMPT_NONE && out->prompt != PROMPT_NONE)
        return refuse(e, "invalid_request", "prompt=none stands alone");
    return NULL;
}

static const char *check_age(struct err *e, const struct grant_client *c,
                             const struct authorize_params *p, struct authorize *out)
{
    size_t n = p->max_age ? strlen(p->max_age) : 0;

    (void)c;
    out->max_age = -1;
    if (!n)
        return NULL;
    if (n > MAX_AGE_DIGITS || strspn(p->max_age, "0123456789") != n)
        return refuse(e, "invalid_request", "max_age should be seconds");
    out->max_age = strtoll(p->max_age, NULL, 10);
    if (!out->max_age)
        out->prompt |= PROMPT_SIGN_IN; /* which is the same, also within a second */
    return NULL;
}

int authorize_level(const char *at)
{
    int level = 0;

    for (size_t n; *at; at += n + (at[n] == ' ')) {
        n = strcspn(at, " ");
        if (n == 1 && *at >= '1' && *at <= '4' && (!level || *at - '0' < level))
            level = *at - '0';
    }
    return level;
}

static const char *check_level(struct err *e, const struct grant_client *c,
                               const struct authorize_params *p, struct authorize *out)
{
    out->level = p->acr_values ? authorize_level(p->acr_values) : 0;
    if (out->level > c->ceiling)
        return refuse(e, "unmet_authentication_requirements",
                      "this client may not ask for this acr");
    return NULL;
}

const char *authorize_check(struct err *e, const struct grant_client *c,
                            const struct authorize_params *p, struct authorize *out)
{
    static const char *(*const rules[])(struct err *, const struct grant_client *,
                                        const struct authorize_params *, struct authorize *) = {
        check_absent, check_kind,   check_texts, check_challenge,
        check_scope,  check_prompt, check_age,   check_level,
    };
    struct authorize a = { .redirect = p->redirect_uri };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const char *error = rules[i](e, c, p, &a);

        if (error)
            return error;
    }
    *out = a;
    return NULL;
}

/* ---- what is next ---- */

/* Whether he proved who he is since the party asked, or recently enough for it. */
static bool is_fresh(const struct authorize *a, const struct authorize_person *p, int64_t asked,
                     int64_t now)
{
    if (p->authenticated >= asked)
        return true;
    return !(a->prompt & PROMPT_SIGN_IN) &&
           (a->max_age < 0 || now - p->authenticated <= a->max_age);
}

static bool has_consented(const struct authorize *a, const struct authorize_person *p)
{
    if (p->just_consented)
        return true;
    return !(a->prompt & PROMPT_CONSENT) && !(a->scopes & ~p->consented);
}

enum authorize_next authorize_next(const struct authorize *a, const struct authorize_person *p,
                                   int64_t asked, int64_t now, const char **error)
{
    enum authorize_next next = AUTHORIZE_CODE;

    if (!p->level || !is_fresh(a, p, asked, now)) {
        next = AUTHORIZE_SIGN_IN;
        *error = "login_required";
    } else if (p->level < a->level) {
        next = AUTHORIZE_MORE;
        *error = "interaction_required";
    } else if (!has_consented(a, p)) {
        next = AUTHORIZE_CONSENT;
        *error = "consent_required";
    }
    return next != AUTHORIZE_CODE && a->prompt & PROMPT_NONE ? AUTHORIZE_REFUSE : next;
}

bool authorize_verify(const uint8_t challenge[AUTHORIZE_CHALLENGE], const char *verifier)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    size_t n = strlen(verifier);
    uint8_t hash[HASH_BYTES];

    if (n < AUTHORIZE_VERIFIER_MIN || n > AUTHORIZE_VERIFIER_MAX ||
        strspn(verifier, letters) != n)
        return false;
    sha256(verifier, n, hash);
    return secret_equal(hash, challenge, sizeof hash);
}
