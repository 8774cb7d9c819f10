/*
 * follow_repair_test.c - a store that does not add up, and one of a history that is no more: what differs is
 * found and fetched, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/follow_phone.h"

static struct fake *a_large_server(unsigned items)
{
    struct fake *s = a_server(items);

    fake_index(s);
    for (uint64_t i = 0; i < items; i += 17)
        fake_edit(s, i, "在层里", "{\"body\":\"短\"}");
    fake_layer(s);
    fake_edit(s, items / 2, "索引之后", "{}");
    fake_head(s);
    return s;
}

/* Bytes of a first sync with the same wishes. */
static uint64_t first_sync(const struct phone *like)
{
    struct phone p = phone_new(like->net.server);
    uint64_t bytes;

    p.horizon = like->horizon;
    p.in_steps = like->in_steps;
    phone_must_sync(&p);
    bytes = p.last.bytes_down;
    phone_done(&p);
    return bytes;
}

static void harm(struct phone *p, uint64_t born)
{
    struct memory_record *r = p->store->now->items[born].record;

    r->at[r->n - 1] ^= 1;
}

static void lose(struct phone *p, uint64_t born)
{
    free(p->store->now->items[born].record);
    p->store->now->items[born].record = NULL;
}

static void must_repair(struct phone *p)
{
    p->repair = true;
    phone_must_sync(p);
    assert_true(p->last.repaired);
    p->repair = false;
    phone_must_sync(p);
    assert_int_equal(p->last.requests, 1);
    assert_false(p->last.repaired);
}

static void nothing_that_is_right_is_fetched_again(void **state)
{
    struct fake *s = a_large_server(5000);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    p.repair = true;
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 4); /* heads, ancestry, directory, cover */
    assert_int_equal(p.last.records, 0);
    p.repair = false;

    harm(&p, 100);
    lose(&p, 101);
    harm(&p, 4999); /* in the last tile, which the cover lists itself */
    p.repair = true;
    phone_must_sync(&p);
    assert_int_equal(p.last.records, 3);
    assert_int_equal(p.last.requests, 9); /* and tiles of height 10 and 6, three items */
    assert_true(p.last.bytes_down < 12000);
    phone_done(&p);
    fake_free(s);
}

static void much_damage_in_one_place_comes_as_an_object(void **state)
{
    struct fake *s = a_large_server(5000);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    for (uint64_t i = 256; i < 384; i++)
        harm(&p, i);
    harm(&p, 3000);
    p.repair = true;
    phone_must_sync(&p);
    assert_in_range(p.last.records, 129,
                    140); /* some twice: as of the base, and of the layer */
    assert_true(p.last.requests < 20);
    assert_true(p.last.bytes_down * 5 < first_sync(&p));
    phone_done(&p);
    fake_free(s);
}

static void when_nothing_is_right_it_costs_little_more_than_a_first_sync(void **state)
{
    struct fake *s = a_large_server(5000);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    for (uint64_t i = 0; i < 5000; i++)
        harm(&p, i);
    p.repair = true;
    phone_must_sync(&p);
    assert_true(p.last.bytes_down * 4 <= first_sync(&p) * 5);
    must_repair(&p);
    phone_done(&p);
    fake_free(s);
}

static void any_damage_is_mended_at_a_bounded_price(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (getenv("TJZW_FULL") ? 200 : 20); seed++) {
        uint64_t chance = seed;
        struct fake *s = a_large_server(300 + fake_random(&chance, 3000));
        struct phone p = phone_new(s);
        uint32_t rate = 1 + fake_random(&chance, 200);

        p.horizon = fake_random(&chance, 2) ? 1200 : 0;
        phone_must_sync(&p);
        for (uint64_t i = memory_horizon(p.store->now); i < fake_size(s); i++)
            if (fake_random(&chance, rate) == 0) {
                if (fake_random(&chance, 2))
                    harm(&p, i);
                else
                    lose(&p, i);
            }
        for (size_t i = 0; i < p.store->now->ntiles[0]; i++)
            if (fake_random(&chance, 20) == 0)
                p.store->now->tiles[0][i].nodes[3] ^= 1;
        p.repair = true;
        phone_must_sync(&p);
        assert_true(p.last.bytes_down * 4 <= first_sync(&p) * 5 + 8000);
        must_repair(&p);
        phone_done(&p);
        fake_free(s);
    }
}

