/* html_clean_test.c - a page of somebody else's becomes the body of an article: the same text, no
 * mark that the page did not mean, and an end to pages that are made to cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/markup.h"
#include "server/ingest/html_clean.h"
#include "server/ingest/html_tree.h"
#include "server/ingest/html_url.h"

#define HERE "https://www.tj.gov.cn/zwgk/a.html"
#define BLOB "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct html_how here = { .base = HERE };
static struct html_found found;

static void expect(const struct html_how *how, const char *html, const char *want)
{
    struct buf out = BUF_HEAP;
    struct err e = { 0 };

    buf_adds(&out, "");
    assert_int_equal(html_clean(&e, html, strlen(html), how, &out, &found), RC_OK);
    assert_string_equal(out.p, want);
    buf_done(&out);
}

static void becomes(const char *html, const char *want)
{
    expect(&here, html, want);
}

static void blocks_become_paragraphs(void **state)
{
    (void)state;
    becomes("<p>一</p>\n<div>二<p>三</div>四", "一\n\n二\n\n三\n\n四");
    becomes("一<br>二<br><br>三", "一\n二\n三");
    becomes("<h1>题</h1><h3>小<br>题</h3><h6>末</h6>", "# 题\n\n### 小 题\n\n#### 末");
    becomes("<pre>一\n 二</pre>", "一\n二");
    becomes("<dl><dt>名<dd>释</dl>", "名\n\n释");
    becomes("", "");
}

static void white_space_is_folded_and_what_is_not_seen_is_dropped(void **state)
{
    (void)state;
    becomes("<p>　　首行&nbsp;&nbsp;\n 二 </p>", "首行 二");
    becomes("<p>姓　　名", "姓　名");
    becomes("<p>a\u200bb\u202ec\u00add\x01"
            "e\xff</p>",
            "abcd\ufffde\ufffd");
    becomes("<p>一<!-- 注 --><script>x</script><style>y</style><template>z</template>二",
            "一二");
    becomes("<p style='color:red; DISPLAY : none'>隐</p><b hidden>藏</b>显", "显");
    assert_int_equal(found.hidden, 2);
    becomes("<select><option>选</select><textarea>写</textarea><button>按</button>", "按");
    becomes("<svg><text>图</text></svg><math><mi>x</mi> <annotation>y</annotation></math>",
            "x");
}

static void lists_become_one_level(void **state)
{
    (void)state;
    becomes("<ul><li>一<li><p>二</p><ul><li>里</ul><li>三</ul>", "- 一\n- 二\n- 里\n- 三");
    becomes("<ol start=3><li>丙<li>丁<li value=9>壬</ol>", "3. 丙\n4. 丁\n9. 壬");
    becomes("<ul><li>一<p>续</ul>后", "- 一\n\n续\n\n后");
    becomes("<ul><li></li></ul>x", "x");
}

static void bold_stands_around_what_is_seen(void **state)
{
    (void)state;
    becomes("甲<b> 乙 </b>丙", "甲 **乙** 丙");
    becomes("<b>甲<br>乙</b><b></b>", "**甲**\n**乙**");
    becomes("<p style='font-weight:bold'>甲<span style='font-weight: 400'>乙</span>",
            "**甲**乙");
    becomes("<h2><b>题</b></h2>", "## 题");
    becomes("<b>甲</b><strong>乙</strong>", "**甲乙**");
}

static void tables_that_hold_data_stay_tables(void **state)
{
    (void)state;
    becomes("<table><caption>表</caption><tr><th>甲<th>乙<tr><td>1<td>2</table>",
            "表\n\n| 甲 | 乙 |\n|-|\n| 1 | 2 |");
    becomes("<table><tr><td rowspan=2>甲<td>1<tr><td>2<tr><td colspan=2>合</table>",
            "| 甲 | 1 |\n|  | 2 |\n| 合 |  |");
    becomes("<table><tr><td>a|b<td><p>一<p>二<tr><td>--<td>:-</table>",
            "| a\\|b | 一 二 |\n| \\-- | :\\- |");
    becomes("<table><tr><td>甲</table><table><tr><td>乙<td>丙</table>", "甲\n\n| 乙 | 丙 |");
    becomes("<table><tr><td><table><tr><td>甲<td>乙</table><td>丙</table>",
            "| 甲 | 乙 |\n\n丙");
    becomes("<table><tr><td><h2>题</h2><td>栏</table>", "## 题\n\n栏");
    becomes("<p>前<table><tr><td>甲<td>乙</table>后", "前\n\n| 甲 | 乙 |\n\n后");
}

static void links_lead_to_the_web_or_nowhere(void **state)
{
    (void)state;
    becomes("<a href='http://a.cn/x(1)?a=b&amp;c=\"'>甲</a>",
            "[甲](http://a.cn/x%281%29?a=b&c=%22)");
    becomes("见<a href=../b.html> 附件 </a>。", "见 [附件](https://www.tj.gov.cn/b.html) 。");
    becomes("<a href='java\nscript:alert(1)'>甲</a><a href=#x>乙</a><a>丙</a>", "甲乙丙");
    assert_int_equal(found.links_refused, 2);
    becomes("<a href=/x><h3>题</h3><p>日</p></a>", "[题 日](https://www.tj.gov.cn/x)");
    becomes("<a href=/x>[一]</a>", "[\\[一\\]](https://www.tj.gov.cn/x)");
    becomes("<a href=/x> </a>", "");
    expect(&(struct html_how){ 0 }, "<a href=/x>甲</a>", "甲");
}

static enum html_picture blob(void *arg, const char *url, char name[65])
{
    assert_string_equal(url, "https://www.tj.gov.cn/zwgk/p.png");
    memcpy(name, BLOB, 65);
    return *(enum html_picture *)arg;
}

static void pictures_become_what_the_caller_says(void **state)
{
    enum html_picture what = PICTURE_BLOB;
    struct html_how how = { .base = HERE, .picture = blob, .arg = &what };

    (void)state;
    becomes("<img src=p.png alt=图>", "[图片：图](https://www.tj.gov.cn/zwgk/p.png)");
    becomes("<img src=data:x>字", "字");
    assert_int_equal(found.wordless, 1);
    expect(&how, "前<img src=p.png alt='a]b'>后", "前![a\\]b](sha256:" BLOB ")后");
    expect(&how, "<img src=p.png>", "![图片](sha256:" BLOB ")");
    expect(&how, "<a href=/x><img src=p.png alt=图></a>", "[图](https://www.tj.gov.cn/x)");
    what = PICTURE_WORDS;
    expect(&how, "<img src=p.png alt=图>", "图");
}

static bool document(void *arg, const char *url, char name[65])
{
    (void)arg;
    memcpy(name, BLOB, 65);
    return strstr(url, ".pdf") != NULL;
}

static void links_to_files_of_ours_name_them(void **state)
{
    struct html_how how = { .base = HERE, .link = document };

    (void)state;
    expect(&how, "见<a href=a.pdf>附件<b>一</b></a>", "见[附件一](sha256:" BLOB ")");
    expect(&how, "<a href=a.html>网页</a>", "[网页](https://www.tj.gov.cn/zwgk/a.html)");
}

/* What a body of this text shows is this text: each line is written as a paragraph of a page, is
 * cleaned, and shown again. */
