/* What the mirrors' thread tells of its attempts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/channel/mirror_status.h"

enum { NOON = 1763000000 };

static int begin(void **state)
{
    (void)state;
    mirror_status_forget_all();
    clock_set(NOON);
    return 0;
}

static int end(void **state)
{
    (void)state;
    clock_unset();
    return 0;
}

static void a_run_of_failures_has_a_beginning_and_an_end(void **state)
{
    struct mirror_status s;

    (void)state;
    mirror_status_of("heping", &s);
    assert_true(!s.checked && !s.failures && !s.since && !*s.error);
    mirror_status_tell("heping", 0, "");
    clock_set(NOON + 10);
    mirror_status_tell("heping", 1, "refused");
    clock_set(NOON + 20);
    mirror_status_tell("heping", 2, "timed out");
    mirror_status_of("heping", &s);
    assert_int_equal(s.checked, NOON);
    assert_int_equal(s.since, NOON + 10);
    assert_int_equal(s.failures, 2);
    assert_string_equal(s.error, "timed out");
    mirror_status_tell("heping", 0, "");
    mirror_status_of("heping", &s);
    assert_int_equal(s.checked, NOON + 20);
    assert_true(!s.failures && !s.since && !*s.error);
}

static void who_is_followed_no_more_counts_no_more(void **state)
{
    struct mirror_status s;

    (void)state;
    mirror_status_tell("heping", 0, "");
    mirror_status_tell("nankai", 0, "");
    mirror_status_tell(MIRROR_STATUS_LIST, 1, "refused");
    mirror_status_forget("heping");
    clock_set(NOON + 100);
    mirror_status_tell("nankai", 0, "");
    assert_int_equal(metric_get(METRIC_mirror_lag_seconds), 0);
    mirror_status_of("heping", &s);
    assert_int_equal(s.checked, 0);
    mirror_status_of(MIRROR_STATUS_LIST, &s);
    assert_int_equal(s.failures, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_of_failures_has_a_beginning_and_an_end, begin,
                                        end),
        cmocka_unit_test_setup_teardown(who_is_followed_no_more_counts_no_more, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
