/* notice_words_test.c - templates and what may fill them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "push/notice_words.h"

static struct work w;

static int set_up(void **state)
{
    (void)state;
    work_init(&w, arena_new(), NULL, "test", 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(w.mem);
    return 0;
}

static json_t *json(const char *text)
{
    json_t *value;

    assert_int_equal(jx_object(&w.err, w.mem, text, strlen(text), &value), RC_OK);
    return value;
}

static enum rc read_it(const char *members, struct notice_words *out)
{
    return notice_words_read(
        &w, json(arena_printf(w.mem, "{\"group\":\"g\",\"label\":\"提醒\",%s}", members)), out);
}

#define PLACES                                                                              \
    "\"places\":{\"what\":{\"type\":\"text\",\"most\":4},\"day\":{\"type\":\"date\"},"      \
    "\"at\":{\"type\":\"time\"},\"sum\":{\"type\":\"number\",\"most\":8},\"no\":{\"type\":" \
    "\"code\",\"most\":4}}"
#define ALL                                             \
    "\"title\":\"{what}{what}\",\"text\":\"{day} {at} " \
    "{sum}\",\"link\":\"https://a.cn/{no}\"," PLACES

static enum rc fill(const char *values, struct notice_filled *out)
{
    struct notice_words t;

    assert_int_equal(read_it(ALL, &t), RC_OK);
    return notice_words_fill(&w, &t, json(values), out);
}

#define VALUES(what, day, at, sum, no)                                            \
    "{\"what\":\"" what "\",\"day\":\"" day "\",\"at\":\"" at "\",\"sum\":\"" sum \
    "\",\"no\":\"" no "\"}"

static void places_are_filled_wherever_they_stand(void **state)
{
    struct notice_filled f;

    (void)state;
    assert_int_equal(
        fill(VALUES("水费", "2028-02-29", "2026-11-24 23:59", "-1,234.5", "A-_9"), &f), RC_OK);
    assert_string_equal(f.title, "水费水费");
    assert_string_equal(f.text, "2028-02-29 2026-11-24 23:59 -1,234.5");
    assert_string_equal(f.link, "https://a.cn/A-_9");
}

/* What is filled in is text: braces in it are no places. */
static void a_value_is_not_read_as_a_pattern(void **state)
{
    struct notice_filled f;

    (void)state;
    assert_int_equal(fill(VALUES("{no}", "2026-11-24", "2026-11-24 00:00", "1", "x"), &f),
                     RC_OK);
    assert_string_equal(f.title, "{no}{no}");
}

static void what_does_not_fit_names_its_place(void **state)
{
    static const struct {
        const char *values, *field;
    } bad[] = {
        { VALUES("一二三四五", "2026-11-24", "2026-11-24 00:00", "1", "x"), "/values/what" },
        { VALUES("", "2026-11-24", "2026-11-24 00:00", "1", "x"), "/values/what" },
        { VALUES("a\\u202eb", "2026-11-24", "2026-11-24 00:00", "1", "x"), "/values/what" },
        { VALUES("a", "2026-11-32", "2026-11-24 00:00", "1", "x"), "/values/day" },
        { VALUES("a", "2026-02-29", "2026-11-24 00:00", "1", "x"), "/values/day" },
        { VALUES("a", "2026-04-31", "2026-11-24 00:00", "1", "x"), "/values/day" },
        { VALUES("a", "2026-13-01", "2026-11-24 00:00", "1", "x"), "/values/day" },
        { VALUES("a", "2026-11-24x", "2026-11-24 00:00", "1", "x"), "/values/day" },
        { VALUES("a", "2026-11-24", "2026-11-24 24:00", "1", "x"), "/values/at" },
        { VALUES("a", "2026-11-24", "2026-11-24 00:60", "1", "x"), "/values/at" },
        { VALUES("a", "2026-11-24", "2026-11-24", "1", "x"), "/values/at" },
        { VALUES("a", "2026-11-24", "2026-11-24 00:00", "一", "x"), "/values/sum" },
        { VALUES("a", "2026-11-24", "2026-11-24 00:00", "-", "x"), "/values/sum" },
        { VALUES("a", "2026-11-24", "2026-11-24 00:00", "1", "x/y"), "/values/no" },
        { VALUES("a", "2026-11-24", "2026-11-24 00:00", "1", "x%2f"), "/values/no" },
        { VALUES("a", "2026-11-24", "2026-11-24 00:00", "1", "12345"), "/values/no" },
    };
    struct notice_filled f;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        w.err = (struct err){ 0 };
        assert_int_equal(fill(bad[i].values, &f), RC_INVALID);
        assert_string_equal(w.err.field, bad[i].field);
    }
}

