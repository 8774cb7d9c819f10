/*
 * code_test.c - six digits by SMS: good once, for five minutes, and for so few guesses that guessing is no way in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/identity/code.h"
#include "server/retention.h"
#include "tests/lib/library_world.h"

enum { DAY = 86400 };

static const uint8_t li[CODE_PHONE] = "li", wang[CODE_PHONE] = "wang";

static int set_up(void **state)
{
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(code_open(&e, t->dir), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    code_close();
    return library_world_tear_down(state);
}

static enum rc ask_for(struct library_world *t, const uint8_t *phone, const char *purpose,
                       int64_t client, char out[CODE_DIGITS + 1], int64_t *wait)
{
    const struct code_ask ask = { phone, purpose, client, false };
    enum rc rc;

    world_begin(t);
    rc = code_make(&t->w, &ask, out, wait);
    world_commit(t);
    return rc;
}

static enum rc known_asks_for(struct library_world *t, const uint8_t *phone, int64_t device,
                              char out[CODE_DIGITS + 1], int64_t *wait)
{
    const struct code_ask ask = { phone, "sign_in", device, true };
    enum rc rc;

    world_begin(t);
    rc = code_make(&t->w, &ask, out, wait);
    world_commit(t);
    return rc;
}

static void send_to(struct library_world *t, const uint8_t *phone, char out[CODE_DIGITS + 1])
{
    int64_t wait;

    assert_int_equal(ask_for(t, phone, "sign_in", 1, out, &wait), RC_OK);
    assert_int_equal(strspn(out, "0123456789"), CODE_DIGITS);
    assert_int_equal(strlen(out), CODE_DIGITS);
}

static bool guess(struct library_world *t, const struct code_guess *g)
{
    bool right = !*g->text; /* whatever it was before, it is set */

    world_begin(t);
    assert_int_equal(code_check(&t->w, g, &right), RC_OK);
    world_commit(t);
    return right;
}

/* By the client that asked. */
static bool try(struct library_world *t, const uint8_t *phone, const char *purpose,
                const char *text)
{
    return guess(t, &(struct code_guess){ phone, purpose, text, 1 });
}

static bool stranger_tries(struct library_world *t, const uint8_t *phone, const char *text)
{
    return guess(t, &(struct code_guess){ phone, "sign_in", text, 666 });
}

static void wrong_of(const char *code, char out[CODE_DIGITS + 1])
{
    strcpy(out, code);
    out[0] = out[0] == '9' ? '0' : out[0] + 1;
}

static void a_code_is_good_once(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];

    send_to(t, li, code);
    assert_true(try(t, li, "sign_in", code));
    assert_false(try(t, li, "sign_in", code));
}

static void it_is_good_for_its_number_and_purpose(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];

    send_to(t, li, code);
    assert_false(try(t, wang, "sign_in", code));
    assert_false(try(t, li, "new_phone", code));
    assert_false(try(t, li, "sign_i", code));
    assert_true(try(t, li, "sign_in", code));
}

static void it_is_good_for_five_minutes(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];

    send_to(t, li, code);
    clock_set(WORLD_NOW + 300);
    assert_false(try(t, li, "sign_in", code));
    clock_set(WORLD_NOW - 1); /* the clock was set back: sent in the future */
    assert_false(try(t, li, "sign_in", code));
    clock_set(WORLD_NOW + 299);
    assert_true(try(t, li, "sign_in", code));
}

static void five_guesses_end_it(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1], wrong[CODE_DIGITS + 1];

    send_to(t, li, code);
    wrong_of(code, wrong);
    for (int i = 0; i < 4; i++)
        assert_false(try(t, li, "sign_in", wrong));
    assert_true(try(t, li, "sign_in", code)); /* the fifth */
    clock_set(WORLD_NOW + 60);
    send_to(t, li, code);
    wrong_of(code, wrong);
    for (int i = 0; i < 5; i++)
        assert_false(try(t, li, "sign_in", wrong));
    assert_false(try(t, li, "sign_in", code));
}

