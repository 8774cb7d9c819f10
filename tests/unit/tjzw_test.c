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

#include "clients/c/store.h"
#include "tests/lib/tjzw_phone.h"

static void what_is_synced_can_be_read_without_a_network(void **state)
{
    struct phone_seen list = { 0 }, one = { 0 }, all = { 0 }, column = { 0 };
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

    OK(&p, tjzw_list(p.t, NULL, phone_see, &list, &p.e));
    assert_int_equal(list.n, 50);
    assert_string_equal(list.first_title, "公告第149号");
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .column = "政策", .most = 500 }, phone_see,
                     &column, &p.e));
    assert_int_equal(column.n, 75);
    OK(&p, tjzw_read(p.t, list.first_id, phone_see, &one, &p.e));
    assert_true(one.bytes > 20);
    OK(&p, tjzw_export(p.t, NULL, phone_see, &all, &p.e));
    assert_int_equal(all.n, 150);
    assert_true(all.sorted);
    assert_int_equal(phone_found(&p, "社保"), 150);
    assert_int_equal(phone_found(&p, "社保 第77号"), 1);
    assert_int_equal(phone_found(&p, "vISA"), 150);
    assert_int_equal(phone_found(&p, "title"), 0); /* a member's name is no text */
    OK(&p, tjzw_status(p.t, NULL, &status, &p.e));
    assert_int_equal(status.items, 150);
    assert_true(status.checked_at > 0);
    phone_end(&p);
}

static void the_filter_narrows_lists_without_a_network(void **state)
{
    const char *const columns[] = { "政策", "没有的栏目" };
    struct phone_seen s = { 0 };
    struct phone p;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    OK(&p, tjzw_filter(p.t, columns, 2, &p.e));
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .most = 500 }, phone_see, &s, &p.e));
    assert_int_equal(s.n, 75);
    OK(&p, tjzw_filter(p.t, NULL, 0, &p.e));
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .most = 500 }, phone_see, &s, &p.e));
    assert_int_equal(s.n, 225);
    phone_end(&p);
}

static void what_is_withdrawn_is_gone(void **state)
{
    struct phone_seen s = { 0 };
    struct phone p;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    OK(&p, tjzw_list(p.t, NULL, phone_see, &s, &p.e));
    fake_withdraw(p.server, 149);
    fake_head(p.server);
    phone_sync(&p);
    phone_check(&p);
    assert_int_equal(tjzw_read(p.t, s.first_id, phone_see, &s, &p.e), TJZW_NOT_FOUND);
    assert_int_equal(phone_found(&p, "第149号"), 0);
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
        phone_tamper(&p, harms[i]);
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
    char back[64];

    (void)state;
    phone_start(&p);
    tjzw_close(p.t);
    phone_tamper(&p, "PRAGMA user_version = 99");
    assert_int_equal(tjzw_open(p.path, &t, &p.e), TJZW_NEWER_STORE);
    assert_null(t);
    snprintf(back, sizeof back, "PRAGMA user_version = %d", store_schema_version);
    phone_tamper(&p, back);
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
    assert_int_equal(tjzw_read(p.t, "../../etc/passwd", phone_see, NULL, &p.e), TJZW_USAGE);
    assert_int_equal(tjzw_search(p.t, "  ", NULL, phone_see, NULL, &p.e), TJZW_USAGE);
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
    struct phone_seen s = { 0 };

    OK(p, tjzw_open(p->path, &second, &e));
    assert_int_equal(tjzw_sync(second, NULL, NULL, &e), TJZW_LOCKED);
    assert_int_equal(tjzw_list(second, NULL, phone_see, &s, &e), TJZW_OK);
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
