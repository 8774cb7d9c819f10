/* vectors_note_test.c - what is signed, and by whom, as another language understood the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/vectors.h"

static struct sync_err err;

#define OK(expr) assert_int_equal((expr), SYNC_OK)

/* ---- heads and keys ---- */

static enum sync_rc read_head(const char *note_text, const struct verify_key *key,
                              struct wire_head *head, struct wire_note *note)
{
    enum sync_rc rc = wire_head_parse(&err, note_text, strlen(note_text), head, note);

    return rc ? rc : verify_note(&err, note_text, note, key);
}

static void heads(void **state)
{
    static const struct {
        const char *name;
        enum sync_rc rc;
    } groups[] = { { "good", SYNC_OK },
                   { "untrusted", SYNC_UNTRUSTED },
                   { "malformed", SYNC_INVALID } };
    json_t *all = load("heads.json"), *o;
    uint8_t public_key[VERIFY_ED25519];
    struct verify_key key;
    size_t i, n;

    (void)state;
    unhex(text(all, "key"), public_key);
    verify_key_ed25519(public_key, &key);
    for (size_t g = 0; g < 3; g++)
        json_array_foreach(json_object_get(all, groups[g].name), i, o)
        {
            struct wire_head head;
            struct wire_note note;
            char again[WIRE_HEAD_MAX];

            if (read_head(text(o, "head"), &key, &head, &note) != groups[g].rc)
                fail_msg("%s: %s", text(o, "name"), err.text);
            if (g > 0)
                continue;
            assert_int_equal(wire_head_print(&err, &head, again, &n), SYNC_OK);
            assert_int_equal(n, note.signed_len);
            assert_memory_equal(again, text(o, "head"), n);
        }
    json_decref(all);
}

static void keys(void **state)
{
    json_t *all = load("keys.json"), *o;
    uint8_t trust[VERIFY_ED25519], public_key[VERIFY_PUBLIC_MAX];
    struct verify_key key;
    char id[2 * WIRE_KEY_ID + 1];
    size_t i, n;

    (void)state;
    json_array_foreach(json_object_get(all, "key_ids"), i, o)
    {
        n = unhex(text(o, "public"), public_key);
        assert_true(verify_key_of(text(o, "algorithm"), public_key, n, &key));
        wire_hex(key.id, WIRE_KEY_ID, id);
        assert_string_equal(id, text(o, "id"));
    }
    json_array_foreach(json_object_get(all, "cases"), i, o)
    {
        const char *chain_text = text(o, "keys");
        enum sync_rc rc;

        unhex(text(o, "trust"), trust);
        rc = verify_keys_current_of(&err, chain_text, strlen(chain_text), trust,
                                    text(o, "role"), text(o, "algorithm"), &key);
        if ((rc == SYNC_OK) != json_is_string(json_object_get(o, "current")))
            fail_msg("%s: %s", text(o, "name"), rc ? err.text : "accepted");
        if (rc)
            continue;
        n = unhex(text(o, "current"), public_key);
        assert_int_equal(key.len, n);
        assert_memory_equal(key.bytes, public_key, n);
    }
    json_decref(all);
}

/* ---- what the platform signs ---- */

static void good_list(const json_t *o, const struct verify_key *key)
{
    const char *all = text(o, "heads"), *one;
    const json_t *names = json_object_get(o, "streams"), *notes = json_object_get(o, "notes");
    static char again[WIRE_HEADS_MAX];
    struct wire_heads heads;
    struct wire_note note;
    size_t at, n, len;

    OK(wire_heads_parse(&err, all, strlen(all), &heads, &note, &at));
    OK(verify_note(&err, all, &note, key));
    OK(wire_heads_print(&err, &heads, again, &n));
    assert_int_equal(n, note.signed_len);
    assert_memory_equal(again, all, n);
    assert_int_equal(heads.counter, number(o, "counter"));
    assert_int_equal(heads.n, json_array_size(names));
    for (size_t i = 0; i < heads.n; i++)
        assert_string_equal(heads.stream[i].name, json_string_value(json_array_get(names, i)));
    for (size_t i = 0; i < json_array_size(notes); i++) {
        const char *want = json_string_value(json_array_get(notes, i));

        OK(wire_heads_next(&err, all, strlen(all), &at, &one, &len));
        assert_int_equal(len, strlen(want));
        assert_memory_equal(one, want, len);
    }
    OK(wire_heads_next(&err, all, strlen(all), &at, &one, &len));
    assert_int_equal(len, 0);
}

