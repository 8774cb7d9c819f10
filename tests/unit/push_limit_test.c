/* push_limit_test.c - the vendors' limits: every row makes sense, and what is in force on a day is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "push/limit.h"
#include "server/base/clock.h"

enum { TODAY = 20261122 };

static void every_transport_has_limits_of_every_class(void **state)
{
    (void)state;
    for (int by = 1; by < TRANSPORT_COUNT; by++)
        for (int class = 1; class < PUSH_CLASS_COUNT; class ++) {
            struct push_limit l =
                push_limit((enum transport)by, (enum push_class) class, TODAY);

            assert_true(l.pace > 0 && l.tokens > 0 && l.tokens <= 1000);
            assert_in_range(l.payload, 1, 65536);
            assert_in_range(l.ttl, 3600, 30 * 86400);
            assert_true(l.day >= 0 && l.news_day >= l.day && l.title >= 0 && l.text >= 0);
            assert_true(l.collapse >= 0 && l.collapse <= 64);
            assert_in_range(l.night_from, 0, 1439);
            assert_in_range(l.night_to, 0, 1439);
            assert_int_equal(l.night == PUSH_DAY_AND_NIGHT, l.night_from == l.night_to);
            assert_true(l.from >= 20200101 && l.from <= TODAY && *l.source);
        }
}

static void a_warning_has_no_lower_limits_than_a_service(void **state)
{
    (void)state;
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        struct push_limit s = push_limit((enum transport)by, PUSH_SERVICE, TODAY);
        struct push_limit e = push_limit((enum transport)by, PUSH_EMERGENCY, TODAY);

        assert_true(!e.day || e.day >= s.day);
        assert_int_equal(e.pace, s.pace);
        assert_int_not_equal(e.night, PUSH_REFUSED);
    }
}

static void the_known_figures_are_these(void **state)
{
    struct push_limit l = push_limit(TRANSPORT_HUAWEI, PUSH_MARKETING, TODAY);

    (void)state;
    assert_int_equal(l.day, 2);
    assert_int_equal(l.news_day, 5);
    assert_int_equal(l.pace, 6000);
    l = push_limit(TRANSPORT_XIAOMI, PUSH_MARKETING, TODAY);
    assert_int_equal(l.day, 5);
    assert_int_equal(l.news_day, 8);
    assert_int_equal(l.title, 50);
    assert_int_equal(l.text, 128);
    assert_int_equal(push_limit(TRANSPORT_APNS, PUSH_MARKETING, TODAY).collapse, 64);
}

static void what_is_unknown_is_the_lowest_of_its_class(void **state)
{
    (void)state;
    assert_int_equal(push_limit(TRANSPORT_WECHAT, PUSH_MARKETING, TODAY).day, 2);
    assert_int_equal(push_limit(TRANSPORT_WECHAT, PUSH_SERVICE, TODAY).pace, 500);
    assert_int_equal(push_limit(TRANSPORT_OPPO, PUSH_SERVICE, TODAY).text, 20);
    assert_int_equal(push_limit(TRANSPORT_OPPO, PUSH_SERVICE, TODAY + 1).text, 200); /* told */
}

static void a_day_before_the_first_row_has_the_first(void **state)
{
    (void)state;
    assert_int_equal(push_limit(TRANSPORT_HUAWEI, PUSH_SERVICE, 20200101).pace, 6000);
}

static void the_day_is_that_of_beijing(void **state)
{
    char text[CLOCK_TEXT], ours[CLOCK_TEXT];

    (void)state;
    for (int64_t at = 1000000000; at < 2000000000; at += 4321 * 7) {
        int32_t day = push_limit_day(at);

        snprintf(ours, sizeof ours, "%d-%02d-%02d", day / 10000, day / 100 % 100, day % 100);
        assert_string_equal(ours, clock_day(at, text));
    }
    assert_int_equal(push_limit_minute(1763740800), 0);
    assert_int_equal(push_limit_minute(1763740799), 1439);
}

static void a_night_goes_over_midnight(void **state)
{
    struct push_limit vivo = push_limit(TRANSPORT_VIVO, PUSH_MARKETING, TODAY);
    struct push_limit huawei = push_limit(TRANSPORT_HUAWEI, PUSH_MARKETING, TODAY);
    struct push_limit apns = push_limit(TRANSPORT_APNS, PUSH_MARKETING, TODAY);

    (void)state;
    assert_true(push_limit_is_night(&vivo, 23 * 60) && push_limit_is_night(&vivo, 0));
    assert_true(push_limit_is_night(&vivo, 7 * 60 - 1));
    assert_false(push_limit_is_night(&vivo, 7 * 60));
    assert_false(push_limit_is_night(&vivo, 23 * 60 - 1));
    assert_true(push_limit_is_night(&huawei, 0) && push_limit_is_night(&huawei, 359));
    assert_false(push_limit_is_night(&huawei, 360));
    assert_false(push_limit_is_night(&apns, 0));
}

/* Who refuses says until when; who only holds messages back takes them. */
static void a_vendor_that_refuses_takes_again_in_the_morning(void **state)
{
    struct push_limit vivo = push_limit(TRANSPORT_VIVO, PUSH_MARKETING, TODAY);
    struct push_limit huawei = push_limit(TRANSPORT_HUAWEI, PUSH_MARKETING, TODAY);
    int64_t ten = 1795010400, hour = 3600; /* 22:00 in Beijing on 2026-11-18 */

    (void)state;
    assert_int_equal(push_limit_minute(ten), 22 * 60);
    assert_int_equal(push_limit_refused_until(&vivo, ten), 0);
    assert_int_equal(push_limit_refused_from(&vivo, ten), ten + hour);
    assert_int_equal(push_limit_refused_until(&vivo, ten + hour), ten + 9 * hour);
    assert_int_equal(push_limit_refused_until(&vivo, ten + 9 * hour - 1), ten + 9 * hour);
    assert_int_equal(push_limit_refused_until(&vivo, ten + 9 * hour), 0);
    assert_int_equal(push_limit_refused_from(&vivo, ten + 9 * hour), ten + 25 * hour);
    assert_int_equal(push_limit_refused_until(&huawei, ten + 3 * hour), 0);
    assert_true(push_limit_refused_from(&huawei, ten) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transport_has_limits_of_every_class),
        cmocka_unit_test(a_warning_has_no_lower_limits_than_a_service),
        cmocka_unit_test(the_known_figures_are_these),
        cmocka_unit_test(what_is_unknown_is_the_lowest_of_its_class),
        cmocka_unit_test(a_day_before_the_first_row_has_the_first),
        cmocka_unit_test(the_day_is_that_of_beijing),
        cmocka_unit_test(a_night_goes_over_midnight),
        cmocka_unit_test(a_vendor_that_refuses_takes_again_in_the_morning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
