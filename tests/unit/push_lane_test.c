/* push_lane_test.c - a lane in a time of its own: never faster than the pace, slower when told so, silent when the vendor is out of service, and back afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "push/lane.h"

static int64_t chance(int64_t n)
{
    return (int64_t)(((uint64_t)rand() << 31 | (uint64_t)rand()) % (uint64_t)n);
}

/* Takes whatever may be taken for that long. */
static int64_t drain(struct lane *l, int n, int64_t from, int64_t ms, uint32_t *round)
{
    int64_t taken = 0;

    for (int64_t at = from; at < from + ms; at++)
        for (uint32_t r; (r = lane_take(l, n, at));) {
            *round = r;
            taken += n;
        }
    return taken;
}

static void it_goes_at_its_pace(void **state)
{
    static const int paces[] = { 1, 7, 200, 500, 6000, 50000 };
    uint32_t r;

    (void)state;
    for (size_t i = 0; i < sizeof paces / sizeof *paces; i++)
        for (int n = 1; n <= 1000; n = n * 10) {
            struct lane l;
            int64_t taken;

            lane_init(&l, paces[i], 5000);
            taken = drain(&l, n, 5000, 60000, &r);
            assert_true(taken >= (int64_t)paces[i] * 60 - paces[i] / 1000 - n);
            assert_true(taken <= (int64_t)paces[i] * 60 + paces[i] / 5 + n + 1);
        }
}

/* Whatever comes, in any window no more than its pace allows leaves. */
static void no_window_has_more_than_its_pace(void **state)
{
    enum { STEPS = 400, TOGETHER = 60 };
    static int64_t at[STEPS * TOGETHER], sum[STEPS * TOGETHER + 1];

    (void)state;
    for (int round = 0; round < 300; round++) {
        int64_t pace = 1 + chance(5000), now = chance(1000000);
        int n = 1 + (int)chance(1000), k = 0;
        struct lane l;

        lane_init(&l, pace, now);
        for (int i = 0; i < STEPS; i++) {
            uint32_t r = 0;
            int64_t wait = lane_wait(&l, now);

            for (int j = 0; j < TOGETHER && (r = lane_take(&l, n, now)); j++) {
                at[k] = now;
                sum[k + 1] = sum[k] + n;
                k++;
                assert_int_equal(j ? 0 : wait, 0);
            }
            if (chance(10) == 0)
                lane_told(&l, l.round, (enum lane_news)chance(4), chance(4) ? 0 : chance(5000),
                          now);
            now += chance(3) ? chance(20) : lane_wait(&l, now);
        }
        for (int a = 0; a < k; a += 1 + k / 50)
            for (int b = a; b < k; b += 1 + k / 50)
                assert_true(sum[b + 1] - sum[a] <=
                            pace * (at[b] - at[a] + 1) / 1000 + pace / 5 + n + 2);
    }
}

/* The wait is true: nothing goes before it is over, and then something does. */
static void the_wait_is_exact(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct lane l;
        int64_t now = 1 + chance(100000), wait;
        uint32_t r = 0;

        lane_init(&l, 1 + chance(3000), now);
        for (int k = 0; k < 20; k++) {
            r = lane_take(&l, 1 + (int)chance(50), now);
            if (chance(4) == 0)
                lane_told(&l, r ? r : l.round, (enum lane_news)chance(4),
                          chance(3) ? 0 : chance(3000), now);
            now += chance(5);
        }
        wait = lane_wait(&l, now);
        if (wait > 0) {
            struct lane before = l;

            /* A rising factor may let it go up to a little earlier. */
            assert_int_equal(lane_take(&before, 1, now), 0);
        }
        assert_int_not_equal(lane_take(&l, 1, now + wait), 0);
    }
}

