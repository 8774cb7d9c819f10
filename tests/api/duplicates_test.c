/* Texts that two sites have: told to who reviews one, to who handed it in, and as a list; and only while both may be seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/derived/derived.h"
#include "server/projections.h"
#include "server/store/db.h"
#include "tests/lib/service_world.h"

#define LONG                                                                                                                               \
    "为进一步优化营商环境，方便企业和群众办事，经市人民政府同意，现就有关事项通知如下。一是精" \
    "简材料，"                                                                                                                         \
    "凡能通过数据共享核验的，不再要求申请人提供纸质证明。二是压缩时限，即办件当场办结，承诺件" \
    "在五个工作"                                                                                                                      \
    "日内办结。三是一网通办，线上线下同一标准，同等效力。四是加强监督，设立投诉电话，接受社会" \
    "监督，对"                                                                                                                         \
    "推诿扯皮的严肃追责。各单位要在年底前完成改造，并将进展情况报市政务服务办公室。"

static int set_up(void **state)
{
    int failed = service_world_set_up(state);
    struct world *t = *state;
    struct err e = { 0 };

    if (derived_open(&e, world_dir(t), projections))
        fail_msg("%s", e.text);
    assert_int_equal(
        tell(t, POST, "/v1/sites", "{\"code\":\"1201010001\",\"name\":\"和平区人民政府\"}")
            .status,
        201);
    assert_int_equal(
        tell(t, POST, "/v1/columns", "{\"site\":\"1201010001\",\"path\":\"要闻\"}").status,
        201);
    return failed;
}

static int tear_down(void **state)
{
    derived_close();
    return service_world_tear_down(state);
}

static void catch_up(struct world *t)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    if (derived_catch_up(&w))
        fail_msg("%s", w.err.text);
    db_close(w.db);
}

/* A draft at a site. */
static const char *draft(struct world *t, const char *site, const char *body)
{
    struct answer a =
        tell(t, POST, "/v1/items",
             URL("{\"site\":\"%s\",\"column\":\"要闻\",\"title\":\"通知\",\"body\":\"%s\"}",
                 site, body));

    assert_int_equal(a.status, 201);
    return arena_strdup(world_mem(t), text_of(t, &a, "id"));
}

static const char *publish(struct world *t, const char *site, const char *body)
{
    static const char *const verbs[] = { "submit", "approve", "publish" };
    const char *id = draft(t, site, body);

    for (int i = 0; i < 3; i++)
        assert_int_equal(tell(t, POST, URL("/v1/items/%s/%s", id, verbs[i]), NULL).status, 200);
    return id;
}

static void an_editor_sees_what_another_site_has(void **state)
{
    struct world *t = *state;
    const char *there = publish(t, "1201010001", LONG), *same, *near, *other;
    struct answer a;

    catch_up(t);
    same = draft(t, "1200000000", LONG " ");
    near = draft(t, "1200000000", "南开区：" LONG);
    other = draft(t, "1200000000",
                  "河北区新建三处口袋公园，共有绿地约两千平方米，自即日起向市民开放。");
    a = tell(t, GET, URL("/v1/drafts/%s", same), NULL);
    HAS(a, URL("\"duplicates\":[{\"item\":\"%s\"", there));
    HAS(a, "\"same\":true");
    HAS(tell(t, GET, URL("/v1/drafts/%s", near), NULL), "\"same\":false");
    HAS(tell(t, GET, URL("/v1/drafts/%s", other), NULL), "\"duplicates\":[]");
    /* At its own site it is nobody's concern. */
    HAS(tell(t, GET, URL("/v1/drafts/%s", draft(t, "1201010001", LONG)), NULL),
        "\"duplicates\":[]");
}

static void a_source_is_told_too(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "heping", "import");
    struct answer a;

    publish(t, "1200000000", LONG);
    catch_up(t);
    a = ask(t, POST, "/v1/submissions",
            &(struct ask){ .headers = key,
                           .body = "{\"site\":\"1201010001\",\"column\":\"要闻\",\"id\":\"p1\","
                                   "\"title\":\"通知\",\"body\":\"" LONG "\"}" });
    assert_int_equal(a.status, 201);
    a = ask(t, GET, URL("/v1/submissions/%s", text_of(t, &a, "id")),
            &(struct ask){ .headers = key });
    HAS(a, "\"same\":true");
    HAS(a, "\"site\":\"1200000000\"");
}

static void the_list_has_both_and_forgets_what_is_gone(void **state)
{
    struct world *t = *state;
    const char *here = publish(t, "1200000000", LONG), *there;
    struct answer a;

    there = publish(t, "1201010001", "【转载】" LONG);
    catch_up(t);
    a = tell(t, GET, "/v1/duplicates", NULL);
    HAS(a, URL("\"item\":\"%s\"", here));
    HAS(a, URL("\"item\":\"%s\"", there));
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", there), "{\"reason\":\"重复\"}").status,
        200);
    HAS(tell(t, GET, "/v1/duplicates", NULL), "\"items\":[]"); /* at once */
    catch_up(t);
    HAS(tell(t, GET, "/v1/duplicates", NULL), "\"items\":[]");
}

static void where_nothing_is_derived_nothing_is_said(void **state)
{
    struct world *t = *state;
    const char *id;

    derived_close();
    id = draft(t, "1200000000", LONG);
    HAS(tell(t, GET, URL("/v1/drafts/%s", id), NULL), "\"duplicates\":[]");
    assert_int_equal(tell(t, GET, "/v1/duplicates", NULL).status, 503);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_editor_sees_what_another_site_has),
        T(a_source_is_told_too),
        T(the_list_has_both_and_forgets_what_is_gone),
        T(where_nothing_is_derived_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
