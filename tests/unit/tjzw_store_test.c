/*
 * tjzw_store_test.c - the phone's store in trouble: an old version, no room, a wrong clock; what it forgets, and what is kept beside it.
 */
#include "tests/lib/tjzw_phone.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/c/store.h"
#include "clients/c/sync.h"

/* ---- version 1 ---- */

static void run_sql(sqlite3 *db, const char *sql)
{
    char *why = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &why))
        fail_msg("%s: %s", sql, why);
}

static char *whole(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = calloc(1, 16384);

    assert_non_null(in);
    assert_in_range(fread(text, 1, 16383, in), 1000, 16382);
    fclose(in);
    return text;
}

/* The same content as the program of version 1 would have left it. */
static void to_version_1(struct phone *p)
{
    static const char *const copies[] = {
        "INSERT INTO stream SELECT no, name, url, cacert, trust, checked, damaged FROM "
        "new.stream",
        "INSERT INTO value SELECT stream, which, bytes FROM new.value WHERE which < 6",
        "INSERT INTO item SELECT no, stream, born, seq, op, flags, id, site, col, date, title, "
        "bytes FROM new.item",
        "INSERT INTO tile SELECT stream, level, place, nodes FROM new.tile",
        "INSERT INTO site SELECT stream, no, name FROM new.site",
        "INSERT INTO site_column SELECT stream, no, site, path, type, position FROM "
        "new.site_column",
        "INSERT INTO wanted VALUES ('政策')",
    };
    char *schema = whole(TJZW_STORE_V1), path[128], sql[256];
    sqlite3 *db;

    tjzw_close(p->t);
    p->t = NULL;
    snprintf(path, sizeof path, "%s-old", p->path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    run_sql(db, schema);
    snprintf(sql, sizeof sql,
             "PRAGMA user_version=1; PRAGMA application_id=%d; ATTACH '%s' AS new", 0x746a7a77,
             p->path);
    run_sql(db, sql);
    for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++)
        run_sql(db, copies[i]);
    sqlite3_close(db);
    free(schema);
    assert_int_equal(rename(path, p->path), 0);
}

static void a_store_of_version_1_migrates_and_syncs(void **state)
{
    struct phone_seen s = { 0 };
    struct phone p;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    to_version_1(&p);
    phone_reopen(&p);
    phone_check(&p);
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .most = 500 }, phone_see, &s, &p.e));
    assert_int_equal(s.n, 75); /* what the user wanted to see is remembered */
    fake_edit(p.server, 3, "改了", "{}");
    fake_publish(p.server, "新的", "{}");
    fake_head(p.server);
    phone_sync(&p);
    assert_int_equal(p.last.records, 2);
    assert_false(p.last.repaired);
    assert_false(p.last.first_use);
    phone_check(&p);
    phone_end(&p);
}

/* ---- no room ---- */

static void a_full_disk_harms_nothing_that_is_held(void **state)
{
    char sql[64];
    struct phone p;
    unsigned full = 0;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    for (unsigned i = 0; i < 3000; i++)
        fake_publish(p.server, "很多",
                     "{\"body\":\"占地方的正文，占地方的正文，占地方的正文\"}");
    fake_head(p.server);
    for (unsigned pages = 60; pages < 600; pages += 20) {
        snprintf(sql, sizeof sql, "PRAGMA max_page_count=%u", pages);
        run_sql(p.t->db, sql);
        if (tjzw_sync(p.t, NULL, NULL, &p.e)) {
            assert_int_equal(p.e.code, TJZW_FULL);
            full++;
        }
        phone_check(&p);
    }
    assert_true(full >= 3);
    run_sql(p.t->db, "PRAGMA max_page_count=1000000");
    phone_sync(&p);
    phone_check(&p);
    phone_end(&p);
}

/* ---- no power ---- */

static bool stop_at_applying(void *ctx, const struct tjzw_progress *now)
{
    (void)ctx;
    return now->phase == TJZW_APPLYING;
}

/* Bodies are not synced to the disk as they come: the battery may leave files of the right length, without their bytes. */
static void bodies_that_lost_their_bytes_are_fetched_again(void **state)
{
    struct tjzw_sync_options options = { .progress = stop_at_applying };
    struct phone p;
    char wipe[512];

    (void)state;
    phone_start(&p);
    assert_int_equal(tjzw_sync(p.t, &options, NULL, &p.e), TJZW_STOPPED);
    snprintf(
        wipe, sizeof wipe,
        "set -e; cd %s-parts/main; for f in *; do case $f in *.is) ;; *) s=$(stat -c %%s $f); "
        "truncate -s 0 $f; truncate -s $s $f; test $s -gt 0;; esac; done",
        p.path);
    assert_int_equal(system(wipe), 0);
    phone_sync(&p);
    phone_check(&p);
    phone_end(&p);
}

