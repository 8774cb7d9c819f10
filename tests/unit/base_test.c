/*
 * base_test.c - the bottom layer: time, names, JSON, settings, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/pool.h"
#include "server/base/secret.h"

static int64_t parsed(const char *text)
{
    int64_t t = -1;

    return clock_parse(text, strlen(text), &t) ? -1 : t;
}

static void dates_are_read_strictly(void **state)
{
    (void)state;
    assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed("1970-01-01T08:00:00"), 0);
    assert_int_equal(parsed("2026-11-21"), 1795190400);
    assert_int_equal(parsed("2026-11-21 10:30"), 1795190400 + 10 * 3600 + 1800);
    assert_int_equal(parsed("2024-02-29"), parsed("2024-02-28") + 86400);
    assert_int_equal(parsed("2026-11-21T10:00:00-05:30"), parsed("2026-11-21T15:30:00Z"));
    const char *bad[] = { "",
                          "2026",
                          "2025-02-29",
                          "2026-13-01",
                          "2026-00-10",
                          "2026-01-32",
                          "1899-12-31",
                          "2201-01-01",
                          "2026-1-1",
                          "2026/01/01",
                          "2026-01-01x",
                          "2026-01-01T24:00",
                          "2026-01-01T",
                          "2026-01-01T1:00",
                          "2026-01-01T10:00:60",
                          "2026-01-01 10:00+8",
                          "0x26-01-01" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parsed(bad[i]), -1);
}

static void dates_are_printed_in_beijing(void **state)
{
    char out[CLOCK_TEXT];

    (void)state;
    assert_string_equal(clock_text(0, out), "1970-01-01T08:00:00+08:00");
    assert_string_equal(clock_minute(1795190400, out), "2026-11-21 00:00");
    assert_string_equal(clock_day(1795190400 - 1, out), "2026-11-20");
    assert_string_equal(clock_text(4102444800, out), "2100-01-01T08:00:00+08:00");
}

static void ids_have_one_form_and_sort_by_time(void **state)
{
    char text[ID_TEXT], again[ID_TEXT];
    struct id a, b, read;

    (void)state;
    clock_set(1000);
    a = id_new();
    clock_set(1001);
    b = id_new();
    clock_unset();
    assert_true(memcmp(a.b, b.b, sizeof a.b) < 0);
    assert_int_equal(strlen(id_text(&a, text)), 36);
    assert_int_equal(text[14], '7');
    assert_true(id_parse(text, 36, &read));
    assert_string_equal(id_text(&read, again), text);
    text[0] = 'G';
    assert_false(id_parse(text, 36, &read));
    assert_false(id_parse("0190f3c2-0000-7000-8000-00000000000", 35, &read));
    assert_false(id_parse("0190F3C2-0000-7000-8000-000000000000", 36, &read));
    assert_false(id_parse("../../../../etc/passwd/aaaaaaaaaaaaa", 36, &read));
}

static void base64url_is_canonical(void **state)
{
    char text[16];
    uint8_t raw[8];

    (void)state;
    assert_int_equal(b64url_text("\xfb\xff", 2, text, sizeof text), 3);
    assert_string_equal(text, "-_8");
    assert_int_equal(b64url_parse("-_8", 3, raw, sizeof raw), 2);
    assert_int_equal(b64url_parse("-_9", 3, raw, sizeof raw), -1); /* stray bits */
    assert_int_equal(b64url_parse("-_8=", 4, raw, sizeof raw), -1);
    assert_int_equal(b64url_parse("AAAAAAAAAAAAAAAA", 16, raw, sizeof raw), -1);
    assert_int_equal(b64url_parse("AAAAA", 5, raw, sizeof raw), -1);
    assert_int_equal(b64url_parse("AAAAAAAAAAA", 11, raw, sizeof raw), 8);
    assert_int_equal(b64url_parse("", 0, raw, sizeof raw), 0);
    for (int byte = 0; byte < 256; byte++) { /* libsodium takes some above 127 */
        char one[4] = { 'A', (char)byte, 'A', 'A' };
        bool letter = byte < 128 && (isalnum(byte) || byte == '-' || byte == '_');

        assert_int_equal(b64url_parse(one, 4, raw, sizeof raw), letter ? 3 : -1);
    }
}

