/* What a connection may send below its bytes, and which contexts are watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/http/records.h"

enum { FULL = 16384 };

static int takes(struct record_meter *m, enum record_word word, size_t n, int times)
{
    int i = 0;

    while (i < times && record_meter_take(m, word, n))
        i++;
    return i;
}

static void small_ones_are_counted_by_the_turn(void **state)
{
    struct record_meter m = { 0 };

    (void)state;
    for (int turn = 0; turn < 10; turn++) {
        assert_int_equal(takes(&m, RECORD_DATA, FULL, 100000), 100000);
        assert_int_equal(takes(&m, RECORD_DATA, 23, 100000), RECORDS_SMALL_MAX);
        assert_false(record_meter_take(&m, RECORD_DATA, FULL));
        record_meter_turn(&m);
    }
}

static void keys_and_greetings_are_counted_for_life(void **state)
{
    struct record_meter m = { 0 };

    (void)state;
    assert_int_equal(takes(&m, RECORD_KEY, 5, 100), RECORDS_KEYS_MAX);
    assert_int_equal(takes(&m, RECORD_GREETING, FULL, 1000), RECORDS_GREETING_MAX);
    record_meter_turn(&m);
    assert_false(record_meter_take(&m, RECORD_KEY, 5));
    assert_false(record_meter_take(&m, RECORD_GREETING, FULL));
    assert_true(record_meter_take(&m, RECORD_DATA, 23));
}

/* Two ends in one process: none of these connections is libh2o's, so nobody counts them. */
static void what_is_not_libh2os_is_let_be(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *one = SSL_new(ctx);
    static const char alert[] = "\x15\3\1\0\2\1\x64";

    (void)state;
    records_watch(ctx);
    SSL_free(one);
    one = SSL_new(ctx);
    SSL_set_bio(one, BIO_new_mem_buf(alert, sizeof alert - 1), BIO_new(BIO_s_mem()));
    assert_int_not_equal(SSL_accept(one), 1);
    SSL_free(one);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_ones_are_counted_by_the_turn),
        cmocka_unit_test(keys_and_greetings_are_counted_for_life),
        cmocka_unit_test(what_is_not_libh2os_is_let_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
