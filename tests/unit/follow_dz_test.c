/*
 * follow_dz_test.c - catch-ups as differences: every record comes out right whatever versions a phone
 * holds, and nothing comes out of what is not right.
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
#include <zstd.h>

#include "sync/follow_engine.h"
#include "tests/lib/follow_phone.h"

/* A body that changes a little from version to version. */
static void body_of(uint64_t born, unsigned version, char out[3000])
{
    int n = snprintf(out, 3000, "{\"version\":%u,\"body\":\"", version);
    uint64_t seed = born;

    while (n < 2400)
        n += snprintf(out + n, 3000 - (size_t)n, "%08x", fake_random(&seed, UINT32_MAX));
    snprintf(out + n, 3000 - (size_t)n, "\"}");
}

static void edit(struct fake *s, uint64_t born, unsigned version)
{
    char body[3000];

    body_of(born, version, body);
    fake_edit(s, born, "标题", body);
}

/* One whose records are long, so that it pays. */
static struct fake *a_wordy_server(unsigned items)
{
    struct fake *s = fake_new("main", 1763712000);
    char body[3000];

    for (unsigned i = 0; i < items; i++) {
        body_of(i, 0, body);
        fake_publish(s, "标题", body);
    }
    fake_head(s);
    return s;
}

static void small_corrections_travel_as_differences(void **state)
{
    struct fake *s = a_wordy_server(300);
    struct phone dz = phone_new(s), plain = phone_new(s);

    (void)state;
    plain.plain = true;
    phone_must_sync(&dz);
    phone_must_sync(&plain);
    for (unsigned i = 0; i < 200; i++)
        edit(s, i, 1);
    fake_withdraw(s, 7);
    fake_publish(s, "新", "{}");
    fake_head(s);
    phone_must_sync(&dz);
    phone_must_sync(&plain);
    assert_int_equal(dz.last.requests, 2);
    assert_int_equal(dz.last.records, 201);
    assert_true(dz.last.bytes_down * 5 < plain.last.bytes_down);
    phone_done(&dz);
    phone_done(&plain);
    fake_free(s);
}

static void what_changed_since_the_rounded_cursor_comes_alone(void **state)
{
    struct fake *s = a_wordy_server(300);
    struct phone p = phone_new(s);

    (void)state;
    edit(s, 5, 1); /* between the rounded cursor and ours */
    fake_head(s);
    phone_must_sync(&p);
    for (unsigned i = 0; i < 40; i++)
        edit(s, 5 + i, 2);
    fake_head(s);
    assert_true(wire_catchup_from(301, 341) < 301);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 3); /* heads, log, one item */
    assert_int_equal(p.last.rounds, 1);
    phone_done(&p);
    fake_free(s);
}

static void when_too_much_is_missing_the_whole_records_come(void **state)
{
    struct fake *s = a_wordy_server(100);
    struct phone p = phone_new(s);

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        edit(s, i % 100, i);
    fake_head(s);
    phone_must_sync(&p);
    for (unsigned i = 0; i < 3900; i++)
        edit(s, i % 100, 300 + i);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 3); /* heads, log as .dz, log as .zst */
    phone_done(&p);
    fake_free(s);
}

static void a_damaged_record_is_no_prefix(void **state)
{
    struct fake *s = a_wordy_server(100);
    struct phone p = phone_new(s);
    struct memory_record *r;

    (void)state;
    phone_must_sync(&p);
    r = p.store->now->items[5].record;
    r->at[r->n - 10] ^= 1;
    r = p.store->now->items[6].record;
    r->at[0] = 9; /* no op: not even a frame */
    r = p.store->now->items[7].record;
    r->at[47] ^= 1; /* the column */
    for (unsigned i = 4; i < 8; i++)
        edit(s, i, 1);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 5); /* heads, log, the three items alone */
    phone_done(&p);
    fake_free(s);
}

/* Another title and another date are as good a correction as another word of the text. */
static void a_corrected_title_travels_as_a_difference(void **state)
{
    struct fake *s = a_wordy_server(100);
    struct phone p = phone_new(s), plain = phone_new(s);
    char body[3000];

    (void)state;
    plain.plain = true;
    phone_must_sync(&p);
    phone_must_sync(&plain);
    for (unsigned i = 0; i < 50; i++) {
        body_of(i, 0, body);
        fake_edit(s, i, "更正的标题", body);
    }
    fake_head(s);
    phone_must_sync(&p);
    phone_must_sync(&plain);
    assert_int_equal(p.last.requests, 2);
    assert_true(p.last.bytes_down * 5 < plain.last.bytes_down);
    phone_done(&p);
    phone_done(&plain);
    fake_free(s);
}

