/* The pages a citizen opens: what they say, what they never say, and what search engines and inspectors read of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/instance.h"
#include "server/base/clock.h"
#include "server/base/generation.h"
#include "tests/lib/service_world.h"

static bool has_meta(const struct answer *a, const char *name)
{
    char mark[64];

    snprintf(mark, sizeof mark, "<meta name=\"%s\" content=\"", name);
    return strstr(a->body, mark) != NULL;
}

static void pages_carry_the_tags_of_their_level(void **state)
{
    static const char *const tags[] = { "SiteName",     "SiteDomain",        "SiteIDCode",
                                        "ColumnName",   "ColumnDescription", "ColumnKeywords",
                                        "ColumnType",   "ArticleTitle",      "PubDate",
                                        "ContentSource" };
    struct world *t = *state;
    const char *id = service_publish(t, "有标签的文章", "正文",
                                     ",\"keywords\":[\"甲\",\"乙\"],\"author\":\"丙\"");
    const struct {
        const char *target;
        int tags;
    } rows[] = { { "/", 3 },
                 { "/large", 3 },
                 { "/columns/1", 7 },
                 { URL("/a/%s", id), 10 },
                 { URL("/a/%s/large", id), 10 } };
    struct answer a;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        a = get(t, rows[i].target);
        for (int k = 0; k < 10; k++)
            if (has_meta(&a, tags[k]) != (k < rows[i].tags))
                fail_msg("%s: %s", rows[i].target, tags[k]);
    }
    a = get(t, URL("/a/%s", id));
    HAS(a, "<meta name=\"SiteIDCode\" content=\"1200000000\">");
    HAS(a, "<meta name=\"PubDate\" content=\"2026-11-18 19:06\">");
    HAS(a, "<meta name=\"ContentSource\" content=\"示例市人民政府\">");
    HAS(a, "<meta name=\"Keywords\" content=\"甲,乙\">");
    HAS(a, URL("<meta name=\"Url\" content=\"https://www.example.cn/a/%s\">", id));
    HAS(a, "<meta property=\"og:title\" content=\"有标签的文章\">");
}

/* An operator who has set no public_url gets addresses that work at least where they stand. */
static void without_a_public_url_addresses_are_where_we_listen(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "有地址的文章", "正文", NULL);
    struct instance in = *instance();
    struct answer a;

    in.public_url = "";
    in.origin = "https://localhost:8443";
    instance_set(&in);
    generation_next();
    a = ask(t, GET, URL("/a/%s", id), &(struct ask){ .headers = "host: evil.example" });
    HAS(a, URL("<meta name=\"Url\" content=\"https://localhost:8443/a/%s\">", id));
    HAS(a, URL("<meta property=\"og:url\" content=\"https://localhost:8443/a/%s\">", id));
    HAS_NOT(a, "evil.example");
    HAS_NOT(a, "canonical");
    a = tell(t, POST, URL("/v1/items/%s/preview", id), NULL);
    HAS(a, "\"url\":\"https://localhost:8443/preview/");
    a = tell_with(t, POST, URL("/v1/items/%s/preview", id), "host: evil.example", NULL);
    HAS(a, "\"url\":\"https://localhost:8443/preview/");
}

static void an_article_shows_what_it_is(void **state)
{
    struct world *t = *state;
    const char *id =
        service_publish(t, "关于示例的通知", "# 一、总则\n\n第一条 **重点**。",
                        ",\"contentSource\":\"示例局\",\"sourceDate\":\"2026-10-01\","
                        "\"docNumber\":\"示政发〔2026〕3号\","
                        "\"indexNumber\":\"000014349/"
                        "2026-00012\",\"theme\":\"综合\\\\其他\",\"attachments\":[{\"hash\":\""
                        "00000000000000000000000000000000000000000000000000000000000000aa\","
                        "\"name\":\"附表.xls\",\"size\":34567,"
                        "\"type\":\"application/vnd.ms-excel\"}]");
    struct answer a = get(t, URL("/a/%s", id));

    HAS(a, "<h1>关于示例的通知</h1>");
    HAS(a, "<dt>来源</dt><dd>示例局</dd>");
    HAS(a, "<dt>来源日期</dt><dd>2026-10-01</dd>");
    HAS(a, "<dt>入库时间</dt><dd><time datetime=\"2026-11-18T19:06:40+08:00\">2026-11-18 "
           "19:06</time></dd>");
    HAS(a, "<dt>发文字号</dt><dd>示政发〔2026〕3号</dd>");
    HAS(a, "<dt>索引号</dt>");
    HAS(a, "<dt>主题分类</dt><dd>综合\\其他</dd>");
    HAS(a, "<h2>一、总则</h2>");
    HAS(a, "<strong>重点</strong>");
    HAS(a, "附表.xls</a> <span class=\"small\">34 KB</span>");
    HAS(a, URL("href=\"/a/%s/large\"", id));
    a = get(t, URL("/a/%s/large", id));
    HAS(a, "<html lang=\"zh-CN\" class=\"large\">");
    HAS(a, ">标准版</a>");
    a = get(t, URL("/a/%s/text", id));
    HAS(a, "关于示例的通知\n\n来源：示例局\n来源日期：2026-10-01\n");
    HAS(a, "第一条 重点。");
    HAS_NOT(a, "<");
}

