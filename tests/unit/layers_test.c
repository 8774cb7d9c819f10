/*
 * layers_test.c - whatever happens to the items: all objects together are the state, cost at
 * most 1.25 times what a compact one would, and are few; and the log gives the same bytes again.
 *
 * Each workload is some thousand random changes with builds in between, by the seed of the
 * world. The state is read as a phone does (apply rule) and compared with the table of leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/index.h"
#include "sync/object.h"
#include "sync/verify.h"
#include "tests/lib/index_world.h"

enum { NOT_FULL_MAX = 13, CHANGES = 1300, CHANGES_FULL = 8000 };

/* Reads go into an arena that ends with each look. */
static void begin(struct sync_world *t)
{
    t->w.mem = arena_new();
}

static void end(struct sync_world *t)
{
    arena_free(t->w.mem);
    t->w.mem = t->mem;
}

/* What a reader at `cursor` fetches leads to the signed state; the bytes of the objects. */
static uint64_t follow(struct sync_world *t, const struct wire_head *h, uint64_t cursor)
{
    static struct state held;
    uint64_t bytes = index_world_follow(t, h, cursor, 1, &held);
    uint8_t root[HASH_BYTES];

    state_root(&held, root);
    assert_int_equal(held.size, h->size);
    assert_memory_equal(root, h->root, HASH_BYTES);
    return bytes;
}

static uint64_t compact(struct sync_world *t)
{
    return (uint64_t)sync_world_number(t,
                                       "SELECT sum(56 + length + length(CAST(title AS BLOB))) "
                                       "FROM leaf JOIN change USING (stream, seq)");
}

/* Few, and not large. */
static void assert_compact(struct sync_world *t, const struct index_list *list)
{
    uint64_t bytes = 0, live = compact(t);
    size_t open = 0;

    for (size_t i = 0; i < list->n; i++) {
        const struct wire_object *o = &list->object[i];

        bytes += o->bytes;
        open += o->kind == WIRE_LAYER && o->bytes < 3 << 20;
        assert_in_range(o->bytes, 1, 4 << 20);
    }
    assert_in_range(open, 0, NOT_FULL_MAX);
    if (bytes * 100 > live * 125 + list->n * 1200)
        fail_msg("%d objects of %d bytes for a state of %d", (int)list->n, (int)bytes,
                 (int)live);
}

/* Each object made again by its recipe, from the log alone. */
static void assert_made_again(struct sync_world *t, const struct index_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        uint8_t hash[HASH_BYTES];
        struct part part;
        struct pack pack;

        assert_int_equal(part_find(&t->w, live_no(t->live), list->object[i].hash, &part),
                         RC_OK);
        pack_init(&pack, 0);
        assert_int_equal(recipe_make(&t->w, live_no(t->live), &part, &pack), RC_OK);
        sha256(pack.body.p, pack.body.n, hash);
        pack_done(&pack);
        assert_memory_equal(hash, list->object[i].hash, HASH_BYTES);
    }
}

static void look(struct sync_world *t, bool is_compact)
{
    struct wire_head h;
    struct index_list list;

    begin(t);
    h = sync_world_head(t);
    list = index_world_list(t, &h);
    if (is_compact)
        assert_compact(t, &list);
    follow(t, &h, 0);
    follow(t, &h, sync_world_random(t, (uint32_t)h.seq));
    follow(t, &h, sync_world_random(t, (uint32_t)h.seq));
    assert_made_again(t, &list);
    end(t);
}

typedef void workload(struct sync_world *t);

static void run(struct sync_world *t, workload *change)
{
    uint64_t changes = getenv("TJZW_FULL") ? CHANGES_FULL : CHANGES, cut = 0;

    while (t->seq + 600 < changes) {
        change(t);
        index_world_build(t);
        if (sync_world_head(t).cut != cut) { /* that was urgent: the rest is done at leisure */
            cut = sync_world_head(t).cut;
            look(t, false);
            index_world_build(t);
        }
        look(t, true);
        if (sync_world_random(t, 3) == 0)
            change(t); /* a head ahead of its index */
        if (sync_world_random(t, 10) == 0) {
            sync_world_stop(t);
            sync_world_start(t);
        }
    }
}

static void mixed(struct sync_world *t)
{
    sync_world_burst(t, 1 + (int)sync_world_random(t, 200), 30000);
}

static void small_and_many(struct sync_world *t)
{
    sync_world_burst(t, 1 + (int)sync_world_random(t, 300), 300);
}

static void growing(struct sync_world *t)
{
    for (uint32_t i = sync_world_random(t, 12); i-- > 0 && t->items < SYNC_ITEMS;)
        sync_world_put(t, t->items, 40000 + sync_world_random(t, 60000));
    sync_world_burst(t, 20, 100000);
}

static void one_item_again_and_again(struct sync_world *t)
{
    if (t->items < 200)
        for (int i = 0; i < 200; i++)
            sync_world_put(t, t->items, 50000);
    sync_world_put(t, 70, 100000);
    sync_world_put_often(t, sync_world_random(t, 100), 1 + (int)sync_world_random(t, 60));
}

static void shrinking(struct sync_world *t)
{
    if (t->items < 300)
        for (int i = 0; i < 300; i++)
            sync_world_put(t, t->items, 50000);
    for (int i = 0; i < 10; i++)
        sync_world_withdraw(t, sync_world_random(t, (uint32_t)t->items));
    sync_world_burst(t, 30, 20000);
}

static void with_takedowns(struct sync_world *t)
{
    sync_world_burst(t, 1 + (int)sync_world_random(t, 150), 50000);
    for (uint32_t i = sync_world_random(t, 4); i-- > 0;)
        sync_world_take_down(t, sync_world_random(t, (uint32_t)t->items));
}

#define WORKLOAD(f)                                        \
    static void objects_are_compact_when_##f(void **state) \
    {                                                      \
        run(*state, f);                                    \
    }
WORKLOAD(mixed)
WORKLOAD(small_and_many)
WORKLOAD(growing)
WORKLOAD(one_item_again_and_again)
WORKLOAD(shrinking)
WORKLOAD(with_takedowns)

static void a_phone_some_changes_behind_fetches_about_those(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    uint64_t cursor[10], bytes;

    while (t->items < 320)
        sync_world_put(t, t->items, 60000);
    index_world_build(t);
    for (uint64_t i = 0; i < 10; i++) {
        cursor[i] = t->seq;
        for (uint64_t k = 0; k < 5; k++)
            sync_world_put(t, 64 * k + i, 60000);
        index_world_build(t);
    }
    begin(t);
    h = sync_world_head(t);
    for (int i = 0; i < 10; i++) {
        bytes = follow(t, &h, cursor[i]);
        /* A layer is about as large as all newer ones, and its beginning is behind the cursor. */
        assert_in_range(bytes, 1, (h.seq - cursor[i]) * 60200 * 2);
    }
    end(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(objects_are_compact_when_mixed),
        TEST(objects_are_compact_when_small_and_many),
        TEST(objects_are_compact_when_growing),
        TEST(objects_are_compact_when_one_item_again_and_again),
        TEST(objects_are_compact_when_shrinking),
        TEST(objects_are_compact_when_with_takedowns),
        TEST(a_phone_some_changes_behind_fetches_about_those),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
