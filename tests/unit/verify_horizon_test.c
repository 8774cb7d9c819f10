/*
 * verify_horizon_test.c - a reader who keeps the newest part of a tree only, against one who keeps all of it.
 *
 * The whole tree is the oracle: verify_test.c holds it against RFC 6962. The partial one forgets every tile below its horizon,
 * finds rubbish where a tile reaches below it, and may read nothing else that it never wrote.
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

#include "sync/verify.h"

static struct sync_err err;

#define OK(expr)       assert_int_equal((expr), SYNC_OK)
#define IS(kind, expr) assert_int_equal((expr), kind)

enum { LEVELS = 4, ROOM = 1 << 19 };

/* ---- tiles in memory ---- */

struct store {
    uint64_t horizon; /* tiles that reach below it need not exist */
    unsigned reads, fail_at;
    uint8_t (*nodes[LEVELS])[WIRE_HASH];
    uint8_t *counts[LEVELS]; /* of each tile; 0: never written */
};

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct store *s = ctx;

    if (++s->reads == s->fail_at)
        return sync_err_set(e, SYNC_STORE, "as the test wants it");
    assert_true(level < LEVELS);
    if (s->counts[level][index] == 0 && index << (6 * level + 6) < s->horizon) {
        memset(nodes, 0, (size_t)count * WIRE_HASH);
        return SYNC_OK;
    }
    assert_int_equal(s->counts[level][index], count);
    memcpy(nodes, s->nodes[level][index * MERKLE_TILE], (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct store *s = ctx;

    (void)e;
    assert_true(level < LEVELS && count > 0 && count <= MERKLE_TILE);
    s->counts[level][index] = (uint8_t)count;
    memcpy(s->nodes[level][index * MERKLE_TILE], nodes, (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

/* What lies below the horizon is forgotten: whole tiles, and the beginning of others. */
static void store_forget(struct store *s, uint64_t horizon)
{
    s->horizon = horizon;
    for (unsigned level = 0; level < LEVELS; level++) {
        uint64_t node = (horizon + ((uint64_t)1 << 6 * level) - 1) >> 6 * level;

        memset(s->counts[level], 0, horizon >> (6 * level + 6));
        if (node > 0)
            memset(s->nodes[level], 0xee, (size_t)node * WIRE_HASH);
    }
}

static void store_init(struct store *s)
{
    *s = (struct store){ 0 };
    for (unsigned level = 0; level < LEVELS; level++) {
        s->nodes[level] = calloc(ROOM >> 6 * level, WIRE_HASH);
        s->counts[level] = calloc((ROOM >> 6 * level) / MERKLE_TILE + 1, 1);
    }
}

static void store_done(struct store *s)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        free(s->nodes[level]);
        free(s->counts[level]);
    }
}

/* ---- two readers of one tree ---- */

struct pair {
    struct store whole, part;
    struct merkle_tiles all, own; /* over those */
    uint64_t size;
    struct merkle_below below; /* of the partial one */
    uint8_t (*leaves)[WIRE_HASH];
    uint8_t *cover;
    struct wire_cover parsed;
    uint64_t random;
};

static uint64_t any(struct pair *p, uint64_t below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return below ? (p->random >> 20) % below : 0;
}

static void new_leaf(struct pair *p, uint64_t born)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t v = any(p, UINT64_MAX);

        memcpy(p->leaves[born] + 8 * i, &v, 8);
    }
}

static void put_range(struct pair *p, struct merkle_writer *w, uint64_t first, uint64_t end)
{
    for (uint64_t i = first; i < end; i++)
        OK(merkle_put(&err, w, i, p->leaves[i]));
}

