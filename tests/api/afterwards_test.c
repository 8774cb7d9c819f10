/* What becomes of a program's tokens: looked at, ended, left by their owner; and what is read of us before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/identity/consent.h"
#include "tests/lib/party_world.h"

#define LASTING ASKING_FOR("openid+phone+offline_access")

static struct answer refresh(struct world *t, const char *token)
{
    return party_call(t, "/oauth2/token", AS_HEPING,
                      URL("grant_type=refresh_token&refresh_token=%s", token));
}

/* ---- looked at, and ended ---- */

static void a_party_sees_its_own_tokens_alone(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 4);
    struct answer a = party_fetch(t, browser_code(t, &b, LASTING)), seen, next;
    const char *access = text_of(t, &a, "access_token"),
               *refresh_token = text_of(t, &a, "refresh_token");

    seen = party_call(t, "/oauth2/introspect", AS_HEPING, URL("token=%s", access));
    HAS(seen, "{\"active\":true,\"client_id\":\"heping\",\"token_type\":\"Bearer\",\"exp\":");
    HAS(seen, "\"scope\":\"openid phone offline_access\"");
    HAS(seen, "\"acr\":\"3\""); /* the ceiling */
    seen = party_call(t, "/oauth2/introspect", AS_HEPING,
                      URL("token=%s&token_type_hint=access_token", refresh_token));
    HAS(seen, "\"active\":true");
    next = refresh(t, refresh_token);
    seen = party_call(t, "/oauth2/introspect", AS_HEPING, URL("token=%s", refresh_token));
    assert_string_equal(seen.body, "{\"active\":false}\n");
    seen = party_call(t, "/oauth2/introspect", AS_SCRIPT, URL("token=%s", access));
    assert_string_equal(seen.body, "{\"active\":false}\n"); /* another's */
    seen = party_call(t, "/oauth2/introspect", AS_HEPING, "token=garbage");
    assert_string_equal(seen.body, "{\"active\":false}\n");
    REFUSED(party_call(t, "/oauth2/introspect", AS_HEPING, "x=1"), "invalid_request");
    REFUSED(party_call(t, "/oauth2/introspect", AS_FORM,
                       URL("client_id=local-app&token=%s", access)),
            "invalid_client");
    assert_int_equal(next.status, 200);
}

static void a_party_ends_its_own_tokens_alone(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, LASTING)), gone;
    const char *access = text_of(t, &a, "access_token");

    gone = party_call(t, "/oauth2/revoke", AS_SCRIPT, URL("token=%s", access));
    assert_int_equal(gone.status, 200);
    gone = party_call(t, "/oauth2/revoke", AS_HEPING, "token=garbage");
    assert_int_equal(gone.status, 200);
    assert_int_equal(party_userinfo(t, access).status, 200);
    REFUSED(party_call(t, "/oauth2/revoke", AS_FORM, URL("token=%s", access)),
            "invalid_client");
    gone = party_call(t, "/oauth2/revoke", AS_HEPING,
                      URL("token=%s", text_of(t, &a, "refresh_token")));
    assert_int_equal(gone.status, 200);
    assert_int_equal(party_userinfo(t, access).status, 401);
    REFUSED(refresh(t, text_of(t, &a, "refresh_token")), "invalid_grant");
    begins(browser_way(t, &b, LASTING), PARTY_BACK); /* his own session goes on */
}

struct taking_back {
    int64_t account, party;
};

static enum rc take_back(struct work *w, void *arg)
{
    struct taking_back *x = arg;

    return consent_end(w, x->account, x->party);
}

static void what_was_allowed_is_taken_back(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, LASTING));
    struct taking_back x = { b.account, PARTY_HEPING };

    assert_int_equal(party_world_do(t, b.session, take_back, &x, NULL), RC_OK);
    assert_int_equal(party_userinfo(t, text_of(t, &a, "access_token")).status, 401);
    begins(browser_way(t, &b, LASTING), "/consent?ask=");
    assert_int_equal(party_world_do(t, b.session, take_back, &x, NULL), RC_NOT_FOUND);
}

/* ---- leaving ---- */

#define OUT "&post_logout_redirect_uri=https%3A%2F%2Fheping.example%2Fout&state=bye"