/* Who knows but the number must not be able to spoil each code that its owner asks for. */
static void strangers_cannot_use_up_the_owners_guesses(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1], wrong[CODE_DIGITS + 1];

    send_to(t, li, code);
    wrong_of(code, wrong);
    for (int i = 0; i < 100; i++)
        assert_false(stranger_tries(t, li, wrong));
    assert_int_equal(world_number(t, "SELECT tries FROM code"), CODE_STRANGE);
    assert_false(stranger_tries(t, li, code)); /* nor by guessing on */
    assert_false(try(t, li, "sign_in", wrong));
    assert_true(try(t, li, "sign_in", code));
}

/* His telephone got another address meanwhile. */
static void a_stranger_who_knows_it_is_let_in(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1], wrong[CODE_DIGITS + 1];

    send_to(t, li, code);
    wrong_of(code, wrong);
    assert_false(stranger_tries(t, li, wrong));
    assert_true(stranger_tries(t, li, code));
    assert_false(try(t, li, "sign_in", code));
}

static void what_is_no_code_costs_no_guess(void **state)
{
    static const char *const wrong[] = { "", "12345", "1234567", "123456 ",
                                         "12345678901234567890" };
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];

    send_to(t, li, code);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
            assert_false(try(t, li, "sign_in", wrong[i]));
    assert_true(try(t, li, "sign_in", code));
}

static void a_newer_code_takes_its_place(void **state)
{
    struct library_world *t = *state;
    char first[CODE_DIGITS + 1], second[CODE_DIGITS + 1];

    send_to(t, li, first);
    clock_set(WORLD_NOW + 60);
    do { /* one in a million is the same */
        send_to(t, li, second);
        clock_set(clock_now() + 60);
    } while (!strcmp(first, second));
    assert_false(try(t, li, "sign_in", first));
    assert_true(try(t, li, "sign_in", second));
}

static void a_number_waits_a_minute(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1] = "none";
    int64_t wait = 0;

    send_to(t, li, code);
    strcpy(code, "none");
    clock_set(WORLD_NOW + 20);
    assert_int_equal(ask_for(t, li, "sign_in", 2, code, &wait), RC_TOO_MANY);
    assert_int_equal(wait, 40);
    assert_int_equal(ask_for(t, li, "new_phone", 2, code, &wait), RC_TOO_MANY);
    assert_string_equal(code, "none");
    clock_set(WORLD_NOW + 59);
    assert_int_equal(ask_for(t, li, "sign_in", 2, code, &wait), RC_TOO_MANY);
    assert_int_equal(wait, 1);
    clock_set(WORLD_NOW + 60);
    assert_int_equal(ask_for(t, li, "sign_in", 2, code, &wait), RC_OK);
}

static void a_number_gets_ten_a_day(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];
    int64_t wait = 0;

    for (int i = 0; i < CODE_NUMBER_DAY; i++) {
        clock_set(WORLD_NOW + 1000 * i);
        assert_int_equal(ask_for(t, li, i % 2 ? "sign_in" : "new_phone", i, code, &wait),
                         RC_OK);
    }
    clock_set(WORLD_NOW + 20000);
    assert_int_equal(ask_for(t, li, "sign_in", 77, code, &wait), RC_TOO_MANY);
    assert_int_equal(wait, DAY - 20000);
    assert_int_equal(ask_for(t, wang, "sign_in", 77, code, &wait), RC_OK);
    clock_set(WORLD_NOW + DAY - 1);
    assert_int_equal(ask_for(t, li, "sign_in", 77, code, &wait), RC_TOO_MANY);
    clock_set(WORLD_NOW + DAY);
    assert_int_equal(ask_for(t, li, "sign_in", 77, code, &wait), RC_OK);
    clock_set(WORLD_NOW + DAY + 60);
    assert_int_equal(ask_for(t, li, "sign_in", 77, code, &wait), RC_TOO_MANY);
}

