/*
 * run_doubt_test.c - whoever may have it already is in doubt at least, however it ends: a recall asks him for it, and the ledger counts it.
 *
 * One phone is sent to, and the process ends before the answer is written. It waits to be sent to again; and then comes each of the endings there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "push/address.h"
#include "push/ledger.h"
#include "server/base/clock.h"
#include "tests/lib/town.h"

enum { LI = 1 }; /* the account of device 0, which Huawei reaches */

static struct town_books books;

/* ---- the second time ---- */

static struct town_taking taking(int a_day)
{
    return (struct town_taking){ .by = TRANSPORT_HUAWEI,
                                 .limits = { .most = RUN_BATCH,
                                             .a_day = { [PUSH_MARKETING] = a_day } } };
}

static void answered(struct library_world *t, enum run_what what, int64_t again_ms)
{
    struct town_taking k = taking(0);
    struct town_writing written = { &k.b, again_ms };

    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    assert_int_equal(k.b.n, 1);
    k.b.target[0].what = what;
    assert_int_equal(world_do(t, town_write, &written), RC_OK);
}

static void nobody_left(struct library_world *t, int a_day)
{
    struct town_taking k = taking(a_day);

    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    assert_int_equal(k.b.n, 0);
}

static void dropped(struct library_world *t, unsigned on)
{
    assert_int_equal(world_do(t, town_drop, &on), RC_OK);
}

static void refused(struct library_world *t)
{
    answered(t, RUN_REJECTED, clock_now_ms());
}

static void out_of_the_vendors_quota(struct library_world *t)
{
    answered(t, RUN_QUOTA, clock_now_ms());
}

static void gone_for_the_vendor(struct library_world *t)
{
    answered(t, RUN_GONE, clock_now_ms());
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address WHERE account = 1"), 0);
}

static void not_sent_and_its_time_is_over(struct library_world *t)
{
    answered(t, 0, INT64_MAX);
}

static void not_sent_and_stopped(struct library_world *t)
{
    struct town_taking k = taking(0);
    struct town_writing written = { &k.b, clock_now_ms() };
    int64_t campaign = 1;

    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    assert_int_equal(world_do(t, town_stop, &campaign), RC_OK);
    k.b.target[0].what = 0;
    assert_int_equal(world_do(t, town_write, &written), RC_OK);
}

static void in_doubt_once_more(struct library_world *t)
{
    answered(t, RUN_DOUBT, clock_now_ms() + 1000);
}

static void stopped(struct library_world *t)
{
    int64_t campaign = 1;

    assert_int_equal(world_do(t, town_stop, &campaign), RC_OK);
    dropped(t, town_on);
}

static void out_of_time(struct library_world *t)
{
    world_vandalise(t, "UPDATE push_run SET ends = 1 WHERE campaign = 1");
    dropped(t, town_on);
}

static void off_by_now(struct library_world *t)
{
    dropped(t, 1U << TRANSPORT_APNS);
}

static void out_of_our_quota(struct library_world *t)
{
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(2, &v);

    p.run.class = PUSH_MARKETING;
    p.run.audience = "{\"accounts\":[1]}";
    town_opened(t, &p);
    world_vandalise(t, "UPDATE push_run SET state = 2 WHERE campaign = 1");
    assert_true(town_send_one(t, &p, TRANSPORT_HUAWEI));
    world_vandalise(t, "UPDATE push_run SET state = 1 WHERE campaign = 1");
    nobody_left(t, 1);
}

static void asleep(struct library_world *t)
{
    clock_set(WORLD_NOW + 7 * TOWN_HOUR); /* eleven in the evening */
    nobody_left(t, 0);
}

static void forgotten_meanwhile(struct library_world *t)
{
    world_begin(t);
    assert_int_equal(address_forget(&t->w, LI, arena_printf(t->mem, "device%016d", 0)), RC_OK);
    world_commit(t);
    nobody_left(t, 0);
}

static const struct ending {
    const char *name;
    void (*ends)(struct library_world *t);
} endings[] = {
    { "refused", refused },
    { "out of the vendor's quota", out_of_the_vendors_quota },
    { "gone for the vendor", gone_for_the_vendor },
    { "not sent, and its time is over", not_sent_and_its_time_is_over },
    { "not sent, and stopped", not_sent_and_stopped },
    { "in doubt once more", in_doubt_once_more },
    { "stopped", stopped },
    { "out of time", out_of_time },
    { "off by now", off_by_now },
    { "out of our quota", out_of_our_quota },
    { "asleep", asleep },
    { "forgotten meanwhile", forgotten_meanwhile },
};

/* ---- what must be so afterwards ---- */

