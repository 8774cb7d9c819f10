/* merge_test.c - the apply rule gives one outcome whatever the order and however often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_highest_seq_wins_in_any_order) };

    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
