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

#define TEST(name) cmocka_unit_test_setup_teardown(name, town_set_up, town_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nights_and_quotas),
        TEST(a_person_has_so_many_a_day_on_all_his_phones),
        TEST(the_night_is_read_once_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
