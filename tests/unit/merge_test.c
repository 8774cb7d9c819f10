/* merge_test.c - the rules give one outcome whatever the order and however often, where they must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/merge.h"

static void the_highest_seq_wins_in_any_order(void **state)
{
    (void)state;
    assert_true(merge_counts(0, 1));
    assert_false(merge_counts(7, 7));
    assert_false(merge_counts(7, 6));
    for (unsigned seed = 0; seed < 100; seed++) {
        uint64_t held = 0, highest = 0;

        srand(seed);
        for (unsigned i = 0; i < 50; i++) {
            uint64_t seq = (uint64_t)rand() % 40 + 1;

            highest = seq > highest ? seq : highest;
            if (merge_counts(held, seq))
                held = seq;
        }
        assert_int_equal(held, highest);
    }
}

/* ---- sets of numbers ---- */

struct set { /* the plain model */
    bool in[4096];
};

/* A set as a phone might write it: any order, overlaps. */
static void draw(struct set *out, char text[MERGE_MAX])
{
    size_t n = 1;

    *out = (struct set){ 0 };
    text[0] = '"';
    for (int i = rand() % 9; i >= 0; i--) {
        unsigned first = (unsigned)rand() % 4096,
                 last = first + (rand() % 3 ? 0 : (unsigned)rand() % 600);

        last = last < 4096 ? last : 4095;
        for (unsigned k = first; k <= last; k++)
            out->in[k] = true;
        n += (size_t)(last > first ? snprintf(text + n, MERGE_MAX - n, "%u-%u", first, last)
                                   : snprintf(text + n, MERGE_MAX - n, "%u", first));
        if (i)
            text[n++] = ',';
    }
    memcpy(text + n, "\"", 2);
}

static bool holds(const char *text, const struct set *s)
{
    for (unsigned k = 0; k < 4096; k++)
        if (merge_ranges_have(text + 1, strlen(text) - 2, k) != s->in[k])
            return false;
    return true;
}

static const char *unite(const char *a, const char *b, char out[MERGE_MAX])
{
    return merge_value(MERGE_UNION, a, b, out);
}

static void a_union_is_commutative_associative_and_idempotent(void **state)
{
    static char a[MERGE_MAX], b[MERGE_MAX], c[MERGE_MAX], ab[MERGE_MAX], ba[MERGE_MAX],
        x[MERGE_MAX], y[MERGE_MAX], bc[MERGE_MAX];

    (void)state;
    for (unsigned seed = 0; seed < 300; seed++) {
        struct set A, B, C;

        srand(seed);
        draw(&A, a);
        draw(&B, b);
        draw(&C, c);
        assert_string_equal(unite(a, b, ab), unite(b, a, ba));
        assert_string_equal(unite(ab, c, x), unite(a, unite(b, c, bc), y));
        assert_string_equal(unite(x, x, y), x);
        assert_string_equal(unite(x, a, y), x);
        assert_string_equal(unite(x, NULL, y), x);
        for (unsigned k = 0; k < 4096; k++)
            A.in[k] |= B.in[k] | C.in[k];
        if (seed % 10 == 0)
            assert_true(holds(x, &A));
    }
}

static void the_longest_set_has_room(void **state)
{
    static char all[2 * MERGE_MAX], out[MERGE_MAX]; /* "40-40" is read, "40" is written */

    (void)state;
    for (unsigned skip = 2; skip < 6; skip++) {
        size_t longest = 0, n = 0;

        for (unsigned k = 0; k < 4096; k += skip)
            n += (size_t)snprintf(all + n, sizeof all - n, n ? ",%u-%u" : "\"%u-%u", k,
                                  k + skip - 2);
        memcpy(all + n, "\"", 2);
        longest = strlen(unite(NULL, all, out));
        assert_true(longest > 5000 && longest < MERGE_MAX - 1000);
    }
}

static void the_last_writer_wins_and_a_removal_is_one(void **state)
{
    static const enum merge_rule rules[] = { MERGE_LAST, MERGE_OLDEST };
    char out[MERGE_MAX];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(merge_value(rules[i], "1", "2", out), "2");
        assert_string_equal(merge_value(rules[i], "2", "1", out), "1");
        assert_null(merge_value(rules[i], "1", NULL, out));
        assert_string_equal(
            merge_value(rules[i], merge_value(rules[i], NULL, "1", out), "1", out), "1");
    }
}

static void only_what_is_too_many_goes(void **state)
{
    (void)state;
    assert_int_equal(merge_surplus(MERGE_OLDEST, 500, 500), 0);
    assert_int_equal(merge_surplus(MERGE_OLDEST, 503, 500), 3);
    assert_int_equal(merge_surplus(MERGE_LAST, 503, 500), 0);
    assert_int_equal(merge_surplus(MERGE_UNION, 503, 500), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_seq_wins_in_any_order),
        cmocka_unit_test(a_union_is_commutative_associative_and_idempotent),
        cmocka_unit_test(the_longest_set_has_room),
        cmocka_unit_test(the_last_writer_wins_and_a_removal_is_one),
        cmocka_unit_test(only_what_is_too_many_goes),
    };

    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
