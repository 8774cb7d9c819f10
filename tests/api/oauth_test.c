/* The way of a code: a program asks, a person answers, tokens come back; and all that is refused on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/ask.h"
#include "server/base/clock.h"
#include "server/identity/account.h"
#include "server/identity/jwt.h"
#include "server/identity/provider.h"
#include "tests/lib/party_world.h"

struct reading {
    const char *ask;
    bool allowed;
    struct asked asked;
    const char *location;
};

static enum rc read_ask(struct work *w, void *arg)
{
    struct reading *r = arg;

    return ask_read(w, r->ask, &r->asked);
}

static enum rc answer_ask(struct work *w, void *arg)
{
    struct reading *r = arg;

    return ask_answer(w, r->ask, r->allowed, &r->location);
}

/* ---- the good way ---- */

static void a_person_is_asked_once(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *to = browser_way(t, &p, ASKING);
    struct reading r = { .ask = after(to, "ask=") };

    begins(to, "/consent?ask=");
    assert_int_equal(party_world_do(t, p.session, read_ask, &r, NULL), RC_OK);
    assert_string_equal(r.asked.party, "和平区政务网");
    assert_string_equal(r.asked.origin, "https://heping.example");
    assert_int_equal(r.asked.nscopes, 2);
    assert_string_equal(r.asked.scopes[1], "您的手机号码");
    assert_int_equal(r.asked.next, AUTHORIZE_CONSENT);
    to = browser_consent(t, &p, to, true);
    begins(to, PARTY_BACK "&code=toc_");
    holds(to, "&state=s%2B1&iss=https%3A%2F%2Fwww.example.cn");
    to = browser_way(t, &p, ASKING);
    begins(to, PARTY_BACK "&code=toc_"); /* now nobody asks */
    begins(browser_way(t, &p, ASKING "&prompt=consent"), "/consent?ask=");
}

static json_t *claims_of(struct world *t, const char *id_token)
{
    struct jwt_expect x = { .typ = "JWT", .iss = ISSUER, .aud = "heping", .now = clock_now() };
    struct err e = { 0 };
    json_t *claims;
    int n;
    struct jwk *keys = jwt_keys_public(provider_keys(), world_mem(t), &n);

    if (jwt_verify(&e, world_mem(t), keys, n, &x, id_token, strlen(id_token), &claims))
        fail_msg("%s", e.text);
    return claims;
}

static void a_code_becomes_tokens(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 4);
    struct answer a = party_fetch(t, browser_code(t, &p, ASKING "&scope2=x")), info;
    json_t *claims;

    assert_int_equal(a.status, 200);
    assert_string_equal(HEADER(a, "cache-control"), "no-store");
    assert_string_equal(text_of(t, &a, "token_type"), "Bearer");
    assert_string_equal(text_of(t, &a, "scope"), "openid phone");
    HAS_NOT(a, "refresh_token"); /* offline_access was not asked for */
    HAS(a, "\"expires_in\":900");
    claims = claims_of(t, text_of(t, &a, "id_token"));
    assert_string_equal(json_string_value(json_object_get(claims, "nonce")), "n1");
    assert_string_equal(json_string_value(json_object_get(claims, "azp")), "heping");
    assert_string_equal(json_string_value(json_object_get(claims, "acr")),
                        "3"); /* its ceiling */
    assert_int_equal(json_integer_value(json_object_get(claims, "auth_time")), WORLD_NOW);
    assert_string_equal(json_string_value(json_array_get(json_object_get(claims, "amr"), 0)),
                        "sms");
    info = party_userinfo(t, text_of(t, &a, "access_token"));
    assert_int_equal(info.status, 200);
    assert_string_equal(text_of(t, &info, "sub"),
                        json_string_value(json_object_get(claims, "sub")));
    begins(text_of(t, &info, "phone_number"), "+86138");
    HAS_NOT(info, "张三"); /* profile was not asked for */
}

static void nobody_is_sent_to_sign_in_and_comes_back(void **state)
{
    struct world *t = *state;
    const char *to = browser_way(t, NULL, ASKING);
    struct reading r = { .ask = after(to, "ask=") };
    struct browser p;

    begins(to, "/sign-in?ask=");
    assert_int_equal(party_world_do(t, 0, read_ask, &r, NULL), RC_OK);
    assert_int_equal(r.asked.next, AUTHORIZE_SIGN_IN);
    p = browser_sign_in(t, 1);
    begins(browser_way(t, &p, URL("/oauth2/authorize?ask=%s", r.ask)), "/consent?ask=");
}

