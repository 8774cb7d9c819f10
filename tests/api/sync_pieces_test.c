/*
 * sync_pieces_test.c - what a reader asks for to prove or mend a part: item, cover, tile, place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <zstd.h>

#include "server/http/cache.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "sync/head.h"
#include "sync/verify.h"
#include "tests/lib/sync_http.h"

/* ---- item ---- */

static struct answer get_item(struct sync_http *f, uint64_t epoch, int born, int seq,
                              const char *suffix)
{
    char target[200];

    snprintf(target, sizeof target, "/v1/sync/main/item/%" PRIu64 "/%d.%d%s", epoch, born, seq,
             suffix);
    return get(f, target, NULL);
}

struct found {
    unsigned n;
    uint64_t born, seq;
    char bytes[100];
};

static enum sync_rc look(void *ctx, struct sync_err *e, const struct wire_frame *f,
                         const uint8_t *frame, const uint8_t *bytes)
{
    struct found *found = ctx;

    (void)e, (void)frame;
    found->n++;
    found->born = f->born;
    found->seq = f->seq;
    snprintf(found->bytes, sizeof found->bytes, "%.*s", (int)f->length, (const char *)bytes);
    return SYNC_OK;
}

static struct found open_pack(const char *p, size_t n)
{
    static uint8_t room[WIRE_RECORD_MAX];
    struct found found = { 0 };
    struct wire_pack pack;
    struct sync_err e = { 0 };

    wire_pack_init(&pack, room);
    if (wire_pack_feed(&e, &pack, (const uint8_t *)p, n, look, &found) ||
        wire_pack_end(&e, &pack))
        fail_msg("%s", e.text);
    return found;
}

static void an_item_is_served_in_its_newest_version(void **state)
{
    struct sync_http *f = *state;
    char room[1000];
    struct found found;
    struct wire_head h;
    struct answer a;

    for (int i = 0; i < 5; i++)
        put(f, i, 0);
    put_bytes(f, 3, 0, "{\"a\":\"新\"}", strlen("{\"a\":\"新\"}"));
    h = head();
    a = get_item(f, h.epoch, 3, 6, "");
    assert_forever(f, &a);
    found = open_pack(a.body, a.len);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.born, 3);
    assert_int_equal(found.seq, 6);
    assert_string_equal(found.bytes, "{\"a\":\"新\"}");
    a = get_item(f, h.epoch, 3, 6, ".zst");
    assert_forever(f, &a);
    found = open_pack(room, ZSTD_decompress(room, sizeof room, a.body, a.len));
    assert_int_equal(found.seq, 6);
    a = get_item(f, h.epoch, 3, 6, ".gz");
    assert_forever(f, &a);
    assert_memory_equal(a.body, "\x1f\x8b", 2);
}

static void an_item_that_was_superseded_is_gone_though_it_was_asked_for_before(void **state)
{
    struct sync_http *f = *state;
    struct wire_head h;
    char target[200];

    put(f, 0, 0);
    put(f, 1, 0);
    h = head();
    assert_int_equal(get_item(f, h.epoch, 1, 2, "").status, 200);
    put(f, 1, 0);
    head();
    snprintf(target, sizeof target, "/v1/sync/main/item/%" PRIu64 "/1.2", h.epoch);
    assert_refused(f, target, 410);
    assert_int_equal(get_item(f, h.epoch, 1, 3, "").status, 200);
}

static void an_item_that_never_was_is_not_found(void **state)
{
    struct sync_http *f = *state;
    static const struct refusal cases[] = {
        { "/v1/sync/main/item/%" PRIu64 "/3.1", 404 },    /* no such born */
        { "/v1/sync/main/item/%" PRIu64 "/1.1", 404 },    /* another item's change */
        { "/v1/sync/main/item/%" PRIu64 "/1.7", 404 },    /* the future */
        { "/v1/sync/main/item/1%" PRIu64 "/1.2", 404 },   /* epoch */
        { "/v1/sync/main/item/%" PRIu64 "/01.2", 400 },   /* another spelling */
        { "/v1/sync/main/item/%" PRIu64 "/1.2.br", 400 }, /* no such encoding */
        { "/v1/sync/main/item/%" PRIu64 "/1.2.dz", 400 }, /* log only */
        { "/v1/sync/main/item/%" PRIu64 "/1..2", 400 },
        { "/v1/sync/main/item/%" PRIu64 "/9223372036854775807.9223372036854775807", 404 },
    };

    for (int i = 0; i < 3; i++)
        put(f, i, 0);
    assert_all_refused(f, cases, sizeof cases / sizeof *cases, head().epoch);
}