/* The cover of the whole tree, parsed and believed. */
static void take_cover(struct pair *p)
{
    struct wire_head head = { .size = p->size };
    struct wire_cover c;
    uint8_t *at = p->cover;

    wire_cover_shape(p->size, &c);
    wire_cover_header(&c, at);
    at += WIRE_COVER_HEADER;
    for (uint64_t i = 0; i < c.first >> 16; i++, at += WIRE_HASH)
        OK(merkle_node(&err, &p->all, p->size, 16, i, at));
    for (uint64_t i = c.first >> 10; i < p->size >> 10; i++, at += WIRE_HASH)
        OK(merkle_node(&err, &p->all, p->size, 10, i, at));
    for (uint64_t i = p->size >> 10 << 4; i < p->size >> 6; i++, at += WIRE_HASH)
        OK(merkle_node(&err, &p->all, p->size, 6, i, at));
    for (uint64_t i = p->size >> 6 << 6; i < p->size; i++, at += WIRE_LEAF_ROW) {
        memset(at, 7, 8);
        memcpy(at + 8, p->leaves[i], WIRE_HASH);
    }
    assert_int_equal(at - p->cover, wire_cover_bytes(&c));
    OK(wire_cover_parse(&err, p->cover, (size_t)(at - p->cover), &p->parsed));
    OK(merkle_root(&err, &p->all, p->size, head.root));
    OK(verify_cover(&err, &p->parsed, &head));
    head.root[31] ^= 1;
    IS(SYNC_MISMATCH, verify_cover(&err, &p->parsed, &head));
}

static void same_root(struct pair *p)
{
    uint8_t want[WIRE_HASH], got[WIRE_HASH];

    OK(merkle_root(&err, &p->all, p->size, want));
    p->part.reads = 0;
    OK(merkle_root_above(&err, &p->own, p->size, &p->below, got));
    assert_memory_equal(want, got, WIRE_HASH);
    assert_true(p->part.reads <= 40);
}

/* A reader begins: the cover, and everything from the horizon on. */
static void begin_at(struct pair *p, uint64_t horizon)
{
    struct merkle_writer w;

    take_cover(p);
    OK(merkle_below_from_cover(&err, &p->parsed, horizon, &p->below));
    for (unsigned level = 0; level < LEVELS; level++)
        memset(p->part.counts[level], 0, (ROOM >> 6 * level) / MERKLE_TILE + 1);
    store_forget(&p->part, horizon);
    merkle_begin(&w, &p->own, horizon, p->size);
    put_range(p, &w, horizon, p->size);
    OK(merkle_end(&err, &w));
    same_root(p);
}

static void pair_init(struct pair *p, uint64_t size, uint64_t seed)
{
    struct merkle_writer w;

    *p = (struct pair){ .size = size, .random = seed };
    store_init(&p->whole);
    store_init(&p->part);
    p->all = (struct merkle_tiles){ &p->whole, tile_read, tile_write };
    p->own = (struct merkle_tiles){ &p->part, tile_read, tile_write };
    p->leaves = calloc(ROOM, WIRE_HASH);
    p->cover = calloc(1, WIRE_COVER_MAX);
    p->below.roots = calloc(BELOW_MAX, WIRE_HASH);
    for (uint64_t i = 0; i < size; i++)
        new_leaf(p, i);
    merkle_begin(&w, &p->all, 0, size);
    put_range(p, &w, 0, size);
    OK(merkle_end(&err, &w));
}

static void pair_done(struct pair *p)
{
    store_done(&p->whole);
    store_done(&p->part);
    free(p->leaves);
    free(p->cover);
    free(p->below.roots);
}

/* ---- what happens to a reader ---- */

static uint64_t any_horizon(struct pair *p, uint64_t low, uint64_t high)
{
    return wire_horizon_below(p->size, low + any(p, high - low + 1));
}

/* A horizon that the growth has made impossible moves up to one that is allowed. */
static void allow(struct pair *p)
{
    if (wire_horizon_ok(p->size, p->below.horizon))
        return;
    OK(merkle_below_raise(&err, &p->own, wire_horizon_above(p->size, p->below.horizon),
                          &p->below));
    store_forget(&p->part, p->below.horizon);
    same_root(p);
}

