/*
 * mirror_test.c - a followed stream in our own tables: after every run they hold exactly a state that its server
 * signed, whatever the network did, and nothing that it purged.
 * Not here: what phones of the mirror read (tests/flow/mirror_test.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/channel/mirror.h"
#include "server/channel/mirror_files.h"
#include "server/channel/mirror_store.h"
#include "server/channel/mirror_thread.h"
#include "server/library/purge_url.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "sync/head.h"
#include "tests/lib/fake_net.h"
#include "tests/lib/follow_phone.h"
#include "tests/lib/sync_world.h"

struct district { /* and the city that follows it */
    struct sync_world *t;
    struct fake *server;
    struct fake_net net;
    struct mirror_store *store;
    struct live *live;
    struct follow_result last;
    struct sync_err err;
};

static enum rc add(struct work *w, void *arg)
{
    return live_mirror_add(w, "main2", arg);
}

static void open_store(struct district *d)
{
    struct work w;

    work_init(&w, arena_new(), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, add, &d->live), RC_OK);
    arena_free(w.mem);
    d->store = mirror_store_new(d->live, d->t->w.db);
}

static struct district follow_new(void **state, unsigned items)
{
    struct district d = { .t = *state, .server = fake_new("main2", 1763000000) };

    fake_publish_some(d.server, items);
    fake_head(d.server);
    d.net = (struct fake_net){ .server = d.server, .seed = 1, .honest_when_uncached = true };
    open_store(&d);
    return d;
}

static void follow_done(struct district *d)
{
    mirror_store_free(d->store);
    fake_free(d->server);
}

static enum sync_rc follow(struct district *d)
{
    struct follow_store store = mirror_store_callbacks(d->store);
    struct follow_transport transport = fake_transport(&d->net);
    struct mirror_prepare prepare = { d->store, &transport };
    struct follow_options o = { .stream = "main2",
                                .trust = fake_trust(d->server),
                                .encoding = WIRE_ZSTD,
                                .in_steps = true,
                                .prepare = mirror_prepare,
                                .prepare_ctx = &prepare };

    return follow_run(&d->err, &store, &transport, &o, &d->last);
}

/* The head that everybody is shown, and the tables, are a state that the server signed. */
static void check(struct district *d)
{
    struct fake_digest sum = { 0 };
    uint8_t want[WIRE_HASH];
    struct wire_head h;
    struct rows q;

    if (!head_values(d->live, &h))
        return;
    assert_int_equal(db_query(&d->t->w, SQL_mirror_each, &q, "i", live_no(d->live)), RC_OK);
    while (rows_next(&q)) {
        size_t n;
        const void *bytes = rows_blob(&q, 11, &n);

        if (rows_int(&q, 3) != WIRE_PUT)
            continue;
        fake_digest_add(&sum, (uint64_t)rows_int(&q, 1), (uint64_t)rows_int(&q, 0),
                        bytes ? bytes : "", n);
    }
    assert_int_equal(rows_done(&q), RC_OK);
    fake_state(d->server, &h, want);
    assert_memory_equal(sum.sum, want, WIRE_HASH);
}

static void must_follow(struct district *d)
{
    enum sync_rc rc = follow(d);
    struct wire_head h;

    if (rc)
        print_error("%s\n", d->err.text);
    assert_int_equal(rc, SYNC_OK);
    assert_true(head_values(d->live, &h));
    assert_int_equal(h.seq, fake_seq(d->server));
    assert_int_equal(h.size, fake_size(d->server));
    check(d);
}

static const char article[] =
    "{\"authority\":\"main2\",\"column\":\"通知\",\"id\":\"00000000-0000-4000-8000-"
    "000000000001\","
    "\"kind\":\"article\",\"originId\":\"a1\",\"published\":\"2026-11-21T10:00:00+08:00\","
    "\"revision\":3,\"site\":\"x\",\"title\":\"题\",\"updated\":\"2026-11-21T10:00:00+08:00\"}";

static const char with_file[] =
    "{\"attachments\":[{\"hash\":"
    "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"name\":\"附件\","
    "\"size\":9,\"type\":\"application/pdf\"}],\"authority\":\"main2\",\"column\":\"通知\","
    "\"id\":\"00000000-0000-4000-8000-000000000001\",\"kind\":\"article\",\"originId\":\"a1\","
    "\"published\":\"2026-11-21T10:00:00+08:00\",\"revision\":3,\"site\":\"x\",\"title\":"
    "\"题\","
    "\"updated\":\"2026-11-21T10:00:00+08:00\"}";

