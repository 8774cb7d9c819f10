/*
 * tree_test.c - the tree in memory against the definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sync/tree.h"
#include "tests/lib/sync_world.h"

enum { MOST = 9000 };

static uint8_t leaves[MOST][HASH_BYTES];

static void naive(uint64_t from, uint64_t n, uint8_t out[HASH_BYTES])
{
    uint8_t node[1 + 2 * HASH_BYTES] = { 0x01 };
    uint64_t k = 1;

    if (!n)
        sha256("", 0, out);
    if (n == 1)
        memcpy(out, leaves[from], HASH_BYTES);
    if (n < 2)
        return;
    while (k * 2 < n)
        k *= 2;
    naive(from, k, node + 1);
    naive(from + k, n - k, node + 1 + HASH_BYTES);
    sha256(node, sizeof node, out);
}

static void assert_root(struct tree *t)
{
    uint8_t ours[HASH_BYTES], theirs[HASH_BYTES];

    tree_root(t, ours);
    naive(0, tree_size(t), theirs);
    assert_memory_equal(ours, theirs, HASH_BYTES);
}

static void put(struct tree *t, uint64_t born, uint32_t value)
{
    sha256(&value, sizeof value, leaves[born]);
    tree_put(t, born, value, leaves[born]);
}

static void an_empty_tree_has_the_root_of_nothing(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    assert_root(t);
    tree_free(t);
}

static void every_size_up_to_some_tiles_has_the_root_of_the_definition(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        put(t, i, i);
        assert_root(t);
    }
    tree_free(t);
}

static void a_random_history_has_the_root_of_the_definition(void **state)
{
    struct tree *t = tree_new();
    uint32_t value = 1;

    (void)state;
    srandom(7);
    while (tree_size(t) < MOST) {
        /* Bursts from one change to more than are noted at once. */
        for (long n = random() % 5 ? random() % 50 : random() % 6000; n >= 0; n--) {
            uint64_t size = tree_size(t);

            if (size < MOST && (!size || random() % 3))
                put(t, size, value++);
            else
                put(t, (uint64_t)random() % size, value++);
        }
        assert_root(t);
    }
    tree_free(t);
}

static void a_tree_may_be_filled_from_its_end(void **state)
{
    struct tree *t = tree_new();
    enum { SIZE = 5000, SMALLER = 3000, LARGER = 7000 };

    (void)state;
    memset(leaves, 0, sizeof leaves);
    for (uint32_t i = 0; i < 700; i++)
        put(t, i, i);
    assert_root(t);
    tree_reserve(t, SIZE);
    for (uint32_t i = SIZE; i-- > 4000;)
        put(t, i, i + 1);
    assert_int_equal(tree_size(t), SIZE);
    assert_root(t); /* with zeros in between */
    for (uint32_t i = 4000; i-- > 500;)
        put(t, i, i + 1);
    assert_root(t);
    for (uint32_t i = SIZE; i < LARGER; i++)
        put(t, i, i);
    assert_root(t);
    tree_reserve(t, SMALLER);
    assert_root(t);
    put(t, 17, 1);
    put(t, SMALLER, 1);
    assert_root(t);
    tree_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_tree_has_the_root_of_nothing),
        cmocka_unit_test(every_size_up_to_some_tiles_has_the_root_of_the_definition),
        cmocka_unit_test(a_random_history_has_the_root_of_the_definition),
        cmocka_unit_test(a_tree_may_be_filled_from_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
