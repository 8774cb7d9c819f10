/*
 * index_test.c - objects and index: together they are the state; what did not change is not
 * made again; a crash leaves nothing wrong.
 * Not here: who builds, and when (index_build_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "tests/lib/index_world.h"

static void index_and_catchup_are_the_state(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    index_world_fill(t, 200, BIG);
    for (int i = 0; i < 50; i++)
        sync_world_random_change(t, 2000);
    index_world_build(t);
    h = sync_world_head(t);
    assert_index_takes_there(t, &h, 0);
    for (int i = 0; i < 30; i++)
        sync_world_random_change(t, 2000);
    h = sync_world_head(t);
    assert_int_equal(index_world_list(t, &h).seq, 250);
    for (uint32_t i = 0; i < 20; i++)
        assert_index_takes_there(t, &h, sync_world_random(t, 280));
}

static void full_bases_lie_behind_each_other_and_the_rest_is_a_layer(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct index_list list;
    size_t bases = 0;

    index_world_fill(t, 300, BIG);
    index_world_build(t);
    h = sync_world_head(t);
    list = index_world_list(t, &h); /* 18 MB */
    for (; list.object[bases].kind == WIRE_BASE; bases++) {
        const struct wire_object *o = &list.object[bases];

        assert_int_equal(o->first_born, bases ? o[-1].last_born + 1 : 0);
        assert_in_range(o->bytes, 3 << 20, 4 << 20);
        assert_int_equal((o->last_born + 1) % 64, 0);
    }
    assert_in_range(bases, 4, 5);
    assert_int_equal(list.n, bases + 1);
    assert_int_equal(list.object[bases].first_born, list.object[bases - 1].last_born + 1);
    assert_int_equal(list.object[bases].last_born, 299);
}

static void changes_stand_in_a_layer_and_bases_stay(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct index_list before, after;
    uint64_t bytes = 0;

    index_world_fill(t, 256, BIG);
    index_world_build(t);
    h = sync_world_head(t);
    before = index_world_list(t, &h);
    assert_int_equal(before.n, 4);
    sync_world_put(t, 70, 100);
    sync_world_withdraw(t, 200);
    index_world_fill(t, 260, 1000);
    index_world_build(t);
    h = sync_world_head(t);
    after = index_world_list(t, &h);
    assert_int_equal(after.n, 5);
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(before.object[i].hash, after.object[i].hash, HASH_BYTES);
    assert_int_equal(after.object[4].kind, WIRE_LAYER);
    assert_index_takes_there(t, &h, 0);
    assert_index_takes_there(t, &h, before.seq);
    for (size_t i = 0; i < after.n; i++)
        bytes += after.object[i].highest_seq > before.seq ? after.object[i].bytes : 0;
    assert_in_range(bytes, 4000, 6000); /* what changed, and no base */
}

