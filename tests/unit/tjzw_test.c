/*
 * tjzw_test.c - libtjzw through its public header, on a real store, against the server in memory of tests/lib/fake_sync.
 *
 * As in follow_faults_test the fake server's history is the oracle; here the store is a file that survives kills, damage and a second handle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/c/tjzw.h"
#include "tests/lib/fake_net.h"

/* ---- the fake network as a transport of the embedder ---- */

struct carried {
    struct tjzw_request *request;
    bool told; /* status and headers went out */
};

static void tell_head(struct follow_get *g)
{
    struct carried *c = g->ctx;
    char text[64];

    if (c->told)
        return;
    c->told = true;
    c->request->on_status(c->request, g->status);
    if (g->etag[0])
        c->request->on_header(c->request, "ETag", g->etag);
    if (g->status == 206) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-99/100", g->range_from);
        c->request->on_header(c->request, "Content-Range", text);
    }
    if (g->retry_after)
        c->request->on_header(c->request, "Retry-After", "7");
}

static enum sync_rc carry_body(struct follow_get *g, struct sync_err *e, const uint8_t *bytes,
                               size_t n)
{
    struct carried *c = g->ctx;

    tell_head(g);
    return c->request->on_body(c->request, bytes, n) ? sync_err_set(e, SYNC_CANCELLED, "ended")
                                                     : SYNC_OK;
}

static const char *header(const struct tjzw_request *r, const char *name)
{
    for (const char *const *h = r->headers; *h; h++)
        if (strncasecmp(*h, name, strlen(name)) == 0 && (*h)[strlen(name)] == ':')
            return *h + strlen(name) + 2;
    return NULL;
}

static void carry(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                  void *stop_ctx)
{
    struct follow_transport fake = fake_transport(ctx);

    for (size_t i = 0; i < n && !stop(stop_ctx); i++) {
        struct tjzw_request *r = &requests[i];
        struct carried c = { .request = r };
        const char *range = header(r, "Range");
        struct follow_get g = { .path = strstr(r->url, "/v1/"),
                                .from = range ? strtoull(range + 6, NULL, 10) : 0,
                                .if_range = header(r, "If-Range"),
                                .if_none = header(r, "If-None-Match"),
                                .past_caches = header(r, "Cache-Control") != NULL,
                                .body = carry_body,
                                .ctx = &c };
        struct sync_err e;

        g.err.rc = SYNC_NET;
        if (fake.get(fake.ctx, &e, &g, 1))
            return;
        if (g.status)
            tell_head(&g);
        r->whole = g.err.rc == SYNC_OK;
        r->bytes_down = g.bytes_down;
    }
}

/* ---- a phone with a store on disk ---- */

struct phone {
    struct fake *server;
    struct fake_net net;
    char dir[64], path[96];
    struct tjzw *t;
    struct tjzw_error e;
    struct tjzw_sync_result last;
};

