/*
 * letter_text_test.c - what can be read, and what only looks as if.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/citizen/letter_text.h"

static enum rc check(const char *text, size_t most, bool lines)
{
    struct err e;

    return letter_text_check(&e, "/text", "正文", text, most, lines);
}

static void text_that_shows_something_is_taken(void **state)
{
    (void)state;
    assert_int_equal(check("路灯不亮", 4, false), RC_OK);
    assert_int_equal(check("第一行\n第二行\t完", 100, true), RC_OK);
    assert_int_equal(check("\U00020000\U0001f600", 2, false), RC_OK); /* rare Han, emoji */
    assert_int_equal(check("\xe2\x80\x8b路", 2, false),
                     RC_OK); /* one zero-width among others */
}

static void text_that_shows_nothing_is_refused(void **state)
{
    static const char *const nothing[] = {
        "",
        " \n\t ",
        "\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d",     /* zero-width space, non-joiner, joiner */
        "\xef\xbb\xbf\xe2\x81\xa0\xe3\x85\xa4",     /* BOM, word joiner, Hangul filler */
        "\xe3\x80\x80\xc2\xa0\xe2\xa0\x80\xc2\xad", /* blanks, empty Braille, soft hyphen */
        "\xf3\xa0\x81\x81\xf3\xa0\x84\x80",         /* tags, variation selectors */
    };

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        assert_int_equal(letter_text_visible(nothing[i]), 0);
        assert_int_equal(check(nothing[i], 100, true), RC_INVALID);
    }
}

static void lengths_are_counted_in_characters(void **state)
{
    (void)state;
    assert_int_equal(check("一二三", 3, false), RC_OK);
    assert_int_equal(check("一二三四", 3, false), RC_INVALID);
}

static void controls_and_turned_text_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check("标\n题", 10, false), RC_INVALID);
    assert_int_equal(check("响铃\a", 10, true), RC_INVALID);
    assert_int_equal(check("反\xe2\x80\xae写", 10, true), RC_INVALID);
    assert_int_equal(check("反\xe2\x81\xa7写", 10, true), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_shows_something_is_taken),
        cmocka_unit_test(text_that_shows_nothing_is_refused),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(controls_and_turned_text_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
