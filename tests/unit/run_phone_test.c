/*
 * run_phone_test.c - phones that move, speak, or are gone in the middle of a campaign.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/address.h"
#include "server/base/clock.h"
#include "tests/lib/town.h"

static struct town_books books;

static void whoever_is_gone_is_forgotten_unless_he_spoke_since(void **state)
{
    struct library_world *t = *state;
    struct town_taking k = { .by = TRANSPORT_APNS, .limits = { .most = RUN_BATCH } };
    struct town_writing written = { &k.b, 0 };
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    unsigned on = town_on;

    p.run.audience = "{\"accounts\":[2,4]}";
    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    assert_int_equal(k.b.n, 2);
    clock_set(clock_now() + 48 * TOWN_HOUR);
    world_begin(t);
    assert_int_equal(address_tell(&t->w, 2, arena_printf(t->mem, "device%016d", 1),
                                  TRANSPORT_APNS, arena_printf(t->mem, "%064d", 1)),
                     RC_OK);
    world_commit(t);
    k.b.target[0].what = k.b.target[1].what = RUN_GONE;
    assert_int_equal(world_do(t, town_write, &written), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address WHERE account = 2"), 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address WHERE account = 4"), 0);
}

static void whoever_moves_meanwhile_gets_it_once(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    unsigned on = town_on;
    int64_t n[RUN_WHATS];

    p.run.areas[0] = "120101";
    p.run.areas[1] = "120102";
    p.run.nareas = 2;
    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    for (int i = 0; world_do(t, town_open, &on) == RC_OK; i++) {
        town_put(t, 1 + i * 7 % TOWN_PEOPLE, "set", "area",
                 town_roll(2) ? "\"120101\"" : "\"120102\"");
        town_put(t, 1 + i * 5 % TOWN_PEOPLE, "set", "area",
                 town_roll(2) ? "\"120101\"" : "\"120103\"");
    }
    while (world_number(t, "SELECT sum(rest) FROM push_part")) {
        town_send_one(t, &p, TRANSPORT_HUAWEI);
        town_send_one(t, &p, TRANSPORT_APNS);
    }
    town_book(t, 1, &books);
    town_count(&books, n);
    assert_int_equal(n[RUN_ACCEPTED] + n[RUN_OFF], TOWN_PEOPLE);
    for (int i = 0; i < TOWN_PEOPLE; i++)
        assert_in_range(v.shown[town_device[i]], 0, 1);
}

/* Red before: nothing was taken any more of what he stood in; and what waited with him was lost. */
static void whoever_is_forgotten_before_his_turn_holds_up_nobody(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { .down = true };
    struct town_plan p = town_plan_of(1, &v);
    int64_t n[RUN_WHATS];

    town_opened(t, &p);
    assert_true(town_send_one(t, &p, TRANSPORT_HUAWEI)); /* they wait */
    world_begin(t);
    for (int i = 0; i < 40;
         i += 8) /* the first, among others, waits; the others are in a part */
        assert_int_equal(address_forget(&t->w, i + 1, arena_printf(t->mem, "device%016d", i)),
                         RC_OK);
    world_commit(t);
    v.down = false;
    clock_set(clock_now() + 60);
    town_send_all(t, &p);
    town_book(t, 1, &books);
    town_count(&books, n);
    assert_int_equal(n[RUN_GONE], 5);
    assert_int_equal(n[RUN_ACCEPTED], TOWN_PEOPLE - TOWN_PEOPLE / 7 - 5);
}

/* Red before: a new number stood in a block that was still to be opened, and the old one had had it. */
static void a_phone_installed_anew_gets_it_once(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    unsigned on = town_on;

    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    assert_int_equal(world_do(t, town_open, &on), RC_OK);
    while (town_send_one(t, &p, TRANSPORT_HUAWEI))
        continue;
    assert_int_equal(v.shown[town_device[0]], 1);
    town_tells(t, 1, "another-name-of-the-same", TRANSPORT_HUAWEI, 0);
    assert_int_equal(world_number(t, "SELECT no FROM push_address WHERE account = 1"),
                     town_device[0]);
    town_tells(t, 2, "a-device-that-came-since-then", TRANSPORT_HUAWEI, 1000);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
    town_send_all(t, &p);
    assert_int_equal(v.shown[town_device[0]], 1);
    assert_int_equal(v.shown[world_number(t, "SELECT max(no) FROM push_address")], 0);
}

/* Red before: it was counted as gone. */
static void who_is_reached_another_way_since_gets_it_there(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);

    town_opened(t, &p);
    town_tells(t, 1, arena_printf(t->mem, "device%016d", 0), TRANSPORT_APNS, 0);
    town_send_all(t, &p);
    town_book(t, 1, &books);
    assert_int_equal(books.outcome[town_device[0]], RUN_ACCEPTED);
    assert_int_equal(v.shown[town_device[0]], 1);
}

/* Red before: gone, though it had a token that was good. */
static void who_spoke_while_he_was_sent_to_gets_it_by_what_he_said(void **state)
{
    struct town_taking k = { .by = TRANSPORT_APNS, .limits = { .most = RUN_BATCH } };
    struct library_world *t = *state;
    struct town_writing written = { &k.b, 0 };
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);

    p.run.audience = "{\"accounts\":[2]}";
    town_opened(t, &p);
    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    clock_set(clock_now() + 5);
    town_tells(t, 2, arena_printf(t->mem, "device%016d", 1), TRANSPORT_APNS, 2000);
    k.b.target[0].what = RUN_GONE;
    assert_int_equal(world_do(t, town_write, &written), RC_OK);
    town_send_all(t, &p);
    town_book(t, 1, &books);
    assert_int_equal(books.outcome[town_device[1]], RUN_ACCEPTED);
}

/* Red before: the note that he had it on the one device took the other out of the run, and out of its sums. */
static void whoever_has_two_phones_and_no_district_gets_it_on_both(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    unsigned on = town_on;
    struct run_counts n;
    int64_t second, done = 0;

    town_tells(t, 1, "the-second-of-the-first-one", TRANSPORT_HUAWEI, 1000);
    second = world_number(t, "SELECT max(no) FROM push_address");
    assert_true(second / BITS != town_device[0] / BITS);
    p.run.class = PUSH_MARKETING;
    p.run.areas[0] = "120101";
    p.run.nareas = 1;
    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        while (town_send_one(t, &p, TRANSPORT_HUAWEI))
            continue;
    town_send_all(t, &p);
    assert_int_equal(v.shown[town_device[0]], 1);
    assert_int_equal(v.shown[second], 1);
    assert_int_equal(world_do(t, town_finish, &done), RC_OK);
    assert_int_equal(run_count(&t->w, 1, &n), RC_OK);
    assert_int_equal(n.audience, TOWN_PEOPLE + 1);
    assert_int_equal(n.by[TRANSPORT_HUAWEI][RUN_ACCEPTED] + n.by[TRANSPORT_APNS][RUN_ACCEPTED] +
                         n.by[TRANSPORT_XIAOMI][RUN_OFF],
                     TOWN_PEOPLE + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, town_set_up, town_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_is_gone_is_forgotten_unless_he_spoke_since),
        TEST(whoever_moves_meanwhile_gets_it_once),
        TEST(whoever_is_forgotten_before_his_turn_holds_up_nobody),
        TEST(a_phone_installed_anew_gets_it_once),
        TEST(who_is_reached_another_way_since_gets_it_there),
        TEST(who_spoke_while_he_was_sent_to_gets_it_by_what_he_said),
        TEST(whoever_has_two_phones_and_no_district_gets_it_on_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