#define OK(p, expr)                                                                \
    do {                                                                           \
        enum tjzw_code ok_code = (expr);                                           \
        if (ok_code)                                                               \
            fail_msg("%s: %s: %s", #expr, tjzw_code_name(ok_code), (p)->e.detail); \
    } while (0)

/* As a later run that says nothing of servers. */
static void phone_reopen(struct phone *p)
{
    struct tjzw_transport transport = { &p->net, carry };

    tjzw_close(p->t);
    OK(p, tjzw_open(p->path, &p->t, &p->e));
    tjzw_set_transport(p->t, &transport);
}

static void phone_open(struct phone *p)
{
    char trust[65];

    p->t = NULL;
    phone_reopen(p);
    wire_hex(fake_trust(p->server), 32, trust);
    OK(p,
       tjzw_follow(p->t, &(struct tjzw_server){ .url = "https://fake.example", .trust = trust },
                   &p->e));
}

static void phone_start(struct phone *p)
{
    *p = (struct phone){ .server = fake_new("main", 1763712000) };
    p->net = (struct fake_net){ .server = p->server, .seed = 1 };
    snprintf(p->dir, sizeof p->dir, "/tmp/tjzw-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/phone.db", p->dir);
    for (unsigned i = 0; i < 150; i++) {
        char title[40], body[200];

        snprintf(title, sizeof title, "公告第%u号", i);
        snprintf(body, sizeof body,
                 "{\"body\":\"正文%u，办理社保与Visa事项\",\"title\":\"%s\"}", i, title);
        fake_publish(p->server, title, body);
    }
    fake_head(p->server);
    phone_open(p);
}

static void phone_end(struct phone *p)
{
    char command[128];

    tjzw_close(p->t);
    fake_free(p->server);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
}

static void phone_sync(struct phone *p)
{
    OK(p, tjzw_sync(p->t, NULL, &p->last, &p->e));
}

/* Straight to the file, as another program would. */
static void tamper(struct phone *p, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* What the file shows is exactly what was signed for the head it holds. */
static void phone_check(struct phone *p)
{
    struct fake_digest d = { { 0 } };
    struct tjzw_status status;
    struct wire_cursor cursor;
    struct wire_head head = { 0 };
    struct sync_err e;
    uint8_t want[WIRE_HASH];
    sqlite3_stmt *q;
    sqlite3 *db;

    OK(p, tjzw_status(p->t, NULL, &status, &p->e));
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT born, seq, bytes FROM item WHERE op = 1 ORDER BY born",
                           -1, &q, NULL),
        SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        fake_digest_add(&d, (uint64_t)sqlite3_column_int64(q, 0),
                        (uint64_t)sqlite3_column_int64(q, 1), sqlite3_column_blob(q, 2),
                        (size_t)sqlite3_column_bytes(q, 2));
    sqlite3_finalize(q);
    sqlite3_close(db);
    if (!status.cursor[0]) {
        assert_int_equal(status.items, 0);
        return;
    }
    assert_int_equal(wire_cursor_parse(&e, status.cursor, strlen(status.cursor), &cursor),
                     SYNC_OK);
    head.epoch = cursor.epoch;
    head.seq = cursor.seq;
    fake_state(p->server, &head, want);
    assert_memory_equal(want, d.sum, WIRE_HASH);
    OK(p, tjzw_verify(p->t, NULL, NULL, &p->e));
}

/* ---- reading ---- */

struct seen {
    size_t n;
    char first_id[37], first_title[64], last_id[37];
    size_t bytes;
    bool sorted;
};

static bool see(void *ctx, const struct tjzw_item *item)
{
    struct seen *s = ctx;

    if (s->n++ == 0) {
        memcpy(s->first_id, item->id, sizeof s->first_id);
        snprintf(s->first_title, sizeof s->first_title, "%s", item->title);
        s->sorted = true;
    } else {
        s->sorted &= strcmp(s->last_id, item->id) < 0;
    }
    memcpy(s->last_id, item->id, sizeof s->last_id);
    s->bytes += item->json_len;
    return true;
}

static size_t found(struct phone *p, const char *words)
{
    struct tjzw_query query = { .most = 1000 };
    struct seen s = { 0 };

    OK(p, tjzw_search(p->t, words, &query, see, &s, &p->e));
    return s.n;
}

static void what_is_synced_can_be_read_without_a_network(void **state)
{
    struct seen list = { 0 }, one = { 0 }, all = { 0 }, column = { 0 };
    struct tjzw_status status;
    struct phone p;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    assert_true(p.last.changed);
    assert_false(p.last.first_use);
    assert_int_equal(p.last.records, 150);
    phone_check(&p);
    p.net.percent = 100;
    p.net.faults = FAULT_STATUS;

    OK(&p, tjzw_list(p.t, NULL, see, &list, &p.e));
    assert_int_equal(list.n, 50);
    assert_string_equal(list.first_title, "公告第149号");
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .column = "政策", .most = 500 }, see, &column,
                     &p.e));
    assert_int_equal(column.n, 75);
    OK(&p, tjzw_read(p.t, list.first_id, see, &one, &p.e));
    assert_true(one.bytes > 20);
    OK(&p, tjzw_export(p.t, NULL, see, &all, &p.e));
    assert_int_equal(all.n, 150);
    assert_true(all.sorted);
    assert_int_equal(found(&p, "社保"), 150);
    assert_int_equal(found(&p, "社保 第77号"), 1);
    assert_int_equal(found(&p, "vISA"), 150);
    assert_int_equal(found(&p, "title"), 0); /* a member's name is no text */
    OK(&p, tjzw_status(p.t, NULL, &status, &p.e));
    assert_int_equal(status.items, 150);
    assert_true(status.checked_at > 0);
    phone_end(&p);
}

