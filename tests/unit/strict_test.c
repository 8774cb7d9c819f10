/* The check of HTTP/1: what is let through and what is refused, whole and in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/http/strict.h"

#define HOST    "Host: a\r\n"
#define GET     "GET / HTTP/1.1\r\n" HOST
#define POST    "POST /v1/import HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define FIVE    POST "Content-Length: 5\r\n\r\nhello"

struct row {
    const char *bytes;
    size_t n;
    enum strict_end end;
};

#define ROW(bytes, end)              \
    {                                \
        bytes, sizeof bytes - 1, end \
    }

/* The sum of what passes. What does not is shown again. */
static struct strict_verdict show(const struct row *r, size_t piece)
{
    struct strict_verdict v = { 0 };
    size_t pass = 0, shown = 0;
    struct strict s;

    strict_init(&s);
    while (shown < r->n && !v.end) {
        shown = r->n - shown < piece ? r->n : shown + piece;
        v = strict_take(&s, (const uint8_t *)r->bytes + pass, shown - pass);
        pass += v.pass;
        assert_true(v.end || shown - pass <= 3);
    }
    v.pass = pass;
    return v;
}

static void try_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct strict_verdict whole = show(&rows[i], SIZE_MAX);

        if (whole.end != rows[i].end)
            fail_msg("%s: %d instead of %d", rows[i].bytes, whole.end, rows[i].end);
        if (!whole.end)
            assert_int_equal(whole.pass, rows[i].n);
        for (size_t piece = 1; piece < rows[i].n; piece++) {
            struct strict_verdict cut = show(&rows[i], piece);

            assert_int_equal(cut.end, whole.end);
            assert_int_equal(cut.pass, whole.pass);
        }
    }
}

#define TRY(rows) try_rows(rows, sizeof(rows) / sizeof *(rows))

static void what_clients_send_passes(void **state)
{
    static const struct row rows[] = {
        ROW(GET "\r\n", STRICT_FINE),
        ROW(GET "\r\n" GET "\r\n", STRICT_FINE),
        ROW("GET / HTTP/1.0\r\n\r\n", STRICT_FINE),
        ROW("M-SEARCH * HTTP/1.1\r\nhOST:\r\n\r\n", STRICT_FINE),
        ROW("GET /\xe7\x94\xb0?q=%20\"<>{}| HTTP/1.1\r\n" HOST "\r\n", STRICT_FINE),
        ROW(GET "X: \t a \t\"b\" \xff\t\r\nY:\r\nZ!#$%&'*+-.^_`|~9: (a), <b>\r\n\r\n",
            STRICT_FINE),
        ROW("GET / HTTP/1.1\r\nHost: \t [::1]:80 \t \r\n\r\n", STRICT_FINE),
        ROW(FIVE FIVE GET "\r\n", STRICT_FINE),
        ROW(POST "content-length: \t 0005 \r\nExpect: 100-continue\r\n\r\nhello" GET "\r\n",
            STRICT_FINE),
        ROW(POST "Content-Length: 0\r\n\r\n" GET "\r\n", STRICT_FINE),
        ROW(POST "Content-Length: 4\r\n\r\n\0\r\n\n" GET "\r\n", STRICT_FINE),
        ROW(POST "Content-Length: 999999999999999999\r\n\r\n\0\n", STRICT_FINE),
        ROW(CHUNKED "0\r\n\r\n" GET "\r\n", STRICT_FINE),
        ROW(CHUNKED "5\r\nhello\r\n00A\r\n\r\n\r\n\r\n\r\n\r\n\r\n0000000\r\n\r\n" GET "\r\n",
            STRICT_FINE),
        ROW(CHUNKED "fffFfff\r\nhello", STRICT_FINE),
        ROW(POST "TRANSFER-ENCODING:Chunked \r\n\r\n1\r\n\0\r\n0\r\n\r\n", STRICT_FINE),
        ROW("\r\n" GET "\r\n\r\n" GET "\r\n", STRICT_FINE),
        ROW(GET "Content-Lengths: a\r\nContent-Lengt: b\r\nHosts: c d\r\nX-Transfer-Encoding: "
                "e\r\n\r\n",
            STRICT_FINE),
    };

    (void)state;
    TRY(rows);
}

