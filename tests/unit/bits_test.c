/* A block of places against an array of booleans: every operation, and both forms it is written in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "push/bits.h"

static void draw(struct bits *b, bool *plain, int n)
{
    bits_clear(b);
    memset(plain, 0, BITS);
    for (int i = 0; i < n; i++) {
        unsigned place = (unsigned)rand() % BITS;

        bits_put(b, place);
        plain[place] = true;
    }
}

static void assert_same(const struct bits *b, const bool *plain)
{
    int n = 0, at = -1;

    for (unsigned i = 0; i < BITS; i++) {
        if (bits_have(b, i) != plain[i])
            fail_msg("place %u", i);
        if (!plain[i])
            continue;
        assert_int_equal(bits_next(b, at + 1), (int)i);
        at = (int)i;
        n++;
    }
    assert_int_equal(bits_next(b, at + 1), -1);
    assert_int_equal(bits_count(b), n);
}

static bool pa[BITS], pb[BITS], pr[BITS];

static void what_it_does_an_array_of_booleans_does(void **state)
{
    static const int sizes[] = { 0, 1, 50, 4095, 4096, 30000, 1 << 20 };
    enum { N = sizeof sizes / sizeof *sizes };
    struct bits a, b, r;

    (void)state;
    for (int i = 0; i < N * N; i++) {
        draw(&a, pa, sizes[i / N]);
        draw(&b, pb, sizes[i % N]);
        assert_same(&a, pa);
        r = a;
        bits_and(&r, &b);
        for (int k = 0; k < BITS; k++)
            pr[k] = pa[k] && pb[k];
        assert_same(&r, pr);
        r = a;
        bits_or(&r, &b);
        for (int k = 0; k < BITS; k++)
            pr[k] = pa[k] || pb[k];
        assert_same(&r, pr);
        r = a;
        bits_without(&r, &b);
        for (int k = 0; k < BITS; k++)
            pr[k] = pa[k] && !pb[k];
        assert_same(&r, pr);
    }
}

static void put_and_take_are_each_others_end(void **state)
{
    struct bits b;

    (void)state;
    bits_clear(&b);
    for (unsigned i = 0; i < BITS; i += 63)
        bits_put(&b, i);
    for (unsigned i = 0; i < BITS; i += 63)
        bits_take(&b, i);
    assert_int_equal(bits_count(&b), 0);
    assert_int_equal(bits_next(&b, BITS), -1);
}

/* Exactly n places. */
static void fill(struct bits *b, int n)
{
    bits_clear(b);
    while (bits_count(b) < n)
        bits_put(b, (unsigned)rand() % BITS);
}

static void what_is_written_is_read_again(void **state)
{
    static const int sizes[] = { 0, 1, 2, 4094, 4095, 4096, 4097, 65535, 65536 };
    uint8_t out[BITS_BYTES];
    struct bits a, b;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n;

        fill(&a, sizes[i]);
        n = bits_write(&a, out);
        assert_int_equal(n, sizes[i] < 4096 ? (size_t)sizes[i] * 2 : BITS_BYTES);
        assert_true(bits_read(&b, out, n));
        assert_memory_equal(&a, &b, sizeof a);
    }
}

static void what_it_never_writes_is_refused(void **state)
{
    static const uint8_t odd[] = { 1, 0, 2 }, down[] = { 2, 0, 1, 0 }, twice[] = { 1, 0, 1, 0 };
    static uint8_t few[BITS_BYTES], more[BITS_BYTES + 2];
    struct bits b;

    (void)state;
    few[0] = 1;
    assert_false(bits_read(&b, odd, sizeof odd));
    assert_false(bits_read(&b, down, sizeof down));
    assert_false(bits_read(&b, twice, sizeof twice));
    assert_false(bits_read(&b, few, sizeof few));
    assert_false(bits_read(&b, more, sizeof more));
    assert_int_equal(bits_count(&b), 0);
    assert_true(bits_read(&b, "", 0));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_does_an_array_of_booleans_does),
        cmocka_unit_test(put_and_take_are_each_others_end),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(what_it_never_writes_is_refused),
    };

    srand(7);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
