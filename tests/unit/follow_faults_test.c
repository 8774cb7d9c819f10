/*
 * follow_faults_test.c - the pull engine before a network that lies, a server that is moving on,
 * and a store that fails: one trouble at a time. All of them together: follow_sim_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/follow_phone.h"

/* ---- bad days ---- */

static void an_old_head_is_refused(void **state)
{
    struct fake *s = a_server(10);
    struct phone p = phone_new(s);
    enum sync_rc rc;

    (void)state;
    phone_must_sync(&p);
    fake_publish_some(s, 2);
    fake_head(s);
    phone_must_sync(&p);
    p.net.faults = FAULT_OLD;
    p.net.percent = 100;
    for (unsigned i = 0; i < 30; i++) {
        rc = phone_sync(&p);
        assert_true(rc == SYNC_OK || rc == SYNC_ROLLBACK);
        assert_int_equal(phone_check(&p).seq, fake_seq(s));
    }
    p.net.honest_when_uncached = true;
    for (unsigned i = 0; i < 30; i++)
        phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

struct sent {
    size_t most;
    uint64_t total;
};

static void note_sent(void *ctx, const char *path, uint64_t from, size_t n)
{
    struct sent *s = ctx;

    (void)from;
    if (strstr(path, "/log/") && n > s->most)
        s->most = n;
    if (strstr(path, "/log/"))
        s->total += n;
}

static void a_body_cut_at_any_byte_is_continued(void **state)
{
    struct fake *s = a_server(60);
    struct phone p = phone_new(s);
    struct sent whole = { 0 };

    (void)state;
    p.net.spy = note_sent;
    p.net.spy_ctx = &whole;
    phone_must_sync(&p);
    phone_done(&p);
    for (size_t cut = 1; cut < whole.most; cut++) {
        struct sent sent = { 0 };

        p = phone_new(s);
        p.net.cut_at = cut;
        p.net.spy = note_sent;
        p.net.spy_ctx = &sent;
        phone_must_sync(&p);
        assert_int_equal(sent.total, whole.total); /* not one byte of it came twice */
        phone_done(&p);
    }
    fake_free(s);
}

static void one_flipped_bit_is_mended_by_one_clean_refetch(void **state)
{
    struct fake *s = a_long_log();

    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct phone p = phone_new(s);

        p.net.seed = seed;
        p.net.faults = FAULT_FLIP | FAULT_SWAP;
        p.net.percent = 30;
        p.net.honest_when_uncached = true;
        phone_must_sync(&p);
        assert_true(p.last.rounds <= 2);
        phone_done(&p);
    }
    fake_free(s);
}

