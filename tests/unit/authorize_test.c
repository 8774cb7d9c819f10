/*
 * authorize_test.c - what a party may ask, where the answer may go, and what comes next; without any table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/id.h"
#include "server/identity/authorize.h"
#include "server/identity/grant_scope.h"
#include "server/identity/parked.h"

#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* RFC 7636, appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static const char *const addresses[] = { "https://a.example/back", "http://127.0.0.1/done",
                                         "http://[::1]/done?x=1" };
static const struct grant_client client = { .id = "a",
                                            .redirects = addresses,
                                            .nredirects = 3,
                                            .ways = GRANT_BY_CODE,
                                            .scopes = SCOPE_openid | SCOPE_phone,
                                            .ceiling = 3 };

static const struct authorize_params fine = { .client_id = "a",
                                              .redirect_uri = "https://a.example/back",
                                              .response_type = "code",
                                              .scope = "openid",
                                              .code_challenge = CHALLENGE,
                                              .code_challenge_method = "S256" };

/* ---- where to ---- */

static void an_answer_goes_to_a_registered_address_byte_for_byte(void **state)
{
    static const char *const right[] = { "https://a.example/back", "http://127.0.0.1/done",
                                         "http://127.0.0.1:1/done",
                                         "http://127.0.0.1:65535/done",
                                         "http://[::1]:8080/done?x=1" },
                             *const wrong[] = {
                                 "https://a.example/back/",
                                 "https://a.example/Back",
                                 "https://a.example:443/back",
                                 "https://A.example/back",
                                 "http://a.example/back",
                                 "https://a.example/back?",
                                 "https://a.example/back#",
                                 "https://a.example/bac%6b",
                                 "https://a.example/back/../back",
                                 "https://a.example.b/back",
                                 "https://user@a.example/back",
                                 "//a.example/back",
                                 "/back",
                                 "",
                                 "http://127.0.0.1:/done",
                                 "http://127.0.0.1:80x/done",
                                 "http://127.0.0.1:123456/done",
                                 "http://127.0.0.1:80/other",
                                 "http://127.0.0.1.evil.example/done",
                                 "http://127.0.0.1@evil/done",
                                 "http://localhost/done",
                                 "http://[::1]/done",
                                 "http://[::2]:80/done?x=1",
                                 "javascript:alert(1)",
                             };

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct authorize_params p = fine;

        p.redirect_uri = right[i];
        if (!authorize_client_is_right(&client, &p))
            fail_msg("%s", right[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct authorize_params p = fine;

        p.redirect_uri = wrong[i];
        if (authorize_client_is_right(&client, &p))
            fail_msg("%s", wrong[i]);
    }
    assert_false(authorize_client_is_right(&client, &(struct authorize_params){ 0 }));
}

static void what_may_be_registered(void **state)
{
    static const char *const fit[] = { "https://a.example",       "https://a.example/x?y=z",
                                       "https://a.example:8443/", "http://127.0.0.1/x",
                                       "http://127.0.0.1:8080/x", "http://[::1]/" },
                             *const unfit[] = {
                                 "http://a.example/",
                                 "https://",
                                 "https:///x",
                                 "https://:443/",
                                 "https://a.example/#x",
                                 "https://a@b.example/",
                                 "https://a.example/ x",
                                 "https://a.example/\x7f",
                                 "https://a.example/天",
                                 "ftp://a.example/",
                                 "a.example",
                                 "https://a.example\\@b.example/",
                                 "http://127.0.0.1x/",
                                 "http://127.0.0.1:0000000/",
                                 "",
                             };
    char large[GRANT_REDIRECT_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof fit / sizeof *fit; i++)
        if (!grant_redirect_is_fit(fit[i]))
            fail_msg("%s", fit[i]);
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if (grant_redirect_is_fit(unfit[i]))
            fail_msg("%s", unfit[i]);
    memset(large, 'x', sizeof large);
    memcpy(large, "https://", 8);
    large[GRANT_REDIRECT_MAX + 1] = '\0';
    assert_false(grant_redirect_is_fit(large));
    large[GRANT_REDIRECT_MAX] = '\0';
    assert_true(grant_redirect_is_fit(large));
}

/* ---- what ---- */

static const char *error_of(const struct authorize_params *p)
{
    struct authorize a;
    struct err e = { 0 };
    const char *error = authorize_check(&e, &client, p, &a);

    assert_true(!error == !*e.text);
    return error ? error : "";
}

static void a_fine_request_is_read(void **state)
{
    struct authorize_params p = fine;
    struct authorize a;
    struct err e = { 0 };

    (void)state;
    p.scope = "openid email  phone";
    p.prompt = "consent";
    p.max_age = "0";
    p.acr_values = "urn:x 3 2";
    p.state = "s";
    p.nonce = "n";
    assert_null(authorize_check(&e, &client, &p, &a));
    assert_int_equal(a.scopes, SCOPE_openid | SCOPE_phone);
    assert_int_equal(a.prompt, PROMPT_SIGN_IN | PROMPT_CONSENT);
    assert_int_equal(a.max_age, 0); /* as prompt=login */
    assert_int_equal(a.level, 2);
    assert_string_equal(a.state, "s");
    assert_string_equal(a.nonce, "n");
    assert_null(authorize_check(&e, &client, &fine, &a));
    assert_int_equal(a.max_age, -1);
    assert_int_equal(a.level, 0);
    assert_null(a.state);
}

static void pkce_cannot_be_left_out_or_weakened(void **state)
{
    struct authorize_params p = fine;
    char challenge[] = CHALLENGE;

    (void)state;
    p.code_challenge = NULL;
    assert_string_equal(error_of(&p), "invalid_request");
    p = fine;
    p.code_challenge_method = NULL; /* which means plain */
    assert_string_equal(error_of(&p), "invalid_request");
    p.code_challenge_method = "plain";
    assert_string_equal(error_of(&p), "invalid_request");
    p.code_challenge_method = "s256";
    assert_string_equal(error_of(&p), "invalid_request");
    p = fine;
    p.code_challenge = challenge;
    challenge[42] = 'N'; /* bits that mean nothing: not its canonical form */
    assert_string_equal(error_of(&p), "invalid_request");
    challenge[42] = '\0';
    assert_string_equal(error_of(&p), "invalid_request");
    p.code_challenge = CHALLENGE "=";
    assert_string_equal(error_of(&p), "invalid_request");
}

static void a_verifier_fits_its_challenge_alone(void **state)
{
    uint8_t challenge[AUTHORIZE_CHALLENGE];
    char large[AUTHORIZE_VERIFIER_MAX + 2];

    (void)state;
    assert_int_equal(b64url_parse(CHALLENGE, 43, challenge, sizeof challenge), 32);
    assert_true(authorize_verify(challenge, VERIFIER));
    assert_false(authorize_verify(challenge, CHALLENGE));
    assert_false(authorize_verify(challenge, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
    assert_false(authorize_verify(challenge, ""));
    memset(large, 'a', sizeof large);
    large[AUTHORIZE_VERIFIER_MAX + 1] = '\0';
    sha256(large, AUTHORIZE_VERIFIER_MAX + 1, challenge);
    assert_false(authorize_verify(challenge, large)); /* too long, though its hash is right */
    large[AUTHORIZE_VERIFIER_MAX] = '\0';
    sha256(large, AUTHORIZE_VERIFIER_MAX, challenge);
    assert_true(authorize_verify(challenge, large));
    large[AUTHORIZE_VERIFIER_MIN - 1] = '\0';
    sha256(large, AUTHORIZE_VERIFIER_MIN - 1, challenge);
    assert_false(authorize_verify(challenge, large));
    large[AUTHORIZE_VERIFIER_MIN - 1] = 'a';
    large[AUTHORIZE_VERIFIER_MIN] = '\0';
    large[3] = '+';
    sha256(large, AUTHORIZE_VERIFIER_MIN, challenge);
    assert_false(authorize_verify(challenge, large));
}

/* ---- next ---- */

static enum authorize_next next(const struct authorize *a, const struct authorize_person *p,
                                int64_t asked, int64_t now)
{
    const char *error = "";

    return authorize_next(a, p, asked, now, &error);
}

static void what_is_missing_comes_first(void **state)
{
    struct authorize a = { .scopes = SCOPE_openid, .max_age = -1, .level = 3 };
    struct authorize_person p = { 0 };

    (void)state;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_SIGN_IN);
    p = (struct authorize_person){ .level = 2, .authenticated = 50 };
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_MORE);
    p.level = 3;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_CONSENT);
    p.consented = SCOPE_phone;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_CONSENT);
    p.consented = SCOPE_ALL;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_CODE);
    a.prompt = PROMPT_CONSENT;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_CONSENT);
    p.just_consented = true;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_CODE);
    a.max_age = 49;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_SIGN_IN);
    assert_int_equal(next(&a, &p, 50, 100), AUTHORIZE_CODE); /* he did, since he was asked */
    a.max_age = 50;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_CODE);
    a.prompt = PROMPT_SIGN_IN;
    assert_int_equal(next(&a, &p, INT64_MAX, 100), AUTHORIZE_SIGN_IN);
    assert_int_equal(next(&a, &p, 51, 100), AUTHORIZE_SIGN_IN);
    assert_int_equal(next(&a, &p, 50, 100), AUTHORIZE_CODE);
}

