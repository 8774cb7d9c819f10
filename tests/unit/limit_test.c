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

static struct verdict take(const char *address, int64_t now_ms)
{
    struct sockaddr_storage at = { 0 };
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&at;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&at;

    if (strchr(address, ':')) {
        six->sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, address, &six->sin6_addr), 1);
    } else {
        four->sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, address, &four->sin_addr), 1);
    }
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
        snprintf(address, sizeof address, "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        assert_true(take(address, 1000 + i).allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills_again),
        cmocka_unit_test(one_subscriber_is_one_client),
        cmocka_unit_test(no_limit_lets_everybody_pass),
        cmocka_unit_test(a_full_table_forgets_and_never_locks_anybody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
