/*
 * workday_test.c - working days: against a table of all days of twenty years, and across what notices changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/citizen/workday.h"

static int64_t day(const char *text)
{
    int64_t at;

    assert_int_equal(clock_parse(text, strlen(text), &at), 0);
    return workday_of(at);
}

static void a_day_begins_at_midnight_in_beijing(void **state)
{
    (void)state;
    assert_int_equal(workday_of(workday_begin(20000)), 20000);
    assert_int_equal(workday_of(workday_begin(20000) - 1), 19999);
    assert_int_equal(workday_of(-1), 0); /* 07:59:59 on the first of January 1970 */
    assert_int_equal(workday_of(-8 * 3600 - 1), -1);
}

static void weeks_count_where_no_notice_says_otherwise(void **state)
{
    (void)state;
    assert_true(workday_is(day("2025-11-21")));  /* Friday */
    assert_false(workday_is(day("2025-11-22"))); /* Saturday */
    assert_true(workday_is(day("1969-12-31")));  /* Wednesday */
    assert_false(workday_is(day("1969-12-28"))); /* Sunday */
}

static void notices_take_days_and_give_days(void **state)
{
    (void)state;
    assert_false(workday_is(day("2025-10-01")));
    assert_false(workday_is(day("2025-10-08")));
    assert_true(workday_is(day("2025-09-28"))); /* a Sunday that is worked */
    assert_true(workday_is(day("2025-01-26")));
    assert_true(workday_is(day("2026-02-14")));
    assert_false(workday_is(day("2015-09-03")));
    assert_false(workday_is(day("2020-01-31"))); /* prolonged in 2020 */
    assert_true(workday_is(day("2006-12-31")));
    assert_int_equal(workday_known(), 2026);
}

static void deadlines_count_from_the_next_day(void **state)
{
    int64_t from = workday_begin(day("2025-09-25")) + 15 * 3600;

    (void)state;
    assert_int_equal(workday_after(day("2025-09-25"), 15), day("2025-10-22"));
    assert_int_equal(workday_deadline(from, 15), workday_begin(day("2025-10-23")));
    assert_int_equal(workday_after(day("2025-11-21"), 1), day("2025-11-24"));
    assert_int_equal(workday_after(day("2025-11-22"), 1), day("2025-11-24"));
    assert_int_equal(workday_between(day("2025-09-25"), day("2025-10-22")), 15);
    assert_int_equal(workday_between(day("2025-10-22"), day("2025-09-25")), 0);
}

static void the_operator_adds_what_a_newer_notice_says(void **state)
{
    const struct conf_list off = { 2, { "2027-01-04", "2027-01-05" } },
                           on = { 1, { "2027-01-09" } }, bad = { 1, { "2027-02-30" } },
                           none = { 0 };
    struct err e;

    (void)state;
    assert_true(workday_is(day("2027-01-04")));
    assert_int_equal(workday_open(&e, &off, &on), RC_OK);
    assert_false(workday_is(day("2027-01-04")));
    assert_true(workday_is(day("2027-01-09")));
    assert_int_equal(workday_known(), 2027);
    assert_int_equal(workday_open(&e, &none, &bad), RC_INVALID);
    assert_string_equal(e.field, "days_on");
    assert_int_equal(workday_open(&e, &none, &none), RC_OK);
    assert_true(workday_is(day("2027-01-04")));
}

/*
 * workday_test 2007-01-01 2026-12-31, for workday_oracle_test.py: a line a day. Whether it is worked on; then, for each of `terms`, the first day behind
 * the deadline of what came at its last second.
 */
static int print_days(const char *first, const char *last)
{
    static const int terms[] = { 3, 5, 7, 10, 15, 20 };
    char text[CLOCK_TEXT];

    for (int64_t d = day(first); d <= day(last); d++) {
        printf("%d", workday_is(d));
        for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
            printf(" %s",
                   clock_day(workday_deadline(workday_begin(d + 1) - 1, terms[i]), text));
        putchar('\n');
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_begins_at_midnight_in_beijing),
        cmocka_unit_test(weeks_count_where_no_notice_says_otherwise),
        cmocka_unit_test(notices_take_days_and_give_days),
        cmocka_unit_test(deadlines_count_from_the_next_day),
        cmocka_unit_test(the_operator_adds_what_a_newer_notice_says),
    };

    if (argc == 3)
        return print_days(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
