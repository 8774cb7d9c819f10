/*
 * throttle_test.c - nobody guesses beyond the numbers, and nobody is locked out by others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/identity/throttle.h"

enum { HOUR = 3600, DAY = 86400, BEGIN = 1000 };
enum { LI = 77, WANG = 88, OWNER = 5, THIEF = 6, PHONE = 99 };

static int set_up(void **state)
{
    *state = throttle_new();
    return 0;
}

static int tear_down(void **state)
{
    throttle_free(*state);
    return 0;
}

/* A wrong one, if it may be tried. */
static enum throttle_answer wrong(void **state, struct throttle_guess g, int64_t now,
                                  int64_t *wait)
{
    enum throttle_answer answer = throttle_take(*state, &g, now, wait);

    if (answer == THROTTLE_GO)
        throttle_wrong(*state, &g, now);
    return answer;
}

static enum throttle_answer guess(void **state, uint64_t client, uint64_t account,
                                  uint64_t device, int64_t now, int64_t *wait)
{
    return wrong(state,
                 (struct throttle_guess){ THROTTLE_PASSWORD, client, account, device, false },
                 now, wait);
}

static enum throttle_answer right(void **state, uint64_t client, uint64_t account, int64_t now)
{
    struct throttle_guess g = { THROTTLE_PASSWORD, client, account, 0, false };
    int64_t wait;
    enum throttle_answer answer = throttle_take(*state, &g, now, &wait);

    if (answer == THROTTLE_GO)
        throttle_right(*state, &g);
    return answer;
}

static void five_guesses_are_free_and_then_it_waits_longer_each_time(void **state)
{
    static const int64_t waits[] = { 60, 120, 240, 480, 960, 1920, 3600, 3600 };
    int64_t now = BEGIN, wait;

    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(state, THIEF, LI, 0, now, &wait), THROTTLE_GO);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        assert_int_equal(guess(state, THIEF, LI, 0, now, &wait), THROTTLE_WAIT);
        assert_int_equal(wait, waits[i]);
        assert_int_equal(guess(state, THIEF, LI, 0, now + wait - 1, &wait), THROTTLE_WAIT);
        assert_int_equal(wait, 1);
        now += waits[i];
        assert_int_equal(guess(state, THIEF, LI, 0, now, &wait), THROTTLE_GO);
    }
}

/* Whoever tries whenever he may. */
static int guesses_in(void **state, uint64_t client, uint64_t account, int64_t seconds)
{
    int64_t now = BEGIN, wait;
    int n = 0;

    while (now < BEGIN + seconds) {
        if (guess(state, client, account, 0, now, &wait) == THROTTLE_GO)
            n++;
        else
            now += wait;
    }
    return n;
}

static void one_client_has_few_guesses_a_day_at_one_account(void **state)
{
    int n = guesses_in(state, THIEF, LI, DAY);

    assert_in_range(n, 30, 35);
}

static void asking_while_one_must_wait_makes_it_neither_longer_nor_shorter(void **state)
{
    int64_t wait;

    for (int i = 0; i < 5; i++)
        guess(state, THIEF, LI, 0, BEGIN, &wait);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(guess(state, THIEF, LI, 0, BEGIN + 30, &wait), THROTTLE_WAIT);
    assert_int_equal(wait, 30);
    assert_int_equal(guess(state, THIEF, LI, 0, BEGIN + 60, &wait), THROTTLE_GO);
}

static void a_client_has_fifty_guesses_an_hour_at_all_accounts(void **state)
{
    int64_t wait;
    int n = 0;

    for (uint64_t account = 1000; account < 1200; account++)
        n += guess(state, THIEF, account, 0, BEGIN, &wait) == THROTTLE_GO;
    assert_int_equal(n, 50);
    assert_int_equal(guess(state, THIEF, 5000, 0, BEGIN + 60, &wait), THROTTLE_GO);
    assert_int_equal(guess(state, THIEF, 5001, 0, BEGIN + 60, &wait), THROTTLE_WAIT);
    assert_int_equal(wait, 120);
    assert_int_equal(guess(state, OWNER, 5000, 0, BEGIN + 60, &wait), THROTTLE_GO);
}

