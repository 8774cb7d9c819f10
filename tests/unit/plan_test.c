/*
 * plan_test.c - what follows from counts: who is sent to, and when the last of them is. The numbers are worked by hand, after the formula of docs/push.md.
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

/* One transport, 1,000 devices a second, a thousand of them a request; the class is 资讯营销. */
static struct plan one(const char *start, int64_t reach)
{
    return (struct plan){ .made = at(start),
                          .start = at(start),
                          .haste = PUSH_MARKETING,
                          .n = 1,
                          .lines = { { .by = TRANSPORT_VIVO,
                                       .on = true,
                                       .reach = reach,
                                       .pace = 1000,
                                       .limit = { .tokens = 1000 } } } };
}

static void night(struct plan *p, enum push_night what, int from, int to)
{
    p->lines[0].limit.night = what;
    p->lines[0].limit.night_from = from;
    p->lines[0].limit.night_to = to;
}

static void other(struct plan *p, const char *start, int haste, int64_t left)
{
    p->others[p->nothers++] = (struct plan_other){ .start = at(start),
                                                   .haste = haste,
                                                   .left = { [TRANSPORT_VIVO] = left } };
}

static void losses_are_taken_off_and_what_is_ahead_is_waited_for(void **state)
{
    struct plan p = one("2026-11-21 10:00", 100000);

    (void)state;
    p.lines[0].quota = 10000;
    p.lines[0].quiet = 30001;
    other(&p, "2026-11-21 10:00", PUSH_MARKETING, 40000);
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 59999);
    assert_int_equal(p.lines[0].ahead, 40000);
    assert_int_equal(p.ends, p.start + 100); /* 40,000 before them; the last second is begun */
    p.lines[0].on = false;
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 0);
    assert_int_equal(p.off, 100000);
    assert_int_equal(p.ends, 0);
}

/* Red before: it took 5,000 a second of Apple, whatever is under way. */
static void no_more_than_what_may_be_under_way_leaves(void **state)
{
    struct plan p = one("2026-11-21 10:00", 102400);

    (void)state;
    p.lines[0].by = TRANSPORT_APNS;
    p.lines[0].limit.tokens = 1;
    p.lines[0].pace = 5000;
    plan_reckon(&p, 0); /* 256 requests, four times a second */
    assert_int_equal(p.lines[0].rate, 1024);
    assert_int_equal(p.ends, p.start + 100);
    p.n = 2; /* browsers want a request each as well: 128 for either */
    p.lines[1] = p.lines[0];
    p.lines[1].by = TRANSPORT_WEBPUSH;
    plan_reckon(&p, 0);
    assert_int_equal(p.lines[0].rate, 512);
    assert_int_equal(p.ends, p.start + 200);
    p.lines[1].pace = 100; /* slower than what may be under way */
    p.lines[1].reach = 1000;
    plan_reckon(&p, 0);
    assert_int_equal(p.lines[1].rate, 100);
    assert_int_equal(p.lines[1].ends, p.start + 10);
    p.lines[1].on = false; /* and nobody needs any of it */
    plan_reckon(&p, 0);
    assert_int_equal(p.lines[0].rate, 1024);
    p = one("2026-11-21 10:00", 32000);
    p.lines[0].pace = 30000;
    plan_reckon(&p, 0); /* four jobs of a thousand, four times a second */
    assert_int_equal(p.lines[0].rate, 16000);
    assert_int_equal(p.ends, p.start + 2);
}