static void text_that_looks_like_marks_stays_text(void **state)
{
    static const char *const lines[] = {
        "# 号",
        "#### 号",
        "- 横",
        "* 星",
        "1. 一",
        "123456. 一",
        "| 竖 | 条 |",
        "**粗**",
        "[a](http://x.cn/)",
        "![a](sha256:" BLOB ")",
        "\\",
        "\\*",
        "\\# a",
        "a\\",
        "****",
        "|",
        "[[a]](http://x.cn/)",
        "]](http://x.cn/)",
        "2024. 年",
        "-",
        "- ",
        "1.",
        "#",
        "*a* _b_ `c` ~d~ > e",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct buf page = BUF_HEAP, body = BUF_HEAP, shown = BUF_HEAP, want = BUF_HEAP;
        size_t n = strlen(lines[i]);
        struct err e;

        buf_html(&page, lines[i], n);
        assert_int_equal(html_clean(&e, page.p, page.n, &here, &body, NULL), RC_OK);
        while (n && lines[i][n - 1] == ' ')
            n--;
        buf_adds(&want, "<p>");
        buf_html(&want, lines[i], n);
        buf_adds(&want, "</p>\n");
        markup_html(&shown, body.p, body.n);
        assert_string_equal(shown.p, want.p);
        buf_done(&page), buf_done(&body), buf_done(&shown), buf_done(&want);
    }
}

static void attacks_are_counted(void **state)
{
    (void)state;
    becomes(
        "<body onload=x><p onclick=y>一<script></script><iframe></iframe><form><style></style>",
        "一");
    assert_int_equal(found.handlers, 1);
    assert_int_equal(found.scripts, 1);
    assert_int_equal(found.frames, 1);
    assert_int_equal(found.forms, 1);
    assert_int_equal(found.styles, 1);
}

static void addresses_are_resolved_as_on_the_page(void **state)
{
    static const char *const rows[][3] = {
        { "http://a.cn", "HTTP://a.cn", "http://a.cn" },
        { "http://a.cn/b/c", "d?e=f#g", "http://a.cn/b/d?e=f#g" },
        { "http://a.cn/b/c", "./d", "http://a.cn/b/d" },
        { "http://a.cn/b/c", "../../../d/./e/../f", "http://a.cn/d/f" },
        { "http://a.cn/b/c?x=/y", "d", "http://a.cn/b/d" },
        { "http://a.cn", "d", "http://a.cn/d" },
        { "http://a.cn/b/c?d", "?e", "http://a.cn/b/c?e" },
        { "http://a.cn/b", "..", "http://a.cn/" },
        { "https://a.cn/b", "//c.cn/d", "https://c.cn/d" },
        { "http://a.cn/b", "/图 片", "http://a.cn/%E5%9B%BE%20%E7%89%87" },
        { "http://a.cn/b", " \n/x ", "http://a.cn/x" },
        { "http://a.cn/b", "#x", "" },
        { "http://a.cn/b", "", "" },
        { "http://a.cn/b", "mailto:x@y", "" },
        { "http://a.cn/b", "http:x", "" },
        { "http://a.cn/b", "http://u:p@x.cn/", "" },
        { "http://a.cn/b", "//a@b", "" },
        { "http://a.cn/b", "\\\\c.cn", "" },
        { "http://a.cn/b", "/\\c.cn", "" },
        { "http://a.cn/b", "http://x.cn\\@y", "" },
        { "javascript:x", "y", "" },
        { NULL, "x", "" },
    };
    char longest[HTML_URL_MAX + 100];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_HEAP;
        const char *want = rows[i][2] ? rows[i][2] : rows[i][1];

        buf_adds(&out, "");
        assert_int_equal(html_url(&out, rows[i][0], rows[i][1]), *want != 0);
        assert_string_equal(out.p, want);
        buf_done(&out);
    }
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(html_url(&(struct buf){ 0 }, HERE, longest));
}