static void a_template_says_what_its_places_are(void **state)
{
    static const char *const bad[] = {
        "\"title\":\"{a}\"",
        "\"title\":\"一\",\"places\":{\"a\":{\"type\":\"date\"}}",  /* not used */
        "\"title\":\"{a}\",\"places\":{\"a\":{\"type\":\"text\"}}", /* how long? */
        "\"title\":\"{a}\",\"places\":{\"a\":{\"type\":\"x\"}}",
        "\"title\":\"{a}\",\"places\":{\"a\":7}",
        "\"title\":\"{A b}\",\"places\":{\"A b\":{\"type\":\"date\"}}",
        "\"title\":\"a}\"",
        "\"title\":\"{{a}}\",\"places\":{\"a\":{\"type\":\"date\"}}",
        "\"title\":\"一\",\"link\":\"https://{a}/\",\"places\":{\"a\":{\"type\":\"date\"}}",
        "\"title\":\"一\",\"link\":\"https://a.cn/{a}\",\"places\":{\"a\":{\"type\":\"text\","
        "\"most\":9}}",
        "\"title\":\"一\",\"item\":\"7\"",
        "\"title\":\"一\",\"link\":\"https://a.cn/\",\"item\":\"0190b1c2-7d1c-7a3e-9f00-"
        "3c1d5b7e9a11\"",
    };
    struct notice_words t;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_it(bad[i], &t) != RC_INVALID)
            fail_msg("%s", bad[i]);
}

/* Approved is approved: no value that its places allow makes it longer than a title may be. */
static void the_longest_filling_has_room_or_the_template_is_refused(void **state)
{
    struct notice_words t;

    (void)state;
    assert_int_equal(
        read_it("\"title\":\"{a}\",\"places\":{\"a\":{\"type\":\"text\",\"most\":50}}", &t),
        RC_OK);
    assert_int_equal(
        read_it("\"title\":\"{a}一\",\"places\":{\"a\":{\"type\":\"text\",\"most\":50}}", &t),
        RC_INVALID);
    assert_string_equal(w.err.field, "/title");
    assert_int_equal(
        read_it("\"title\":\"一\",\"text\":\"{a}{a}{a}\",\"places\":{\"a\":{\"type\":"
                "\"text\",\"most\":167}}",
                &t),
        RC_INVALID);
    assert_string_equal(w.err.field, "/text");
}

static void a_host_is_written_out(void **state)
{
    struct notice_words t;

    (void)state;
    assert_int_equal(read_it("\"title\":\"一\",\"link\":\"https://a.cn/x?y=1\"", &t), RC_OK);
    assert_string_equal(notice_words_host(&w, &t), "a.cn");
    assert_int_equal(read_it("\"title\":\"一\",\"link\":\"https://a.cn\"", &t), RC_INVALID);
    assert_int_equal(read_it("\"title\":\"一\",\"link\":\"https://a.cn:444/\"", &t),
                     RC_INVALID);
    assert_int_equal(read_it("\"title\":\"一\",\"link\":\"https://u@a.cn/\"", &t), RC_INVALID);
    assert_int_equal(read_it("\"title\":\"一\",\"link\":\"https://a.cn/ x\"", &t), RC_INVALID);
    assert_int_equal(read_it("\"title\":\"一\",\"link\":\"javascript:1\"", &t), RC_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(places_are_filled_wherever_they_stand),
        TEST(a_value_is_not_read_as_a_pattern),
        TEST(what_does_not_fit_names_its_place),
        TEST(a_template_says_what_its_places_are),
        TEST(the_longest_filling_has_room_or_the_template_is_refused),
        TEST(a_host_is_written_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