/* ---- what the address of an answer decides ---- */

static void an_answer_goes_nowhere_unless_client_and_address_are_right(void **state)
{
    static const char *const bad[] = {
        "/oauth2/authorize",
        "/oauth2/authorize?client_id=heping",
        "/oauth2/authorize?client_id=nobody&redirect_uri=" BACK,
        "/oauth2/authorize?redirect_uri=" BACK,
        "/oauth2/authorize?client_id=heping&redirect_uri=https%3A%2F%2Fheping.example%2Fback",
        "/oauth2/"
        "authorize?client_id=heping&redirect_uri=https%3A%2F%2Fheping.example%2Fback%3Fx%3D1%"
        "26y",
        "/oauth2/"
        "authorize?client_id=heping&redirect_uri=https%3A%2F%2Fheping.example.evil%2Fback%3Fx%"
        "3D1",
        "/oauth2/"
        "authorize?client_id=heping&redirect_uri=https%3A%2F%2Fheping.example%40evil%2Fback%"
        "3Fx%3D1",
        "/oauth2/"
        "authorize?client_id=heping&redirect_uri=https%3A%2F%2Fheping.example%2Fback%3Fx%3D1%"
        "23f",
        "/oauth2/"
        "authorize?client_id=heping&redirect_uri=HTTPS%3A%2F%2Fheping.example%2Fback%3Fx%3D1",
        "/oauth2/authorize?client_id=heping&redirect_uri=javascript%3Aalert(1)",
        "/oauth2/authorize?client_id=heping&redirect_uri=%2F%2Fevil.example",
        "/oauth2/authorize?client_id=nankai&redirect_uri=" BACK,
        ASKING "&state=again",
        ASKING "&client_id=heping",
        ASKING "&redirect_uri=https%3A%2F%2Fevil.example",
        "/oauth2/authorize?ask=x",
        "/oauth2/authorize?ask=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer a = browser_go(t, &p, bad[i]);

        if (a.status != 400 || *HEADER(a, "location"))
            fail_msg("%s: %d, %s", bad[i], a.status, HEADER(a, "location"));
        begins(HEADER(a, "content-type"), "text/html");
    }
}

static void what_else_is_wrong_is_told_to_the_program(void **state)
{
#define BARE "/oauth2/authorize?client_id=heping&redirect_uri=" BACK "&state=s"
    static const struct {
        const char *target, *error;
    } cases[] = {
        { BARE "&scope=openid" PKCE, "invalid_request" },
        { BARE "&response_type=token&scope=openid" PKCE, "unsupported_response_type" },
        { BARE "&response_type=code+id_token&scope=openid" PKCE, "unsupported_response_type" },
        { BARE "&response_type=code&response_mode=fragment&scope=openid" PKCE,
          "invalid_request" },
        { BARE "&response_type=code&scope=openid", "invalid_request" },
        { BARE "&response_type=code&scope=openid&code_challenge=" CHALLENGE,
          "invalid_request" },
        { BARE "&response_type=code&scope=openid&code_challenge_method=plain&code_"
               "challenge=" VERIFIER,
          "invalid_request" },
        { BARE
          "&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=short",
          "invalid_request" },
        { BARE "&response_type=code&scope=nothing" PKCE, "invalid_scope" },
        { BARE "&response_type=code" PKCE, "invalid_scope" },
        { BARE "&response_type=code&scope=openid&prompt=none+login" PKCE, "invalid_request" },
        { BARE "&response_type=code&scope=openid&prompt=create" PKCE, "invalid_request" },
        { BARE "&response_type=code&scope=openid&max_age=-1" PKCE, "invalid_request" },
        { BARE "&response_type=code&scope=openid&max_age=1e3" PKCE, "invalid_request" },
        { BARE "&response_type=code&scope=openid&acr_values=4" PKCE,
          "unmet_authentication_requirements" },
        { BARE "&response_type=code&scope=openid&request=x" PKCE, "request_not_supported" },
        { BARE "&response_type=code&scope=openid&request_uri=x" PKCE,
          "request_uri_not_supported" },
        { BARE "&response_type=code&scope=openid&registration=x" PKCE,
          "registration_not_supported" },
        { BARE "&response_type=code&scope=openid&prompt=none" PKCE, "login_required" },
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *to = browser_way(t, NULL, cases[i].target);

        begins(to, PARTY_BACK "&error=");
        if (strcmp(part(t, to, "&error="), cases[i].error))
            fail_msg("%s: %s", cases[i].target, to);
        holds(to, "&state=s&iss=https%3A%2F%2Fwww.example.cn");
    }
}