/* Phones at any cursors, in any order, over any changes. */
static void one_mixture(uint64_t seed)
{
    enum { PHONES = 4 };
    struct fake *s = a_wordy_server(20 + fake_random(&seed, 100));
    struct phone p[PHONES];
    unsigned version = 1;

    for (unsigned i = 0; i < PHONES; i++)
        p[i] = phone_new(s);
    for (unsigned step = 0; step < 20; step++) {
        unsigned n = fake_random(&seed, fake_random(&seed, 4) ? 30 : 400);

        for (unsigned i = 0; i < n; i++) {
            uint64_t born = fake_random(&seed, (uint32_t)fake_size(s));

            switch (fake_random(&seed, 12)) {
            case 0: fake_withdraw(s, born); break;
            case 1: fake_publish(s, "新", "{\"a\":1}"); break;
            case 2: fake_edit(s, born, "空", ""); break;
            default: edit(s, born, version++);
            }
        }
        fake_head(s);
        for (unsigned i = 0; i < PHONES; i++)
            if (fake_random(&seed, 3) == 0) {
                phone_must_sync(&p[i]);
                assert_int_equal(p[i].last.rounds, 1);
            }
    }
    for (unsigned i = 0; i < PHONES; i++) {
        phone_must_sync(&p[i]);
        phone_done(&p[i]);
    }
    fake_free(s);
}

static void any_mixture_of_versions_gets_every_record_right(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < (getenv("TJZW_FULL") ? 300 : 30); seed++)
        one_mixture(seed);
}

/* ---- the decoder alone ---- */

struct out {
    struct fake *s;
    struct wire_head *head;
    unsigned records, asked;
};

static enum sync_rc on_record(void *ctx, struct sync_err *e, const struct wire_frame *f,
                              const uint8_t *frame, const uint8_t *bytes)
{
    struct out *o = ctx;
    uint8_t leaf[WIRE_HASH];

    (void)e;
    o->records++;
    if (o->head && f->born < o->head->size) {
        verify_record(frame, wire_frame_size(f), bytes, f->length, leaf);
        assert_memory_equal(leaf, fake_leaf(o->s, o->head, f->born), WIRE_HASH);
    }
    return SYNC_OK;
}

enum { HELD = 20 };
static struct fake_bytes before[HELD]; /* the records that the deltas were made from */

static enum sync_rc on_before(void *ctx, struct sync_err *e, const struct wire_frame *f,
                              const uint8_t *frame, const uint8_t *bytes)
{
    size_t n = wire_frame_size(f);
    uint8_t *copy = malloc(n + f->length);

    (void)ctx, (void)e;
    memcpy(copy, frame, n);
    memcpy(copy + n, bytes, f->length);
    free(before[f->born].at);
    before[f->born] = (struct fake_bytes){ copy, n + f->length };
    return SYNC_OK;
}

static bool is_called(const struct fake_bytes *record, const uint8_t name[WIRE_DZ_NAME])
{
    uint8_t leaf[WIRE_HASH];
    struct wire_frame f;
    struct sync_err e;
    size_t n;

    assert_int_equal(wire_frame_decode(&e, record->at, record->n, &f), SYNC_OK);
    n = wire_frame_size(&f);
    verify_record(record->at, n, record->at + n, record->n - n, leaf);
    return memcmp(leaf, name, WIRE_DZ_NAME) == 0;
}

static enum sync_rc on_prefix(void *ctx, struct sync_err *e, const struct dz_delta *delta,
                              uint8_t *out, size_t *n, bool *held)
{
    struct out *o = ctx;

    (void)e;
    o->asked++;
    *held = delta->born < HELD && is_called(&before[delta->born], delta->name);
    if (*held) {
        *n = before[delta->born].n;
        memcpy(out, before[delta->born].at, *n);
    }
    return SYNC_OK;
}

static enum sync_rc decode_pieces(const struct fake_bytes *b, size_t piece, uint64_t limit,
                                  uint32_t most, struct out *o)
{
    struct dz_calls calls = { o, on_record, on_prefix };
    struct dz *d = dz_new(limit, most, &calls);
    enum sync_rc rc = SYNC_OK;
    struct sync_err e;

    for (size_t at = 0; at < b->n && !rc; at += piece)
        rc = dz_feed(&e, d, b->at + at, b->n - at < piece ? b->n - at : piece);
    if (!rc)
        rc = dz_end(&e, d);
    dz_free(d);
    return rc;
}

