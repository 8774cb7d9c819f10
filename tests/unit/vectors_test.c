/*
 * vectors_test.c - what tests/vectors/sync says, which another language wrote from the protocol page alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/verify.h"

static struct sync_err err;
static uint8_t room[WIRE_RECORD_MAX];

static json_t *load(const char *name)
{
    char path[512];
    json_error_t why;
    json_t *v;

    snprintf(path, sizeof path, "%s/%s", TJZW_VECTORS, name);
    v = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!v)
        fail_msg("%s: line %d: %s", path, why.line, why.text);
    return v;
}

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    assert_non_null(s);
    return s;
}

static uint64_t number(const json_t *o, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(o, name));
}

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;

    assert_true(wire_unhex(hex, strlen(hex), out, n));
    return n;
}

static void assert_hash(const json_t *o, const char *name, const uint8_t hash[WIRE_HASH])
{
    char hex[65];

    wire_hex(hash, WIRE_HASH, hex);
    assert_string_equal(text(o, name), hex);
}

/* ---- records and packs ---- */

static struct wire_frame described(const json_t *o)
{
    struct wire_frame f = {
        .op = (uint8_t)number(o, "op"),
        .flags = (uint8_t)number(o, "flags"),
        .born = number(o, "born"),
        .seq = number(o, "seq"),
        .site = (uint32_t)number(o, "site"),
        .column = (uint32_t)number(o, "column"),
        .date = (int64_t)number(o, "date"),
        .title = text(o, "title"),
        .title_len = (uint16_t)strlen(text(o, "title")),
        .length = (uint32_t)strlen(text(o, "bytes")),
    };

    unhex(text(o, "id"), f.id);
    return f;
}

static void records(void **state)
{
    json_t *all = load("records.json"), *o;
    size_t i, n, want_n;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o)
    {
        struct wire_frame f = described(o), back;
        uint8_t frame[WIRE_FRAME_MAX], want[WIRE_FRAME_MAX], leaf[WIRE_HASH];

        assert_int_equal(wire_frame_encode(&err, &f, frame, &n), SYNC_OK);
        want_n = unhex(text(o, "frame"), want);
        assert_int_equal(n, want_n);
        assert_memory_equal(frame, want, n);
        assert_int_equal(wire_frame_decode(&err, want, n, &back), SYNC_OK);
        assert_int_equal(back.date, f.date);
        assert_int_equal(back.seq, f.seq);
        verify_record(frame, n, (const uint8_t *)text(o, "bytes"), f.length, leaf);
        assert_hash(o, "leaf", leaf);
    }
    json_array_foreach(json_object_get(all, "bad"), i, o)
    {
        struct wire_frame f;

        n = unhex(text(o, "frame"), room);
        if (wire_frame_decode(&err, room, n, &f) == SYNC_OK)
            fail_msg("accepted: %s", text(o, "why"));
    }
    json_decref(all);
}

struct seqs {
    const json_t *want;
    size_t n;
};

static enum sync_rc expect_seq(void *ctx, struct sync_err *e, const struct wire_frame *f,
                               const uint8_t *frame, const uint8_t *bytes)
{
    struct seqs *s = ctx;

    (void)e;
    (void)frame;
    (void)bytes;
    if (s->want)
        assert_int_equal(json_integer_value(json_array_get(s->want, s->n)), f->seq);
    s->n++;
    return SYNC_OK;
}

static enum sync_rc read_pack(const char *hex, struct seqs *s)
{
    uint8_t *bytes = malloc(strlen(hex) / 2 + 1);
    size_t n = unhex(hex, bytes);
    struct wire_pack p;
    enum sync_rc rc;

    wire_pack_init(&p, room);
    if (!(rc = wire_pack_feed(&err, &p, bytes, n, expect_seq, s)))
        rc = wire_pack_end(&err, &p);
    free(bytes);
    return rc;
}

static void packs(void **state)
{
    json_t *all = load("packs.json"), *o;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o)
    {
        struct seqs s = { .want = json_object_get(o, "seqs") };

        assert_int_equal(read_pack(text(o, "pack"), &s), SYNC_OK);
        assert_int_equal(s.n, json_array_size(s.want));
    }
    json_array_foreach(json_object_get(all, "bad"), i,
                       o) if (read_pack(text(o, "pack"), &(struct seqs){ 0 }) == SYNC_OK)
        fail_msg("accepted: %s", text(o, "why"));
    json_decref(all);
}

/* ---- the tree ---- */

struct tiles {
    uint8_t nodes[3][128][64 * WIRE_HASH];
};

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    (void)e;
    memcpy(nodes, ((struct tiles *)ctx)->nodes[level][index], (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    (void)e;
    memcpy(((struct tiles *)ctx)->nodes[level][index], nodes, (size_t)count * WIRE_HASH);
    return SYNC_OK;
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
    struct tiles *memory = calloc(1, sizeof *memory);
    struct merkle_tiles tiles = { memory, tile_read, tile_write };
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
    free(memory);
    json_decref(all);
}

static void chain(void **state)
{
    json_t *all = load("chain.json"), *o;
    uint8_t value[WIRE_HASH], leaf[WIRE_HASH];
    size_t i;

    (void)state;
    verify_chain_first(text(all, "stream"), value);
    json_array_foreach(json_object_get(all, "links"), i, o)
    {
        if (i > 0) {
            unhex(text(o, "leaf"), leaf);
            verify_chain_next(value, leaf, value);
        }
        assert_hash(o, "chain", value);
    }
    json_decref(all);
}

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
    uint8_t trust[VERIFY_ED25519], want[VERIFY_ED25519];
    struct verify_key key;
    char id[2 * WIRE_KEY_ID + 1];
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "key_ids"), i, o)
    {
        unhex(text(o, "public"), trust);
        verify_key_ed25519(trust, &key);
        wire_hex(key.id, WIRE_KEY_ID, id);
        assert_string_equal(id, text(o, "id"));
    }
    json_array_foreach(json_object_get(all, "cases"), i, o)
    {
        const char *chain_text = text(o, "keys");
        enum sync_rc rc;

        unhex(text(o, "trust"), trust);
        rc = verify_keys_current(&err, chain_text, strlen(chain_text), trust, text(o, "role"),
                                 &key);
        if ((rc == SYNC_OK) != json_is_string(json_object_get(o, "current")))
            fail_msg("%s: %s", text(o, "name"), rc ? err.text : "accepted");
        if (rc)
            continue;
        unhex(text(o, "current"), want);
        assert_memory_equal(key.bytes, want, sizeof want);
    }
    json_decref(all);
}

static void catchup(void **state)
{
    json_t *all = load("catchup.json"), *o;
    size_t i;

    (void)state;
    json_array_foreach(all, i, o)
    {
        assert_int_equal(wire_catchup_from(number(o, "cursor"), number(o, "head")),
                         number(o, "from"));
        assert_true(wire_catchup_ok(number(o, "from"), number(o, "head")));
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records), cmocka_unit_test(packs), cmocka_unit_test(tree),
        cmocka_unit_test(chain),   cmocka_unit_test(heads), cmocka_unit_test(keys),
        cmocka_unit_test(catchup),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
