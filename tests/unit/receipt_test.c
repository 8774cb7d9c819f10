/*
 * receipt_test.c - what another language wrote from docs/letters.md, and what becomes of a receipt that somebody touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/citizen/receipt.h"

struct room {
    char dir[64];
    struct work w;
    json_t *vector;
    uint8_t key[HASH_BYTES];
};

static int set_up(void **state)
{
    struct room *t = calloc(1, sizeof *t);
    uint8_t seed[32];
    char path[96], *text;
    size_t n;

    snprintf(t->dir, sizeof t->dir, "/tmp/tjzw-receipt-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    work_init(&t->w, arena_new(), NULL, "test", RIGHT_ALL);
    assert_int_equal(
        fs_read(&t->w.err, t->w.mem, TJZW_VECTORS "/receipt.json", 65536, &text, &n), RC_OK);
    assert_int_equal(jx_object(&t->w.err, t->w.mem, text, n, &t->vector), RC_OK);
    assert_true(hex_parse(jx_text(t->vector, "seed"), 64, seed, sizeof seed));
    assert_true(hex_parse(jx_text(t->vector, "key"), 64, t->key, sizeof t->key));
    snprintf(path, sizeof path, "%s/receipt.key", t->dir);
    assert_int_equal(fs_write(&t->w.err, path, seed, sizeof seed, 0600), RC_OK);
    assert_int_equal(receipt_load(&t->w.err, t->dir), RC_OK);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct room *t = *state;
    char command[96];

    receipt_forget();
    arena_free(t->w.mem);
    snprintf(command, sizeof command, "rm -rf %s", t->dir);
    assert_int_equal(system(command), 0);
    free(t);
    return 0;
}

static const char *sign(struct room *t, const json_t *of)
{
    struct receipt r = {
        jx_int(of, "index", 0), jx_int(of, "time", 0), jx_text(of, "number"), { { 0 } }, { 0 }
    };

    assert_true(id_parse(jx_text(of, "letter"), ID_TEXT - 1, &r.letter));
    assert_true(hex_parse(jx_text(t->vector, "hash"), 64, r.hash, sizeof r.hash));
    return receipt_sign(&t->w, &r);
}

static void receipts_are_those_of_the_page(void **state)
{
    struct room *t = *state;
    const json_t *all = json_object_get(t->vector, "receipts");
    const char *sent = jx_text(t->vector, "sent");
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];

    assert_string_equal(receipt_key(hex), jx_text(t->vector, "key"));
    sha256(sent, strlen(sent), hash);
    assert_string_equal(hex_text(hash, sizeof hash, hex), jx_text(t->vector, "hash"));
    assert_true(json_array_size(all) >= 2);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);

        assert_string_equal(sign(t, one), jx_text(one, "receipt"));
        assert_true(receipt_holds(jx_text(one, "receipt"), t->key));
    }
}

static void a_receipt_that_was_touched_does_not_hold(void **state)
{
    struct room *t = *state;
    const json_t *one = json_array_get(json_object_get(t->vector, "receipts"), 0);
    char text[1024];

    snprintf(text, sizeof text, "%s", jx_text(one, "receipt"));
    for (size_t i = 0; i < strlen(text); i++) {
        text[i] ^= 1;
        assert_false(receipt_holds(text, t->key));
        text[i] ^= 1;
    }
    t->key[0] ^= 1;
    assert_false(receipt_holds(text, t->key));
    assert_false(receipt_holds("", t->key));
    assert_false(receipt_holds("signature 00\n", t->key));
}

static void the_key_stays(void **state)
{
    struct room *t = *state;
    char first[HASH_TEXT], again[HASH_TEXT];

    receipt_key(first);
    receipt_forget();
    assert_int_equal(receipt_load(&t->w.err, t->dir), RC_OK);
    assert_string_equal(receipt_key(again), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(receipts_are_those_of_the_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_receipt_that_was_touched_does_not_hold, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_key_stays, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