/* Two strangers use up a number's day; its owner's old phone does not mind, and gives a stranger nothing. */
static void a_known_device_has_codes_of_its_own(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];
    int64_t wait = 0;

    for (int i = 0; i < CODE_NUMBER_DAY; i++) {
        clock_set(WORLD_NOW + 100 * i);
        assert_int_equal(ask_for(t, li, "sign_in", 666 + i % 2, code, &wait), RC_OK);
    }
    clock_set(WORLD_NOW + 100 * CODE_NUMBER_DAY - 90);
    assert_int_equal(known_asks_for(t, li, 1, code, &wait), RC_TOO_MANY);
    assert_int_equal(wait, 50);
    for (int i = 0; i < CODE_CLIENT_NUMBER_DAY; i++) {
        clock_set(WORLD_NOW + 5000 + 100 * i);
        assert_int_equal(known_asks_for(t, li, 1, code, &wait), RC_OK);
        assert_false(guess(t, &(struct code_guess){ li, "sign_in", "000", 1 }));
        assert_true(try(t, li, "sign_in", code));
    }
    clock_set(WORLD_NOW + 9000);
    assert_int_equal(known_asks_for(t, li, 1, code, &wait), RC_TOO_MANY);
    assert_int_equal(wait, DAY - 4000);
    assert_int_equal(ask_for(t, li, "sign_in", 77, code, &wait), RC_TOO_MANY);
}

/* So that nobody alone can keep another from signing in. */
static void one_client_gets_half_of_a_numbers_day(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];
    int64_t wait;

    for (int i = 0; i < CODE_CLIENT_NUMBER_DAY; i++) {
        clock_set(WORLD_NOW + 100 * i);
        assert_int_equal(ask_for(t, li, "sign_in", 666, code, &wait), RC_OK);
    }
    clock_set(WORLD_NOW + 5000);
    assert_int_equal(ask_for(t, li, "sign_in", 666, code, &wait), RC_TOO_MANY);
    assert_int_equal(ask_for(t, li, "sign_in", 1, code, &wait), RC_OK);
}

static void a_client_has_a_budget(void **state)
{
    struct library_world *t = *state;
    uint8_t phone[CODE_PHONE] = { 0 };
    char code[CODE_DIGITS + 1];
    int64_t wait;

    for (int i = 0; i < CODE_CLIENT_DAY; i++) {
        phone[0] = (uint8_t)i;
        assert_int_equal(ask_for(t, phone, "sign_in", 5, code, &wait), RC_OK);
    }
    phone[0] = 250;
    assert_int_equal(ask_for(t, phone, "sign_in", 5, code, &wait), RC_TOO_MANY);
    assert_int_equal(wait, DAY);
    assert_int_equal(ask_for(t, phone, "sign_in", 6, code, &wait), RC_OK);
}

/*
 * Somebody with a client for every request asks for codes of one number and guesses all the time,
 * for three days. Counted are the guesses that met a good code, in the worst 24 hours.
 */
static void a_day_of_guessing_succeeds_with_less_than_1_in_10000(void **state)
{
    struct library_world *t = *state;
    int64_t met[400];
    int n = 0, most = 0;

    for (int64_t s = 0; s < 3 * DAY; s += 60) {
        char code[CODE_DIGITS + 1] = "000000", wrong[CODE_DIGITS + 1];
        int64_t wait;

        clock_set(WORLD_NOW + s);
        if (s % 3600 == 0)
            retention_run(t->w.db);
        if (ask_for(t, li, "sign_in", s, code, &wait))
            continue;
        wrong_of(code, wrong);
        for (int i = 0; i < 8; i++) { /* half of them by who asked, half by another */
            int64_t before = world_number(t, "SELECT sum(tries) FROM code");

            assert_false(guess(t, &(struct code_guess){ li, "sign_in", wrong, s + i % 2 }));
            if (world_number(t, "SELECT sum(tries) FROM code") > before)
                met[n++] = s;
        }
    }
    for (int i = 0; i < n; i++) {
        int here = 0;

        for (int j = i; j < n && met[j] < met[i] + DAY; j++)
            here++;
        most = here > most ? here : most;
    }
    print_message("%d guesses met a code in the worst day, %d in all\n", most, n);
    assert_in_range(n, 100, 200); /* the test could count */
    /* Each hits with 1 in 1,000,000: at most `most` in a million, by adding up. */
    assert_true(most * 10000 < 1000000);
    assert_in_range(most, CODE_NUMBER_DAY * CODE_TRIES, (CODE_NUMBER_DAY + 1) * CODE_TRIES);
}