/* Up to `n` items change anywhere, and `grow` are new; the cover comes with what lies below. */
static void catch_up(struct pair *p, uint64_t n, uint64_t grow)
{
    uint64_t old = p->size, born = 0;
    struct merkle_writer w, own;
    bool below = false;

    p->size += grow;
    merkle_begin(&w, &p->all, old, p->size);
    merkle_begin(&own, &p->own, old, p->size);
    for (; n > 0 && old > 0; n--, born++) {
        born += any(p, 2 * old / n);
        if (born >= old)
            break;
        new_leaf(p, born);
        OK(merkle_put(&err, &w, born, p->leaves[born]));
        if (born >= p->below.horizon)
            OK(merkle_put(&err, &own, born, p->leaves[born]));
        else
            below = true;
    }
    for (born = old; born < p->size; born++)
        new_leaf(p, born);
    put_range(p, &w, old, p->size);
    put_range(p, &own, old, p->size);
    OK(merkle_end(&err, &w));
    OK(merkle_end(&err, &own));
    if (!below)
        same_root(p);
    take_cover(p);
    if (below && !wire_horizon_ok(p->size, p->below.horizon)) {
        uint64_t up = wire_horizon_above(p->size, p->below.horizon);

        store_forget(&p->part, up); /* what is dropped needs no roots: the cover has them */
        OK(merkle_below_from_cover(&err, &p->parsed, up, &p->below));
    } else if (below) {
        OK(merkle_below_from_cover(&err, &p->parsed, p->below.horizon, &p->below));
    }
    allow(p);
    same_root(p);
}

static void widen(struct pair *p, uint64_t horizon)
{
    uint64_t was = p->below.horizon;
    struct merkle_writer w;

    take_cover(p);
    merkle_begin(&w, &p->own, p->size, p->size);
    put_range(p, &w, horizon, was);
    OK(merkle_end(&err, &w));
    p->part.horizon = horizon;
    OK(merkle_below_from_cover(&err, &p->parsed, horizon, &p->below));
    same_root(p);
}

static void raise_to(struct pair *p, uint64_t horizon)
{
    uint8_t(*roots)[WIRE_HASH] = calloc(BELOW_MAX, WIRE_HASH);
    struct merkle_below want = { .roots = roots };

    take_cover(p);
    OK(merkle_below_from_cover(&err, &p->parsed, horizon, &want));
    OK(merkle_below_raise(&err, &p->own, horizon, &p->below));
    assert_int_equal(p->below.n, want.n);
    assert_memory_equal(p->below.roots, want.roots, want.n * WIRE_HASH);
    store_forget(&p->part, horizon);
    same_root(p);
    free(roots);
}

/* Cuts a tree down: the nodes of what is left stay, and the last tile of each level gets its new
 * count. Those behind are the caller's to forget. */
static void shrink(const struct merkle_tiles *tiles, uint64_t old_size, uint64_t new_size)
{
    uint8_t nodes[MERKLE_TILE * WIRE_HASH];

    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        uint64_t index = (new_size >> 6 * level) / MERKLE_TILE;
        unsigned was = merkle_tile_count(old_size, level, index);
        unsigned count = merkle_tile_count(new_size, level, index);

        if (count == 0 || count == was)
            continue;
        OK(tiles->read(tiles->ctx, &err, level, index, was, nodes));
        OK(tiles->write(tiles->ctx, &err, level, index, count, nodes));
    }
}

static void shrink_to(struct pair *p, uint64_t size)
{
    struct store *stores[] = { &p->whole, &p->part };

    shrink(&p->all, p->size, size);
    shrink(&p->own, p->size, size);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned level = 0; level < LEVELS; level++) {
            uint64_t tiles = ((size >> 6 * level) + MERKLE_TILE - 1) / MERKLE_TILE;

            memset(stores[i]->counts[level] + tiles, 0,
                   (ROOM >> 6 * level) / MERKLE_TILE + 1 - tiles);
        }
    p->size = size;
    same_root(p);
}

static void live_through(struct pair *p, unsigned steps)
{
    for (unsigned step = 0; step < steps; step++)
        switch (any(p, 6)) {
        case 0: catch_up(p, 1 + any(p, 20), 0); break;
        case 1: catch_up(p, any(p, 5), any(p, 3000)); break;
        case 2: catch_up(p, 0, any(p, 130)); break;
        case 3: widen(p, any_horizon(p, 0, p->below.horizon)); break;
        case 4: raise_to(p, any_horizon(p, p->below.horizon, p->size)); break;
        case 5:
            if (p->size > p->below.horizon)
                shrink_to(p, p->size - any(p, (p->size - p->below.horizon) % 200));
            allow(p);
        }
}

