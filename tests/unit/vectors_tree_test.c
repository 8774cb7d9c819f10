/* vectors_tree_test.c - the tree, whole and in pieces, as another language understood the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/vectors.h"

static struct sync_err err;

#define OK(expr) assert_int_equal((expr), SYNC_OK)

/* ---- the tree ---- */

enum { LEVELS = 3, LEAVES = 1 << 18 };

struct tiles {
    uint8_t (*nodes[LEVELS])[WIRE_HASH];
};

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    (void)e;
    memcpy(nodes, ((struct tiles *)ctx)->nodes[level][index * MERKLE_TILE],
           (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    (void)e;
    memcpy(((struct tiles *)ctx)->nodes[level][index * MERKLE_TILE], nodes,
           (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

static struct merkle_tiles tiles_new(struct tiles *t)
{
    for (unsigned level = 0; level < LEVELS; level++)
        t->nodes[level] = calloc(LEAVES >> 6 * level, WIRE_HASH);
    return (struct merkle_tiles){ t, tile_read, tile_write };
}

static void tiles_free(struct tiles *t)
{
    for (unsigned level = 0; level < LEVELS; level++)
        free(t->nodes[level]);
}

static void leaf_of(uint64_t born, uint64_t version, uint8_t out[WIRE_HASH])
{
    char name[64];

    verify_sha256(name,
                  (size_t)snprintf(name, sizeof name, "leaf %llu %llu",
                                   (unsigned long long)born, (unsigned long long)version),
                  out);
}

static void roots(const json_t *all)
{
    uint8_t leaf[WIRE_HASH], got[WIRE_HASH];
    json_t *o;
    size_t i;

    json_array_foreach(json_object_get(all, "roots"), i, o)
    {
        struct merkle_stack *s = calloc(1, sizeof *s);

        for (uint64_t born = 0; born < number(o, "size"); born++) {
            leaf_of(born, 0, leaf);
            merkle_stack_add(s, leaf);
        }
        merkle_stack_root(s, got);
        assert_hash(o, "root", got);
        free(s);
    }
}

static void tree(void **state)
{
    json_t *all = load("tree.json"), *o, *changed;
    struct tiles memory;
    struct merkle_tiles tiles = tiles_new(&memory);
    uint64_t size = 0;
    size_t i, k;

    (void)state;
    roots(all);
    json_array_foreach(json_object_get(all, "updates"), i, o)
    {
        struct merkle_writer w;
        uint8_t leaf[WIRE_HASH], got[WIRE_HASH];

        merkle_begin(&w, &tiles, size, number(o, "size"));
        json_array_foreach(json_object_get(o, "changed"), k, changed)
        {
            leaf_of((uint64_t)json_integer_value(changed), number(o, "version"), leaf);
            assert_int_equal(merkle_put(&err, &w, (uint64_t)json_integer_value(changed), leaf),
                             SYNC_OK);
        }
        for (; size < number(o, "size"); size++) {
            leaf_of(size, number(o, "version"), leaf);
            assert_int_equal(merkle_put(&err, &w, size, leaf), SYNC_OK);
        }
        assert_int_equal(merkle_end(&err, &w), SYNC_OK);
        assert_int_equal(merkle_root(&err, &tiles, size, got), SYNC_OK);
        assert_hash(o, "root", got);
    }
    tiles_free(&memory);
    json_decref(all);
}

/* ---- the tree in pieces ---- */

/* A reader with this horizon: its own leaves and the roots below make up the signed root. */
static void root_above(const struct merkle_below *below, uint64_t size, uint8_t out[WIRE_HASH])
{
    struct tiles memory;
    struct merkle_tiles tiles = tiles_new(&memory);
    struct merkle_writer w;
    uint8_t leaf[WIRE_HASH];

    merkle_begin(&w, &tiles, below->horizon, size);
    for (uint64_t born = below->horizon; born < size; born++) {
        leaf_of(born, 0, leaf);
        OK(merkle_put(&err, &w, born, leaf));
    }
    OK(merkle_end(&err, &w));
    OK(merkle_root_above(&err, &tiles, size, below, out));
    tiles_free(&memory);
}

static void horizons(const json_t *o, const struct wire_cover *c)
{
    static uint8_t roots[BELOW_MAX][WIRE_HASH];
    struct merkle_below below = { .roots = roots };
    uint8_t root[WIRE_HASH];
    json_t *h;
    size_t i, n;

    json_array_foreach(json_object_get(o, "horizons"), i, h)
    {
        uint64_t horizon = number(h, "horizon");
        bool allowed = json_is_string(json_object_get(h, "roots"));
        uint8_t *want;

        assert_int_equal(wire_horizon_ok(c->size, horizon), allowed);
        if (!allowed) {
            assert_int_equal(merkle_below_from_cover(&err, c, horizon, &below), SYNC_INVALID);
            continue;
        }
        OK(merkle_below_from_cover(&err, c, horizon, &below));
        want = unhex_new(text(h, "roots"), &n);
        assert_int_equal(n, below.n * WIRE_HASH);
        assert_memory_equal(want, roots, n);
        free(want);
        root_above(&below, c->size, root);
        assert_hash(o, "root", root);
    }
}

static void covers(void **state)
{
    json_t *all = load("covers.json"), *o;
    size_t i, n;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o)
    {
        struct wire_head head = { .size = number(o, "size") };
        uint8_t *bytes = unhex_new(text(o, "cover"), &n), header[WIRE_COVER_HEADER];
        struct wire_cover c;

        unhex(text(o, "root"), head.root);
        OK(wire_cover_parse(&err, bytes, n, &c));
        OK(verify_cover(&err, &c, &head));
        assert_int_equal(c.first, number(o, "first"));
        wire_cover_header(&c, header);
        assert_memory_equal(header, bytes, sizeof header);
        for (size_t k = 0; k < c.lasts; k++)
            assert_int_equal(wire_row_seq(c.last + k * WIRE_LEAF_ROW),
                             c.size - c.lasts + k + 1);
        horizons(o, &c);
        free(bytes);
    }
    json_decref(all);
}

static void covers_to_refuse(void **state)
{
    json_t *all = load("covers.json"), *wrong = json_object_get(all, "wrong"), *o;
    struct wire_head head = { .size = 1089 };
    struct wire_cover c;
    size_t i, n;

    (void)state;
    json_array_foreach(json_object_get(all, "bad"), i, o)
    {
        uint8_t *bytes = unhex_new(text(o, "cover"), &n);

        if (wire_cover_parse(&err, bytes, n, &c) != SYNC_INVALID)
            fail_msg("accepted: %s", text(o, "why"));
        free(bytes);
    }
    unhex(text(wrong, "root"), head.root);
    json_array_foreach(json_object_get(wrong, "covers"), i, o)
    {
        uint8_t *bytes = unhex_new(text(o, "cover"), &n);

        OK(wire_cover_parse(&err, bytes, n, &c));
        if (verify_cover(&err, &c, &head) != SYNC_MISMATCH)
            fail_msg("believed: %s", text(o, "why"));
        free(bytes);
    }
    json_decref(all);
}

static void travelling_tiles(void **state)
{
    json_t *all = load("covers.json"), *o;
    uint8_t hash[WIRE_HASH];
    size_t i, n;

    (void)state;
    json_array_foreach(json_object_get(all, "tiles"), i, o)
    {
        uint8_t *bytes = unhex_new(text(o, "tile"), &n);
        unsigned height = (unsigned)number(o, "height");

        unhex(text(o, "hash"), hash);
        OK(verify_tile(&err, height, bytes, n, hash));
        bytes[n - 1] ^= 1;
        assert_int_equal(verify_tile(&err, height, bytes, n, hash), SYNC_MISMATCH);
        free(bytes);
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree),
        cmocka_unit_test(covers),
        cmocka_unit_test(covers_to_refuse),
        cmocka_unit_test(travelling_tiles),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
