/* Tokens of programs: refreshed, fetched by a program for itself or for a device; taken back by who allowed them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/identity/account.h"
#include "server/identity/consent.h"
#include "server/identity/device_grant.h"
#include "server/identity/grant_scope.h"
#include "tests/lib/party_world.h"

#define LASTING ASKING_FOR("openid+phone+offline_access")
#define AS_TV   AS_FORM

static struct answer token(struct world *t, const char *headers, const char *form)
{
    return party_call(t, "/oauth2/token", headers, form);
}

static struct answer refresh_as(struct world *t, const char *headers, const char *before,
                                const char *refresh)
{
    return token(t, headers,
                 URL("%sgrant_type=refresh_token&refresh_token=%s", before, refresh));
}

static struct answer refresh(struct world *t, const char *token_text)
{
    return refresh_as(t, AS_HEPING, "", token_text);
}

/* ---- refresh ---- */

static void a_session_lasts_if_the_person_allowed_it(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, LASTING)), next;

    assert_string_equal(text_of(t, &a, "scope"), "openid phone offline_access");
    next = refresh(t, text_of(t, &a, "refresh_token"));
    assert_int_equal(next.status, 200);
    assert_string_equal(HEADER(next, "cache-control"), "no-store");
    assert_string_equal(text_of(t, &next, "scope"), "openid phone offline_access");
    assert_string_not_equal(text_of(t, &next, "refresh_token"),
                            text_of(t, &a, "refresh_token"));
    assert_int_equal(party_userinfo(t, text_of(t, &next, "access_token")).status, 200);
    assert_int_equal(party_userinfo(t, text_of(t, &a, "access_token")).status, 200);
}

static void a_lost_answer_is_given_again_and_reuse_ends_all(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, LASTING));
    const char *first = text_of(t, &a, "refresh_token");
    struct answer one = refresh(t, first), two = refresh(t, first), three;

    assert_string_equal(one.body, two.body);
    three = refresh(t, text_of(t, &two, "refresh_token"));
    assert_int_equal(three.status, 200);
    REFUSED(refresh(t, first), "invalid_grant");
    REFUSED(refresh(t, text_of(t, &three, "refresh_token")), "invalid_grant");
    assert_int_equal(party_userinfo(t, text_of(t, &three, "access_token")).status, 401);
}

static void a_refresh_token_is_its_partys(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, LASTING));
    const char *own = text_of(t, &a, "refresh_token");

    REFUSED(refresh_as(t, AS_FORM, "client_id=local-app&", own), "invalid_grant");
    REFUSED(refresh_as(t, AS_FORM, "client_id=nankai&client_secret=" PARTY_KEY "&", own),
            "unauthorized_client");
    REFUSED(refresh_as(t, AS_FORM, "client_id=heping&", own), "invalid_client");
    REFUSED(refresh_as(t, AS_HEPING, "scope=openid+profile&", own), "invalid_scope");
    REFUSED(refresh(t, "tjr_garbage"), "invalid_grant");
    REFUSED(refresh(t, text_of(t, &a, "access_token")), "invalid_grant");
    REFUSED(token(t, AS_HEPING, "grant_type=refresh_token"), "invalid_request");
    assert_int_equal(refresh_as(t, AS_HEPING, "scope=openid&", own).status, 200);
}

static void without_it_a_session_is_an_access_token(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, ASKING));

    clock_set(WORLD_NOW + 899);
    assert_int_equal(party_userinfo(t, text_of(t, &a, "access_token")).status, 200);
    clock_set(WORLD_NOW + 900);
    assert_int_equal(party_userinfo(t, text_of(t, &a, "access_token")).status, 401);
}

/* ---- what it may do ---- */