static void the_filter_narrows_lists_without_a_network(void **state)
{
    const char *const columns[] = { "政策", "没有的栏目" };
    struct seen s = { 0 };
    struct phone p;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    OK(&p, tjzw_filter(p.t, columns, 2, &p.e));
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .most = 500 }, see, &s, &p.e));
    assert_int_equal(s.n, 75);
    OK(&p, tjzw_filter(p.t, NULL, 0, &p.e));
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .most = 500 }, see, &s, &p.e));
    assert_int_equal(s.n, 225);
    phone_end(&p);
}

static void what_is_withdrawn_is_gone(void **state)
{
    struct seen s = { 0 };
    struct phone p;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    OK(&p, tjzw_list(p.t, NULL, see, &s, &p.e));
    fake_withdraw(p.server, 149);
    fake_head(p.server);
    phone_sync(&p);
    phone_check(&p);
    assert_int_equal(tjzw_read(p.t, s.first_id, see, &s, &p.e), TJZW_NOT_FOUND);
    assert_int_equal(found(&p, "第149号"), 0);
    phone_end(&p);
}

/* ---- things that go wrong ---- */

static void damage_is_found_and_mended(void **state)
{
    static const char *const harms[] = {
        "UPDATE item SET title = '改过的标题' WHERE born = 5",
        "UPDATE item SET bytes = replace(bytes, '社保', '杜保') WHERE born = 6",
        "DELETE FROM item WHERE born = 7",
        "UPDATE tile SET nodes = zeroblob(2048) WHERE level = 0 AND place = 0",
        "UPDATE item SET op = 2, title = '' WHERE born = 8",
    };
    struct tjzw_verdict v;
    struct phone p;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    for (size_t i = 0; i < sizeof harms / sizeof harms[0]; i++) {
        tamper(&p, harms[i]);
        assert_int_equal(tjzw_verify(p.t, NULL, &v, &p.e), TJZW_DAMAGED);
        phone_sync(&p);
        assert_true(p.last.repaired);
        phone_check(&p);
    }
    phone_end(&p);
}

static void a_store_of_a_later_version_is_left_alone(void **state)
{
    struct tjzw *t = NULL;
    struct phone p;

    (void)state;
    phone_start(&p);
    tjzw_close(p.t);
    tamper(&p, "PRAGMA user_version = 99");
    assert_int_equal(tjzw_open(p.path, &t, &p.e), TJZW_NEWER_STORE);
    assert_null(t);
    tamper(&p, "PRAGMA user_version = 2");
    phone_open(&p);
    phone_end(&p);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
    struct tjzw *t = NULL;
    struct tjzw_error e;
    char path[] = "/tmp/tjzw-test-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "certainly not a database, but long enough to be looked at", 57),
                     57);
    close(fd);
    assert_int_equal(tjzw_open(path, &t, &e), TJZW_STORE);
    assert_int_equal(tjzw_open("/nowhere/at/all.db", &t, &e), TJZW_STORE);
    assert_int_equal(tjzw_open("", &t, &e), TJZW_USAGE);
    assert_null(t);
    unlink(path);
}

