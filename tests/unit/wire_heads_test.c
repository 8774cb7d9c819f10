/* wire_heads_test.c - the platform's list of streams with its notes behind it, and what is withheld. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/verify.h"

static struct sync_err err;

#define OK(expr)       assert_int_equal((expr), SYNC_OK)
#define IS(kind, expr) assert_int_equal((expr), kind)
#define REFUSED(expr)  IS(SYNC_INVALID, expr)

static struct wire_heads a_list(void)
{
    return (struct wire_heads){
        .counter = 12,
        .time = 1763759412,
        .lease = 3600,
        .n = 3,
        .stream = { { .name = "a-1" },
                    { .name = "heping", .has_withheld = true, .withheld = { 0x5e, 2 } },
                    { .name = "main" } }
    };
}

static const struct wire_sig a_sig = { .algorithm = "ed25519", .key_id = { 9 }, .len = 64 };
static const struct wire_sig other_sig = { .algorithm = "sm2", .key_id = { 8 }, .len = 64 };

static void append_note(char *text, size_t *n, const char *stream)
{
    struct wire_head h = { .epoch = 1, .seq = 9, .sign = 1, .size = 3 };
    char note[WIRE_HEAD_MAX];
    size_t len;

    snprintf(h.stream, sizeof h.stream, "%s", stream);
    OK(wire_head_print(&err, &h, note, &len));
    OK(wire_sig_append(&err, &a_sig, note, &len, sizeof note));
    OK(wire_sig_append(&err, &other_sig, note, &len, sizeof note));
    text[(*n)++] = '\n';
    memcpy(text + *n, note, len + 1);
    *n += len;
}

/* The list, two signatures, and the notes of its streams. */
static size_t a_text(const struct wire_heads *list, char *text)
{
    size_t n;

    OK(wire_heads_print(&err, list, text, &n));
    OK(wire_sig_append(&err, &a_sig, text, &n, WIRE_HEADS_MAX));
    OK(wire_sig_append(&err, &other_sig, text, &n, WIRE_HEADS_MAX));
    for (size_t i = 0; i < list->n; i++)
        append_note(text, &n, list->stream[i].name);
    return n;
}

static char text[WIRE_HEADS_MAX], again[WIRE_HEADS_MAX];

static void a_list_prints_and_parses(void **state)
{
    struct wire_heads list = a_list(), back;
    struct wire_note note;
    size_t n, m, notes;

    (void)state;
    n = a_text(&list, text);
    OK(wire_heads_parse(&err, text, n, &back, &note, &notes));
    assert_memory_equal(&back, &list, sizeof list);
    assert_int_equal(note.nsigs, 2);
    assert_string_equal(note.sigs[1].algorithm, "sm2");
    OK(wire_heads_print(&err, &back, again, &m));
    assert_int_equal(m, note.signed_len);
    assert_memory_equal(again, text, m);
    assert_int_equal(strncmp(text + note.signed_len, "\nsig ", 5), 0);
    assert_int_equal(strncmp(text + notes, "tjzw head 1\nstream a-1\n", 23), 0);
}

static void the_notes_follow_one_by_one(void **state)
{
    struct wire_heads list = a_list();
    struct wire_head head;
    struct wire_note note;
    const char *one;
    size_t n, at, len;

    (void)state;
    n = a_text(&list, text);
    OK(wire_heads_parse(&err, text, n, &list, &note, &at));
    for (size_t i = 0; i < list.n; i++) {
        OK(wire_heads_next(&err, text, n, &at, &one, &len));
        OK(wire_head_parse(&err, one, len, &head, &note));
        assert_string_equal(head.stream, list.stream[i].name);
        assert_int_equal(note.nsigs, 2);
    }
    assert_int_equal(at, n);
    OK(wire_heads_next(&err, text, n, &at, &one, &len));
    assert_int_equal(len, 0);
    at = 3;
    REFUSED(wire_heads_next(&err, text, n, &at, &one, &len));
}

static void a_list_need_not_have_notes_or_streams(void **state)
{
    struct wire_heads list = a_list(), back;
    struct wire_note note;
    const char *one;
    size_t n, at, len;

    (void)state;
    for (list.n = 0; list.n < 2; list.n++) {
        OK(wire_heads_print(&err, &list, text, &n));
        OK(wire_sig_append(&err, &a_sig, text, &n, sizeof text));
        OK(wire_heads_parse(&err, text, n, &back, &note, &at));
        assert_int_equal(back.n, list.n);
        assert_int_equal(at, n);
        OK(wire_heads_next(&err, text, n, &at, &one, &len));
        assert_int_equal(len, 0);
    }
}

