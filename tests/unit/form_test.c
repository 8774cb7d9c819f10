/* Forms: what they say, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/buf.h"
#include "server/http/form.h"

static int open_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int close_arena(void **state)
{
    arena_free(*state);
    return 0;
}

static enum rc parse(struct arena *mem, const char *text, struct form *f, struct err *e)
{
    return form_parse(e, mem, text, strlen(text), f);
}

static void a_form_says_what_was_entered(void **state)
{
    struct err e = { 0 };
    struct form f;

    assert_int_equal(
        parse(*state, "name=%E5%A4%A9+%e6%b4%a5&empty=&sum=1%2B1=2&%61b=%26&x*-._=*", &f, &e),
        RC_OK);
    assert_int_equal(f.n, 5);
    assert_string_equal(form_text(&f, "name"), "天 津");
    assert_null(form_text(&f, "empty"));
    assert_string_equal(form_text(&f, "sum"), "1+1=2");
    assert_string_equal(form_text(&f, "ab"), "&");
    assert_string_equal(form_text(&f, "x*-._"), "*");
    assert_null(form_text(&f, "sum "));
    assert_string_equal(f.field[1].name, "empty");
}

static void nothing_is_a_form_without_fields(void **state)
{
    struct err e = { 0 };
    struct form f;

    assert_int_equal(parse(*state, "", &f, &e), RC_OK);
    assert_int_equal(f.n, 0);
    assert_null(form_text(&f, ""));
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
    static const char *const bad[] = {
        "a=1&a=2",  "a=1&%61=2",   "a=&a=",          "a=1&b",    "a",     "=1",
        "&",        "a=1&",        "&a=1",           "a=1&&b=1", "a=1 2", "a=天",
        "a=%4",     "a=%",         "a=%zz",          "a=%00",    "a=%0A", "a=%7F",
        "a=%C0%AF", "a=%ED%A0%80", "a=%F5%80%80%80", "%00=1",    "a\t=1", "a=%E5%A4",
        "a=1\n",
    };
    struct form f;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = { 0 };

        assert_int_equal(parse(*state, bad[i], &f, &e), RC_INVALID);
        assert_true(*e.text);
    }
}

static void lines_end_alike_where_they_are_asked_for(void **state)
{
    static const char *const good[] = { "a=1%0D%0A2%0d%0a%0D%0A3", "a=1%0A2%0d%0A%0a3",
                                        "a=1%0D2%0D%0D3" },
                             *const bad[] = { "a%0A=1", "a=%00",          "a=%7F", "a=%09",
                                              "a=%%0A", "a=%E5%0A%A4%A9", "a=1\n" };
    struct err e = { 0 };
    struct form f;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(parse(*state, good[i], &f, &e), RC_INVALID);
        assert_int_equal(form_parse_lines(&e, *state, good[i], strlen(good[i]), &f), RC_OK);
        assert_string_equal(form_text(&f, "a"), "1\n2\n\n3");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(form_parse_lines(&e, *state, bad[i], strlen(bad[i]), &f), RC_INVALID);
    assert_int_equal(form_parse_lines(&e, *state, "a=%0D%0A&b=+", 12, &f), RC_OK);
    assert_string_equal(form_text(&f, "a"), "\n");
    assert_string_equal(form_text(&f, "b"), " ");
}

static void a_field_that_comes_twice_is_named(void **state)
{
    struct err e = { 0 };
    struct form f;

    assert_int_equal(parse(*state, "scope=a&state=b&scope=c", &f, &e), RC_INVALID);
    assert_string_equal(e.field, "scope");
}

static void names_fields_and_bytes_are_bounded(void **state)
{
    struct buf b = BUF_IN((struct arena *)*state);
    struct err e = { 0 };
    struct form f;
    char name[FORM_NAME_MAX + 3], *large;

    for (int i = 0; i < FORM_FIELDS; i++)
        buf_printf(&b, "%sf%d=%d", i ? "&" : "", i, i);
    assert_int_equal(parse(*state, b.p, &f, &e), RC_OK);
    assert_int_equal(f.n, FORM_FIELDS);
    buf_adds(&b, "&one=more");
    assert_int_equal(parse(*state, b.p, &f, &e), RC_INVALID);

    memset(name, 'n', sizeof name);
    memcpy(name + FORM_NAME_MAX, "=", 2);
    assert_int_equal(parse(*state, name, &f, &e), RC_OK);
    memcpy(name + FORM_NAME_MAX, "n=", 3);
    assert_int_equal(parse(*state, name, &f, &e), RC_INVALID);

    large = arena_zalloc(*state, FORM_MAX + 2);
    memset(large, 'x', FORM_MAX);
    memcpy(large, "a=", 2);
    assert_int_equal(parse(*state, large, &f, &e), RC_OK);
    large[FORM_MAX] = 'x';
    assert_int_equal(parse(*state, large, &f, &e), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_says_what_was_entered),
        cmocka_unit_test(nothing_is_a_form_without_fields),
        cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(lines_end_alike_where_they_are_asked_for),
        cmocka_unit_test(a_field_that_comes_twice_is_named),
        cmocka_unit_test(names_fields_and_bytes_are_bounded),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
