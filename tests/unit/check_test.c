/* check_test.c - what each rule finds, where, and what it lets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/check/check.h"
#include "server/check/words.h"

static const char *const hosts[] = { "tj.gov.cn", "gov.cn", NULL };

struct judged {
    struct arena *mem;
    struct check_result r;
};

static int64_t day(const char *text)
{
    int64_t at;

    assert_int_equal(clock_parse(text, strlen(text), &at), 0);
    return at;
}

/* The verdicts of one rule over fields that are given as name, text, name, text … NULL. */
static struct judged judge(const char *rule, const char *const *fields)
{
    struct judged j = { .mem = arena_new() };
    struct check_text texts[8];
    uint8_t severity[CHECK_RULES] = { 0 };
    struct check_item item = { .kind = "policy", .texts = texts };
    struct check_context context = { .now = day("2026-11-23"),
                                     .published = day("2026-11-20"),
                                     .hosts = hosts,
                                     .severity = severity };
    enum check_rule_no no = check_rule_find(rule);

    assert_true(no < CHECK_RULES);
    severity[no] = CHECK_WARNING;
    for (; fields[2 * item.n]; item.n++)
        texts[item.n] = (struct check_text){ fields[2 * item.n], fields[2 * item.n + 1],
                                             strlen(fields[2 * item.n + 1]) };
    check_run(j.mem, &item, CHECK_PUBLISH, &context, &j.r);
    if (!j.r.n)
        check_run(j.mem, &item, CHECK_SAVE, &context, &j.r);
    if (!j.r.n)
        check_run(j.mem, &item, CHECK_REVIEW, &context, &j.r);
    return j;
}

/* What the rule marked of the text: the first place, as text; "" if nothing. */
static void marks(const char *rule, const char *field, const char *text, const char *want)
{
    struct judged j = judge(rule, (const char *const[]){ field, text, NULL });
    const char *from = text, *to;
    int at = 0;

    if (!*want) {
        if (j.r.n)
            fail_msg("%s: \"%s\": %s", rule, text, j.r.verdicts[0].said);
        arena_free(j.mem);
        return;
    }
    if (!j.r.n)
        fail_msg("%s finds nothing in \"%s\"", rule, text);
    for (; at < j.r.verdicts[0].from; at++)
        for (from++; (*from & 0xc0) == 0x80; from++) {
        }
    for (to = from; at < j.r.verdicts[0].to; at++)
        for (to++; (*to & 0xc0) == 0x80; to++) {
        }
    assert_int_equal(to - from, strlen(want));
    assert_memory_equal(from, want, strlen(want));
    arena_free(j.mem);
}

struct row {
    const char *text, *want;
};

static void table(const char *rule, const char *field, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        marks(rule, field, rows[i].text, rows[i].want);
}
#define TABLE(rule, field, ...)                               \
    do {                                                      \
        static const struct row rows[] = __VA_ARGS__;         \
        table(rule, field, rows, sizeof rows / sizeof *rows); \
    } while (0)

static void marks_of_secrecy_are_found_and_talk_about_secrets_is_not(void **state)
{
    (void)state;
    TABLE("secrecy.mark", "body",
          { { "秘密★1年\n关于……", "秘密" },
            { "机密 ★ 长期", "机密" },
            { "绝密级★", "绝密" },
            { "密级：机密", "机密" },
            { "**密级**: 秘密 份号 001", "秘密" },
            { "一\n机密\n二", "机密" },
            { "保守国家秘密法", "" },
            { "天津市国家保密局关于机密级载体的规定", "" },
            { "谁泄露商业秘密，谁负责", "" },
            { "密级：公开", "" },
            { "国家秘密的密级分为绝密、机密、秘密三级", "" },
            { "秘密举行", "" } });
    TABLE("secrecy.internal", "body",
          { { "内部资料，注意保存", "内部资料" },
            { "（内部资料）", "内部资料" },
            { "内部资料\n天津", "内部资料" },
            { "内部文件 严禁外传", "内部文件" },
            { "本材料仅供内部参考。", "仅供内部参考" },
            { "内部资料性出版物管理办法", "" },
            { "加强内部资料的管理", "" },
            { "单位内部使用的厕所", "" } });
}