static void a_partys_token_opens_nothing_of_the_persons(void **state)
{
    static const char *const targets[] = { "/v1/parties", "/v1/audit", "/v1/staff/items",
                                           "/v1/me", "/v1/me/sessions" };
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 4), as_cookie = b;
    struct answer a = party_fetch(t, browser_code(t, &b, ASKING));
    const char *access = text_of(t, &a, "access_token");

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct answer got =
            ask(t, GET, targets[i],
                &(struct ask){ .headers = URL("authorization: Bearer %s\n", access) });

        if (got.status != 403 && got.status != 404 && got.status != 401)
            fail_msg("%s: %d", targets[i], got.status);
    }
    as_cookie.cookie = URL("cookie: tjzw=%s\n", access); /* nor is it a browser's session */
    begins(browser_way(t, &as_cookie, ASKING), "/sign-in?ask=");
    as_cookie.cookie = URL("authorization: Bearer %s\n", access); /* and it opens no page */
    assert_int_equal(browser_go(t, &as_cookie, ASKING).status, 401);
}

static void our_own_token_tells_no_party_of_anybody(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 4);
    const char *own = after(b.cookie, "tjzw=");
    struct answer a = party_userinfo(t, URL("%.*s", (int)strcspn(own, "\n"), own));

    assert_int_equal(a.status, 401);
    holds(HEADER(a, "www-authenticate"), "invalid_token");
    assert_int_equal(ask(t, GET, "/oauth2/userinfo", NULL).status, 401);
}

static void userinfo_says_what_was_allowed(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a, profile;

    a = party_fetch(t, browser_code(t, &b, ASKING_FOR("openid")));
    a = party_userinfo(t, text_of(t, &a, "access_token"));
    HAS_NOT(a, "phone");
    HAS_NOT(a, "name");
    a = party_fetch(t, browser_code(t, &b, ASKING_FOR("openid+profile")));
    profile = party_userinfo(t, text_of(t, &a, "access_token"));
    assert_string_equal(text_of(t, &profile, "name"), "张三");
    HAS_NOT(profile, "phone");
    a = party_fetch(t, browser_code(t, &b, ASKING_FOR("phone")));
    HAS_NOT(a, "id_token"); /* openid was not asked for */
    a = party_userinfo(t, text_of(t, &a, "access_token"));
    assert_int_equal(a.status, 403);
    holds(HEADER(a, "www-authenticate"), "insufficient_scope");
}

static void two_parties_cannot_compare_their_people(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2), c = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, ASKING)), other, mate;
    struct answer heping = party_userinfo(t, text_of(t, &a, "access_token"));
    const char *sub = text_of(t, &heping, "sub");

    a = party_fetch_as(t, AS_FORM,
                       "client_id=nankai&client_secret=" PARTY_KEY
                       "&grant_type=authorization_code&code_verifier=" VERIFIER
                       "&redirect_uri=https%3A%2F%2Fnankai.example%2Fback&code=",
                       browser_code(t, &b,
                                    "/oauth2/authorize?response_type=code&client_id=nankai"
                                    "&redirect_uri=https%3A%2F%2Fnankai.example%2Fback"
                                    "&scope=openid" PKCE));
    other = party_userinfo(t, text_of(t, &a, "access_token"));
    assert_int_equal(other.status, 200);
    assert_string_not_equal(text_of(t, &other, "sub"), sub);
    a = party_fetch(t, browser_code(t, &c, ASKING));
    mate = party_userinfo(t, text_of(t, &a, "access_token"));
    assert_string_not_equal(text_of(t, &mate, "sub"), sub);
    assert_int_equal(strlen(sub), 43);
}

/* ---- a native program ---- */

static void a_native_program_has_no_key_and_any_port(void **state)
{
    static const char target[] =
        "/oauth2/authorize?response_type=code&client_id=local-app&scope=openid+offline_access"
        "&redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fdone" PKCE;
    static const char form[] =
        "client_id=local-app&grant_type=authorization_code&code_verifier=" VERIFIER
        "&redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fdone&code=";
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    const char *code = browser_code(t, &b, target);
    struct answer a;

    REFUSED(party_fetch_as(t, AS_FORM,
                           "client_secret=" PARTY_KEY "&client_id=local-app&code=", code),
            "invalid_client"); /* it has no key, so nobody who shows one is it */
    a = party_fetch_as(t, AS_FORM, form, code);
    assert_int_equal(a.status, 200);
    assert_int_equal(
        refresh_as(t, AS_FORM, "client_id=local-app&", text_of(t, &a, "refresh_token")).status,
        200);
}