static void a_request_line_has_one_form(void **state)
{
    static const struct row rows[] = {
        ROW(" GET / HTTP/1.1\r\n", STRICT_LINE),
        ROW("G@T / HTTP/1.1\r\n", STRICT_LINE),
        ROW("GET\r\n", STRICT_BYTE),
        ROW("GET  / HTTP/1.1\r\n", STRICT_LINE),
        ROW("GET /  HTTP/1.1\r\n", STRICT_LINE),
        ROW("GET\t/ HTTP/1.1\r\n", STRICT_LINE),
        ROW("GET /\t HTTP/1.1\r\n", STRICT_LINE),
        ROW("GET / \r\n", STRICT_BYTE),
        ROW("GET /\r\n", STRICT_BYTE),
        ROW("GET / HTTP/1.2\r\n", STRICT_LINE),
        ROW("GET / HTTP/2.0\r\n", STRICT_LINE),
        ROW("GET / HTTP/11\r\n", STRICT_LINE),
        ROW("GET / HTTP/1.1 x\r\n", STRICT_LINE),
        ROW("GET / http/1.1\r\n", STRICT_LINE),
        ROW("\r\n\r\n" GET "\r\n", STRICT_BYTE),
        ROW("\n" GET "\r\n", STRICT_BYTE),
        ROW("\rX", STRICT_BYTE),
        ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", STRICT_LINE),
        ROW(GET "\r\n(", STRICT_LINE),
        ROW(FIVE "\r\n\r\n", STRICT_BYTE),
    };

    (void)state;
    TRY(rows);
}

static void lines_end_with_cr_lf_and_hold_no_control(void **state)
{
    static const struct row rows[] = {
        ROW("GET / HTTP/1.1\n" HOST "\r\n", STRICT_BYTE),
        ROW("GET / HTTP/1.1\rHost: a\r\r", STRICT_BYTE),
        ROW(GET "X: a\nY: b\r\n\r\n", STRICT_BYTE),
        ROW(GET "X: a\rY: b\r\n\r\n", STRICT_BYTE),
        ROW(GET "X: a\r\n\n", STRICT_BYTE),
        ROW(GET "X: a\r\n\rY", STRICT_BYTE),
        ROW(GET "X: a\n\n", STRICT_BYTE),
        ROW("GET /\0 HTTP/1.1\r\n", STRICT_BYTE),
        ROW("GET /\x7f HTTP/1.1\r\n", STRICT_BYTE),
        ROW("G\0", STRICT_BYTE),
        ROW(GET "X\0: a\r\n\r\n", STRICT_BYTE),
        ROW(GET "X: \0\r\n\r\n", STRICT_BYTE),
        ROW("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", STRICT_BYTE),
        ROW("GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", STRICT_BYTE),
        ROW(POST "Content-Length: 5\n\r\n", STRICT_BYTE),
    };

    (void)state;
    TRY(rows);
}

static void no_control_is_taken_in_target_or_value(void **state)
{
    char line[64];

    (void)state;
    for (int c = 0; c < 256; c++) {
        bool control = (c < ' ' && c != '\t') || c == 127;
        struct row target, value;

        memcpy(line, "GET /a", 7);
        line[5] = (char)c;
        target = (struct row){ line, 6,
                               control     ? STRICT_BYTE
                               : c == '\t' ? STRICT_LINE
                                           : STRICT_FINE };
        try_rows(&target, 1);
        memcpy(line, GET "X: ab", sizeof GET + 5);
        line[sizeof GET + 2] = (char)c;
        value = (struct row){ line, sizeof GET + 4,
                              control && c != '\r' ? STRICT_BYTE : STRICT_FINE };
        if (c == '\r')
            value.end = STRICT_BYTE; /* b follows */
        try_rows(&value, 1);
    }
}

static void a_field_has_one_form(void **state)
{
    static const struct row rows[] = {
        ROW("GET / HTTP/1.1\r\n X: a\r\n", STRICT_FIELD),
        ROW(GET " b\r\n\r\n", STRICT_FIELD),
        ROW(GET "X: a\r\n\tb: c\r\n\r\n", STRICT_FIELD),
        ROW(GET "X : a\r\n\r\n", STRICT_FIELD),
        ROW(GET "X Y: a\r\n\r\n", STRICT_FIELD),
        ROW(GET ": a\r\n\r\n", STRICT_FIELD),
        ROW(GET "X(Y): a\r\n\r\n", STRICT_FIELD),
        ROW(GET "X@: a\r\n\r\n", STRICT_FIELD),
        ROW(GET "X\xe7: a\r\n\r\n", STRICT_FIELD),
        ROW(GET "none\r\n\r\n", STRICT_BYTE),
        ROW(GET "Content-Length : 5\r\n", STRICT_FIELD),
    };

    (void)state;
    TRY(rows);
}

static void there_is_one_host(void **state)
{
    static const struct row rows[] = {
        ROW("GET / HTTP/1.1\r\n\r\n", STRICT_HOST),
        ROW("GET / HTTP/1.1\r\nX: Host: a\r\n\r\n", STRICT_HOST),
        ROW(GET HOST "\r\n", STRICT_HOST),
        ROW(GET "HOST: b\r\n\r\n", STRICT_HOST),
        ROW("GET / HTTP/1.0\r\n" HOST HOST "\r\n", STRICT_HOST),
        ROW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", STRICT_HOST),
        ROW("GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n", STRICT_HOST),
        ROW(GET "\r\nGET / HTTP/1.1\r\n\r\n", STRICT_HOST),
    };

    (void)state;
    TRY(rows);
}