static void an_article_leads_to_what_belongs_to_it(void **state)
{
    struct world *t = *state;
    const char *original = service_publish(t, "关于示例的办法", "正文",
                                           ",\"docKind\":\"办法\",\"theme\":\"综合\","
                                           "\"theme2\":\"其他\"");
    const char *id = service_publish(
        t, "一图读懂", "正文",
        URL(",\"isReprint\":true,\"contentSource\":\"示例日报\",\"related\":[\"%s\","
            "\"https://www.example.cn/?a=1&b=2\",\"00000000-0000-7000-8000-000000000000\"]",
            original));
    struct answer a = get(t, URL("/a/%s", original));

    HAS(a, "<dt>文种</dt><dd>办法</dd>");
    HAS(a, "<dt>二级主题</dt><dd>其他</dd>");
    HAS_NOT(a, "转载");
    HAS_NOT(a, "相关内容");
    a = get(t, URL("/v1/items/%s", id));
    HAS(a, "\"isReprint\":true");
    HAS(a, URL("\"related\":[\"%s\",\"https://", original));
    a = get(t, URL("/a/%s", id));
    HAS(a, "<dt>来源</dt><dd>示例日报（转载）</dd>");
    HAS(a, "<h2>相关内容</h2>");
    HAS(a, URL("<li><a href=\"/a/%s\">关于示例的办法</a></li>", original));
    HAS(a, "href=\"https://www.example.cn/?a=1&amp;b=2\"");
    HAS_NOT(a, "00000000-0000-7000-8000-000000000000");
    a = get(t, URL("/a/%s/large", id));
    HAS(a, URL("<li><a href=\"/a/%s/large\">关于示例的办法</a></li>", original));
    a = get(t, URL("/a/%s/text", id));
    HAS(a, "来源：示例日报（转载）\n");
    HAS(a, "相关内容：关于示例的办法\n");
    tell(t, POST, URL("/v1/items/%s/withdraw", original), "{\"reason\":\"有误\"}");
    a = get(t, URL("/a/%s", id));
    HAS_NOT(a, "关于示例的办法");
}

static void nothing_an_editor_writes_becomes_a_tag(void **state)
{
    struct world *t = *state;
    const char *evil = "<script>alert(1)</script>\"'><img src=x onerror=y>";
    const char *id = service_publish(
        t, evil, evil,
        ",\"summary\":\"<b onclick=1>\",\"author\":\"\\\"><i>\",\"keywords\":[\"<u>\"],"
        "\"contentSource\":\"<s>\",\"docNumber\":\"<em>\"");
    const char *const targets[] = { "/", "/large", "/columns/1", URL("/a/%s", id),
                                    URL("/a/%s/large", id) };
    static const char *const never[] = {
        "<script", "<img", "<b ", "<i>", "<u>", "<s>", "<em>"
    };

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct answer a = get(t, targets[i]);

        assert_int_equal(a.status, 200);
        for (size_t k = 0; k < sizeof never / sizeof *never; k++)
            if (strstr(a.body, never[k]))
                fail_msg("%s has %s", targets[i], never[k]);
    }
}

static void pages_load_nothing_from_elsewhere(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "一篇", "[外链](https://other.example/)", NULL);
    const char *const targets[] = {
        "/",     "/large",         "/columns", "/columns/1", URL("/a/%s", id),
        "/docs", "/problems/busy", "/a/x"
    };

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct answer a = get(t, targets[i]);

        assert_string_equal(answer_header(t, &a, "content-security-policy"),
                            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri "
                            "'none'; form-action 'self'; "
                            "frame-ancestors 'none'");
        HAS(a, "<link rel=\"stylesheet\" href=\"/style.css\">");
        HAS_NOT(a, "<script");
        HAS_NOT(a, "src=\"http");
        HAS_NOT(a, "style=\"");
    }
}

