/*
 * cover_test.c - covers and tiles against the definition of the tree, and which covers are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "sync/cover.h"
#include "sync/verify.h"

enum { MOST = 200000, NOW = 1763712000 };

/* What the tree should hold, kept apart from it. */
static uint8_t leaves[MOST][HASH_BYTES];
static uint64_t seqs[MOST], last_seq;

static void put(struct tree *t, uint64_t born)
{
    last_seq++;
    sha256(&last_seq, sizeof last_seq, leaves[born]);
    seqs[born] = last_seq;
    tree_put(t, born, last_seq, leaves[born]);
}

/* node(height, index), as the page says it. */
static void node(unsigned height, uint64_t index, uint8_t out[HASH_BYTES])
{
    uint8_t both[1 + 2 * HASH_BYTES] = { 0x01 };

    if (!height) {
        memcpy(out, leaves[index], HASH_BYTES);
        return;
    }
    node(height - 1, 2 * index, both + 1);
    node(height - 1, 2 * index + 1, both + 1 + HASH_BYTES);
    sha256(both, sizeof both, out);
}

static void put_number(uint64_t v, uint8_t out[8])
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* One piece of a cover; moves *at behind it. */
static void assert_piece(const char **at, const void *want, size_t n)
{
    assert_memory_equal(*at, want, n);
    *at += n;
}

static void assert_nodes(const char **at, unsigned height, uint64_t from, uint64_t to)
{
    uint8_t want[HASH_BYTES];

    for (uint64_t i = from; i < to; i++) {
        node(height, i, want);
        assert_piece(at, want, sizeof want);
    }
}

static void assert_cover(struct tree *t)
{
    uint64_t size = tree_size(t), first = size > 65536 ? (size - 65536) / 65536 * 65536 : 0;
    struct buf b = BUF_HEAP;
    const char *at;
    uint8_t number[8];

    tree_cover(t, &b);
    at = b.p;
    assert_piece(&at, "TJZWCV1\n", 8);
    put_number(size, number);
    assert_piece(&at, number, 8);
    put_number(first, number);
    assert_piece(&at, number, 8);
    assert_nodes(&at, 16, 0, first / 65536);
    assert_nodes(&at, 10, first / 1024, size / 1024);
    assert_nodes(&at, 6, size / 1024 * 16, size / 64);
    for (uint64_t i = size / 64 * 64; i < size; i++) {
        put_number(seqs[i], number);
        assert_piece(&at, number, 8);
        assert_piece(&at, leaves[i], HASH_BYTES);
    }
    assert_int_equal(at - b.p, b.n);
    buf_done(&b);
}

/* The root over the pieces is the tree's, as the reader's side computes it. */
static void assert_root_over_the_pieces(struct tree *t)
{
    uint8_t ours[HASH_BYTES], theirs[HASH_BYTES];
    struct buf b = BUF_HEAP;
    struct wire_cover c;
    struct sync_err e;

    tree_cover(t, &b);
    assert_int_equal(wire_cover_parse(&e, (const uint8_t *)b.p, b.n, &c), SYNC_OK);
    verify_cover_root(&c, theirs);
    tree_root(t, ours);
    assert_memory_equal(ours, theirs, HASH_BYTES);
    buf_done(&b);
}

static void grow(struct tree *t, uint64_t size)
{
    while (tree_size(t) < size)
        put(t, tree_size(t));
}

static void a_cover_of_any_size_is_made_of_the_nodes_of_the_definition(void **state)
{
    static const uint64_t sizes[] = { 0,     1,     2,      63,     64,     65,     100,
                                      1023,  1024,  1025,   1087,   1088,   1089,   4096,
                                      65535, 65536, 131071, 131072, 131073, 196607, 199999 };
    struct tree *t = tree_new();

    (void)state;
    srandom(7);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        grow(t, sizes[i]);
        assert_cover(t);
        assert_root_over_the_pieces(t);
    }
    tree_free(t);
}

static void a_cover_follows_every_change(void **state)
{
    struct tree *t = tree_new();

    (void)state;
    grow(t, 140000);
    assert_cover(t);
    for (int i = 0; i < 10; i++) {
        for (int n = i % 3 ? 1 : 5000; n > 0; n--) {
            uint64_t size = tree_size(t);
            uint64_t near = size - 1 - (uint64_t)random() % 70;

            put(t, random() % 4 ? (uint64_t)random() % size : random() % 2 ? near : size);
        }
        assert_cover(t);
    }
    tree_free(t);
}

