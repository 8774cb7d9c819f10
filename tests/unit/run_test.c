/*
 * run_test.c - campaigns that are killed at every place, over vendors that refuse, are slow, lie down and forget to answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "push/run.h"
#include "server/base/clock.h"
#include "tests/lib/town.h"

static struct town_books books;

static void everyone_gets_it_once(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    int64_t n[RUN_WHATS];

    p.after = &books;
    town_go(t, &p);
    town_count(&books, n);
    assert_int_equal(n[RUN_OFF], TOWN_PEOPLE / 7);
    assert_int_equal(n[RUN_ACCEPTED], TOWN_PEOPLE - TOWN_PEOPLE / 7);
    for (int i = 0; i < TOWN_PEOPLE; i++)
        assert_int_equal(v.shown[town_device[i]],
                         books.outcome[town_device[i]] == RUN_ACCEPTED);
}

static void districts_come_in_their_order(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    struct town_taking k = { .by = TRANSPORT_HUAWEI, .limits = { .most = RUN_BATCH } };
    unsigned on = town_on;
    int64_t in[RUN_WHATS];

    p.run.areas[0] = "120102";
    p.run.areas[1] = "120101";
    p.run.nareas = 2;
    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
    for (int i = 0; i < 3;
         i++) { /* the three blocks of the first district, of which some may be empty */
        struct town_writing written = { &k.b, 0 };

        assert_int_equal(world_do(t, town_take, &k), RC_OK);
        for (int j = 0; j < k.b.n; j++)
            k.b.target[j].what = RUN_ACCEPTED;
        assert_int_equal(world_do(t, town_write, &written), RC_OK);
        assert_int_equal(run_count_area(&t->w, 1, "120102", in), RC_OK);
        if (!world_number(t, "SELECT count(*) FROM push_part WHERE transport = 1 AND rank = 0 "
                             "AND next < 65536"))
            break;
    }
    assert_int_equal(world_number(t, "SELECT sum(n) FROM push_outcome WHERE what = 1"),
                     in[RUN_ACCEPTED]);
    assert_true(in[RUN_ACCEPTED] > 0);
    assert_int_equal(run_count_area(&t->w, 1, "120101", in), RC_OK);
    assert_int_equal(in[RUN_ACCEPTED], 0);
}

/* Whoever may have seen it is accepted or in doubt. With skip nobody sees it twice; with resend only who is noted. */
static void killed_at_every_place(void **state)
{
    static const char *const whom[] = { "{\"all\":true}", "{\"area\":\"120101\"}",
                                        "{\"not\":{\"area\":\"120102\"}}",
                                        "{\"accounts\":[1,2,3,5,8,13,21,34,55,89]}" };
    struct library_world *t = *state;
    int64_t twice = 0, doubtful = 0;

    for (int64_t round = 1; round <= (getenv("TJZW_FULL") ? 500 : 12); round++) {
        struct town_vendor *v = calloc(1, sizeof *v);
        struct town_plan p = town_plan_of(round, v);

        v->percent[0] = town_roll(30);
        v->percent[RUN_REJECTED] = town_roll(10);
        v->percent[RUN_QUOTA] = town_roll(10);
        v->percent[RUN_DOUBT] = town_roll(20);
        p.run.audience = whom[town_roll(4)];
        p.run.doubt = town_roll(2) ? RUN_SKIP : RUN_RESEND;
        p.run.areas[0] = "120101";
        p.run.nareas = town_roll(2);
        p.kills = town_roll(30);
        p.stops = town_roll(4) ? 0 : 3;
        p.after = &books;
        town_go(t, &p);
        for (int i = 0; i < TOWN_PEOPLE; i++) {
            int64_t no = town_device[i];

            assert_int_equal(books.outcome[no] != 0, books.audience[no]);
            if (books.outcome[no] == RUN_ACCEPTED)
                assert_true(v->shown[no] >= 1);
            else if (books.outcome[no] != RUN_DOUBT)
                assert_int_equal(v->shown[no], 0);
            if (v->shown[no] > 1) {
                assert_int_equal(p.run.doubt, RUN_RESEND);
                assert_true(books.resent[no]);
                twice++;
            }
            doubtful += books.outcome[no] == RUN_DOUBT;
        }
        free(v);
        clock_set(clock_now() + 24 * TOWN_HOUR);
    }
    assert_true(twice > 0 && doubtful > 0);
}

