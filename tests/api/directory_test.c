/* Organisations, sites and columns: who publishes where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/library/stream.h"
#include "server/store/writer.h"
#include "tests/lib/service_world.h"

static void organisations_stand_behind_sites(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/v1/orgs");

    HAS(a, "{\"orgs\":[]}");
    a = tell(t, POST, "/v1/orgs",
             "{\"code\":\"11120000X\",\"name\":\"示例市人民政府\","
             "\"region\":\"120000\"}");
    assert_int_equal(a.status, 201);
    HAS(a, "{\"code\":\"11120000X\",\"name\":\"示例市人民政府\",\"no\":1,\"region\":"
           "\"120000\"}");
    a = tell(t, POST, "/v1/orgs",
             "{\"code\":\"edu\",\"name\":\"教育局\",\"parent\":\"11120000X\"}");
    HAS(a, "\"no\":2,\"parent\":1");
    assert_int_equal(tell(t, POST, "/v1/orgs", "{\"code\":\"edu\",\"name\":\"再来\"}").status,
                     409);
    assert_int_equal(tell(t, POST, "/v1/orgs", "{\"code\":\"x\"}").status, 400);
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"x\",\"name\":\"某局\",\"region\":\"990000\"}")
            .status,
        400);
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"x\",\"name\":\"某局\",\"parent\":9}").status,
        404);
    assert_int_equal(tell(t, PATCH, "/v1/orgs/none", "{}").status, 404);
    assert_int_equal(tell(t, PATCH, "/v1/orgs/1", "{\"parent\":\"edu\"}").status, 400);
    assert_int_equal(tell(t, PATCH, "/v1/orgs/edu", "{\"code\":\"other\"}").status, 400);
    a = tell(t, PATCH, "/v1/orgs/2", "{\"name\":\"市教育局\",\"parent\":0}");
    assert_int_equal(a.status, 200);
    HAS(a, "市教育局");
    HAS_NOT(a, "parent");
    a = get(t, "/v1/orgs");
    HAS(a, "市教育局");

    a = get(t, "/v1/sites/1");
    HAS_NOT(a, "\"org\"");
    assert_int_equal(tell(t, PATCH, "/v1/sites/1", "{\"org\":\"none\"}").status, 404);
    assert_int_equal(tell(t, PATCH, "/v1/sites/1", "{\"org\":true}").status, 400);
    a = tell(t, PATCH, "/v1/sites/1", "{\"org\":1}");
    HAS(a, "\"org\":\"11120000X\"");
    a = get(t, "/v1/sites");
    HAS(a, "\"org\":\"11120000X\"");
    a = tell(t, PATCH, "/v1/sites/1", "{\"name\":\"仍是它的\"}");
    HAS(a, "\"org\":\"11120000X\"");
    a = tell(t, PATCH, "/v1/sites/1", "{\"org\":0}");
    HAS_NOT(a, "\"org\"");
    a = tell(t, POST, "/v1/sites", "{\"code\":\"edu-site\",\"name\":\"教育\",\"org\":\"edu\"}");
    assert_int_equal(a.status, 201);
    HAS(a, "\"org\":\"edu\"");
}

static void what_was_made_says_where_it_is(void **state)
{
    static const struct {
        const char *target, *body, *location;
    } rows[] = {
        { "/v1/orgs", "{\"code\":\"edu\",\"name\":\"教育局\"}", "/v1/orgs/1" },
        { "/v1/sites", "{\"code\":\"a b/c\",\"name\":\"新站\"}", "/v1/sites/2" },
        { "/v1/columns", "{\"site\":1,\"path\":\"公报\"}", "/v1/columns/3" },
        { "/v1/items", "{\"column\":1,\"title\":\"草稿\"}", "/v1/drafts/" },
        { "/v1/parties", "{\"id\":\"cms.1\",\"name\":\"采编\",\"kind\":\"live\"}",
          "/v1/parties/cms.1" },
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a = tell(t, POST, rows[i].target, rows[i].body);
        const char *location = answer_header(t, &a, "location");

        assert_int_equal(a.status, 201);
        assert_int_equal(strncmp(location, rows[i].location, strlen(rows[i].location)), 0);
        assert_int_equal(tell(t, GET, location, NULL).status, 200);
    }
}

/* All lists of columns, whoever asks. */
static void columns_stand_in_the_editors_order(void **state)
{
    static const char *const lists[] = { "/v1/columns", "/v1/columns?site=1", "/columns", "/" };
    struct world *t = *state;

    tell(t, POST, "/v1/columns", "{\"site\":1,\"path\":\"通知公告/乙\",\"position\":2}");
    tell(t, POST, "/v1/columns", "{\"site\":1,\"path\":\"通知公告/甲\",\"position\":1}");
    tell(t, PATCH, "/v1/columns/1", "{\"position\":9}");
    tell(t, PATCH, "/v1/columns/2", "{\"position\":3}");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct answer a = get(t, lists[i]);
        const char *notices = strstr(a.body, "通知公告"), *news = strstr(a.body, "要闻"),
                   *first = strstr(a.body, "公告/甲"), *second = strstr(a.body, "公告/乙");

        if (!notices || !news || notices > news)
            fail_msg("%s: %s", lists[i], a.body);
        if (i < 3 && (!first || !second || first > second || second > news))
            fail_msg("%s: %s", lists[i], a.body);
    }
}

