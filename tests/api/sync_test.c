/*
 * sync_test.c - delta-sync over HTTP: headers, encodings, ranges, refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/metric.h"
#include "server/http/cache.h"
#include "server/library/change.h"
#include "server/store/db.h"
#include "sync/head.h"
#include "sync/index.h"
#include "sync/verify.h"
#include "tests/lib/sync_http.h"

static void the_head_is_short_lived_and_has_a_strong_etag(void **state)
{
    struct sync_http *f = *state;
    struct wire_note note;
    struct wire_head h;
    struct sync_err e;
    struct answer a;
    char condition[128];

    put(f, 0, 0);
    head();
    a = get(f, "/v1/sync/main/head", NULL);
    assert_int_equal(a.status, 200);
    assert_header(f, &a, "cache-control", "public, max-age=0, s-maxage=5");
    assert_int_equal(wire_head_parse(&e, a.body, a.len, &h, &note), SYNC_OK);
    assert_int_equal(h.seq, 1);
    snprintf(condition, sizeof condition, "if-none-match: %s",
             answer_header(f->world, &a, "etag"));
    a = get(f, "/v1/sync/main/head", condition);
    assert_int_equal(a.status, 304);
    put(f, 0, 0);
    head();
    a = get(f, "/v1/sync/main/head", condition);
    assert_int_equal(a.status, 200);
}

static void keys_are_served(void **state)
{
    struct sync_http *f = *state;
    struct answer a = get(f, "/v1/sync/keys", NULL);
    uint8_t trust[32];
    struct sync_err e;

    assert_int_equal(a.status, 200);
    assert_header(f, &a, "cache-control", "public, max-age=0, s-maxage=5");
    assert_int_equal(verify_keys_first(&e, a.body, a.len, trust), SYNC_OK);
}

static void a_twin_a_log_and_an_object_are_for_ever(void **state)
{
    struct sync_http *f = *state;
    static const char *const suffix[] = { "", ".gz", ".zst", ".dz" }; /* the last: log only */
    struct wire_head h;
    struct answer a;
    char target[200], hex[65];

    for (int i = 0; i < 20; i++)
        put(f, i, 0);
    h = head();
    snprintf(target, sizeof target, "/v1/sync/main/head/%" PRIu64 ".20.%" PRIu64, h.epoch,
             h.sign);
    a = get(f, target, NULL);
    assert_forever(f, &a);
    wire_hex(h.directory, sizeof h.directory, hex);
    for (int i = 0; i < 4; i++) {
        snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/10-20%s", h.epoch,
                 suffix[i]);
        a = get(f, target, NULL);
        assert_forever(f, &a);
        assert_header(f, &a, "content-type", "application/octet-stream");
        assert_header(f, &a, "content-encoding", "");
        snprintf(target, sizeof target, "/v1/sync/main/object/%s%s", hex, suffix[i]);
        if (i == 3) {
            assert_refused(f, target, 400);
            continue;
        }
        a = get(f, target, NULL);
        assert_forever(f, &a);
    }
}

static void an_answer_cut_short_is_continued(void **state)
{
    struct sync_http *f = *state;
    static const char *const suffix[] = { "", ".gz", ".zst", ".dz" };
    struct wire_head h;
    struct answer whole, rest;
    char target[200], headers[200];

    for (int i = 0; i < 20; i++)
        put(f, i, 0);
    h = head();
    for (int i = 0; i < 4; i++) {
        snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/10-20%s", h.epoch,
                 suffix[i]);
        whole = get(f, target, NULL);
        cache_forget_all(); /* as if another process answered */
        snprintf(headers, sizeof headers, "range: bytes=100-\nif-range: %s",
                 answer_header(f->world, &whole, "etag"));
        rest = get(f, target, headers);
        assert_int_equal(rest.status, 206);
        assert_int_equal(rest.len, whole.len - 100);
        assert_memory_equal(rest.body, whole.body + 100, rest.len);
        rest = ask(f->world, HEAD, target, NULL);
        assert_int_equal(rest.status, 200);
        assert_int_equal(rest.len, 0);
        assert_string_equal(answer_header(f->world, &rest, "etag"),
                            answer_header(f->world, &whole, "etag"));
    }
}