static void an_hour_without_the_vendor_costs_nobody(void **state)
{
    struct library_world *t = *state;
    int64_t n[RUN_WHATS], devices = world_number(t, "SELECT count(*) FROM push_address");
    struct town_vendor v = { .down = true };
    struct town_plan p = town_plan_of(1, &v);
    unsigned on = town_on;

    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
    for (int64_t until = clock_now() + TOWN_HOUR; clock_now() < until;
         clock_set(clock_now() + 40)) {
        town_send_one(t, &p, TRANSPORT_HUAWEI);
        town_send_one(t, &p, TRANSPORT_APNS);
    }
    v.down = false;
    while (world_number(t, "SELECT count(*) FROM push_batch") ||
           world_number(t, "SELECT sum(rest) FROM push_part")) {
        town_send_one(t, &p, TRANSPORT_HUAWEI);
        town_send_one(t, &p, TRANSPORT_APNS);
        clock_set(clock_now() + 1);
    }
    town_book(t, 1, &books);
    town_count(&books, n);
    assert_int_equal(n[RUN_ACCEPTED], TOWN_PEOPLE - TOWN_PEOPLE / 7);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address"), devices);
}

static enum rc pause_it(struct library_world *t, void *arg)
{
    return run_pause(&t->w, 1, *(bool *)arg);
}

static void paused_it_rests(void **state)
{
    struct library_world *t = *state;
    bool yes = true, no = false;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    unsigned on = town_on;

    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
    assert_int_equal(world_do(t, pause_it, &no), RC_CONFLICT);
    assert_int_equal(world_do(t, pause_it, &yes), RC_OK);
    assert_false(town_send_one(t, &p, TRANSPORT_HUAWEI));
    assert_int_equal(world_do(t, pause_it, &no), RC_OK);
    assert_true(town_send_one(t, &p, TRANSPORT_HUAWEI));
}

/* Its keys are taken away in the middle, and at last its time is over: the campaign ends all the same. */
static void a_transport_that_is_off_by_now_holds_up_nobody(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { .down = true };
    struct town_plan p = town_plan_of(1, &v);
    unsigned on = town_on, later = 1U << TRANSPORT_HUAWEI;
    int64_t n[RUN_WHATS], over = 0;

    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
    assert_true(town_send_one(t, &p, TRANSPORT_APNS)); /* they wait */
    while (world_do(t, town_drop, &later) == RC_OK)
        continue;
    town_book(t, 1, &books);
    town_count(&books, n);
    assert_int_equal(n[RUN_OFF],
                     TOWN_PEOPLE / 7 +
                         world_number(t, "SELECT sum(n) FROM push_part WHERE transport = 7"));
    assert_int_equal(world_do(t, town_finish, &over), RC_NOT_FOUND);
    clock_set(clock_now() + 9 * TOWN_HOUR);
    while (world_do(t, town_drop, &later) == RC_OK)
        continue;
    assert_int_equal(world_do(t, town_finish, &over), RC_OK);
    town_book(t, 1, &books);
    town_count(&books, n);
    assert_int_equal(n[RUN_REJECTED],
                     world_number(t, "SELECT sum(n) FROM push_part WHERE transport = 1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, town_set_up, town_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everyone_gets_it_once), TEST(districts_come_in_their_order),
        TEST(killed_at_every_place), TEST(an_hour_without_the_vendor_costs_nobody),
        TEST(paused_it_rests),       TEST(a_transport_that_is_off_by_now_holds_up_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
