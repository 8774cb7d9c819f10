/* Pages of government sites by their meta tags, with the faults that real ones have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/ingest/html_page.h"

#define HERE              "https://www.example.gov.cn/xxgk/index.html"
#define META(name, value) "<meta name=\"" name "\" content=\"" value "\">"
#define SITE                                 \
    META("SiteName", "示例局")               \
    META("SiteDomain", "www.example.gov.cn") \
    META("SiteIDCode", "bm01")               \
    META("ColumnName", "要闻")               \
    META("ColumnDescription", "一")          \
    META("ColumnKeywords", "二")             \
    META("ColumnType", "首页")
#define ARTICLE                      \
    META("ArticleTitle", "新建公园") \
    META("PubDate", "2026-03-16 09:30") META("ContentSource", "本局")

static struct arena *mem;
static struct html_page got;
static struct buf said;

static int set_up(void **state)
{
    (void)state;
    mem = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(mem);
    return 0;
}

static void note(void *arg, const char *text)
{
    (void)arg;
    buf_adds(&said, text);
    buf_addc(&said, '\n');
}

static const char *judge(const char *html, bool article)
{
    struct err e = { 0 };

    assert_int_equal(html_page_read(&e, mem, html, strlen(html), HERE, &got), RC_OK);
    said = BUF_IN(mem);
    buf_adds(&said, "");
    html_page_judge(&got, article, note, NULL);
    return said.n ? said.p : "";
}

static void a_page_that_keeps_the_table_has_no_fault(void **state)
{
    (void)state;
    assert_string_equal(
        judge("<head>" SITE ARTICLE "</head><body><p>首页</p><div><p>三处绿地。</p>"
              "<p>自即日起<b>开放</b>。</p></div><div><a href='/'>页脚</a></div>",
              true),
        "");
    assert_string_equal(got.meta[PAGE_TITLE], "新建公园");
    assert_int_equal(got.text_n, strlen("<p>三处绿地。</p><p>自即日起<b>开放</b>。</p>"));
    assert_memory_equal(got.text, "<p>三处绿地。</p><p>自即日起<b>开放</b>。</p>", got.text_n);
    assert_string_equal(judge(SITE, false), "");
}

/* www.stats.gov.cn of 2026-03-16, and www.chinadrugtrials.org.cn. */
static void faults_of_real_pages_are_told(void **state)
{
    const char *told;

    (void)state;
    told = judge(META("ArticleTitle", "数据") META("PubDate", "2026/03/16 09:30")
                     META("ContentSource", " ") "<p>正文</p>",
                 true);
    assert_non_null(strstr(told, "PubDate 写成“2026/03/16 09:30”"));
    assert_non_null(strstr(told, "ContentSource 是空的"));
    told = judge(META("SiteName", "x") META("ColumnName", "null"), false);
    assert_non_null(strstr(told, "ColumnName 是空的"));
    assert_non_null(strstr(told, "SiteIDCode 没有"));
    assert_null(strstr(told, "SiteName"));
    told = judge("<meta charset=gbk><p>x</p>", true);
    assert_non_null(strstr(told, "不是 UTF-8"));
    told = judge("<meta http-equiv=Content-Type content='text/html; charset=utf-8'>", true);
    assert_null(strstr(told, "UTF-8"));
    assert_non_null(strstr(told, "找不到正文"));
}

static void text_without_paragraphs_is_found_by_its_holder(void **state)
{
    (void)state;
    (void)judge("<div id=menu>一</div><div id=zoom>第一行<br>第二行</div>", true);
    assert_memory_equal(got.text, "第一行<br>第二行", got.text_n);
}

static void links_are_those_of_its_own_site(void **state)
{
    (void)state;
    (void)judge(
        "<a href='./a/1.html'>一</a><a href='/b.htm?x=1'>二</a><a href='a/1.html'>又一</a>"
        "<a href='https://other.gov.cn/c.html'>别处</a><a href='/d.pdf'>文件</a>"
        "<a href='index.html'>自己</a><a href='javascript:x()'>x</a>",
        false);
    assert_int_equal(got.nlinks, 2);
    assert_string_equal(got.links[0], "https://www.example.gov.cn/xxgk/a/1.html");
    assert_string_equal(got.links[1], "https://www.example.gov.cn/b.htm?x=1");
}

static void broken_pages_are_only_pages_without_much(void **state)
{
    static const char *const pages[] = { "",         "<",       "<frameset><frame src=x>", "<p",
                                         "\xff\xfe", "<p>无尾", "<meta><a><p></div>" };

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        (void)judge(pages[i], true);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_page_that_keeps_the_table_has_no_fault),       T(faults_of_real_pages_are_told),
        T(text_without_paragraphs_is_found_by_its_holder), T(links_are_those_of_its_own_site),
        T(broken_pages_are_only_pages_without_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