static void a_scope_that_is_not_the_clients_is_refused(void **state)
{
    struct world *t = *state;

    holds(browser_way(
              t, NULL,
              "/oauth2/authorize?response_type=code&client_id=nankai&redirect_uri=https%3A%2F%"
              "2Fnankai.example%2Fback&scope=openid+phone" PKCE),
          "?error=invalid_scope");
}

/* ---- prompt, max_age, acr ---- */

static void a_program_that_wants_no_page_gets_none(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);

    holds(browser_way(t, &p, ASKING "&prompt=none"), "error=consent_required");
    assert_string_not_equal(browser_code(t, &p, ASKING), "");
    holds(browser_way(t, &p, ASKING "&prompt=none"), "&code=toc_");
    holds(browser_way(t, &p, ASKING "&prompt=none&acr_values=3"), "error=interaction_required");
    clock_set(WORLD_NOW + 100);
    holds(browser_way(t, &p, ASKING "&prompt=none&max_age=99"), "error=login_required");
    holds(browser_way(t, &p, ASKING "&prompt=none&max_age=100"), "&code=toc_");
}

static void a_fresh_sign_in_is_one_after_the_question(void **state)
{
    static const char *const again[] = { ASKING "&prompt=login", ASKING "&max_age=0",
                                         ASKING "&prompt=select_account" };
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2), q;

    clock_set(WORLD_NOW + 10);
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        const char *to = browser_way(t, &p, again[i]);

        begins(to, "/sign-in?ask=");
        begins(browser_way(t, &p, URL("/oauth2/authorize?ask=%s", after(to, "ask="))),
               "/sign-in?ask="); /* he has not */
        clock_set(WORLD_NOW + 20);
        q = browser_sign_in(t, 2);
        begins(browser_way(t, &q, URL("/oauth2/authorize?ask=%s", after(to, "ask="))),
               "/consent?ask=");
        clock_set(WORLD_NOW + 10);
    }
}

static void a_higher_level_is_asked_for(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 1), q = browser_sign_in(t, 3);
    const char *to = browser_way(t, &p, ASKING "&acr_values=3");
    struct reading r = { .ask = after(to, "ask="), .allowed = true };

    begins(to, "/sign-in?ask=");
    assert_int_equal(party_world_do(t, p.session, read_ask, &r, NULL), RC_OK);
    assert_int_equal(r.asked.next, AUTHORIZE_MORE);
    assert_int_equal(r.asked.level, 3);
    assert_int_equal(party_world_do(t, p.session, answer_ask, &r, NULL), RC_OK);
    begins(r.location, "/oauth2/authorize?ask="); /* no consent page goes past it */
    begins(browser_way(t, &q, ASKING "&acr_values=3"), "/consent?ask=");
    begins(browser_way(t, &p, ASKING "&acr_values=4+1"), "/consent?ask=");
}

/* ---- consent ---- */

static void who_refuses_is_let_alone(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *to = browser_consent(t, &p, browser_way(t, &p, ASKING), false);

    begins(to, PARTY_BACK "&error=access_denied");
    begins(browser_way(t, &p, ASKING), "/consent?ask=");
}

static void more_is_asked_for_again(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2), other = browser_sign_in(t, 2);

    assert_string_not_equal(browser_code(t, &p, ASKING), "");
    begins(browser_way(t, &p, URL("%s", ASKING "&x=1")), PARTY_BACK);
    begins(
        browser_way(t, &p,
                    "/oauth2/authorize?response_type=code&client_id=heping&redirect_uri=" BACK
                    "&scope=openid+profile" PKCE),
        "/consent?ask=");
    begins(browser_way(t, &other, ASKING), "/consent?ask="); /* his consent is nobody else's */
    clock_set(WORLD_NOW + 367 * 86400);
    p = browser_sign_in(t, 2);
    begins(browser_way(t, &p, ASKING), "/consent?ask=");
}

static void a_question_is_too_old_after_half_an_hour(void **state)
{
    struct world *t = *state;
    const char *ask = after(browser_way(t, NULL, ASKING), "ask=");
    struct browser p;

    clock_set(WORLD_NOW + 1801);
    p = browser_sign_in(t, 2);
    assert_int_equal(browser_go(t, &p, URL("/oauth2/authorize?ask=%s", ask)).status, 400);
}

