/* What a program asks of a person, on the pages that ask him: allowed, refused, taken back, and nobody answers for him. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/lib/party_world.h"

#define FOR_SCREEN "client_id=screen&scope=openid"

/* The value of a hidden field of a page's form; "": it has none. */
static const char *field(struct world *t, const struct answer *page, const char *name)
{
    const char *at = after(page->body, URL("name=\"%s\" value=\"", name));

    return arena_strndup(world_mem(t), at, strcspn(at, "\""));
}

static struct answer send_form(struct world *t, const struct browser *b, const char *path,
                               const char *form)
{
    return ask(t, POST, path,
               &(struct ask){ .headers = URL("%s" AS_FORM, b ? b->cookie : ""), .body = form });
}

/* The consent page's answer. */
static struct answer decide(struct world *t, const struct browser *b, const struct answer *page,
                            const char *answer)
{
    return send_form(t, b, "/consent",
                     URL("token=%s&ask=%s&answer=%s", field(t, page, "token"),
                         field(t, page, "ask"), answer));
}

static void the_page_says_who_asks_and_for_what(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    struct answer page = browser_go(t, &p, browser_way(t, &p, ASKING));

    assert_int_equal(page.status, 200);
    HAS(page, "<strong>和平区政务网</strong>");
    HAS(page, "<li>您的手机号码</li>");
    HAS_NOT(page, "您的姓名");
    HAS(page, ">同意</button>");
    HAS(page, ">不同意</button>");
    /* Browsers hold where the answer leads against the policy, and it leads there. */
    holds(HEADER(page, "content-security-policy"),
          "form-action 'self' https://heping.example; frame-ancestors 'none'");
}

static void who_allows_is_led_back_with_a_code(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    struct answer page = browser_go(t, &p, browser_way(t, &p, ASKING)),
                  a = decide(t, &p, &page, "yes");

    assert_int_equal(a.status, 303);
    begins(HEADER(a, "location"), PARTY_BACK "&code=toc_");
    begins(browser_way(t, &p, ASKING), PARTY_BACK "&code=toc_"); /* he is not asked again */
}

static void who_refuses_is_led_back_without(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    struct answer page = browser_go(t, &p, browser_way(t, &p, ASKING)),
                  a = decide(t, &p, &page, "no");

    begins(HEADER(a, "location"), PARTY_BACK "&error=access_denied");
    page = browser_go(t, &p, browser_way(t, &p, ASKING));
    a = decide(t, &p, &page, "maybe");
    begins(HEADER(a, "location"), PARTY_BACK "&error=access_denied");
}

static void nobody_answers_for_him(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2), other = browser_sign_in(t, 2);
    struct answer page = browser_go(t, &p, browser_way(t, &p, ASKING)),
                  theirs = browser_go(t, &other, browser_way(t, &other, ASKING));
    const char *question = field(t, &page, "ask");

    assert_int_equal(send_form(t, &p, "/consent", URL("ask=%s&answer=yes", question)).status,
                     403);
    assert_int_equal(
        send_form(t, &p, "/consent",
                  URL("token=%s&ask=%s&answer=yes", field(t, &theirs, "token"), question))
            .status,
        403);
    assert_int_equal(decide(t, NULL, &page, "yes").status, 403);
    assert_int_equal(
        ask(t, POST, "/consent",
            &(struct ask){
                .headers = URL("%s" AS_FORM "origin: https://heping.example\n", p.cookie),
                .body = URL("token=%s&ask=%s&answer=yes", field(t, &page, "token"), question) })
            .status,
        403);
    begins(browser_way(t, &p, ASKING), "/consent?ask="); /* nothing was allowed */
}

static void a_question_that_is_not_ours_is_none(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);

    assert_int_equal(browser_go(t, &p, "/consent").status, 400);
    assert_int_equal(browser_go(t, &p, "/consent?ask=AAAA").status, 400);
    assert_int_equal(browser_go(t, NULL, "/sign-in?ask=AAAA").status, 400);
}

static void who_must_sign_in_first_is_told_for_whom_and_comes_back(void **state)
{
    struct world *t = *state;
    const char *to = browser_way(t, NULL, ASKING);
    struct answer page;

    begins(to, "/sign-in?ask=");
    page = browser_go(t, NULL, to);
    HAS(page, "“和平区政务网”请您登录");
    begins(field(t, &page, "return"), "/oauth2/authorize?ask=");
    /* A page between, for no answer of a form of ours may lead to another site. */
    page = browser_go(
        t, NULL,
        URL("/sign-in/done?return=%%2Foauth2%%2Fauthorize%%3Fask%%3D%s", after(to, "ask=")));
    HAS(page, "<meta http-equiv=\"refresh\" content=\"0; url=/oauth2/authorize?ask=");
    begins(browser_way(t, NULL, URL("/consent?ask=%s", after(to, "ask="))),
           "/oauth2/authorize?ask=");
}