/* ---- clocks ---- */

static int64_t the_time;

static int64_t its_clock(void)
{
    return the_time;
}

static void a_slow_clock_makes_nothing_fresh_and_a_fast_one_harms_nothing(void **state)
{
    struct tjzw_status s;
    int64_t signed_at;
    struct phone p;

    (void)state;
    phone_start(&p);
    p.t->clock = its_clock;
    the_time = 0; /* 1970 */
    phone_sync(&p);
    OK(&p, tjzw_status(p.t, NULL, &s, &p.e));
    signed_at = s.signed_at;
    assert_true(s.fresh_for > 0); /* the signed time is the clock */
    the_time = signed_at + 10 * 365 * 86400LL;
    OK(&p, tjzw_status(p.t, NULL, &s, &p.e));
    assert_int_equal(s.fresh_for, 0);
    assert_true(s.behind > 9 * 365 * 86400ULL);
    phone_sync(&p);
    phone_check(&p);
    phone_end(&p);
}

static void the_newest_signed_time_of_any_stream_bounds_a_slow_clock(void **state)
{
    struct tjzw_status s;
    struct phone p;
    uint32_t fresh;

    (void)state;
    phone_start(&p);
    phone_sync(&p);
    p.t->clock = its_clock;
    the_time = 0;
    OK(&p, tjzw_status(p.t, NULL, &s, &p.e));
    fresh = s.fresh_for;
    /* another stream, whose head was signed a while later: only its time is looked at here */
    phone_tamper(&p,
                 "INSERT INTO stream (no, name, url) VALUES (99, 'later', 'https://x');"
                 "INSERT INTO value SELECT 99, 0, CAST(replace(replace(CAST(bytes AS TEXT), "
                 "'stream main', 'stream later'), substr(CAST(bytes AS TEXT), "
                 "instr(bytes, CAST('time ' AS BLOB)), 15), 'time 9000000000') AS BLOB) "
                 "FROM value WHERE which = 0 AND stream = 1");
    OK(&p, tjzw_status(p.t, NULL, &s, &p.e));
    assert_true(fresh > 0);
    assert_int_equal(s.fresh_for, 0);
    phone_end(&p);
}

static void the_background_asks_nothing_before_its_time(void **state)
{
    struct tjzw_sync_result r;
    struct phone p;

    (void)state;
    phone_start(&p);
    p.t->clock = its_clock;
    the_time = 2000000000;
    OK(&p, tjzw_background(p.t, 10, &r, &p.e));
    assert_true(r.changed);
    assert_false(r.skipped);
    OK(&p, tjzw_background(p.t, 10, &r, &p.e));
    assert_true(r.skipped);
    assert_int_equal(r.requests, 0);
    assert_true(r.wait > 0);
    the_time += r.wait - 1;
    OK(&p, tjzw_background(p.t, 10, &r, &p.e));
    assert_true(r.skipped);
    the_time++;
    OK(&p, tjzw_background(p.t, 10, &r, &p.e));
    assert_false(r.skipped);
    the_time -= 100000000; /* set back by years: that is no reason to wait for years */
    OK(&p, tjzw_background(p.t, 10, &r, &p.e));
    assert_false(r.skipped);
    phone_end(&p);
}

static void failures_make_the_background_wait_longer(void **state)
{
    int64_t before = 0;
    struct phone p;

    (void)state;
    phone_start(&p);
    p.t->clock = its_clock;
    the_time = 2000000000;
    phone_sync(&p);
    phone_refuses = "/v1/";
    for (unsigned i = 0; i < 10; i++) {
        struct tjzw_status s;
        int64_t wait;

        OK(&p, tjzw_status(p.t, NULL, &s, &p.e));
        wait = s.due - the_time;
        assert_true(wait <= 3600);
        if (i > 1)
            assert_true(wait * 2 >= before); /* doubling, spread by half */
        before = wait > before ? wait : before;
        the_time += wait;
        assert_int_equal(tjzw_background(p.t, 10, NULL, &p.e), TJZW_NET);
    }
    assert_true(before >= 1800);
    phone_refuses = NULL;
    the_time += 3600;
    OK(&p, tjzw_background(p.t, 10, NULL, &p.e));
    phone_check(&p);
    phone_end(&p);
}

