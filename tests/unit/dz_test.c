/*
 * dz_test.c - what travels as differences decodes to the catch-up itself, and pays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "server/base/clock.h"
#include "sync/catchup.h"
#include "sync/pack.h"
#include "sync/verify.h"
#include "tests/lib/sync_world.h"

/* ---- made articles ---- */

static const char *const signs[] = {
    "天", "津", "市", "人", "民", "政", "府", "关", "于", "进", "一", "步", "做", "好", "社",
    "会", "保", "险", "公", "积", "金", "住", "房", "教", "育", "医", "疗", "交", "通", "环",
    "境", "护", "工", "作", "的", "知", "各", "区", "县", "有", "部", "门", "单", "位", "办",
    "理", "申", "请", "材", "料", "流", "程", "时", "限", "标", "准", "。",
};

static void add_signs(struct sync_world *t, struct buf *b, size_t n)
{
    while (n--)
        buf_adds(b, signs[sync_world_random(t, sizeof signs / sizeof *signs)]);
}

struct article {
    char *p;
    size_t n;
};

static struct article articles[SYNC_ITEMS];

static void publish(struct sync_world *t, uint64_t born, const struct buf *b)
{
    free(articles[born].p);
    articles[born].p = memcpy(malloc(b->n + 1), b->p, b->n);
    articles[born].n = b->n;
    sync_world_put_bytes(t, born, b->p, b->n);
}

static void publish_new(struct sync_world *t, size_t n)
{
    struct buf b = BUF_IN(t->mem);

    buf_printf(&b, "{\"body\":\"");
    add_signs(t, &b, n / 3);
    buf_printf(&b, "\",\"published\":\"2025-11-21T08:00:00Z\",\"revision\":1}");
    publish(t, t->items, &b);
}

/* Some words replaced by others in one place. */
static void correct(struct sync_world *t, uint64_t born)
{
    const struct article *a = &articles[born];
    size_t at = 9 + 3 * sync_world_random(t, (uint32_t)(a->n / 3 - 40));
    size_t cut = 3 * sync_world_random(t, 6);
    struct buf b = BUF_IN(t->mem);

    buf_add(&b, a->p, at);
    add_signs(t, &b, 1 + sync_world_random(t, 8));
    buf_add(&b, a->p + at + cut, a->n - at - cut);
    publish(t, born, &b);
}

/* ---- a reader, written from the page ---- */

struct held {
    uint64_t seq;
    char *p; /* frame and bytes */
    size_t n, frame;
};

struct reader {
    struct sync_world *t;
    struct held held[SYNC_ITEMS];
    unsigned whole, deltas, missing; /* of the last .dz */
};

static enum sync_rc hold(void *ctx, struct sync_err *e, const struct wire_frame *f,
                         const uint8_t *frame, const uint8_t *bytes)
{
    struct reader *r = ctx;
    struct held *h = &r->held[f->born];
    size_t frame_n = wire_frame_size(f);

    (void)e;
    if (f->seq <= h->seq)
        return SYNC_OK;
    *h = (struct held){ f->seq, arena_alloc(r->t->mem, frame_n + f->length),
                        frame_n + f->length, frame_n };
    memcpy(h->p, frame, frame_n);
    memcpy(h->p + frame_n, bytes, f->length);
    return SYNC_OK;
}

static void apply(struct reader *r, const char *pack, size_t n)
{
    static uint8_t room[WIRE_RECORD_MAX];
    struct wire_pack p;
    struct sync_err e = { 0 };

    wire_pack_init(&p, room);
    if (wire_pack_feed(&e, &p, (const uint8_t *)pack, n, hold, r) || wire_pack_end(&e, &p))
        fail_msg("%s", e.text);
}