static void lists_are_paged(void **state)
{
    struct world *t = *state;
    struct answer a;
    const char *next;

    for (int i = 0; i < 31; i++)
        service_publish(t, URL("第%d篇", i), "正文", NULL);
    a = get(t, "/columns/1");
    HAS(a, "更早的内容");
    HAS_NOT(a, "回到最新");
    HAS_NOT(a, "第0篇");
    next = strstr(a.body, "/columns/1?cursor=");
    assert_non_null(next);
    a = get(t, arena_strndup(world_mem(t), next, strcspn(next, "\"")));
    HAS(a, "第0篇");
    HAS(a, "回到最新");
    HAS_NOT(a, "更早的内容");
}

static void an_update_shows_its_date(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "会更新的", "旧文", NULL);
    struct answer a = get(t, URL("/a/%s", id));

    HAS_NOT(a, "更新时间");
    clock_set(WORLD_NOW + 3600);
    tell_with(t, PUT, URL("/v1/items/%s", id), "if-match: \"1\"",
              "{\"title\":\"会更新的\",\"body\":\"新文\"}");
    a = get(t, URL("/a/%s", id));
    HAS(a, "旧文");
    tell(t, POST, URL("/v1/items/%s/submit", id), NULL);
    tell(t, POST, URL("/v1/items/%s/approve", id), NULL);
    tell(t, POST, URL("/v1/items/%s/publish", id), NULL);
    a = get(t, URL("/a/%s", id));
    HAS(a, "新文");
    HAS(a, "<dt>更新时间</dt><dd><time datetime=\"2026-11-18T20:06:40+08:00\">");
    HAS(a, "<meta name=\"PubDate\" content=\"2026-11-18 19:06\">");
}

static void a_preview_shows_the_draft_until_it_expires(void **state)
{
    struct world *t = *state;
    struct answer a = tell(t, POST, "/v1/items",
                           "{\"site\":\"1200000000\",\"column\":\"要闻\",\"title\":"
                           "\"草稿标题\",\"body\":\"草稿正文\"}");
    const char *id = text_of(t, &a, "id"), *url;

    a = tell(t, POST, URL("/v1/items/%s/preview", id), "{\"hours\":1}");
    assert_int_equal(a.status, 200);
    url = text_of(t, &a, "url");
    assert_memory_equal(url, "https://www.example.cn/preview/", 31);
    url += strlen("https://www.example.cn");
    a = get(t, url);
    assert_int_equal(a.status, 200);
    HAS(a, "预览，未发布");
    HAS(a, "草稿正文");
    HAS(a, "<meta name=\"robots\" content=\"noindex\">");
    assert_string_equal(answer_header(t, &a, "cache-control"), "no-store");
    assert_string_equal(answer_header(t, &a, "x-robots-tag"), "noindex");
    clock_set(WORLD_NOW + 3601);
    a = get(t, url);
    assert_int_equal(a.status, 410);
    HAS(a, "预览链接已过期");
    HAS_NOT(a, "草稿正文");
    assert_int_equal(get(t, "/preview/AAAA").status, 404);
}

static void what_is_not_there_is_said_kindly(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/a/00000000-0000-7000-8000-000000000000");

    assert_int_equal(a.status, 404);
    HAS(a, "<h1>没有找到</h1>");
    HAS(a, "回到首页");
    HAS(a, answer_header(t, &a, "request-id"));
    a = ask(t, GET, "/nowhere", &(struct ask){ .headers = "accept: text/html,*/*;q=0.8" });
    assert_int_equal(a.status, 404);
    HAS(a, "<h1>没有找到</h1>");
    a = get(t, "/problems/too-many");
    HAS(a, "怎么办");
}

static void an_empty_library_has_a_page(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/");

    assert_int_equal(a.status, 200);
    HAS(a, "这里还没有内容");
    HAS(a, "href=\"/docs\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_carry_the_tags_of_their_level),
        TEST(without_a_public_url_addresses_are_where_we_listen),
        TEST(an_article_shows_what_it_is),
        TEST(an_article_leads_to_what_belongs_to_it),
        TEST(nothing_an_editor_writes_becomes_a_tag),
        TEST(pages_load_nothing_from_elsewhere),
        TEST(lists_are_paged),
        TEST(an_update_shows_its_date),
        TEST(a_preview_shows_the_draft_until_it_expires),
        TEST(what_is_not_there_is_said_kindly),
        TEST(an_empty_library_has_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
