/* Connections and frame credit by client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/http/crowd.h"
#include "server/http/limit.h"
#include "tests/lib/address.h"

enum { SECOND = 1000000 };

enum answer { IN, FULL, CLIENT_FULL };

static enum answer enter(const char *address, struct crowd_client **out)
{
    struct sockaddr_storage at = address_of(address);

    if (!crowd_enter(false))
        return FULL;
    if (crowd_join((const struct sockaddr *)&at, out))
        return IN;
    crowd_leave(NULL);
    return CLIENT_FULL;
}

/* Fresh clients for each test. */
static int set_up(void **state)
{
    (void)state;
    limit_init(0);
    return 0;
}

static void a_client_has_so_many_and_no_more(void **state)
{
    struct crowd_client *in[3], *other, *none = NULL;

    (void)state;
    crowd_init(&(struct crowd_conf){ .per_client = 3 });
    assert_int_equal(enter("2001:db8:1:2::1", &in[0]), IN);
    assert_int_equal(enter("2001:db8:1:2::2", &in[1]), IN);
    assert_int_equal(enter("2001:db8:1:2:ffff::3", &in[2]), IN);
    assert_int_equal(enter("2001:db8:1:2::4", &none), CLIENT_FULL);
    assert_null(none);
    assert_int_equal(enter("2001:db8:1:3::1", &other), IN);
    crowd_leave(in[1]);
    assert_int_equal(enter("2001:db8:1:2::4", &in[1]), IN);
    assert_int_equal(enter("2001:db8:1:2::5", &none), CLIENT_FULL);
    for (int i = 0; i < 3; i++)
        crowd_leave(in[i]);
    crowd_leave(other);
}

static void all_have_so_many_and_the_operator_one_more(void **state)
{
    struct crowd_client *in[2], *none = NULL;

    (void)state;
    crowd_init(&(struct crowd_conf){ .connections_max = 2 });
    assert_int_equal(enter("10.0.0.1", &in[0]), IN);
    assert_int_equal(enter("10.0.0.2", &in[1]), IN);
    assert_int_equal(enter("10.0.0.3", &none), FULL);
    assert_true(crowd_enter(true));
    crowd_leave(in[0]);
    assert_int_equal(enter("10.0.0.3", &none), FULL);
    crowd_leave(NULL);
    assert_int_equal(enter("10.0.0.3", &in[0]), IN);
    crowd_leave(in[0]);
    crowd_leave(in[1]);
}

static void a_client_spends_what_it_has(void **state)
{
    struct crowd_client *one, *two, *other;
    int64_t now = 5 * SECOND;

    (void)state;
    crowd_init(&(struct crowd_conf){ .credits = 200000 });
    assert_int_equal(enter("10.0.0.1", &one), IN);
    assert_int_equal(enter("10.0.0.1", &two), IN);
    assert_int_equal(enter("10.0.0.2", &other), IN);
    for (int i = 0; i < 200; i++) {
        assert_true(crowd_spend(one, 1000, now));
        assert_true(crowd_spend(two, 1000, now));
    }
    for (int i = 0; i < 100; i++)
        assert_false(crowd_spend(two, 1000, now));
    assert_true(crowd_spend(other, 1000, now));
    assert_false(crowd_spend(one, 1000, now + SECOND / 200 - 1));
    assert_true(crowd_spend(one, 1000, now + SECOND / 200));
    crowd_leave(one);
    crowd_leave(two);
    assert_int_equal(enter("10.0.0.1", &one), IN);
    assert_false(crowd_spend(one, 1000, now + SECOND / 200));
    assert_true(crowd_spend(one, 400000, now + 3 * SECOND));
    assert_false(crowd_spend(one, 1, now + 3 * SECOND));
    assert_true(crowd_spend(one, -150, now + 3 * SECOND)); /* given back */
    assert_true(crowd_spend(one, 150, now + 3 * SECOND));
    assert_false(crowd_spend(one, 1, now + 3 * SECOND));
    crowd_leave(one);
    crowd_leave(other);
}