/* ---- cover and tile ---- */

static struct answer get_cover(struct sync_http *f, const struct wire_head *h)
{
    char target[200];

    snprintf(target, sizeof target, "/v1/sync/main/cover/%" PRIu64 ".%" PRIu64, h->epoch,
             h->seq);
    return get(f, target, NULL);
}

static const char *tile_url(unsigned height, uint64_t index, const uint8_t *hash)
{
    static char target[200];
    char hex[65];

    wire_hex(hash, WIRE_HASH, hex);
    snprintf(target, sizeof target, "/v1/sync/main/tile/%u.%" PRIu64 ".%s", height, index, hex);
    return target;
}

static void the_cover_of_each_shown_head_adds_up_to_its_root(void **state)
{
    struct sync_http *f = *state;
    struct wire_head heads[20];
    struct wire_cover c;
    struct sync_err e = { 0 };
    struct answer a;

    for (int i = 0; i < 20; i++) {
        put(f, i, 0);
        put(f, i / 2, 0);
        heads[i] = head();
    }
    for (int i = 0; i < 20; i++) {
        a = get_cover(f, &heads[i]);
        assert_forever(f, &a);
        assert_int_equal(wire_cover_parse(&e, (const uint8_t *)a.body, a.len, &c), SYNC_OK);
        if (verify_cover(&e, &c, &heads[i]))
            fail_msg("%s", e.text);
    }
}

static void the_cover_is_there_again_after_a_restart(void **state)
{
    struct sync_http *f = *state;
    struct wire_head before, after;
    struct wire_cover c;
    struct sync_err e = { 0 };
    struct answer a;

    for (int i = 0; i < 70; i++)
        put(f, i, 0);
    before = head();
    sync_http_restart(f);
    assert_true(head_values(live_own(), &after));
    assert_int_equal(after.sign, before.sign);
    a = get_cover(f, &after);
    assert_int_equal(a.status, 200);
    assert_int_equal(wire_cover_parse(&e, (const uint8_t *)a.body, a.len, &c), SYNC_OK);
    assert_int_equal(verify_cover(&e, &c, &after), SYNC_OK);
    assert_int_equal(c.lasts, 6);
}

static void covers_that_are_not_there_are_refused(void **state)
{
    struct sync_http *f = *state;
    static const struct {
        const char *format;
        int status;
    } cases[] = {
        { "/v1/sync/main/cover/%" PRIu64 ".1", 404 },    /* no head's */
        { "/v1/sync/main/cover/%" PRIu64 ".3", 404 },    /* the future */
        { "/v1/sync/main/cover/1%" PRIu64 ".2", 404 },   /* epoch */
        { "/v1/sync/main/cover/%" PRIu64 ".02", 400 },   /* another spelling */
        { "/v1/sync/main/cover/%" PRIu64 ".2.gz", 400 }, /* no encodings */
    };
    struct wire_head h;
    char target[200];

    put(f, 0, 0);
    put(f, 1, 0);
    h = head();
    assert_int_equal(get_cover(f, &h).status, 200);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(target, sizeof target, cases[i].format, h.epoch);
        assert_refused(f, target, cases[i].status);
    }
    assert_int_equal(get(f, "/v1/sync/other/cover/1.1", NULL).status, 404);
}

static void a_tile_says_seq_and_leaf_of_64_items(void **state)
{
    struct sync_http *f = *state;
    struct wire_cover c;
    struct wire_head h;
    struct answer cover, a;
    struct sync_err e = { 0 };

    for (int i = 0; i < 130; i++)
        put(f, i, 0);
    put(f, 70, 0);
    h = head();
    cover = get_cover(f, &h);
    assert_int_equal(wire_cover_parse(&e, (const uint8_t *)cover.body, cover.len, &c), SYNC_OK);
    assert_int_equal(c.lows, 2);
    a = get(f, tile_url(6, 1, c.low + WIRE_HASH), NULL);
    assert_forever(f, &a);
    assert_int_equal(a.len, 64 * WIRE_LEAF_ROW);
    assert_int_equal(verify_tile(&e, 6, (const uint8_t *)a.body, a.len, c.low + WIRE_HASH),
                     SYNC_OK);
    assert_memory_equal(a.body + 6 * WIRE_LEAF_ROW, "\0\0\0\0\0\0\0\x83", 8); /* 131 */
    assert_memory_equal(a.body + 7 * WIRE_LEAF_ROW, "\0\0\0\0\0\0\0\x48", 8); /* 72 */
}

