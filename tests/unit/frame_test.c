/* The frame meter: every row of the price list, every limit, and that no verdict depends on where bytes were cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/http/frame.h"

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };

enum type {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION
};

enum { BODY_MAX = 1 << 20 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* What a client says, to be shown to meters. */
struct speech {
    size_t n;
    uint8_t bytes[3 << 20];
};

static struct speech said;

static void say(const void *bytes, size_t n)
{
    assert_true(said.n + n <= sizeof said.bytes);
    if (bytes)
        memcpy(said.bytes + said.n, bytes, n);
    else
        memset(said.bytes + said.n, 0x82, n);
    said.n += n;
}

static void begin(void)
{
    said.n = 0;
    say(preface, sizeof preface - 1);
}

/* Without bytes the payload is a row of fields that HPACK has an index for. */
static void frame(int type, int flags, uint32_t stream, const void *bytes, size_t n)
{
    uint8_t head[9] = {
        (uint8_t)(n >> 16),      (uint8_t)(n >> 8),      (uint8_t)n,
        (uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
        (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream
    };

    say(head, sizeof head);
    say(bytes, n);
}

/* A field whose value is n bytes long; n from 127 to 16,000. */
static void long_field(int type, int flags, uint32_t stream, size_t n)
{
    static uint8_t field[1 << 14];
    size_t more = n - 127;

    field[0] = 4; /* :path, not indexed */
    field[1] = 127;
    field[2] = (uint8_t)(more | 128);
    field[3] = (uint8_t)(more >> 7);
    memset(field + 4, 'a', n);
    frame(type, flags, stream, field, n + 4);
}

static const struct frame_now still = { 0 };

static struct frame_verdict hear(struct frame_meter *m, const struct frame_now *now)
{
    return frame_meter_take(m, now, said.bytes, said.n);
}

/* What is said in pieces of `piece` bytes. */
static enum frame_end hear_pieces(struct frame_meter *m, size_t piece)
{
    struct frame_verdict v = { 0 };

    frame_meter_init(m, 0, BODY_MAX);
    for (size_t at = 0; at < said.n && !v.end; at += piece)
        v = frame_meter_take(m, &still, said.bytes + at,
                             said.n - at < piece ? said.n - at : piece);
    return v.end;
}

/* How what is said ends, whole and in pieces. */
static enum frame_end ending(void)
{
    static const size_t pieces[] = { 1, 2, 3, 8, 9, 10, 1000 };
    struct frame_meter whole, cut;
    enum frame_end why;

    frame_meter_init(&whole, 0, BODY_MAX);
    why = hear(&whole, &still).end;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_int_equal(hear_pieces(&cut, pieces[i]), why);
        assert_int_equal(cut.frames, whole.frames);
        assert_int_equal(cut.credits, whole.credits);
        assert_int_equal(cut.body, whole.body);
        assert_int_equal(cut.open, whole.open);
        frame_meter_done(&cut);
    }
    frame_meter_done(&whole);
    return why;
}

/* ---- the preface ---- */

static void what_begins_with_the_preface_is_http2(void **state)
{
    struct frame_meter m;

    (void)state;
    for (size_t n = 0; n < sizeof preface; n++) {
        frame_meter_init(&m, 0, BODY_MAX);
        assert_int_equal(frame_meter_take(&m, &still, (const uint8_t *)preface, n).pass, n);
        assert_int_equal(m.is_http2, n == sizeof preface - 1);
        assert_false(m.is_other);
    }
}

static void what_begins_otherwise_passes_whole(void **state)
{
    static const char *const others[] = { "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/1.1\r\n\r\n",
                                          "PUT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX",
                                          "\x16\x03" };
    struct frame_meter m;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        said.n = 0;
        say(others[i], strlen(others[i]));
        frame(PUSH_PROMISE, 0, 1, NULL, 10);
        assert_int_equal(ending(), FRAME_FINE);
        frame_meter_init(&m, 0, BODY_MAX);
        assert_int_equal(hear(&m, &still).pass, said.n);
        assert_true(m.is_other);
        assert_int_equal(m.frames, 0);
    }
}

/* ---- the price list ---- */