static void who_leaves_by_a_program_is_out(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2), other = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, ASKING));
    const char *hint = text_of(t, &a, "id_token"),
               *target = URL("/oauth2/logout?id_token_hint=%s%s", hint, OUT);

    assert_string_equal(browser_way(t, &b, "/oauth2/logout"), "/sign-out"); /* anybody's link */
    assert_string_equal(browser_way(t, &b, "/oauth2/logout?client_id=heping" OUT), "/sign-out");
    assert_string_equal(browser_way(t, &other, target), "/sign-out"); /* that is not he */
    assert_int_equal(
        browser_go(
            t, &b,
            URL("/oauth2/logout?id_token_hint=%s&post_logout_redirect_uri=https%%3A%%2F%%"
                "2Fevil.example",
                hint))
            .status,
        400);
    assert_int_equal(
        browser_go(t, &b, URL("/oauth2/logout?id_token_hint=%s&client_id=nankai", hint)).status,
        400);
    assert_string_equal(
        browser_way(t, &b, URL("/oauth2/logout?id_token_hint=%s0%s", hint, OUT)),
        "/sign-out");                               /* it was altered */
    begins(browser_way(t, &b, ASKING), PARTY_BACK); /* so far he is in */
    clock_set(WORLD_NOW + 86400);                   /* the ID token is long over */
    assert_string_equal(browser_way(t, &b, target), "https://heping.example/out?state=bye");
    begins(browser_way(t, &b, ASKING), "/sign-in?ask=");
    assert_string_equal(browser_way(t, &b, target), "https://heping.example/out?state=bye");
}

/* A form of another site comes without the browser's cookie (SameSite=Lax), and what it leads to with it. */
static void who_leaves_by_a_form_of_the_programs_page_is_out(void **state)
{
    struct world *t = *state;
    struct browser b = browser_sign_in(t, 2);
    struct answer a = party_fetch(t, browser_code(t, &b, ASKING));
    const char *way = URL("id_token_hint=%s%s", text_of(t, &a, "id_token"), OUT);

    a = ask(t, POST, "/oauth2/logout", &(struct ask){ .headers = AS_FORM, .body = way });
    assert_int_equal(a.status, 303);
    begins(HEADER(a, "location"), "/oauth2/logout?ask=");
    assert_string_equal(browser_way(t, &b, URL("%s", HEADER(a, "location"))),
                        "https://heping.example/out?state=bye");
    begins(browser_way(t, &b, ASKING), "/sign-in?ask=");
}

/* ---- what is read of us ---- */

static void we_describe_ourselves(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/.well-known/openid-configuration"), keys;
    json_t *doc = json_of(t, &a);
    const char *name;
    json_t *value;

    assert_int_equal(a.status, 200);
    assert_string_equal(text_of(t, &a, "issuer"), ISSUER);
    json_object_foreach(doc, name, value)
    {
        const char *text = json_string_value(value);

        if (text && strcmp(name, "issuer")) {
            begins(text, ISSUER "/");
            assert_int_not_equal(get(t, text + strlen(ISSUER)).status, 404);
        }
    }
    keys = get(t, "/oauth2/keys");
    HAS(keys, "\"alg\":\"ES256\"");
    HAS_NOT(keys, "\"d\":");
    holds(HEADER(keys, "cache-control"), "max-age=3600");
}

static void pages_of_any_origin_may_ask(void **state)
{
    static const struct {
        enum method m;
        const char *target;
    } open[] = { { GET, "/.well-known/openid-configuration" },
                 { GET, "/oauth2/keys" },
                 { GET, "/oauth2/userinfo" },
                 { POST, "/oauth2/token" } };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        struct answer a =
            ask(t, OPTIONS, open[i].target,
                &(struct ask){ .headers = URL("origin: https://app.example\n"
                                              "access-control-request-method: %s\n"
                                              "access-control-request-headers: authorization\n",
                                              method_name(open[i].m)) });

        assert_int_equal(a.status, 204);
        assert_string_equal(HEADER(a, "access-control-allow-origin"), "*");
        holds(HEADER(a, "access-control-allow-methods"), method_name(open[i].m));
        holds(HEADER(a, "access-control-allow-headers"), "authorization");
        a = ask(t, open[i].m, open[i].target,
                &(struct ask){ .headers = "origin: https://app.example\n" });
        assert_string_equal(HEADER(a, "access-control-allow-origin"), "*");
        assert_string_equal(HEADER(a, "access-control-allow-credentials"), "");
    }
    assert_string_equal(
        answer_header(t, &(struct answer){ .headers = browser_go(t, NULL, ASKING).headers },
                      "access-control-allow-origin"),
        "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, party_world_set_up, party_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_party_sees_its_own_tokens_alone),
        T(a_party_ends_its_own_tokens_alone),
        T(what_was_allowed_is_taken_back),
        T(who_leaves_by_a_program_is_out),
        T(who_leaves_by_a_form_of_the_programs_page_is_out),
        T(we_describe_ourselves),
        T(pages_of_any_origin_may_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
