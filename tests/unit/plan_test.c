/*
 * plan_test.c - what follows from counts: who is sent to, and when the last of them is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/plan.h"
#include "server/base/clock.h"

static int64_t at(const char *text)
{
    int64_t seconds;

    assert_int_equal(clock_parse(text, strlen(text), &seconds), 0);
    return seconds;
}

/* One transport, 1,000 devices a second. */
static struct plan one(const char *start, int64_t reach)
{
    return (struct plan){
        .start = at(start),
        .n = 1,
        .lines = { { .by = TRANSPORT_VIVO, .on = true, .reach = reach, .pace = 1000 } }
    };
}

static void night(struct plan *p, enum push_night what, int from, int to)
{
    p->lines[0].night = what;
    p->lines[0].night_from = from;
    p->lines[0].night_to = to;
}

static void losses_are_taken_off_and_what_is_ahead_is_waited_for(void **state)
{
    struct plan p = one("2026-11-21 10:00", 100000);

    (void)state;
    p.lines[0].quota = 10000;
    p.lines[0].quiet = 30001;
    p.lines[0].ahead = 40000;
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 59999);
    assert_int_equal(p.ends, p.start + 100); /* 40,000 before them; the last second is begun */
    p.lines[0].on = false;
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 0);
    assert_int_equal(p.off, 100000);
    assert_int_equal(p.ends, 0);
}

static void the_slowest_ends_it_and_the_campaign_may_be_slower_still(void **state)
{
    struct plan p = one("2026-11-21 10:00", 100000);

    (void)state;
    p.n = 2;
    p.lines[1] = (struct plan_line){ .on = true, .reach = 1000, .pace = 1 };
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 101000);
    assert_int_equal(p.ends, p.start + 1000);
    plan_reckon(&p, 50);
    assert_int_equal(p.ends, p.start + 2020);
}

static void a_vendor_that_refuses_at_night_goes_on_in_the_morning(void **state)
{
    struct plan p = one("2026-11-21 22:59", 100000); /* 100 s, of which 60 are left */

    (void)state;
    night(&p, PUSH_REFUSED, 23 * 60, 7 * 60);
    plan_reckon(&p, 0);
    assert_int_equal(p.ends, at("2026-11-22 07:00") + 40);
    p = one("2026-11-21 23:00", 100000);
    night(&p, PUSH_REFUSED, 23 * 60, 7 * 60);
    plan_reckon(&p, 0);
    assert_int_equal(p.ends, at("2026-11-22 07:00") + 100);
    p = one("2026-11-21 07:00", 16 * 3600 * 1000);
    night(&p, PUSH_REFUSED, 23 * 60, 7 * 60);
    plan_reckon(&p, 0);
    assert_int_equal(p.ends, at("2026-11-21 23:00"));
    p.lines[0].reach += 1000 * 1000;
    plan_reckon(&p, 0); /* more than a day's work */
    assert_int_equal(p.ends, at("2026-11-22 07:00") + 1000);
}

static void a_vendor_that_holds_at_night_takes_it_and_shows_it_later(void **state)
{
    struct plan p = one("2026-11-21 23:59", 100000);

    (void)state;
    night(&p, PUSH_HELD, 0, 6 * 60);
    plan_reckon(&p, 0);
    assert_int_equal(p.ends, p.start + 100);
    assert_true(p.lines[0].held);
    p = one("2026-11-21 12:00", 100000);
    night(&p, PUSH_HELD, 0, 6 * 60);
    plan_reckon(&p, 0);
    assert_false(p.lines[0].held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_taken_off_and_what_is_ahead_is_waited_for),
        cmocka_unit_test(the_slowest_ends_it_and_the_campaign_may_be_slower_still),
        cmocka_unit_test(a_vendor_that_refuses_at_night_goes_on_in_the_morning),
        cmocka_unit_test(a_vendor_that_holds_at_night_takes_it_and_shows_it_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