/* ---- tiles ---- */

static uint8_t reached[MOST];

/* Down from a node that is known to be right, every tile checked as a reader checks it. */
static void descend(struct tree *t, unsigned height, uint64_t index, const uint8_t *hash)
{
    uint8_t nodes[TREE_CHILDREN][HASH_BYTES], rows[WIRE_TILE_MAX];
    size_t n = tree_children(t, height, index, hash, nodes), row = HASH_BYTES;
    struct sync_err e = { 0 };
    unsigned below = 0;

    assert_int_equal(n, wire_tile_shape(height, &below, &row));
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < n; i++) {
        if (!below)
            put_number(seqs[index * n + i], rows + i * row);
        memcpy(rows + i * row + row - HASH_BYTES, nodes[i], HASH_BYTES);
    }
    if (verify_tile(&e, height, rows, n * row, hash))
        fail_msg("tile %u.%llu: %s", height, (unsigned long long)index, e.text);
    for (size_t i = 0; i < n; i++) {
        if (below) {
            descend(t, below, index * n + i, nodes[i]);
        } else {
            assert_memory_equal(nodes[i], leaves[index * n + i], HASH_BYTES);
            reached[index * n + i]++;
        }
    }
}

static void descend_all(struct tree *t, unsigned height, uint64_t first, const uint8_t *hashes,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        descend(t, height, (first >> height) + i, hashes + i * HASH_BYTES);
}

static void from_the_cover_tiles_lead_to_every_leaf(void **state)
{
    struct tree *t = tree_new();
    struct buf b = BUF_HEAP;
    struct wire_cover c;
    struct sync_err e;

    (void)state;
    grow(t, 199999);
    tree_cover(t, &b);
    assert_int_equal(wire_cover_parse(&e, (const uint8_t *)b.p, b.n, &c), SYNC_OK);
    memset(reached, 0, sizeof reached);
    descend_all(t, 16, 0, c.top, c.tops);
    descend_all(t, 10, c.first, c.mid, c.mids);
    descend_all(t, 6, c.size / 1024 * 1024, c.low, c.lows);
    for (uint64_t i = 0; i < c.size / 64 * 64; i++)
        assert_int_equal(reached[i], 1);
    buf_done(&b);
    tree_free(t);
}

static void a_node_that_is_not_so_has_no_children(void **state)
{
    static const unsigned heights[] = { 6, 10, 16 };
    uint8_t nodes[TREE_CHILDREN][HASH_BYTES], hash[HASH_BYTES], root[HASH_BYTES];
    struct tree *t = tree_new();

    (void)state;
    grow(t, 70000);
    tree_root(t, root);
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        uint64_t complete = 70000 >> heights[i];

        node(heights[i], complete - 1, hash);
        assert_int_not_equal(tree_children(t, heights[i], complete - 1, hash, nodes), 0);
        hash[31] ^= 1;
        assert_int_equal(tree_children(t, heights[i], complete - 1, hash, nodes), 0);
        assert_int_equal(tree_children(t, heights[i], complete, hash, nodes), 0);
        assert_int_equal(tree_children(t, heights[i], INT64_MAX, hash, nodes), 0);
    }
    node(16, 0, hash);
    put(t, 12345);
    tree_root(t, root);
    assert_int_equal(tree_children(t, 16, 0, hash, nodes), 0);
    tree_free(t);
}

struct reading {
    struct tree *tree;
    atomic_bool stop;
    atomic_uint found;
};

/* Asks for what the cover before said; whatever is given must be right. */
static void *read_on(void *arg)
{
    struct reading *r = arg;
    uint8_t nodes[TREE_CHILDREN][HASH_BYTES], hash[HASH_BYTES];
    struct sync_err e;

    node(10, 0, hash); /* its leaves stay as they are */
    while (!atomic_load(&r->stop)) {
        size_t n = tree_children(r->tree, 10, 0, hash, nodes);

        assert_int_equal(n, 16);
        assert_int_equal(verify_tile(&e, 10, nodes[0], n * HASH_BYTES, hash), SYNC_OK);
        atomic_fetch_add(&r->found, 1);
    }
    return NULL;
}

