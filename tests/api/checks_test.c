/* What editors and importers hear of the rules, and that what is blocked stays away from the public. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/jx.h"
#include "tests/lib/service_world.h"

/* Its check character holds; it is nobody's. */
#define ID_NUMBER "11010519491231002X"
#define BAD                                                                         \
    "{\"site\":\"1200000000\",\"column\":\"要闻\",\"title\":\"名单\",\"body\":" \
    "\"身份证 " ID_NUMBER "\"}"
#define MILD                                                                                 \
    "{\"site\":\"1200000000\",\"column\":\"要闻\",\"title\":\"名单\",\"body\":\"电话 " \
    "13800138000\"}"

static const char *draft(struct world *t, const char *body)
{
    struct answer a = tell(t, POST, "/v1/items", body);

    assert_int_equal(a.status, 201);
    return arena_strdup(world_mem(t), text_of(t, &a, "id"));
}

static void a_refused_step_says_where(void **state)
{
    struct world *t = *state;
    const char *id = draft(t, BAD);
    struct answer a = tell(t, POST, URL("/v1/items/%s/submit", id), NULL);
    const json_t *v;

    assert_int_equal(a.status, 422);
    HAS(a, "\"type\":\"/problems/unfit\"");
    HAS_NOT(a, "19491231");
    v = json_array_get(json_object_get(json_of(t, &a), "verdicts"), 0);
    assert_string_equal(jx_text(v, "rule"), "person.id");
    assert_string_equal(jx_text(v, "field"), "body");
    assert_int_equal(jx_int(v, "from", 0), 4);
    assert_int_equal(jx_int(v, "to", 0), 22);
    assert_int_equal(jx_int(v, "version", 0), 1);
    assert_true(*jx_text(v, "said"));
    a = tell(t, GET, URL("/v1/drafts/%s", id), NULL);
    HAS(a, "\"state\":\"draft\"");
    HAS(a, "\"checked\":[{\"at\":");
    HAS(a, "\"step\":\"save\"");
    HAS(a, "\"verdicts\":[{\"rule\":\"person.id\"");
}

static void a_warning_is_told_and_hinders_nobody(void **state)
{
    struct world *t = *state;
    const char *id = draft(t, MILD);
    static const char *const verbs[] = { "submit", "approve", "publish" };
    struct answer a;

    for (int i = 0; i < 3; i++) {
        a = tell(t, POST, URL("/v1/items/%s/%s", id, verbs[i]), NULL);
        assert_int_equal(a.status, 200);
        HAS(a, "\"rule\":\"person.phone\"");
    }
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 200);
}

static void a_site_says_how_severe_a_rule_is(void **state)
{
    struct world *t = *state;
    const char *id = draft(t, MILD), *rule = "/v1/sites/1/rules/person.phone";
    struct answer a;

    a = tell(t, PUT, rule, "{\"severity\":\"blocking\"}");
    assert_int_equal(a.status, 200);
    HAS(a, "\"own\":true,\"rule\":\"person.phone\",\"severity\":\"blocking\"");
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/submit", id), NULL).status, 422);
    assert_int_equal(tell(t, PUT, rule, "{\"severity\":\"off\"}").status, 200);
    a = tell(t, POST, URL("/v1/items/%s/submit", id), NULL);
    assert_int_equal(a.status, 200);
    HAS_NOT(a, "person.phone");
    assert_int_equal(tell(t, PUT, rule, "{\"severity\":\"default\"}").status, 200);
    HAS(tell(t, GET, "/v1/sites/1/rules", NULL),
        "\"own\":false,\"rule\":\"person.phone\",\"severity\":\"warning\"");
    /* Between review and publication the rule became stricter. */
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/approve", id), NULL).status, 200);
    assert_int_equal(tell(t, PUT, rule, "{\"severity\":\"blocking\"}").status, 200);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/publish", id), NULL).status, 422);
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 404);
    assert_int_equal(tell(t, PUT, rule, "{\"severity\":\"mild\"}").status, 400);
    assert_int_equal(tell(t, PUT, "/v1/sites/1/rules/none", "{\"severity\":\"off\"}").status,
                     404);
}

static void an_import_names_what_it_held(void **state)
{
    struct world *t = *state;
    struct answer a = tell(
        t, POST, "/v1/import?publish=1&create=1",
        "{\"id\":\"a1\",\"source\":\"新站\",\"column\":\"新闻\",\"title\":\"好的\",\"body\":"
        "\"字\"}\n"
        "{\"id\":\"a2\",\"source\":\"新站\",\"column\":\"新闻\",\"title\":\"名单\",\"body\":"
        "\"身份证 " ID_NUMBER "\"}\n");

    assert_int_equal(a.status, 200);
    HAS(a, "\"created\":2");
    HAS(a, "\"held\":1");
    HAS(a, "\"held\":[{\"rule\":\"person.id\"");
    HAS(get(t, "/v1/items"), "好的");
    HAS_NOT(get(t, "/v1/items"), "名单");
    HAS(tell(t, GET, "/v1/staff/items?state=draft", NULL), "名单");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refused_step_says_where),
        TEST(a_warning_is_told_and_hinders_nobody),
        TEST(a_site_says_how_severe_a_rule_is),
        TEST(an_import_names_what_it_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