static void who_cannot_prove_enough_is_told_what_would(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 1);
    const char *to = browser_way(t, &p, ASKING "&acr_values=3"), *there;
    struct answer page;

    begins(to, "/sign-in?ask=");
    there = browser_way(t, &p, to);
    begins(there, "/consent?ask=");
    page = browser_go(t, &p, there);
    HAS(page, "要求第 3 级实名，您的账号现在是第 1 级");
    HAS_NOT(page, ">同意</button>");
}

static void what_was_allowed_is_taken_back(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    struct answer page, a, tokens = party_fetch(t, browser_code(t, &p, ASKING));
    const char *access = text_of(t, &tokens, "access_token");

    assert_int_equal(party_userinfo(t, access).status, 200);
    page = browser_go(t, &p, "/account/programs");
    HAS(page, "<strong>和平区政务网</strong>");
    HAS(page, "您的手机号码");
    a = send_form(t, &p, "/account/programs",
                  URL("token=%s&party=%s", field(t, &page, "token"), field(t, &page, "party")));
    assert_string_equal(HEADER(a, "location"), "/account/programs?done=program");
    page = browser_go(t, &p, "/account/programs");
    HAS_NOT(page, "和平区政务网");
    assert_int_equal(party_userinfo(t, access).status, 401);
    begins(browser_way(t, &p, ASKING), "/consent?ask=");
}

/* ---- devices ---- */

static const char *letters_of_screen(struct world *t)
{
    struct answer a = party_call(t, "/oauth2/device", AS_FORM, FOR_SCREEN);

    return text_of(t, &a, "user_code");
}

static void letters_lead_to_a_question(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *letters = letters_of_screen(t), *to;
    struct answer page = browser_go(t, &p, "/device"), a;

    a = send_form(t, &p, "/device",
                  URL("token=%s&user_code=%s", field(t, &page, "token"), letters));
    to = HEADER(a, "location");
    assert_string_equal(to, URL("/device/confirm?user_code=%s", letters));
    page = browser_go(t, &p, to);
    HAS(page, URL("<code class=\"secret\">%s</code>", letters));
    HAS(page, "如果这组字母是别人发给您的");
    a = send_form(t, &p, "/device/confirm",
                  URL("token=%s&user_code=%s&answer=yes", field(t, &page, "token"), letters));
    assert_string_equal(HEADER(a, "location"), "/device?done=device-yes");
    a = browser_go(t, &p, "/device?done=device-yes");
    HAS(a, "那台设备可以用了");
}

static void letters_in_a_link_are_asked_about_like_all(void **state)
{
    struct world *t = *state;
    const char *letters = letters_of_screen(t);
    struct answer page = browser_go(t, NULL, URL("/device?user_code=%s", letters));

    HAS(page, URL("value=\"%s\"", letters));
    HAS(page, "下一步");
    begins(browser_way(t, NULL, URL("/device/confirm?user_code=%s", letters)),
           "/sign-in?return=%2Fdevice%2Fconfirm%3Fuser_code%3D");
}

static void letters_that_nobody_waits_for_are_none(void **state)
{
    static const char *const typed[] = { "BCDF-GHJK", "aeiou", "%22%3E%3Cscript%3E", "" };
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    struct answer page = browser_go(t, &p, "/device"), a;

    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        a = send_form(t, &p, "/device",
                      URL("token=%s&user_code=%s", field(t, &page, "token"), typed[i]));
        assert_int_equal(a.status, 422);
        HAS(a, "没有设备在等这组字母");
        HAS_NOT(a, "<script");
    }
}

static void nobody_lets_a_device_in_for_him(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);
    const char *letters = letters_of_screen(t);
    struct answer page = browser_go(t, &p, URL("/device/confirm?user_code=%s", letters)), a;

    assert_int_equal(
        send_form(t, &p, "/device/confirm", URL("user_code=%s&answer=yes", letters)).status,
        403);
    assert_int_equal(
        send_form(t, NULL, "/device/confirm",
                  URL("token=%s&user_code=%s&answer=yes", field(t, &page, "token"), letters))
            .status,
        401);
    a = send_form(t, &p, "/device/confirm",
                  URL("token=%s&user_code=%s&answer=no", field(t, &page, "token"), letters));
    assert_string_equal(HEADER(a, "location"), "/device?done=device-no");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, party_world_set_up, party_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(the_page_says_who_asks_and_for_what),
        T(who_allows_is_led_back_with_a_code),
        T(who_refuses_is_led_back_without),
        T(nobody_answers_for_him),
        T(a_question_that_is_not_ours_is_none),
        T(who_must_sign_in_first_is_told_for_whom_and_comes_back),
        T(who_cannot_prove_enough_is_told_what_would),
        T(what_was_allowed_is_taken_back),
        T(letters_lead_to_a_question),
        T(letters_in_a_link_are_asked_about_like_all),
        T(letters_that_nobody_waits_for_are_none),
        T(nobody_lets_a_device_in_for_him),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