static void tiles_are_read_while_the_tree_grows(void **state)
{
    struct reading r = { .tree = tree_new() };
    uint8_t root[HASH_BYTES];
    pthread_t thread;

    (void)state;
    grow(r.tree, 2000);
    tree_root(r.tree, root);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
    while (tree_size(r.tree) < MOST && atomic_load(&r.found) < 2000) {
        grow(r.tree, tree_size(r.tree) + 97);
        tree_root(r.tree, root);
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
    assert_int_not_equal(atomic_load(&r.found), 0);
    tree_free(r.tree);
}

/* ---- which are kept ---- */

static bool is_kept(struct covers *c, uint64_t seq)
{
    struct arena *mem = arena_new();
    struct err e;
    const char *p;
    size_t n;
    bool kept = !cover_read(c, &e, mem, 1, seq, &p, &n);

    arena_free(mem);
    return kept;
}

static void the_covers_of_ten_minutes_are_kept_and_the_last_64_in_any_case(void **state)
{
    struct covers *c = covers_new();

    (void)state;
    clock_set(NOW);
    for (uint64_t seq = 1; seq <= 100; seq++)
        cover_keep(c, 1, seq, "cover", 5);
    assert_true(is_kept(c, 1));
    assert_false(is_kept(c, 101));
    clock_set(NOW + 3600);
    assert_true(is_kept(c, 1));
    cover_keep(c, 1, 101, "cover", 5);
    assert_false(is_kept(c, 37));
    for (uint64_t seq = 38; seq <= 101; seq++)
        assert_true(is_kept(c, seq));
    covers_free(c);
    clock_unset();
}

static void kept_covers_have_at_most_two_megabytes(void **state)
{
    struct covers *c = covers_new();
    char *p = calloc(1, 1 << 20);

    (void)state;
    for (uint64_t seq = 1; seq <= 10; seq++)
        cover_keep(c, 1, seq, p, 700000);
    assert_false(is_kept(c, 8));
    assert_true(is_kept(c, 9));
    assert_true(is_kept(c, 10));
    for (uint64_t seq = 11; seq <= 5000; seq++)
        cover_keep(c, 1, seq, p, 24);
    assert_false(is_kept(c, 11));
    assert_true(is_kept(c, 5000));
    free(p);
    covers_free(c);
}

static void a_state_has_one_cover_however_often_it_is_signed(void **state)
{
    struct covers *c = covers_new();

    (void)state;
    clock_set(NOW);
    cover_keep(c, 1, 5, "cover", 5);
    for (uint64_t seq = 6; seq < 60; seq++)
        cover_keep(c, 1, seq, "cover", 5);
    clock_set(NOW + 3600);
    for (int i = 0; i < 100; i++)
        cover_keep(c, 1, 70, "cover", 5);
    assert_true(is_kept(c, 5));
    covers_free(c);
    clock_unset();
}

/* ---- cost ---- */

static void the_cost_of_a_cover_is_told(void **state)
{
    enum { LEAVES = 1000000, TIMES = 20 };
    struct tree *t = tree_new();
    struct buf b = BUF_HEAP;
    int64_t first, spent = 0;
    uint8_t leaf[HASH_BYTES];

    (void)state;
    for (uint64_t i = 0; i < LEAVES; i++) {
        memset(leaf, (int)i, sizeof leaf);
        memcpy(leaf, &i, sizeof i);
        tree_put(t, i, i + 1, leaf);
    }
    tree_root(t, leaf);
    first = clock_mono_us();
    tree_cover(t, &b);
    first = clock_mono_us() - first;
    for (int i = 0; i < TIMES; i++) {
        int64_t began;

        for (uint64_t n = 0; n < 10; n++)
            tree_put(t, (uint64_t)random() % LEAVES, n, leaf);
        tree_root(t, leaf);
        began = clock_mono_us();
        b.n = 0;
        tree_cover(t, &b);
        spent += clock_mono_us() - began;
    }
    printf("# a cover of a million leaves: %zu bytes, the first %lld us, after 10 changes %lld "
           "us\n",
           b.n, (long long)first, (long long)spent / TIMES);
    buf_done(&b);
    tree_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cover_of_any_size_is_made_of_the_nodes_of_the_definition),
        cmocka_unit_test(a_cover_follows_every_change),
        cmocka_unit_test(from_the_cover_tiles_lead_to_every_leaf),
        cmocka_unit_test(a_node_that_is_not_so_has_no_children),
        cmocka_unit_test(tiles_are_read_while_the_tree_grows),
        cmocka_unit_test(the_covers_of_ten_minutes_are_kept_and_the_last_64_in_any_case),
        cmocka_unit_test(kept_covers_have_at_most_two_megabytes),
        cmocka_unit_test(a_state_has_one_cover_however_often_it_is_signed),
        cmocka_unit_test(the_cost_of_a_cover_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
