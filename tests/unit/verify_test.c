/* verify_test.c - the tree against its definition, signatures, and which head may follow which. */
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
#include "tests/lib/key_pair.h"

static struct sync_err err;

#define OK(expr)       assert_int_equal((expr), SYNC_OK)
#define IS(kind, expr) assert_int_equal((expr), kind)

/* ---- tiles in memory, which remember what was touched ---- */

struct memory {
    uint8_t *tiles[4]; /* levels 0..3 */
    unsigned counts[4][64];
    unsigned writes;
};

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct memory *m = ctx;

    (void)e;
    assert_true(level < 4 && index < 64);
    assert_int_equal(m->counts[level][index], count);
    memcpy(nodes, m->tiles[level] + index * 2048, count * 32);
    return SYNC_OK;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct memory *m = ctx;

    (void)e;
    assert_true(level < 4 && index < 64 && count > 0 && count <= 64);
    m->counts[level][index] = count;
    memcpy(m->tiles[level] + index * 2048, nodes, count * 32);
    m->writes++;
    return SYNC_OK;
}

static struct merkle_tiles memory_tiles(struct memory *m)
{
    for (unsigned i = 0; i < 4; i++)
        m->tiles[i] = calloc(64, 2048);
    return (struct merkle_tiles){ m, tile_read, tile_write };
}

static void memory_free(struct memory *m)
{
    for (unsigned i = 0; i < 4; i++)
        free(m->tiles[i]);
}