static void a_base_that_changed_too_much_is_rewritten(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct index_list before, after;

    index_world_fill(t, 256, BIG);
    index_world_build(t);
    h = sync_world_head(t);
    before = index_world_list(t, &h);
    for (uint64_t i = 64; i < 80; i++)
        sync_world_put(t, i, BIG);
    index_world_build(t);
    h = sync_world_head(t);
    after = index_world_list(t, &h);
    assert_int_equal(after.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(!memcmp(before.object[i].hash, after.object[i].hash, HASH_BYTES),
                         i != 1);
    assert_index_takes_there(t, &h, 0);
    assert_index_takes_there(t, &h, before.seq + 3);
}

static void random_histories_stay_readable_from_any_cursor(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    for (int round = 0; round < 12; round++) {
        for (uint32_t i = 10 + sync_world_random(t, 30); i-- > 0;)
            sync_world_random_change(t, round % 3 ? 120000 : 2000);
        index_world_build(t);
        for (uint32_t i = sync_world_random(t, 20); i-- > 0;)
            sync_world_random_change(t, 3000);
        h = sync_world_head(t);
        assert_index_takes_there(t, &h, 0);
        assert_index_takes_there(t, &h, sync_world_random(t, (uint32_t)h.seq));
    }
}

static void nothing_new_makes_nothing_new(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;

    index_world_fill(t, 100, 500);
    index_world_build(t);
    before = sync_world_head(t);
    index_world_build(t);
    after = sync_world_head(t);
    assert_int_equal(before.sign, after.sign);
    assert_memory_equal(before.index, after.index, HASH_BYTES);
}

static void a_crash_before_the_index_is_stored_leaves_usable_files(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    index_world_fill(t, 150, BIG);
    index_world_build(t);
    sync_world_head(t);
    sync_world_stop(t);
    /* The files are there, the transaction that names them is not. */
    sync_world_sql(t, "UPDATE stream SET index_seq = 0, index_hash = NULL");
    sync_world_sql(t, "DELETE FROM sync_object WHERE kind = 'index'");
    sync_world_sql(t, "DELETE FROM head WHERE note NOT LIKE '%index -%'");
    sync_world_shell(t, "ls -i --full-time objects/* > before");
    sync_world_start(t);
    index_world_build(t);
    h = sync_world_head(t);
    sync_world_shell(t, "ls -i --full-time objects/* > after; cmp before after");
    assert_index_takes_there(t, &h, 0);
}

static void what_a_crash_left_behind_is_swept(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    index_world_fill(t, 20, 500);
    sync_world_shell(t, "mkdir -p objects/ab; for s in '' .gz .zst; do "
                        "echo x > objects/ab/ab$(printf '%062d' 7)$s; done; "
                        "echo x > objects/ab/ab$(printf '%062d' 8).zst.77-0.tmp");
    index_world_build(t);
    h = sync_world_head(t);
    sync_world_shell(t, "test $(find objects -type f | wc -l) = 3");
    assert_index_takes_there(t, &h, 0);
}

static void a_missing_file_is_made_again(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, h;
    struct index_list list;

    index_world_fill(t, 150, BIG);
    index_world_build(t);
    before = sync_world_head(t);
    list = index_world_list(t, &before);
    sync_world_shell(t,
                     "(find objects -type f | sort | xargs sha256sum) > before; rm -r objects");
    assert_int_equal(index_world_ask(t, list.object[0].hash), RC_BUSY);
    index_world_build(t);
    sync_world_shell(t, "(find objects -type f | sort | xargs sha256sum) | cmp - before");
    h = sync_world_head(t);
    assert_memory_equal(h.index, before.index, HASH_BYTES);
    assert_index_takes_there(t, &h, 0);
}

static void superseded_objects_stay_a_week_and_are_gone_for_ever(void **state)
{
    struct sync_world *t = *state;
    const uint8_t stranger[HASH_BYTES] = { 1 };
    struct wire_head h, old;
    struct index_list list;

    index_world_fill(t, 20, 500);
    index_world_build(t);
    old = sync_world_head(t);
    list = index_world_list(t, &old);
    clock_set(SYNC_NOW + 1000);
    index_world_fill(t, 60, 500); /* as much again: the layers become one */
    index_world_build(t);
    clock_set(SYNC_NOW + 6 * 86400);
    sync_world_put(t, 3, 100);
    index_world_build(t);
    assert_int_equal(index_world_ask(t, list.object[0].hash), RC_OK);
    assert_int_equal(index_world_ask(t, old.index), RC_OK);
    clock_set(SYNC_NOW + 9 * 86400);
    sync_world_put(t, 3, 100);
    index_world_build(t);
    assert_int_equal(index_world_ask(t, list.object[0].hash), RC_GONE);
    assert_int_equal(index_world_ask(t, old.index), RC_GONE);
    assert_int_equal(index_world_ask(t, stranger), RC_NOT_FOUND);
    sync_world_stop(t);
    sync_world_start(t);
    assert_int_equal(index_world_ask(t, list.object[0].hash), RC_GONE);
    h = sync_world_head(t);
    assert_index_takes_there(t, &h, 0);
}

static void what_was_made_in_a_hurry_is_joined_later(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct index_list hurried, joined;

    index_world_fill(t, 500, BIG / 4);
    sync_world_put_often(t, 0, 3000); /* so far behind, there is a hurry */
    index_world_build(t);
    h = sync_world_head(t);
    hurried = index_world_list(t, &h);
    sync_world_put(t, 0, 100);
    index_world_build(t);
    h = sync_world_head(t);
    joined = index_world_list(t, &h);
    assert_true(joined.n < hurried.n);
    assert_int_equal(hurried.object[hurried.n - 1].kind, WIRE_LAYER);
    for (size_t i = 0; i < joined.n; i++) /* what was behind the last base too */
        assert_int_equal(joined.object[i].kind, WIRE_BASE);
    assert_index_takes_there(t, &h, 0);
}

static void the_index_survives_a_restart(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;

    index_world_fill(t, 20, 500);
    index_world_build(t);
    before = sync_world_head(t);
    sync_world_stop(t);
    sync_world_start(t);
    after = sync_world_head(t);
    assert_int_equal(before.sign, after.sign);
    assert_memory_equal(before.index, after.index, HASH_BYTES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, sync_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(index_and_catchup_are_the_state),
        TEST(full_bases_lie_behind_each_other_and_the_rest_is_a_layer),
        TEST(changes_stand_in_a_layer_and_bases_stay),
        TEST(a_base_that_changed_too_much_is_rewritten),
        TEST(random_histories_stay_readable_from_any_cursor),
        TEST(nothing_new_makes_nothing_new),
        TEST(a_crash_before_the_index_is_stored_leaves_usable_files),
        TEST(what_a_crash_left_behind_is_swept),
        TEST(a_missing_file_is_made_again),
        TEST(superseded_objects_stay_a_week_and_are_gone_for_ever),
        TEST(what_was_made_in_a_hurry_is_joined_later),
        TEST(the_index_survives_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