static void who_may_not_ask_him_is_told_why(void **state)
{
    struct authorize a = {
        .scopes = SCOPE_openid, .max_age = -1, .level = 2, .prompt = PROMPT_NONE
    };
    struct authorize_person p = { 0 };
    const char *error;

    (void)state;
    assert_int_equal(authorize_next(&a, &p, INT64_MAX, 1, &error), AUTHORIZE_REFUSE);
    assert_string_equal(error, "login_required");
    p.level = 1;
    assert_int_equal(authorize_next(&a, &p, INT64_MAX, 1, &error), AUTHORIZE_REFUSE);
    assert_string_equal(error, "interaction_required");
    p.level = 2;
    assert_int_equal(authorize_next(&a, &p, INT64_MAX, 1, &error), AUTHORIZE_REFUSE);
    assert_string_equal(error, "consent_required");
    p.consented = SCOPE_openid;
    assert_int_equal(authorize_next(&a, &p, INT64_MAX, 1, &error), AUTHORIZE_CODE);
}

/* ---- scopes ---- */

static void scopes_are_words(void **state)
{
    char text[GRANT_SCOPES_TEXT];
    const char *chinese[GRANT_SCOPES];

    (void)state;
    assert_int_equal(grant_scopes_read("openid"), SCOPE_openid);
    assert_int_equal(grant_scopes_read(" phone  openid x "), SCOPE_openid | SCOPE_phone);
    assert_int_equal(grant_scopes_read("OPENID openidx"), 0);
    assert_int_equal(grant_scopes_read(""), 0);
    assert_string_equal(grant_scopes_text(SCOPE_phone | SCOPE_openid, text), "openid phone");
    assert_string_equal(grant_scopes_text(0, text), "");
    assert_int_equal(grant_scopes_read(grant_scopes_text(SCOPE_ALL, text)), SCOPE_ALL);
    assert_int_equal(grant_scopes_chinese(SCOPE_profile | SCOPE_phone, chinese), 2);
    assert_string_equal(chinese[0], "您的姓名");
}