/* 20,000 codes: each digit stands in each place as often as any other, within six sigma. */
static void each_code_is_as_likely(void **state)
{
    enum { N = 20000, EXPECTED = N / 10, SIX_SIGMA = 255 };
    struct library_world *t = *state;
    int seen[CODE_DIGITS][10] = { 0 };

    world_begin(t);
    for (int i = 0; i < N; i++) {
        uint8_t phone[CODE_PHONE] = { (uint8_t)i, (uint8_t)(i >> 8) };
        const struct code_ask ask = { phone, "sign_in", i };
        char code[CODE_DIGITS + 1];
        int64_t wait;

        assert_int_equal(code_make(&t->w, &ask, code, &wait), RC_OK);
        for (int d = 0; d < CODE_DIGITS; d++)
            seen[d][code[d] - '0']++;
    }
    world_commit(t);
    for (int d = 0; d < CODE_DIGITS; d++)
        for (int v = 0; v < 10; v++)
            assert_in_range(seen[d][v], EXPECTED - SIX_SIGMA, EXPECTED + SIX_SIGMA);
}

/* What a thief of the database has: no digits, and no way to try a million of them. */
static void the_database_does_not_hold_it(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];
    struct err e;

    send_to(t, li, code);
    assert_int_equal(
        world_number(t, arena_printf(t->mem,
                                     "SELECT count(*) FROM code WHERE instr(hash, '%s') "
                                     "OR instr(purpose, '%s')",
                                     code, code)),
        0);
    assert_int_equal(world_number(t, "SELECT length(hash) FROM code"), 32);
    code_close(); /* the key is gone: as for somebody who has it not */
    assert_false(try(t, li, "sign_in", code));
    assert_int_equal(code_open(&e, t->dir), RC_OK);
    assert_true(try(t, li, "sign_in", code));
}

static void rows_go_after_a_day(void **state)
{
    struct library_world *t = *state;
    char code[CODE_DIGITS + 1];

    send_to(t, li, code);
    clock_set(WORLD_NOW + DAY - 1);
    retention_run(t->w.db);
    assert_int_equal(world_number(t, "SELECT count(*) FROM code"), 1);
    clock_set(WORLD_NOW + DAY);
    retention_run(t->w.db);
    assert_int_equal(world_number(t, "SELECT count(*) FROM code"), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_code_is_good_once),
        TEST(it_is_good_for_its_number_and_purpose),
        TEST(it_is_good_for_five_minutes),
        TEST(five_guesses_end_it),
        TEST(strangers_cannot_use_up_the_owners_guesses),
        TEST(a_stranger_who_knows_it_is_let_in),
        TEST(what_is_no_code_costs_no_guess),
        TEST(a_newer_code_takes_its_place),
        TEST(a_number_waits_a_minute),
        TEST(a_number_gets_ten_a_day),
        TEST(a_known_device_has_codes_of_its_own),
        TEST(one_client_gets_half_of_a_numbers_day),
        TEST(a_client_has_a_budget),
        TEST(a_day_of_guessing_succeeds_with_less_than_1_in_10000),
        TEST(each_code_is_as_likely),
        TEST(the_database_does_not_hold_it),
        TEST(rows_go_after_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
