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

#include "api/sync.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/metric.h"
#include "server/http/cache.h"
#include "server/library/change.h"
#include "server/library/site.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "sync/head.h"
#include "sync/index.h"
#include "sync/verify.h"
#include "tests/lib/world.h"

/* clang-format off */
static const struct route routes[] = {
    { GET, "/v1/sync/keys", RIGHT_READ, ON_LOOP, 0, NULL, 0, get_sync_keys, NULL, "sync", "密钥链", NULL },
    { GET, "/v1/sync/:stream/head", RIGHT_READ, ON_LOOP, 0, sync_stream_params, 0, get_sync_head, NULL, "sync", "同步头", NULL },
    { GET, "/v1/sync/:stream/head/:cursor", RIGHT_READ, ON_WORKER, R_CACHED | R_FOREVER, sync_twin_params, 0, get_sync_twin, NULL, "sync", "不变的同步头", NULL },
    { GET, "/v1/sync/:stream/log/:epoch/:cut/:range", RIGHT_READ, ON_WORKER, R_CACHED | R_FOREVER, sync_log_params, 0, get_sync_log, NULL, "sync", "增量", NULL },
    { GET, "/v1/sync/:stream/object/:name", RIGHT_READ, ON_WORKER, R_CACHED | R_FOREVER, sync_object_params, 0, get_sync_object, NULL, "sync", "对象", NULL },
    { 0 },
};
/* clang-format on */

struct fixture {
    struct world *world;
    struct conf conf;
    int64_t site;
    struct id id[300];
    int items;
};

static void before_writer(void)
{
    sync_watch();
    sync_on_cut(cache_forget_all);
}

static enum rc make_site(struct work *w, void *arg)
{
    struct fixture *f = arg;
    struct site s = { .stream = live_no(live_own()), .code = "1200000000", .name = "天津" };
    enum rc rc = site_create(w, &s);

    f->site = s.no;
    return rc;
}

static enum rc write_change(struct work *w, void *arg)
{
    return change_write(w, arg);
}

static enum rc on_writer(enum rc (*fn)(struct work *, void *), void *arg)
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
    rc = writer_call(&w, fn, arg);
    arena_free(w.mem);
    return rc;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct world_conf conf = { .before_writer = before_writer };
    struct err e;

    f->world = world_open_with(routes, &conf);
    assert_int_equal(conf_load(&e, NULL, NULL, &f->conf), RC_OK);
    assert_int_equal(conf_set(&e, &f->conf, "data", world_dir(f->world)), RC_OK);
    assert_int_equal(sync_start(&e, &f->conf, NULL), RC_OK);
    assert_int_equal(on_writer(make_site, f), RC_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sync_stop();
    world_close(f->world);
    sync_done();
    sync_on_cut(NULL);
    conf_done(&f->conf);
    free(f);
    return 0;
}

static void put_bytes(struct fixture *f, int item, unsigned flags, const char *bytes, size_t n)
{
    struct change c = { .stream = live_no(live_own()),
                        .born = item < f->items ? item : -1,
                        .op = CHANGE_PUT,
                        .flags = flags,
                        .site = f->site,
                        .col = 1,
                        .title = "通知",
                        .bytes = bytes,
                        .n = n };

    if (item == f->items)
        f->id[f->items++] = id_new();
    c.item = f->id[item];
    assert_int_equal(on_writer(write_change, &c), RC_OK);
}

static void put(struct fixture *f, int item, unsigned flags)
{
    put_bytes(f, item, flags, "{\"a\":1}", 7);
}

static struct wire_head head(void)
{
    struct wire_head h = { 0 };
    struct err e;

    assert_int_equal(head_flush(live_own(), &e), RC_OK);
    assert_true(head_values(live_own(), &h));
    return h;
}

static struct answer get(struct fixture *f, const char *target, const char *headers)
{
    const struct ask how = { .headers = headers };

    return ask(f->world, GET, target, &how);
}

static void assert_header(struct fixture *f, const struct answer *a, const char *name,
                          const char *value)
{
    assert_string_equal(answer_header(f->world, a, name), value);
}

static void assert_forever(struct fixture *f, const struct answer *a)
{
    assert_int_equal(a->status, 200);
    assert_header(f, a, "cache-control", "public, max-age=31536000, immutable");
    assert_header(f, a, "accept-ranges", "bytes");
    assert_header(f, a, "link", "");
    assert_true(answer_header(f->world, a, "etag")[0] == '"');
}

static void the_head_is_short_lived_and_has_a_strong_etag(void **state)
{
    struct fixture *f = *state;
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
    struct fixture *f = *state;
    struct answer a = get(f, "/v1/sync/keys", NULL);
    uint8_t trust[32];
    struct sync_err e;

    assert_int_equal(a.status, 200);
    assert_header(f, &a, "cache-control", "public, max-age=0, s-maxage=5");
    assert_int_equal(verify_keys_first(&e, a.body, a.len, trust), SYNC_OK);
}

static void a_twin_a_log_and_an_object_are_for_ever(void **state)
{
    struct fixture *f = *state;
    static const char *const suffix[] = { "", ".gz", ".zst" };
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
    for (int i = 0; i < 3; i++) {
        snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/10-20%s", h.epoch,
                 suffix[i]);
        a = get(f, target, NULL);
        assert_forever(f, &a);
        assert_header(f, &a, "content-type", "application/octet-stream");
        assert_header(f, &a, "content-encoding", "");
        snprintf(target, sizeof target, "/v1/sync/main/object/%s%s", hex, suffix[i]);
        a = get(f, target, NULL);
        assert_forever(f, &a);
    }
}