static struct fake_answer answer_log(struct fake *s, const char *range, struct wire_head *head)
{
    struct wire_note note;
    struct fake_answer heads, a;
    struct sync_err e;
    char path[WIRE_URL_MAX];

    fake_head(s);
    heads = fake_answer(s, "/v1/sync/main/head");
    assert_int_equal(
        wire_head_parse(&e, (const char *)heads.body.at, heads.body.n, head, &note), SYNC_OK);
    free(heads.body.at);
    snprintf(path, sizeof path, "/v1/sync/main/log/%llu/0/%s", (unsigned long long)head->epoch,
             range);
    a = fake_answer(s, path);
    assert_int_equal(a.status, 200);
    return a;
}

/* What the server of HELD items has now, into `before`. */
static void hold(struct fake *s)
{
    static uint8_t room[WIRE_RECORD_MAX];
    struct wire_head head;
    struct fake_answer a = answer_log(s, "0-20", &head);
    struct wire_pack p;
    struct sync_err e;

    wire_pack_init(&p, room);
    assert_int_equal(wire_pack_feed(&e, &p, a.body.at, a.body.n, on_before, NULL), SYNC_OK);
    assert_int_equal(wire_pack_end(&e, &p), SYNC_OK);
    free(a.body.at);
}

static struct fake_answer a_dz(struct fake *s, struct wire_head *head)
{
    hold(s);
    edit(s, 3, 1);
    edit(s, 4, 1);
    fake_publish(s, "新", "{}");
    fake_withdraw(s, 5);
    return answer_log(s, "20-24.dz", head);
}

static void pieces_of_any_size_give_the_same_records(void **state)
{
    struct fake *s = a_wordy_server(HELD);
    struct wire_head head;
    struct fake_answer a = a_dz(s, &head);

    (void)state;
    for (size_t piece = 1; piece < 300; piece++) {
        struct out o = { .s = s, .head = &head };

        assert_int_equal(decode_pieces(&a.body, piece, 1 << 20, 4, &o), SYNC_OK);
        assert_int_equal(o.records, 4);
        assert_int_equal(o.asked, 2);
    }
    free(a.body.at);
    fake_free(s);
}

static void limits_are_kept(void **state)
{
    struct fake *s = a_wordy_server(HELD);
    struct wire_head head;
    struct fake_answer a = a_dz(s, &head);
    struct out o = { .s = s };

    (void)state;
    assert_int_equal(decode_pieces(&a.body, 4096, 4000, 4, &o), SYNC_INVALID);
    assert_int_equal(decode_pieces(&a.body, 4096, 1 << 20, 3, &o), SYNC_INVALID);
    for (size_t n = 0; n < a.body.n; n++) {
        struct fake_bytes cut = { a.body.at, n };

        assert_int_equal(decode_pieces(&cut, 4096, 1 << 20, 4, &o), SYNC_INVALID);
    }
    a.body.at = realloc(a.body.at, a.body.n + 1);
    a.body.at[a.body.n++] = 0;
    assert_int_equal(decode_pieces(&a.body, 4096, 1 << 20, 4, &o), SYNC_INVALID);
    free(a.body.at);
    fake_free(s);
}

static void a_flipped_bit_gives_an_error_or_other_records_and_no_more(void **state)
{
    struct fake *s = a_wordy_server(HELD);
    struct wire_head head;
    struct fake_answer a = a_dz(s, &head);

    (void)state;
    for (size_t at = 0; at < a.body.n * 8; at++) {
        struct out o = { .s = s };

        a.body.at[at / 8] ^= (uint8_t)(1 << at % 8);
        (void)!decode_pieces(&a.body, 4096, 1 << 20, 4, &o);
        assert_true(o.records <= 4);
        a.body.at[at / 8] ^= (uint8_t)(1 << at % 8);
    }
    free(a.body.at);
    fake_free(s);
}

/* ---- what a publisher could do wrong ---- */

struct told {
    const char *why;
    int32_t born, seq; /* more than those of the record that the delta gives */
    int32_t size;      /* more than the delta has */
    int32_t length;    /* more than the record has, of what the delta gives */
    uint8_t how, op;
    enum sync_rc rc;
};

