/* What may take how long, told by requests and a guard that do not exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <h2o.h>

#include "server/http/patience.h"

enum { START = 1000000, SECOND = 1000 };

struct case_ {
    struct patience p;
    h2o_req_t *req; /* NULL: none */
    bool shut;      /* its window */
    struct guard_state g;
    uint64_t acked;
};

static struct timeval at(uint64_t ms)
{
    return (struct timeval){ .tv_sec = (time_t)(ms / 1000),
                             .tv_usec = (long)(ms % 1000) * 1000 };
}

static enum patience_end look(struct case_ *c, int second)
{
    patience_begin(&c->p);
    if (c->req)
        patience_see(&c->p, c->req, c->shut, START + (uint64_t)second * SECOND);
    return patience_judge(&c->p, &c->g, c->acked, START + (uint64_t)second * SECOND);
}

/* The second at which it ends and why; what moves, moves by so much a second. */
static int ends(struct case_ *c, enum patience_end why, uint64_t taken, uint64_t acked,
                size_t answered)
{
    enum patience_end end;

    for (int second = 0; second < 1000; second++) {
        end = look(c, second);
        if (end) {
            assert_int_equal(end, why);
            return second;
        }
        c->g.taken += taken;
        c->acked += acked;
        if (c->req)
            c->req->bytes_sent += answered;
    }
    return -1;
}

static h2o_req_t request(int version)
{
    h2o_req_t req = { .version = version };

    req.timestamps.request_begin_at = at(START);
    return req;
}

static h2o_req_t upload(int version)
{
    h2o_req_t req = request(version);

    req.timestamps.request_body_begin_at = at(START);
    return req;
}

static h2o_req_t answer(int version)
{
    h2o_req_t req = request(version);

    req.processed_at.at = at(START);
    req.timestamps.response_start_at = at(START);
    return req;
}

static void a_head_has_10_s(void **state)
{
    h2o_req_t req = request(0x101);
    struct case_ one = { .req = &req }, two = { .g = { .is_http2 = true, .midway = true } },
                 many = two;

    (void)state;
    assert_int_equal(ends(&one, PATIENCE_HEAD, 5000, 0, 0), 11);
    assert_int_equal(ends(&two, PATIENCE_HEAD, 0, 0, 0), 11);
    for (int second = 0; second < 50; second++, many.g.begun++)
        assert_int_equal(look(&many, second), PATIENCE_FINE);
}

/* The guard keeps back what it sends: that is no reason to end it, and when that is over it has its time. */
static void who_is_not_read_is_not_slow(void **state)
{
    h2o_req_t up = upload(0x200);
    struct case_ head = { .g = { .is_http2 = true, .midway = true, .held = true } },
                 body = { .req = &up, .g = { .is_http2 = true, .bodies = 1, .held = true } };
    int second = 0;

    (void)state;
    for (; second < 29; second++) {
        assert_int_equal(look(&head, second), PATIENCE_FINE);
        assert_int_equal(look(&body, second), PATIENCE_FINE);
    }
    head.g.held = body.g.held = false;
    for (; second < 38; second++) {
        assert_int_equal(look(&head, second), PATIENCE_FINE);
        assert_int_equal(look(&body, second), PATIENCE_FINE);
    }
    assert_int_equal(look(&head, 40), PATIENCE_HEAD);
    assert_int_equal(look(&body, 40), PATIENCE_BODY);
}

static void a_body_has_a_kilobyte_a_second(void **state)
{
    h2o_req_t one = upload(0x101), two = upload(0x200);
    struct guard_state g = { .is_http2 = true, .bodies = 1 };

    (void)state;
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_BODY, 1000, 0, 0), 11);
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_REQUEST, 2000, 0, 0), 601);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = g }, PATIENCE_BODY, 0, 0, 0), 11);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = g }, PATIENCE_REQUEST, 2000, 0, 0),
                     601);
    g.bodies = 0; /* it is whole and waits for its turn */
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = g }, PATIENCE_REQUEST, 0, 0, 0),
                     601);
}