static void numbers_are_printed(void **state)
{
    struct arena *mem = arena_new();
    struct buf b = BUF_IN(mem);

    (void)state;
    buf_int(&b, 0);
    buf_addc(&b, ' ');
    buf_int(&b, INT64_MIN);
    buf_addc(&b, ' ');
    buf_int(&b, INT64_MAX);
    buf_int(&b, -10);
    assert_string_equal(b.p, "0 -9223372036854775808 9223372036854775807-10");
    arena_free(mem);
}

/* Levels count, and not brackets: neither those side by side nor those in a text. */
static void json_has_32_levels(void **state)
{
    struct arena *mem = arena_new();
    struct buf deep = BUF_IN(mem), wide = BUF_IN(mem);
    struct err e;
    json_t *v;

    (void)state;
    for (int levels = 31; levels <= 33; levels++) {
        deep.n = 0;
        for (int i = 0; i < levels; i++)
            buf_adds(&deep, i % 2 ? "[" : "{\"a\":");
        buf_adds(&deep, levels % 2 ? "1" : "");
        for (int i = levels; i--;)
            buf_adds(&deep, i % 2 ? "]" : "}");
        assert_int_equal(jx_object(&e, mem, deep.p, deep.n, &v),
                         levels <= 32 ? RC_OK : RC_INVALID);
    }
    buf_adds(&wide, "{\"a\":[");
    for (int i = 0; i < 40; i++)
        buf_adds(&wide, "{\"b\":\"\\\"[[{{\"},[],");
    buf_adds(&wide, "1]}");
    assert_int_equal(jx_object(&e, mem, wide.p, wide.n, &v), RC_OK);
    arena_free(mem);
}

static void json_is_read_strictly(void **state)
{
    struct arena *mem = arena_new();
    struct err e = { 0 };
    json_t *v = NULL;
    char deep[200];

    (void)state;
    memset(deep, '[', sizeof deep);
    assert_int_equal(jx_object(&e, mem, deep, sizeof deep, &v), RC_INVALID);
    assert_int_equal(jx_object(&e, mem, "{\"a\":1,\"a\":2}", 13, &v), RC_INVALID);
    assert_int_equal(jx_object(&e, mem, "{\"a\":\"\xc3\x28\"}", 10, &v), RC_INVALID);
    assert_int_equal(jx_object(&e, mem, "{\"a\":\"\\u0000\"}", 14, &v), RC_INVALID);
    assert_int_equal(jx_object(&e, mem, "{} x", 4, &v), RC_INVALID);
    assert_int_equal(jx_object(&e, mem, "[]", 2, &v), RC_INVALID);
    assert_int_equal(jx_object(&e, mem, "{\"a\":[1]}", 9, &v), RC_OK);
    arena_free(mem);
}

static void a_table_names_the_offending_field(void **state)
{
    static const struct jx_field fields[] = { { "name", JX_TEXT, true, 1, 4 },
                                              { "n", JX_INT, false, 0, 9 },
                                              { "tags", JX_TEXTS, false, 0, 2 },
                                              { 0 } };
    static const struct {
        const char *json, *field;
    } bad[] = {
        { "{}", "/name" },
        { "{\"name\":1}", "/name" },
        { "{\"name\":\"\"}", "/name" },
        { "{\"name\":\"一二三四五\"}", "/name" },
        { "{\"name\":\"a\",\"n\":10}", "/n" },
        { "{\"name\":\"a\",\"tags\":[\"a\",1]}", "/tags" },
        { "{\"name\":\"a\",\"tags\":[\"a\",\"b\",\"c\"]}", "/tags" },
        { "{\"name\":\"a\",\"what\":1}", "/what" },
    };
    struct arena *mem = arena_new();
    struct err e = { 0 };
    json_t *v = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(jx_object(&e, mem, bad[i].json, strlen(bad[i].json), &v), RC_OK);
        assert_int_equal(jx_check(&e, v, fields, ""), RC_INVALID);
        assert_string_equal(e.field, bad[i].field);
    }
    assert_int_equal(jx_object(&e, mem, bad[4].json, strlen(bad[4].json), &v), RC_OK);
    assert_int_equal(jx_check(&e, v, fields, ""), RC_INVALID);
    assert_string_equal(e.text, "n should be from 0 to 9");
    assert_int_equal(jx_object(&e, mem, "{\"name\":\"一二三四\",\"n\":9}", 29, &v), RC_OK);
    assert_int_equal(jx_check(&e, v, fields, ""), RC_OK);
    arena_free(mem);
}

