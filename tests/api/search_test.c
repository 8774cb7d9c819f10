/* Search as programs and citizens ask for it: what is answered, what is refused, and that nothing typed becomes a tag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/derived/derived.h"
#include "server/store/db.h"
#include "tests/lib/service_world.h"

#define SHEBAO   "%E7%A4%BE%E4%BF%9D" /* 社保 */
#define SHEBAOKA SHEBAO "%E5%8D%A1"   /* 社保卡 */

/* What the thread does in a server. */
static void catch_up(struct world *t)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    if (derived_catch_up(&w))
        fail_msg("%s", w.err.text);
    db_close(w.db);
}

static void what_was_published_is_found_and_marked(void **state)
{
    struct world *t = *state;
    struct answer a;
    json_t *o, *hit;

    service_publish(t, "社保卡办理", "请带身份证。", NULL);
    catch_up(t);
    a = get(t, "/v1/search?q=" SHEBAO);
    assert_int_equal(a.status, 200);
    o = json_of(t, &a);
    assert_int_equal(json_array_size(json_object_get(o, "hits")), 1);
    hit = json_array_get(json_object_get(o, "hits"), 0);
    assert_string_equal(json_string_value(json_object_get(hit, "title")),
                        "<mark>社保</mark>卡办理");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(hit, "item"), "title")),
        "社保卡办理");
    a = get(t, "/v1/search/suggest?q=%E7%A4%BE");
    HAS(a, "<mark>社</mark>保卡办理");
    a = get(t, "/search?q=" SHEBAO);
    HAS(a, "<span><mark>社保</mark>卡办理</span></a>");
    a = get(t, "/search?q=" SHEBAO "&large=1");
    HAS(a, "/large\"><span><mark>社保</mark>");
    HAS(a, "name=\"large\" value=\"1\"");
}

static void an_answer_is_made_anew_when_the_index_has_more(void **state)
{
    struct world *t = *state;

    assert_int_equal(get(t, "/v1/search?q=" SHEBAO).status, 200);
    service_publish(t, "社保一", "正文", NULL);
    HAS_NOT(get(t, "/v1/search?q=" SHEBAO), "\"hits\":[{");
    catch_up(t);
    HAS(get(t, "/v1/search?q=" SHEBAO), "\"hits\":[{");
}

static void a_withdrawn_item_is_found_by_nobody(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "社保卡撤回", "正文", ",\"kind\":\"policy\"");

    catch_up(t);
    HAS(get(t, "/v1/search?q=" SHEBAOKA), "撤回");
    HAS(get(t, "/v1/catalogue"), "撤回");
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", id), "{\"reason\":\"测试\"}").status, 200);
    HAS_NOT(get(t, "/v1/search?q=" SHEBAOKA), "撤回");
    HAS_NOT(get(t, "/search?q=" SHEBAOKA), "撤回");
    HAS_NOT(get(t, "/v1/search/suggest?q=" SHEBAOKA), "撤回");
    HAS_NOT(get(t, "/v1/catalogue"), "撤回");
}

static void the_catalogue_has_what_the_law_names(void **state)
{
    struct world *t = *state;
    struct answer a;

    service_publish(
        t, "管理办法", "正文",
        ",\"kind\":\"policy\",\"indexNumber\":\"000014349/"
        "2024-00001\",\"docNumber\":\"津政办发〔2024〕1号\",\"summary\":\"规定了管理\","
        "\"writtenDate\":\"2024-01-02\",\"theme\":\"民政\",\"issuers\":[\"市政府\"]");
    service_publish(t, "新闻", "正文", NULL);
    catch_up(t);
    a = get(t, "/v1/catalogue");
    HAS(a, "\"indexNumber\":\"000014349/2024-00001\"");
    HAS(a, "\"name\":\"管理办法\"");
    HAS(a, "\"summary\":\"规定了管理\"");
    HAS(a, "\"written\":\"2024-01-02\"");
    HAS_NOT(a, "新闻");
    HAS(get(t,
            "/v1/"
            "catalogue?year=2024&theme=%E6%B0%91%E6%94%BF&organ=%E5%B8%82%E6%94%BF%E5%BA%9C"),
        "管理办法");
    HAS_NOT(get(t, "/v1/catalogue?year=2023"), "管理办法");
    HAS_NOT(get(t, "/v1/catalogue?organ=x"), "管理办法");
}