static void numbers_of_persons_are_found_and_masked_ones_are_not(void **state)
{
    (void)state;
    TABLE("person.id", "body",
          { { "身份证号11010519491231002X。", "11010519491231002X" },
            { "１１０１０５１９４９１２３１００２ｘ", "１１０１０５１９４９１２３１００２ｘ" },
            { "110105 19491231 002X", "110105 19491231 002X" },
            { "440524188001010014", "" }, /* no such year here */
            { "110105194912310021", "" }, /* the check character */
            { "110105194913310026", "" }, /* no 13th month */
            { "110105********002X", "" },
            { "91120000MA0000000X", "" },
            { "1101051949123100211111", "" },
            { "尾号002X", "" } });
    TABLE("person.phone", "body",
          { { "联系人：张三，13800138000", "13800138000" },
            { "电话138-0013-8000转", "138-0013-8000" },
            { "手机 138 0013 8000", "138 0013 8000" },
            { "１３８００１３８０００", "１３８００１３８０００" },
            { "138****8000", "" },
            { "022-23456789", "" },
            { "12345", "" },
            { "证号113800138000", "" },
            { "https://a.gov.cn/x/13800138000.html", "" },
            { "12800138000", "" } });
    TABLE("person.card", "body",
          { { "卡号6222021234567890128", "6222021234567890128" },
            { "卡号6222021234567890129", "" },
            { "户名某，4111 1111 1111 1111", "4111 1111 1111 1111" },
            { "62220212345678901", "" },
            { "统一编号4111111111111112", "" },
            { "尾号1111", "" } });
}

static void days_that_do_not_exist_are_found(void **state)
{
    (void)state;
    TABLE("date.impossible", "body",
          { { "2023年2月29日起", "2023年2月29日" },
            { "于2月30日前", "2月30日" },
            { "2026年13月1日", "2026年13月1日" },
            { "2026年13月", "2026年13月" },
            { "4月31日", "4月31日" },
            { "２０２６年１１月３１日", "２０２６年１１月３１日" },
            { "2024年2月29日", "" },
            { "2月29日", "" },
            { "1月至18月", "" },
            { "满6个月", "" },
            { "3年6月", "" },
            { "十二月三十日", "" } });
    TABLE("date.written", "writtenDate",
          { { "2026-12-01", "2026-12-01" }, { "2026-11-23", "" } });
    TABLE("date.forged", "sourceDate",
          { { "2026-11-25", "2026-11-25" },
            { "2026-11-22", "2026-11-22" },
            { "2026-11-20", "" } });
}

static void numbers_of_documents_have_their_form(void **state)
{
    struct judged j;

    (void)state;
    TABLE("number.document", "docNumber",
          { { "津政发〔2026〕1号", "" },
            { "国务院令第711号", "" },
            { "国令第707号", "" },
            { "津政发[2026]1号", "津政发[2026]1号" },
            { "津政发（2026）1号", "津政发（2026）1号" },
            { "津政发〔26〕1号", "津政发〔26〕1号" },
            { "津政发〔2026〕号", "津政发〔2026〕号" },
            { "津政发〔2027〕1号", "津政发〔2027〕1号" } });
    TABLE("number.index", "indexNumber",
          { { "000014349/2019-00007", "" }, { "000014349/2019-0007", "000014349/2019-0007" } });
    j = judge("number.document", (const char *const[]){ "docNumber", "津政发〔2020〕1号",
                                                        "writtenDate", "2026-01-02", NULL });
    assert_int_equal(j.r.n, 1);
    arena_free(j.mem);
    j = judge("number.document", (const char *const[]){ "docNumber", "国办发〔2018〕128号",
                                                        "writtenDate", "2019-01-02", NULL });
    assert_int_equal(j.r.n, 0);
    arena_free(j.mem);
}

