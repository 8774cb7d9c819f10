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

#include "sync/follow_engine.h"
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

static uint64_t be64(const uint8_t *in)
{
    return (uint64_t)be32(in) << 32 | be32(in + 4);
}

/* The record whose bytes these are; its length. */
static size_t whole(const json_t *want, const uint8_t *in, size_t n)
{
    struct wire_frame f;
    size_t frame;

    assert_int_equal(wire_frame_decode(&err, in, n, &f), SYNC_OK);
    frame = wire_frame_size(&f);
    assert_true(frame + f.length <= n);
    assert_int_equal(f.born, number(want, "born"));
    assert_int_equal(f.seq, number(want, "seq"));
    put_together(want, in, frame, in + frame, f.length);
    return frame + f.length;
}

/* A record that the section tells of at `told`; the length of its delta is returned. */
static size_t patch(const json_t *want, const json_t *held, const uint8_t *told,
                    const uint8_t *delta)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    size_t frame, n = strlen(text(held, "bytes")), got;
    uint8_t *prefix = unhex_new(text(held, "frame"), &frame), leaf[WIRE_HASH];

    prefix = realloc(prefix, frame + n);
    memcpy(prefix + frame, text(held, "bytes"), n);
    verify_record(prefix, frame, prefix + frame, n, leaf);
    assert_hash(held, "leaf", leaf);
    assert_int_equal(be64(told), number(want, "born"));
    assert_int_equal(be64(told + 8), number(want, "seq"));
    assert_memory_equal(told + 16, leaf, WIRE_DZ_NAME);
    ZSTD_DCtx_refPrefix(z, prefix, frame + n);
    got = ZSTD_decompressDCtx(z, room, sizeof room, delta, be32(told + 24));
    assert_false(ZSTD_isError(got));
    assert_int_equal(whole(want, room, got), got);
    ZSTD_freeDCtx(z);
    free(prefix);
    return be32(told + 24);
}

struct engine_sees {
    const json_t *held;
    size_t records;
};

static enum sync_rc on_record(void *ctx, struct sync_err *e, const struct wire_frame *f,
                              const uint8_t *frame, const uint8_t *bytes)
{
    (void)e, (void)f, (void)frame, (void)bytes;
    ((struct engine_sees *)ctx)->records++;
    return SYNC_OK;
}

static enum sync_rc on_prefix(void *ctx, struct sync_err *e, const struct dz_delta *delta,
                              uint8_t *out, size_t *n, bool *is_held)
{
    const json_t *held = ((struct engine_sees *)ctx)->held;
    uint8_t leaf[WIRE_HASH];

    (void)e;
    *n = unhex(text(held, "frame"), out);
    memcpy(out + *n, text(held, "bytes"), strlen(text(held, "bytes")));
    *n += strlen(text(held, "bytes"));
    unhex(text(held, "leaf"), leaf);
    *is_held =
        delta->born == number(held, "born") && memcmp(delta->name, leaf, WIRE_DZ_NAME) == 0;
    return SYNC_OK;
}

static enum sync_rc engine_reads(const char *hex, struct engine_sees *sees)
{
    struct dz_calls calls = { sees, on_record, on_prefix };
    struct dz *d = dz_new(1 << 20, 16, &calls);
    size_t n;
    uint8_t *body = unhex_new(hex, &n);
    enum sync_rc rc = dz_feed(&err, d, body, n);

    if (!rc)
        rc = dz_end(&err, d);
    dz_free(d);
    free(body);
    return rc;
}

static void dz_through_the_engine(const json_t *all)
{
    struct engine_sees sees = { json_array_get(json_object_get(all, "held"), 0), 0 };
    json_t *o;
    size_t i;

    assert_int_equal(engine_reads(text(all, "dz"), &sees), SYNC_OK);
    assert_int_equal(sees.records, json_array_size(json_object_get(all, "records")));
    json_array_foreach(json_object_get(all, "bad"), i,
                       o) if (engine_reads(text(o, "dz"), &sees) == SYNC_OK)
        fail_msg("accepted: %s", text(o, "why"));
}

static void dz(void **state)
{
    json_t *all = load("dz.json"), *o;
    const json_t *held = json_array_get(json_object_get(all, "held"), 0);
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
        assert_true(at < end);
        if (section[at++] == 1) {
            delta += patch(o, held, section + at, delta);
            at += WIRE_DZ_DELTA;
        } else {
            at += whole(o, section + at, end - at);
        }
    }
    assert_int_equal(at, end);
    assert_ptr_equal(delta, body + n);
    free(body);
    dz_through_the_engine(all);
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
