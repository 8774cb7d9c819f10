/*
 * submissions_test.c - what departments' platforms hand in: taken once, never more than was agreed upon, and always told what has become of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "tests/lib/service_world.h"

#define AGREEMENT "/v1/sites/1200000000/agreements/party:heping"
#define TEXT(id, more)                                          \
    "{\"site\":\"1200000000\",\"column\":\"要闻\",\"id\":\"" id \
    "\",\"title\":\"和平区新建口袋公园\"," more "}"
/* Its check character holds; it is nobody's. */
#define ID_NUMBER "11010519491231002X"

static struct answer as(struct world *t, const char *key, enum method m, const char *target,
                        const char *body)
{
    return ask(t, m, target, &(struct ask){ .headers = key, .body = body });
}

/* Handed in; its address. */
static const char *hand_in(struct world *t, const char *key, const char *body, int status)
{
    struct answer a = as(t, key, POST, "/v1/submissions", body);
    const char *id = text_of(t, &a, "id");

    if (a.status != status)
        fail_msg("%d %s", a.status, a.body);
    assert_string_equal(HEADER(a, "location"), URL("/v1/submissions/%s", id));
    return URL("/v1/submissions/%s", id);
}

static const char *item_of(struct world *t, const char *key, const char *at)
{
    struct answer a = as(t, key, GET, at, NULL);

    assert_int_equal(a.status, 200);
    return arena_strdup(world_mem(t), text_of(t, &a, "item"));
}

static void is_told(struct world *t, const char *key, const char *at, const char *state)
{
    struct answer a = as(t, key, GET, at, NULL);

    assert_int_equal(a.status, 200);
    assert_string_equal(text_of(t, &a, "state"), state);
}

static void step(struct world *t, const char *item, const char *verb, const char *body)
{
    struct answer a = tell(t, POST, URL("/v1/items/%s/%s", item, verb), body);

    if (a.status != 200)
        fail_msg("%s: %d %s", verb, a.status, a.body);
}

static void agree(struct world *t, const char *accepts)
{
    assert_int_equal(tell(t, PUT, AGREEMENT,
                          URL("{\"accepts\":\"%s\",\"basis\":\"津政办〔2026〕3号\"}", accepts))
                         .status,
                     200);
}

static void a_text_is_a_draft_until_our_staff_publish_it(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *at = hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201),
               *item = item_of(t, key, at);
    struct answer a = as(t, key, GET, at, NULL);

    assert_string_equal(text_of(t, &a, "state"), "in_review");
    assert_string_equal(text_of(t, &a, "itemState"), "draft");
    HAS(a, "\"originId\":\"p1\"");
    HAS(a, "\"source\":\"party:heping\"");
    assert_int_equal(get(t, URL("/v1/items/%s", item)).status, 404);
    HAS(tell(t, GET, URL("/v1/drafts/%s", item), NULL), "\"contentSource\":\"示例市人民政府\"");
    step(t, item, "submit", NULL);
    step(t, item, "approve", NULL);
    is_told(t, key, at, "in_review");
    step(t, item, "publish", NULL);
    a = as(t, key, GET, at, NULL);
    assert_string_equal(text_of(t, &a, "state"), "published");
    assert_string_equal(text_of(t, &a, "url"), URL("https://www.example.cn/a/%s", item));
    step(t, item, "withdraw", "{\"reason\":\"地点有误\"}");
    a = as(t, key, GET, at, NULL);
    assert_string_equal(text_of(t, &a, "state"), "withdrawn");
    assert_string_equal(text_of(t, &a, "reason"), "地点有误");
    step(t, item, "gone", "{\"reason\":\"地点有误\"}");
    a = as(t, key, GET, at, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(text_of(t, &a, "state"), "withdrawn");
}

static void the_same_again_is_the_same(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *at = hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201);
    /* Members in another order, with spaces between. */
    const char *again =
        hand_in(t, key,
                "{ \"id\":\"p1\", \"body\":\"绿地三处。\",\"title\":\"和平区新建口袋公园\","
                "\"column\":\"要闻\",\"site\":\"1200000000\"}",
                200);
    struct answer a;

    assert_string_equal(at, again);
    a = tell(t, GET, URL("/v1/drafts/%s", item_of(t, key, at)), NULL);
    HAS(a, "\"revision\":1");
    assert_string_not_equal(at, hand_in(t, key, TEXT("p2", "\"body\":\"绿地三处。\""), 201));
}