static void what_is_gone_sends_back_to_the_head_but_not_for_ever(void **state)
{
    struct fake *s = a_server(20);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    fake_publish_some(s, 5);
    fake_head(s);
    p.net.faults = FAULT_STATUS;
    p.net.percent = 100;
    assert_int_not_equal(phone_sync(&p), SYNC_OK);
    assert_true(p.last.requests < 60);
    phone_check(&p);
    p.net.percent = 0;
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

/* A takedown is committed and its head not yet signed, or a cache still has the old one. */
static struct fake *a_server_between_takedown_and_head(struct phone *p)
{
    struct fake *s = a_server(20);

    *p = phone_new(s);
    phone_must_sync(p);
    fake_edit(s, 3, "改过", "{}");
    fake_head(s);
    fake_take_down(s, 3);
    return s;
}

static void a_takedown_before_its_head_is_waited_out(void **state)
{
    struct phone p;
    struct fake *s = a_server_between_takedown_and_head(&p);

    (void)state;
    p.net.on_wait = fake_head;
    phone_must_sync(&p);
    assert_int_equal(p.net.waits, 1);
    assert_in_range(p.net.waited, 1000, 1500);
    assert_int_equal(p.last.rounds, 2);
    assert_int_equal(memory_record_at(p.store->now, 3)->frame.op, WIRE_TAKEN_DOWN);
    phone_done(&p);
    fake_free(s);
}

static void a_head_that_never_fits_is_stale_and_not_an_unknown_stream(void **state)
{
    struct phone p;
    struct fake *s = a_server_between_takedown_and_head(&p);

    (void)state;
    assert_int_equal(phone_sync(&p), SYNC_STALE);
    assert_int_equal(p.net.waits, 3);
    assert_in_range(p.net.waited, 7000, 10500);
    assert_true(p.last.requests < 12);
    phone_check(&p);
    fake_head(s);
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static void a_stream_that_is_not_there_is_gone_at_once(void **state)
{
    struct fake *s = fake_new("other", 1763712000);
    struct phone p = phone_new(s);

    (void)state;
    assert_int_equal(phone_sync(&p), SYNC_GONE);
    assert_int_equal(p.net.waits, 0);
    assert_int_equal(p.last.rounds, 1);
    phone_done(&p);
    fake_free(s);
}

static void a_catch_up_too_large_is_taken_as_objects(void **state)
{
    struct fake *s = a_server(500);
    struct phone p = phone_new(s);

    (void)state;
    p.encoding = WIRE_IDENTITY;
    p.net.catchup_max = 20000;
    assert_int_equal(phone_sync(&p), SYNC_BUSY); /* there is no index yet */
    assert_int_equal(p.last.wait, 60);
    fake_index(s);
    fake_edit(s, 3, "索引之后", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.net.waits, 0);

    fake_publish_some(s, 300); /* and more than fits behind the newest index */
    fake_head(s);
    assert_int_equal(phone_sync(&p), SYNC_BUSY);
    assert_int_equal(p.last.wait, 60);
    assert_int_equal(p.last.rounds, 2);
    fake_index(s);
    fake_head(s);
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static void another_range_than_the_one_asked_for_is_refused(void **state)
{
    struct fake *s = a_server(60);
    struct phone p = phone_new(s);
    struct sent sent = { 0 };

    (void)state;
    p.encoding = WIRE_IDENTITY;
    p.net.cut_at = 8000; /* only the catch-up is as long */
    p.net.wrong_range = true;
    p.net.spy = note_sent;
    p.net.spy_ctx = &sent;
    phone_must_sync(&p); /* what was held is dropped, and the whole fetched past caches */
    assert_int_equal(p.last.rounds, 2);
    assert_int_equal(p.last.records, 60);
    assert_true(sent.total > sent.most + 8000);
    phone_done(&p);
    fake_free(s);
}

static bool stop_at_once(void *ctx, const struct follow_progress *p)
{
    unsigned *left = ctx;

    (void)p;
    return (*left)-- == 0;
}

static void a_run_can_be_stopped_anywhere(void **state)
{
    struct fake *s = a_server(600);
    struct phone p = phone_new(s);
    struct follow_store store = memory_store_callbacks(p.store);
    struct follow_transport transport = fake_transport(&p.net);
    enum sync_rc rc = SYNC_CANCELLED;

    (void)state;
    for (unsigned ticks = 0; rc == SYNC_CANCELLED; ticks++) {
        unsigned left = ticks;
        struct follow_options options = { .stream = "main",
                                          .trust = p.trust,
                                          .encoding = WIRE_ZSTD,
                                          .progress = stop_at_once,
                                          .progress_ctx = &left };

        rc = follow_run(&p.err, &store, &transport, &options, &p.last);
        phone_check(&p);
        assert_true(ticks < 1000);
    }
    assert_int_equal(rc, SYNC_OK);
    phone_done(&p);
    fake_free(s);
}

static void a_full_store_keeps_what_it_had(void **state)
{
    struct fake *s = a_server(20);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    fake_publish_some(s, 5);
    fake_head(s);
    p.store->full = true;
    assert_int_equal(phone_sync(&p), SYNC_FULL);
    phone_check(&p);
    p.store->full = false;
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static void a_damaged_tree_is_noticed_and_fetched_anew(void **state)
{
    struct fake *s = a_server(200);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    p.store->now->tiles[0][3].nodes[5] ^=
        4; /* the short tile, so that it is part of the root as it stands */
    fake_publish_some(s, 5);
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    phone_done(&p);
    fake_free(s);
}

/* Answers everything alike, and goes on for as long as somebody listens. */
struct nuisance {
    int status;
    uint32_t retry_after;
    uint64_t sent, most;
};

static enum sync_rc nuisance_get(void *ctx, struct sync_err *e, struct follow_get *gets,
                                 size_t n)
{
    static const uint8_t noise[1000];
    struct nuisance *x = ctx;
    enum sync_rc rc = SYNC_OK;

    for (size_t i = 0; i < n; i++) {
        gets[i].status = x->status;
        gets[i].retry_after = x->retry_after;
        gets[i].err.rc = SYNC_OK;
        for (; !rc && x->sent < x->most; x->sent += sizeof noise)
            rc = gets[i].body(&gets[i], e, noise, sizeof noise);
    }
    return rc;
}

static enum sync_rc nuisance_wait(void *ctx, struct sync_err *e, uint32_t ms)
{
    (void)ctx, (void)e, (void)ms;
    return SYNC_OK;
}

static enum sync_rc sync_with(struct phone *p, struct nuisance *x, struct follow_result *out)
{
    struct follow_transport transport = { x, nuisance_get, nuisance_wait };
    struct follow_store store = memory_store_callbacks(p->store);
    struct follow_options options = { .stream = "main", .encoding = WIRE_ZSTD };
    struct sync_err e;

    return follow_run(&e, &store, &transport, &options, out);
}

static void a_refusal_without_an_end_is_not_listened_to(void **state)
{
    struct fake *s = a_server(3);
    struct phone p = phone_new(s);
    struct nuisance x = { .status = 500, .most = 100 << 20 };
    struct follow_result r;

    (void)state;
    assert_int_equal(sync_with(&p, &x, &r), SYNC_NET);
    assert_true(x.sent < 1 << 20);
    phone_done(&p);
    fake_free(s);
}

static void nobody_unsigned_sends_a_reader_away_for_more_than_a_day(void **state)
{
    struct fake *s = a_server(3);
    struct phone p = phone_new(s);
    struct nuisance x = { .status = 503, .retry_after = UINT32_MAX };
    struct follow_result r;

    (void)state;
    assert_int_equal(sync_with(&p, &x, &r), SYNC_BUSY);
    assert_int_equal(r.wait, FOLLOW_WAIT_MAX);
    phone_done(&p);
    fake_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_head_is_refused),
        cmocka_unit_test(a_body_cut_at_any_byte_is_continued),
        cmocka_unit_test(one_flipped_bit_is_mended_by_one_clean_refetch),
        cmocka_unit_test(what_is_gone_sends_back_to_the_head_but_not_for_ever),
        cmocka_unit_test(a_takedown_before_its_head_is_waited_out),
        cmocka_unit_test(a_head_that_never_fits_is_stale_and_not_an_unknown_stream),
        cmocka_unit_test(a_stream_that_is_not_there_is_gone_at_once),
        cmocka_unit_test(a_catch_up_too_large_is_taken_as_objects),
        cmocka_unit_test(another_range_than_the_one_asked_for_is_refused),
        cmocka_unit_test(a_run_can_be_stopped_anywhere),
        cmocka_unit_test(a_full_store_keeps_what_it_had),
        cmocka_unit_test(a_damaged_tree_is_noticed_and_fetched_anew),
        cmocka_unit_test(a_refusal_without_an_end_is_not_listened_to),
        cmocka_unit_test(nobody_unsigned_sends_a_reader_away_for_more_than_a_day),
    };

    return sodium_init() < 0 ? 1
                             : cmocka_run_group_tests_name("follow_faults", tests, NULL, NULL);
}