/* ---- what was withdrawn ---- */

static bool stands_in(const char *store, const char *suffix, const char *text)
{
    static char bytes[4 << 20];
    char path[128];
    size_t n = 0;
    FILE *in;

    snprintf(path, sizeof path, "%s%s", store, suffix);
    if ((in = fopen(path, "r"))) {
        n = fread(bytes, 1, sizeof bytes, in);
        fclose(in);
    }
    assert_true(n < sizeof bytes);
    return memmem(bytes, n, text, strlen(text)) != NULL;
}

static bool is_on_the_disk(const struct phone *p, const char *text)
{
    return stands_in(p->path, "", text) || stands_in(p->path, "-wal", text);
}

static bool one_is_enough(void *ctx, const char *stream, const struct tjzw_sync_result *result,
                          enum tjzw_code code, const struct tjzw_error *e)
{
    (void)ctx, (void)stream, (void)result, (void)code, (void)e;
    return true;
}

static void hear_by_sync(struct phone *p)
{
    phone_sync(p);
}

static void hear_by_background(struct phone *p)
{
    the_time += 100000;
    OK(p, tjzw_background(p->t, 10, NULL, &p->e));
}

static void hear_by_listening(struct phone *p)
{
    OK(p, tjzw_listen(p->t, &(struct tjzw_listen_options){ .synced = one_is_enough }, &p->e));
}

/* Also while another process has the store open, whose end does not tidy up for us. */
static void what_was_withdrawn_is_in_no_file_whoever_heard_of_it(void **state)
{
    static void (*const ways[])(struct phone *) = { hear_by_sync, hear_by_background,
                                                    hear_by_listening };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct tjzw *other;
        struct phone p;

        phone_start(&p);
        p.t->clock = its_clock;
        the_time = 2000000000;
        OK(&p, tjzw_open(p.path, &other, &p.e));
        phone_sync(&p);
        assert_true(is_on_the_disk(&p, "正文77，"));
        fake_withdraw(p.server, 77);
        fake_head(p.server);
        ways[i](&p);
        assert_false(is_on_the_disk(&p, "正文77，"));
        tjzw_close(other);
        phone_end(&p);
    }
}

/* ---- blobs ---- */

struct blobs {
    struct phone *p;
    bool lies;
    bool refuses; /* with a body that has no end */
    unsigned asked;
    size_t said; /* bytes of refusals */
};

enum { BLOB = 1000, ENDLESS = 4 << 20 };

/* Three of them: 1,000 times 'a', 'b', 'c'. */
static void blob_name(char letter, char out[65])
{
    uint8_t bytes[BLOB], hash[WIRE_HASH];

    memset(bytes, letter, BLOB);
    verify_sha256(bytes, BLOB, hash);
    wire_hex(hash, WIRE_HASH, out);
}

static void get_blob(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                     void *stop_ctx)
{
    struct blobs *b = ctx;
    const char *path = strstr(requests[0].url, "/v1/blobs/");
    char name[65], bytes[BLOB];

    if (!path) {
        phone_carry(&b->p->net, requests, n, stop, stop_ctx);
        return;
    }
    b->asked++;
    if (b->refuses) {
        memset(bytes, ' ', BLOB);
        requests[0].on_status(&requests[0], 500);
        while (b->said < ENDLESS && !requests[0].on_body(&requests[0], bytes, BLOB))
            b->said += BLOB;
        return;
    }
    for (char letter = 'a'; letter <= 'c'; letter++) {
        blob_name(letter, name);
        if (strcmp(path + 10, name) != 0)
            continue;
        memset(bytes, b->lies ? 'z' : letter, BLOB);
        requests[0].on_status(&requests[0], 200);
        requests[0].whole = !requests[0].on_body(&requests[0], bytes, BLOB);
    }
}

static void blobs_start(struct phone *p, struct blobs *b)
{
    char body[300], name[65];

    phone_start(p);
    *b = (struct blobs){ .p = p };
    for (char letter = 'a'; letter <= 'c'; letter++) {
        blob_name(letter, name);
        snprintf(body, sizeof body, "{\"image\":\"%s\"}", name);
        fake_publish(p->server, "有题图", body);
    }
    fake_head(p->server);
    phone_sync(p);
    tjzw_set_transport(p->t, &(struct tjzw_transport){ b, get_blob });
}