static void another_text_is_a_new_version(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *first = hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201), *second,
               *item;

    item = item_of(t, key, first);
    step(t, item, "submit", NULL);
    step(t, item, "approve", NULL);
    step(t, item, "publish", NULL);
    second = hand_in(t, key, TEXT("p1", "\"body\":\"绿地四处。\""), 201);
    assert_string_equal(item_of(t, key, second), item);
    is_told(t, key, second, "in_review");
    is_told(t, key, first, "published"); /* the public still sees it */
    HAS(get(t, URL("/v1/items/%s", item)), "绿地三处");
    step(t, item, "submit", NULL);
    step(t, item, "approve", NULL);
    step(t, item, "publish", NULL);
    is_told(t, key, first, "replaced");
    is_told(t, key, second, "published");
    /* The first text once more is news again. */
    is_told(t, key, hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201), "in_review");
}

static void a_returned_text_says_why(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *at = hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201),
               *item = item_of(t, key, at);
    struct answer a;

    step(t, item, "submit", NULL);
    step(t, item, "return", "{\"reason\":\"请补充地址\"}");
    a = as(t, key, GET, at, NULL);
    assert_string_equal(text_of(t, &a, "state"), "returned");
    assert_string_equal(text_of(t, &a, "reason"), "请补充地址");
    HAS(tell(t, GET, "/v1/submissions?state=returned", NULL), "请补充地址");
    HAS_NOT(tell(t, GET, "/v1/submissions?state=published", NULL), "p1");
    is_told(t, key, hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处，在南京路。\""), 201),
            "in_review");
    is_told(t, key, at, "replaced");
}

static void an_agreement_lets_it_go_on(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *other = service_program(t, "nankai", "import"), *at;
    struct answer a;

    agree(t, "submit");
    at = hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201);
    a = as(t, key, GET, at, NULL);
    assert_string_equal(text_of(t, &a, "itemState"), "in_review");
    agree(t, "publish");
    at = hand_in(t, key, TEXT("p2", "\"body\":\"绿地三处。\""), 201);
    is_told(t, key, at, "published");
    HAS(get(t, URL("/v1/items/%s", item_of(t, key, at))), "绿地三处");
    /* It is another program's agreement. */
    at = hand_in(t, other, TEXT("p3", "\"body\":\"绿地三处。\""), 201);
    is_told(t, other, at, "in_review");
    agree(t, "none");
    at = hand_in(t, key, TEXT("p4", "\"body\":\"绿地三处。\""), 201);
    is_told(t, key, at, "in_review");
    HAS(tell(t, GET, "/v1/sites/1/agreements", NULL), "\"agreements\":[]");
}

static void the_rules_stand_whatever_was_agreed(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"), *at;
    struct answer a;

    agree(t, "publish");
    at = hand_in(t, key, TEXT("p1", "\"body\":\"身份证 " ID_NUMBER "\""), 201);
    a = as(t, key, GET, at, NULL);
    assert_string_equal(text_of(t, &a, "state"), "in_review");
    assert_string_equal(text_of(t, &a, "itemState"), "draft");
    HAS(a, "\"rule\":\"person.id\"");
    HAS_NOT(a, "19491231");
    assert_int_equal(get(t, URL("/v1/items/%s", item_of(t, key, at))).status, 404);
}

static void an_agreement_ends_by_itself(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"), *at;

    assert_int_equal(
        tell(t, PUT, AGREEMENT,
             "{\"accepts\":\"publish\",\"basis\":\"试行\",\"until\":\"2026-12-31\"}")
            .status,
        200);
    at = hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201);
    is_told(t, key, at, "published");
    clock_set(WORLD_NOW + 90 * 86400);
    at = hand_in(t, key, TEXT("p2", "\"body\":\"绿地三处。\""), 201);
    is_told(t, key, at, "in_review");
}

static void an_agreement_is_a_persons_and_has_a_basis(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import,publish");

    assert_int_equal(
        as(t, key, PUT, AGREEMENT, "{\"accepts\":\"publish\",\"basis\":\"自己说的\"}").status,
        403);
    assert_int_equal(tell(t, PUT, AGREEMENT, "{\"accepts\":\"publish\"}").status, 400);
    assert_int_equal(tell(t, PUT, AGREEMENT, "{\"accepts\":\"all\",\"basis\":\"甲\"}").status,
                     400);
    assert_int_equal(tell(t, PUT, AGREEMENT,
                          "{\"accepts\":\"submit\",\"basis\":\"甲\",\"until\":\"2020-01-01\"}")
                         .status,
                     400);
    assert_int_equal(tell(t, PUT, "/v1/sites/1200000000/agreements/operator",
                          "{\"accepts\":\"submit\",\"basis\":\"甲\"}")
                         .status,
                     400);
    agree(t, "submit");
    HAS(tell(t, GET, "/v1/sites/1/agreements", NULL), "津政办〔2026〕3号");
}