static void a_partial_tree_has_the_root_of_the_whole_one(void **state)
{
    static const uint64_t sizes[] = { 0,      1,      63,     64,    65,    1023,
                                      1024,   1025,   4095,   4096,  65535, 65536,
                                      65537,  66559,  66560,  66561, 69632, 131071,
                                      131072, 131073, 132096, 200000 };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pair p;

        pair_init(&p, sizes[i], i);
        for (unsigned round = 0; round < (p.size < 100000 ? 4 : 2); round++) {
            uint64_t at = round == 2 ? 0 : round == 3 ? p.size : any(&p, p.size + 1);

            begin_at(&p, wire_horizon_below(p.size, at));
            live_through(&p, 12);
        }
        pair_done(&p);
    }
}

static void growth_over_a_boundary_moves_the_horizon_up(void **state)
{
    struct pair p;

    (void)state;
    pair_init(&p, 131000, 7);
    begin_at(&p, 5 * 1024);
    catch_up(&p, 3, 71); /* 131,071: the cover still begins at 0 */
    assert_int_equal(p.below.horizon, 5 * 1024);
    catch_up(&p, 0, 1);
    assert_int_equal(p.below.horizon, 65536);
    assert_int_equal(p.below.n, 1);
    pair_done(&p);
}

static void a_failing_store_leaves_the_roots_as_they_were(void **state)
{
    uint8_t before[MERKLE_TILE][WIRE_HASH];
    struct pair p;

    (void)state;
    pair_init(&p, 131071, 8);
    begin_at(&p, 40 * 1024);
    memcpy(before, p.below.roots, 40 * WIRE_HASH);
    for (p.part.fail_at = 1;; p.part.fail_at++) {
        p.part.reads = 0;
        if (merkle_below_raise(&err, &p.own, 100 * 1024, &p.below) == SYNC_OK)
            break;
        assert_int_equal(p.below.horizon, 40 * 1024);
        assert_memory_equal(before, p.below.roots, 40 * WIRE_HASH);
    }
    assert_true(p.part.fail_at > 2);
    assert_int_equal(p.below.n, 1 + 36);
    p.part.fail_at = 0;
    same_root(&p);
    IS(SYNC_USAGE, merkle_below_raise(&err, &p.own, 99 * 1024, &p.below));
    IS(SYNC_USAGE, merkle_below_raise(&err, &p.own, 100 * 1024 + 64, &p.below));
    pair_done(&p);
}

/* ---- the roots themselves ---- */

static void roots_cover_everything_below_the_horizon_once(void **state)
{
    static uint8_t roots[BELOW_MAX][WIRE_HASH];

    (void)state;
    for (uint64_t k = 0; k < 400; k += k < 140 ? 1 : 37) {
        struct merkle_below b = { .horizon = k * 1024, .roots = roots };
        uint64_t next = 0;

        b.n = merkle_below_count(b.horizon);
        assert_int_equal(b.n, k / 64 + k % 64);
        for (size_t i = 0; i < b.n; i++) {
            uint64_t first, last;
            unsigned height;

            merkle_below_extent(&b, i, &first, &last, &height);
            assert_int_equal(first, next);
            assert_int_equal(last - first + 1, 1u << height);
            assert_int_equal(merkle_below_of(&b, first), i);
            assert_int_equal(merkle_below_of(&b, last), i);
            next = last + 1;
        }
        assert_int_equal(next, b.horizon);
    }
}

static void roots_go_to_a_store_and_back(void **state)
{
    static uint8_t roots[BELOW_MAX][WIRE_HASH], again[BELOW_MAX][WIRE_HASH];
    static uint8_t bytes[BELOW_TEXT_MAX], twice[BELOW_TEXT_MAX];
    static const uint64_t wrong[] = {
        1, 64, 1023, 1025, (uint64_t)1 << 63, ((uint64_t)BELOW_MAX + 1) << 16
    };
    struct merkle_below b = { .roots = roots }, back = { .roots = again };
    size_t n;

    (void)state;
    randombytes_buf(roots, sizeof roots);
    for (uint64_t k = 0; k < 4096 * 64; k = k * 3 + 1) {
        b.horizon = k * 1024;
        b.n = merkle_below_count(b.horizon);
        n = merkle_below_print(&b, bytes);
        OK(merkle_below_parse(&err, bytes, n, &back));
        assert_int_equal(back.horizon, b.horizon);
        assert_int_equal(merkle_below_print(&back, twice), n);
        assert_memory_equal(bytes, twice, n);
        IS(SYNC_INVALID, merkle_below_parse(&err, bytes, n - 1, &back));
        IS(SYNC_INVALID, merkle_below_parse(&err, bytes, n + 1, &back));
        IS(SYNC_INVALID, merkle_below_parse(&err, bytes, 7, &back));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        b.horizon = wrong[i];
        b.n = 0;
        n = merkle_below_print(&b, bytes);
        for (size_t len = n; len < n + 64 * 40; len += 32)
            IS(SYNC_INVALID, merkle_below_parse(&err, bytes, len, &back));
    }
}