static void as_many_streams_as_may_be_are_read(void **state)
{
    struct wire_heads list = { .counter = INT64_MAX, .time = INT64_MAX, .lease = UINT32_MAX };
    struct wire_heads back;
    struct wire_note note;
    size_t n, at, len, read = 0;
    const char *one;

    (void)state;
    for (; list.n < WIRE_STREAMS_MAX; list.n++) {
        struct wire_heads_stream *s = &list.stream[list.n];

        memset(s->name, 'z', WIRE_STREAM_MAX);
        s->name[0] = (char)('0' + list.n / 10);
        s->name[1] = (char)('0' + list.n % 10);
        s->has_withheld = true;
    }
    n = a_text(&list, text);
    OK(wire_heads_parse(&err, text, n, &back, &note, &at));
    assert_int_equal(back.n, WIRE_STREAMS_MAX);
    for (;; read++) {
        OK(wire_heads_next(&err, text, n, &at, &one, &len));
        if (len == 0)
            break;
    }
    assert_int_equal(read, WIRE_STREAMS_MAX);
    len = (size_t)(strstr(text, "\n\n") + 1 - text);
    snprintf(again, sizeof again, "%.*sstream zz -\n%s", (int)len, text, text + len);
    REFUSED(wire_heads_parse(&err, again, strlen(again), &back, &note, &at));
    list.n++;
    IS(SYNC_USAGE, wire_heads_print(&err, &list, again, &n));
    memset(text + len, 'x', sizeof text - len);
    REFUSED(wire_heads_parse(&err, text, sizeof text, &back, &note, &at));
}

static void a_list_that_is_not_canonical_is_refused(void **state)
{
    static const char *const edits[][2] = {
        { "heads 1", "heads 2" },
        { "heads 1", "head 1" },
        { "counter 12", "counter 012" },
        { "counter 12", "counter 9223372036854775808" },
        { "counter 12\n", "" },
        { "time 1763759412", "time" },
        { "lease 3600", "lease 4294967296" },
        { "lease 3600\n", "lease 3600\npoll 60\n" },
        { "stream a-1 -\n", "stream a-1 -\nstream a-1 -\n" },
        { "stream a-1 -\n", "stream zz -\n" },
        { "stream a-1 -\n", "stream a-1\n" },
        { "stream a-1 -\n", "stream a-1  -\n" },
        { "stream a-1 -\n", "stream a-1 - \n" },
        { "stream a-1 -\n", "stream a-1 5e\n" },
        { "stream a-1 -\n", "stream A-1 -\n" },
        { "stream a-1 -\n", "stream a/1 -\n" },
        { "stream heping 5e", "stream heads 5e" },
        { "stream heping 5e", "stream heping 5E" },
        { "\n\nsig", "\nsig" },
        { "\n\nsig", "\n\n\nsig" },
        { "\n\ntjzw head 1", "\n\n\ntjzw head 1" },
        { "\n\ntjzw head 1", "\ntjzw head 1" },
        { "\n\ntjzw head 1", "\n\ntjzw head 2" },
        { "\n\ntjzw head 1", "\n\ntjzw heads 1" },
        { "sig sm2", "sig SM2 " },
    };
    struct wire_heads list = a_list(), back = { .counter = 77 };
    struct wire_note note;
    size_t n, at;

    (void)state;
    n = a_text(&list, text);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *from = strstr(text, edits[i][0]);

        assert_non_null(from);
        snprintf(again, sizeof again, "%.*s%s%s", (int)(from - text), text, edits[i][1],
                 from + strlen(edits[i][0]));
        if (wire_heads_parse(&err, again, strlen(again), &back, &note, &at) != SYNC_INVALID)
            fail_msg("accepted: %s -> %s", edits[i][0], edits[i][1]);
    }
    assert_int_equal(back.counter, 77);
    for (size_t cut = 0; cut < n; cut++)
        if (wire_heads_parse(&err, text, cut, &back, &note, &at) == SYNC_OK)
            assert_true(text[cut - 1] == '\n' || cut >= at + strlen("tjzw head 1\n"));
}

static void what_no_reader_accepts_is_not_printed(void **state)
{
    struct wire_heads list = a_list();
    size_t n;

    (void)state;
    strcpy(list.stream[0].name, "heads");
    REFUSED(wire_heads_print(&err, &list, text, &n));
    strcpy(list.stream[0].name, "zz");
    REFUSED(wire_heads_print(&err, &list, text, &n));
    strcpy(list.stream[0].name, "a -\nstream b");
    IS(SYNC_USAGE, wire_heads_print(&err, &list, text, &n));
    strcpy(list.stream[0].name, "a -\nmore");
    IS(SYNC_USAGE, wire_heads_print(&err, &list, text, &n));
}