static size_t be32(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;

    return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

static size_t be64(const char *p)
{
    return be32(p) << 32 | be32(p + 4);
}

/* One delta of d bytes to `out` (WIRE_RECORD_MAX); 0 if the prefix is not held. */
static size_t undo(const struct held *h, const char *name, const char *delta, size_t d,
                   char *out)
{
    ZSTD_DCtx *c;
    uint8_t leaf[WIRE_HASH];
    size_t n;

    if (!h->seq)
        return 0;
    verify_record((const uint8_t *)h->p, h->frame, (const uint8_t *)h->p + h->frame,
                  h->n - h->frame, leaf);
    if (memcmp(leaf, name, WIRE_DZ_NAME))
        return 0;
    c = ZSTD_createDCtx();
    assert_false(ZSTD_isError(ZSTD_DCtx_refPrefix(c, h->p, h->n)));
    n = ZSTD_decompressDCtx(c, out, WIRE_RECORD_MAX, delta, d);
    assert_false(ZSTD_isError(n));
    ZSTD_freeDCtx(c);
    return n;
}

struct decoding {
    struct reader *r;
    const char *at, *end, *delta;
    struct { /* by seq: as in the pack */
        uint64_t seq;
        const char *p;
        size_t n;
    } record[SYNC_ITEMS];
    uint32_t records;
};

/* The record that begins at `p`, of which n bytes are there; its length. */
static size_t add_record(struct decoding *d, const char *p, size_t n, struct wire_frame *f)
{
    struct sync_err e = { 0 };

    if (wire_frame_decode(&e, (const uint8_t *)p, n, f))
        fail_msg("%s", e.text);
    assert_true(wire_frame_size(f) + f->length <= n);
    d->record[d->records].seq = f->seq;
    d->record[d->records].p = p;
    d->record[d->records++].n = wire_frame_size(f) + f->length;
    return wire_frame_size(f) + f->length;
}

static void take_delta(struct decoding *d)
{
    struct reader *r = d->r;
    const struct held *h = &r->held[be64(d->at)];
    size_t seq = be64(d->at + 8), size = be32(d->at + 24), n;
    static char out[WIRE_RECORD_MAX];
    struct wire_frame f;

    if ((n = undo(h, d->at + 16, d->delta, size, out))) {
        r->deltas++;
        assert_int_equal(add_record(d, arena_dup(r->t->mem, out, n), n, &f), n);
        assert_int_equal(f.born, be64(d->at));
        assert_int_equal(f.seq, seq);
    } else {
        r->missing += h->seq < seq;
    }
    d->delta += size;
    d->at += WIRE_DZ_DELTA;
}

/* What comes next in the section. */
static void take(struct decoding *d)
{
    struct wire_frame f;

    if (*d->at++) {
        assert_int_equal(d->at[-1], 1);
        take_delta(d);
        return;
    }
    d->r->whole++;
    d->at += add_record(d, d->at, (size_t)(d->end - d->at), &f);
}

static struct buf pack_of(struct decoding *d)
{
    struct buf pack = BUF_IN(d->r->t->mem);
    uint64_t after = 0;

    buf_reserve(&pack, WIRE_PACK_HEADER);
    pack.n = WIRE_PACK_HEADER;
    for (uint32_t i = 0; i < d->records; i++) {
        uint32_t next = UINT32_MAX;

        for (uint32_t k = 0; k < d->records; k++)
            if (d->record[k].seq > after &&
                (next == UINT32_MAX || d->record[k].seq < d->record[next].seq))
                next = k;
        assert_true(next != UINT32_MAX);
        after = d->record[next].seq;
        buf_add(&pack, d->record[next].p, d->record[next].n);
    }
    wire_pack_header((uint8_t *)pack.p, d->records);
    return pack;
}

/* The pack of what the reader can make of a .dz, in t->mem. */
static struct buf decode(struct reader *r, const char *p, size_t n)
{
    struct decoding *d = arena_zalloc(r->t->mem, sizeof *d);
    size_t z = be32(p + 12), section_n;

    assert_true(n >= WIRE_DZ_HEADER + z);
    assert_memory_equal(p, "TJZWDZ1\n", 8);
    r->whole = r->deltas = r->missing = 0;
    d->r = r;
    d->delta = p + WIRE_DZ_HEADER + z;
    d->at = sync_world_decode(r->t, WIRE_ZSTD, p + WIRE_DZ_HEADER, z, &section_n);
    d->end = d->at + section_n;
    for (size_t i = 0; i < be32(p + 8); i++)
        take(d);
    assert_ptr_equal(d->at, d->end);
    assert_ptr_equal(d->delta, p + n);
    return pack_of(d);
}

static const char *fetch(struct sync_world *t, const struct wire_head *h, uint64_t from,
                         enum wire_encoding encoding, size_t *n)
{
    struct wire_url u = { .kind = WIRE_URL_LOG,
                          .stream = "main",
                          .epoch = h->epoch,
                          .cut = h->cut,
                          .from = wire_catchup_from(from, h->seq),
                          .to = h->seq,
                          .encoding = encoding };
    const char *p;

    if (catchup_make(&t->w, t->live, &u, &p, n))
        fail_msg("%s", t->w.err.text);
    return p;
}

/* A reader that is at the head `h`. */
static struct reader *reader_at(struct sync_world *t, const struct wire_head *h)
{
    struct reader *r = arena_zalloc(t->mem, sizeof *r);
    const char *p;
    size_t n;

    r->t = t;
    p = fetch(t, h, 0, WIRE_IDENTITY, &n);
    apply(r, p, n);
    return r;
}

static struct buf catch_up(struct reader *r, const struct wire_head *h, uint64_t from)
{
    size_t n;
    const char *p = fetch(r->t, h, from, WIRE_DZ, &n);

    return decode(r, p, n);
}

/* What the reader makes of the .dz is the catch-up. */
static void assert_same(struct reader *r, const struct wire_head *h, uint64_t from)
{
    struct buf pack = catch_up(r, h, from);
    size_t n;
    const char *want = fetch(r->t, h, from, WIRE_IDENTITY, &n);

    assert_int_equal(r->missing, 0);
    assert_int_equal(pack.n, n);
    assert_memory_equal(pack.p, want, n);
}

/* ---- */

static void change_anything(struct sync_world *t)
{
    uint64_t born = sync_world_random(t, (uint32_t)t->items);

    switch (sync_world_random(t, 8)) {
    case 0: publish_new(t, 200 + sync_world_random(t, 5000)); break;
    case 1: sync_world_withdraw(t, born); break;
    case 2: sync_world_put(t, born, sync_world_random(t, 3000)); break;
    default: correct(t, born);
    }
}

static void it_decodes_to_the_catch_up_for_who_holds_from(void **state)
{
    struct sync_world *t = *state;
    unsigned deltas = 0;

    for (int i = 0; i < 40; i++)
        publish_new(t, 150 + sync_world_random(t, 4000));
    for (int round = 0; round < 15; round++) {
        struct wire_head before = sync_world_head(t), after;
        struct reader *r = reader_at(t, &before);

        /* Below 16 changes every cursor has its own `from`. */
        for (uint32_t n = 1 + sync_world_random(t, 15); n > 0; n--)
            change_anything(t);
        after = sync_world_head(t);
        assert_same(r, &after, before.seq);
        deltas += r->deltas;
    }
    assert_true(deltas > 50);
}

static void who_holds_more_than_from_lacks_nothing(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    struct reader *r;
    struct buf pack;

    for (int i = 0; i < 64; i++)
        publish_new(t, 1500);
    sync_world_head(t);
    correct(t, 5); /* 65 */
    before = sync_world_head(t);
    r = reader_at(t, &before);
    correct(t, 5);
    correct(t, 6);
    for (int i = 0; i < 33; i++)
        correct(t, 7);
    after = sync_world_head(t);
    assert_int_equal(wire_catchup_from(before.seq, after.seq), 64);
    pack = catch_up(r, &after, before.seq);
    assert_int_equal(r->deltas, 2);
    assert_int_equal(r->whole, 1);
    assert_int_equal(r->missing, 0);
    apply(r, pack.p, pack.n);
    assert_int_equal(r->held[5].seq, 66);
    for (int i = 5; i < 8; i++) {
        const struct held *h = &r->held[i];

        assert_int_equal(h->n - h->frame, articles[i].n);
        assert_memory_equal(h->p + h->frame, articles[i].p, articles[i].n);
    }
}

static void the_same_request_has_the_same_bytes(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    const char *first, *second;
    size_t n, m;

    for (int i = 0; i < 20; i++)
        publish_new(t, 3000);
    before = sync_world_head(t);
    for (uint64_t i = 0; i < 10; i++)
        correct(t, i);
    after = sync_world_head(t);
    first = fetch(t, &after, before.seq, WIRE_DZ, &n);
    correct(t, 3); /* what comes later does not matter */
    sync_world_head(t);
    second = fetch(t, &after, before.seq, WIRE_DZ, &m);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
}

static void without_its_prefix_a_record_travels_whole(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    struct reader *r;

    for (int i = 0; i < 10; i++)
        publish_new(t, 2000);
    before = sync_world_head(t);
    r = reader_at(t, &before);
    for (uint64_t i = 0; i < 5; i++)
        correct(t, i);
    publish_new(t, 2000);
    after = sync_world_head(t);
    assert_same(r, &after, before.seq);
    assert_int_equal(r->deltas, 5);
    assert_int_equal(r->whole, 1);
    sync_world_sql(t, "DELETE FROM record WHERE seq = 2"); /* purged */
    assert_same(r, &after, before.seq);
    assert_int_equal(r->deltas, 4);
    sync_world_sql(t, "DELETE FROM change WHERE seq = 3"); /* a mirror's gap */
    assert_same(r, &after, before.seq);
    assert_int_equal(r->deltas, 3);
    sync_world_sql(t, "UPDATE record SET bytes = x'30' WHERE seq = 4"); /* damaged */
    assert_same(r, &after, before.seq);
    assert_int_equal(r->deltas, 2);
    assert_int_equal(r->whole, 4);
}

static void a_withdrawn_item_that_comes_back_has_its_tombstone_for_a_prefix(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    struct reader *r;

    publish_new(t, 3000);
    sync_world_withdraw(t, 0);
    before = sync_world_head(t);
    r = reader_at(t, &before);
    correct(t, 0);
    after = sync_world_head(t);
    assert_same(r, &after, before.seq);
    assert_int_equal(r->whole, 1); /* and it does not pay */
}

/* A correction of a few words, with what the section tells of it: some 55 bytes. */
static void what_is_told_of_a_delta_is_little(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    struct reader *r;
    size_t n;

    for (int i = 0; i < 128; i++)
        publish_new(t, 3000);
    before = sync_world_head(t);
    r = reader_at(t, &before);
    for (uint64_t i = 0; i < 100; i++)
        correct(t, i);
    after = sync_world_head(t);
    assert_same(r, &after, before.seq);
    assert_int_equal(r->deltas, 100);
    fetch(t, &after, before.seq, WIRE_DZ, &n);
    print_message("# 100 updates: %zu bytes\n", n);
    assert_true(n < 100 * 70);
}

static void the_largest_record_has_a_delta_too(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    struct reader *r;
    size_t n;

    publish_new(t, WIRE_BYTES_MAX - 200);
    before = sync_world_head(t);
    r = reader_at(t, &before);
    correct(t, 0);
    after = sync_world_head(t);
    assert_same(r, &after, before.seq);
    assert_int_equal(r->deltas, 1);
    fetch(t, &after, before.seq, WIRE_DZ, &n);
    assert_true(n < 1000);
}

static void a_text_that_is_another_one_travels_whole(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    struct reader *r;
    struct buf b = BUF_IN(t->mem);

    publish_new(t, 3000);
    before = sync_world_head(t);
    r = reader_at(t, &before);
    add_signs(t, &b, 1000);
    publish(t, 0, &b);
    after = sync_world_head(t);
    assert_same(r, &after, before.seq);
    assert_int_equal(r->whole, 1);
    sync_world_put_bytes(t, 0, "", 0);
    after = sync_world_head(t);
    assert_same(r, &after, before.seq);
}

/* The size of the catch-up from `from`, and a note of it. */
static size_t told(struct sync_world *t, const struct wire_head *h, uint64_t from,
                   const char *what, size_t *gzip)
{
    int64_t began = clock_mono_us();
    size_t n, zstd;

    fetch(t, h, from, WIRE_DZ, &n);
    began = clock_mono_us() - began;
    fetch(t, h, from, WIRE_GZIP, gzip);
    fetch(t, h, from, WIRE_ZSTD, &zstd);
    printf("# %s: dz %zu bytes in %lld ms, gzip %zu, zstd %zu\n", what, n,
           (long long)began / 1000, *gzip, zstd);
    return n;
}

static void small_updates_cost_at_most_a_quarter_of_gzip(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;
    size_t n, gzip;

    for (int i = 0; i < 384; i++) /* a `from` for whoever is less than 512 behind */
        publish_new(t, 3000);
    before = sync_world_head(t);
    for (uint64_t i = 0; i < 140; i++)
        correct(t, i);
    after = sync_world_head(t);
    n = told(t, &after, before.seq, "140 updates", &gzip);
    assert_true(n * 4 <= gzip);
    for (int i = 0; i < 40; i++)
        publish_new(t, 3000);
    for (uint64_t i = 200; i < 220; i++)
        sync_world_withdraw(t, i);
    after = sync_world_head(t);
    n = told(t, &after, before.seq, "140 updates, 40 new, 20 withdrawn", &gzip);
    assert_true(n <= 80000);
}

static void five_hundred_updates_are_told(void **state)
{
    struct sync_world *t = *state;
    struct wire_head after;
    size_t n, gzip;

    for (int i = 0; i < 512; i++)
        publish_new(t, 3000);
    sync_world_head(t);
    for (uint64_t i = 0; i < 500; i++)
        correct(t, i);
    after = sync_world_head(t);
    n = told(t, &after, 512, "500 updates", &gzip);
    assert_true(n * 4 <= gzip);
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < SYNC_ITEMS; i++) {
        free(articles[i].p);
        articles[i] = (struct article){ 0 };
    }
    return sync_world_tear_down(state);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_decodes_to_the_catch_up_for_who_holds_from),
        TEST(who_holds_more_than_from_lacks_nothing),
        TEST(the_same_request_has_the_same_bytes),
        TEST(without_its_prefix_a_record_travels_whole),
        TEST(a_withdrawn_item_that_comes_back_has_its_tombstone_for_a_prefix),
        TEST(what_is_told_of_a_delta_is_little),
        TEST(the_largest_record_has_a_delta_too),
        TEST(a_text_that_is_another_one_travels_whole),
        TEST(small_updates_cost_at_most_a_quarter_of_gzip),
        TEST(five_hundred_updates_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