static void assert_built_once(struct sync_http *f, const char *target)
{
    enum { PARALLEL = 50 };
    struct asking *asking[PARALLEL];
    int64_t before = metric_get(METRIC_packs_built);

    for (int i = 0; i < PARALLEL; i++)
        asking[i] = ask_begin(f->world, GET, target, NULL);
    for (int i = 0; i < PARALLEL; i++)
        assert_int_equal(ask_end(f->world, asking[i]).status, 200);
    assert_int_equal(metric_get(METRIC_packs_built), before + 1);
}

static void one_catch_up_is_built_once_for_all(void **state)
{
    struct sync_http *f = *state;
    static const char *const suffix[] = { "", ".gz", ".zst", ".dz" };
    struct wire_head h;
    char target[200];

    put(f, 0, 0);
    h = head();
    for (int i = 0; i < 4; i++) {
        snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/0-1%s", h.epoch,
                 suffix[i]);
        assert_built_once(f, target);
    }
}

static void a_body_has_no_second_name(void **state)
{
    struct sync_http *f = *state;
    static const char *const formats[] = { "/v1/sync/main/log/%" PRIu64 "/0/0%%2d1",
                                           "/v1/sync/%%6dain/log/%" PRIu64 "/0/0-1",
                                           "/v1/sync/main/log/%" PRIu64 "/%%30/0-1.dz",
                                           "/v1/sync/main/log/%" PRIu64 "/0/0-1?" };
    char target[200];

    put(f, 0, 0);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        snprintf(target, sizeof target, formats[i], head().epoch);
        if (get(f, target, NULL).status != 400)
            fail_msg("%s", target);
    }
}

static void refusals_point_at_the_newest_head(void **state)
{
    struct sync_http *f = *state;
    static const struct refusal cases[] = {
        { "/v1/sync/main/log/%" PRIu64 "/0/3-30", 400 },  /* not rounded */
        { "/v1/sync/main/log/%" PRIu64 "/0/03-30", 400 }, /* another spelling */
        { "/v1/sync/main/log/%" PRIu64 "/0/+3-30", 400 },
        { "/v1/sync/main/log/%" PRIu64 "/0/20-30.br", 400 },
        { "/v1/sync/main/log/%" PRIu64 "/0/3-30.dz", 400 },
        { "/v1/sync/main/log/%" PRIu64 "/1/20-30.dz", 404 },
        { "/v1/sync/main/log/0%" PRIu64 "/0/20-30", 400 },
        { "/v1/sync/main/log/1%" PRIu64 "/0/20-30", 404 }, /* epoch */
        { "/v1/sync/main/log/%" PRIu64 "/1/20-30", 404 },  /* a cut to come */
        { "/v1/sync/main/log/%" PRIu64 "/0/20-29", 404 },  /* no head */
        { "/v1/sync/main/log/%" PRIu64 "/0/20-31", 404 },  /* the future */
        { "/v1/sync/main/log/%" PRIu64 "/0/31-30", 400 },  /* a cursor from the future */
        { "/v1/sync/main/head/%" PRIu64 ".30.77", 404 },
        { "/v1/sync/main/head/%" PRIu64 ".30", 400 },
        { "/v1/sync/main/object/"
          "00000000000000000000000000000000000000000000000000%014" PRIu64,
          404 },
        { "/v1/sync/main/object/"
          "ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFAB%014" PRIu64,
          400 },
        { "/v1/sync/main/object/-", 400 }, /* too short, too long */
        { "/v1/sync/main/object/"
          "00000000000000000000000000000000000000000000000000%014" PRIu64 ".zst.zst",
          400 },
        { "/v1/sync/main/tile/6.0.00", 400 },
        { "/v1/sync/main/cover/1", 400 },
        { "/v1/sync/main/head/-", 400 },
        { "/v1/sync/main/log/%" PRIu64 "/0/-", 400 },
        { "/v1/sync/main/log/00000000000000000000%" PRIu64 "/0/20-30", 400 },
        { "/v1/sync/main/item/%" PRIu64 "/-", 400 },
        { "/v1/sync/main/place/x", 400 },
    };

    for (int i = 0; i < 30; i++)
        put(f, i, 0);
    assert_all_refused(f, cases, sizeof cases / sizeof *cases, head().epoch);
    assert_int_equal(get(f, "/v1/sync/other/head", NULL).status, 404);
    assert_int_equal(get(f, "/v1/sync/other/object/x", NULL).status, 404);
}