static void a_tile_is_refused_once_it_is_no_part_of_the_tree(void **state)
{
    struct sync_http *f = *state;
    static const uint8_t zeros[WIRE_HASH];
    uint8_t first[WIRE_HASH];
    struct wire_cover c;
    struct wire_head h;
    struct answer a;
    struct sync_err e = { 0 };
    char bad[220];

    for (int i = 0; i < 64; i++)
        put(f, i, 0);
    h = head();
    a = get_cover(f, &h);
    assert_int_equal(wire_cover_parse(&e, (const uint8_t *)a.body, a.len, &c), SYNC_OK);
    memcpy(first, c.low, sizeof first);
    assert_int_equal(get(f, tile_url(6, 0, first), NULL).status, 200);
    assert_refused(f, tile_url(6, 0, zeros), 404);
    assert_refused(f, tile_url(6, 1, first), 404);
    assert_refused(f, tile_url(6, INT64_MAX, first), 404);
    assert_refused(f, tile_url(10, 0, first), 404);
    assert_refused(f, tile_url(16, 0, first), 404);
    assert_refused(f, tile_url(12, 0, first), 400); /* no such height */
    snprintf(bad, sizeof bad, "%s.gz", tile_url(6, 0, first));
    assert_refused(f, bad, 400);
    put(f, 5, 0);
    head();
    assert_refused(f, tile_url(6, 0, first), 404);
    assert_int_equal(get(f, "/v1/sync/other/tile/x", NULL).status, 404);
}

/* ---- place ---- */

static enum rc add_item(struct work *w, void *arg)
{
    const struct id *id = arg;
    static const uint8_t hash[HASH_BYTES];

    return db_run(w, SQL_item_add, "biiiittiiittbttiiiii", id->b, sizeof id->b, (int64_t)1,
                  (int64_t)1, (int64_t)1, (int64_t)1, "article", "published", (int64_t)1,
                  (int64_t)1, (int64_t)2, "main", NULL, hash, sizeof hash, "题", NULL,
                  (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0, (int64_t)0);
}

static void a_place_says_where_an_item_stands(void **state)
{
    struct sync_http *f = *state;
    char id[ID_TEXT], target[200];
    struct answer a;
    struct work w;

    for (int i = 0; i < 3; i++)
        put(f, i, 0);
    put(f, 1, 0);
    head();
    work_init(&w, world_mem(f->world), NULL, "operator", RIGHT_ALL);
    assert_int_equal(writer_call(&w, add_item, &f->id[1]), RC_OK);
    snprintf(target, sizeof target, "/v1/sync/main/place/%s", id_text(&f->id[1], id));
    a = get(f, target, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "1 4\n");
    assert_header(f, &a, "cache-control", "public, max-age=0, s-maxage=5");
    assert_header(f, &a, "link", "");
    assert_refused(f, "/v1/sync/main/place/00000000-0000-7000-8000-000000000000", 404);
    assert_refused(f, "/v1/sync/main/place/00000000-0000-7000-8000-00000000000G", 400);
    assert_int_equal(
        get(f, "/v1/sync/other/place/00000000-0000-7000-8000-000000000000", NULL).status, 404);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_http_set_up, sync_http_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_item_is_served_in_its_newest_version),
        TEST(an_item_that_was_superseded_is_gone_though_it_was_asked_for_before),
        TEST(an_item_that_never_was_is_not_found),
        TEST(the_cover_of_each_shown_head_adds_up_to_its_root),
        TEST(the_cover_is_there_again_after_a_restart),
        TEST(covers_that_are_not_there_are_refused),
        TEST(a_tile_says_seq_and_leaf_of_64_items),
        TEST(a_tile_is_refused_once_it_is_no_part_of_the_tree),
        TEST(a_place_says_where_an_item_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