static void sites_and_columns_can_be_changed(void **state)
{
    struct world *t = *state;
    struct answer a =
        tell(t, PATCH, "/v1/columns/1", "{\"name\":\"要闻动态\",\"periodDays\":14}");

    assert_int_equal(a.status, 200);
    HAS(a, "\"path\":\"要闻动态\"");
    assert_int_equal(tell(t, PATCH, "/v1/columns/1", "{\"colour\":\"red\"}").status, 400);
    a = tell(t, PATCH, "/v1/sites/1200000000", "{\"name\":\"新名称\",\"open\":false}");
    HAS(a, "\"open\":false");
    a = get(t, "/v1/columns");
    HAS(a, "要闻动态");
}

static enum rc make_stream(struct work *w, void *arg)
{
    return stream_make(w, "heping", arg);
}

static void a_site_takes_its_items_to_its_stream(void **state)
{
    struct world *t = *state;
    struct stream made;
    struct answer a;
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, make_stream, &made), RC_OK);
    assert_int_equal(
        tell(t, POST, "/v1/sites", "{\"code\":\"x\",\"name\":\"某区\",\"stream\":\"hexi\"}")
            .status,
        404);
    a = tell(t, POST, "/v1/sites",
             "{\"code\":\"1201010001\",\"name\":\"和平区\",\"stream\":\"heping\"}");
    assert_int_equal(a.status, 201);
    HAS(a, "\"stream\":\"heping\"");
    HAS(get(t, "/v1/sites/1200000000"), "\"stream\":\"main\"");
    HAS(get(t, "/v1/sites"), "和平区");
    service_publish(t, "全市的通知", "正文", NULL);
    a = tell(t, POST, "/v1/import?publish=1&create=1",
             "{\"id\":\"h-1\",\"title\":\"和平区的通知\",\"source\":\"1201010001\",\"column\":"
             "\"要闻\",\"body\":\"正文\"}\n");
    assert_int_equal(a.status, 200);
    HAS(a, "\"created\":1");
    a = get(t, "/v1/items");
    HAS(a, "全市的通知");
    HAS(a, "和平区的通知");
    a = get(t, "/v1/items?stream=heping");
    HAS_NOT(a, "全市的通知");
    HAS(a, "和平区的通知");
    HAS(a, "\"seq\":1");
    HAS(get(t, "/"), "和平区的通知");
    HAS(get(t, "/columns"), "和平区");
    assert_int_equal(get(t, "/v1/items?stream=hexi").status, 404);
    /* What is imported for a site that is still to be made says which stream. */
    a = tell(t, POST, "/v1/import?publish=1&create=1&stream=heping",
             "{\"id\":\"h-2\",\"title\":\"街道的通知\",\"source\":\"某街道\",\"column\":"
             "\"要闻\",\"body\":\"正文\"}\n");
    HAS(a, "\"created\":1");
    HAS(get(t, "/v1/items?stream=heping"), "街道的通知");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(organisations_stand_behind_sites),     TEST(what_was_made_says_where_it_is),
        TEST(columns_stand_in_the_editors_order),   TEST(sites_and_columns_can_be_changed),
        TEST(a_site_takes_its_items_to_its_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