/* Five at each of many numbers: who guesses at all the city's codes is slowed down like any other. */
static void a_client_guesses_at_few_codes(void **state)
{
    int64_t wait;
    int n = 0;

    for (uint64_t i = 0; i < 500; i++)
        n +=
            wrong(state, (struct throttle_guess){ THROTTLE_SMS, THIEF, 1000 + i / 5, 0, false },
                  BEGIN, &wait) == THROTTLE_GO;
    assert_int_equal(n, 50);
    for (uint64_t client = 1000; client < 1200; client++)
        assert_int_equal(wrong(state,
                               (struct throttle_guess){ THROTTLE_SMS, client, LI, 0, false },
                               BEGIN, &wait),
                         THROTTLE_GO);
}

/* Nine in the morning, behind one address. */
static void a_hundred_may_sign_in_at_once_from_one_address(void **state)
{
    struct throttle_guess g = { THROTTLE_PASSWORD, OWNER, 0, 0, false };
    int64_t wait;

    for (g.account = 1000; g.account < 1100; g.account++)
        assert_int_equal(throttle_take(*state, &g, BEGIN, &wait), THROTTLE_GO);
    assert_int_equal(throttle_take(*state, &g, BEGIN, &wait), THROTTLE_BUSY);
    for (g.account = 1000; g.account < 1100; g.account++)
        throttle_right(*state, &g);
    g.account = 2000;
    assert_int_equal(throttle_take(*state, &g, BEGIN, &wait), THROTTLE_GO);
}

/* What was never settled, because its process or its request ended, holds nobody up for long. */
static void what_nobody_gave_back_is_forgotten(void **state)
{
    struct throttle_guess g = { THROTTLE_PASSWORD, OWNER, 0, 0, false };
    int64_t wait;

    for (g.account = 1000; g.account < 1100; g.account++)
        assert_int_equal(throttle_take(*state, &g, BEGIN, &wait), THROTTLE_GO);
    assert_int_equal(throttle_take(*state, &g, BEGIN + 59, &wait), THROTTLE_BUSY);
    assert_int_equal(throttle_take(*state, &g, BEGIN + 60, &wait), THROTTLE_GO);
}

static void strangers_together_have_a_hundred_an_hour(void **state)
{
    int64_t wait;
    int n = 0;

    for (uint64_t client = 1000; client < 1100;
         client++) /* who has guessed before, elsewhere */
        guess(state, client, WANG, 0, BEGIN, &wait);
    for (uint64_t round = 0; round < 3; round++)
        for (uint64_t client = 1000; client < 1100; client++)
            n += guess(state, client, LI, 0, BEGIN, &wait) == THROTTLE_GO;
    assert_int_equal(n, 100);
    assert_int_equal(guess(state, 1000, LI, 0, BEGIN + HOUR - 1, &wait), THROTTLE_CODE);
    assert_int_equal(guess(state, 1000, LI, 0, BEGIN + HOUR, &wait), THROTTLE_GO);
    assert_int_equal(guess(state, 3001, WANG * 7, 0, BEGIN, &wait), THROTTLE_GO);
}

/* The owner has a new phone while a hundred addresses guess at his account: he is let in, and each of theirs has one guess a day. */
static void a_flood_does_not_keep_out_who_is_quiet(void **state)
{
    int64_t wait;
    int n = 0;

    for (int hour = 0; hour < 5; hour++)
        for (uint64_t client = 1000; client < 1150; client++)
            n += guess(state, client, LI, 0, BEGIN + hour * HOUR, &wait) == THROTTLE_GO;
    assert_in_range(n, 150, 650);
    assert_int_equal(guess(state, 1000, LI, 0, BEGIN + 4 * HOUR, &wait), THROTTLE_CODE);
    assert_int_equal(right(state, OWNER, LI, BEGIN + 4 * HOUR), THROTTLE_GO);
}

static void nobody_can_lock_out_who_was_here_before(void **state)
{
    int64_t wait;

    for (uint64_t client = 1000; client < 5000; client++)
        guess(state, client, LI, 0, BEGIN, &wait);
    assert_int_equal(guess(state, OWNER, LI, 0, BEGIN, &wait), THROTTLE_CODE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(state, OWNER, LI, PHONE, BEGIN, &wait), THROTTLE_GO);
    assert_int_equal(guess(state, OWNER, LI, PHONE, BEGIN, &wait), THROTTLE_WAIT);
    assert_int_equal(wait, 60);
    assert_int_equal(guess(state, OWNER, LI, PHONE, BEGIN + HOUR, &wait), THROTTLE_GO);
}

static void a_stranger_from_a_quiet_address_is_not_locked_out_by_one_thief(void **state)
{
    int64_t wait;

    guesses_in(state, THIEF, LI, HOUR);
    assert_int_equal(guess(state, OWNER, LI, 0, BEGIN + HOUR, &wait), THROTTLE_GO);
}