static void put_be(uint8_t *out, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

/* A .dz of one delta: item 3 as it is held, with seq 21. */
static struct fake_bytes told_dz(const struct told *t)
{
    static uint8_t record[8192], delta[16384], section[WIRE_DZ_DELTA + 1];
    struct fake_bytes out = { calloc(1, 32768), WIRE_DZ_HEADER };
    size_t n = (size_t)((int64_t)before[3].n + t->length), delta_n, z;
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    memset(record, 0, sizeof record);
    memcpy(record, before[3].at, before[3].n);
    record[0] = t->op;
    put_be(record + 16, 21, 8);
    ZSTD_CCtx_refPrefix(zstd, before[3].at, before[3].n);
    delta_n = ZSTD_compress2(zstd, delta, sizeof delta, record, n);
    ZSTD_freeCCtx(zstd);

    section[0] = t->how;
    put_be(section + 1, (uint64_t)(3 + t->born), 8);
    put_be(section + 9, (uint64_t)(21 + t->seq), 8);
    put_be(section + 25, (uint64_t)((int64_t)delta_n + t->size), 4);
    z = ZSTD_compress(out.at + out.n, 1024, section, sizeof section, 1);
    memcpy(out.at, "TJZWDZ1\n", 8);
    put_be(out.at + 8, 1, 4);
    put_be(out.at + 12, z, 4);
    memcpy(out.at + out.n + z, delta, delta_n);
    out.n += z + delta_n;
    return out;
}

/* The prefix of all deltas is item 3. */
static enum sync_rc on_any_prefix(void *ctx, struct sync_err *e, const struct dz_delta *delta,
                                  uint8_t *out, size_t *n, bool *held)
{
    (void)ctx, (void)e, (void)delta;
    *n = before[3].n;
    memcpy(out, before[3].at, *n);
    *held = true;
    return SYNC_OK;
}

static void a_delta_gives_the_record_that_was_told_or_is_refused(void **state)
{
    static const struct told told[] = {
        { "right", .how = 1, .op = WIRE_PUT },
        { "another born", .how = 1, .op = WIRE_PUT, .born = 1, .rc = SYNC_INVALID },
        { "another seq", .how = 1, .op = WIRE_PUT, .seq = 1, .rc = SYNC_INVALID },
        { "a lower seq", .how = 1, .op = WIRE_PUT, .seq = -1, .rc = SYNC_INVALID },
        { "a byte behind", .how = 1, .op = WIRE_PUT, .length = 1, .rc = SYNC_INVALID },
        { "a byte less", .how = 1, .op = WIRE_PUT, .length = -1, .rc = SYNC_INVALID },
        { "half a frame", .how = 1, .op = WIRE_PUT, .length = -2400, .rc = SYNC_INVALID },
        { "no such op", .how = 1, .op = 9, .rc = SYNC_INVALID },
        { "no such how", .how = 2, .op = WIRE_PUT, .rc = SYNC_INVALID },
        { "a longer delta", .how = 1, .op = WIRE_PUT, .size = 1, .rc = SYNC_INVALID },
        { "a shorter delta", .how = 1, .op = WIRE_PUT, .size = -1, .rc = SYNC_INVALID },
        { "a huge delta", .how = 1, .op = WIRE_PUT, .size = WIRE_RECORD_MAX,
          .rc = SYNC_INVALID },
    };
    struct fake *s = a_wordy_server(HELD);

    (void)state;
    hold(s);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        struct fake_bytes b = told_dz(&told[i]);
        struct out o = { .s = s };
        struct dz_calls calls = { &o, on_record, on_any_prefix };
        struct dz *d = dz_new(1 << 20, 4, &calls);
        struct sync_err e;
        enum sync_rc rc = dz_feed(&e, d, b.at, b.n);

        if (!rc)
            rc = dz_end(&e, d);
        if (rc != told[i].rc || o.records != (rc ? 0 : 1))
            fail_msg("%s: %d, %u records", told[i].why, rc, o.records);
        dz_free(d);
        free(b.at);
    }
    fake_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_corrections_travel_as_differences),
        cmocka_unit_test(what_changed_since_the_rounded_cursor_comes_alone),
        cmocka_unit_test(when_too_much_is_missing_the_whole_records_come),
        cmocka_unit_test(a_damaged_record_is_no_prefix),
        cmocka_unit_test(a_corrected_title_travels_as_a_difference),
        cmocka_unit_test(any_mixture_of_versions_gets_every_record_right),
        cmocka_unit_test(pieces_of_any_size_give_the_same_records),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(a_flipped_bit_gives_an_error_or_other_records_and_no_more),
        cmocka_unit_test(a_delta_gives_the_record_that_was_told_or_is_refused),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("follow_dz", tests, NULL, NULL);
}
