/* The exchange, sentence by sentence: docs/protocol/state.md sections 2 to 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "api/state.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "tests/lib/phone_state.h"

static struct person citizen(struct world *t)
{
    return person_sign_in(t, SESSION_CITIZEN, 1);
}

#define FAV(item) "\"type\":\"fav\",\"key\":\"" item "\",\"value\":{\"at\":1}"
#define FONT(n)   "\"type\":\"set\",\"key\":\"font\",\"value\":" #n

static void a_phone_that_holds_nothing_gets_all_there_is(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = exchange(t, &p, "{}");

    assert_int_equal(number_of(a, "reset"), true);
    assert_int_equal(number_of(a, "more"), false);
    assert_int_equal(entries_of(a), 0);
    assert_int_equal(number_of(a, "expected"), -1);
    assert_int_equal(number_of(a, "poll"), 300);
    bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    a = exchange(t, &p, "{}");
    assert_string_equal(value_of(t, a, "fav", ITEM_1), "{\"at\":1}");
}

static void what_one_phone_writes_the_other_reads(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = exchange(t, &p, "{\"device\":\"" DEVICE_B "\"}"), *b;

    b = exchange(t, &p,
                 "{\"device\":\"" DEVICE_A "\",\"mutations\":[{\"n\":1," FAV(
                     ITEM_1) "},{\"n\":2," FONT(20) "},{\"n\":3," FAV(ITEM_2) "}]}");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(result_of(t, b, i), "done");
    assert_int_equal(number_of(b, "expected"), 4);
    a = exchange(t, &p, URL("{\"device\":\"" DEVICE_B "\",\"cursor\":\"%s\"}", cursor_of(a)));
    assert_int_equal(number_of(a, "reset"), false);
    assert_int_equal(entries_of(a), 3);
    assert_string_equal(value_of(t, a, "set", "font"), "20");
    bring(t, &p, DEVICE_A, 4, "\"type\":\"fav\",\"key\":\"" ITEM_1 "\"");
    a = exchange(t, &p, URL("{\"device\":\"" DEVICE_B "\",\"cursor\":\"%s\"}", cursor_of(a)));
    assert_int_equal(entries_of(a), 1);
    assert_string_equal(value_of(t, a, "fav", ITEM_1), "null");
}

static void an_exchange_that_was_lost_is_sent_again_and_changes_nothing(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    const char *body = "{\"device\":\"" DEVICE_A "\",\"mutations\":[{\"n\":1," FAV(
        ITEM_1) "},{\"n\":2,\"type\":\"set\",\"key\":\"nonsense\",\"value\":1}]}";
    json_t *first = exchange(t, &p, body), *again;

    for (int i = 0; i < 3; i++) {
        again = exchange(t, &p, body);
        assert_true(
            json_equal(json_object_get(first, "results"), json_object_get(again, "results")));
        assert_true(
            json_equal(json_object_get(first, "entries"), json_object_get(again, "entries")));
        assert_int_equal(number_of(again, "expected"), 3);
    }
}

static void the_next_is_taken_also_behind_what_is_known(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a;

    bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    a = exchange(t, &p,
                 "{\"device\":\"" DEVICE_A
                 "\",\"mutations\":[{\"n\":1," FAV(ITEM_1) "},{\"n\":2," FONT(20) "}]}");
    assert_string_equal(result_of(t, a, 0), "done");
    assert_string_equal(result_of(t, a, 1), "done");
    assert_int_equal(number_of(a, "expected"), 3);
}

static void of_a_gap_nothing_is_taken(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a =
        exchange(t, &p,
                 "{\"device\":\"" DEVICE_A
                 "\",\"mutations\":[{\"n\":5," FAV(ITEM_1) "},{\"n\":6," FONT(20) "}]}");

    assert_string_equal(result_of(t, a, 0), "");
    assert_int_equal(number_of(a, "expected"), 1);
    assert_int_equal(entries_of(a), 0);
}

static void what_was_acknowledged_is_known_and_nothing_else_is_said(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a;

    bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    exchange(t, &p,
             "{\"device\":\"" DEVICE_A
             "\",\"acked\":1,\"mutations\":[{\"n\":2," FONT(20) "}]}");
    a = exchange(t, &p,
                 "{\"device\":\"" DEVICE_A "\",\"acked\":1,\"mutations\":[{\"n\":1," FAV(
                     ITEM_1) "},{\"n\":2," FONT(20) "}]}");
    assert_string_equal(result_of(t, a, 0), "known");
    assert_string_equal(result_of(t, a, 1), "done");
}

static void the_same_number_with_other_content_is_refused_acknowledged_or_not(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);

    bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, 1, FAV(ITEM_2)), 0),
                        "refused:other_content");
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, 1, FAV(ITEM_1) ",\"if\":0"), 0),
                        "refused:other_content");
    exchange(t, &p,
             "{\"device\":\"" DEVICE_A
             "\",\"acked\":1,\"mutations\":[{\"n\":2," FONT(20) "}]}");
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, 1, FAV(ITEM_2)), 0),
                        "refused:other_content");
    assert_string_equal(value_of(t, exchange(t, &p, "{}"), "fav", ITEM_2), "");
}

static void two_phones_with_one_device_lose_nothing(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a;

    bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    a = exchange(t, &p,
                 "{\"device\":\"" DEVICE_A
                 "\",\"mutations\":[{\"n\":1," FAV(ITEM_2) "},{\"n\":2," FONT(20) "}]}");
    assert_string_equal(result_of(t, a, 0),
                        "refused:other_content"); /* under a new device it will be sent again */
    assert_string_equal(result_of(t, a, 1), "done");
    a = bring(t, &p, DEVICE_B, 1, FAV(ITEM_2));
    assert_string_equal(result_of(t, a, 0), "done");
}