static void wrong_arguments_are_refused(void **state)
{
    static const char *const urls[] = { "ftp://x",     "https://",    "https://a/b",
                                        "https://a b", "https://u@h", "example" };
    struct phone p;

    (void)state;
    phone_start(&p);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        assert_int_equal(tjzw_follow(p.t, &(struct tjzw_server){ .url = urls[i] }, &p.e),
                         TJZW_USAGE);
    assert_int_equal(tjzw_follow(p.t, &(struct tjzw_server){ .trust = "12" }, &p.e),
                     TJZW_USAGE);
    assert_int_equal(
        tjzw_follow(p.t, &(struct tjzw_server){ .url = "https://a", .stream = "A" }, &p.e),
        TJZW_USAGE);
    assert_int_equal(tjzw_follow(p.t, &(struct tjzw_server){ .stream = "other" }, &p.e),
                     TJZW_USAGE);
    OK(&p, tjzw_follow(p.t, &(struct tjzw_server){ .url = "https://tj.example:8443/" }, &p.e));
    assert_int_equal(tjzw_read(p.t, "../../etc/passwd", see, NULL, &p.e), TJZW_USAGE);
    assert_int_equal(tjzw_search(p.t, "  ", NULL, see, NULL, &p.e), TJZW_USAGE);
    assert_int_equal(tjzw_status(p.t, "other", &(struct tjzw_status){ 0 }, &p.e),
                     TJZW_NOT_FOUND);
    phone_end(&p);
}

static void stop_now(void *ctx)
{
    tjzw_stop(((struct phone *)ctx)->t);
}

/* One value of one column of the only stream's row; "" if there is no row. */
static const char *remembered(struct phone *p, const char *column)
{
    static char text[512];
    char sql[96];
    sqlite3_stmt *q;
    sqlite3 *db;

    text[0] = '\0';
    snprintf(sql, sizeof sql, "SELECT %s FROM stream", column);
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    if (sqlite3_step(q) == SQLITE_ROW)
        snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_close(db);
    return text;
}

static void another_key_than_the_trusted_one_is_refused_and_forgotten(void **state)
{
    struct phone p;
    char trust[65];

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    memset(trust, 'a', 64);
    trust[64] = '\0';
    OK(&p,
       tjzw_follow(p.t, &(struct tjzw_server){ .url = "https://wrong", .trust = trust }, &p.e));
    assert_int_equal(tjzw_verify(p.t, NULL, NULL, &p.e), TJZW_UNTRUSTED);
    assert_int_equal(tjzw_sync(p.t, NULL, &p.last, &p.e), TJZW_UNTRUSTED);
    assert_string_equal(remembered(&p, "url"), "https://fake.example");
    phone_reopen(&p);
    phone_sync(&p);
    assert_false(p.last.first_use);
    phone_check(&p);
    phone_end(&p);
}

static void a_server_is_remembered_when_a_sync_proved_it(void **state)
{
    struct phone p;

    (void)state;
    phone_start(&p);
    assert_string_equal(remembered(&p, "url"), ""); /* told, and nothing written */
    p.net.pause = stop_now;
    p.net.spy_ctx = &p;
    assert_int_equal(tjzw_sync(p.t, NULL, &p.last, &p.e), TJZW_STOPPED);
    p.net.pause = NULL;
    phone_reopen(&p); /* a first sync that was cut goes on without being told again */
    phone_sync(&p);
    assert_false(p.last.first_use);
    OK(&p, tjzw_follow(p.t, &(struct tjzw_server){ .url = "https://moved" }, &p.e));
    assert_string_equal(remembered(&p, "url"), "https://fake.example");
    phone_sync(&p);
    assert_string_equal(remembered(&p, "url"), "https://moved");
    phone_check(&p);
    phone_end(&p);
}

static void a_certificate_is_found_from_anywhere(void **state)
{
    struct tjzw_server server = { .cacert = "phone.db" }; /* any file does */
    char here[256];
    struct phone p;

    (void)state;
    phone_start(&p);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(p.dir), 0);
    OK(&p, tjzw_follow(p.t, &server, &p.e));
    server.cacert = "no-such-file.pem";
    assert_int_equal(tjzw_follow(p.t, &server, &p.e), TJZW_USAGE);
    assert_int_equal(chdir(here), 0);
    phone_sync(&p);
    assert_string_equal(remembered(&p, "cacert"), p.path);
    phone_end(&p);
}

/* ---- two at once ---- */

