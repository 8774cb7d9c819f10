/* Surveys over HTTP: what everybody reads, what staff get, and the page that is filled in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/lib/people.h"

static const char *make(struct world *t)
{
    struct answer a =
        tell(t, POST, "/v1/items",
             "{\"site\":\"1200000000\",\"column\":1,\"kind\":\"survey\",\"title\":\"出行调查\","
             "\"body\":\"请您<i>回答</i>。\",\"questions\":["
             "{\"kind\":\"single\",\"title\":\"怎样来？\",\"choices\":[\"步行\",\"开车\"],"
             "\"required\":true},"
             "{\"kind\":\"multiple\",\"title\":\"哪里办？\",\"choices\":[\"网上\",\"窗口\"]},"
             "{\"kind\":\"text\",\"title\":\"意见\"}]}");
    const char *id, *verbs[] = { "submit", "approve", "publish" };

    assert_int_equal(a.status, 201);
    id = arena_strdup(world_mem(t), text_of(t, &a, "id"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(tell(t, POST, URL("/v1/items/%s/%s", id, verbs[i]), NULL).status, 200);
    return id;
}

static void what_is_asked_is_everybodys_and_what_came_back_is_not(void **state)
{
    struct world *t = *state;
    const char *id = make(t);
    struct answer a = get(t, URL("/v1/surveys/%s", id));

    assert_int_equal(a.status, 200);
    HAS(a, "\"audience\":\"所有人\"");
    HAS(a, "\"choices\":[\"步行\",\"开车\"]");
    a = get(t, "/v1/surveys");
    HAS(a, id);
    a = get(t, URL("/a/%s", id));
    HAS(a, URL("/surveys/%s", id));
    HAS(get(t, URL("/a/%s/text", id)), "出行调查");
    assert_int_equal(
        get(t, URL("/v1/surveys/%s", service_publish(t, "文章", "正文", NULL))).status, 404);
    assert_int_equal(get(t, URL("/v1/staff/surveys/%s", id)).status, 401);
    assert_int_equal(get(t, URL("/v1/staff/surveys/%s/answers", id)).status, 401);
    a = tell(t, GET, URL("/v1/staff/surveys/%s", id), NULL);
    HAS(a, "\"answers\":0");
    HAS(a, "\"state\":\"open\"");
    assert_int_equal(tell(t, POST, URL("/v1/surveys/%s/close", id), NULL).status, 200);
    assert_int_equal(tell(t, POST, URL("/v1/surveys/%s/close", id), NULL).status, 409);
    HAS(tell(t, GET, URL("/v1/staff/surveys/%s", id), NULL), "\"state\":\"closed\"");
    assert_int_equal(tell(t, POST, URL("/v1/surveys/%s/draft", id), NULL).status, 201);
}

/* The value of a hidden field. */
static const char *hidden(struct world *t, const struct answer *a, const char *name)
{
    const char *at = strstr(a->body, URL("name=\"%s\" value=\"", name));

    assert_non_null(at);
    at = strstr(at, "value=\"") + strlen("value=\"");
    return arena_strndup(world_mem(t), at, strcspn(at, "\""));
}

static struct answer fill(struct world *t, const char *id, const char *cookies,
                          const struct answer *page, const char *fields)
{
    return ask(
        t, POST, URL("/surveys/%s", id),
        &(struct ask){
            .headers =
                URL("content-type: application/x-www-form-urlencoded\ncookie: %s\n", cookies),
            .body = URL("token=%s&answer=%s%s", hidden(t, page, "token"),
                        hidden(t, page, "answer"), fields) });
}

static const char *cookies_of(struct world *t, const struct answer *a)
{
    struct buf b = BUF_IN(world_mem(t));

    for (const char *at = a->headers; (at = strstr(at, "set-cookie: ")); at++)
        buf_printf(&b, "%s%.*s", b.n ? "; " : "", (int)strcspn(at + 12, ";"), at + 12);
    return b.p;
}

static void a_browser_fills_it_in_without_a_script(void **state)
{
    struct world *t = *state;
    const char *id = make(t), *address = URL("/surveys/%s", id), *cookies;
    struct answer page = get(t, address), a;

    assert_int_equal(page.status, 200);
    HAS(page, "怎样来？");
    HAS(page, "请您&lt;i&gt;回答");
    HAS(page, "每个浏览器答一份");
    cookies = cookies_of(t, &page);
    a = fill(t, id, cookies, &page, "&q2-0=1&q3=");
    assert_int_equal(a.status, 422);
    HAS(a, "请回答这个问题");
    HAS(a, "checked");
    a = fill(t, id, cookies, &page, "&q1=9");
    assert_int_equal(a.status, 422);
    a = fill(t, id, cookies, &page, "&q2-0=1&q3=%E5%A5%BD%0D%0A1");
    HAS(a, "<textarea class=\"box area\"");
    HAS(a, "\n好\n1</textarea>");
    a = fill(t, id, cookies, &page, "&q1=1&q2-0=1&q2-1=1&q3=%E5%A5%BD");
    assert_int_equal(a.status, 303);
    assert_int_equal(fill(t, id, cookies, &page, "&q1=1&q2-0=1&q2-1=1&q3=%E5%A5%BD").status,
                     303);
    a = ask(t, GET, address, &(struct ask){ .headers = URL("cookie: %s\n", cookies) });
    HAS(a, "您已经答过这份问卷");
    HAS(tell(t, GET, URL("/v1/staff/surveys/%s", id), NULL), "\"answers\":1");
    a = tell(t, GET, URL("/v1/staff/surveys/%s/answers", id), NULL);
    HAS(a, "\"chosen\":[1,[0,1],null]");
    HAS(a, "\"texts\":[null,null,\"好\"]");
    a = tell(t, GET, URL("/v1/staff/surveys/%s/answers.csv", id), NULL);
    HAS(a, "\"开车\",\"网上、窗口\",\"好\"\r\n");
    page = get(t, address);
    assert_int_equal(fill(t, id, "x=y", &page, "&q1=1").status, 403);
}

/* A question that nobody answered is null in the array. */
static void a_phone_leaves_questions_out(void **state)
{
    struct world *t = *state;
    const char *id = make(t);
    struct person p = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a = person_ask(t, &p, POST, "/v1/me/sync",
                                 URL("{\"device\":\"q83vEjRWeJCrze8SNFZ4kA\",\"mutations\":[{"
                                     "\"key\":\"0190f3c2-7d1c-4a3e-"
                                     "9f00-3c1d5b7e9a11\",\"n\":1,\"type\":\"survey.answer\","
                                     "\"value\":{\"answers\":[1,null,"
                                     "null],\"survey\":\"%s\"}}]}",
                                     id));

    HAS(a, "\"result\":\"done\"");
    HAS(tell(t, GET, URL("/v1/staff/surveys/%s", id), NULL), "\"counts\":[0,1]");
}

static void a_member_of_staff_sees_votes(void **state)
{
    struct world *t = *state;

    assert_string_equal(tell(t, GET, "/v1/staff/votes", NULL).body, "{\"votes\":[]}\n");
    assert_int_equal(get(t, "/v1/staff/votes").status, 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_asked_is_everybodys_and_what_came_back_is_not),
        TEST(a_browser_fills_it_in_without_a_script),
        TEST(a_phone_leaves_questions_out),
        TEST(a_member_of_staff_sees_votes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
