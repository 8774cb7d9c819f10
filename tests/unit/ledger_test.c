/*
 * ledger_test.c - who may not have another message now.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "push/ledger.h"
#include "server/base/clock.h"
#include "tests/lib/town.h"

static struct town_books books;

/* Marketing at eleven in the evening, and twice a day. */
static void nights_and_quotas(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    int64_t n[RUN_WHATS];

    p.run.class = PUSH_MARKETING;
    p.a_day = 2;
    p.after = &books;
    clock_set(WORLD_NOW + 7 * TOWN_HOUR);
    town_go(t, &p);
    town_count(&books, n);
    assert_int_equal(n[RUN_QUIET],
                     TOWN_PEOPLE / 5 - 2); /* two of these have a transport that is off */
    clock_set(WORLD_NOW + 20 * TOWN_HOUR); /* noon of the next day */
    for (int64_t campaign = 2; campaign < 5; campaign++) {
        p.run.campaign = campaign;
        p.run.ends_ms = clock_now_ms() + TOWN_HOUR * 1000;
        town_go(t, &p);
        town_count(&books, n);
        assert_int_equal(n[RUN_QUOTA], campaign < 4 ? 0 : TOWN_PEOPLE - TOWN_PEOPLE / 7);
    }
    p.run.class = PUSH_SERVICE; /* has no quota, and wakes who wants to be told */
    p.run.campaign = 5;
    clock_set(WORLD_NOW + 31 * TOWN_HOUR);
    p.run.ends_ms = clock_now_ms() + TOWN_HOUR * 1000;
    town_go(t, &p);
    town_count(&books, n);
    assert_int_equal(n[RUN_ACCEPTED], TOWN_PEOPLE - TOWN_PEOPLE / 7);
}

/* Red before: each phone had as many. */
static void a_person_has_so_many_a_day_on_all_his_phones(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    int64_t second;

    town_tells(t, 1, "the-second-phone-of-the-first", TRANSPORT_APNS, 3000);
    second = world_number(t, "SELECT max(no) FROM push_address");
    p.run.class = PUSH_MARKETING;
    p.a_person = 2;
    for (int64_t campaign = 1; campaign <= 4; campaign++) {
        /* first to one, then to the other, then to both */
        static const char *const whom[] = { "{\"transport\":\"huawei\"}",
                                            "{\"transport\":\"apns\"}", "{\"all\":true}",
                                            "{\"all\":true}" };

        p.run.campaign = campaign;
        p.run.audience = whom[campaign - 1];
        p.run.ends_ms = clock_now_ms() + TOWN_HOUR * 1000;
        town_go(t, &p);
    }
    assert_int_equal(v.shown[town_device[0]], 1); /* the first, and then his other phone's */
    assert_int_equal(v.shown[second], 1);
    assert_int_equal(v.shown[town_device[1]], 2); /* one phone: the second and the third */
    assert_int_equal(v.shown[town_device[2]], 2);
    clock_set(WORLD_NOW + 24 * TOWN_HOUR);
    p.run.campaign = 5;
    p.run.ends_ms = clock_now_ms() + TOWN_HOUR * 1000;
    town_go(t, &p);
    assert_int_equal(v.shown[town_device[0]], 2);
    assert_int_equal(v.shown[second], 2);
}

/* Who sends reads all words of quiet hours once a minute and block, not for each batch. */
static void the_night_is_read_once_a_minute(void **state)
{
    static struct ledger_quiets quiets;
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    struct bits first, again;

    memset(&quiets, 0, sizeof quiets);
    town_opened(t, &p);
    clock_set(WORLD_NOW + 7 * TOWN_HOUR);
    world_begin(t);
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 0, &first), RC_OK);
    world_commit(t);
    assert_true(bits_count(&first) > 0);
    world_vandalise(t, "DELETE FROM push_set");
    world_begin(t);
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 0, &again), RC_OK);
    assert_int_equal(bits_count(&again), bits_count(&first));
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 1, &again), RC_OK);
    assert_int_equal(bits_count(&again), 0);
    clock_set(clock_now() + 60);
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 0, &again), RC_OK);
    assert_int_equal(bits_count(&again), 0);
    world_commit(t);
}

/* ---- what the vendor allows ---- */

static struct town_taking marketing(int64_t refused_until_ms)
{
    return (struct town_taking){ .by = TRANSPORT_HUAWEI,
                                 .limits = { .most = RUN_BATCH,
                                             .a_day = { [PUSH_MARKETING] = 1 },
                                             .news_a_day = 2,
                                             .refused_until_ms = { [PUSH_MARKETING] =
                                                                       refused_until_ms } } };
}

/* Red before: it was sent, and refused for good. Who asks for service is not kept waiting. */
static void a_vendors_night_is_waited_for_if_there_is_time(void **state)
{
    struct library_world *t = *state;
    int64_t morning = clock_now_ms() + 2 * TOWN_HOUR * 1000;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    struct town_taking k = marketing(morning);
    int64_t n[RUN_WHATS];

    p.run.class = PUSH_MARKETING;
    p.run.ends_ms = morning + 1000;
    town_opened(t, &p);
    assert_int_equal(world_do(t, town_take, &k), RC_NOT_FOUND);
    p = town_plan_of(2, &v);
    town_opened(t, &p);
    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    assert_int_equal(k.b.campaign, 2);
    town_recover(t); /* skip: these are in doubt */

    p = town_plan_of(3, &v);
    p.run.class = PUSH_MARKETING;
    p.run.ends_ms = morning; /* would be over */
    town_opened(t, &p);
    for (int i = 0; i < 10 && world_do(t, town_take, &k) == RC_OK; i++) {
        if (k.b.campaign == 2)
            town_recover(t);
        else
            assert_int_equal(k.b.n, 0);
    }
    town_book(t, 3, &books);
    town_count(&books, n);
    assert_int_equal(n[RUN_QUIET],
                     world_number(t, "SELECT sum(n) FROM push_part WHERE campaign = 3 AND "
                                     "transport = 1"));
    k = marketing(0);
    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    assert_int_equal(k.b.campaign, 1);
    assert_true(k.b.n > 0);
}

static void licensed_news_has_a_quota_of_its_own(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };

    for (int64_t campaign = 1; campaign <= 3; campaign++) {
        struct town_plan p = town_plan_of(campaign, &v);
        struct town_taking k = marketing(0);
        struct town_writing written = { &k.b, 0 };

        p.run.class = PUSH_MARKETING;
        p.run.news = campaign < 3;
        p.run.audience = "{\"accounts\":[1]}";
        town_opened(t, &p);
        assert_int_equal(world_do(t, town_take, &k), RC_OK);
        assert_int_equal(k.b.n, campaign < 3); /* the third is no news: one a day */
        if (k.b.n) {
            k.b.target[0].what = RUN_ACCEPTED;
            assert_int_equal(world_do(t, town_write, &written), RC_OK);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, town_set_up, town_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nights_and_quotas),
        TEST(a_person_has_so_many_a_day_on_all_his_phones),
        TEST(the_night_is_read_once_a_minute),
        TEST(a_vendors_night_is_waited_for_if_there_is_time),
        TEST(licensed_news_has_a_quota_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