/* Seconds until all has come at this rate; -1: it was ended before. */
static int uploads(int version, uint64_t bytes, uint64_t rate)
{
    h2o_req_t req = upload(version);
    struct case_ c = { .req = &req, .g = { .is_http2 = version >= 0x200, .bodies = 1 } };
    int second = 0;

    for (; c.g.taken < bytes; second++, c.g.taken += rate)
        if (look(&c, second))
            return -1;
    return second;
}

static void a_piece_of_a_file_comes_over_a_bad_line(void **state)
{
    (void)state;
    assert_int_equal(uploads(0x101, 256 << 10, 3 << 10), 86);
    assert_int_equal(uploads(0x200, 256 << 10, 3 << 10), 86);
    assert_int_equal(uploads(0x200, 256 << 10, 1 << 10), 256);
    assert_int_equal(uploads(0x200, 512 << 10, 1 << 10), 512);
    assert_int_equal(uploads(0x200, 256 << 10, 1000), -1);
}

static void what_came_quickly_pays_for_60_s(void **state)
{
    h2o_req_t req = upload(0x200);
    struct case_ c = { .req = &req, .g = { .is_http2 = true, .bodies = 1 } };

    (void)state;
    c.g.taken = 1 << 20; /* before anybody has looked */
    assert_int_equal(ends(&c, PATIENCE_BODY, 1, 0, 0), 61);
}

/* The older one, which was timed, is whole: the younger is timed from now on. */
static void a_body_beside_another_has_its_own_time(void **state)
{
    h2o_req_t older = upload(0x200), younger = upload(0x200);
    struct case_ c = { .req = &older, .g = { .is_http2 = true, .bodies = 2 } };
    int second = 0;

    (void)state;
    younger.timestamps.request_body_begin_at = at(START + 1 * SECOND);
    for (; second < 20; second++, c.g.taken += 2048)
        assert_int_equal(look(&c, second), PATIENCE_FINE);
    c.req = &younger;
    c.g.bodies = 1;
    for (; second < 40; second++, c.g.taken += 2048)
        assert_int_equal(look(&c, second), PATIENCE_FINE);
}

static void a_reader_takes_something_within_30_s(void **state)
{
    h2o_req_t one = answer(0x101), two = answer(0x200);
    struct guard_state shut = { .is_http2 = true },
                       full = { .is_http2 = true, .writing = true };

    (void)state;
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_READER, 0, 0, 0), 31);
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_READER, 0, 200, 0), 31);
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_REQUEST, 0, 300, 0), 601);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = shut }, PATIENCE_READER, 0, 1, 0),
                     31);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = full }, PATIENCE_READER, 0, 0, 0),
                     31);
    assert_int_equal(
        ends(&(struct case_){ .req = &two, .g = full }, PATIENCE_REQUEST, 0, 300, 0), 601);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = shut }, PATIENCE_READER, 0, 0, 1),
                     31);
    assert_int_equal(
        ends(&(struct case_){ .req = &two, .g = shut }, PATIENCE_REQUEST, 0, 0, 300), 601);
    two.bytes_sent = 0; /* what is taken is answers to PING */
    assert_int_equal(
        ends(&(struct case_){ .req = &two, .g = shut }, PATIENCE_READER, 0, 900, 0), 31);
}

/* Its neighbour is read all the time. */
static int stalls(size_t taken, int shut_from, int until)
{
    h2o_req_t busy = answer(0x200), slow = answer(0x200);
    struct case_ c = { .g = { .is_http2 = true } };

    slow.bytes_sent = taken;
    for (int second = 0; second < until; second++, busy.bytes_sent += 10000) {
        uint64_t now = START + (uint64_t)second * SECOND;
        bool stalled;

        patience_begin(&c.p);
        assert_false(patience_see(&c.p, &busy, true, now));
        stalled = patience_see(&c.p, &slow, second >= shut_from, now);
        assert_int_equal(patience_judge(&c.p, &c.g, 0, now), PATIENCE_FINE);
        if (stalled)
            return second;
    }
    return -1;
}