static void a_catch_up_of_more_than_64_mib_is_refused(void **state)
{
    enum { ITEMS = 270, BYTES = 250000 };
    struct sync_http *f = *state;
    struct wire_head h;
    char target[200], *bytes = malloc(BYTES);

    memset(bytes, 'a', BYTES);
    for (int i = 0; i < ITEMS; i++)
        put_bytes(f, i, 0, bytes, BYTES);
    free(bytes);
    h = head();
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/0-%d.zst", h.epoch, ITEMS);
    assert_refused(f, target, 413);
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/0-%d.dz", h.epoch, ITEMS);
    assert_refused(f, target, 413);
}

/* The first object that an index names. */
static void first_object(struct sync_http *f, const struct wire_head *h, char *target, size_t n)
{
    char hex[65];
    struct wire_lines lines;
    struct wire_object o;
    struct sync_err e;
    struct answer a;
    bool more;

    wire_hex(h->index, sizeof h->index, hex);
    snprintf(target, n, "/v1/sync/main/object/%s", hex);
    a = get(f, target, NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(wire_index_begin(&e, a.body, a.len, &lines), SYNC_OK);
    assert_int_equal(wire_index_next(&e, &lines, &o, &more), SYNC_OK);
    assert_true(more);
    wire_hex(o.hash, sizeof o.hash, hex);
    snprintf(target, n, "/v1/sync/main/object/%s", hex);
}

static void an_object_that_holds_what_was_purged_is_gone_at_once(void **state)
{
    struct sync_http *f = *state;
    struct arena *mem = arena_new();
    struct db *db;
    struct wire_head before, h;
    struct err e;
    char target[200], next[200];

    for (int i = 0; i < 10; i++)
        put(f, i, 0);
    head();
    assert_int_equal(
        db_open(&e, arena_printf(mem, "%s/tjzw.db", world_dir(f->world)), DB_READ, &db), RC_OK);
    assert_int_equal(index_build(live_own(), &e, db), RC_OK);
    before = head();
    first_object(f, &before, target, sizeof target);
    assert_int_equal(get(f, target, NULL).status, 200); /* the answer cache has it now */
    put(f, 3, CHANGE_PURGE);
    assert_refused(f, target, 410);
    assert_int_equal(index_build(live_own(), &e, db), RC_OK);
    h = head();
    assert_memory_not_equal(h.index, before.index, sizeof h.index);
    assert_refused(f, target, 410);
    first_object(f, &h, next, sizeof next);
    assert_int_equal(get(f, next, NULL).status, 200);
    db_close(db);
    arena_free(mem);
}

static void a_purge_makes_older_catch_ups_gone(void **state)
{
    struct sync_http *f = *state;
    struct wire_head h;
    char target[200];

    for (int i = 0; i < 10; i++)
        put(f, i, 0);
    h = head();
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/0-10", h.epoch);
    assert_int_equal(get(f, target, NULL).status, 200);
    put(f, 3, CHANGE_PURGE);
    h = head();
    assert_int_equal(h.cut, 1);
    assert_refused(f, target, 410);
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/0-10.dz", h.epoch);
    assert_refused(f, target, 410);
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/1/0-11", h.epoch);
    assert_int_equal(get(f, target, NULL).status, 200);
}

static void the_list_of_streams_is_polled_with_its_etag(void **state)
{
    static const char *const paths[] = { "/v1/sync/heads", "/v1/sync/heads/main" };
    struct sync_http *f = *state;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct answer a = get(f, paths[i], NULL), again, h;
        const char *etag = answer_header(f->world, &a, "etag"), *if_none;
        const struct ask how = { 0 };

        assert_int_equal(a.status, 200);
        assert_header(f, &a, "cache-control", "public, max-age=0, s-maxage=5");
        assert_header(f, &a, "content-type", "text/plain; charset=utf-8");
        assert_int_equal(etag[0], '"');
        assert_non_null(strstr(a.body, "tjzw heads 1\n"));
        assert_non_null(strstr(a.body, "\nstream main -\n"));
        assert_non_null(strstr(a.body, "\n\ntjzw head 1\n"));
        h = ask(f->world, HEAD, paths[i], &how);
        assert_int_equal(h.status, 200);
        assert_string_equal(answer_header(f->world, &h, "etag"), etag);
        if_none = arena_printf(world_mem(f->world), "if-none-match: %s", etag);
        assert_int_equal(get(f, paths[i], if_none).status, 304);
        put(f, f->items, 0);
        head();
        again = get(f, paths[i], if_none);
        assert_int_equal(again.status, 200);
        assert_string_not_equal(answer_header(f->world, &again, "etag"), etag);
    }
    assert_int_equal(get(f, "/v1/sync/heads/none", NULL).status, 404);
    assert_int_equal(get(f, "/v1/sync/heads/head", NULL).status, 404);
    assert_int_equal(get(f, "/v1/sync/heads/", NULL).status, 404);
}