static void json_is_written_canonically(void **state)
{
    struct arena *mem = arena_new();
    struct buf out = BUF_IN(mem);
    struct err e = { 0 };
    json_t *v = NULL;
    const char *in =
        "{\"b\":[true,{\"z\":1,\"a\":\"\\u6d25\\n\\u0001\\\"\"}],\"B\":-5,\"a\":\"\"}";

    (void)state;
    assert_int_equal(jx_object(&e, mem, in, strlen(in), &v), RC_OK);
    jx_canonical(&out, v);
    assert_string_equal(
        out.p, "{\"B\":-5,\"a\":\"\",\"b\":[true,{\"a\":\"津\\n\\u0001\\\"\",\"z\":1}]}");
    arena_free(mem);
}

static void text_is_escaped_for_its_place(void **state)
{
    struct buf b = BUF_HEAP;

    (void)state;
    buf_html(&b, "<a b=\"'&\">", 10);
    assert_string_equal(b.p, "&lt;a b=&quot;&#39;&amp;&quot;&gt;");
    buf_done(&b);
    buf_url(&b, "a/津 ", 5);
    assert_string_equal(b.p, "a%2F%E6%B4%A5");
    buf_done(&b);
    buf_base64(&b, "ab", 2);
    assert_string_equal(b.p, "YWI=");
    buf_done(&b);
}

static int freed;

static void note_freed(void *p)
{
    freed = freed * 10 + (int)(intptr_t)p;
}

static void deferred_calls_run_latest_first(void **state)
{
    struct arena *mem = arena_new();

    (void)state;
    freed = 0;
    arena_defer(mem, note_freed, (void *)1);
    arena_defer(mem, note_freed, (void *)2);
    arena_free(mem);
    assert_int_equal(freed, 21);
}

static char *temp_dir(void)
{
    char *dir = strdup("/tmp/tjzw-base-XXXXXX");

    assert_non_null(mkdtemp(dir));
    return dir;
}

static void put_file(const char *dir, const char *name, const char *text, char path[300])
{
    struct err e;

    snprintf(path, 300, "%s/%s", dir, name);
    assert_int_equal(fs_write(&e, path, text, strlen(text), 0600), RC_OK);
}

static void settings_come_from_file_then_environment(void **state)
{
    char *dir = temp_dir(), path[300], secret[300], variable[400];
    struct conf c = { 0 };
    struct err e = { 0 };

    (void)state;
    put_file(dir, "tjzw.conf",
             "# a comment\nworkers: 3\nhead_lease: 2h\nlisten:\n  - http://127.0.0.1:1\n  - "
             "https://[::1]:2\n",
             path);
    put_file(dir, "key", "/from/file.pem\n", secret);
    snprintf(variable, sizeof variable, "TJZW_TLS_KEY_FILE=%s", secret);
    const char *env[] = { "HOME=/", "TJZW_WORKERS=5", "TJZW_CACHE_SIZE=8m", variable, NULL };
    assert_int_equal(conf_load(&e, path, env, &c), RC_OK);
    assert_int_equal(c.workers, 5);
    assert_int_equal(c.head_lease, 7200000);
    assert_int_equal(c.cache_size, 8 << 20);
    assert_int_equal(c.listen.n, 2);
    assert_string_equal(c.listen.v[1], "https://[::1]:2");
    assert_string_equal(c.tls_key, "/from/file.pem");
    assert_int_equal(c.streams.n, 1);
    assert_string_equal(c.streams.v[0], "main");
    conf_done(&c);
    unlink(path);
    unlink(secret);
    rmdir(dir);
    free(dir);
}