static void every_state_is_one_that_was_signed(void **state)
{
    struct district d = follow_new(state, 150);

    must_follow(&d);
    fake_edit(d.server, 7, "改", "{}");
    fake_withdraw(d.server, 8);
    fake_publish(d.server, "新", "{}");
    fake_head(d.server);
    must_follow(&d);
    fake_head(d.server); /* signed anew */
    must_follow(&d);
    follow_done(&d);
}

static void a_long_log_comes_in_steps_and_its_objects_are_here(void **state)
{
    struct district d = { .t = *state, .server = a_long_log() };

    fake_free(d.server);
    d = follow_new(state, 3000);
    for (unsigned i = 0; i < 4200; i++)
        fake_edit(d.server, 100 + i % 2000, "又改", "{}");
    fake_index(d.server);
    fake_head(d.server);
    must_follow(&d);
    assert_int_equal(sync_world_number(d.t,
                                       "SELECT count(*) FROM sync_object WHERE kind = 'index' "
                                       "AND stream <> 1"),
                     1);
    follow_done(&d);
}

static bool is_told(const struct purge_batch *b, const char *url)
{
    for (int i = 0; i < b->n; i++)
        if (!strcmp(b->urls[i], url))
            return true;
    return false;
}

static void what_was_purged_is_gone_with_the_run(void **state)
{
    struct district d = follow_new(state, 20);
    struct purge_batch told;

    must_follow(&d);
    fake_edit(d.server, 3, "机密", "{\"body\":\"机密内容\"}");
    fake_head(d.server);
    must_follow(&d);
    fake_correct(d.server, 3, "更正", "{}");
    fake_edit(d.server, 3, "又改", "{}"); /* the change that said purge is never seen here */
    fake_take_down(d.server, 4);
    fake_head(d.server);
    purge_url_watch(true);
    must_follow(&d);
    purge_url_watch(false);
    assert_int_equal(purge_url_batch(&d.t->w, 100, &told), RC_OK);
    assert_true(is_told(&told, "/v1/sync/main2/log/*"));
    assert_true(is_told(&told, "/v1/sync/main2/item/*"));
    assert_int_equal(sync_world_number(d.t, "SELECT count(*) FROM record WHERE "
                                            "CAST(bytes AS TEXT) LIKE '%机密%'"),
                     0);
    assert_int_equal(sync_world_number(d.t, "SELECT count(*) FROM record r JOIN change c ON "
                                            "c.stream = r.stream AND c.seq = r.seq "
                                            "WHERE c.born = 4 AND c.op = 1 AND r.stream <> 1"),
                     0);
    follow_done(&d);
}

static void name_columns(struct district *d)
{
    fake_set_directory(
        d->server,
        "{\"columns\":[{\"name\":\"通知\",\"no\":1,\"parent\":0,\"path\":\"通知\","
        "\"position\":1,\"site\":1,\"type\":\"通知公告\"}],\"sites\":[{\"code\":\"x\","
        "\"name\":\"区政府\",\"no\":1}]}");
}

static void items_and_sites_are_listed_like_our_own(void **state)
{
    struct district d = follow_new(state, 2);

    name_columns(&d);
    fake_edit(d.server, 0, "题", article);
    fake_head(d.server);
    must_follow(&d);
    assert_int_equal(sync_world_number(d.t, "SELECT count(*) FROM site WHERE name = '区政府' "
                                            "AND remote = 1"),
                     1);
    assert_int_equal(
        sync_world_number(d.t, "SELECT count(*) FROM item WHERE stream <> 1 AND "
                               "live_rev = 3 AND origin_id = 'a1' AND authority = 'main2'"),
        1);
    fake_set_directory(
        d.server,
        "{\"columns\":[{\"name\":\"公告\",\"no\":1,\"parent\":0,\"path\":\"公告\","
        "\"position\":1,\"site\":1,\"type\":\"通知公告\"}],\"sites\":[{\"code\":\"x\","
        "\"name\":\"和平区政府\",\"no\":1,\"of a later version\":[]}]}");
    fake_head(d.server);
    must_follow(&d);
    assert_int_equal(sync_world_number(d.t, "SELECT count(*) FROM site s JOIN site_column c ON "
                                            "c.site = s.no WHERE s.name = '和平区政府' "
                                            "AND c.path = '公告'"),
                     1);
    follow_done(&d);
}