static void every_frame_has_its_price(void **state)
{
    static const uint8_t update[4] = { 0, 0, 0, 1 };
    static const struct {
        int type, flags;
        size_t n;
        int credits;
    } rows[] = {
        { HEADERS, END_STREAM | END_HEADERS, 10, 5 },
        { PRIORITY, 0, 5, 20 },
        { RST_STREAM, 0, 4, 100 },
        { SETTINGS, 0, 6, 100 },
        { SETTINGS, ACK, 0, 100 },
        { PING, 0, 8, 100 },
        { GOAWAY, 0, 8, 100 },
        { WINDOW_UPDATE, 0, 4, 2 },
        { CONTINUATION, END_HEADERS, 1, 100 },
        { 10, 0, 0, 100 },
        { 255, 0, 3, 100 },
        { DATA, 0, 1, 1 + 100 }, /* its stream is not open */
    };
    struct frame_meter m;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin();
        frame(rows[i].type, rows[i].flags, 1, rows[i].type == WINDOW_UPDATE ? update : NULL,
              rows[i].n);
        assert_int_equal(ending(), FRAME_FINE);
        frame_meter_init(&m, 0, BODY_MAX);
        hear(&m, &still);
        assert_int_equal(FRAME_CREDITS_MAX - m.credits, rows[i].credits);
        assert_int_equal(m.frames, 1);
    }
}

/* Long ones cost by their length, and are remembered while their streams are open. */
static void heads_are_counted_by_their_length(void **state)
{
    struct frame_meter m;

    (void)state;
    begin();
    long_field(HEADERS, END_HEADERS, 1, 4000);
    long_field(HEADERS, END_HEADERS, 3, 900);
    long_field(HEADERS, 0, 5, 900);
    frame_meter_init(&m, 0, BODY_MAX);
    hear(&m, &still);
    assert_int_equal(FRAME_CREDITS_MAX - m.credits,
                     3 * 5 + 4004 / FRAME_BLOCK_CREDIT + 2 * (904 / FRAME_BLOCK_CREDIT));
    assert_int_equal(m.heads, 4004);
    said.n = 0;
    long_field(CONTINUATION, END_HEADERS, 5, 200);
    hear(&m, &still);
    assert_int_equal(m.heads, 4004 + 904 + 204);
    said.n = 0;
    frame(RST_STREAM, 0, 1, "\0\0\0\10", 4);
    hear(&m, &still);
    assert_int_equal(m.heads, 904 + 204);
    said.n = 0;
    frame(DATA, END_STREAM, 5, NULL, 1);
    hear(&m, &still);
    assert_int_equal(m.heads, 0);
    assert_int_equal(m.open, 1);
}

static void data_costs_little_unless_it_carries_nothing(void **state)
{
    struct frame_meter m;

    (void)state;
    begin();
    frame(HEADERS, END_HEADERS, 1, NULL, 10);
    frame(DATA, 0, 1, NULL, 100);
    frame(DATA, 0, 1, NULL, 0);
    frame(DATA, END_STREAM, 1, NULL, 0);
    assert_int_equal(ending(), FRAME_FINE);
    frame_meter_init(&m, 0, BODY_MAX);
    hear(&m, &still);
    assert_int_equal(FRAME_CREDITS_MAX - m.credits, 5 + 1 + (1 + 50) + 1);
    assert_int_equal(m.open, 0);
    assert_int_equal(m.body, 0);
}

/* libh2o answers an overflow with a reset. */
static void a_window_that_may_overflow_costs_what_a_reset_does(void **state)
{
    static const struct {
        const char *setting, *by;
        uint32_t stream;
        int credits;
    } rows[] = {
        { "\0\4\0\1\0\0", "\0\xff\xff\xff", 1, 2 },   { "\0\4\0\1\0\0", "\1\0\0\0", 1, 100 },
        { "\0\4\x3f\xff\xff\xff", "\0\0\0\1", 1, 2 }, { "\0\4\x40\0\0\0", "\0\0\0\1", 1, 100 },
        { "\0\3\x40\0\0\0", "\0\0\0\1", 1, 2 },       { "\0\4\x40\0\0\0", "\x3f\0\0\0", 0, 2 },
    };
    struct frame_meter m;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin();
        frame(SETTINGS, 0, 0, rows[i].setting, 6);
        frame(WINDOW_UPDATE, 0, rows[i].stream, rows[i].by, 4);
        assert_int_equal(ending(), FRAME_FINE);
        frame_meter_init(&m, 0, BODY_MAX);
        hear(&m, &still);
        assert_int_equal(FRAME_CREDITS_MAX - m.credits, 100 + rows[i].credits);
    }
    begin();
    frame(SETTINGS, 0, 0, "\0\4\x40\0\0\0\0\4\0\1\0\0", 12); /* the last one counts */
    frame(WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4);
    frame_meter_init(&m, 0, BODY_MAX);
    hear(&m, &still);
    assert_int_equal(FRAME_CREDITS_MAX - m.credits, 102);
}