static void an_answer_cut_short_is_continued(void **state)
{
    struct fixture *f = *state;
    struct wire_head h;
    struct answer whole, rest;
    char target[200], headers[200];

    for (int i = 0; i < 20; i++)
        put(f, i, 0);
    h = head();
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/10-20.zst", h.epoch);
    whole = get(f, target, NULL);
    cache_forget_all(); /* as if another process answered */
    snprintf(headers, sizeof headers, "range: bytes=100-\nif-range: %s",
             answer_header(f->world, &whole, "etag"));
    rest = get(f, target, headers);
    assert_int_equal(rest.status, 206);
    assert_int_equal(rest.len, whole.len - 100);
    assert_memory_equal(rest.body, whole.body + 100, rest.len);
}

static void one_catch_up_is_built_once_for_all(void **state)
{
    struct fixture *f = *state;
    struct asking *asking[16];
    struct wire_head h;
    char target[200];
    int64_t before;

    put(f, 0, 0);
    h = head();
    before = metric_get(METRIC_packs_built);
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/0-1.gz", h.epoch);
    for (int i = 0; i < 16; i++)
        asking[i] = ask_begin(f->world, GET, target, NULL);
    for (int i = 0; i < 16; i++)
        assert_int_equal(ask_end(f->world, asking[i]).status, 200);
    assert_int_equal(metric_get(METRIC_packs_built), before + 1);
}

static void assert_refused(struct fixture *f, const char *target, int status)
{
    static const struct {
        int status;
        const char *type;
    } types[] = { { 400, "\"type\":\"/problems/invalid\"" },
                  { 404, "\"type\":\"/problems/not-found\"" },
                  { 410, "\"type\":\"/problems/gone\"" },
                  { 413, "\"type\":\"/problems/too-large\"" } };
    struct answer a = get(f, target, NULL);
    size_t i = 0;

    if (a.status != status)
        fail_msg("%s: %d instead of %d", target, a.status, status);
    while (types[i].status != status)
        i++;
    assert_non_null(memmem(a.body, a.len, types[i].type, strlen(types[i].type)));
    assert_header(f, &a, "link", "</v1/sync/main/head>; rel=\"latest-version\"");
    assert_header(f, &a, "cache-control", "no-store");
    assert_header(f, &a, "content-type", "application/problem+json");
}

static void refusals_point_at_the_newest_head(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *format;
        int status;
    } cases[] = {
        { "/v1/sync/main/log/%" PRIu64 "/0/3-30", 400 },  /* not rounded */
        { "/v1/sync/main/log/%" PRIu64 "/0/03-30", 400 }, /* another spelling */
        { "/v1/sync/main/log/%" PRIu64 "/0/+3-30", 400 },
        { "/v1/sync/main/log/%" PRIu64 "/0/20-30.br", 400 },
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
    };
    struct wire_head h;
    char target[200];

    for (int i = 0; i < 30; i++)
        put(f, i, 0);
    h = head();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(target, sizeof target, cases[i].format, h.epoch);
        assert_refused(f, target, cases[i].status);
    }
    assert_int_equal(get(f, "/v1/sync/other/head", NULL).status, 404);
    assert_int_equal(get(f, "/v1/sync/other/object/x", NULL).status, 400);
}

static void a_catch_up_of_more_than_64_mib_is_refused(void **state)
{
    enum { ITEMS = 270, BYTES = 250000 };
    struct fixture *f = *state;
    struct wire_head h;
    char target[200], *bytes = malloc(BYTES);

    memset(bytes, 'a', BYTES);
    for (int i = 0; i < ITEMS; i++)
        put_bytes(f, i, 0, bytes, BYTES);
    free(bytes);
    h = head();
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/0/0-%d.zst", h.epoch, ITEMS);
    assert_refused(f, target, 413);
}

static void an_object_that_no_index_names_any_more_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct arena *mem = arena_new();
    struct db *db;
    struct wire_head before, h;
    struct err e;
    char target[200], hex[65];

    for (int i = 0; i < 10; i++)
        put(f, i, 0);
    head();
    assert_int_equal(
        db_open(&e, arena_printf(mem, "%s/tjzw.db", world_dir(f->world)), DB_READ, &db), RC_OK);
    assert_int_equal(index_build(live_own(), &e, db), RC_OK);
    before = head();
    wire_hex(before.index, sizeof before.index, hex);
    snprintf(target, sizeof target, "/v1/sync/main/object/%s", hex);
    assert_int_equal(get(f, target, NULL).status, 200);
    put(f, 3, CHANGE_PURGE);
    assert_int_equal(index_build(live_own(), &e, db), RC_OK);
    h = head();
    assert_memory_not_equal(h.index, before.index, sizeof h.index);
    assert_refused(f, target, 404);
    db_close(db);
    arena_free(mem);
}

static void a_purge_makes_older_catch_ups_gone(void **state)
{
    struct fixture *f = *state;
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
    snprintf(target, sizeof target, "/v1/sync/main/log/%" PRIu64 "/1/0-11", h.epoch);
    assert_int_equal(get(f, target, NULL).status, 200);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_head_is_short_lived_and_has_a_strong_etag),
        TEST(keys_are_served),
        TEST(a_twin_a_log_and_an_object_are_for_ever),
        TEST(an_answer_cut_short_is_continued),
        TEST(one_catch_up_is_built_once_for_all),
        TEST(refusals_point_at_the_newest_head),
        TEST(a_catch_up_of_more_than_64_mib_is_refused),
        TEST(an_object_that_no_index_names_any_more_is_not_found),
        TEST(a_purge_makes_older_catch_ups_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
