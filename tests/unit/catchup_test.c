/*
 * catchup_test.c - for any cursor and any head: what a reader gets takes it there, and is the
 * same for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <zstd.h>

#include "server/base/clock.h"
#include "sync/catchup.h"
#include "sync/pack.h"
#include "tests/lib/sync_world.h"

static struct wire_url url(const struct wire_head *h, uint64_t cursor,
                           enum wire_encoding encoding)
{
    return (struct wire_url){ .kind = WIRE_URL_LOG,
                              .stream = "main",
                              .epoch = h->epoch,
                              .cut = h->cut,
                              .from = wire_catchup_from(cursor, h->seq),
                              .to = h->seq,
                              .encoding = encoding };
}

static const char *fetch(struct sync_world *t, const struct wire_url *u, size_t *n)
{
    const char *p;

    if (catchup_make(&t->w, t->live, u, &p, n))
        fail_msg("%s", t->w.err.text);
    return p;
}

static void assert_takes_there(struct sync_world *t, const struct wire_head *h, uint64_t cursor,
                               enum wire_encoding encoding)
{
    struct wire_url u = url(h, cursor, encoding);
    struct state held, want;
    uint8_t root[HASH_BYTES];
    size_t n, plain_n;
    const char *p = fetch(t, &u, &n);
    const char *plain = sync_world_decode(t, encoding, p, n, &plain_n);

    sync_world_state(t, cursor, &held);
    sync_world_state(t, h->seq, &want);
    state_apply(&held, plain, plain_n);
    assert_true(state_equal(&held, &want));
    state_root(&held, root);
    assert_memory_equal(root, h->root, HASH_BYTES);
}

enum { HEADS = 24 };

static void any_cursor_reaches_any_head_in_its_lease(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h[HEADS];

    for (int i = 0; i < HEADS; i++) {
        for (uint32_t k = sync_world_random(t, 40); k-- > 0;)
            sync_world_random_change(t, 400);
        sync_world_random_change(t, 400);
        h[i] = sync_world_head(t);
    }
    for (int i = 0; i < 300; i++) {
        const struct wire_head *to = &h[sync_world_random(t, HEADS)];

        assert_takes_there(t, to, sync_world_random(t, (uint32_t)to->seq),
                           (enum wire_encoding)(i % 3));
    }
}

static void it_is_the_same_after_later_changes(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    for (int i = 0; i < 60; i++)
        sync_world_random_change(t, 400);
    h = sync_world_head(t);
    for (enum wire_encoding e = WIRE_IDENTITY; e <= WIRE_ZSTD; e++) {
        struct wire_url u = url(&h, 17, e);
        size_t before_n, after_n;
        const char *before = fetch(t, &u, &before_n), *after;

        for (int i = 0; i < 40; i++)
            sync_world_random_change(t, 400);
        sync_world_head(t);
        after = fetch(t, &u, &after_n);
        assert_int_equal(before_n, after_n);
        assert_memory_equal(before, after, after_n);
    }
}

static void a_head_has_few_urls(void **state)
{
    uint64_t seen[64] = { 0 };
    size_t n = 0;

    (void)state;
    for (uint64_t c = 100000 - WIRE_CATCHUP_MAX; c < 100000; c++) {
        uint64_t from = wire_catchup_from(c, 100000);
        size_t i = 0;

        while (i < n && seen[i] != from)
            i++;
        if (i == n && n < 64)
            seen[n++] = from;
    }
    assert_in_range(n, 1, 63 + 30);
}

static void assert_refused(struct sync_world *t, const struct wire_url *u, enum rc rc)
{
    const char *p;
    size_t n;

    assert_int_equal(catchup_make(&t->w, t->live, u, &p, &n), rc);
}

static void what_no_reader_needs_is_refused(void **state)
{
    struct sync_world *t = *state;
    struct wire_head old, h;
    struct wire_url u;

    for (int i = 0; i < 50; i++)
        sync_world_random_change(t, 100);
    old = sync_world_head(t);
    sync_world_put(t, 0, 100); /* within the debounce */
    for (int i = 0; i < 49; i++)
        sync_world_random_change(t, 100);
    h = sync_world_head(t);

    u = url(&h, 3, WIRE_IDENTITY);
    u.from = 3; /* 97 behind: multiples of 8 */
    assert_refused(t, &u, RC_INVALID);
    u = url(&old, 30, WIRE_IDENTITY);
    u.to++, u.from = wire_catchup_from(30, u.to);
    assert_refused(t, &u, RC_NOT_FOUND); /* no head of that seq */
    u = url(&h, 30, WIRE_IDENTITY);
    u.epoch++;
    assert_refused(t, &u, RC_NOT_FOUND);
    u = url(&h, 30, WIRE_IDENTITY);
    u.cut++;
    assert_refused(t, &u, RC_NOT_FOUND);
    u = url(&old, 30, WIRE_IDENTITY);
    clock_set((int64_t)old.time + 3601);
    assert_refused(t, &u, RC_NOT_FOUND); /* its lease is over */
    u = url(&h, 30, WIRE_IDENTITY);
    fetch(t, &u, &(size_t){ 0 }); /* the newest stays known */
}