/* ---- answers without an end ---- */

enum { ENOUGH = 40 << 20 }; /* a reader that is not through by then never is */

struct endless {
    int status;
    bool ends; /* after one piece */
    size_t sent;
};

static enum sync_rc say_on_and_on(void *ctx, struct sync_err *e, struct follow_get *gets,
                                  size_t n)
{
    static const uint8_t piece[4096];
    struct endless *x = ctx;
    enum sync_rc rc = SYNC_OK;

    x->sent = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        size_t most = x->ends ? 1 : ENOUGH;

        gets[i].status = x->status;
        for (size_t at = 0; !rc && at < most; at += sizeof piece) {
            x->sent += sizeof piece;
            rc = gets[i].body(&gets[i], e, piece, sizeof piece);
        }
    }
    return rc;
}

static void a_refusal_without_an_end_is_not_listened_to(void **state)
{
    struct district d = follow_new(state, 2);
    struct endless server = { .status = 404 };
    struct follow_transport transport = { .ctx = &server, .get = say_on_and_on };
    struct mirror_files files = { .stream = live_no(d.live),
                                  .data = live_data(d.live),
                                  .reader = d.t->w.db,
                                  .most_bytes = 1 << 20,
                                  .transport = &transport };
    bool none;

    name_columns(&d);
    fake_edit(d.server, 0, "题", with_file);
    fake_head(d.server);
    must_follow(&d);
    assert_int_equal(mirror_files_step(&d.err, &files, &none), SYNC_OK);
    assert_false(none);
    assert_in_range(server.sent, 1, 1 << 20);
    follow_done(&d);
}

static void an_object_of_which_nothing_is_known_lets_no_takedown_pass(void **state)
{
    struct district d = follow_new(state, 200);
    struct endless server = { .status = 500 };
    struct follow_transport transport = { .ctx = &server, .get = say_on_and_on };
    struct mirror_prepare prepare = { d.store, &transport };

    fake_index(d.server);
    fake_head(d.server);
    must_follow(&d);
    assert_true(head_values(d.live, &d.last.head));
    d.last.head.cut++; /* what it held is asked for again */
    assert_int_equal(mirror_prepare(&prepare, &d.err, &d.last.head), SYNC_NET);
    assert_in_range(server.sent, 1, ENOUGH - 1);
    server.ends = true;
    assert_int_equal(mirror_prepare(&prepare, &d.err, &d.last.head), SYNC_BUSY);
    server.status = 206;
    assert_int_equal(mirror_prepare(&prepare, &d.err, &d.last.head), SYNC_OK);
    follow_done(&d);
}

/* The row of what has number 3 in that stream's directory. */
static int64_t third(struct district *d, enum sql sql)
{
    struct work w;
    struct rows q;
    int64_t n = -1;

    work_init(&w, arena_new(), d->t->w.db, "test", RIGHT_ALL);
    assert_int_equal(db_query(&w, sql, &q, "ii", live_no(d->live), (int64_t)3), RC_OK);
    if (rows_next(&q))
        n = rows_int(&q, 0);
    assert_int_equal(rows_done(&q), RC_OK);
    arena_free(w.mem);
    return n;
}

static void a_directory_that_names_two_alike_does_not_stop_the_stream(void **state)
{
    struct district d = follow_new(state, 20);

    fake_set_directory(
        d.server,
        "{\"columns\":["
        "{\"name\":\"通知公告\",\"no\":1,\"parent\":0,\"path\":\"通知公告\",\"position\":1,"
        "\"site\":1,\"type\":\"通知公告\"},"
        "{\"name\":\"政策\",\"no\":2,\"parent\":0,\"path\":\"政策\",\"position\":2,"
        "\"site\":1,\"type\":\"政策文件\"},"
        "{\"name\":\"政策\",\"no\":3,\"parent\":0,\"path\":\"政策\",\"position\":3,"
        "\"site\":1,\"type\":\"政策文件\"}],"
        "\"sites\":[{\"code\":\"demo\",\"name\":\"示例\",\"no\":1},"
        "{\"code\":\"demo\",\"name\":\"又一\",\"no\":2},"
        "{\"code\":\"demo\",\"name\":\"再一\",\"no\":3}]}");
    fake_head(d.server);
    for (int again = 0; again < 2; again++) {
        must_follow(&d);
        assert_true(third(&d, SQL_mirror_column) > 0);
        assert_true(third(&d, SQL_mirror_site) > 0);
        check(&d);
        fake_publish_some(d.server, 1);
        fake_head(d.server);
    }
    follow_done(&d);
}

