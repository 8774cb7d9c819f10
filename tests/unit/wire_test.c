/* wire_test.c - bytes and texts of the protocol, both ways, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/wire.h"

static struct sync_err err;

#define OK(expr)      assert_int_equal((expr), SYNC_OK)
#define REFUSED(expr) assert_int_equal((expr), SYNC_INVALID)

static struct wire_frame a_frame(const char *title, uint32_t length)
{
    return (struct wire_frame){
        .op = WIRE_PUT,
        .title_len = (uint16_t)strlen(title),
        .length = length,
        .born = 3,
        .seq = 7,
        .id = { 1, 2, 3 },
        .site = 4,
        .column = 5,
        .date = -6,
        .title = title,
    };
}

static void a_frame_survives_the_way_there_and_back(void **state)
{
    struct wire_frame f = a_frame("公示", 9), g;
    uint8_t bytes[WIRE_FRAME_MAX];
    size_t n;

    (void)state;
    OK(wire_frame_encode(&err, &f, bytes, &n));
    assert_int_equal(n, 62);
    OK(wire_frame_decode(&err, bytes, n, &g));
    assert_memory_equal(g.title, "公示", 6);
    g.title = f.title;
    assert_int_equal(g.born, 3);
    assert_int_equal(g.date, -6);
    assert_int_equal(g.column, 5);
    for (size_t cut = 0; cut < n; cut++)
        REFUSED(wire_frame_decode(&err, bytes, cut, &g));
}

static void a_frame_that_breaks_a_rule_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = { { 0, 0 }, { 0, 5 },   { 0, 2 },    { 1, 2 },    { 2, 5 },
                { 4, 1 }, { 8, 128 }, { 16, 128 }, { 56, 0xff } };
    struct wire_frame f = a_frame("ab", 9), g;
    uint8_t bytes[WIRE_FRAME_MAX];
    size_t n;

    (void)state;
    OK(wire_frame_encode(&err, &f, bytes, &n));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t was = bytes[bad[i].at];

        bytes[bad[i].at] = bad[i].value;
        REFUSED(wire_frame_decode(&err, bytes, sizeof bytes, &g));
        bytes[bad[i].at] = was;
    }
    f.seq = 0;
    REFUSED(wire_frame_encode(&err, &f, bytes, &n));
}

static void only_shortest_utf8_is_text(void **state)
{
    static const char *const bad[] = {
        "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",        "\xf4\x90\x80\x80",
        "\x80",     "\xe4\xbd",     "\xf8\x88\x80\x80\x80"
    };

    (void)state;
    assert_true(wire_is_utf8("a天津𠮷", 11));
    assert_false(wire_is_utf8("a\0b", 3));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(wire_is_utf8(bad[i], strlen(bad[i])));
}

struct tally {
    unsigned n;
    uint64_t seqs, bytes;
};

static enum sync_rc count_record(void *ctx, struct sync_err *e, const struct wire_frame *f,
                                 const uint8_t *frame, const uint8_t *bytes)
{
    struct tally *t = ctx;

    (void)e;
    t->n++;
    t->seqs += f->seq;
    assert_int_equal(frame[0], f->op);
    for (uint32_t i = 0; i < f->length; i++)
        t->bytes += bytes[i];
    return SYNC_OK;
}

static size_t build_pack(uint8_t *out, unsigned records)
{
    size_t at = WIRE_PACK_HEADER;

    wire_pack_header(out, records);
    for (unsigned i = 0; i < records; i++) {
        struct wire_frame f = a_frame(i % 2 ? "标题" : "", 40 * i);
        size_t n;

        f.seq = i + 1;
        OK(wire_frame_encode(&err, &f, out + at, &n));
        memset(out + at + n, 1, f.length);
        at += n + f.length;
    }
    return at;
}

static void a_pack_reads_the_same_however_it_is_cut(void **state)
{
    uint8_t *pack = malloc(1 << 16), *room = malloc(WIRE_RECORD_MAX);
    size_t n = build_pack(pack, 9);

    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        struct tally t = { 0 };
        struct wire_pack p;

        srand(round);
        wire_pack_init(&p, room);
        for (size_t at = 0; at < n;) {
            size_t piece = round == 0 ? n : (size_t)rand() % (round < 200 ? 70 : 700) + 1;

            piece = piece < n - at ? piece : n - at;
            OK(wire_pack_feed(&err, &p, pack + at, piece, count_record, &t));
            at += piece;
            if (at < n)
                REFUSED(wire_pack_end(&err, &p));
        }
        OK(wire_pack_end(&err, &p));
        assert_int_equal(t.n, 9);
        assert_int_equal(t.seqs, 45);
        assert_int_equal(t.bytes, 40 * 36);
    }
    free(pack);
    free(room);
}

static void a_pack_with_more_or_other_bytes_is_refused(void **state)
{
    uint8_t *pack = calloc(1, 1 << 16), *room = malloc(WIRE_RECORD_MAX);
    size_t n = build_pack(pack, 2);
    struct tally t = { 0 };
    struct wire_pack p;

    (void)state;
    wire_pack_init(&p, room);
    REFUSED(wire_pack_feed(&err, &p, pack, n + 1, count_record, &t));
    pack[6] = '2';
    wire_pack_init(&p, room);
    REFUSED(wire_pack_feed(&err, &p, pack, n, count_record, &t));
    wire_pack_header(pack, 0);
    wire_pack_init(&p, room);
    REFUSED(wire_pack_end(&err, &p));
    OK(wire_pack_feed(&err, &p, pack, WIRE_PACK_HEADER, count_record, &t));
    OK(wire_pack_end(&err, &p));
    free(pack);
    free(room);
}

static struct wire_head a_head(void)
{
    return (struct wire_head){ .stream = "main",
                               .epoch = 1763712000,
                               .seq = 995,
                               .sign = 3,
                               .time = 1763759412,
                               .lease = 3600,
                               .poll = 60,
                               .size = 995,
                               .root = { 1 },
                               .chain = { 2 },
                               .ancestry = { 3 },
                               .directory = { 4 } };
}

static void a_head_prints_and_parses(void **state)
{
    struct wire_head h = a_head(), back;
    struct wire_sig sig = { .algorithm = "ed25519", .key_id = { 9 }, .len = 64 };
    struct wire_note note;
    char text[WIRE_HEAD_MAX], again[WIRE_HEAD_MAX];
    size_t n, signed_len;

    (void)state;
    for (int indexed = 0; indexed < 2; indexed++) {
        h.has_index = indexed;
        h.index[0] = (uint8_t)indexed;
        OK(wire_head_print(&err, &h, text, &n));
        signed_len = n;
        OK(wire_sig_append(&err, &sig, text, &n, sizeof text));
        OK(wire_head_parse(&err, text, n, &back, &note));
        assert_int_equal(note.signed_len, signed_len);
        assert_int_equal(note.nsigs, 1);
        assert_int_equal(note.sigs[0].key_id[0], 9);
        OK(wire_head_print(&err, &back, again, &signed_len));
        assert_int_equal(strncmp(text, again, signed_len), 0);
    }
    strcpy(sig.algorithm, "sm2sm3");
    OK(wire_sig_append(&err, &sig, text, &n, sizeof text));
    OK(wire_head_parse(&err, text, n, &back, &note));
    assert_int_equal(note.nsigs, 2);
    for (size_t cut = 0; cut < n; cut++)
        if (text[cut - (cut > 0)] != '\n' || cut < note.signed_len + 2)
            REFUSED(wire_head_parse(&err, text, cut, &back, &note));
}

static void a_head_that_is_not_canonical_is_refused(void **state)
{
    static const char *const edits[][2] = {
        { "seq 995", "seq 0995" },
        { "seq 995", "seq +995" },
        { "seq 995", "seq  995" },
        { "seq 995", "seq 995 " },
        { "seq 995", "seq 9223372036854775808" },
        { "seq 995", "seq 994" },
        { "main", "Main" },
        { "main", "-main" },
        { "head 1", "head 2" },
        { "root 01", "root 0G" },
        { "root 01", "root 0" },
        { "index -", "index" },
        { "sign 3", "sign 0" },
        { "\n\n", "\n" },
        { "\n\n", "\n\n\n" },
        { "AA==", "AB==" },
        { "poll", "pull" },
        { "lease 3600", "lease 4294967296" },
        { "ed25519", "ed2551900000000000" },
    };
    struct wire_head h = a_head(), back;
    struct wire_sig sig = { .algorithm = "ed25519", .len = 64 };
    struct wire_note note;
    char text[WIRE_HEAD_MAX];
    size_t n;

    (void)state;
    OK(wire_head_print(&err, &h, text, &n));
    OK(wire_sig_append(&err, &sig, text, &n, sizeof text));
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char bad[2 * WIRE_HEAD_MAX], *at = strstr(text, edits[i][0]);

        assert_non_null(at);
        snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - text), text, edits[i][1],
                 at + strlen(edits[i][0]));
        REFUSED(wire_head_parse(&err, bad, strlen(bad), &back, &note));
    }
}

static void an_index_is_read_line_by_line(void **state)
{
    struct wire_object o = { .kind = WIRE_LAYER,
                             .hash = { 8 },
                             .first_born = 17,
                             .last_born = 900,
                             .lowest_seq = 9,
                             .highest_seq = 12,
                             .bytes = 5,
                             .gzip_bytes = 4,
                             .zstd_bytes = 3 };
    struct wire_object back;
    struct wire_lines w;
    char text[3 * WIRE_INDEX_LINE];
    size_t n = wire_index_head_print(12, text);
    bool more;

    (void)state;
    n += wire_object_print(&o, text + n);
    OK(wire_index_begin(&err, text, n, &w));
    assert_int_equal(w.seq, 12);
    OK(wire_index_next(&err, &w, &back, &more));
    assert_true(more);
    assert_int_equal(back.kind, WIRE_LAYER);
    assert_int_equal(back.zstd_bytes, 3);
    OK(wire_index_next(&err, &w, &back, &more));
    assert_false(more);

    n += (size_t)snprintf(text + n, 20, "delta 00\n");
    OK(wire_index_begin(&err, text, n, &w));
    OK(wire_index_next(&err, &w, &back, &more));
    REFUSED(wire_index_next(&err, &w, &back, &more));
    o.highest_seq = 13;
    n = wire_index_head_print(12, text);
    n += wire_object_print(&o, text + n);
    OK(wire_index_begin(&err, text, n, &w));
    REFUSED(wire_index_next(&err, &w, &back, &more));
}

static void ancestry_decides_who_may_continue(void **state)
{
    static const char text[] = "100 1\n200 50\n300 60\n";
    static const struct {
        struct wire_cursor held;
        bool ok;
    } cases[] = { { { 100, 49 }, true },  { { 100, 50 }, false },  { { 200, 59 }, true },
                  { { 200, 60 }, false }, { { 300, 9999 }, true }, { { 150, 10 }, false },
                  { { 100, 0 }, true } };
    bool ok;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OK(wire_ancestry_allows(&err, text, sizeof text - 1, 300, cases[i].held, &ok));
        assert_int_equal(ok, cases[i].ok);
    }
    REFUSED(wire_ancestry_allows(&err, text, sizeof text - 1, 200, cases[0].held, &ok));
    REFUSED(wire_ancestry_allows(&err, "100 1\n90 2\n", 11, 90, cases[0].held, &ok));
    REFUSED(wire_ancestry_allows(&err, "100 1\n190 2", 11, 190, cases[0].held, &ok));
}

static void few_urls_serve_all_cursors(void **state)
{
    (void)state;
    assert_int_equal(wire_catchup_from(995, 995), 995);
    assert_int_equal(wire_catchup_from(980, 995), 980);
    assert_int_equal(wire_catchup_from(979, 995), 978);
    assert_int_equal(wire_catchup_from(0, 4096), 0);
    for (uint64_t head = 0; head < 12000; head += head < 40 ? 1 : 997) {
        uint64_t oldest = head > WIRE_CATCHUP_MAX ? head - WIRE_CATCHUP_MAX : 0;
        unsigned char *from = calloc(1, head + 1);
        unsigned urls = 0;

        for (uint64_t c = oldest; c <= head; c++) {
            uint64_t f = wire_catchup_from(c, head);

            assert_true(f <= c);
            urls += !from[f];
            from[f] = 1;
        }
        assert_true(urls < 100);
        for (uint64_t f = 0; f <= head; f++)
            assert_int_equal(wire_catchup_ok(f, head), from[f]);
        assert_false(wire_catchup_ok(head + 1, head));
        free(from);
    }
}

static void urls_go_both_ways(void **state)
{
    static const char hash[] =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    static const char *const bad[] = { "/v1/sync/main/head/",
                                       "/v1/sync/main/log/1/0/2-3.zip",
                                       "/v1/sync/main/log/1/0/02-3",
                                       "/v1/sync/main/object/00",
                                       "/v1/sync//head",
                                       "/v1/sync/../head",
                                       "/v1/sync/keys/",
                                       "/v1/sync/main/head/1.2",
                                       "/v1/sync/main/log/1/0/2-3?x",
                                       "" };
    char good[8][WIRE_URL_MAX], printed[WIRE_URL_MAX];
    struct wire_url u;

    (void)state;
    snprintf(good[0], WIRE_URL_MAX, "/v1/sync/keys");
    snprintf(good[1], WIRE_URL_MAX, "/v1/sync/main/head");
    snprintf(good[2], WIRE_URL_MAX, "/v1/sync/keys/head");
    snprintf(good[3], WIRE_URL_MAX, "/v1/sync/main/head/1.2.3");
    snprintf(good[4], WIRE_URL_MAX, "/v1/sync/he-ping/log/1763712000/4/992-1003");
    snprintf(good[5], WIRE_URL_MAX, "/v1/sync/he-ping/log/1763712000/4/992-1003.gz");
    snprintf(good[6], WIRE_URL_MAX, "/v1/sync/a/object/%s", hash);
    snprintf(good[7], WIRE_URL_MAX, "/v1/sync/a/object/%s.zst", hash);
    for (size_t i = 0; i < 8; i++) {
        OK(wire_url_parse(&err, good[i], strlen(good[i]), &u));
        assert_int_equal(wire_url_print(&u, printed), strlen(good[i]));
        assert_string_equal(printed, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(wire_url_parse(&err, bad[i], strlen(bad[i]), &u));
}

static void cursors_and_base64_have_one_form(void **state)
{
    struct wire_cursor c;
    char text[WIRE_CURSOR_MAX];
    uint8_t out[8];
    size_t n;

    (void)state;
    OK(wire_cursor_parse(&err, "17.42", 5, &c));
    assert_int_equal(wire_cursor_print(c, text), 5);
    assert_string_equal(text, "17.42");
    REFUSED(wire_cursor_parse(&err, "17.", 3, &c));
    REFUSED(wire_cursor_parse(&err, "017.1", 5, &c));
    assert_true(wire_unbase64("Zm9vYg==", 8, out, sizeof out, &n));
    assert_int_equal(n, 4);
    assert_false(wire_unbase64("Zm9vYh==", 8, out, sizeof out, &n));
    assert_false(wire_unbase64("Zm9vYg=", 7, out, sizeof out, &n));
    assert_false(wire_unbase64("Zm=vYg==", 8, out, sizeof out, &n));
    assert_false(wire_unbase64("====", 4, out, sizeof out, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_survives_the_way_there_and_back),
        cmocka_unit_test(a_frame_that_breaks_a_rule_is_refused),
        cmocka_unit_test(only_shortest_utf8_is_text),
        cmocka_unit_test(a_pack_reads_the_same_however_it_is_cut),
        cmocka_unit_test(a_pack_with_more_or_other_bytes_is_refused),
        cmocka_unit_test(a_head_prints_and_parses),
        cmocka_unit_test(a_head_that_is_not_canonical_is_refused),
        cmocka_unit_test(an_index_is_read_line_by_line),
        cmocka_unit_test(ancestry_decides_who_may_continue),
        cmocka_unit_test(few_urls_serve_all_cursors),
        cmocka_unit_test(urls_go_both_ways),
        cmocka_unit_test(cursors_and_base64_have_one_form),
    };

    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
