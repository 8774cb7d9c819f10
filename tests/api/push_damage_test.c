/*
 * push_damage_test.c - what a disk lost costs the campaign that asks for it, and nobody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "push/push_thread.h"
#include "server/base/clock.h"
#include "tests/lib/push_city.h"

/* Red before: every campaign waited for the one whose set was damaged. */
static void a_damaged_set_costs_the_campaign_that_asks_for_it(void **state)
{
    static const char at[] = ",\"start\":\"2026-11-18T23:00:00+08:00\"";
    struct world *t = *state;
    int64_t hurt = city_scheduled(t, at), whole = city_scheduled(t, at);
    struct city_seen s;

    city_vandalise(
        t, "UPDATE push_set SET bits = x'ffffff' WHERE at / 65536 = (SELECT no FROM push_trait "
           "WHERE word = 'transport/xiaomi')");
    city_pass(city_see(t, whole).c.start);
    city_until(t, whole, CAMPAIGN_DONE);
    s = city_see(t, whole);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES);
    assert_int_equal(city_see(t, hurt).c.state, CAMPAIGN_PAUSED);
    assert_true(city_took(t, hurt, "damaged"));
    assert_int_equal(city_looks(t, judge_push_damaged), WARN);
    DOES_TO(hurt, "account:1", RESUME, NULL); /* the set was made anew meanwhile */
    city_until(t, hurt, CAMPAIGN_DONE);
    assert_int_equal(city_looks(t, judge_push_damaged), FINE);
    s = city_see(t, hurt);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES);
}

/* Red before: the server did not start. */
static void a_damaged_batch_does_not_keep_the_server_from_starting(void **state)
{
    static const char at[] = ",\"start\":\"2026-11-18T23:00:00+08:00\"";
    struct world *t = *state;
    int64_t no = city_scheduled(t, at), other = city_scheduled(t, at);
    struct city_seen s;

    city_sender.holds = true;
    city_pass(city_see(t, no).c.start);
    city_until_sent(t, no);
    city_until_sent(t, other);
    city_says = PUSH_DOUBT;
    push_thread_stop();
    city_vandalise(
        t, URL("INSERT INTO push_batch (campaign, transport, block, tries, at, sent, n, bits) "
               "VALUES (%" PRId64 ", 1, 0, 0, 0, 1, 7, x'ffffff')",
               no));
    city_says = PUSH_ACCEPTED;
    city_sender.holds = false;
    city_start(t);
    city_until(t, other, CAMPAIGN_DONE);
    city_until(t, no, CAMPAIGN_PAUSED);
    DOES("account:1", RESUME, NULL);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_DOUBT),
                     CITY_PHONES + 7); /* who is lost, how many is not */
}

/* A row of outcomes, to which the next batch is to be added. */
static void a_damaged_outcome_is_put_aside_and_its_number_stays(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    struct city_seen s;

    city_sender.holds = true;
    city_pass(city_see(t, no).c.start);
    city_until_sent(t, no);
    city_vandalise(
        t,
        URL("INSERT INTO push_outcome (campaign, block, transport, what, day, n, bits) SELECT "
            "campaign, block, transport, 1, %" PRId64 ", 0, x'ffffff' FROM push_batch LIMIT 1",
            (clock_now() + 8 * 3600) / 86400));
    city_sender.holds = false;
    city_until(t, no, CAMPAIGN_PAUSED);
    DOES("account:1", RESUME, NULL);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES);
    for (int i = 1; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 1);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, city_set_up, city_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_damaged_set_costs_the_campaign_that_asks_for_it),
        TEST(a_damaged_batch_does_not_keep_the_server_from_starting),
        TEST(a_damaged_outcome_is_put_aside_and_its_number_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
