/*
 * authorize_fuzz.c - any bytes as a program's request: refused with a code that the specifications know, or what it asks is the party's to
 * ask, and goes where it may. The same bytes as a parked request, as somebody's typing, and as a verifier.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/form.h"
#include "server/identity/authorize.h"
#include "server/identity/device_grant.h"
#include "server/identity/grant_scope.h"
#include "server/identity/parked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const addresses[] = { "https://a.cn/b", "http://127.0.0.1/d",
                                         "http://[::1]/d" };
static const struct grant_client client = { .id = "a",
                                            .redirects = addresses,
                                            .nredirects = 3,
                                            .ways = GRANT_BY_CODE,
                                            .scopes = SCOPE_openid | SCOPE_phone,
                                            .ceiling = 2 };

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(word, words[i]))
            return true;
    return false;
}

/* A second reader of addresses: what is left when a port is cut out is registered. */
static void check_address(const char *address)
{
    char plain[GRANT_REDIRECT_MAX + 1];
    const char *port =
        strstr(address, "]:") ? strstr(address, "]:") + 1 : strchr(address + 6, ':');
    size_t before = port ? (size_t)(port - address) : strlen(address);

    if (strlen(address) > GRANT_REDIRECT_MAX)
        abort();
    memcpy(plain, address, before);
    strcpy(plain + before, port ? port + 1 + strspn(port + 1, "0123456789") : "");
    if (!is_one_of(address, addresses, 3) &&
        (memcmp(address, "http:", 5) || !port || !is_one_of(plain, addresses, 3)))
        abort();
}

static void check_request(const struct authorize_params *p)
{
    static const char *const errors[] = { "invalid_request",
                                          "unauthorized_client",
                                          "unsupported_response_type",
                                          "invalid_scope",
                                          "request_not_supported",
                                          "request_uri_not_supported",
                                          "registration_not_supported",
                                          "unmet_authentication_requirements" };
    struct authorize a;
    struct err e = { 0 };
    const char *error = authorize_check(&e, &client, p, &a);

    if (error) {
        if (!is_one_of(error, errors, sizeof errors / sizeof *errors) || !*e.text)
            abort();
        return;
    }
    if (!a.scopes || a.scopes & ~client.scopes || a.level < 0 || a.level > client.ceiling ||
        a.max_age < -1 || (a.prompt & PROMPT_NONE && a.prompt & PROMPT_CONSENT) ||
        strcmp(p->code_challenge_method, "S256") || strlen(p->code_challenge) != 43)
        abort();
}

static void try_request(struct arena *mem, const char *text, size_t n)
{
    struct authorize_params p;
    struct err e = { 0 };
    struct form f;

    if (form_parse(&e, mem, text, n, &f))
        return;
    p = (struct authorize_params){
        .client_id = form_text(&f, "client_id"),
        .redirect_uri = form_text(&f, "redirect_uri"),
        .response_type = form_text(&f, "response_type"),
        .response_mode = form_text(&f, "response_mode"),
        .scope = form_text(&f, "scope"),
        .state = form_text(&f, "state"),
        .nonce = form_text(&f, "nonce"),
        .code_challenge = form_text(&f, "code_challenge"),
        .code_challenge_method = form_text(&f, "code_challenge_method"),
        .prompt = form_text(&f, "prompt"),
        .max_age = form_text(&f, "max_age"),
        .acr_values = form_text(&f, "acr_values"),
        .request = form_text(&f, "request"),
        .request_uri = form_text(&f, "request_uri"),
        .registration = form_text(&f, "registration"),
    };
    if (authorize_client_is_right(&client, &p))
        check_address(p.redirect_uri);
    check_request(&p);
}

static void try_texts(struct arena *mem, const char *text)
{
    static const uint8_t challenge[AUTHORIZE_CHALLENGE] = "nobody knows what this is of";
    char code[USER_CODE_TEXT], again[USER_CODE_TEXT];
    struct err e = { 0 };
    const char *query;
    int64_t since;

    if (parked_read(&e, mem, text, 0, &since, &query) != RC_INVALID)
        abort();
    if (authorize_verify(challenge, text))
        abort();
    if (device_user_code(text, code) && (strlen(code) != USER_CODE_TEXT - 1 ||
                                         !device_user_code(code, again) || strcmp(code, again)))
        abort();
    (void)grant_redirect_is_fit(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();

    try_request(mem, (const char *)data, n);
    try_texts(mem, arena_strndup(mem, (const char *)data, n));
    arena_free(mem);
    return 0;
}