static void a_body_has_one_length(void **state)
{
    static const char *const lengths[] = { "+5",
                                           "-1",
                                           "5, 5",
                                           "0x5",
                                           "5 5",
                                           "",
                                           " ",
                                           "5;",
                                           "5\t5",
                                           "٥",
                                           "1000000000000000000",
                                           "18446744073709551616" };
    static const char *const codings[] = { "xchunked",
                                           "gzip",
                                           "identity",
                                           "chunked, identity",
                                           "chunked, chunked",
                                           "\"chunked\"",
                                           "chunked;q=1",
                                           "gzip, chunked",
                                           "",
                                           "chunke",
                                           "chunkedd",
                                           "chunked chunked" };
    static const struct row rows[] = {
        ROW(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", STRICT_LENGTH),
        ROW(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", STRICT_LENGTH),
        ROW(POST "Content-Length: 5\r\nContent-Length: 40\r\n\r\n", STRICT_LENGTH),
        ROW(POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", STRICT_LENGTH),
        ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            STRICT_LENGTH),
        ROW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", STRICT_LENGTH),
    };
    char bytes[256];
    struct row row = { bytes, 0, STRICT_LENGTH };

    (void)state;
    TRY(rows);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        row.n = (size_t)snprintf(bytes, sizeof bytes, POST "Content-Length: %s\r\n\r\n",
                                 lengths[i]);
        try_rows(&row, 1);
    }
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        row.n = (size_t)snprintf(bytes, sizeof bytes, POST "Transfer-Encoding: %s\r\n\r\n",
                                 codings[i]);
        try_rows(&row, 1);
    }
}

static void a_chunk_is_as_long_as_it_says_and_says_no_more(void **state)
{
    static const struct row rows[] = {
        ROW(CHUNKED "00000005\r\nhello\r\n", STRICT_CHUNK),
        ROW(CHUNKED "10000000000000005\r\n", STRICT_CHUNK),
        ROW(CHUNKED "x\r\n", STRICT_CHUNK),
        ROW(CHUNKED "+5\r\nhello\r\n", STRICT_CHUNK),
        ROW(CHUNKED "0x5\r\nhello\r\n", STRICT_CHUNK),
        ROW(CHUNKED "5 \r\nhello\r\n", STRICT_CHUNK),
        ROW(CHUNKED "5;a=b\r\nhello\r\n", STRICT_CHUNK),
        ROW(CHUNKED "\r\nhello\r\n", STRICT_BYTE),
        ROW(CHUNKED "5\nhello\r\n", STRICT_BYTE),
        ROW(CHUNKED "5\rhello\r\n", STRICT_BYTE),
        ROW(CHUNKED "5\r\nhello, world\r\n", STRICT_CHUNK),
        ROW(CHUNKED "5\r\nhello\n", STRICT_CHUNK),
        ROW(CHUNKED "5\r\nhello\r0", STRICT_CHUNK),
        ROW(CHUNKED "0\r\nX-Trailer: a\r\n\r\n", STRICT_CHUNK),
        ROW(CHUNKED "0\r\n\n", STRICT_BYTE),
        ROW(CHUNKED "0\r\n\rX", STRICT_BYTE),
    };

    (void)state;
    TRY(rows);
}

/* libh2o could not be told any more. */
static void a_line_end_after_a_size_passes_whole(void **state)
{
    static const char *const begun[] = { CHUNKED "5\r", CHUNKED "0\r", CHUNKED "0\r\n",
                                         CHUNKED "0\r\n\r" };

    (void)state;
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
        struct strict_verdict v;
        struct strict s;

        strict_init(&s);
        v = strict_take(&s, (const uint8_t *)begun[i], strlen(begun[i]));
        assert_int_equal(v.end, STRICT_FINE);
        assert_int_equal(v.pass, sizeof CHUNKED);
        assert_true(strict_in_chunks(&s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_clients_send_passes),
        cmocka_unit_test(a_request_line_has_one_form),
        cmocka_unit_test(lines_end_with_cr_lf_and_hold_no_control),
        cmocka_unit_test(no_control_is_taken_in_target_or_value),
        cmocka_unit_test(a_field_has_one_form),
        cmocka_unit_test(there_is_one_host),
        cmocka_unit_test(a_body_has_one_length),
        cmocka_unit_test(a_chunk_is_as_long_as_it_says_and_says_no_more),
        cmocka_unit_test(a_line_end_after_a_size_passes_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