static void platform(void **state)
{
    json_t *all = load("platform.json"), *o;
    uint8_t public_key[VERIFY_ED25519];
    struct wire_heads heads;
    struct verify_key key;
    struct wire_note note;
    size_t i, at;

    (void)state;
    unhex(text(all, "key"), public_key);
    verify_key_ed25519(public_key, &key);
    json_array_foreach(json_object_get(all, "good"), i, o) good_list(o, &key);
    json_array_foreach(json_object_get(all, "untrusted"), i, o)
    {
        const char *list = text(o, "heads");

        OK(wire_heads_parse(&err, list, strlen(list), &heads, &note, &at));
        if (verify_note(&err, list, &note, &key) != SYNC_UNTRUSTED)
            fail_msg("believed: %s", text(o, "name"));
    }
    json_array_foreach(json_object_get(all, "malformed"), i, o)
    {
        const char *list = text(o, "heads");

        if (wire_heads_parse(&err, list, strlen(list), &heads, &note, &at) != SYNC_INVALID)
            fail_msg("accepted: %s", text(o, "name"));
    }
    json_decref(all);
}

static enum sync_rc read_withheld(const char *list, const json_t *ids)
{
    uint8_t id[WIRE_ID], want[WIRE_ID];
    struct wire_lines w;
    size_t n = 0;
    bool more = true;
    enum sync_rc rc = wire_withheld_begin(&err, list, strlen(list), &w);

    while (!rc && !(rc = wire_withheld_next(&err, &w, id, &more)) && more) {
        if (ids) {
            unhex(json_string_value(json_array_get(ids, n)), want);
            assert_memory_equal(id, want, WIRE_ID);
        }
        n++;
    }
    if (ids)
        assert_int_equal(n, json_array_size(ids));
    return rc;
}

static void withheld(void **state)
{
    json_t *all = load("withheld.json"), *o;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o)
        OK(read_withheld(text(o, "text"), json_object_get(o, "ids")));
    json_array_foreach(json_object_get(all, "bad"), i,
                       o) if (read_withheld(text(o, "text"), NULL) != SYNC_INVALID)
        fail_msg("accepted: %s", text(o, "why"));
    json_decref(all);
}

/* ---- index, ancestry, place, directory ---- */

static void same_object(const struct wire_object *a, const json_t *o)
{
    assert_string_equal(a->kind == WIRE_BASE ? "base" : "layer", text(o, "kind"));
    assert_hash(o, "hash", a->hash);
    assert_int_equal(a->first_born, number(o, "first_born"));
    assert_int_equal(a->last_born, number(o, "last_born"));
    assert_int_equal(a->lowest_seq, number(o, "lowest_seq"));
    assert_int_equal(a->highest_seq, number(o, "highest_seq"));
    assert_int_equal(a->bytes, number(o, "bytes"));
    assert_int_equal(a->gzip_bytes, number(o, "gzip_bytes"));
    assert_int_equal(a->zstd_bytes, number(o, "zstd_bytes"));
}

static enum sync_rc read_index(const json_t *o)
{
    const json_t *objects = json_object_get(o, "objects");
    const char *whole = text(o, "text");
    struct wire_object a;
    struct wire_lines w;
    size_t n = 0;
    bool more = true;
    enum sync_rc rc = wire_index_begin(&err, whole, strlen(whole), &w);

    while (!rc && !(rc = wire_index_next(&err, &w, &a, &more)) && more) {
        if (objects)
            same_object(&a, json_array_get(objects, n));
        n++;
    }
    if (objects) {
        assert_int_equal(w.seq, number(o, "seq"));
        assert_int_equal(n, json_array_size(objects));
    }
    return rc;
}

static void indexes(void **state)
{
    json_t *all = load("index.json"), *o;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o) OK(read_index(o));
    json_array_foreach(json_object_get(all, "bad"), i, o) if (read_index(o) != SYNC_INVALID)
        fail_msg("accepted: %s", text(o, "why"));
    json_decref(all);
}

static void pairs(const json_t *o, const char *whole)
{
    const json_t *want;
    struct wire_cursor pair;
    struct wire_lines w;
    bool more;
    size_t i;

    wire_ancestry_begin(whole, strlen(whole), &w);
    json_array_foreach(json_object_get(o, "pairs"), i, want)
    {
        OK(wire_ancestry_next(&err, &w, &pair, &more));
        assert_true(more);
        assert_int_equal(pair.epoch, number(want, "epoch"));
        assert_int_equal(pair.seq, number(want, "first_seq"));
    }
    OK(wire_ancestry_next(&err, &w, &pair, &more));
    assert_false(more);
    json_array_foreach(json_object_get(o, "readers"), i, want)
    {
        struct wire_cursor held = { number(want, "epoch"), number(want, "seq") };

        OK(wire_ancestry_allows(&err, whole, strlen(whole), w.epoch, held, &more));
        assert_int_equal(more, json_is_true(json_object_get(want, "may_continue")));
    }
}