static void links_and_pictures_are_looked_at(void **state)
{
    (void)state;
    TABLE("link.outside", "body",
          { { "见[这里](https://www.example.com/x)。", "https://www.example.com" },
            { "http://tj.gov.cn.evil.com/", "http://tj.gov.cn.evil.com" },
            { "http://mytj.gov.cn.cn/", "http://mytj.gov.cn.cn" },
            { "HTTP://WWW.TJ.GOV.CN/x", "" },
            { "https://tj.gov.cn", "" },
            { "httpd 与 http 协议", "" } });
    TABLE("picture.wordless", "body",
          { { "![](sha256:00)", "![]" },
            { "![图片](sha256:00)", "![图片]" },
            { "![市政府大楼](sha256:00)", "" } });
    marks("meta.required", "contentSource", "市政府", "");
}

static void what_must_be_there_is_missed(void **state)
{
    struct judged j = judge("meta.required", (const char *const[]){ "title", "题", NULL });

    (void)state;
    assert_int_equal(j.r.n, 1);
    assert_string_equal(j.r.verdicts[0].field, "contentSource");
    assert_int_equal(j.r.verdicts[0].to, 0);
    arena_free(j.mem);
}

static const char list[] = "# name: 表述规范\n# date: 2026-11-01\n# source: 示例\n"
                           "人力资源与社会保障局\twarning\t人力资源和社会保障局\t机构名称\n"
                           "市场监督管理局\twarning\t国家市场监督管理局\t\r\n"
                           "坏词\tblocking\n"
                           "Bad Word\tblocking\t\t不雅\n";

static struct words *read_list(const char *text, enum rc want, const char *why)
{
    struct words *w = NULL;
    struct err e = { 0 };

    assert_int_equal(words_read(&e, text, strlen(text), &w), want);
    if (why)
        assert_string_equal(e.text, why);
    return w;
}

static void words_of_a_list_are_found_whatever_they_are_hidden_by(void **state)
{
    static const struct {
        const char *text;
        int n;
        bool blocked;
        const char *said;
    } rows[] = {
        { "市人力资源与社会保障局说", 1, false,
          "“人力资源与社会保障局”应为“人力资源和社会保障局”（机构名称）" },
        { "市人力资源和社会保障局说", 0, false, NULL },
        { "国家市场监督管理局", 0, false, NULL },
        { "坏\u200b词，ＢＡＤ　ＷＯＲＤ", 2, true, NULL },
        { "好词", 0, false, NULL },
    };
    struct words *w = read_list(list, RC_OK, NULL);
    const struct words *const lists[] = { w, NULL };

    (void)state;
    assert_string_equal(words_name(w), "表述规范");
    assert_string_equal(words_date(w), "2026-11-01");
    assert_int_equal(words_count(w), 4);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *mem = arena_new();
        struct check_text text = { "body", rows[i].text, strlen(rows[i].text) };
        struct check_context context = { .words = lists };
        struct check_result r;

        check_run(mem, &(struct check_item){ "article", &text, 1 }, CHECK_SAVE, &context, &r);
        assert_int_equal(r.n, rows[i].n);
        assert_int_equal(r.blocked, rows[i].blocked);
        if (rows[i].said)
            assert_string_equal(r.verdicts[0].said, rows[i].said);
        arena_free(mem);
    }
    words_free(w);
}

static void a_list_that_cannot_be_read_names_its_line(void **state)
{
    (void)state;
    read_list("词\twarning\n", RC_INVALID, "词表没有“# date: 2026-11-01”一行");
    read_list("# date: 2026-02-30\n词\twarning\n", RC_INVALID,
              "词表没有“# date: 2026-11-01”一行");
    read_list("# date: 2026-11-01\n", RC_INVALID, "词表里没有词");
    read_list("# date: 2026-11-01\n词\n", RC_INVALID,
              "词表第 2 行不是“词<TAB>warning 或 blocking…”");
    read_list("# date: 2026-11-01\n词\tfatal\n", RC_INVALID,
              "词表第 2 行不是“词<TAB>warning 或 blocking…”");
    read_list("# date: 2026-11-01\n\xb4\xca\xb1\xed\twarning\n", RC_INVALID,
              "词表不是 UTF-8 的文本");
    read_list("# date: 2026-11-01\nab\twarning\n", RC_INVALID, "词表第 2 行的词太短或太长");
}