/* ---- by itself ---- */

static void a_program_is_somebody_by_itself(void **state)
{
    struct world *t = *state;
    struct answer a = token(t, AS_SCRIPT, "grant_type=client_credentials"), seen;
    const char *access = text_of(t, &a, "access_token");

    assert_int_equal(a.status, 200);
    HAS_NOT(a, "refresh_token");
    HAS_NOT(a, "id_token");
    seen = party_call(t, "/oauth2/introspect", AS_SCRIPT, URL("token=%s", access));
    HAS(seen, "\"active\":true");
    HAS_NOT(seen, "sub");
    seen = party_call(t, "/oauth2/introspect", AS_HEPING, URL("token=%s", access));
    HAS(seen, "\"active\":true,\"client_id\":\"script\""); /* it tells others who it is */
    assert_int_equal(party_userinfo(t, access).status, 401);
    REFUSED(token(t, AS_SCRIPT, "grant_type=client_credentials&scope=openid"), "invalid_scope");
    REFUSED(token(t, AS_FORM, "grant_type=client_credentials&client_id=local-app"),
            "unauthorized_client");
    clock_set(WORLD_NOW + 900);
    seen = party_call(t, "/oauth2/introspect", AS_SCRIPT, URL("token=%s", access));
    assert_string_equal(seen.body, "{\"active\":false}\n");
}

static void a_program_that_asks_without_end_leaves_no_heap(void **state)
{
    struct world *t = *state;
    struct answer first = token(t, AS_SCRIPT, "grant_type=client_credentials"), last = first;
    struct answer seen;

    clock_set(WORLD_NOW + 1);
    for (int i = 0; i < SESSIONS_PER_ACCOUNT; i++)
        last = token(t, AS_SCRIPT, "grant_type=client_credentials");
    seen = party_call(t, "/oauth2/introspect", AS_SCRIPT,
                      URL("token=%s", text_of(t, &first, "access_token")));
    HAS(seen, "\"active\":false");
    seen = party_call(t, "/oauth2/introspect", AS_SCRIPT,
                      URL("token=%s", text_of(t, &last, "access_token")));
    HAS(seen, "\"active\":true");
}

/* ---- devices ---- */

#define FOR_SCREEN "client_id=screen&"
#define POLL                                                                               \
    FOR_SCREEN "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_" \
               "code="

static struct answer poll(struct world *t, const char *device)
{
    return party_fetch_as(t, AS_FORM, POLL, device);
}

struct typing {
    const char *letters;
    bool allowed;
    struct asked asked;
};

static enum rc read_letters(struct work *w, void *arg)
{
    struct typing *y = arg;

    return ask_device_read(w, y->letters, &y->asked);
}

static enum rc answer_letters(struct work *w, void *arg)
{
    struct typing *y = arg;

    return ask_device_answer(w, y->letters, y->allowed);
}

static struct answer screen(struct world *t, const char *more)
{
    return party_call(t, "/oauth2/device", AS_FORM, URL(FOR_SCREEN "%s", more));
}

