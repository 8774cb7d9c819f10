/* vectors_test.c - records and what carries them, as another language understood the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "tests/lib/vectors.h"

static struct sync_err err;
static uint8_t room[WIRE_RECORD_MAX];

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

/* ---- dz ---- */

static void put_together(const json_t *want, const uint8_t *frame, size_t n,
                         const uint8_t *bytes, size_t length)
{
    uint8_t leaf[WIRE_HASH];

    assert_int_equal(length, strlen(text(want, "bytes")));
    assert_memory_equal(bytes, text(want, "bytes"), length);
    verify_record(frame, n, bytes, length, leaf);
    assert_hash(want, "leaf", leaf);
}

static uint32_t be32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* A record of which the delta is at `delta`; its length is returned. */
static size_t patch(const json_t *want, const char *held, const struct wire_frame *f,
                    const uint8_t *frame, const uint8_t *how, const uint8_t *delta)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    uint8_t hash[WIRE_HASH];

    verify_sha256(held, strlen(held), hash);
    assert_memory_equal(how + 1, hash, WIRE_DZ_NAME);
    ZSTD_DCtx_refPrefix(z, held, strlen(held));
    assert_int_equal(ZSTD_decompressDCtx(z, room, sizeof room, delta, be32(how + 9)),
                     f->length);
    put_together(want, frame, wire_frame_size(f), room, f->length);
    ZSTD_freeDCtx(z);
    return be32(how + 9);
}

static void dz(void **state)
{
    json_t *all = load("dz.json"), *o;
    const char *held = text(json_array_get(json_object_get(all, "held"), 0), "bytes");
    uint8_t section[4096];
    size_t n, i, z, at = 0, end;
    uint8_t *body = unhex_new(text(all, "dz"), &n), *delta;

    (void)state;
    assert_memory_equal(body, "TJZWDZ1\n", 8);
    assert_int_equal(be32(body + 8), json_array_size(json_object_get(all, "records")));
    z = be32(body + 12);
    end = ZSTD_decompress(section, sizeof section, body + WIRE_DZ_HEADER, z);
    assert_false(ZSTD_isError(end));
    delta = body + WIRE_DZ_HEADER + z;
    json_array_foreach(json_object_get(all, "records"), i, o)
    {
        const uint8_t *frame = section + at, *how;
        struct wire_frame f;

        assert_int_equal(wire_frame_decode(&err, frame, end - at, &f), SYNC_OK);
        how = frame + wire_frame_size(&f);
        if (*how == 1)
            delta += patch(o, held, &f, frame, how, delta);
        else
            put_together(o, frame, wire_frame_size(&f), how + 1, f.length);
        at = (size_t)(how - section) + 1 + (*how == 1 ? WIRE_DZ_NAME + 4 : f.length);
    }
    assert_int_equal(at, end);
    assert_ptr_equal(delta, body + n);
    free(body);
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
        cmocka_unit_test(records), cmocka_unit_test(packs),   cmocka_unit_test(dz),
        cmocka_unit_test(chain),   cmocka_unit_test(catchup),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
