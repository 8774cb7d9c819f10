/*
 * push_service_test.c - services of one transport, each at its own pace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "push/sender_service.h"

enum { PACE = 1000, BEGIN = 5000 };

#define ONE   "https://fcm.example"
#define OTHER "https://mozilla.example"

/* How many of a thousand asked for, one a millisecond, may leave. */
static int leave(struct sender_services *s, const char *origin, int64_t *now)
{
    int64_t wait;
    int n = 0;

    for (int i = 0; i < 1000; i++)
        n += services_take(s, origin, PACE, ++*now, &wait);
    return n;
}

static void one_that_is_too_slow_slows_nobody_else_down(void **state)
{
    struct sender_services s = { 0 };
    int64_t now = BEGIN;

    (void)state;
    assert_in_range(leave(&s, ONE, &now), 990, 1000);
    for (int i = 0; i < 5; i++) {
        services_slow(&s, ONE, 0, now);
        now += 1000;
    }
    services_slow(&s, ONE, 0, now);
    assert_in_range(leave(&s, ONE, &now), 1, 200);
    assert_in_range(leave(&s, OTHER, &now), 990, 1000);
}

static void its_retry_after_is_its_own_and_is_waited_for(void **state)
{
    struct sender_services s = { 0 };
    int64_t now = BEGIN, wait = 0;

    (void)state;
    services_slow(&s, ONE, 30000, now);
    assert_false(services_take(&s, ONE, PACE, now, &wait));
    assert_in_range(wait, 29999, 30001);
    assert_true(services_take(&s, OTHER, PACE, now, &wait));
    assert_true(services_take(&s, ONE, PACE, now + 30001, &wait));
}

static void the_last_few_are_known(void **state)
{
    struct sender_services s = { 0 };
    int64_t now = BEGIN, wait;
    char name[40];

    (void)state;
    services_slow(&s, ONE, 30000, now);
    for (int i = 1; i < SENDER_SERVICES; i++) {
        snprintf(name, sizeof name, "https://%d.example", i);
        assert_true(services_take(&s, name, PACE, now + i, &wait));
    }
    assert_false(services_take(&s, ONE, PACE, now + 100, &wait)); /* there is room for all */
    assert_true(services_take(&s, OTHER, PACE, now + 101, &wait));
    assert_false(services_take(&s, ONE, PACE, now + 102, &wait)); /* another had to go */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_too_slow_slows_nobody_else_down),
        cmocka_unit_test(its_retry_after_is_its_own_and_is_waited_for),
        cmocka_unit_test(the_last_few_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
