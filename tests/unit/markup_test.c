/* markup_test.c - an author's marks become HTML, and nothing an author writes becomes anything
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/markup.h"

static void expect(void (*render)(struct buf *, const char *, size_t), const char *in,
                   const char *out)
{
    struct buf b = BUF_HEAP;

    buf_adds(&b, "");
    render(&b, in, strlen(in));
    assert_string_equal(b.p, out);
    buf_done(&b);
}

static void html(const char *in, const char *out)
{
    expect(markup_html, in, out);
}

static void paragraphs_end_at_blank_lines(void **state)
{
    (void)state;
    html("一\n二\n\n三", "<p>一<br>\n二</p>\n<p>三</p>\n");
    html("\n\n　　缩进的一段  \n", "<p>缩进的一段</p>\n");
    html("", "");
}

static void headings_start_at_two_and_never_jump(void **state)
{
    (void)state;
    html("## 甲\n#### 乙\n## 丙", "<h2>甲</h2>\n<h3>乙</h3>\n<h2>丙</h2>\n");
    html("#### 深", "<h2>深</h2>\n");
    html("##### 五级不是标题", "<p>##### 五级不是标题</p>\n");
    html("#话题", "<p>#话题</p>\n");
}

static void lists_keep_their_numbers(void **state)
{
    (void)state;
    html("- 甲\n- 乙", "<ul>\n<li>甲</li>\n<li>乙</li>\n</ul>\n");
    html("3. 丙\n4. 丁\n9. 戊",
         "<ol>\n<li value=\"3\">丙</li>\n<li>丁</li>\n<li value=\"9\">戊</li>\n</ol>\n");
    html("2024.1 不是列表", "<p>2024.1 不是列表</p>\n");
}

static void bold_needs_both_ends(void **state)
{
    (void)state;
    html("**重要**：三天", "<p><strong>重要</strong>：三天</p>\n");
    html("**a [x**](https://y.cn)", "<p><strong>a <a rel=\"noopener nofollow\" "
                                    "href=\"https://y.cn\">x**</a></strong></p>\n");
    html("2**10 次", "<p>2**10 次</p>\n");
    html("**甲** 和 **乙", "<p><strong>甲</strong> 和 **乙</p>\n");
}

static void only_web_addresses_become_links(void **state)
{
    (void)state;
    html("见[通知](https://example.cn/a?b=1&c=2)。",
         "<p>见<a rel=\"noopener nofollow\" "
         "href=\"https://example.cn/a?b=1&amp;c=2\">通知</a>。</p>\n");
    html("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n");
    html("[x](//evil.example)", "<p>[x](//evil.example)</p>\n");
    html("[x](https://a\" onclick=\"b)", "<p>[x](https://a&quot; onclick=&quot;b)</p>\n");
    html("〔[注](未完", "<p>〔[注](未完</p>\n");
}

static void tables_have_heads(void **state)
{
    (void)state;
    html("| 项 | 数 |\n|---|---|\n| 甲 | <1 |",
         "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"表格\"><table>\n"
         "<thead><tr><th scope=\"col\">项</th><th scope=\"col\">数</th></tr>\n</thead><tbody>"
         "<tr><td>甲</td><td>&lt;1</td></tr>\n</tbody></table></div>\n");
}

static void a_backslash_makes_a_mark_text(void **state)
{
    (void)state;
    html("\\# 号\n\\- 横\n1\\. 一", "<p># 号<br>\n- 横<br>\n1. 一</p>\n");
    html("\\*\\*x** \\\\ \\x \\", "<p>**x** \\ \\x \\</p>\n");
    html(
        "[a]\\(http://a.cn/)[\\[b\\]](http://b.cn/)",
        "<p>[a](http://a.cn/)<a rel=\"noopener nofollow\" href=\"http://b.cn/\">[b]</a></p>\n");
    html("| a\\|b | \\- |",
         "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"表格\">"
         "<table>\n<tbody><tr><td>a|b</td><td>-</td></tr>\n</tbody></table></div>\n");
    expect(markup_text, "\\# a\\|b", "# a|b\n");
}

static void pictures_are_files_of_ours(void **state)
{
#define NAME "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    (void)state;
    html("甲![\"图\"](sha256:" NAME ")乙",
         "<p>甲<img src=\"/v1/blobs/" NAME "\" alt=\"&quot;图&quot;\">乙</p>\n");
    html("![a](sha256:" NAME "0)", "<p>![a](sha256:" NAME "0)</p>\n");
    html("见[表](sha256:" NAME ")", "<p>见<a href=\"/v1/blobs/" NAME "\">表</a></p>\n");
    html("[表](sha256:" NAME "0)", "<p>[表](sha256:" NAME "0)</p>\n");
    html("![a](sha256:ABCDEF)", "<p>![a](sha256:ABCDEF)</p>\n");
    html("![a](http://a.cn/)",
         "<p>!<a rel=\"noopener nofollow\" href=\"http://a.cn/\">a</a></p>\n");
    expect(markup_text, "甲![图](sha256:" NAME ")乙", "甲图乙\n");
}

static void tags_are_text(void **state)
{
    (void)state;
    html("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
    html("# <img src=x onerror=1>", "<h2>&lt;img src=x onerror=1&gt;</h2>\n");
}

static void plain_text_has_no_marks(void **state)
{
    (void)state;
    expect(markup_text, "# 题\n**甲**[乙](https://c.cn/)\n\n- 丙\n- 丁\n",
           "题\n\n甲乙（https://c.cn/）\n\n- 丙\n- 丁\n");
}

static void a_brief_is_cut_between_characters(void **state)
{
    struct buf b = BUF_HEAP;

    (void)state;
    markup_brief(&b, "# 题\n\n正文**很**长", strlen("# 题\n\n正文**很**长"), 4);
    assert_string_equal(b.p, "题 正文…");
    buf_done(&b);
}

/* A body of the worst shapes must not cost more than a body of text: 256 KB each, a second for
 * all under any sanitizer. */
static void hostile_bodies_are_rendered_in_linear_time(void **state)
{
    static const char *const shapes[] = { "[",     "**",        "[a](",         "# ",  "|",
                                          "**a [", "| a\n|-\n", "\n",           "[](", "\\",
                                          "[\\[",  "![",        "![a](sha256:", "|\\" };
    enum { SIZE = 256 << 10 };
    char *text = malloc(SIZE);
    int64_t start = clock_mono_us();

    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        size_t n = strlen(shapes[s]);
        struct buf b = BUF_HEAP;

        for (size_t i = 0; i < SIZE; i++)
            text[i] = shapes[s][i % n];
        markup_html(&b, text, SIZE);
        markup_text(&b, text, SIZE);
        markup_brief(&b, text, SIZE, 100);
        buf_done(&b);
    }
    free(text);
    assert_true(clock_mono_us() - start < 30 * 1000 * 1000); /* quadratic would be hours */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_end_at_blank_lines),
        cmocka_unit_test(headings_start_at_two_and_never_jump),
        cmocka_unit_test(lists_keep_their_numbers),
        cmocka_unit_test(bold_needs_both_ends),
        cmocka_unit_test(only_web_addresses_become_links),
        cmocka_unit_test(tables_have_heads),
        cmocka_unit_test(a_backslash_makes_a_mark_text),
        cmocka_unit_test(pictures_are_files_of_ours),
        cmocka_unit_test(tags_are_text),
        cmocka_unit_test(plain_text_has_no_marks),
        cmocka_unit_test(a_brief_is_cut_between_characters),
        cmocka_unit_test(hostile_bodies_are_rendered_in_linear_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