static void ten_thousand_words_cost_a_text_no_more_than_one(void **state)
{
    enum { WORDS = 10000, TEXT = 200 * 1024 };
    struct buf b = BUF_HEAP, text = BUF_HEAP;
    struct check_text field = { .field = "body" };
    const struct words *lists[2] = { NULL };
    struct check_context context = { .words = lists };
    struct arena *mem = arena_new();
    struct check_result r;
    int64_t start;

    (void)state;
    buf_adds(&b, "# date: 2026-11-01\n");
    for (int i = 0; i < WORDS; i++)
        buf_printf(&b, "词%d号\twarning\n", i * 7919);
    lists[0] = read_list(b.p, RC_OK, NULL);
    while (text.n < TEXT)
        buf_printf(&text, "词%d条", (int)text.n);
    buf_adds(&text, "词7919号");
    field.text = text.p, field.n = text.n;
    start = clock_mono_us();
    check_run(mem, &(struct check_item){ "article", &field, 1 }, CHECK_SAVE, &context, &r);
    print_message("# %d words, %zu bytes: %d us\n", WORDS, text.n,
                  (int)(clock_mono_us() - start));
    assert_int_equal(r.n, 1);
    words_free((struct words *)(uintptr_t)lists[0]);
    buf_done(&b), buf_done(&text);
    arena_free(mem);
}

static void a_site_says_what_blocks_and_what_is_not_asked(void **state)
{
    struct check_text text = { "body", "机密★", strlen("机密★") };
    struct check_item item = { "article", &text, 1 };
    struct arena *mem = arena_new();
    uint8_t severity[CHECK_RULES] = { 0 };
    struct check_context context = { 0 };
    struct check_result r;

    (void)state;
    check_run(mem, &item, CHECK_SAVE, &context, &r);
    assert_true(r.blocked);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.verdicts[0].rule, CHECK_RULE_secrecy);
    context.severity = severity;
    check_run(mem, &item, CHECK_SAVE, &context, &r);
    assert_int_equal(r.n, 0);
    severity[CHECK_RULE_secrecy] = CHECK_WARNING;
    check_run(mem, &item, CHECK_SAVE, &context, &r);
    assert_int_equal(r.n, 1);
    assert_false(r.blocked);
    arena_free(mem);
}

static void a_text_that_breaks_a_rule_everywhere_says_so(void **state)
{
    struct arena *mem = arena_new();
    struct buf text = BUF_HEAP;
    struct check_text field = { .field = "body" };
    struct check_context context = { 0 };
    struct check_result r;

    (void)state;
    for (int i = 0; i < 5000; i++)
        buf_adds(&text, "机密★\n13800138000，");
    field.text = text.p, field.n = text.n;
    check_run(mem, &(struct check_item){ "article", &field, 1 }, CHECK_SAVE, &context, &r);
    assert_int_equal(r.n, 2 * CHECK_OF_A_RULE_MAX);
    assert_true(r.more);
    for (int i = 0; i < r.n; i++)
        assert_null(strstr(r.verdicts[i].said, "13800138000"));
    buf_done(&text);
    arena_free(mem);
}

static void the_table_of_rules_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < CHECK_RULES; i++) {
        assert_true(check_rules[i].version > 0 && check_rules[i].steps &&
                    check_rules[i].label[0]);
        assert_int_equal(check_rule_find(check_rules[i].name), i);
    }
    assert_int_equal(check_rule_find("nothing"), CHECK_RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_of_secrecy_are_found_and_talk_about_secrets_is_not),
        cmocka_unit_test(numbers_of_persons_are_found_and_masked_ones_are_not),
        cmocka_unit_test(days_that_do_not_exist_are_found),
        cmocka_unit_test(numbers_of_documents_have_their_form),
        cmocka_unit_test(links_and_pictures_are_looked_at),
        cmocka_unit_test(what_must_be_there_is_missed),
        cmocka_unit_test(words_of_a_list_are_found_whatever_they_are_hidden_by),
        cmocka_unit_test(a_list_that_cannot_be_read_names_its_line),
        cmocka_unit_test(ten_thousand_words_cost_a_text_no_more_than_one),
        cmocka_unit_test(a_site_says_what_blocks_and_what_is_not_asked),
        cmocka_unit_test(a_text_that_breaks_a_rule_everywhere_says_so),
        cmocka_unit_test(the_table_of_rules_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