static void a_refused_one_holds_up_nothing(void **state)
{
    static const struct {
        const char *mutation, *result;
    } cases[] = {
        { "\"type\":\"nonsense\",\"key\":\"1\",\"value\":1", "refused:type" },
        { "\"type\":\"letter\",\"key\":\"0190b1c2-0000-7000-8000-000000000001\",\"value\":1",
          "refused:type" },
        { "\"type\":\"letter.none\",\"key\":\"1\"", "refused:type" },
        { "\"type\":\"fav\",\"key\":\"main/1\",\"value\":{\"at\":1}", "refused:key" },
        { "\"type\":\"fav\",\"key\":\"\",\"value\":{\"at\":1}", "refused:key" },
        { "\"type\":\"fav\",\"key\":\"" ITEM_1 "\",\"value\":{\"at\":-1}", "refused:value" },
        { "\"type\":\"fav\",\"key\":\"" ITEM_1 "\",\"value\":{\"at\":1.5}", "refused:value" },
        { "\"type\":\"fav\",\"key\":\"" ITEM_1 "\",\"value\":{\"at\":null}", "refused:value" },
        { "\"type\":\"fav\",\"key\":\"" ITEM_1 "\",\"value\":{\"at\":1,\"more\":2}",
          "refused:value" },
        { "\"type\":\"read\",\"key\":\"main/1\",\"value\":\"4096\"", "refused:value" },
        { "\"type\":\"read\",\"key\":\"main/1\",\"value\":\"5-3\"", "refused:value" },
        { "\"type\":\"read\",\"key\":\"main/1\",\"value\":\"\"", "refused:value" },
        { "\"type\":\"place\",\"key\":\"" ITEM_1 "\",\"value\":1001", "refused:value" },
        { "\"type\":\"set\",\"key\":\"font\",\"value\":21", "refused:value" },
        { "\"type\":\"set\",\"key\":\"quiet\",\"value\":\"25:00-07:00\"", "refused:value" },
        { "\"type\":\"vote\",\"key\":\"" ITEM_1 "\",\"value\":0", "refused:value" },
        { "\"type\":\"message.drop\",\"key\":\"x\"", "refused:key" },
        { "\"type\":\"message.drop\",\"key\":\"1\",\"value\":1", "refused:value" },
    };
    struct world *t = *state;
    struct person p = citizen(t);
    int64_t n = 0;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = result_of(t, bring(t, &p, DEVICE_A, ++n, cases[i].mutation), 0);

        if (strcmp(got, cases[i].result) != 0)
            fail_msg("%s: %s, not %s", cases[i].mutation, got, cases[i].result);
    }
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, ++n, FAV(ITEM_1)), 0), "done");
}

static void clocks_of_phones_decide_nothing(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);

    bring(t, &p, DEVICE_A, 1,
          "\"type\":\"fav\",\"key\":\"" ITEM_1 "\",\"value\":{\"at\":4102444800}"); /* 2100 */
    bring(t, &p, DEVICE_B, 1,
          "\"type\":\"fav\",\"key\":\"" ITEM_1 "\",\"value\":{\"at\":0}"); /* 1970 */
    assert_string_equal(value_of(t, exchange(t, &p, "{}"), "fav", ITEM_1), "{\"at\":0}");
}

