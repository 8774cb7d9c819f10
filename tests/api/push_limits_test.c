/*
 * push_limits_test.c - what vendors and settings allow, kept by who sends: the night of a vendor, how many a day, and licensed news.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "push/push_thread.h"
#include "server/base/clock.h"
#include "server/store/writer.h"
#include "tests/lib/push_city.h"

static atomic_int news; /* messages that were sent as news */

/* Who had Xiaomi has vivo since, and no token is another. */
static void moved_to_vivo(struct world *t)
{
    city_vandalise(t, "UPDATE push_address SET transport = 6 WHERE transport = 3");
    atomic_fetch_or(&city_sender.on, 1U << TRANSPORT_VIVO);
}

/* Red before: what the settings said of it was not kept. Vendors allow two. */
static void a_person_gets_as_many_a_day_as_the_settings_say(void **state)
{
    struct campaign_conf settled = *campaign_settled();
    struct world *t = *state;
    struct city_seen s;

    settled.a_person = 1;
    city_settle(t, &settled);
    for (int i = 0; i < 2; i++) {
        int64_t no = city_scheduled(t, "");

        city_until(t, no, CAMPAIGN_DONE);
        s = city_see(t, no);
        assert_int_equal(city_outcomes(&s.n, i ? RUN_QUOTA : RUN_ACCEPTED), CITY_PHONES);
    }
}

/* Red before: the plan alone knew. Half past eleven in the evening: vivo refuses 资讯营销 until seven, and takes what is of service. */
static void a_vendors_night_is_waited_for(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T23:30:00+08:00\"");
    struct city_seen s;

    moved_to_vivo(t);
    city_pass(city_see(t, no).c.start);
    city_until(t, no, CAMPAIGN_RUNNING);
    for (int ms = 0; (s = city_see(t, no)).n.waiting != CITY_PHONES / 2; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    s = city_see(t, no);
    assert_int_equal(s.c.state, CAMPAIGN_RUNNING);
    assert_int_equal(s.n.waiting, CITY_PHONES / 2);
    city_pass(s.c.start + 7 * 3600); /* half past six */
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(city_see(t, no).n.waiting, CITY_PHONES / 2);
    assert_int_equal(city_looks(t, judge_push_stalled), FINE);
    city_pass(s.c.start + 7 * 3600 + 1800);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(s.n.by[TRANSPORT_VIVO][RUN_ACCEPTED], CITY_PHONES / 2);
}

static void whoever_cannot_wait_for_the_morning_is_quiet(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T23:30:00+08:00\",\"ttl\":20000");
    struct city_seen s;

    moved_to_vivo(t);
    city_pass(city_see(t, no).c.start);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(s.n.by[TRANSPORT_HUAWEI][RUN_ACCEPTED], CITY_PHONES / 2);
    assert_int_equal(s.n.by[TRANSPORT_VIVO][RUN_QUIET], CITY_PHONES / 2);
}

static enum push_verdict_kind count_news(const struct push_message *m, const char *token)
{
    (void)token;
    atomic_fetch_add(&news, m->news);
    return PUSH_ACCEPTED;
}

/* Red before: the third of a day was refused by our own ledger, and no vendor was told that it is news. Huawei: two a day, of licensed news five. */
static void licensed_news_has_quotas_of_its_own(void **state)
{
    struct campaign_conf settled = *campaign_settled();
    struct world *t = *state;
    struct city_seen s;

    settled.a_person = 0;
    settled.news_licence = "示例许可 12120260001";
    city_settle(t, &settled);
    city_vandalise(t, "UPDATE site_column SET path = '新闻' WHERE path = '通知公告'");
    city_column = "新闻";
    city_sender.answer = count_news;
    for (int i = 0; i < 3; i++) {
        int64_t no;

        news = 0;
        no = city_scheduled(t, "");
        city_until(t, no, CAMPAIGN_DONE);
        s = city_see(t, no);
        assert_int_equal(s.n.by[TRANSPORT_HUAWEI][RUN_ACCEPTED], CITY_PHONES / 2);
        assert_int_equal(news, 1 + CITY_PHONES); /* and the tester's */
    }
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, city_set_up, city_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_person_gets_as_many_a_day_as_the_settings_say),
        TEST(licensed_news_has_quotas_of_its_own),
        TEST(a_vendors_night_is_waited_for),
        TEST(whoever_cannot_wait_for_the_morning_is_quiet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