static void an_unknown_setting_is_named_with_its_line_and_neighbour(void **state)
{
    static const struct {
        const char *file, *says;
    } bad[] = {
        { "workers: 1\nwrokers: 2\n",
          "line 2: there is no setting \"wrokers\"; did you mean \"workers\"?" },
        { "workers: many\n", "line 1: workers should be a whole number" },
        { "workers: -1\n", "should be a whole number" },
        { "head_lease: 5y\n", "should be a duration" },
        { "cache_size: 99999999999999999999g\n", "should be a size" },
        { "workers: [1\n", "line" },
        { "- a\n", "line 1: lines of the form \"key: value\"" },
        { "queue_max: 0\n", "line 1: queue_max is out of bounds" },
        { "body_max: 99g\n", "body_max is out of bounds" },
        { "public_url: nonsense\n", "line 1: public_url should begin with https://" },
        { "workers: {a: 1}\n", "plain value" },
        { "listen: [a, [b]]\n", "plain values" },
        { "workers: 1\nworkers: 2\n", "line 2: workers was already set" },
        { "log_level: loud\n", "line 1: log_level should be debug, info, warn or error" },
    };
    const char *env[] = { "TJZW_WORKER=1", NULL };
    char *dir = temp_dir(), path[300], variable[400];
    struct conf c = { 0 };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_file(dir, "tjzw.conf", bad[i].file, path);
        assert_int_equal(conf_load(&e, path, NULL, &c), RC_INVALID);
        if (!strstr(e.text, bad[i].says))
            fail_msg("%s", e.text);
    }
    assert_null(c.mem);
    assert_int_equal(conf_load(&e, NULL, env, &c), RC_INVALID);
    assert_non_null(strstr(e.text, "TJZW_WORKER"));
    assert_non_null(strstr(e.text, "did you mean \"workers\""));
    snprintf(variable, sizeof variable, "TJZW_WORKERS_FILE=%s", path);
    const char *twice[] = { "TJZW_WORKERS=1", variable, NULL };
    assert_int_equal(conf_load(&e, NULL, twice, &c), RC_INVALID);
    assert_non_null(strstr(e.text, "workers was already set"));
    const char *missing[] = { "TJZW_TLS_KEY_FILE=/nowhere/key", NULL };
    assert_int_equal(conf_load(&e, NULL, missing, &c), RC_INVALID);
    assert_non_null(strstr(e.text, "TJZW_TLS_KEY_FILE: open /nowhere/key"));
    unlink(path);
    rmdir(dir);
    free(dir);
}

static void printed_settings_are_a_configuration_file(void **state)
{
    char *dir = temp_dir(), path[300];
    struct buf first = BUF_HEAP, second = BUF_HEAP;
    struct conf a = { 0 }, b = { 0 };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(conf_load(&e, NULL, NULL, &a), RC_OK);
    conf_print(&a, &first);
    put_file(dir, "tjzw.conf", first.p, path);
    if (conf_load(&e, path, NULL, &b))
        fail_msg("%s", e.text);
    conf_print(&b, &second);
    assert_string_equal(first.p, second.p);
    conf_done(&a);
    conf_done(&b);
    buf_done(&first);
    buf_done(&second);
    unlink(path);
    rmdir(dir);
    free(dir);
}

static void what_is_secret_in_a_setting_is_not_printed(void **state)
{
    static const struct {
        const char *is, *shown;
    } urls[] = {
        { "https://a.cn:8443/purge", "https://a.cn:8443/purge" },
        { "https://me:secret@a.cn:8443/purge", "https://***@a.cn:8443/purge" },
        { "https://secret@a.cn", "https://***@a.cn" },
        { "https://me:s@cret@[::1]:8443", "https://***@[::1]:8443" },
        { "https://a.cn/@purge?key=secret#a", "https://a.cn/@purge?***" },
        { "https://secret@a.cn?key=secret", "https://***@a.cn?***" },
        { "/var/lib/a?b@c", "/var/lib/a?b@c" },
        { "", "" },
    };
    struct conf c = { 0 };
    struct err e;

    (void)state;
    assert_int_equal(conf_load(&e, NULL, NULL, &c), RC_OK);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct buf all = BUF_HEAP, line = BUF_HEAP;

        c.purge_hook = urls[i].is;
        c.alert_webhook = c.outbound_proxy_secret = "secret";
        c.listen = (struct conf_list){ 1, { urls[i].is } };
        conf_print(&c, &all);
        assert_null(strstr(all.p, "secret\""));
        assert_null(strstr(all.p, "secret@"));
        buf_printf(&line, "\npurge_hook: \"%s\"\n", urls[i].shown);
        if (!strstr(all.p, line.p))
            fail_msg("%s: %s", urls[i].is, all.p);
        buf_done(&line);
        buf_printf(&line, "\nlisten: \n  - \"%s\"\n", urls[i].shown);
        if (!strstr(all.p, line.p))
            fail_msg("%s: %s", urls[i].is, all.p);
        buf_done(&line);
        buf_done(&all);
    }
    conf_done(&c);
}