static void who_has_spent_all_is_ended(void **state)
{
    struct frame_meter m;

    (void)state;
    begin();
    for (int i = 0; i < FRAME_CREDITS_MAX / 100; i++)
        frame(PING, 0, 0, NULL, 8);
    assert_int_equal(ending(), FRAME_FINE);
    frame(PING, 0, 0, NULL, 8);
    assert_int_equal(ending(), FRAME_SPENT);
    frame_meter_init(&m, 0, BODY_MAX);
    hear(&m, &still);
    assert_int_equal(m.frames, FRAME_CREDITS_MAX / 100 + 1);
}

/* It has the faults of none of them: nothing ends it that one client does within the rules of the protocol. */
static void a_connection_of_many_clients_does_not_run_dry(void **state)
{
    struct frame_meter m;

    (void)state;
    begin();
    for (int i = 0; i <= FRAME_CREDITS_MAX / 100; i++)
        frame(PING, 0, 0, NULL, 8);
    frame(HEADERS, END_HEADERS, 1, NULL, 10);
    frame(DATA, 0, 1, NULL, BODY_MAX + FRAME_BODY_SLACK);
    frame(DATA, 0, 1, NULL, 1);
    frame_meter_init(&m, 0, BODY_MAX);
    frame_meter_share(&m);
    assert_int_equal(hear(&m, &still).end, FRAME_FINE);
    assert_true(m.spent > FRAME_CREDITS_MAX);
    said.n = 0;
    frame(DATA, 0, 1, NULL, BODY_MAX);
    for (int i = 2; i < FRAME_MANY; i++)
        assert_int_equal(hear(&m, &still).end, FRAME_FINE);
    assert_int_equal(hear(&m, &still).end, FRAME_BODIES);
    begin();
    frame(PUSH_PROMISE, 0, 1, NULL, 10);
    frame_meter_init(&m, 0, BODY_MAX);
    frame_meter_share(&m);
    assert_int_equal(hear(&m, &still).end, FRAME_ILLEGAL);
}

static void credits_come_back_with_time_and_are_not_hoarded(void **state)
{
    struct frame_now now = { .ms = 1000 };
    struct frame_meter m;
    const uint8_t *ping;

    (void)state;
    begin();
    frame_meter_init(&m, 1000, BODY_MAX);
    hear(&m, &now);
    ping = said.bytes + said.n;
    frame(PING, 0, 0, NULL, 8);
    for (int i = 0; i < 10; i++)
        frame_meter_take(&m, &now, ping, 17);
    assert_int_equal(m.credits, FRAME_CREDITS_MAX - 1000);
    now.ms = 1010;
    frame_meter_take(&m, &now, ping, 17);
    assert_int_equal(m.credits, FRAME_CREDITS_MAX - 1100 + 10 * FRAME_CREDITS_A_MS);
    now.ms = 500; /* the clock was set back */
    frame_meter_take(&m, &now, ping, 17);
    assert_int_equal(m.credits, FRAME_CREDITS_MAX - 1200 + 10 * FRAME_CREDITS_A_MS);
    now.ms = UINT64_MAX;
    frame_meter_take(&m, &now, ping, 17);
    assert_int_equal(m.credits, FRAME_CREDITS_MAX - 100);
}

/* ---- limits ---- */

static void a_header_block_has_a_size(void **state)
{
    (void)state;
    begin();
    long_field(HEADERS, END_STREAM, 1, 16000);
    long_field(CONTINUATION, 0, 1, 16000);
    long_field(CONTINUATION, 0, 1, 16000);
    assert_int_equal(ending(), FRAME_FINE);
    long_field(CONTINUATION, 0, 1, 2000);
    assert_int_equal(ending(), FRAME_HEADERS);
}

static void a_header_block_has_few_fields(void **state)
{
    (void)state;
    begin();
    frame(HEADERS, END_STREAM | END_HEADERS, 1, NULL, FRAME_FIELDS_MAX);
    frame(HEADERS, END_STREAM, 3, NULL, 100);
    frame(CONTINUATION, END_HEADERS, 3, NULL, FRAME_FIELDS_MAX - 100);
    assert_int_equal(ending(), FRAME_FINE);
    frame(HEADERS, END_STREAM, 5, NULL, 100);
    frame(CONTINUATION, END_HEADERS, 5, NULL, FRAME_FIELDS_MAX - 99);
    assert_int_equal(ending(), FRAME_HEADERS);
}