/* ---- parked ---- */

static void a_parked_request_comes_back_as_it_was(void **state)
{
    static const uint8_t key[32] = "one", other[32] = "another";
    struct arena *mem = arena_new();
    struct buf b = BUF_IN(mem), full = BUF_IN(mem);
    struct err e = { 0 };
    const char *query;
    int64_t since;
    char *many = arena_zalloc(mem, PARKED_QUERY + 2);

    (void)state;
    parked_set_key(key);
    assert_int_equal(parked_put(&e, &b, 1000, "a=1&b=2", 7), RC_OK);
    assert_int_equal(parked_read(&e, mem, b.p, 1000 + PARKED_LIFE, &since, &query), RC_OK);
    assert_int_equal(since, 1000);
    assert_string_equal(query, "a=1&b=2");
    assert_int_equal(parked_read(&e, mem, b.p, 1001 + PARKED_LIFE, &since, &query), RC_INVALID);
    assert_int_equal(parked_read(&e, mem, b.p, 999, &since, &query), RC_INVALID);
    for (size_t i = 0; i < b.n; i++) {
        char *altered = arena_strdup(mem, b.p);

        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        assert_int_equal(parked_read(&e, mem, altered, 1000, &since, &query), RC_INVALID);
        altered[i] = '\0';
        assert_int_equal(parked_read(&e, mem, altered, 1000, &since, &query), RC_INVALID);
    }
    memset(many, 'x', PARKED_QUERY + 1);
    assert_int_equal(parked_put(&e, &full, 1000, many, PARKED_QUERY + 1), RC_TOO_LARGE);
    assert_int_equal(parked_put(&e, &full, 1000, many, PARKED_QUERY), RC_OK);
    assert_true(full.n < PARKED_TEXT);
    assert_int_equal(parked_read(&e, mem, full.p, 1000, &since, &query), RC_OK);
    parked_set_key(other);
    assert_int_equal(parked_read(&e, mem, b.p, 1000, &since, &query), RC_INVALID);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_goes_to_a_registered_address_byte_for_byte),
        cmocka_unit_test(what_may_be_registered),
        cmocka_unit_test(a_fine_request_is_read),
        cmocka_unit_test(pkce_cannot_be_left_out_or_weakened),
        cmocka_unit_test(a_verifier_fits_its_challenge_alone),
        cmocka_unit_test(what_is_missing_comes_first),
        cmocka_unit_test(who_may_not_ask_him_is_told_why),
        cmocka_unit_test(scopes_are_words),
        cmocka_unit_test(a_parked_request_comes_back_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