static void a_secret_is_made_once_and_kept(void **state)
{
    char *dir = temp_dir(), path[300];
    uint8_t a[32], b[32];
    struct err e = { 0 };

    (void)state;
    snprintf(path, sizeof path, "%s/key", dir);
    assert_int_equal(secret_load_or_make(&e, path, a, sizeof a), RC_OK);
    assert_int_equal(secret_load_or_make(&e, path, b, sizeof b), RC_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(secret_load_or_make(&e, path, b, 16), RC_CORRUPT);
    unlink(path);
    rmdir(dir);
    free(dir);
}

struct count_job {
    struct pool_job job;
    atomic_int *done;
};

static void count_up(struct pool_job *job, struct db *db)
{
    (void)db;
    atomic_fetch_add(((struct count_job *)job)->done, 1);
}

static void a_pool_runs_all_it_took_and_refuses_the_rest(void **state)
{
    static struct count_job jobs[100];
    atomic_int done = 0;
    struct pool *p = NULL;
    struct err e = { 0 };
    int taken = 0;

    (void)state;
    assert_int_equal(pool_new(&e, 0, 1, NULL, NULL, &p), RC_INVALID);
    assert_int_equal(pool_new(&e, 2, 50, NULL, NULL, &p), RC_OK);
    for (int i = 0; i < 100; i++) {
        jobs[i] = (struct count_job){ .job.run = count_up, .done = &done };
        taken += pool_submit(p, &jobs[i].job);
    }
    pool_free(p);
    assert_in_range(taken, 50, 100);
    assert_int_equal(done, taken);
}

static atomic_bool pool_held;

static void wait_for_release(struct pool_job *job, struct db *db)
{
    (void)job, (void)db;
    while (pool_held)
        usleep(1000);
}

static void who_ends_a_pool_need_not_wait_for_who_has_no_processor(void **state)
{
    static struct pool_job jobs[2] = { { .run = wait_for_release },
                                       { .run = wait_for_release } },
                           late = { .run = wait_for_release };
    struct pool *p = NULL;
    struct err e = { 0 };

    (void)state;
    assert_true(pool_end(NULL, 0));
    pool_held = true;
    assert_int_equal(pool_new(&e, 1, 50, NULL, NULL, &p), RC_OK);
    for (int i = 0; i < 2; i++)
        assert_true(pool_submit(p, &jobs[i]));
    assert_false(pool_end(p, 50));
    assert_false(pool_submit(p, &late));
    pool_held = false;
    assert_true(pool_end(p, 20000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read_strictly),
        cmocka_unit_test(dates_are_printed_in_beijing),
        cmocka_unit_test(ids_have_one_form_and_sort_by_time),
        cmocka_unit_test(base64url_is_canonical),
        cmocka_unit_test(numbers_are_printed),
        cmocka_unit_test(json_has_32_levels),
        cmocka_unit_test(json_is_read_strictly),
        cmocka_unit_test(a_table_names_the_offending_field),
        cmocka_unit_test(json_is_written_canonically),
        cmocka_unit_test(text_is_escaped_for_its_place),
        cmocka_unit_test(deferred_calls_run_latest_first),
        cmocka_unit_test(settings_come_from_file_then_environment),
        cmocka_unit_test(an_unknown_setting_is_named_with_its_line_and_neighbour),
        cmocka_unit_test(printed_settings_are_a_configuration_file),
        cmocka_unit_test(what_is_secret_in_a_setting_is_not_printed),
        cmocka_unit_test(a_secret_is_made_once_and_kept),
        cmocka_unit_test(a_pool_runs_all_it_took_and_refuses_the_rest),
        cmocka_unit_test(who_ends_a_pool_need_not_wait_for_who_has_no_processor),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