static void lock_out_another(void *ctx)
{
    struct phone *p = ctx;
    struct tjzw *second;
    struct tjzw_error e;
    struct seen s = { 0 };

    OK(p, tjzw_open(p->path, &second, &e));
    assert_int_equal(tjzw_sync(second, NULL, NULL, &e), TJZW_LOCKED);
    assert_int_equal(tjzw_list(second, NULL, see, &s, &e), TJZW_OK);
    tjzw_close(second);
}

static void a_second_handle_reads_while_the_first_syncs(void **state)
{
    struct phone p;

    (void)state;
    phone_start(&p);
    p.net.pause = lock_out_another;
    p.net.spy_ctx = &p;
    phone_sync(&p);
    phone_check(&p);
    phone_end(&p);
}

static void a_sync_can_be_stopped(void **state)
{
    struct phone p;

    (void)state;
    phone_start(&p);
    p.net.pause = stop_now;
    p.net.spy_ctx = &p;
    assert_int_equal(tjzw_sync(p.t, NULL, &p.last, &p.e), TJZW_STOPPED);
    phone_check(&p);
    p.net.pause = NULL;
    phone_sync(&p);
    phone_end(&p);
}

/* ---- kill ---- */

static unsigned pieces_left;

static void die_some_time(void *ctx)
{
    (void)ctx;
    if (pieces_left-- == 0)
        _exit(9);
}

static bool die_while_applying(void *ctx, const struct tjzw_progress *p)
{
    (void)ctx;
    if (p->phase == TJZW_APPLYING && pieces_left-- == 0)
        _exit(9);
    return false;
}

/* A process of its own that syncs and is ended without warning. */
static void killed_sync(struct phone *p, uint64_t *seed)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct tjzw_sync_options options = { .progress = die_while_applying };

        pieces_left = fake_random(seed, 40);
        p->net.pause = fake_random(seed, 2) ? die_some_time : NULL;
        p->net.seed = *seed;
        phone_open(p);
        (void)!tjzw_sync(p->t, &options, NULL, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 1);
    (void)fake_random(seed, 2);
}

static void a_phone_killed_anywhere_converges(void **state)
{
    unsigned rounds = getenv("TJZW_FULL") ? 200 : 20;
    uint64_t seed = 20261121;
    struct phone p;

    (void)state;
    phone_start(&p);
    for (unsigned i = 0; i < 3000; i++)
        fake_edit(p.server, i % 150, "多次修改", "{\"body\":\"够多的内容\"}");
    for (unsigned i = 0; i < 1500; i++)
        fake_publish(p.server, "更多", "{\"body\":\"再多一些内容，让它不止一个对象\"}");
    fake_index(p.server);
    fake_head(p.server);
    tjzw_close(p.t);
    for (unsigned round = 0; round < rounds; round++) {
        killed_sync(&p, &seed);
        phone_open(&p);
        phone_check(&p);
        if (round % 7 == 6)
            phone_sync(&p);
        tjzw_close(p.t);
        fake_edit(p.server, fake_random(&seed, 150), "又改", "{\"body\":\"新\"}");
        fake_publish(p.server, "新发布", "{}");
        fake_head(p.server);
    }
    phone_open(&p);
    phone_sync(&p);
    phone_check(&p);
    phone_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_synced_can_be_read_without_a_network),
        cmocka_unit_test(the_filter_narrows_lists_without_a_network),
        cmocka_unit_test(what_is_withdrawn_is_gone),
        cmocka_unit_test(damage_is_found_and_mended),
        cmocka_unit_test(a_store_of_a_later_version_is_left_alone),
        cmocka_unit_test(a_file_that_is_no_store_is_refused),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(another_key_than_the_trusted_one_is_refused_and_forgotten),
        cmocka_unit_test(a_server_is_remembered_when_a_sync_proved_it),
        cmocka_unit_test(a_certificate_is_found_from_anywhere),
        cmocka_unit_test(a_second_handle_reads_while_the_first_syncs),
        cmocka_unit_test(a_sync_can_be_stopped),
        cmocka_unit_test(a_phone_killed_anywhere_converges),
    };

    return cmocka_run_group_tests_name("tjzw", tests, NULL, NULL);
}