static void a_tree_that_does_not_add_up_is_noticed_without_being_told(void **state)
{
    struct fake *s = a_large_server(2000);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    p.store->now->tiles[0][2000 / 64].nodes[5] ^= 4;
    fake_publish_some(s, 5);
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    assert_true(p.last.bytes_down < 10000);
    memset(p.store->now->tiles[0], 0, p.store->now->ntiles[0] * sizeof *p.store->now->tiles[0]);
    fake_edit(s, 3, "改", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    phone_done(&p);
    fake_free(s);
}

static void a_wrong_leaf_deep_in_the_tree_is_found_by_the_root(void **state)
{
    struct fake *s = a_large_server(2000);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    p.store->now->tiles[0][3].nodes[5] ^= 4; /* under a full tile, whose root is right */
    fake_edit(s, 200, "同一片", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    assert_int_equal(p.last.requests,
                     2); /* the tree is made anew from the leaves that are held */
    phone_done(&p);
    fake_free(s);
}

static void a_restore_costs_only_what_differs(void **state)
{
    struct fake *s = a_large_server(3000);
    struct phone p = phone_new(s), some = phone_new(s);
    uint64_t seq;

    (void)state;
    some.horizon = 1000;
    seq = fake_seq(s);
    fake_publish_some(s, 30);
    fake_edit(s, 2999, "会丢", "{}");
    fake_withdraw(s, 5);
    fake_head(s);
    phone_must_sync(&p);
    phone_must_sync(&some);
    fake_restore(s, seq);
    for (unsigned i = 0; i < 5; i++)
        fake_publish(s, "恢复之后", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    assert_int_equal(p.last.records, 7);
    assert_true(p.last.bytes_down < 15000);
    phone_must_sync(&some);
    assert_true(some.last.repaired);
    assert_int_equal(some.last.records, 6);
    phone_done(&p);
    phone_done(&some);
    fake_free(s);
}

static void what_a_new_history_wrote_comes_as_one_catch_up(void **state)
{
    struct fake *s = a_large_server(3000);
    struct phone p = phone_new(s);
    uint64_t seq = fake_seq(s);

    (void)state;
    fake_edit(s, 7, "会丢", "{}");
    fake_head(s);
    phone_must_sync(&p);
    fake_restore(s, seq);
    for (unsigned i = 0; i < 100; i++)
        fake_edit(s, 1024 + i, "恢复之后", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    assert_int_equal(p.last.records, 101);
    /* heads, ancestry, directory, cover, 2 tiles of height 10, 3 of height 6, the index, the log,
       item 7: none of the hundred alone */
    assert_true(p.last.requests <= 13);
    phone_done(&p);
    fake_free(s);
}

static void a_restore_far_back_lowers_the_horizon(void **state)
{
    struct fake *s = a_large_server(1500);
    struct phone p = phone_new(s);
    uint64_t seq = fake_seq(s);

    (void)state;
    fake_publish_some(s, 4000);
    fake_index(s);
    fake_head(s);
    p.horizon = 1000;
    phone_must_sync(&p);
    assert_int_equal(memory_horizon(p.store->now), 4096);
    fake_restore(s, seq);
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    assert_int_equal(memory_horizon(p.store->now), 0);
    phone_done(&p);
    fake_free(s);
}

static void a_damaged_kept_item_is_fetched_anew(void **state)
{
    struct fake *s = a_large_server(3000);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    memory_store_keep(p.store, 21);
    p.horizon = 1000;
    phone_must_sync(&p);
    harm(&p, 21);
    p.repair = true;
    phone_must_sync(&p);
    assert_true(phone_shows(&p, 21));
    phone_done(&p);
    fake_free(s);
}

static void lies_are_not_repaired_into_the_store(void **state)
{
    struct fake *s = a_large_server(2000);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    for (uint64_t seed = 0; seed < 60; seed++) {
        for (uint64_t i = 0; i < 30; i++)
            harm(&p, (seed * 31 + i) % 2000);
        p.repair = true;
        p.net.seed = seed;
        p.net.faults = FAULT_FLIP | FAULT_SWAP | FAULT_TRUNC;
        p.net.percent = 20;
        p.net.honest_when_uncached = true;
        phone_must_sync(&p);
        assert_true(p.last.repaired);
    }
    phone_done(&p);
    fake_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_is_right_is_fetched_again),
        cmocka_unit_test(much_damage_in_one_place_comes_as_an_object),
        cmocka_unit_test(when_nothing_is_right_it_costs_little_more_than_a_first_sync),
        cmocka_unit_test(any_damage_is_mended_at_a_bounded_price),
        cmocka_unit_test(a_tree_that_does_not_add_up_is_noticed_without_being_told),
        cmocka_unit_test(a_wrong_leaf_deep_in_the_tree_is_found_by_the_root),
        cmocka_unit_test(a_restore_costs_only_what_differs),
        cmocka_unit_test(what_a_new_history_wrote_comes_as_one_catch_up),
        cmocka_unit_test(a_restore_far_back_lowers_the_horizon),
        cmocka_unit_test(a_damaged_kept_item_is_fetched_anew),
        cmocka_unit_test(lies_are_not_repaired_into_the_store),
    };

    return sodium_init() < 0 ? 1
                             : cmocka_run_group_tests_name("follow_repair", tests, NULL, NULL);
}
