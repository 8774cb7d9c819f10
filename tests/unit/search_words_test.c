/*
 * search_words_test.c - what a text and a query become: vectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/search/query.h"
#include "server/search/shown.h"

static struct arena *mem;

static const char *folded(const char *s)
{
    struct folded f;

    fold(mem, s, strlen(s), true, &f);
    assert_int_equal(strlen(f.p), f.n);
    assert_int_equal(f.at[f.n], strlen(s));
    return f.p;
}

static void what_means_the_same_is_the_same_bytes(void **state)
{
    static const struct {
        const char *text, *folded;
    } v[] = {
        { "天津市", "天津市" },
        { "ＡＢＣ１２３", "abc123" },
        { "Tianjin Shi", "tianjin shi" },
        { "《条例》（试行）", "条例 试行" },
        { "  a,,b  ", "a b" },
        { "第①条", "第1条" },
        { "㎡", "m2" },
        { "Ⅳ级", "iv级" },
        { "café", "cafe" },
        { "cafe\xcc\x81", "cafe" },
        { "Straße", "strasse" },
        { "⼀⼆", "一二" },       /* Kangxi radicals */
        { "\xef\xa4\x80", "豈" }, /* a compatibility ideograph, U+F900 */
        { "𪚥龘", "𪚥龘" },       /* extension B */
        { "\xf0\xb1\x8d\x90",
          "\xf0\xb1\x8d\x90" }, /* extension H, U+31350: newer than this Unicode */
        { "\xf0\xae\xaf\xb0", "\xf0\xae\xaf\xb0" }, /* extension I, U+2EBF0 */
        { "\xee\x80\x80字", "\xee\x80\x80字" },     /* private use, U+E000 */
        { "零\xe2\x80\x8b宽", "零宽" },             /* U+200B inside of a word */
        { "\xff坏\xc3", "坏" },
        { "", "" },
        { "，。！", "" },
        { "〇", "〇" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        assert_string_equal(folded(v[i].text), v[i].folded);
}

static void a_letter_of_many_parts_has_room(void **state)
{
    struct buf b = BUF_IN(mem);

    (void)state;
    for (int i = 0; i < 2000; i++)
        buf_adds(&b, "\xef\xb7\xba"); /* U+FDFA becomes 18 characters */
    assert_true(strlen(folded(b.p)) > 2000 * 18);
}

