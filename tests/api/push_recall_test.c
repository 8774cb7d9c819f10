/*
 * push_recall_test.c - a campaign that is taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "push/push_thread.h"
#include "server/base/clock.h"
#include "tests/lib/push_city.h"

static void a_recall_stops_what_has_not_left(void **state)
{
    struct world *t = *state;
    struct city_seen s;
    int64_t no;

    no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    city_sender.holds = true;
    city_pass(city_see(t, no).c.start);
    city_until(t, no, CAMPAIGN_RUNNING);
    DOES("account:2", RECALL, "写错了");
    city_until(t, no, CAMPAIGN_RECALLED);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_STOPPED), s.n.audience);
    for (int i = 0; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 0);
}

/* In the middle of it: who had it is asked to give it back, by the way of his vendor; who did not get it is not written to at all. */
static void a_recall_takes_back_what_was_shown(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, "");
    struct city_seen s;

    city_sender.recalls[TRANSPORT_HUAWEI] = VENDOR_RECALL_REVOKE;
    city_sender.recalls[TRANSPORT_XIAOMI] = VENDOR_RECALL_OVERWRITE;
    city_until(t, no, CAMPAIGN_DONE);
    DOES("account:2", RECALL, "写错了");
    city_until(t, no, CAMPAIGN_RECALLED);
    for (int i = 0; i < CITY_PHONES; i++) {
        assert_int_equal(city_shown[i], 1);
        assert_int_equal(city_taken_back[i], 1);
    }
    assert_non_null(strstr(city_told, "已撤回"));
    s = city_see(t, RUN_RECALLS + no);
    assert_int_equal(s.n.audience, CITY_PHONES);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES); /* what was sent, was */
}

static void who_cannot_be_recalled_is_said_to_keep_it(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, "");
    struct city_seen s;

    city_sender.recalls[TRANSPORT_HUAWEI] = VENDOR_RECALL_REVOKE;
    city_sender.recalls[TRANSPORT_XIAOMI] = VENDOR_RECALL_NONE;
    city_until(t, no, CAMPAIGN_DONE);
    city_says = PUSH_REJECTED;
    DOES("account:2", RECALL, "写错了");
    city_until(t, no, CAMPAIGN_RECALLED);
    s = city_see(t, RUN_RECALLS + no);
    assert_int_equal(s.n.by[TRANSPORT_HUAWEI][RUN_REJECTED], CITY_PHONES / 2);
    assert_int_equal(s.n.by[TRANSPORT_XIAOMI][RUN_OFF], CITY_PHONES / 2);
}

/* The process ends while orders to take back are on their way: they are given again, for twice does no harm. */
static void a_recall_goes_on_after_a_start(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, "");

    city_sender.recalls[TRANSPORT_HUAWEI] = city_sender.recalls[TRANSPORT_XIAOMI] =
        VENDOR_RECALL_REVOKE;
    city_until(t, no, CAMPAIGN_DONE);
    city_sender.holds = true;
    DOES("account:2", RECALL, "写错了");
    city_until_sent(t, RUN_RECALLS + no);
    city_says = PUSH_DOUBT;
    push_thread_stop();
    city_says = PUSH_ACCEPTED;
    city_sender.holds = false;
    city_start(t);
    city_pass(clock_now() + 120); /* a vendor that did not answer is asked again in a while */
    city_until(t, no, CAMPAIGN_RECALLED);
    for (int i = 0; i < CITY_PHONES; i++) {
        assert_int_equal(city_shown[i], 1);
        assert_true(city_taken_back[i] >= 1);
    }
}

static void withdrawn_with_its_record(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, "");
    struct city_seen s;
    char id[ID_TEXT];

    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/withdraw", id_text(&s.c.item, id)),
                          "{\"reason\":\"写错了\"}")
                         .status,
                     200);
    city_until(t, no, CAMPAIGN_RECALLED);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, city_set_up, city_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_recall_stops_what_has_not_left),
        TEST(a_recall_takes_back_what_was_shown),
        TEST(who_cannot_be_recalled_is_said_to_keep_it),
        TEST(a_recall_goes_on_after_a_start),
        TEST(withdrawn_with_its_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