/* Neither a priority nor padding is a field, and what is in a string is none. */
static void only_fields_are_counted(void **state)
{
    uint8_t padded[6 + FRAME_FIELDS_MAX + 200];

    (void)state;
    memset(padded, 0x82, sizeof padded);
    padded[0] = 200;
    begin();
    for (uint32_t i = 1; i < 20; i += 2)
        frame(HEADERS, END_STREAM | END_HEADERS | PADDED | HAS_PRIORITY, i, padded,
              sizeof padded);
    long_field(HEADERS, END_STREAM | END_HEADERS, 21, 16000);
    assert_int_equal(ending(), FRAME_FINE);
    padded[0] = 199;
    frame(HEADERS, END_STREAM | END_HEADERS | PADDED | HAS_PRIORITY, 23, padded, sizeof padded);
    assert_int_equal(ending(), FRAME_HEADERS);
}

static void a_header_block_has_few_pieces_and_none_is_empty(void **state)
{
    (void)state;
    begin();
    frame(HEADERS, END_STREAM, 1, NULL, 10);
    for (int i = 0; i < FRAME_CONTINUATIONS_MAX; i++)
        frame(CONTINUATION, 0, 1, NULL, 1);
    assert_int_equal(ending(), FRAME_FINE);
    frame(CONTINUATION, END_HEADERS, 1, NULL, 1);
    assert_int_equal(ending(), FRAME_HEADERS);
    begin();
    frame(HEADERS, END_STREAM, 1, NULL, 10);
    frame(CONTINUATION, END_HEADERS, 1, NULL, 0);
    assert_int_equal(ending(), FRAME_HEADERS);
}

static void streams_not_ended_are_few(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < 500; i++)
        frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, NULL, 5);
    for (uint32_t i = 500; i < 500 + FRAME_STREAMS_MAX; i++)
        frame(HEADERS, END_HEADERS, 2 * i + 1, NULL, 5);
    assert_int_equal(ending(), FRAME_FINE);
    frame(DATA, END_STREAM, 1001, NULL, 5); /* three ways to end one … */
    frame(RST_STREAM, 0, 1003, NULL, 4);
    frame(HEADERS, END_STREAM | END_HEADERS, 1005, NULL, 5); /* trailers */
    for (uint32_t i = 0; i < 3; i++)
        frame(HEADERS, END_HEADERS, 2001 + 2 * i, NULL, 5);
    assert_int_equal(ending(), FRAME_FINE);
    frame(HEADERS, END_HEADERS, 3001, NULL, 5);
    assert_int_equal(ending(), FRAME_STREAMS);
}

static void bodies_not_ended_are_small(void **state)
{
    struct frame_meter m;

    (void)state;
    begin();
    for (uint32_t stream = 1; stream < 4; stream += 2) {
        frame(HEADERS, END_HEADERS, stream, NULL, 5);
        for (int i = 0; i < BODY_MAX / 16384; i++)
            frame(DATA, i == BODY_MAX / 16384 - 1 ? END_STREAM : 0, stream, NULL, 16384);
    }
    frame_meter_init(&m, 0, BODY_MAX);
    assert_int_equal(hear(&m, &still).end, FRAME_FINE);
    assert_int_equal(m.body, 0);
    begin();
    frame(HEADERS, END_HEADERS, 1, NULL, 5);
    for (int i = 0; i < (BODY_MAX + FRAME_BODY_SLACK) / 16384; i++)
        frame(DATA, 0, 1, NULL, 16384);
    assert_int_equal(ending(), FRAME_FINE);
    frame(DATA, 0, 1, NULL, 1);
    assert_int_equal(ending(), FRAME_BODIES);
}

static void what_no_client_says_ends_the_connection(void **state)
{
    static const uint8_t none[8];

    (void)state;
    for (uint32_t stream = 0; stream < 2; stream++) {
        begin();
        frame(WINDOW_UPDATE, 0, stream, none, 4);
        assert_int_equal(ending(), FRAME_ILLEGAL);
        begin();
        frame(WINDOW_UPDATE, 0, stream, "\x80\0\0\0", 4); /* the first bit means nothing */
        assert_int_equal(ending(), FRAME_ILLEGAL);
    }
    begin();
    frame(PUSH_PROMISE, 0, 1, NULL, 10);
    assert_int_equal(ending(), FRAME_ILLEGAL);
    begin();
    frame(SETTINGS, 0, 0, NULL, 6 * FRAME_PARAMETERS_MAX);
    assert_int_equal(ending(), FRAME_FINE);
    frame(SETTINGS, 0, 0, NULL, 6 * FRAME_PARAMETERS_MAX + 6);
    assert_int_equal(ending(), FRAME_ILLEGAL);
}

/* ---- what waits, and what comes too late ---- */