static void keys_are_exchanged_by_whoever_operates_the_server(void **state)
{
    struct sync_http *f = *state;
    const struct ask stranger = { 0 }, operator= { .origin = ORIGIN_ADMIN };
    struct answer before = get(f, "/v1/sync/keys", NULL), after;

    assert_int_equal(ask(f->world, POST, "/v1/keys/main/rotate", &stranger).status, 401);
    assert_string_equal(get(f, "/v1/sync/keys", NULL).body, before.body);
    assert_int_equal(ask(f->world, POST, "/v1/keys/main/rotate", &operator).status, 200);
    assert_int_equal(ask(f->world, POST, "/v1/keys/platform/rotate", &operator).status, 200);
    assert_int_equal(ask(f->world, POST, "/v1/keys/none/rotate", &operator).status, 404);
    after = get(f, "/v1/sync/keys", NULL);
    assert_true(strlen(after.body) > strlen(before.body));
    assert_memory_equal(after.body, before.body, strlen(before.body));
    assert_string_not_equal(answer_header(f->world, &after, "etag"),
                            answer_header(f->world, &before, "etag"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_http_set_up, sync_http_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keys_are_exchanged_by_whoever_operates_the_server),
        TEST(the_list_of_streams_is_polled_with_its_etag),
        TEST(the_head_is_short_lived_and_has_a_strong_etag),
        TEST(keys_are_served),
        TEST(a_twin_a_log_and_an_object_are_for_ever),
        TEST(an_answer_cut_short_is_continued),
        TEST(one_catch_up_is_built_once_for_all),
        TEST(a_body_has_no_second_name),
        TEST(refusals_point_at_the_newest_head),
        TEST(a_catch_up_of_more_than_64_mib_is_refused),
        TEST(an_object_that_holds_what_was_purged_is_gone_at_once),
        TEST(a_purge_makes_older_catch_ups_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