/* RFC 6962, section 2.1, word for word. */
static void naive_root(const uint8_t (*leaves)[32], size_t n, uint8_t out[32])
{
    uint8_t left[32], right[32];
    size_t k = 1;

    if (n == 0) {
        verify_sha256("", 0, out);
        return;
    }
    if (n == 1) {
        memcpy(out, leaves[0], 32);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    naive_root(leaves, k, left);
    naive_root(leaves + k, n - k, right);
    verify_node(left, right, out);
}

static void assert_root(const struct merkle_tiles *tiles, const uint8_t (*leaves)[32], size_t n)
{
    uint8_t want[32], got[32];
    struct merkle_stack *stack = calloc(1, sizeof *stack);

    naive_root(leaves, n, want);
    OK(merkle_root(&err, tiles, n, got));
    assert_memory_equal(want, got, 32);
    for (size_t i = 0; i < n; i++)
        merkle_stack_add(stack, leaves[i]);
    merkle_stack_root(stack, got);
    assert_memory_equal(want, got, 32);
    free(stack);
}

static void the_tree_is_that_of_rfc_6962_at_any_size_and_update(void **state)
{
    enum { ROOM = 4096 };
    uint8_t(*leaves)[32] = calloc(ROOM, 32);
    struct merkle_change *changes = calloc(ROOM, sizeof *changes);

    (void)state;
    for (unsigned seed = 0; seed < 12; seed++) {
        struct memory m = { 0 };
        struct merkle_tiles tiles = memory_tiles(&m);
        size_t size = 0;

        srand(seed);
        assert_root(&tiles, leaves, 0);
        for (unsigned step = 0; step < 25; step++) {
            size_t grow = (size_t)rand() % (step % 3 ? 5 : 400), new_size = size + grow, n = 0;

            new_size = new_size < ROOM ? new_size : ROOM - 1;
            for (size_t born = 0; born < new_size; born++) {
                if (born < size && rand() % 40 != 0)
                    continue;
                randombytes_buf(leaves[born], 32);
                changes[n].born = born;
                memcpy(changes[n++].leaf, leaves[born], 32);
            }
            OK(merkle_update(&err, &tiles, size, changes, n, new_size));
            size = new_size;
            assert_root(&tiles, leaves, size);
        }
        memory_free(&m);
    }
    free(leaves);
    free(changes);
}

static void an_update_touches_only_the_tiles_on_its_paths(void **state)
{
    struct memory m = { 0 };
    struct merkle_tiles tiles = memory_tiles(&m);
    struct merkle_change *all = calloc(4000, sizeof *all);

    (void)state;
    for (size_t i = 0; i < 4000; i++)
        all[i] = (struct merkle_change){ .born = i, .leaf = { (uint8_t)i } };
    OK(merkle_update(&err, &tiles, 0, all, 4000, 4000));
    m.writes = 0;
    OK(merkle_update(&err, &tiles, 4000, all + 100, 1, 4000));
    assert_int_equal(m.writes, 2);
    free(all);
    memory_free(&m);
}

static void holes_and_disorder_are_refused(void **state)
{
    struct memory m = { 0 };
    struct merkle_tiles tiles = memory_tiles(&m);
    struct merkle_change c[] = { { .born = 0 }, { .born = 1 }, { .born = 3 } };
    struct merkle_change twice[] = { { .born = 0 }, { .born = 0 } };

    (void)state;
    IS(SYNC_INVALID, merkle_update(&err, &tiles, 0, c, 3, 4));
    IS(SYNC_INVALID, merkle_update(&err, &tiles, 0, c, 2, 3));
    IS(SYNC_INVALID, merkle_update(&err, &tiles, 0, c, 2, 1));
    IS(SYNC_INVALID, merkle_update(&err, &tiles, 0, twice, 2, 2));
    IS(SYNC_INVALID, merkle_update(&err, &tiles, 5, NULL, 0, 4));
    memory_free(&m);
}

/* ---- notes ---- */

static struct wire_head a_head(void)
{
    return (struct wire_head){ .stream = "main",
                               .epoch = 100,
                               .seq = 10,
                               .sign = 1,
                               .time = 1000,
                               .lease = 60,
                               .size = 5 };
}

static void a_note_is_believed_only_with_its_keys_signature(void **state)
{
    struct pair ours = a_pair(1), other = a_pair(2);
    struct wire_sig unknown = { .algorithm = "sm2", .len = 64 };
    struct wire_head h = a_head();
    struct wire_note note;
    char text[WIRE_HEAD_MAX];
    size_t n;

    (void)state;
    OK(wire_head_print(&err, &h, text, &n));
    OK(wire_sig_append(&err, &unknown, text, &n, sizeof text));
    OK(verify_sign(&err, ours.secret, text, &n, sizeof text));
    OK(wire_head_parse(&err, text, n, &h, &note));
    assert_int_equal(note.nsigs, 2);
    OK(verify_note(&err, text, &note, &ours.key));
    assert_true(verify_note_names(&note, &ours.key));
    assert_false(verify_note_names(&note, &other.key));
    IS(SYNC_UNTRUSTED, verify_note(&err, text, &note, &other.key));
    for (size_t i = 0; i < note.signed_len; i++) {
        text[i] ^= 1;
        IS(SYNC_UNTRUSTED, verify_note(&err, text, &note, &ours.key));
        text[i] ^= 1;
    }
}

/* The first 32 bytes of an SM2 key are an Ed25519 key to whoever does not look at the algorithm. */
static void a_key_of_another_algorithm_proves_nothing(void **state)
{
    struct pair ours = a_pair(1);
    struct wire_sig sig = { .algorithm = "sm2", .len = 64 };
    struct wire_head h = a_head();
    struct verify_key key = ours.key;
    struct wire_note note;
    char text[WIRE_HEAD_MAX];
    size_t n;

    (void)state;
    strcpy(key.algorithm, "sm2");
    key.len = VERIFY_SM2;
    OK(wire_head_print(&err, &h, text, &n));
    crypto_sign_detached(sig.bytes, NULL, (const uint8_t *)text, n, ours.secret);
    memcpy(sig.key_id, key.id, WIRE_KEY_ID);
    OK(wire_sig_append(&err, &sig, text, &n, sizeof text));
    OK(wire_head_parse(&err, text, n, &h, &note));
    assert_true(verify_note_names(&note, &key));
    IS(SYNC_UNTRUSTED, verify_note(&err, text, &note, &key));
    IS(SYNC_UNTRUSTED, verify_note(&err, text, &note, &ours.key));
}

static void a_head_never_goes_back(void **state)
{
    struct wire_head held = a_head(), next = held;
    enum verify_step step;

    (void)state;
    OK(verify_head(&err, NULL, &next, &step));
    OK(verify_head(&err, &held, &next, &step));
    assert_int_equal(step, VERIFY_SAME);
    next.seq++;
    OK(verify_head(&err, &held, &next, &step));
    assert_int_equal(step, VERIFY_AHEAD);
#define BACK(change) (next = held, change, verify_head(&err, &held, &next, &step))
    held.cut = 4;
    IS(SYNC_ROLLBACK, BACK(next.seq--));
    IS(SYNC_ROLLBACK, BACK(next.time--));
    IS(SYNC_ROLLBACK, BACK(next.cut--));
    IS(SYNC_ROLLBACK, BACK((next.seq++, next.size--)));
    IS(SYNC_ROLLBACK, BACK(next.size++));
    IS(SYNC_ROLLBACK, BACK(next.root[0]++));
    IS(SYNC_ROLLBACK, BACK(next.chain[0]++));
    IS(SYNC_ROLLBACK, BACK(next.epoch--));
    IS(SYNC_ROLLBACK, BACK((next.epoch++, next.time--)));
    IS(SYNC_ROLLBACK, BACK(next.stream[0] = 'x'));
    IS(SYNC_OK, BACK((next.epoch++, next.seq--)));
    assert_int_equal(step, VERIFY_EPOCH);
}

static void freshness_ends_with_the_lease(void **state)
{
    struct wire_head h = a_head();

    (void)state;
    assert_int_equal(verify_fresh_for(&h, 900), 60);
    assert_int_equal(verify_fresh_for(&h, 1059), 1);
    assert_int_equal(verify_fresh_for(&h, 1060), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_is_that_of_rfc_6962_at_any_size_and_update),
        cmocka_unit_test(an_update_touches_only_the_tiles_on_its_paths),
        cmocka_unit_test(holes_and_disorder_are_refused),
        cmocka_unit_test(a_note_is_believed_only_with_its_keys_signature),
        cmocka_unit_test(a_key_of_another_algorithm_proves_nothing),
        cmocka_unit_test(a_head_never_goes_back),
        cmocka_unit_test(freshness_ends_with_the_lease),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