static void ancestry(void **state)
{
    json_t *all = load("ancestry.json"), *o;
    bool ignored;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o) pairs(o, text(o, "text"));
    json_array_foreach(json_object_get(all, "bad"), i, o)
    {
        uint64_t epoch = number(o, "epoch");

        if (wire_ancestry_allows(&err, text(o, "text"), strlen(text(o, "text")), epoch,
                                 (struct wire_cursor){ epoch, 0 }, &ignored) != SYNC_INVALID)
            fail_msg("accepted: %s", text(o, "why"));
    }
    json_decref(all);
}

static void places(void **state)
{
    json_t *all = load("place.json"), *o;
    uint64_t born, seq;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o)
    {
        OK(wire_place_parse(&err, text(o, "text"), strlen(text(o, "text")), &born, &seq));
        assert_int_equal(born, number(o, "born"));
        assert_int_equal(seq, number(o, "seq"));
    }
    json_array_foreach(json_object_get(all, "bad"), i, o)
    {
        if (wire_place_parse(&err, text(o, "text"), strlen(text(o, "text")), &born, &seq) !=
            SYNC_INVALID)
            fail_msg("accepted: %s", text(o, "why"));
    }
    json_decref(all);
}

static void directories(void **state)
{
    json_t *all = load("directory.json"), *o;
    size_t i, n;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o)
        assert_true(wire_is_canonical(text(o, "text"), strlen(text(o, "text"))));
    json_array_foreach(json_object_get(all, "bad"), i, o)
    {
        bool raw = json_is_string(json_object_get(o, "hex"));
        char *bytes = raw ? (char *)unhex_new(text(o, "hex"), &n) : strdup(text(o, "text"));

        if (wire_is_canonical(bytes, raw ? n : strlen(bytes)))
            fail_msg("accepted: %s", text(o, "why"));
        free(bytes);
    }
    json_decref(all);
}

/* ---- SM2, as OpenSSL reads it ---- */

static bool sm2_holds(const uint8_t public_key[VERIFY_SM2], const struct wire_sig *s,
                      const char *over, size_t n)
{
    OSSL_PARAM named[] = { OSSL_PARAM_utf8_string("group", (char[]){ "SM2" }, 3),
                           OSSL_PARAM_octet_string("pub", (void *)public_key, VERIFY_SM2),
                           OSSL_PARAM_END };
    EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL), *ctx;
    ECDSA_SIG *rs = ECDSA_SIG_new();
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY *key = NULL;
    uint8_t *der = NULL;
    int len;
    bool ok;

    assert_int_equal(EVP_PKEY_fromdata_init(from), 1);
    assert_int_equal(EVP_PKEY_fromdata(from, &key, EVP_PKEY_PUBLIC_KEY, named), 1);
    ECDSA_SIG_set0(rs, BN_bin2bn(s->bytes, 32, NULL), BN_bin2bn(s->bytes + 32, 32, NULL));
    len = i2d_ECDSA_SIG(rs, &der);
    ctx = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_CTX_set1_id(ctx, "1234567812345678", 16), 1);
    EVP_MD_CTX_set_pkey_ctx(md, ctx);
    assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sm3(), NULL, key), 1);
    ok = EVP_DigestVerify(md, der, (size_t)len, (const uint8_t *)over, n) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(rs);
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_CTX_free(from);
    EVP_PKEY_free(key);
    return ok;
}

static void sm2(void **state)
{
    json_t *all = load("heads.json"), *o;
    uint8_t public_key[VERIFY_SM2];
    struct wire_head head;
    struct wire_note note;
    struct verify_key key;
    size_t i, seen = 0;

    (void)state;
    unhex(text(all, "sm2"), public_key);
    assert_true(verify_key_of("sm2", public_key, sizeof public_key, &key));
    json_array_foreach(json_object_get(all, "good"), i, o)
    {
        const char *t = text(o, "head");

        OK(wire_head_parse(&err, t, strlen(t), &head, &note));
        for (size_t k = 0; k < note.nsigs; k++) {
            if (strcmp(note.sigs[k].algorithm, "sm2") != 0)
                continue;
            assert_int_equal(note.sigs[k].len, 64);
            assert_memory_equal(note.sigs[k].key_id, key.id, WIRE_KEY_ID);
            assert_true(sm2_holds(public_key, &note.sigs[k], t, note.signed_len));
            assert_false(sm2_holds(public_key, &note.sigs[k], t, note.signed_len - 1));
            seen++;
        }
    }
    assert_int_equal(seen, 1);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads),    cmocka_unit_test(keys),        cmocka_unit_test(platform),
        cmocka_unit_test(withheld), cmocka_unit_test(indexes),     cmocka_unit_test(ancestry),
        cmocka_unit_test(places),   cmocka_unit_test(directories), cmocka_unit_test(sm2),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