static void a_cover_gives_no_horizon_that_is_not_allowed(void **state)
{
    static const uint64_t bad[] = { 1, 1023, 1024, 65536 + 1024, 131072 + 512, 200000, 262144 };
    struct pair p;

    (void)state;
    pair_init(&p, 200000, 3);
    take_cover(&p);
    assert_int_equal(p.parsed.first, 131072);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        IS(SYNC_INVALID, merkle_below_from_cover(&err, &p.parsed, bad[i], &p.below));
    IS(SYNC_USAGE, merkle_node(&err, &p.all, p.size, 16, 3, p.below.roots[0]));
    p.below.horizon = 262144;
    IS(SYNC_USAGE, merkle_root_above(&err, &p.all, p.size, &p.below, p.below.roots[0]));
    pair_done(&p);
}

/* ---- tiles as they travel ---- */

static size_t tile_of(struct pair *p, unsigned height, uint64_t index, uint8_t *out)
{
    unsigned child;
    size_t bytes, n = wire_tile_shape(height, &child, &bytes);

    memset(out, 7, n * bytes);
    for (size_t i = 0; i < n; i++)
        OK(merkle_node(&err, &p->all, p->size, child, index * n + i,
                       out + (i + 1) * bytes - WIRE_HASH));
    return n * bytes;
}

static void tiles_lead_from_a_root_down_to_the_leaf(void **state)
{
    static const unsigned heights[] = { 16, 10, 6 };
    uint8_t tile[WIRE_TILE_MAX + 1], hash[WIRE_HASH];
    struct pair p;
    size_t n;

    (void)state;
    pair_init(&p, 70000, 4);
    for (size_t i = 0; i < 3; i++) {
        uint64_t index = any(&p, p.size >> heights[i]);

        n = tile_of(&p, heights[i], index, tile);
        OK(merkle_node(&err, &p.all, p.size, heights[i], index, hash));
        OK(verify_tile(&err, heights[i], tile, n, hash));
        IS(SYNC_INVALID, verify_tile(&err, heights[i], tile, n - 1, hash));
        IS(SYNC_INVALID, verify_tile(&err, heights[i], tile, n + 1, hash));
        IS(SYNC_INVALID, verify_tile(&err, heights[i] + 1, tile, n, hash));
        tile[n - 1] ^= 1;
        IS(SYNC_MISMATCH, verify_tile(&err, heights[i], tile, n, hash));
    }
    tile[n - 1] ^= 1;
    tile[0] ^= 1; /* a seq, which no hash covers */
    OK(verify_tile(&err, 6, tile, n, hash));
    tile[0] |= 0x80;
    IS(SYNC_INVALID, verify_tile(&err, 6, tile, n, hash));
    memset(tile, 0, 8);
    IS(SYNC_INVALID, verify_tile(&err, 6, tile, n, hash));
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partial_tree_has_the_root_of_the_whole_one),
        cmocka_unit_test(growth_over_a_boundary_moves_the_horizon_up),
        cmocka_unit_test(a_failing_store_leaves_the_roots_as_they_were),
        cmocka_unit_test(roots_cover_everything_below_the_horizon_once),
        cmocka_unit_test(roots_go_to_a_store_and_back),
        cmocka_unit_test(a_cover_gives_no_horizon_that_is_not_allowed),
        cmocka_unit_test(tiles_lead_from_a_root_down_to_the_leaf),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("horizon", tests, NULL, NULL);
}