/* Where `now` begins to be so: the bytes after it must not complete the frame. */
static void a_risky_frame_waits_wherever_it_is_cut(void **state)
{
    static const struct frame_now writing = { .writing = true };
    static const uint8_t update[4] = { 0, 0, 0, 1 };
    struct frame_verdict v;
    struct frame_meter m;

    (void)state;
    for (int type = SETTINGS; type <= WINDOW_UPDATE; type += WINDOW_UPDATE - SETTINGS) {
        size_t whole = type == SETTINGS ? 15 : 13, from;

        begin();
        frame(PING, 0, 0, NULL, 8);
        from = said.n;
        frame(type, 0, 1, type == SETTINGS ? NULL : update, whole - 9);
        frame(PING, 0, 0, NULL, 8);
        for (size_t cut = 1; cut < said.n; cut++) {
            frame_meter_init(&m, 0, BODY_MAX);
            v = frame_meter_take(&m, &still, said.bytes, cut);
            assert_int_equal(v.pass, cut);
            v = frame_meter_take(&m, &writing, said.bytes + cut, said.n - cut);
            assert_int_equal(v.hold, cut < from + whole);
            if (!v.hold)
                continue;
            assert_int_equal(cut + v.pass, cut > from ? cut : from);
            v = frame_meter_take(&m, &still, said.bytes + cut + v.pass, said.n - cut - v.pass);
            assert_false(v.hold || v.end);
            assert_int_equal(m.frames, 3);
            assert_int_equal(FRAME_CREDITS_MAX - m.credits, 200 + (type == SETTINGS ? 100 : 2));
        }
    }
}

static void only_what_is_risky_waits(void **state)
{
    static const struct frame_now writing = { .writing = true };
    static const uint8_t update[4] = { 0, 0, 0, 1 };
    struct frame_meter m;

    (void)state;
    begin();
    frame(SETTINGS, ACK, 0, NULL, 0);
    frame(WINDOW_UPDATE, 0, 0, update, 4);
    frame(HEADERS, END_HEADERS, 1, NULL, 10);
    frame(DATA, END_STREAM, 1, NULL, 10);
    frame(PING, 0, 0, NULL, 8);
    frame_meter_init(&m, 0, BODY_MAX);
    assert_false(hear(&m, &writing).hold);
    assert_int_equal(m.frames, 5);
}

static void continuation_comes_too_late_wherever_it_is_cut(void **state)
{
    static const struct frame_now leaving = { .leaving = true };
    struct frame_meter m;
    size_t from;

    (void)state;
    begin();
    frame(HEADERS, END_STREAM, 1, NULL, 10);
    from = said.n;
    frame(CONTINUATION, END_HEADERS, 1, NULL, 10);
    for (size_t cut = from; cut < said.n; cut++) {
        frame_meter_init(&m, 0, BODY_MAX);
        assert_int_equal(frame_meter_take(&m, &still, said.bytes, cut).end, FRAME_FINE);
        assert_int_equal(frame_meter_take(&m, &leaving, said.bytes + cut, said.n - cut).end,
                         FRAME_LATE);
    }
    frame_meter_init(&m, 0, BODY_MAX);
    assert_int_equal(hear(&m, &still).end, FRAME_FINE);
    said.n = 0;
    frame(HEADERS, END_STREAM | END_HEADERS, 3, NULL, 10);
    assert_int_equal(hear(&m, &leaving).end, FRAME_FINE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_begins_with_the_preface_is_http2),
        cmocka_unit_test(what_begins_otherwise_passes_whole),
        cmocka_unit_test(every_frame_has_its_price),
        cmocka_unit_test(heads_are_counted_by_their_length),
        cmocka_unit_test(data_costs_little_unless_it_carries_nothing),
        cmocka_unit_test(a_window_that_may_overflow_costs_what_a_reset_does),
        cmocka_unit_test(who_has_spent_all_is_ended),
        cmocka_unit_test(a_connection_of_many_clients_does_not_run_dry),
        cmocka_unit_test(credits_come_back_with_time_and_are_not_hoarded),
        cmocka_unit_test(a_header_block_has_a_size),
        cmocka_unit_test(a_header_block_has_few_fields),
        cmocka_unit_test(only_fields_are_counted),
        cmocka_unit_test(a_header_block_has_few_pieces_and_none_is_empty),
        cmocka_unit_test(streams_not_ended_are_few),
        cmocka_unit_test(bodies_not_ended_are_small),
        cmocka_unit_test(what_no_client_says_ends_the_connection),
        cmocka_unit_test(a_risky_frame_waits_wherever_it_is_cut),
        cmocka_unit_test(only_what_is_risky_waits),
        cmocka_unit_test(continuation_comes_too_late_wherever_it_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