static void if_refuses_what_stands_elsewhere_now(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    int64_t n = 0;

    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, ++n, FONT(20) ",\"if\":0"), 0),
                        "done");
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, ++n, FONT(24) ",\"if\":0"), 0),
                        "refused:conflict");
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, ++n, FONT(24) ",\"if\":1"), 0),
                        "done");
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, ++n, FONT(28) ",\"if\":1"), 0),
                        "refused:conflict");
    assert_string_equal(
        result_of(t, bring(t, &p, DEVICE_A, ++n, "\"type\":\"set\",\"key\":\"font\""), 0),
        "done");
    assert_string_equal(result_of(t, bring(t, &p, DEVICE_A, ++n, FONT(28) ",\"if\":0"), 0),
                        "done");
}

static void nothing_but_entries_moves_the_cursor(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = exchange(t, &p, "{}");
    const char *cursor = cursor_of(a);

    bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    bring(t, &p, DEVICE_A, 2, FAV(ITEM_2));
    a = exchange(t, &p,
                 URL("{\"cursor\":\"%s\",\"device\":\"" DEVICE_A
                     "\",\"most\":1,\"mutations\":[{\"n\":3," FONT(20) "}]}",
                     cursor));
    assert_int_equal(entries_of(a), 1);
    assert_string_equal(value_of(t, a, "fav", ITEM_1), "{\"at\":1}");
    assert_int_equal(number_of(a, "more"), true);
    a = exchange(t, &p, URL("{\"cursor\":\"%s\",\"most\":1}", cursor_of(a)));
    assert_string_equal(value_of(t, a, "fav", ITEM_2), "{\"at\":1}");
    assert_int_equal(number_of(a, "more"), true);
    a = exchange(t, &p, URL("{\"cursor\":\"%s\",\"most\":1}", cursor_of(a)));
    assert_string_equal(value_of(t, a, "set", "font"), "20");
    assert_int_equal(number_of(a, "more"), false);
}

static void one_citizen_sees_nothing_of_another(void **state)
{
    struct world *t = *state;
    struct person li = citizen(t), han = citizen(t);
    json_t *a;

    bring(t, &li, DEVICE_A, 1, FAV(ITEM_1));
    bring(t, &han, DEVICE_A, 1, FAV(ITEM_2)); /* the same device is another one */
    a = exchange(t, &han, "{}");
    assert_int_equal(entries_of(a), 1);
    assert_string_equal(value_of(t, a, "fav", ITEM_2), "{\"at\":1}");
}

static void a_request_that_is_no_request_is_refused_whole(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{\"nonsense\":1}",
        "{\"cursor\":\"x\"}",
        "{\"cursor\":\"1\"}",
        "{\"cursor\":\"1.2.3.4\"}",
        "{\"cursor\":\"01.2\"}",
        "{\"device\":\"short\"}",
        "{\"device\":\"AAAAAAAAAAAAAAAAAAAAA!\"}",
        "{\"device\":\"AAAAAAAAAAAAAAAAAAAAAB\"}",
        "{\"most\":0}",
        "{\"most\":1001}",
        "{\"acked\":-1}",
        "{\"acked\":1}",
        "{\"mutations\":[{\"n\":1," FONT(20) "}]}",
        "{\"device\":\"" DEVICE_A "\",\"mutations\":[{" FONT(20) "}]}",
        "{\"device\":\"" DEVICE_A "\",\"mutations\":[{\"n\":0," FONT(20) "}]}",
        "{\"device\":\"" DEVICE_A "\",\"mutations\":[{\"n\":1," FONT(20) ",\"more\":1}]}",
        "{\"device\":\"" DEVICE_A
        "\",\"mutations\":[{\"n\":1," FONT(20) "},{\"n\":3," FONT(20) "}]}",
        "{\"device\":\"" DEVICE_A
        "\",\"mutations\":[{\"n\":2," FONT(20) "},{\"n\":1," FONT(20) "}]}",
        "{\"device\":\"" DEVICE_A
        "\",\"mutations\":[{\"n\":99999999999999999999," FONT(20) "}]}",
    };
    struct world *t = *state;
    struct person p = citizen(t);

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct answer a = person_ask(t, &p, POST, "/v1/me/sync", bodies[i]);

        if (a.status != 400)
            fail_msg("%s answers %d", bodies[i], a.status);
    }
    assert_int_equal(ask(t, POST, "/v1/me/sync", &(struct ask){ .body = "{}" }).status, 401);
    assert_int_equal(entries_of(exchange(t, &p, "{}")), 0);
}