static void who_was_right_begins_anew(void **state)
{
    int64_t wait;

    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++)
            assert_int_equal(
                guess(state, OWNER, LI + (uint64_t)round, 0, BEGIN + round * HOUR, &wait),
                THROTTLE_GO);
        assert_int_equal(right(state, OWNER, LI + (uint64_t)round, BEGIN + round * HOUR),
                         THROTTLE_GO);
    }
    for (int i = 0; i < 200; i++) /* a right one costs nothing */
        assert_int_equal(right(state, OWNER, WANG * 1000, BEGIN + 101 * HOUR), THROTTLE_GO);
}

static void what_could_not_be_tried_is_given_back(void **state)
{
    struct throttle_guess g = { THROTTLE_PASSWORD, OWNER, LI, 0, false };
    int64_t wait;

    for (int i = 0; i < 4; i++)
        assert_int_equal(guess(state, OWNER, LI, 0, BEGIN, &wait), THROTTLE_GO);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(throttle_take(*state, &g, BEGIN, &wait), THROTTLE_GO);
        throttle_give_back(*state, &g);
    }
    assert_int_equal(guess(state, OWNER, LI, 0, BEGIN, &wait), THROTTLE_GO);
    assert_int_equal(guess(state, OWNER, LI, 0, BEGIN, &wait),
                     THROTTLE_WAIT); /* the four count */
}

/* He signs in to his own account between the guesses at others'. */
static void an_account_of_ones_own_gives_no_guesses_at_others(void **state)
{
    int64_t wait;
    int n = 0;

    for (uint64_t account = 1000; account < 1400; account++) {
        n += guess(state, THIEF, account, 0, BEGIN, &wait) == THROTTLE_GO;
        right(state, THIEF, WANG, BEGIN);
    }
    assert_in_range(n, 49, 50);
}

/* As many as he likes from other addresses do not make it forget him, or the account. */
static void a_flood_makes_it_forget_nothing(void **state)
{
    int64_t wait;

    for (int i = 0; i < 5; i++)
        guess(state, THIEF, LI, 0, BEGIN, &wait);
    for (uint64_t client = 1000; client < 1095; client++)
        assert_int_equal(guess(state, client, LI, 0, BEGIN, &wait), THROTTLE_GO);
    for (uint64_t i = 0; i < 500000; i++)
        guess(state, 10000 + i, 20000000 + i, 0, BEGIN, &wait);
    assert_int_equal(guess(state, THIEF, LI, 0, BEGIN + 59, &wait), THROTTLE_CODE);
    assert_int_equal(guess(state, 999, LI, 0, BEGIN + 59, &wait), THROTTLE_CODE);
}

static void a_second_factor_is_guessed_at_less(void **state)
{
    struct throttle_guess g = { .what = THROTTLE_FACTOR, .account = LI };
    int64_t wait;
    int n = 0;

    for (g.client = 1000; g.client < 2000; g.client++)
        n += throttle_take(*state, &g, BEGIN, &wait) == THROTTLE_GO;
    assert_int_equal(n, 20);
    assert_int_equal(throttle_take(*state, &g, BEGIN, &wait), THROTTLE_WAIT);
    assert_int_equal(guess(state, OWNER, LI, 0, BEGIN, &wait), THROTTLE_GO); /* the password */
    g.device = PHONE;
    assert_int_equal(throttle_take(*state, &g, BEGIN, &wait), THROTTLE_GO);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(five_guesses_are_free_and_then_it_waits_longer_each_time),
        T(one_client_has_few_guesses_a_day_at_one_account),
        T(asking_while_one_must_wait_makes_it_neither_longer_nor_shorter),
        T(a_client_has_fifty_guesses_an_hour_at_all_accounts),
        T(a_client_guesses_at_few_codes),
        T(a_hundred_may_sign_in_at_once_from_one_address),
        T(what_nobody_gave_back_is_forgotten),
        T(strangers_together_have_a_hundred_an_hour),
        T(a_flood_does_not_keep_out_who_is_quiet),
        T(nobody_can_lock_out_who_was_here_before),
        T(a_stranger_from_a_quiet_address_is_not_locked_out_by_one_thief),
        T(who_was_right_begins_anew),
        T(what_could_not_be_tried_is_given_back),
        T(an_account_of_ones_own_gives_no_guesses_at_others),
        T(a_flood_makes_it_forget_nothing),
        T(a_second_factor_is_guessed_at_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