static void too_fast_halves_it_once_a_second(void **state)
{
    struct lane l;
    uint32_t r;
    int64_t taken;

    (void)state;
    lane_init(&l, 1000, 0);
    r = lane_take(&l, 1, 0);
    for (int i = 0; i < 200; i++) /* all that was under way is told the same */
        lane_told(&l, r, LANE_SLOW, 0, 10 + i);
    assert_int_equal(l.factor, 500);
    taken = drain(&l, 1, 210, 500, &r);
    assert_in_range(taken, 340, 352); /* 700 ms at a half */
    lane_told(&l, r, LANE_SLOW, 0, 1500);
    assert_int_equal(l.factor, 300); /* a second was quiet: 600, halved */
    for (int64_t at = 3000; at < 60000; at += 1000)
        lane_told(&l, r, LANE_SLOW, 0, at);
    assert_in_range(l.factor, LANE_FACTOR_LEAST, 120);
}

static void each_quiet_second_gives_back_a_tenth(void **state)
{
    struct lane l;
    uint32_t r;

    (void)state;
    lane_init(&l, 1000, 0);
    r = lane_take(&l, 1, 0);
    lane_told(&l, r, LANE_SLOW, 0, 0);
    for (int s = 1; s <= 5; s++) {
        (void)lane_take(&l, 1, s * 1000);
        assert_int_equal(l.factor, 500 + s * 100);
    }
    (void)lane_take(&l, 1, 60000);
    assert_int_equal(l.factor, 1000);
}

static void a_retry_after_is_kept(void **state)
{
    struct lane l;
    uint32_t r;

    (void)state;
    lane_init(&l, 1000, 0);
    r = lane_take(&l, 1, 0);
    lane_told(&l, r, LANE_SLOW, 7000, 100);
    assert_int_equal(lane_wait(&l, 100), 7000);
    assert_int_equal(lane_take(&l, 1, 7099), 0);
    assert_int_not_equal(lane_take(&l, 1, 7100), 0);
    lane_told(&l, r, LANE_SLOW, INT64_MAX, 8000); /* nobody signed it */
    assert_int_equal(lane_wait(&l, 8000), LANE_AFTER_MOST_MS);
}

static void fail_n(struct lane *l, uint32_t round, int n, int64_t now)
{
    for (int i = 0; i < n; i++)
        lane_told(l, round, LANE_FAILED, 0, now);
}

static void five_failures_in_a_row_open_it(void **state)
{
    struct lane l;
    uint32_t r;

    (void)state;
    lane_init(&l, 1000, 0);
    r = lane_take(&l, 1, 0);
    fail_n(&l, r, 4, 0);
    assert_false(lane_is_open(&l));
    lane_told(&l, r, LANE_WENT, 0, 0);
    fail_n(&l, r, 4, 0);
    assert_false(lane_is_open(&l));
    fail_n(&l, r, 1, 0);
    assert_true(lane_is_open(&l));
    assert_int_equal(lane_take(&l, 1, 999), 0);
}

/* 1 s, 2 s, 4 s … 60 s, one trial each, though all that was under way fails too. */
static void an_outage_of_an_hour_costs_few_trials(void **state)
{
    static const int64_t open[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
    struct lane l;
    uint32_t before, r;
    int64_t now = 50;
    int trials = 0;

    (void)state;
    lane_init(&l, 1000, 0);
    before = lane_take(&l, 1, 0);
    fail_n(&l, before, 200, now);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_int_equal(lane_wait(&l, now), open[i]);
        assert_int_equal(lane_take(&l, 1, now + open[i] - 1), 0);
        now += open[i];
        r = lane_take(&l, 1, now);
        assert_int_not_equal(r, 0);
        assert_int_equal(lane_take(&l, 1, now + 5), 0); /* one at a time */
        fail_n(&l, before, 50, now + 5);                /* late ones of before */
        lane_told(&l, r, LANE_DOWN, 0, now);
    }
    for (int64_t end = now + 3600 * 1000; now < end; now += lane_wait(&l, now)) {
        if ((r = lane_take(&l, 1, now))) {
            lane_told(&l, r, LANE_FAILED, 0, now);
            trials++;
        }
    }
    assert_in_range(trials, 55, 65);
    now += lane_wait(&l, now);
    r = lane_take(&l, 1, now);
    lane_told(&l, r, LANE_WENT, 0, now + 20);
    assert_false(lane_is_open(&l));
    assert_int_not_equal(lane_take(&l, 1, now + 2000), 0);
    assert_int_not_equal(lane_take(&l, 1, now + 2000), 0);
}

