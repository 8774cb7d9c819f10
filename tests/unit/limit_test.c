/* Token buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "server/http/limit.h"
#include "tests/lib/address.h"

static struct verdict take(const char *address, int64_t now_ms)
{
    struct sockaddr_storage at = address_of(address);

    return limit_take((const struct sockaddr *)&at, now_ms);
}

static void a_bucket_empties_and_fills_again(void **state)
{
    int64_t now = 1000000;
    struct verdict v;

    (void)state;
    limit_init(60);
    for (int i = 59; i >= 0; i--) {
        v = take("10.0.0.1", now);
        assert_true(v.allowed);
        assert_int_equal(v.remaining, i);
    }
    v = take("10.0.0.1", now);
    assert_false(v.allowed);
    assert_int_equal(v.remaining, 0);
    assert_int_equal(v.reset, 1);
    assert_false(take("10.0.0.1", now + 999).allowed); /* refusals cost nothing: */
    assert_true(
        take("10.0.0.1", now + 1000).allowed); /* one a second comes back all the same */
    assert_false(take("10.0.0.1", now + 1000).allowed);
    assert_int_equal(take("10.0.0.1", now + 200000).remaining, 59);
}

static void one_subscriber_is_one_client(void **state)
{
    (void)state;
    limit_init(1);
    assert_true(take("10.0.0.1", 5000).allowed);
    assert_false(take("::ffff:10.0.0.1", 5000).allowed);
    assert_true(take("10.0.0.2", 5000).allowed);
    assert_true(take("2001:db8:1:2::1", 5000).allowed);
    assert_false(take("2001:db8:1:2:ffff::9", 5000).allowed);
    assert_true(take("2001:db8:1:3::1", 5000).allowed);
}

static void no_limit_lets_everybody_pass(void **state)
{
    (void)state;
    limit_init(0);
    assert_false(limit_is_on());
    for (int i = 0; i < 1000; i++)
        assert_true(take("10.0.0.1", 1).allowed);
}

static void a_full_table_forgets_and_never_locks_anybody_out(void **state)
{
    char address[40];

    (void)state;
    limit_init(2);
    for (int i = 0; i < 100000; i++) {
        snprintf(address, sizeof address, "2001:%x:%x::1", i >> 16, i & 0xffff);
        assert_true(take(address, 1000 + i).allowed);
    }
}

/* Each /64 asks once; so many were allowed. */
static int whole_network_asks(int64_t now_ms)
{
    char address[40];
    int allowed = 0;

    for (int i = 0; i < 1 << 16; i++) {
        snprintf(address, sizeof address, "2001:db8:7:%x::1", i);
        allowed += take(address, now_ms).allowed;
    }
    return allowed;
}

static void a_whole_network_has_a_limit_and_takes_nothing_from_strangers(void **state)
{
    int64_t now = 1000000;

    (void)state;
    limit_init(60);
    for (int i = 0; i < 60; i++)
        assert_true(take("10.0.0.1", now).allowed && take("2001:db8:8:1::1", now).allowed);
    for (int i = 0; i < 2; i++)
        assert_true(take("10.0.0.2", now).allowed);
    assert_int_equal(whole_network_asks(now), 60 * LIMIT_NETWORK);
    assert_true(take("2001:db8:7:1::1", now).network);
    assert_int_equal(take("2001:db8:7:1::1", now).quota, 60 * LIMIT_NETWORK);
    assert_false(take("10.0.0.1", now).allowed); /* who had nothing left has nothing now … */
    assert_false(take("2001:db8:8:1::1", now).allowed);
    assert_int_equal(take("10.0.0.2", now).remaining, 57); /* … and who had some has that */
    assert_int_equal(take("10.0.0.3", now).remaining, 59);
    assert_int_equal(whole_network_asks(now + 30000), 30 * LIMIT_NETWORK);
}

static void who_is_refused_takes_nothing_from_his_network(void **state)
{
    int64_t now = 1000000;

    (void)state;
    limit_init(60);
    for (int i = 0; i < 60 * 2 * LIMIT_NETWORK; i++)
        assert_int_equal(take("2001:db8:7:1::1", now).allowed, i < 60);
    assert_false(take("2001:db8:7:1::1", now).network);
    for (int i = 0; i < 60; i++)
        assert_true(take("2001:db8:7:2::1", now).allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills_again),
        cmocka_unit_test(one_subscriber_is_one_client),
        cmocka_unit_test(no_limit_lets_everybody_pass),
        cmocka_unit_test(a_full_table_forgets_and_never_locks_anybody_out),
        cmocka_unit_test(a_whole_network_has_a_limit_and_takes_nothing_from_strangers),
        cmocka_unit_test(who_is_refused_takes_nothing_from_his_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