static void a_restored_log_is_followed(void **state)
{
    struct district d = follow_new(state, 50);
    uint64_t before = fake_seq(d.server);

    must_follow(&d);
    for (int i = 0; i < 30; i++)
        fake_edit(d.server, (uint64_t)i, "要丢的", "{}");
    fake_head(d.server);
    must_follow(&d);
    fake_restore(d.server, before);
    for (int i = 10; i < 20; i++)
        fake_edit(d.server, (uint64_t)i, "另一个", "{\"n\":1}");
    fake_head(d.server);
    must_follow(&d);
    follow_done(&d);
}

static void a_restart_shows_what_was_shown(void **state)
{
    struct district d = follow_new(state, 60);
    struct wire_head before, after;

    must_follow(&d);
    assert_true(head_values(d.live, &before));
    mirror_store_free(d.store);
    sync_world_stop(d.t);
    sync_world_start(d.t);
    open_store(&d);
    assert_true(head_values(d.live, &after));
    assert_memory_equal(&before, &after, sizeof before);
    fake_edit(d.server, 5, "改", "{}");
    fake_head(d.server);
    must_follow(&d);
    assert_int_equal(d.last.records, 1);
    follow_done(&d);
}

static void change_something(struct district *d, uint64_t *seed)
{
    uint64_t born = fake_random(seed, (uint32_t)fake_size(d->server));

    switch (fake_random(seed, 8)) {
    case 0: fake_publish(d->server, "新", "{\"a\":1}"); break;
    case 1: fake_withdraw(d->server, born); break;
    case 2: fake_take_down(d->server, born); break;
    case 3: fake_correct(d->server, born, "更正", "{\"b\":2}"); break;
    case 4: fake_index(d->server); break;
    case 5: fake_layer(d->server); break;
    default: fake_edit(d->server, born, "改", "{\"c\":3}"); break;
    }
}

static void a_bad_network_never_shows_what_was_not_signed(void **state)
{
    struct district d = follow_new(state, 300);
    uint64_t seed = 7;

    must_follow(&d);
    d.net.faults = FAULT_CUT | FAULT_FLIP | FAULT_STATUS | FAULT_OLD | FAULT_SWAP;
    for (int round = 0; round < 60; round++) {
        int n = 1 + (int)fake_random(&seed, 12);

        while (n--)
            change_something(&d, &seed);
        fake_head(d.server);
        d.net.percent = 30;
        (void)follow(&d);
        check(&d);
    }
    d.net.percent = 0;
    must_follow(&d);
    follow_done(&d);
}

/* ---- after failures ---- */

static void a_publisher_that_comes_back_is_met_soon(void **state)
{
    enum { S = 1000000 };
    static const struct {
        unsigned failures;
        int64_t took_us;
        uint32_t least, most;
    } cases[] = {
        { 1, 0, 1, 2 },           { 2, 0, 2, 4 },
        { 9, 0, 10, 10 },                              /* refused at once */
        { 9, 10 * S, 200, 200 },  { 3, 20 * S, 4, 8 }, /* silent for long */
        { 40, 20 * S, 400, 400 }, { 40, 300 * S, 1800, 3600 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t random = 0; random < 5000; random += 7)
            assert_in_range(mirror_rest(2, cases[i].failures, cases[i].took_us, random),
                            cases[i].least, cases[i].most);
}

int main(void)
{
#define WORLD(test) \
    cmocka_unit_test_setup_teardown(test, sync_world_set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publisher_that_comes_back_is_met_soon),
        WORLD(every_state_is_one_that_was_signed),
        WORLD(a_long_log_comes_in_steps_and_its_objects_are_here),
        WORLD(what_was_purged_is_gone_with_the_run),
        WORLD(items_and_sites_are_listed_like_our_own),
        WORLD(a_refusal_without_an_end_is_not_listened_to),
        WORLD(an_object_of_which_nothing_is_known_lets_no_takedown_pass),
        WORLD(a_directory_that_names_two_alike_does_not_stop_the_stream),
        WORLD(a_restored_log_is_followed),
        WORLD(a_restart_shows_what_was_shown),
        WORLD(a_bad_network_never_shows_what_was_not_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
