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
        patience_see(&c->p, c->req);
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

static void a_body_has_60_s_and_a_kilobyte_a_second(void **state)
{
    h2o_req_t one = upload(0x101), two = upload(0x200);
    struct guard_state g = { .is_http2 = true, .bodies = 1 };

    (void)state;
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_BODY, 1000, 0, 0), 11);
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_BODY, 2000, 0, 0), 61);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = g }, PATIENCE_BODY, 0, 0, 0), 11);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = g }, PATIENCE_BODY, 2000, 0, 0),
                     61);
    g.bodies = 0; /* it is whole and waits for its turn */
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = g }, PATIENCE_REQUEST, 0, 0, 0),
                     601);
}

static void a_reader_takes_something_within_30_s(void **state)
{
    h2o_req_t one = answer(0x101), two = answer(0x200);
    struct guard_state shut = { .is_http2 = true },
                       full = { .is_http2 = true, .writing = true };

    (void)state;
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_READER, 0, 0, 0), 31);
    assert_int_equal(ends(&(struct case_){ .req = &one }, PATIENCE_REQUEST, 0, 1, 0), 601);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = shut }, PATIENCE_READER, 0, 1, 0),
                     31);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = full }, PATIENCE_READER, 0, 0, 0),
                     31);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = full }, PATIENCE_REQUEST, 0, 1, 0),
                     601);
    assert_int_equal(ends(&(struct case_){ .req = &two, .g = shut }, PATIENCE_REQUEST, 0, 0, 1),
                     601);
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
        cmocka_unit_test(a_body_has_60_s_and_a_kilobyte_a_second),
        cmocka_unit_test(a_reader_takes_something_within_30_s),
        cmocka_unit_test(nothing_asked_has_60_s),
        cmocka_unit_test(a_stream_of_events_lasts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