static void what_cannot_be_searched_for_gets_a_clear_answer(void **state)
{
    static const char *const bad[] = {
        "/v1/search",
        "/v1/search?q=",
        "/v1/search?q=%2A%2A",
        "/v1/search?q=%EF%BC%8C%E3%80%82",
        "/v1/search?q=a%00b",
        "/v1/search?q=%FF",
        "/v1/search?q=a&n=0",
        "/v1/search?q=a&n=51",
        "/v1/search?q=a&after=x",
        "/v1/search?q=a&area=1x",
        "/v1/search?q=a&kind=none",
        "/v1/search?q=a&from=yesterday",
        "/v1/search/suggest?q=%22",
        "/v1/catalogue?year=99999",
    };
    static const char *const good[] = {
        "/v1/search?q=a",    "/v1/search?q=a%20AND",   "/v1/search?q=NEAR(a%2C",
        "/v1/search?q=a%2A", "/v1/search?q=%22a%20b",  "/v1/search?q=a%20NOT%20OR",
        "/v1/search?q=t:x",  "/v1/search?q=%28a%20OR", "/v1/search?q=-a%20%2Bb%5E",
    };
    struct world *t = *state;
    struct buf longest = BUF_IN(world_mem(t));

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer a = get(t, bad[i]);

        if (a.status != 400 && a.status != 422 && a.status != 404)
            fail_msg("%s: %d %s", bad[i], a.status, a.body);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (get(t, good[i]).status != 200)
            fail_msg("%s: %s", good[i], get(t, good[i]).body);
    buf_adds(&longest, "/v1/search?q=");
    for (int i = 0; i < 10000; i++)
        buf_adds(&longest, "a");
    assert_in_range(get(t, longest.p).status, 400, 431);
}

static void the_page_says_it_in_the_page(void **state)
{
    struct world *t = *state;
    struct answer a;

    a = get(t, "/search");
    assert_int_equal(a.status, 200);
    HAS(a, "role=\"search\"");
    HAS(a, "name=\"robots\" content=\"noindex\"");
    a = get(t, "/search?q=%EF%BC%8C");
    assert_int_equal(a.status, 200);
    HAS(a, "role=\"alert\"");
    a = get(t, "/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22");
    assert_int_equal(a.status, 200);
    HAS_NOT(a, "<script");
    HAS(a, "&lt;script&gt;");
    HAS(get(t, "/"), "action=\"/search\"");
    HAS(get(t, "/large"), "name=\"large\" value=\"1\"");
}

static void nothing_an_editor_writes_becomes_a_tag_in_a_result(void **state)
{
    struct world *t = *state;
    struct answer a;
    json_t *hit;

    service_publish(t, "<img src=x onerror=alert(1)> 社保", "<script>社保</script>", NULL);
    catch_up(t);
    a = get(t, "/search?q=" SHEBAO);
    HAS(a, "&lt;img");
    HAS_NOT(a, "<img");
    HAS_NOT(a, "<script");
    a = get(t, "/v1/search?q=" SHEBAO);
    hit = json_array_get(json_object_get(json_of(t, &a), "hits"), 0);
    assert_string_equal(json_string_value(json_object_get(hit, "title")),
                        "&lt;img src=x onerror=alert(1)&gt; <mark>社保</mark>");
    assert_null(strstr(json_string_value(json_object_get(hit, "snippet")), "<script"));
}

static void pages_of_results_lead_to_each_other(void **state)
{
    struct world *t = *state;
    struct answer a;
    const char *next;

    for (int i = 0; i < 25; i++)
        service_publish(t, URL("社保 %d", i), "正文", NULL);
    catch_up(t);
    a = get(t, "/v1/search?q=" SHEBAO "&n=20");
    next = text_of(t, &a, "next");
    assert_string_not_equal(next, "");
    a = get(t, URL("/v1/search?q=%s&n=20&after=%s", SHEBAO, next));
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "hits")), 5);
    assert_string_equal(text_of(t, &a, "next"), "");
    a = get(t, "/search?q=" SHEBAO);
    HAS(a, "&amp;after=");
}

static void without_an_index_the_server_says_so(void **state)
{
    struct world *t = *state;
    struct answer a;

    derived_close();
    assert_int_equal(get(t, "/v1/search?q=a").status, 503);
    a = get(t, "/search?q=a");
    assert_int_equal(a.status, 200);
    HAS(a, "索引正在建立");
}

int main(void)
{
#undef TEST
#define TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, service_world_derived_set_up, \
                                    service_world_derived_tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(what_was_published_is_found_and_marked),
        TEST(an_answer_is_made_anew_when_the_index_has_more),
        TEST(a_withdrawn_item_is_found_by_nobody),
        TEST(the_catalogue_has_what_the_law_names),
        TEST(what_cannot_be_searched_for_gets_a_clear_answer),
        TEST(the_page_says_it_in_the_page),
        TEST(nothing_an_editor_writes_becomes_a_tag_in_a_result),
        TEST(pages_of_results_lead_to_each_other),
        TEST(without_an_index_the_server_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
