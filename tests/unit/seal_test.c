/*
 * seal_test.c - what is sealed opens where it belongs, and nowhere else, and never damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/base/secret.h"

static const struct seal_place phone = { "account.phone", 7 };
static const char number[] = "13800138000";

struct room {
    char dir[64];
    struct work w;
};

static int set_up(void **state)
{
    struct room *t = calloc(1, sizeof *t);

    snprintf(t->dir, sizeof t->dir, "/tmp/tjzw-seal-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    work_init(&t->w, arena_new(), NULL, "test", RIGHT_ALL);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct room *t = *state;
    char command[96];

    seal_forget();
    arena_free(t->w.mem);
    snprintf(command, sizeof command, "rm -rf %s", t->dir);
    assert_int_equal(system(command), 0);
    free(t);
    return 0;
}

static void begin(struct room *t, int suite)
{
    assert_int_equal(seal_load(&t->w.err, t->dir, suite), RC_OK);
}

static uint8_t *sealed(struct room *t, size_t *n)
{
    uint8_t *out = NULL;

    assert_int_equal(seal_close(&t->w, phone, number, strlen(number), &out, n), RC_OK);
    return out;
}

static enum rc open_at(struct room *t, struct seal_place at, const uint8_t *p, size_t n)
{
    char *text = NULL;
    size_t len = 0;
    enum rc rc = seal_open(&t->w, at, p, n, &text, &len);

    if (!rc)
        assert_int_equal(len, strlen(text));
    return rc;
}

/* Refused, by a sentence that gives nothing away. */
static void assert_refused(struct room *t, struct seal_place at, const uint8_t *p, size_t n)
{
    t->w.err.text[0] = '\0';
    assert_int_equal(open_at(t, at, p, n), RC_CORRUPT);
    assert_non_null(strstr(t->w.err.text, at.column));
    assert_null(strstr(t->w.err.text, "138"));
}