/* ---- packed, and large ---- */

static struct answer send_packed(struct world *t, const struct person *p, const char *coding,
                                 const void *body, size_t n)
{
    return ask(t, POST, "/v1/me/sync",
               &(struct ask){ .headers = URL("%scontent-encoding: %s\n", p->header, coding),
                              .body = body,
                              .body_len = n });
}

static size_t gzip(const void *p, size_t n, void *out, size_t room)
{
    z_stream z = { .next_in = (void *)(uintptr_t)p,
                   .avail_in = (unsigned)n,
                   .next_out = out,
                   .avail_out = (unsigned)room };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void a_body_may_come_packed(void **state)
{
    static const char body[] =
        "{\"device\":\"" DEVICE_A "\",\"mutations\":[{\"n\":1," FAV(ITEM_1) "}]}";
    struct world *t = *state;
    struct person p = citizen(t);
    char packed[1000];
    size_t n = gzip(body, strlen(body), packed, sizeof packed);

    assert_int_equal(send_packed(t, &p, "gzip", packed, n).status, 200);
    assert_int_equal(send_packed(t, &p, "gzip", packed, n - 1).status, 400);
    packed[n] = 0;
    assert_int_equal(send_packed(t, &p, "gzip", packed, n + 1).status, 400);
    n = ZSTD_compress(packed, sizeof packed, body, strlen(body), 9);
    assert_int_equal(send_packed(t, &p, "ZSTD", packed, n).status, 200);
    assert_int_equal(send_packed(t, &p, "zstd", packed, n - 1).status, 400);
    assert_int_equal(send_packed(t, &p, "gzip", packed, n).status, 400);
    assert_int_equal(send_packed(t, &p, "br", packed, n).status, 400);
    assert_int_equal(entries_of(exchange(t, &p, "{}")), 1);
}

/* From here on the peak is that of what comes; making a bomb takes more than a server may. */
static void forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");

    assert_non_null(f);
    assert_true(fputs("5", f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int64_t peak(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    int64_t kb = 0;
    char line[256];

    assert_non_null(f);
    while (!kb && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6))
            kb = strtoll(line + 6, NULL, 10);
    fclose(f);
    assert_true(kb > 0);
    return kb * 1024;
}

/* Refused, and nothing like its 64 MB was ever held for it. */
static void assert_bomb(struct world *t, const struct person *p, const char *coding,
                        const void *body, size_t n)
{
    enum { ROOM = 16 << 20 };
    int64_t before;
    int status;

    forget_peak();
    before = peak();
    status = send_packed(t, p, coding, body, n).status;
    assert_true(peak() - before < ROOM); /* or less than before: what others gave back */
    assert_true(status == 413 || status == 400);
}

static void a_bomb_is_never_unpacked(void **state)
{
    enum { LARGE = 64 << 20 };
    struct world *t = *state;
    struct person p = citizen(t);
    char *zeros = calloc(1, LARGE), *packed = malloc(STATE_BODY_MAX);
    size_t n;

    memset(zeros, ' ', LARGE);
    n = gzip(zeros, LARGE, packed, STATE_BODY_MAX);
    assert_bomb(t, &p, "gzip", packed, n);
    assert_int_equal(send_packed(t, &p, "gzip", packed, n).status, 413);
    n = ZSTD_compress(packed, STATE_BODY_MAX, zeros, LARGE, 19);
    assert_false(ZSTD_isError(n));
    assert_bomb(t, &p, "zstd", packed, n); /* a window of 8 MB, or its size: 413 or 400 */
    n = ZSTD_compress(packed, STATE_BODY_MAX, zeros, LARGE, 3);
    assert_false(ZSTD_isError(n));
    assert_bomb(t, &p, "zstd", packed, n);
    n = ZSTD_compress(packed, STATE_BODY_MAX, zeros, (1 << 20) + 1, 3);
    assert_int_equal(send_packed(t, &p, "zstd", packed, n).status, 413);
    memcpy(zeros, "{}", 2);
    n = ZSTD_compress(packed, STATE_BODY_MAX, zeros, 1 << 20, 3);
    assert_int_equal(send_packed(t, &p, "zstd", packed, n).status, 200);
    assert_int_equal(
        ask(t, POST, "/v1/me/sync",
            &(struct ask){ .headers = p.header, .body = zeros, .body_len = 10 << 20 })
            .status,
        413);
    free(zeros);
    free(packed);
}

static void a_request_takes_five_hundred(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    struct buf b = BUF_IN(world_mem(t));
    json_t *a;

    buf_adds(&b, "{\"device\":\"" DEVICE_A "\",\"mutations\":[");
    for (int i = 1; i <= 500; i++)
        buf_printf(&b,
                   "%s{\"n\":%d,\"type\":\"fav\",\"key\":\"main/"
                   "0190b1c2-0000-7000-8000-%012d\",\"value\":{\"at\":%d}}",
                   i > 1 ? "," : "", i, i, i);
    a = exchange(t, &p, URL("%s]}", b.p));
    assert_int_equal(number_of(a, "expected"), 501);
    assert_string_equal(result_of(t, a, 499), "done");
    assert_int_equal(
        person_ask(t, &p, POST, "/v1/me/sync", URL("%s,{\"n\":501," FONT(20) "}]}", b.p))
            .status,
        400);
}

static void who_never_acknowledges_is_taken_no_more(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = NULL;

    for (int k = 0; k < 5; k++) {
        struct buf b = BUF_IN(world_mem(t));

        for (int i = 1; i <= 500; i++)
            buf_printf(&b, "%s{\"n\":%d," FONT(20) "}", i > 1 ? "," : "", k * 500 + i);
        a = exchange(t, &p, URL("{\"device\":\"" DEVICE_A "\",\"mutations\":[%s]}", b.p));
    }
    assert_string_equal(result_of(t, a, 0), "");
    assert_int_equal(number_of(a, "expected"), 2001);
    a = exchange(t, &p,
                 URL("{\"acked\":2000,\"device\":\"" DEVICE_A
                     "\",\"mutations\":[{\"n\":2001," FONT(24) "}]}"));
    assert_string_equal(result_of(t, a, 0), "done");
}

/* ---- what needs no writer ---- */

static int64_t writes(void)
{
    return metric_get(METRIC_writes);
}

static void who_asks_in_vain_never_reaches_the_writer(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = bring(t, &p, DEVICE_A, 1, FAV(ITEM_1)), *b;
    int64_t before = writes();

    for (int i = 0; i < 5; i++) {
        b = exchange(
            t, &p,
            URL("{\"acked\":1,\"cursor\":\"%s\",\"device\":\"" DEVICE_A "\"}", cursor_of(a)));
        assert_int_equal(number_of(b, "expected"), 2);
        assert_string_equal(cursor_of(b), cursor_of(a));
        assert_int_equal(entries_of(b), 0);
        exchange(t, &p, "{}");
    }
    assert_int_equal(writes(), before);
}

/* Lines of what was logged so far. */
static int lines_in(int log)
{
    char text[4096];
    ssize_t n = pread(log, text, sizeof text, 0);
    int lines = 0;

    for (ssize_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

static void who_asks_in_vain_stands_in_no_log(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    int log = memfd_create("log", MFD_CLOEXEC);

    log_set_fd(log);
    exchange(t, &p, "{}");
    for (int i = 0; i < 3; i++) /* from the database, then from memory */
        exchange(
            t, &p,
            URL("{\"acked\":1,\"cursor\":\"%s\",\"device\":\"" DEVICE_A "\"}", cursor_of(a)));
    assert_int_equal(lines_in(log), 0);
    bring(t, &p, DEVICE_A, 2, FAV(ITEM_2));
    assert_int_equal(lines_in(log), 1);
    log_set_fd(-1);
    close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_phone_that_holds_nothing_gets_all_there_is),
        TEST(what_one_phone_writes_the_other_reads),
        TEST(an_exchange_that_was_lost_is_sent_again_and_changes_nothing),
        TEST(the_next_is_taken_also_behind_what_is_known),
        TEST(of_a_gap_nothing_is_taken),
        TEST(what_was_acknowledged_is_known_and_nothing_else_is_said),
        TEST(the_same_number_with_other_content_is_refused_acknowledged_or_not),
        TEST(two_phones_with_one_device_lose_nothing),
        TEST(a_refused_one_holds_up_nothing),
        TEST(clocks_of_phones_decide_nothing),
        TEST(if_refuses_what_stands_elsewhere_now),
        TEST(nothing_but_entries_moves_the_cursor),
        TEST(one_citizen_sees_nothing_of_another),
        TEST(a_request_that_is_no_request_is_refused_whole),
        TEST(a_body_may_come_packed),
        TEST(a_bomb_is_never_unpacked),
        TEST(a_request_takes_five_hundred),
        TEST(who_never_acknowledges_is_taken_no_more),
        TEST(who_asks_in_vain_never_reaches_the_writer),
        TEST(who_asks_in_vain_stands_in_no_log),
    };

    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