static void a_text_becomes_characters_pairs_and_words(void **state)
{
    static const struct {
        const char *text, *words;
    } v[] = {
        { "天津市", "天 天津 津 津市 市 " },
        { "社保", "社 社保 保 " },
        { "津", "津 " },
        { "2024年A座", "2024 年 a 座 " },
        { "津政办发〔2024〕12号", "津 津政 政 政办 办 办发 发 2024 12 号 " },
        { "𪚥龘", "𪚥 𪚥龘 龘 " },
        { "上\n下", "上 下 " },
        { "a AND b", "a and b " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        struct buf b = BUF_IN(mem);
        const char *f = folded(v[i].text);

        words_add(&b, f, strlen(f));
        assert_string_equal(b.p, v[i].words);
    }
}

static void a_query_asks_for_pairs_and_is_never_an_operator(void **state)
{
    static const struct {
        const char *q, *match;
        int phrases;
    } v[] = {
        { "津", "\"津\"", 1 },
        { "社保", "\"社保\"", 1 },
        { "社保卡", "\"社保\" AND \"保卡\"", 1 },
        { "社会保障", "\"社会\" AND \"会保\" AND \"保障\"", 1 },
        { "社会保障卡", "\"社会\" AND \"保障\" AND \"障卡\"", 1 },
        { "社会保障卡办", "\"社会\" AND \"保障\" AND \"卡办\"", 1 },
        { "社保 补办", "\"社保\" AND \"补办\"", 2 },
        { "社保 社保", "\"社保\"", 1 },
        { "\"社保\"", "\"社保\"", 1 },
        { "社*", "\"社\"", 1 },
        { "a AND b", "\"a\" AND \"and\" AND \"b\"", 3 },
        { "NEAR(天津, 5)", "\"near\" AND \"天津\" AND \"5\"", 3 },
        { "title_word:津", "\"title\" AND \"word\" AND \"津\"", 3 },
        { "s:1:2", "\"s\" AND \"1\" AND \"2\"", 3 }, /* nobody types a mark */
        { "^x - {y}", "\"x\" AND \"y\"", 2 },
        { "'; DROP TABLE doc; --", "\"drop\" AND \"table\" AND \"doc\"", 3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        struct err e = { 0 };
        struct query q;

        if (query_parse(&e, mem, v[i].q, strlen(v[i].q), false, &q))
            fail_msg("%s: %s", v[i].q, e.text);
        assert_string_equal(q.match, v[i].match);
        assert_int_equal(q.n, v[i].phrases);
    }
}

static void what_names_nothing_is_refused_with_a_sentence(void **state)
{
    static char longest[4 * QUERY_CHARS_MAX + 4];
    static const struct {
        const char *q;
        size_t n;
    } v[] = { { "", 0 },    { "   ", 3 },  { "，。！《》", 15 },
              { "***", 3 }, { "a\0b", 3 }, { "\xff\xfe", 2 } };
    struct query q;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        e = (struct err){ 0 };
        assert_int_equal(query_parse(&e, mem, v[i].q, v[i].n, false, &q), RC_INVALID);
        assert_non_null(strstr(e.text, "q "));
    }
    for (int i = 0; i < QUERY_CHARS_MAX; i++)
        memcpy(longest + 3 * i, "津", 3);
    assert_int_equal(query_parse(&e, mem, longest, 3 * QUERY_CHARS_MAX, false, &q), RC_OK);
    memcpy(longest + 3 * QUERY_CHARS_MAX, "津", 3);
    assert_int_equal(query_parse(&e, mem, longest, 3 * QUERY_CHARS_MAX + 3, false, &q),
                     RC_INVALID);
}

static bool holds(const char *text, const char *typed, bool typing)
{
    struct err e = { 0 };
    struct folded f;
    struct query q;

    assert_int_equal(query_parse(&e, mem, typed, strlen(typed), typing, &q), RC_OK);
    fold(mem, text, strlen(text), false, &f);
    return query_holds(&q, &f);
}

static void words_are_whole_and_phrases_are_in_order(void **state)
{
    (void)state;
    assert_true(holds("government website", "website", false));
    assert_false(holds("government website", "govern", false));
    assert_true(holds("government website", "govern", true));
    assert_false(holds("government website", "vern", true));
    assert_true(holds("电话12345热线", "12345热线", false));
    assert_false(holds("电话112345热线", "12345热线", false));
    assert_true(holds("补办社保卡", "社保卡 补办", false));
    assert_false(holds("保社 会保 社会", "社会保", false));
    assert_true(holds("ＡＢＣ大厦", "abc大厦", false));
}

static const char *snippet(const char *text, const char *typed)
{
    struct buf b = BUF_IN(mem);
    struct err e = { 0 };
    struct query q;

    assert_int_equal(query_parse(&e, mem, typed, strlen(typed), false, &q), RC_OK);
    shown_snippet(mem, &b, text, strlen(text), &q);
    return b.p;
}

static void what_was_found_is_marked_and_everything_escaped(void **state)
{
    (void)state;
    assert_string_equal(snippet("天津社保卡", "社保"), "天津<mark>社保</mark>卡");
    assert_string_equal(snippet("<b>社保</b>&", "社保"),
                        "&lt;b&gt;<mark>社保</mark>&lt;/b&gt;&amp;");
    assert_string_equal(snippet("ＡＢＣ大厦", "abc"), "<mark>ＡＢＣ</mark>大厦");
    assert_string_equal(snippet("第①条", "1"), "第<mark>①</mark>条");
    assert_string_equal(snippet("社保社保", "社保"), "<mark>社保</mark><mark>社保</mark>");
    assert_string_equal(snippet("一二三", "一二 二三"), "<mark>一二</mark><mark>三</mark>");
    assert_string_equal(snippet("一行\n二行", "二行"), "一行 <mark>二行</mark>");
}

static void a_snippet_is_short_and_shows_the_place(void **state)
{
    struct buf b = BUF_IN(mem);
    const char *s;

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_adds(&b, "长");
    buf_adds(&b, "社保卡");
    for (int i = 0; i < 1000; i++)
        buf_adds(&b, "长");
    s = snippet(b.p, "社保卡");
    assert_non_null(strstr(s, "<mark>社保卡</mark>"));
    assert_in_range(strlen(s), 300, 400);
    assert_int_equal(strncmp(s, "…长", 6), 0);
    assert_string_equal(s + strlen(s) - 6, "长…");
}

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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_the_same_is_the_same_bytes),
        cmocka_unit_test(a_letter_of_many_parts_has_room),
        cmocka_unit_test(a_text_becomes_characters_pairs_and_words),
        cmocka_unit_test(a_query_asks_for_pairs_and_is_never_an_operator),
        cmocka_unit_test(what_names_nothing_is_refused_with_a_sentence),
        cmocka_unit_test(words_are_whole_and_phrases_are_in_order),
        cmocka_unit_test(what_was_found_is_marked_and_everything_escaped),
        cmocka_unit_test(a_snippet_is_short_and_shows_the_place),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