/* `head`, and then as often as there is room `unit` (with a number if it has a %). */
static char *page_of(const char *head, const char *unit, size_t size)
{
    char *page = malloc(size + 64);
    size_t n = strlen(head);

    memcpy(page, head, n);
    for (int i = 0; n + 32 < size; i++)
        n += (size_t)snprintf(page + n, 64, unit, i);
    return page;
}

static void a_page_past_a_limit_is_refused_at_once(void **state)
{
    static const struct {
        const char *head, *unit, *why;
    } rows[] = {
        { "", "<div>", "网页层层嵌套太深" },
        { "", "<b id=%d>", "网页层层嵌套太深" },
        { "", "<table><td>", "网页层层嵌套太深" },
        { "", "<svg>", "网页层层嵌套太深" },
        { "", "<template>", "网页层层嵌套太深" },
        { "", "<p>", "网页元素太多" },
        { "", "<b><p>", "网页元素太多" },
        { "", "<b><i></b></i>", "网页元素太多" },
        { "<p ", "a%d ", "网页一个标签的属性太多" },
        { "</p ", "a%d ", "网页一个标签的属性太多" },
        { "", "x<br>", "网页元素太多" },
        { "", "字", "网页的正文超过 204800 字节" },
        { "", "<table><div>", "网页元素太多" },
        { "", "<nobr>", "网页元素太多" },
        { "<table>", "x<tr>", "网页元素太多" },
        { "", "&notit;", "网页的正文超过 204800 字节" },
    };
    int64_t start = clock_mono_us();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *page = page_of(rows[i].head, rows[i].unit, HTML_MAX);
        struct buf out = BUF_HEAP;
        struct err e = { 0 };
        enum rc rc = html_clean(&e, page, strlen(page), &here, &out, NULL);

        assert_int_equal(rc, rows[i].why ? RC_TOO_LARGE : RC_OK);
        if (rows[i].why)
            assert_string_equal(e.text, rows[i].why);
        assert_int_equal(out.n, 0);
        free(page);
        buf_done(&out);
    }
    assert_true(clock_mono_us() - start < 60 * 1000 * 1000); /* 2 s; quadratic would be hours */
}

static void a_page_that_is_too_long_is_not_looked_at(void **state)
{
    char *page = page_of("", "x", HTML_MAX + 100);
    struct buf out = BUF_HEAP;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(html_clean(&e, page, HTML_MAX + 1, &here, &out, NULL), RC_TOO_LARGE);
    assert_string_equal(e.text, "网页超过 2097152 字节");
    free(page);
}

/* A string as long as a node is large is none, whatever its bytes say. */
static void strings_are_not_taken_for_nodes(void **state)
{
    char text[sizeof(GumboNode)], page[400];
    struct buf out = BUF_HEAP;
    struct err e = { 0 };
    int n;

    (void)state;
    for (size_t long_as = sizeof text - 9; long_as < sizeof text; long_as++) {
        memset(text, 'A', sizeof text);
        text[long_as] = '\0';
        n = snprintf(page, sizeof page, "<p id=\"%s\"><i>x</i><p>y", text);
        assert_int_equal(html_clean(&e, page, (size_t)n, &here, &out, NULL), RC_OK);
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_become_paragraphs),
        cmocka_unit_test(white_space_is_folded_and_what_is_not_seen_is_dropped),
        cmocka_unit_test(lists_become_one_level),
        cmocka_unit_test(bold_stands_around_what_is_seen),
        cmocka_unit_test(tables_that_hold_data_stay_tables),
        cmocka_unit_test(links_lead_to_the_web_or_nowhere),
        cmocka_unit_test(pictures_become_what_the_caller_says),
        cmocka_unit_test(links_to_files_of_ours_name_them),
        cmocka_unit_test(text_that_looks_like_marks_stays_text),
        cmocka_unit_test(attacks_are_counted),
        cmocka_unit_test(addresses_are_resolved_as_on_the_page),
        cmocka_unit_test(a_page_past_a_limit_is_refused_at_once),
        cmocka_unit_test(a_page_that_is_too_long_is_not_looked_at),
        cmocka_unit_test(strings_are_not_taken_for_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