static void only_its_source_and_our_staff_see_it(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *other = service_program(t, "nankai", "import"),
               *at = hand_in(t, key, TEXT("p1", "\"body\":\"绿地三处。\""), 201);

    assert_int_equal(as(t, other, GET, at, NULL).status, 404);
    assert_int_equal(get(t, at).status, 401);
    assert_int_equal(tell(t, GET, at, NULL).status, 200);
    HAS(as(t, key, GET, "/v1/submissions", NULL), "p1");
    HAS_NOT(as(t, other, GET, "/v1/submissions", NULL), "p1");
    HAS(tell(t, GET, "/v1/submissions?site=1", NULL), "p1");
    /* The same id of another source is another text. */
    assert_string_not_equal(at, hand_in(t, other, TEXT("p1", "\"body\":\"绿地三处。\""), 201));
}

static void html_is_cleaned(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *at = hand_in(
                   t, key,
                   TEXT("p1", "\"url\":\"https://heping.example.cn/a/1.html\",\"html\":"
                              "\"<h2 onclick=x()>地点</h2><p>三处，<a href='../b.html'>见图</a>"
                              "</p><script>alert(1)</script>\""),
                   201);
    struct answer a = tell(t, GET, URL("/v1/drafts/%s", item_of(t, key, at)), NULL);

    HAS(a, "## 地点\\n\\n三处，[见图](https://heping.example.cn/b.html)");
    HAS_NOT(a, "alert");
    HAS_NOT(a, "onclick");
}

static void what_is_wrong_is_said_at_once(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import"),
               *editor = service_program(t, "editors", "edit");
    static const struct {
        const char *body, *says;
        int status;
    } cases[] = {
        { TEXT("p1", "\"body\":\"一\",\"html\":\"<p>一</p>\""), "html and body", 400 },
        { TEXT("p1", "\"html\":7"), "html should be a string", 400 },
        { TEXT("../p1", "\"body\":\"一\""), "no path", 400 },
        { TEXT("p1", "\"body\":\"一\",\"colour\":\"red\""), "colour", 400 },
        { TEXT("p1", "\"body\":\"一\",\"attachments\":{}"), "attachments", 400 },
        { TEXT("p1", "\"body\":\"一\",\"files\":[{\"url\":\"file:///etc/passwd\"}]"), "http",
          400 },
        { "{\"site\":\"1200000000\",\"id\":\"p1\",\"column\":\"没有的栏目\",\"title\":\"甲\"}",
          "没有的栏目", 404 },
        { "{\"site\":\"9999999999\",\"id\":\"p1\",\"column\":\"要闻\",\"title\":\"甲\"}",
          "site", 404 },
        { "[]", "object", 400 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = as(t, key, POST, "/v1/submissions", cases[i].body);

        if (a.status != cases[i].status || !strstr(a.body, cases[i].says))
            fail_msg("%s: %d %s", cases[i].body, a.status, a.body);
    }
    assert_int_equal(
        as(t, editor, POST, "/v1/submissions", TEXT("p1", "\"body\":\"一\"")).status, 403);
    assert_int_equal(tell(t, POST, "/v1/submissions", TEXT("p1", "\"body\":\"一\"")).status,
                     403);
    HAS(tell(t, GET, "/v1/submissions", NULL), "\"submissions\":[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_text_is_a_draft_until_our_staff_publish_it),
        TEST(the_same_again_is_the_same),
        TEST(another_text_is_a_new_version),
        TEST(a_returned_text_says_why),
        TEST(an_agreement_lets_it_go_on),
        TEST(the_rules_stand_whatever_was_agreed),
        TEST(an_agreement_ends_by_itself),
        TEST(an_agreement_is_a_persons_and_has_a_basis),
        TEST(only_its_source_and_our_staff_see_it),
        TEST(html_is_cleaned),
        TEST(what_is_wrong_is_said_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