/* All of them at once: what is over is the client's own, and the last reserve is for who sends one of ordinary size. */
static void bodies_have_a_bound_for_each_client_and_for_all(void **state)
{
    enum { MB = 1 << 20, CLIENTS = 8 };
    struct crowd_client *in[CLIENTS];
    char address[16];

    (void)state;
    crowd_init(&(struct crowd_conf){ 0 });
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(address, sizeof address, "10.0.1.%d", i);
        assert_int_equal(enter(address, &in[i]), IN);
    }
    for (int i = 0; i < 5; i++) {
        assert_true(crowd_carry(in[i], 12 * MB, false));
        assert_false(crowd_carry(in[i], 1, false));
        assert_true(crowd_carry(in[i], -1, false));
    }
    assert_true(crowd_carry(in[0], 4 * MB, true));
    assert_false(crowd_carry(in[0], 1, true));
    assert_false(crowd_carry(in[5], 1, false)); /* 64 MB are full, … */
    assert_false(crowd_carry(NULL, 1, false));
    assert_true(crowd_carry(in[5], 12 * MB, true));
    assert_true(crowd_carry(in[6], 4 * MB - 3, true)); /* … and 16 more */
    assert_false(crowd_carry(in[7], 1, true));
    crowd_carry(in[7], -1, true);
    crowd_carry(in[6], -(4 * MB - 3), true);
    crowd_carry(in[5], -(12 * MB + 1), true);
    crowd_carry(NULL, -1, true);
    crowd_carry(in[0], -(4 * MB + 1), true);
    for (int i = 0; i < 5; i++)
        crowd_carry(in[i], -12 * MB, true);
    assert_int_equal(metric_get(METRIC_bodies_held), 0);
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(crowd_carry(in[i], 1, false));
        crowd_carry(in[i], -1, false);
        crowd_leave(in[i]);
    }
}

static void no_limit_lets_everybody_pass(void **state)
{
    static struct crowd_client *in[5000];

    (void)state;
    crowd_init(&(struct crowd_conf){ 0 });
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(enter("10.0.0.1", &in[i]), IN);
        assert_true(crowd_spend(in[i], 1000000, SECOND));
    }
    for (int i = 0; i < 5000; i++)
        crowd_leave(in[i]);
}

static void more_clients_than_places_are_let_in_too(void **state)
{
    static struct crowd_client *in[40000];
    char address[40];
    int uncounted = 0;

    (void)state;
    crowd_init(&(struct crowd_conf){ .per_client = 1, .credits = 1 });
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40000; i++) {
            snprintf(address, sizeof address, "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
            assert_int_equal(enter(address, &in[i]), IN);
            uncounted += !in[i];
            assert_true(crowd_spend(in[i], 2, (round + 1) * 10LL * SECOND));
        }
        for (int i = 0; i < 40000; i++)
            crowd_leave(in[i]);
    }
    assert_true(uncounted >= 2 * (40000 - 16384));
}

static void room_is_for_what_files_and_memory_allow(void **state)
{
    int64_t room = crowd_room(0, UINT64_MAX);

    (void)state;
    assert_int_equal(crowd_room(300, UINT64_MAX), 300);
    assert_int_equal(crowd_room(300, 1 << 20), 300);
    assert_int_equal(crowd_room(3000, 1024), 1024 - 256);
    assert_int_equal(crowd_room(0, 1024), 1024 - 256);
    assert_int_equal(crowd_room(0, 300), 128);
    assert_true(room > 0 && room <= 1 << 20);
    assert_int_equal(room, memory_limit() / 2 / 65536 < 1 << 20 ? memory_limit() / 2 / 65536
                                                                : 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_for_what_files_and_memory_allow),
        cmocka_unit_test_setup(a_client_has_so_many_and_no_more, set_up),
        cmocka_unit_test_setup(all_have_so_many_and_the_operator_one_more, set_up),
        cmocka_unit_test_setup(a_client_spends_what_it_has, set_up),
        cmocka_unit_test_setup(bodies_have_a_bound_for_each_client_and_for_all, set_up),
        cmocka_unit_test_setup(no_limit_lets_everybody_pass, set_up),
        cmocka_unit_test_setup(more_clients_than_places_are_let_in_too, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