static void a_screen_gets_who_stands_before_it(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 3);
    struct answer a = screen(t, "scope=openid+offline_access"), got;
    const char *device = text_of(t, &a, "device_code"), *user = text_of(t, &a, "user_code");
    struct typing y = { .letters = user, .allowed = true };

    assert_int_equal(a.status, 200);
    assert_string_equal(text_of(t, &a, "verification_uri"), ISSUER "/device");
    assert_string_equal(text_of(t, &a, "verification_uri_complete"),
                        URL(ISSUER "/device?user_code=%s", user));
    HAS(a, "\"expires_in\":600,\"interval\":5");
    assert_int_equal(strlen(user), USER_CODE + 1);
    assert_int_equal(strspn(user, "BCDFGHJKLMNPQRSTVWXZ-"), USER_CODE + 1);
    REFUSED(poll(t, device), "authorization_pending");
    REFUSED(poll(t, device), "slow_down");
    assert_int_equal(party_world_do(t, b.session, read_letters, &y, NULL), RC_OK);
    assert_string_equal(y.asked.party, "办事大厅屏幕");
    assert_int_equal(y.asked.next, AUTHORIZE_CONSENT);
    y.letters = URL(" %.4s%s ", user, user + 5); /* as somebody may type it */
    assert_int_equal(party_world_do(t, b.session, answer_letters, &y, NULL), RC_OK);
    assert_int_equal(party_world_do(t, b.session, answer_letters, &y, NULL), RC_NOT_FOUND);
    got = poll(t, device);
    assert_int_equal(got.status, 200);
    HAS(got, "\"id_token\":");
    assert_int_equal(party_userinfo(t, text_of(t, &got, "access_token")).status, 200);
    REFUSED(poll(t, device), "invalid_grant"); /* it was fetched */
}

static void a_screen_that_does_not_wait_is_told_to(void **state)
{
    struct world *t = *state;
    struct answer a = screen(t, "scope=openid");
    const char *device = text_of(t, &a, "device_code");

    REFUSED(poll(t, device), "authorization_pending");
    clock_set(WORLD_NOW + 4);
    REFUSED(poll(t, device), "slow_down"); /* ten seconds from now on */
    clock_set(WORLD_NOW + 4 + 9);
    REFUSED(poll(t, device), "slow_down"); /* fifteen */
    clock_set(WORLD_NOW + 13 + 15);
    REFUSED(poll(t, device), "authorization_pending");
    clock_set(WORLD_NOW + 599);
    REFUSED(poll(t, device), "authorization_pending");
    clock_set(WORLD_NOW + 600);
    REFUSED(poll(t, device), "expired_token");
}

static void letters_are_refused_in_time_by_who_may(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 1);
    struct answer a = screen(t, "scope=openid&acr_values=2");
    struct typing y = { .letters = text_of(t, &a, "user_code"), .allowed = true },
                  wrong = { .letters = "BCDF-GHJK" }, vowel = { .letters = "AAAA-AAAA" };

    assert_int_equal(party_world_do(t, 0, read_letters, &y, NULL), RC_OK);
    assert_int_equal(y.asked.next, AUTHORIZE_SIGN_IN);
    assert_int_equal(party_world_do(t, 0, answer_letters, &y, NULL), RC_UNAUTHORIZED);
    assert_int_equal(party_world_do(t, b.session, read_letters, &y, NULL), RC_OK);
    assert_int_equal(y.asked.next, AUTHORIZE_MORE);
    assert_int_equal(party_world_do(t, b.session, answer_letters, &y, NULL), RC_FORBIDDEN);
    assert_int_equal(party_world_do(t, b.session, read_letters, &wrong, NULL), RC_NOT_FOUND);
    assert_int_equal(party_world_do(t, b.session, read_letters, &vowel, NULL), RC_NOT_FOUND);
    b = browser_sign_in(t, 2);
    clock_set(WORLD_NOW + 600);
    assert_int_equal(party_world_do(t, b.session, answer_letters, &y, NULL), RC_NOT_FOUND);
    clock_set(WORLD_NOW + 500);
    y.allowed = false;
    assert_int_equal(party_world_do(t, b.session, answer_letters, &y, NULL), RC_OK);
    REFUSED(poll(t, text_of(t, &a, "device_code")), "access_denied");
    REFUSED(poll(t, text_of(t, &a, "device_code")), "invalid_grant");
}

static void a_device_code_is_its_partys(void **state)
{
    struct world *t = *state;
    struct answer a = screen(t, "scope=openid");

    REFUSED(party_fetch_as(t, AS_HEPING,
                           "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
                           "&device_code=",
                           text_of(t, &a, "device_code")),
            "invalid_grant");
    REFUSED(poll(t, "tod_nothing"), "invalid_grant");
    REFUSED(token(t, AS_FORM, POLL), "invalid_request");
    REFUSED(screen(t, "x=1"), "invalid_scope");
    REFUSED(screen(t, "scope=openid&acr_values=3"), "invalid_request"); /* above its ceiling */
    REFUSED(party_call(t, "/oauth2/device", AS_FORM, "client_id=local-app&scope=openid"),
            "unauthorized_client");
    REFUSED(party_call(t, "/oauth2/device", AS_FORM, "client_id=nobody&scope=openid"),
            "invalid_client");
}

