/*
 * push_schedule_test.c - when a campaign begins, and whom it still reaches then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "push/missing.h"
#include "push/push_thread.h"
#include "server/base/clock.h"
#include "tests/lib/push_city.h"

static void it_waits_for_its_time(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");

    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(city_see(t, no).c.state, CAMPAIGN_SCHEDULED);
    city_pass(city_see(t, no).c.start - 1);
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(city_see(t, no).c.state, CAMPAIGN_SCHEDULED);
    city_pass(city_see(t, no).c.start);
    city_until(t, no, CAMPAIGN_DONE);
}

/* It was due while nobody was there to send it. */
static void a_time_long_past_waits_for_somebodys_word(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");

    push_thread_stop();
    city_pass(city_see(t, no).c.start + PUSH_LATE + 1);
    city_start(t);
    city_until(t, no, CAMPAIGN_PAUSED);
    assert_false(city_see(t, no).runs);
    DOES("account:1", RESUME, NULL);
    city_until(t, no, CAMPAIGN_DONE);
    assert_int_equal(city_shown[1], 1);
}

/* Red before: only its record was asked for. */
static void what_was_approved_long_ago_does_not_go_out_late(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");

    push_thread_stop();
    city_pass(city_see(t, no).c.start + PUSH_LATE + 1);
    city_start(t);
    city_until(t, no, CAMPAIGN_PAUSED);
    city_pass(city_see(t, no).c.approved + CAMPAIGN_APPROVED_FOR + 1);
    assert_int_equal(city_does(t, no, "account:1", CAMPAIGN_DO_RESUME, NULL), RC_CONFLICT);
    assert_int_equal(city_see(t, no).c.state, CAMPAIGN_PAUSED);
    DOES("account:1", RECALL, "过时了");
    city_until(t, no, CAMPAIGN_RECALLED);
}

static void looked(void)
{
    clock_sleep_ms(3 * PUSH_LOOK_MS);
}

/* Back by an hour, and again: each begins once, at the first moment of which the clock says that it is its. */
static void each_begins_once_though_the_clock_goes_back(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\""), at;

    at = city_see(t, no).c.start;
    city_pass(at - 1800);
    looked();
    clock_set(at - 1800 - 3600);
    looked();
    city_pass(at - 1);
    looked();
    assert_int_equal(city_see(t, no).c.state, CAMPAIGN_SCHEDULED);
    city_pass(at);
    city_until(t, no, CAMPAIGN_DONE);
    clock_set(at - 3600);
    looked();
    city_pass(at + 1);
    looked();
    assert_int_equal(city_see(t, no).c.state, CAMPAIGN_DONE);
    for (int i = 0; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 1);
}

/* Red before: all that the clock had leapt over went out at once, an hour early if it was the clock that was wrong. */
static void what_the_clock_leaps_over_waits_for_a_word(void **state)
{
    struct world *t = *state;
    int64_t soon = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\""),
            next = city_scheduled(t, ",\"start\":\"2026-11-18T20:20:00+08:00\""),
            later = city_scheduled(t, ",\"start\":\"2026-11-18T21:30:00+08:00\""), at, no;

    at = city_see(t, soon).c.start;
    city_pass(at - 1800);
    looked();
    clock_set(at + 1800);
    city_until(t, soon, CAMPAIGN_PAUSED);
    city_until(t, next, CAMPAIGN_PAUSED);
    assert_int_equal(city_see(t, later).c.state, CAMPAIGN_SCHEDULED);
    assert_non_null(
        strstr(tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/steps", soon), NULL).body,
               "往前跳了 60 分钟"));
    for (int i = 1; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 0);
    city_pass(at + 1800 + MISSING_FIRE_AFTER + 1);
    assert_int_equal(city_looks(t, judge_push_overdue), WARN); /* somebody is told */
    DOES_TO(soon, "account:1", RESUME, NULL);
    no = next;
    DOES("account:1", CANCEL, "过时了");
    city_until(t, soon, CAMPAIGN_DONE);
    assert_int_equal(city_looks(t, judge_push_overdue), FINE);
    city_pass(city_see(t, later).c.start); /* what time comes to begins as ever */
    city_until(t, later, CAMPAIGN_DONE);
    for (int i = 1; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 2);
}

/* It waits to be tried again. */
static void until_waiting(struct world *t, int64_t no)
{
    for (int ms = 0; city_see(t, no).n.waiting != CITY_PHONES; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
}

/* Red before: its hour was over, and who waited for a try was refused. */
static void a_clock_set_ahead_ends_nothing_and_hurries_nobody(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\",\"ttl\":3600"), at;
    struct city_seen s;

    city_says = PUSH_AGAIN;
    at = city_see(t, no).c.start;
    city_pass(at);
    city_until(t, no, CAMPAIGN_RUNNING);
    until_waiting(t, no);
    looked();
    city_says = PUSH_ACCEPTED;
    clock_set(at + 3 * 3600);
    clock_sleep_ms(PUSH_LOOK_MS); /* the shortest rest is a second */
    s = city_see(t, no);
    assert_int_equal(s.c.state, CAMPAIGN_RUNNING);
    assert_int_equal(s.n.waiting, CITY_PHONES);
    city_pass(at + 3 * 3600 + 60);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES);
}

/* … and its hour is over an hour after it began. */
static void a_clock_set_ahead_prolongs_nothing(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\",\"ttl\":3600"), at;
    struct city_seen s;

    city_says = PUSH_AGAIN;
    at = city_see(t, no).c.start;
    city_pass(at);
    city_until(t, no, CAMPAIGN_RUNNING);
    until_waiting(t, no);
    clock_set(at + 3 * 3600);
    looked();
    city_pass(at + 4 * 3600 + 10);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_REJECTED), CITY_PHONES);
}