/* Red before: neither what waits to be tried again nor what is scheduled counted, nor was it known who goes before whom. */
static void whoever_goes_first_is_waited_for(void **state)
{
    struct plan p = one("2026-11-21 10:00", 100000);

    (void)state;
    p.made = at("2026-11-21 09:00");
    other(&p, "2026-11-21 09:00", PUSH_MARKETING, 60000); /* runs, and is done at 09:01 */
    other(&p, "2026-11-21 09:59", PUSH_MARKETING, 80000); /* until 10:00:20 */
    plan_reckon(&p, 0);
    assert_int_equal(p.lines[0].ahead, 20000);
    assert_int_equal(p.ends, p.start + 20 + 100);
    other(&p, "2026-11-21 10:01", PUSH_SERVICE, 10000);   /* comes in between */
    other(&p, "2026-11-21 10:01", PUSH_MARKETING, 70000); /* behind it */
    other(&p, "2026-11-21 10:05", PUSH_SERVICE, 10000);   /* when all is over */
    plan_reckon(&p, 0);
    assert_int_equal(p.ends, p.start + 130);
    assert_int_equal(p.lines[0].ahead, 30000);
    p.haste = PUSH_SERVICE; /* then it goes before them */
    plan_reckon(&p, 0);
    assert_int_equal(p.ends, p.start + 100);
    assert_int_equal(p.lines[0].ahead, 0);
}

static void the_slowest_ends_it_and_the_campaign_may_be_slower_still(void **state)
{
    struct plan p = one("2026-11-21 10:00", 100000);

    (void)state;
    p.n = 2;
    p.lines[1] =
        (struct plan_line){ .on = true, .reach = 1000, .pace = 1, .limit = { .tokens = 1000 } };
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 101000);
    assert_int_equal(p.ends, p.start + 1000);
    plan_reckon(&p, 50);
    assert_int_equal(p.ends, p.start + 2020);
}

/* Red before: it ended when it ended, and nobody was late. */
static void whose_turn_comes_too_late_is_said(void **state)
{
    struct plan p = one("2026-11-21 22:00", 5400000); /* an hour and a half */

    (void)state;
    p.ttl = 3600;
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 3600000);
    assert_int_equal(p.late, 1800000);
    assert_int_equal(p.ends, p.start + 3600);
    p.ttl = 7200;
    plan_reckon(&p, 0);
    assert_int_equal(p.late, 0);
    assert_int_equal(p.ends, p.start + 5400);
    night(&p, PUSH_REFUSED, 23 * 60, 7 * 60); /* and its time is over at midnight */
    plan_reckon(&p, 0);
    assert_int_equal(p.lines[0].late, 1800000);
    assert_int_equal(p.ends, at("2026-11-21 23:00"));
    p.made = p.start = at("2026-11-21 23:30");
    plan_reckon(&p, 0);
    assert_int_equal(p.send, 0);
    assert_int_equal(p.late, 5400000);
    assert_int_equal(p.ends, 0);
    p = one("2026-11-21 10:00", 100000);
    p.ttl = 1000;
    plan_reckon(&p, 50);
    assert_int_equal(p.send, 50000);
    assert_int_equal(p.late, 50000);
    assert_int_equal(p.ends, p.start + 1000);
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

/* Nobody takes a transport for proven that never was. */
static void what_was_never_tried_with_a_vendor_says_so(void **state)
{
    struct plan p = one("2026-11-21 12:00", 1000);
    struct arena *mem = arena_new();
    struct buf b = BUF_IN(mem);

    (void)state;
    p.n = 2;
    p.lines[0].by = TRANSPORT_VIVO;
    p.lines[1] = (struct plan_line){ .by = TRANSPORT_APNS, .tried = 20261120 };
    plan_print(&p, &b);
    assert_non_null(strstr(
        b.p, "\"transport\":\"vivo\",\"verified\":false,\"verifiedText\":\"未与厂商验证\"}"));
    assert_non_null(strstr(b.p, "\"transport\":\"apns\",\"verified\":true,\"verifiedText\":"
                                "\"2026-11-20 起有消息经厂商送达\"}"));
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_taken_off_and_what_is_ahead_is_waited_for),
        cmocka_unit_test(no_more_than_what_may_be_under_way_leaves),
        cmocka_unit_test(whoever_goes_first_is_waited_for),
        cmocka_unit_test(the_slowest_ends_it_and_the_campaign_may_be_slower_still),
        cmocka_unit_test(whose_turn_comes_too_late_is_said),
        cmocka_unit_test(a_vendor_that_refuses_at_night_goes_on_in_the_morning),
        cmocka_unit_test(a_vendor_that_holds_at_night_takes_it_and_shows_it_later),
        cmocka_unit_test(what_was_never_tried_with_a_vendor_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