static void a_list_never_goes_back(void **state)
{
    struct wire_heads held = a_list(), next = held;

    (void)state;
    OK(verify_heads(&err, NULL, &next));
    OK(verify_heads(&err, &held, &next));
    next.counter++;
    OK(verify_heads(&err, &held, &next));
    next.time--;
    IS(SYNC_ROLLBACK, verify_heads(&err, &held, &next));
    next.time += 2;
    next.counter = held.counter - 1;
    IS(SYNC_ROLLBACK, verify_heads(&err, &held, &next));
}

static void a_list_is_believed_by_the_platforms_signature(void **state)
{
    uint8_t public_key[32], secret[64], seed[32] = { 5 };
    struct wire_heads list = a_list();
    struct verify_key key;
    struct wire_note note;
    size_t n, at;

    (void)state;
    crypto_sign_seed_keypair(public_key, secret, seed);
    verify_key_ed25519(public_key, &key);
    OK(wire_heads_print(&err, &list, text, &n));
    OK(verify_sign(&err, secret, text, &n, sizeof text));
    append_note(text, &n, "main");
    OK(wire_heads_parse(&err, text, n, &list, &note, &at));
    OK(verify_note(&err, text, &note, &key));
    for (size_t i = 0; i < note.signed_len; i++) {
        text[i] ^= 1;
        IS(SYNC_UNTRUSTED, verify_note(&err, text, &note, &key));
        text[i] ^= 1;
    }
}

/* ---- withheld ---- */

#define ID(last) "00000000-0000-0000-0000-0000000000" last "\n"

static enum sync_rc walk(const char *list, size_t *ids)
{
    uint8_t id[WIRE_ID];
    struct wire_lines w;
    enum sync_rc rc = wire_withheld_begin(&err, list, strlen(list), &w);
    bool more = true;

    for (*ids = 0; !rc && more; *ids += more)
        rc = wire_withheld_next(&err, &w, id, &more);
    return rc;
}

static void what_is_withheld_is_told_in_order(void **state)
{
    static const char *const bad[] = {
        "",
        "tjzw withheld 2\n",
        "tjzw withheld 1",
        "tjzw withheld 1\n\n",
        "tjzw withheld 1\n" ID("01") "\n",
        "tjzw withheld 1\n" ID("02") ID("01"),
        "tjzw withheld 1\n" ID("01") ID("01"),
        "tjzw withheld 1\n00000000-0000-0000-0000-000000000001",
        "tjzw withheld 1\n00000000-0000-0000-0000-00000000001\n",
        "tjzw withheld 1\n00000000000000000000000000000001\n",
        "tjzw withheld 1\n00000000-0000-0000-0000-00000000000A\n",
        "tjzw withheld 1\n00000000-0000-0000-0000-000000000001 \n",
    };
    size_t ids;

    (void)state;
    OK(walk("tjzw withheld 1\n", &ids));
    assert_int_equal(ids, 0);
    OK(walk("tjzw withheld 1\n" ID("01") ID("09") ID("0a") ID("ff"), &ids));
    assert_int_equal(ids, 4);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (walk(bad[i], &ids) != SYNC_INVALID)
            fail_msg("accepted: %s", bad[i]);
}

static void an_id_has_one_spelling(void **state)
{
    static const char good[] = "0123abcd-4567-89ef-fedc-ba9876543210";
    uint8_t id[WIRE_ID], want[WIRE_ID] = { 0x01, 0x23, 0xab, 0xcd, 0x45, 0x67, 0x89, 0xef,
                                           0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
    char printed[WIRE_ID_TEXT], bad[WIRE_ID_TEXT];
    struct wire_text t = { good, good + 36 };

    (void)state;
    assert_true(wire_take_id(&t, id));
    assert_ptr_equal(t.at, t.end);
    assert_memory_equal(id, want, WIRE_ID);
    wire_id_print(id, printed);
    assert_string_equal(printed, good);
    for (size_t i = 0; i < 36; i++) {
        memcpy(bad, good, sizeof bad);
        bad[i] = good[i] == '-' ? '0' : '-';
        t = (struct wire_text){ bad, bad + 36 };
        assert_false(wire_take_id(&t, id));
        t = (struct wire_text){ good, good + i };
        assert_false(wire_take_id(&t, id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_prints_and_parses),
        cmocka_unit_test(the_notes_follow_one_by_one),
        cmocka_unit_test(a_list_need_not_have_notes_or_streams),
        cmocka_unit_test(as_many_streams_as_may_be_are_read),
        cmocka_unit_test(a_list_that_is_not_canonical_is_refused),
        cmocka_unit_test(what_no_reader_accepts_is_not_printed),
        cmocka_unit_test(a_list_never_goes_back),
        cmocka_unit_test(a_list_is_believed_by_the_platforms_signature),
        cmocka_unit_test(what_is_withheld_is_told_in_order),
        cmocka_unit_test(an_id_has_one_spelling),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("wire_heads", tests, NULL, NULL);
}