static void opens_its_recall(struct library_world *t)
{
    struct run_new recall = { .campaign = RUN_RECALLS + 1,
                              .audience = "{}",
                              .class = PUSH_MARKETING,
                              .doubt = RUN_RESEND,
                              .ends_ms = clock_now_ms() + TOWN_HOUR * 1000 };
    unsigned on = town_on;

    assert_int_equal(world_do(t, town_begin, &recall), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
    assert_int_equal(
        world_number(t, "SELECT sum(n) FROM push_part WHERE campaign > 281474976710656"), 1);
}

/* Of another campaign: the device had one. */
static void counts_today(struct library_world *t)
{
    struct ledger_ask ask = { .block = town_device[0] / BITS,
                              .except = 3,
                              .class = PUSH_MARKETING,
                              .by = TRANSPORT_HUAWEI,
                              .a_day = 1 };
    struct bits had;

    assert_int_equal(ledger_had(&t->w, &ask, &had), RC_OK);
    assert_true(bits_have(&had, (unsigned)(town_device[0] % BITS)));
    ask.a_day = 0;
    ask.a_person = 1;
    assert_int_equal(ledger_had(&t->w, &ask, &had), RC_OK);
    assert_true(bits_have(&had, (unsigned)(town_device[0] % BITS)));
}

/* Sent to once, and never answered; it waits to be sent to again. */
static void in_doubt(struct library_world *t, struct town_plan *p)
{
    struct town_taking k = taking(0);

    p->run.class = PUSH_MARKETING;
    p->run.doubt = RUN_RESEND;
    p->run.audience = "{\"accounts\":[1]}";
    town_opened(t, p);
    assert_int_equal(world_do(t, town_take, &k), RC_OK);
    assert_int_equal(k.b.n, 1);
    town_recover(t);
    assert_int_equal(world_number(t, "SELECT sum(n) FROM push_batch WHERE sent = 0"), 1);
}

/* Red before: each of them ended as what it was the second time. */
static void whoever_may_have_it_is_in_doubt_at_least(void **state)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct town_vendor v = { 0 };
        struct library_world *t;
        struct town_plan p;

        if (i) {
            town_tear_down(state);
            town_set_up(state);
        }
        t = *state;
        p = town_plan_of(1, &v);
        print_message("# %s\n", endings[i].name);
        in_doubt(t, &p);
        counts_today(t); /* while it waits */
        endings[i].ends(t);
        counts_today(t);
        town_book(t, 1, &books);
        assert_int_equal(books.outcome[town_device[0]], RUN_DOUBT);
        opens_its_recall(t);
    }
}

/* It was sent by one vendor, and waits for another by then: it is in doubt where it was sent. */
static void whoever_moved_is_in_doubt_where_he_was_sent_to(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    int64_t campaign = 1;

    in_doubt(t, &p);
    town_tells(t, LI, arena_printf(t->mem, "device%016d", 0), TRANSPORT_APNS, 77);
    nobody_left(t, 0);
    assert_int_equal(world_number(t, "SELECT transport FROM push_batch"), TRANSPORT_APNS);
    assert_int_equal(world_do(t, town_stop, &campaign), RC_OK);
    dropped(t, town_on);
    assert_int_equal(world_number(t, "SELECT transport FROM push_outcome WHERE what = 6"),
                     TRANSPORT_HUAWEI);
    town_book(t, 1, &books);
    assert_int_equal(books.outcome[town_device[0]], RUN_DOUBT);
}

/* The second time it arrives: then it is known, and is one message more. */
static void whoever_got_it_the_second_time_had_two(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    struct ledger_ask ask = { .block = town_device[0] / BITS,
                              .except = 3,
                              .class = PUSH_MARKETING,
                              .by = TRANSPORT_HUAWEI,
                              .a_day = 2 };
    struct bits had;

    in_doubt(t, &p);
    answered(t, RUN_ACCEPTED, clock_now_ms());
    town_book(t, 1, &books);
    assert_int_equal(books.outcome[town_device[0]], RUN_ACCEPTED);
    assert_int_equal(ledger_had(&t->w, &ask, &had), RC_OK);
    assert_true(bits_have(&had, (unsigned)(town_device[0] % BITS)));
    ask.a_day = 3;
    assert_int_equal(ledger_had(&t->w, &ask, &had), RC_OK);
    assert_false(bits_have(&had, (unsigned)(town_device[0] % BITS)));
}

/* A vendor that keeps silent over midnight is asked again once, not once a day. */
static void who_keeps_silent_is_asked_again_once(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);

    clock_set(WORLD_NOW + 4 * TOWN_HOUR);
    p.run.ends_ms = clock_now_ms() + 24 * TOWN_HOUR * 1000;
    in_doubt(t, &p);
    clock_set(WORLD_NOW + 16 * TOWN_HOUR); /* eight in the morning */
    in_doubt_once_more(t);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_batch"), 0);
    town_book(t, 1, &books);
    assert_int_equal(books.outcome[town_device[0]], RUN_DOUBT);
}

/* What a disk lost of those that wait may have been sent. */
static void what_was_lost_of_them_is_in_doubt(void **state)
{
    struct library_world *t = *state;
    struct town_vendor v = { 0 };
    struct town_plan p = town_plan_of(1, &v);
    struct run_counts n;
    int rows = 0;

    in_doubt(t, &p);
    world_vandalise(t, "UPDATE push_batch SET bits = x'00'");
    world_begin(t);
    assert_int_equal(run_mend(&t->w, 1, &rows), RC_OK);
    world_commit(t);
    assert_int_equal(rows, 1);
    assert_int_equal(run_count(&t->w, 1, &n), RC_OK);
    assert_int_equal(n.by[TRANSPORT_HUAWEI][RUN_DOUBT], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, town_set_up, town_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_may_have_it_is_in_doubt_at_least),
        TEST(whoever_moved_is_in_doubt_where_he_was_sent_to),
        TEST(whoever_got_it_the_second_time_had_two),
        TEST(who_keeps_silent_is_asked_again_once),
        TEST(what_was_lost_of_them_is_in_doubt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