static void a_trial_that_is_lost_is_made_again(void **state)
{
    struct lane l;
    uint32_t r;

    (void)state;
    lane_init(&l, 1000, 0);
    r = lane_take(&l, 1, 0);
    fail_n(&l, r, 5, 0);
    assert_int_not_equal(lane_take(&l, 1, 1000), 0);
    assert_int_equal(lane_wait(&l, 1000), LANE_PROBE_MS);
    assert_int_equal(lane_take(&l, 1, 1000 + LANE_PROBE_MS - 1), 0);
    assert_int_not_equal(lane_take(&l, 1, 1000 + LANE_PROBE_MS), 0);
}

/* Its campaign was recalled: nothing was heard of the vendor, and who comes next need not wait until it counts as lost. */
static void a_trial_that_never_left_is_made_again_at_once(void **state)
{
    struct lane l;
    uint32_t early, trial;

    (void)state;
    lane_init(&l, 1000, 0);
    early = lane_take(&l, 1, 0);
    fail_n(&l, early, 5, 0);
    trial = lane_take(&l, 1, 1000);
    lane_unsaid(&l, early);
    assert_int_equal(lane_take(&l, 1, 1001), 0);
    lane_unsaid(&l, trial);
    assert_true(lane_is_open(&l));
    assert_int_not_equal(lane_take(&l, 1, 1001), 0);
}

static void retries_grow_and_end_with_the_ttl(void **state)
{
    (void)state;
    for (int tries = 1; tries < 40; tries++) {
        int64_t most = tries > 9 ? 900 : 2 << (tries - 1), low = INT64_MAX, high = 0;

        if (most > 900)
            most = 900;
        for (int i = 0; i < 3000; i++) {
            int64_t at = lane_retry(tries, 1000, 100000, 0, (uint64_t)chance(INT64_MAX));

            low = at < low ? at : low;
            high = at > high ? at : high;
        }
        assert_in_range(low, 1000 + most / 2, 1000 + most / 2 + most / 100 + 1);
        assert_in_range(high, 1000 + most - most / 100 - 1, 1000 + most);
    }
    assert_true(lane_retry(1, 1000, 100000, 60, 7) >= 1060);
    assert_int_equal(lane_retry(5, 1000, 1010, 0, 7), -1);
    assert_int_equal(lane_retry(1, 1000, 1050, 60, 7), -1);
    assert_int_equal(lane_retry(INT32_MAX, 1000, INT64_MAX / 2, 0, 0), 1450);
}

static void a_retry_after_is_seconds_or_a_date(void **state)
{
    static const struct {
        const char *value;
        int64_t ms;
    } of[] = { { "120", 120000 },
               { "0", 0 },
               { "", 0 },
               { "-5", 0 },
               { "1.5", 0 },
               { " 5", 0 },
               { "99999999999999999999", LANE_AFTER_MOST_MS },
               { "3600", LANE_AFTER_MOST_MS },
               { "Sun, 06 Nov 1994 08:49:37 GMT", 37000 },
               { "Sun, 06 Nov 1994 08:48:37 GMT", 0 },
               { "Sun, 06 Foo 1994 08:49:37 GMT", 0 },
               { "Sun, 99 Nov 1994 08:49:37 GMT", 0 },
               { "Fri, 06 Nov 2094 08:49:37 GMT", LANE_AFTER_MOST_MS },
               { "soon", 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        assert_int_equal(lane_after(of[i].value, 784111740), of[i].ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_at_its_pace),
        cmocka_unit_test(no_window_has_more_than_its_pace),
        cmocka_unit_test(the_wait_is_exact),
        cmocka_unit_test(too_fast_halves_it_once_a_second),
        cmocka_unit_test(each_quiet_second_gives_back_a_tenth),
        cmocka_unit_test(a_retry_after_is_kept),
        cmocka_unit_test(five_failures_in_a_row_open_it),
        cmocka_unit_test(an_outage_of_an_hour_costs_few_trials),
        cmocka_unit_test(a_trial_that_is_lost_is_made_again),
        cmocka_unit_test(a_trial_that_never_left_is_made_again_at_once),
        cmocka_unit_test(retries_grow_and_end_with_the_ttl),
        cmocka_unit_test(a_retry_after_is_seconds_or_a_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