/* Red before: they were said to be refused, and nobody was told. */
static void who_goes_on_too_late_is_told_how_many_are_past(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\",\"ttl\":3600");
    const char *at = URL("/v1/push/campaigns/%" PRId64, no);
    struct city_seen s;
    struct answer a;

    city_sender.holds = true;
    city_pass(city_see(t, no).c.start);
    city_until_sent(t, no);
    DOES("account:1", PAUSE, NULL); /* what has not left comes back */
    for (int ms = 0; city_see(t, no).n.sent; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
    city_sender.holds = false;
    s = city_see(t, no);
    assert_int_equal(s.n.waiting, CITY_PHONES);
    assert_null(strstr(tell(t, GET, at, NULL).body, "\"late\""));
    city_pass(s.c.start + 3601);
    assert_non_null(strstr(tell(t, GET, at, NULL).body, "\"late\":40,"));
    a = tell(t, POST, URL("%s/resume", at), "{\"text\":\"核实过了\"}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"late\":40,"));
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_STOPPED), CITY_PHONES);
    assert_int_equal(city_outcomes(&s.n, RUN_REJECTED), 0);
    a = tell(t, GET, URL("%s/steps", at), NULL);
    assert_non_null(strstr(a.body, "核实过了；暂停时有效期已过，40 台设备不再发送"));
    assert_null(strstr(tell(t, GET, at, NULL).body, "\"late\""));
}

/* A pause within its time costs nobody anything. */
static void who_goes_on_in_time_sends_to_all(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\",\"ttl\":3600");
    struct city_seen s;

    city_sender.holds = true;
    city_pass(city_see(t, no).c.start);
    city_until_sent(t, no);
    DOES("account:1", PAUSE, NULL);
    looked();
    city_sender.holds = false;
    city_pass(city_see(t, no).c.start + 3500);
    DOES("account:1", RESUME, NULL);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES);
}

/* Red before: it waited until the clock came to the moment that was written down, an hour later. */
static void who_waits_for_a_try_waits_no_longer_if_the_clock_goes_back(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\""), at;

    city_says = PUSH_AGAIN;
    at = city_see(t, no).c.start;
    city_pass(at);
    city_until(t, no, CAMPAIGN_RUNNING);
    for (int ms = 0; city_see(t, no).n.waiting != CITY_PHONES; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
    looked();
    city_says = PUSH_ACCEPTED;
    clock_set(at - 3600);
    looked();
    city_pass(at - 3600 + 60);
    city_until(t, no, CAMPAIGN_DONE);
    for (int i = 1; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 1);
}

/* ---- the plan ---- */

static const char *plan_of_huawei(struct world *t, int64_t no, const char *member)
{
    struct answer a = tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/plan", no), NULL);
    json_t *plan = json_loads(a.body, 0, NULL), *line;
    const char *text = NULL;
    size_t i;

    assert_int_equal(a.status, 200);
    json_array_foreach(json_object_get(plan, "transports"), i, line)
    {
        const json_t *value = json_object_get(line, member);

        if (!strcmp(json_string_value(json_object_get(line, "transport")), "huawei") && value)
            text = json_is_string(value) ? URL("%s", json_string_value(value))
                                         : URL("%lld", (long long)json_integer_value(value));
    }
    json_decref(plan);
    return text;
}

/* Red before: only parts of what ran counted. Huawei takes 6,000 a second. */
static void the_plan_waits_for_what_goes_first(void **state)
{
    struct world *t = *state;
    int64_t first = city_scheduled(t, ",\"start\":\"2026-11-18T20:00:00+08:00\""),
            then = city_scheduled(t, ",\"start\":\"2026-11-18T20:10:00+08:00\""), now;

    assert_string_equal(plan_of_huawei(t, then, "ends"), "2026-11-18T20:10:01+08:00");
    city_vandalise(t, URL("UPDATE push_approval SET plan = "
                          "'{\"transports\":[{\"send\":6000000,\"transport\":\"huawei\"}]}' "
                          "WHERE campaign = %" PRId64,
                          first));
    assert_string_equal(plan_of_huawei(t, then, "ends"), "2026-11-18T20:16:41+08:00");
    assert_string_equal(plan_of_huawei(t, then, "ahead"), "2400000");
    assert_string_equal(plan_of_huawei(t, then, "rate"), "6000");

    now = city_drafted(t, "");
    assert_string_equal(plan_of_huawei(t, now, "ahead"), "0");
    city_sender.holds = true;
    city_pass(city_see(t, first).c.start);
    city_until_sent(t, first);
    assert_string_equal(plan_of_huawei(t, now, "ahead"), "20"); /* on their way */
    city_sender.holds = false;
    city_until(t, first, CAMPAIGN_DONE);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, city_set_up, city_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_waits_for_its_time),
        TEST(a_time_long_past_waits_for_somebodys_word),
        TEST(what_was_approved_long_ago_does_not_go_out_late),
        TEST(each_begins_once_though_the_clock_goes_back),
        TEST(what_the_clock_leaps_over_waits_for_a_word),
        TEST(a_clock_set_ahead_ends_nothing_and_hurries_nobody),
        TEST(a_clock_set_ahead_prolongs_nothing),
        TEST(who_goes_on_too_late_is_told_how_many_are_past),
        TEST(who_goes_on_in_time_sends_to_all),
        TEST(who_waits_for_a_try_waits_no_longer_if_the_clock_goes_back),
        TEST(the_plan_waits_for_what_goes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