static void a_posted_question_is_fetched(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, POST, "/oauth2/authorize",
                          &(struct ask){ .headers = AS_FORM, .body = strchr(ASKING, '?') + 1 });

    assert_int_equal(a.status, 303);
    begins(HEADER(a, "location"), "/oauth2/authorize?ask=");
    begins(browser_way(t, NULL, HEADER(a, "location")), "/sign-in?ask=");
}

/* ---- codes ---- */

static void a_code_is_good_once_and_its_second_use_ends_what_it_gave(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *code = browser_code(t, &p, ASKING);
    struct answer a = party_fetch(t, code);
    const char *bearer = URL("authorization: Bearer %s\n", text_of(t, &a, "access_token"));

    assert_int_equal(a.status, 200);
    assert_int_equal(ask(t, GET, "/oauth2/userinfo", &(struct ask){ .headers = bearer }).status,
                     200);
    REFUSED(party_fetch(t, code), "invalid_grant");
    assert_int_equal(ask(t, GET, "/oauth2/userinfo", &(struct ask){ .headers = bearer }).status,
                     401);
    REFUSED(party_fetch(t, code), "invalid_grant");
}

static void a_code_is_its_partys_and_its_browsers(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *code = browser_code(t, &p, ASKING);

#define TO_BACK        "grant_type=authorization_code&redirect_uri=" BACK
#define OTHER_VERIFIER "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    REFUSED(party_fetch_as(t, AS_FORM, "client_id=nankai&client_secret=" PARTY_KEY "&" FETCHING,
                           code),
            "invalid_grant"); /* another party */
    REFUSED(party_fetch_as(t, AS_FORM, "client_id=local-app&" FETCHING, code), "invalid_grant");
    REFUSED(party_fetch_as(t, AS_HEPING,
                           "code_verifier=" OTHER_VERIFIER "&" TO_BACK "&code=", code),
            "invalid_grant"); /* injected into another browser */
    REFUSED(party_fetch_as(t, AS_HEPING, "code_verifier=" CHALLENGE "&" TO_BACK "&code=", code),
            "invalid_grant"); /* as if the method were plain */
    REFUSED(party_fetch_as(t, AS_HEPING, TO_BACK "&code=", code),
            "invalid_request"); /* downgraded */
    REFUSED(party_fetch_as(
                t, AS_HEPING,
                "grant_type=authorization_code&redirect_uri=https%3A%2F%2Fheping.example%2Fout"
                "&code_verifier=" VERIFIER "&code=",
                code),
            "invalid_grant");
    assert_int_equal(party_fetch(t, code).status, 200); /* and it is still good for who may */
}

static void a_code_is_good_for_a_minute(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *code = browser_code(t, &p, ASKING);

    clock_set(WORLD_NOW + 61);
    REFUSED(party_fetch(t, code), "invalid_grant");
    clock_set(WORLD_NOW + 60);
    assert_int_equal(party_fetch(t, code).status, 200);
}

static enum rc lock_account(struct work *w, void *arg)
{
    return account_set_state(w, *(int64_t *)arg, ACCOUNT_LOCKED);
}

static void who_was_locked_since_gives_nothing(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *code = browser_code(t, &p, ASKING);

    assert_int_equal(party_world_do(t, 0, lock_account, &p.account, NULL), RC_OK);
    REFUSED(party_fetch(t, code), "invalid_grant");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, party_world_set_up, party_world_tear_down)
        T(a_person_is_asked_once),
        T(a_code_becomes_tokens),
        T(nobody_is_sent_to_sign_in_and_comes_back),
        T(an_answer_goes_nowhere_unless_client_and_address_are_right),
        T(what_else_is_wrong_is_told_to_the_program),
        T(a_scope_that_is_not_the_clients_is_refused),
        T(a_program_that_wants_no_page_gets_none),
        T(a_fresh_sign_in_is_one_after_the_question),
        T(a_higher_level_is_asked_for),
        T(who_refuses_is_let_alone),
        T(more_is_asked_for_again),
        T(a_question_is_too_old_after_half_an_hour),
        T(a_posted_question_is_fetched),
        T(a_code_is_good_once_and_its_second_use_ends_what_it_gave),
        T(a_code_is_its_partys_and_its_browsers),
        T(a_code_is_good_for_a_minute),
        T(who_was_locked_since_gives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