/* ---- who is the program ---- */

static void a_program_says_once_who_it_is(void **state)
{
#define BY_ITSELF "grant_type=client_credentials"
    static const struct {
        const char *headers, *form, *error; /* error NULL: it is fine */
    } cases[] = {
        { AS_SCRIPT, BY_ITSELF, NULL },
        { AS_SCRIPT, BY_ITSELF "&client_id=script", NULL },
        { AS_FORM, BY_ITSELF "&client_id=script&client_secret=" PARTY_KEY, NULL },
        { AS_SCRIPT, BY_ITSELF "&client_id=heping", "invalid_request" },
        { AS_SCRIPT, BY_ITSELF "&client_secret=" PARTY_KEY, "invalid_request" },
        { AS_SCRIPT, BY_ITSELF "&client_id=script&client_id=script", "invalid_request" },
        { AS_SCRIPT, BY_ITSELF "&" BY_ITSELF, "invalid_request" },
        { AS_SCRIPT, "grant_type=password&username=a&password=b", "unsupported_grant_type" },
        { AS_SCRIPT, "grant_type=implicit", "unsupported_grant_type" },
        { AS_SCRIPT, "a=1", "invalid_request" },
        { AS_SCRIPT, "grant_type=authorization_code&code=x", "unauthorized_client" },
        { AS_FORM, BY_ITSELF, "invalid_client" },
        { AS_FORM, BY_ITSELF "&client_id=script", "invalid_client" },
        { AS_FORM, BY_ITSELF "&client_id=script&client_secret=tjp_test_other",
          "invalid_client" },
        { AS_FORM, BY_ITSELF "&client_id=nobody&client_secret=" PARTY_KEY, "invalid_client" },
        { AS_FORM "authorization: Basic !!!\n", BY_ITSELF, "invalid_client" },
        { AS_FORM "authorization: Basic c2NyaXB0\n", BY_ITSELF, "invalid_client" },
        { AS_FORM "authorization: Basic c2NyaXB0Og==\n", BY_ITSELF, "invalid_client" },
        { AS_FORM "authorization: Basic c2NyaXB0OnRqcF90ZXN0X2hlcGluZw\n", BY_ITSELF,
          "invalid_client" }, /* without its padding */
        { AS_FORM "authorization: Basic c2NyaXB0OiU=\n", BY_ITSELF, "invalid_client" },
        { AS_FORM "authorization: basic c2NyaXB0OnRqcCU1RnRlc3QlNUZoZXBpbmc=\n", BY_ITSELF,
          NULL }, /* tjp%5Ftest%5Fheping */
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = token(t, cases[i].headers, cases[i].form);
        const char *error = cases[i].error ? cases[i].error : "";

        if (strcmp(text_of(t, &a, "error"), error) || (a.status == 200) != !*error)
            fail_msg("%zu: %d %s", i, a.status, a.body);
        if (!strcmp(error, "invalid_client"))
            begins(HEADER(a, "www-authenticate"), "Basic realm=");
    }
}

/* ---- in the app ---- */

static struct answer as_app(struct world *t, const struct browser *b, enum method m,
                            const char *target, const char *body)
{
    const char *token_text = after(b->cookie, "tjzw=");

    return ask(
        t, m, target,
        &(struct ask){ .headers = URL("authorization: Bearer %s", token_text), .body = body });
}