static void the_first_keys_are_made_for_us_alone(void **state)
{
    struct room *t = *state;
    static const char *const files[] = { "seal.1", "index" };

    begin(t, SEAL_XCHACHA);
    for (size_t i = 0; i < 2; i++) {
        struct stat st;

        assert_int_equal(stat(arena_printf(t->w.mem, "%s/%s", t->dir, files[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(st.st_size, 32);
    }
    assert_int_equal(seal_load(&t->w.err, t->dir, 3), RC_INVALID);
}

static void what_is_sealed_opens(void **state)
{
    struct room *t = *state;

    for (int suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
        begin(t, suite);
        for (size_t n = 0; n <= SEAL_MAX; n = n * 3 + 1) {
            char *in = arena_alloc(t->w.mem, n + 1), *out;
            uint8_t *p;
            size_t len, out_n;

            secret_random(in, n);
            assert_int_equal(seal_close(&t->w, phone, in, n, &p, &len), RC_OK);
            assert_true(len <= n + SEAL_MORE && p[0] == suite);
            assert_int_equal(seal_open(&t->w, phone, p, len, &out, &out_n), RC_OK);
            assert_int_equal(out_n, n);
            assert_memory_equal(out, in, n);
        }
    }
    assert_int_equal(
        seal_close(&t->w, phone, number, SEAL_MAX + 1, &(uint8_t *){ NULL }, &(size_t){ 0 }),
        RC_TOO_LARGE);
}

static void the_same_looks_different_each_time(void **state)
{
    struct room *t = *state;
    size_t a_n, b_n;

    begin(t, SEAL_SM4);
    uint8_t *a = sealed(t, &a_n), *b = sealed(t, &b_n);

    assert_int_equal(a_n, b_n);
    assert_memory_not_equal(a + 3, b + 3, a_n - 3);
}

static void every_flipped_bit_and_every_cut_is_found(void **state)
{
    struct room *t = *state;

    for (int suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
        size_t n;

        begin(t, suite);
        uint8_t *p = sealed(t, &n);

        for (size_t bit = 0; bit < 8 * n; bit++) {
            p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_refused(t, phone, p, n);
            p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t cut = 0; cut < n; cut++)
            assert_refused(t, phone, p, cut);
        assert_int_equal(open_at(t, phone, p, n), RC_OK);
    }
}

static void it_opens_in_its_own_place_only(void **state)
{
    struct room *t = *state;
    static const struct seal_place others[] = { { "account.phone", 8 },
                                                { "account.phon", 7 },
                                                { "account.phone2", 7 },
                                                { "audit.address", 7 },
                                                { "", 7 },
                                                { "account.phone", -7 } };

    for (int suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
        size_t n;

        begin(t, suite);
        uint8_t *p = sealed(t, &n);

        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            assert_int_equal(open_at(t, others[i], p, n), RC_CORRUPT);
    }
}

static void a_new_key_seals_and_the_old_one_still_opens(void **state)
{
    struct room *t = *state;
    size_t n, m;
    int no = 0;

    begin(t, SEAL_XCHACHA);
    uint8_t *first = sealed(t, &n);

    assert_int_equal(seal_rotate(&t->w.err, &no), RC_OK);
    assert_int_equal(no, 2);
    uint8_t *second = sealed(t, &m);

    assert_int_equal(second[2], 2);
    begin(t, SEAL_SM4); /* as after a restart, with the other suite */
    assert_int_equal(seal_newest(), 2);
    assert_int_equal(open_at(t, phone, first, n), RC_OK);
    assert_int_equal(open_at(t, phone, second, m), RC_OK);
    assert_int_equal(sealed(t, &n)[0], SEAL_SM4);
}

static void a_key_that_is_gone_is_named(void **state)
{
    struct room *t = *state;
    size_t n;
    int no;

    begin(t, SEAL_XCHACHA);
    uint8_t *first = sealed(t, &n);

    assert_int_equal(seal_rotate(&t->w.err, &no), RC_OK);
    assert_int_equal(remove(arena_printf(t->w.mem, "%s/seal.1", t->dir)), 0);
    begin(t, SEAL_XCHACHA);
    assert_refused(t, phone, first, n);
    assert_non_null(strstr(t->w.err.text, "seal.1"));
}

static void the_index_finds_the_same_and_only_that(void **state)
{
    struct room *t = *state;
    uint8_t a[HASH_BYTES], b[HASH_BYTES];

    begin(t, SEAL_XCHACHA);
    seal_index("phone", number, strlen(number), a);
    seal_index("phone", number, strlen(number), b);
    assert_memory_equal(a, b, sizeof a);
    seal_index("login", number, strlen(number), b);
    assert_memory_not_equal(a, b, sizeof a);
    seal_index("phone1", number + 1, strlen(number) - 1, b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(remove(arena_printf(t->w.mem, "%s/index", t->dir)), 0);
    begin(t, SEAL_XCHACHA);
    seal_index("phone", number, strlen(number), b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* ---- what another language made from the page alone ---- */

static json_t *examples(struct room *t)
{
    json_error_t why;
    json_t *all = json_load_file(TJZW_VECTORS "/seal.json", 0, &why);
    const char *name;
    json_t *hex;

    if (!all)
        fail_msg("seal.json: %s", why.text);
    json_object_foreach(json_object_get(all, "keys"), name, hex)
    {
        uint8_t key[SECRET_BYTES];

        assert_true(hex_parse(json_string_value(hex), 64, key, sizeof key));
        assert_int_equal(fs_write(&t->w.err, arena_printf(t->w.mem, "%s/%s", t->dir, name), key,
                                  sizeof key, 0600),
                         RC_OK);
    }
    return all;
}

static void what_another_language_sealed_opens(void **state)
{
    struct room *t = *state;
    json_t *all = examples(t), *one;
    size_t i;

    begin(t, SEAL_XCHACHA);
    json_array_foreach(json_object_get(all, "values"), i, one)
    {
        const char *hex = jx_text(one, "sealed");
        struct seal_place at = { jx_text(one, "column"), jx_int(one, "owner", -1) };
        size_t n = strlen(hex) / 2, len;
        uint8_t *p = arena_alloc(t->w.mem, n);
        char *text;

        assert_true(hex_parse(hex, 2 * n, p, n));
        assert_int_equal(seal_open(&t->w, at, p, n, &text, &len), RC_OK);
        assert_string_equal(text, jx_text(one, "text"));
    }
    assert_int_equal(i, 16);
    json_array_foreach(json_object_get(all, "index"), i, one)
    {
        uint8_t hash[HASH_BYTES];
        char hex[HASH_TEXT];

        seal_index(jx_text(one, "kind"), jx_text(one, "text"), strlen(jx_text(one, "text")),
                   hash);
        assert_string_equal(hex_text(hash, sizeof hash, hex), jx_text(one, "hash"));
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_keys_are_made_for_us_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_sealed_opens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_looks_different_each_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_and_every_cut_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_opens_in_its_own_place_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_seals_and_the_old_one_still_opens, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_is_gone_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_index_finds_the_same_and_only_that, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_another_language_sealed_opens, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