static void an_older_cut_is_gone(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct wire_url u;

    for (int i = 0; i < 20; i++)
        sync_world_random_change(t, 100);
    h = sync_world_head(t);
    u = url(&h, 4, WIRE_IDENTITY);
    sync_world_sql(t, "UPDATE stream SET cut = cut + 1");
    assert_refused(t, &u, RC_GONE);
    sync_world_sql(t, "UPDATE stream SET cut = cut - 1");
}

static void one_too_large_brings_about_an_index(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct wire_url u;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    for (uint64_t i = 0; i < 270; i++)
        sync_world_put(t, i, 250000);
    h = sync_world_head(t);
    assert_false(h.has_index); /* 270 changes alone are no reason for one */
    u = url(&h, 0, WIRE_ZSTD);
    assert_refused(t, &u, RC_TOO_LARGE);
    while (!h.has_index)
        h = sync_world_next_head(t, &h);
    assert_int_equal(h.seq, 270);
    sync_world_put(t, 5, 100);
    h = sync_world_head(t);
    u = url(&h, 270, WIRE_ZSTD);
    fetch(t, &u, &(size_t){ 0 });
}

static void a_hurry_changes_no_byte(void **state)
{
    static const enum wire_encoding encodings[] = { WIRE_GZIP, WIRE_ZSTD };
    struct sync_world *t = *state;
    char text[60000];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "便民服务办理指南"[sync_world_random(t, 12)];
    for (size_t i = 0; i < 2; i++) {
        struct buf quick = BUF_IN(t->mem), again = BUF_IN(t->mem), best = BUF_IN(t->mem);
        struct err e;
        size_t n;

        assert_int_equal(pack_encode(&e, encodings[i], PACK_HURRY, text, sizeof text, &quick),
                         RC_OK);
        assert_int_equal(pack_encode(&e, encodings[i], PACK_HURRY, text, sizeof text, &again),
                         RC_OK);
        assert_int_equal(pack_encode(&e, encodings[i], PACK_BEST, text, sizeof text, &best),
                         RC_OK);
        assert_int_equal(quick.n, again.n);
        assert_memory_equal(quick.p, again.p, quick.n);
        assert_true(best.n < sizeof text);
        assert_memory_equal(sync_world_decode(t, encodings[i], quick.p, quick.n, &n), text,
                            sizeof text);
        assert_int_equal(n, sizeof text);
    }
}

static void a_compression_can_be_stopped_and_is_the_same_if_it_was_not(void **state)
{
    static const enum wire_encoding encodings[] = { WIRE_GZIP, WIRE_ZSTD };
    static const size_t sizes[] = { 0, 1, 131072, 131073, 700000 };
    struct sync_world *t = *state;
    char *text = arena_alloc(t->mem, 700000);

    for (size_t i = 0; i < 700000; i++)
        text[i] = "便民服务办理指南"[sync_world_random(t, 24)];
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        enum wire_encoding encoding = encodings[i % 2];
        struct buf plain = BUF_IN(t->mem), free = BUF_IN(t->mem), cut = BUF_IN(t->mem);
        atomic_bool stop = false;
        struct err e;
        size_t n = sizes[i / 2], got;

        buf_adds(&cut, "before");
        assert_int_equal(pack_encode(&e, encoding, PACK_WAIT, text, n, &plain), RC_OK);
        assert_int_equal(pack_encode_until(&e, encoding, PACK_WAIT, text, n, &stop, &free),
                         RC_OK);
        assert_int_equal(plain.n, free.n);
        assert_memory_equal(plain.p, free.p, free.n);
        assert_memory_equal(sync_world_decode(t, encoding, free.p, free.n, &got), text, n);
        assert_int_equal(got, n);
        if (encoding == WIRE_ZSTD) /* readers refuse a pack whose length is not told */
            assert_int_equal(ZSTD_getFrameContentSize(free.p, free.n), n);
        stop = true;
        assert_int_equal(pack_encode_until(&e, encoding, PACK_WAIT, text, n, &stop, &cut),
                         RC_BUSY);
    }
}

static void damaged_bytes_are_not_served(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct wire_url u;

    for (uint64_t i = 0; i < 10; i++)
        sync_world_put(t, i, 100);
    h = sync_world_head(t);
    u = url(&h, 0, WIRE_IDENTITY);
    sync_world_sql(t, "UPDATE record SET bytes = zeroblob(100) WHERE seq = 5");
    assert_refused(t, &u, RC_CORRUPT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(any_cursor_reaches_any_head_in_its_lease),
        TEST(it_is_the_same_after_later_changes),
        cmocka_unit_test(a_head_has_few_urls),
        TEST(what_no_reader_needs_is_refused),
        TEST(an_older_cut_is_gone),
        TEST(one_too_large_brings_about_an_index),
        TEST(a_hurry_changes_no_byte),
        TEST(a_compression_can_be_stopped_and_is_the_same_if_it_was_not),
        TEST(damaged_bytes_are_not_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