static void a_person_takes_back_in_the_app_what_he_allowed(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2), other = browser_sign_in(t, 2);
    struct answer a = as_app(t, &b, GET, "/v1/me/consents", NULL), list;

    assert_string_equal(a.body, "{\"consents\":[]}\n");
    a = party_fetch(t, browser_code(t, &b, LASTING));
    list = as_app(t, &b, GET, "/v1/me/consents", NULL);
    assert_string_equal(text_of(t, &list, "name"), "和平区政务网");
    assert_string_equal(text_of(t, &list, "scopes"), "openid phone offline_access");
    HAS(list, "\"no\":1");
    assert_int_equal(as_app(t, &other, DELETE, "/v1/me/consents/1", NULL).status, 404);
    assert_int_equal(as_app(t, &b, DELETE, "/v1/me/consents/1", NULL).status, 204);
    assert_int_equal(party_userinfo(t, text_of(t, &a, "access_token")).status, 401);
    list = as_app(t, &b, GET, "/v1/me/consents", NULL);
    assert_string_equal(list.body, "{\"consents\":[]}\n");
    list = tell(t, GET, "/v1/audit?n=20", NULL);
    HAS(list, "consent.give");
    HAS(list, "grant.give");
    HAS(list, "parties/heping");
}

/* Whoever had his browser for a minute must not have left himself a way in. */
static void what_was_not_fetched_yet_is_taken_back_too(void **state)
{
    static const char *const ways[] = { "/v1/me/consents/1", "/v1/me/sessions" };
    struct world *t = *state;

    for (int i = 0; i < 2; i++) {
        struct browser b = browser_sign_in(t, 2);
        struct answer a = screen(t, "scope=openid"), other = screen(t, "scope=openid");
        const char *yes = URL("{\"allow\":true,\"code\":\"%s\"}", text_of(t, &a, "user_code"));
        const char *code;

        party_fetch(t, browser_code(t, &b, LASTING));
        code = browser_code(t, &b, LASTING);
        assert_int_equal(as_app(t, &b, POST, "/v1/me/device", yes).status, 204);
        assert_int_equal(as_app(t, &b, DELETE, ways[i], NULL).status, 204);
        REFUSED(party_fetch(t, code), "invalid_grant");
        if (i)
            REFUSED(poll(t, text_of(t, &a, "device_code")), "invalid_grant");
        REFUSED(poll(t, text_of(t, &other, "device_code")), "authorization_pending");
    }
}

static void a_person_answers_a_screen_in_the_app(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = screen(t, "scope=openid");
    const char *yes = URL("{\"allow\":true,\"code\":\"%s\"}", text_of(t, &a, "user_code"));

    assert_int_equal(ask(t, POST, "/v1/me/device", &(struct ask){ .body = yes }).status, 401);
    assert_int_equal(as_app(t, &b, POST, "/v1/me/device", "{\"code\":\"BCDF-GHJK\"}").status,
                     400);
    assert_int_equal(as_app(t, &b, POST, "/v1/me/device", yes).status, 204);
    assert_int_equal(as_app(t, &b, POST, "/v1/me/device", yes).status, 404);
    assert_int_equal(poll(t, text_of(t, &a, "device_code")).status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, party_world_set_up, party_world_tear_down)
        T(a_session_lasts_if_the_person_allowed_it),
        T(a_lost_answer_is_given_again_and_reuse_ends_all),
        T(a_refresh_token_is_its_partys),
        T(without_it_a_session_is_an_access_token),
        T(a_partys_token_opens_nothing_of_the_persons),
        T(our_own_token_tells_no_party_of_anybody),
        T(userinfo_says_what_was_allowed),
        T(two_parties_cannot_compare_their_people),
        T(a_native_program_has_no_key_and_any_port),
        T(a_program_is_somebody_by_itself),
        T(a_program_that_asks_without_end_leaves_no_heap),
        T(a_screen_gets_who_stands_before_it),
        T(a_screen_that_does_not_wait_is_told_to),
        T(letters_are_refused_in_time_by_who_may),
        T(a_device_code_is_its_partys),
        T(a_program_says_once_who_it_is),
        T(a_person_takes_back_in_the_app_what_he_allowed),
        T(what_was_not_fetched_yet_is_taken_back_too),
        T(a_person_answers_a_screen_in_the_app),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