static void a_stream_that_is_not_read_stalls_beside_one_that_is(void **state)
{
    (void)state;
    assert_int_equal(stalls(0, 0, 600), 31);
    assert_int_equal(stalls(8192, 0, 600), 61); /* as long as the slowest would need for that */
    assert_int_equal(stalls(65536, 0, 600), 271);
    assert_int_equal(stalls(0, 100, 600), 100);
    assert_int_equal(stalls(0, 600, 600),
                     -1); /* it waits for its turn, or for the connection's window */
}

/* A window of 64 KB, of which half is given back when it has come, at a kilobyte a second. */
static void a_large_answer_over_a_bad_line_does_not_stall(void **state)
{
    h2o_req_t req = answer(0x200);
    struct case_ c = { .req = &req, .shut = true, .g = { .is_http2 = true } };

    (void)state;
    req.bytes_sent = 65536;
    for (int second = 0; second < 600; second++) {
        assert_int_equal(look(&c, second), PATIENCE_FINE);
        c.acked += 1024;
        if (second % 32 == 31)
            req.bytes_sent += 32768;
    }
}

/* With nobody left who reads, the connection goes. */
static void who_reads_none_of_his_streams_is_gone(void **state)
{
    h2o_req_t one = answer(0x200), two = answer(0x200);
    struct case_ c = { .g = { .is_http2 = true } };

    (void)state;
    two.timestamps.response_start_at = at(START + 10 * SECOND);
    for (int second = 0; second < 100; second++) {
        uint64_t now = START + (uint64_t)second * SECOND;

        patience_begin(&c.p);
        assert_int_equal(patience_see(&c.p, &one, true, now), second > 30);
        assert_int_equal(patience_see(&c.p, &two, true, now), second > 40);
        c.p.moved_at = now; /* by something that was read and is gone */
        if (patience_judge(&c.p, &c.g, 0, now)) {
            assert_int_equal(second, 41);
            return;
        }
    }
    fail_msg("it lasts");
}

static void nothing_asked_has_60_s(void **state)
{
    struct case_ c = { 0 };

    (void)state;
    assert_int_equal(ends(&c, PATIENCE_IDLE, 0, 0, 0), 61);
    c = (struct case_){ 0 };
    assert_int_equal(ends(&c, PATIENCE_IDLE, 1, 0, 0), -1);
}

static void a_stream_of_events_lasts(void **state)
{
    h2o_mem_pool_t pool;
    h2o_req_t req = answer(0x200);

    (void)state;
    h2o_mem_init_pool(&pool);
    h2o_add_header(&pool, &req.res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("text/event-stream; charset=utf-8"));
    assert_int_equal(ends(&(struct case_){ .req = &req }, PATIENCE_FINE, 0, 0, 0), -1);
    h2o_mem_clear_pool(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_has_10_s),
        cmocka_unit_test(who_is_not_read_is_not_slow),
        cmocka_unit_test(a_body_has_a_kilobyte_a_second),
        cmocka_unit_test(a_piece_of_a_file_comes_over_a_bad_line),
        cmocka_unit_test(what_came_quickly_pays_for_60_s),
        cmocka_unit_test(a_body_beside_another_has_its_own_time),
        cmocka_unit_test(a_reader_takes_something_within_30_s),
        cmocka_unit_test(a_stream_that_is_not_read_stalls_beside_one_that_is),
        cmocka_unit_test(a_large_answer_over_a_bad_line_does_not_stall),
        cmocka_unit_test(who_reads_none_of_his_streams_is_gone),
        cmocka_unit_test(nothing_asked_has_60_s),
        cmocka_unit_test(a_stream_of_events_lasts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