static enum tjzw_code blob(struct phone *p, char letter, bool offline, uint64_t most)
{
    struct tjzw_blob_options o = { .offline = offline, .most = most };
    struct tjzw_blob out;
    char name[65];

    blob_name(letter, name);
    return tjzw_blob(p->t, name, &o, &out, &p->e);
}

static void a_blob_with_other_bytes_is_never_handed_out(void **state)
{
    struct blobs b;
    struct phone p;

    (void)state;
    blobs_start(&p, &b);
    b.lies = true;
    assert_int_equal(blob(&p, 'a', false, 0), TJZW_MISMATCH);
    assert_int_equal(b.asked, 2); /* once more, past the caches */
    assert_int_equal(blob(&p, 'a', true, 0), TJZW_NOT_FOUND);
    b.lies = false;
    assert_int_equal(blob(&p, 'a', false, 0), TJZW_OK);
    assert_int_equal(blob(&p, 'a', true, 0), TJZW_OK);
    assert_int_equal(blob(&p, 'b', false, BLOB - 1), TJZW_INVALID); /* more than may be held */
    assert_int_equal(tjzw_blob(p.t, "abc", NULL, &(struct tjzw_blob){ 0 }, &p.e), TJZW_USAGE);
    phone_end(&p);
}

static void a_refusal_without_an_end_is_not_listened_to(void **state)
{
    struct blobs b;
    struct phone p;

    (void)state;
    blobs_start(&p, &b);
    b.refuses = true;
    assert_int_equal(blob(&p, 'a', false, 0), TJZW_NET);
    assert_true(b.said < ENDLESS / 4);
    phone_end(&p);
}

static void the_least_recently_asked_for_goes(void **state)
{
    struct blobs b;
    struct phone p;

    (void)state;
    blobs_start(&p, &b);
    assert_int_equal(blob(&p, 'a', false, 2 * BLOB), TJZW_OK);
    usleep(20000);
    assert_int_equal(blob(&p, 'b', false, 2 * BLOB), TJZW_OK);
    usleep(20000);
    assert_int_equal(blob(&p, 'a', false, 2 * BLOB), TJZW_OK); /* asked for again */
    usleep(20000);
    assert_int_equal(blob(&p, 'c', false, 2 * BLOB), TJZW_OK);
    assert_int_equal(blob(&p, 'a', true, 0), TJZW_OK);
    assert_int_equal(blob(&p, 'b', true, 0), TJZW_NOT_FOUND);
    assert_int_equal(blob(&p, 'c', true, 0), TJZW_OK);
    phone_end(&p);
}

static void a_blob_stays_while_any_item_names_it(void **state)
{
    char body[300], name[65];
    struct blobs b;
    struct phone p;

    (void)state;
    blobs_start(&p, &b);
    assert_int_equal(blob(&p, 'a', false, 0), TJZW_OK);
    blob_name('a', name);
    snprintf(body, sizeof body, "{\"attachments\":[{\"hash\":\"%s\"}]}", name);
    fake_edit(p.server, 5, "也有它", body);
    fake_withdraw(p.server, 150);
    fake_head(p.server);
    phone_sync(&p);
    assert_int_equal(blob(&p, 'a', true, 0), TJZW_OK);
    fake_withdraw(p.server, 5);
    fake_head(p.server);
    phone_sync(&p);
    assert_int_equal(blob(&p, 'a', true, 0), TJZW_NOT_FOUND);
    assert_int_equal(b.asked, 1);
    phone_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_of_version_1_migrates_and_syncs),
        cmocka_unit_test(bodies_that_lost_their_bytes_are_fetched_again),
        cmocka_unit_test(a_full_disk_harms_nothing_that_is_held),
        cmocka_unit_test(a_slow_clock_makes_nothing_fresh_and_a_fast_one_harms_nothing),
        cmocka_unit_test(the_newest_signed_time_of_any_stream_bounds_a_slow_clock),
        cmocka_unit_test(the_background_asks_nothing_before_its_time),
        cmocka_unit_test(failures_make_the_background_wait_longer),
        cmocka_unit_test(what_was_withdrawn_is_in_no_file_whoever_heard_of_it),
        cmocka_unit_test(a_blob_with_other_bytes_is_never_handed_out),
        cmocka_unit_test(a_refusal_without_an_end_is_not_listened_to),
        cmocka_unit_test(the_least_recently_asked_for_goes),
        cmocka_unit_test(a_blob_stays_while_any_item_names_it),
    };

    return cmocka_run_group_tests_name("tjzw_store", tests, NULL, NULL);
}
