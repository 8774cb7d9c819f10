/*
 * index_build_test.c - who builds the index, and when: workers follow the log, a purge waits for
 * nobody who builds at leisure, and no head is out of an index's reach.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "sync/cover.h"
#include "sync/index.h"
#include "tests/lib/index_world.h"

static void a_start_makes_what_is_missing(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h;

    index_world_fill(t, 150, BIG);
    index_world_build(t);
    sync_world_head(t);
    sync_world_stop(t);
    sync_world_shell(t, "rm objects/*/*.gz; for f in objects/*/*.zst; do echo >> $f; done");
    sync_world_start_with_workers(t);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    assert_true(head_values(t->live, &h));
    assert_index_takes_there(t, &h, 0);
}

/* Asks as a client does, until it is there; how often it was told to wait. */
static int ask_until_there(struct sync_world *t, const uint8_t hash[HASH_BYTES],
                           enum wire_encoding encoding)
{
    const char *p;
    size_t n;

    for (int i = 0; i < 600; i++) {
        enum rc rc = index_read(&t->w, t->live, hash, encoding, &p, &n);

        if (!rc)
            return i;
        assert_int_equal(rc, RC_BUSY);
        usleep(50000);
    }
    fail_msg("not within 30 s");
    return -1;
}

static void a_superseded_file_is_made_again_when_asked_for(void **state)
{
    struct sync_world *t = *state;
    struct wire_head old, h;
    struct index_list list;

    index_world_fill(t, 20, 500);
    index_world_build(t);
    old = sync_world_head(t);
    list = index_world_list(t, &old);
    clock_set(SYNC_NOW + 1000);
    index_world_fill(t, 60, 500);
    index_world_build(t);
    h = sync_world_head(t);
    for (size_t i = 0; i < index_world_list(t, &h).n; i++)
        assert_memory_not_equal(index_world_list(t, &h).object[i].hash, list.object[0].hash,
                                HASH_BYTES);
    sync_world_stop(t);
    sync_world_start_with_workers(t);
    sync_world_shell(t,
                     "(find objects -type f | sort | xargs sha256sum) > before; rm -r objects");
    assert_true(ask_until_there(t, list.object[0].hash, WIRE_ZSTD) > 0);
    assert_true(ask_until_there(t, list.object[0].hash, WIRE_IDENTITY) > 0);
    sync_world_shell(t, "! find objects -type f ! -name '*.tmp' | xargs sha256sum | "
                        "grep -vFxf before");
    /* What is in use may have been made by the build of the start already. */
    ask_until_there(t, index_world_list(t, &h).object[0].hash, WIRE_GZIP);
}

/* Ticks start builds; real time passes. */
static struct wire_head wait_for(struct sync_world *t, uint64_t seq, uint64_t index_seq)
{
    struct wire_head h = { 0 };

    for (int i = 0; i < 2000; i++) {
        bool any = head_values(t->live, &h);

        if (any && h.seq >= seq && h.has_index && index_world_list(t, &h).seq >= index_seq)
            return h;
        usleep(10000);
    }
    fail_msg("the head stays at %d", (int)h.seq);
    return h;
}

static void workers_follow_the_log(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    sync_world_stop(t);
    t->conf.index_changes = 32;
    sync_world_start_with_workers(t);
    for (int i = 0; i < 300; i++)
        sync_world_random_change(t, 30000);
    clock_set(SYNC_NOW + 5); /* the debounce is over */
    h = wait_for(t, 300, 300 - 32);
    assert_index_takes_there(t, &h, 0);
    assert_index_takes_there(t, &h, 150);
}

/*
 * Two jobs that keep both workers from everything else. A worker may look at them long after they were let go, and
 * also when the test has failed: so they stand on no stack.
 */
static atomic_bool held;

static void hold(struct pool_job *job, struct db *db)
{
    (void)job, (void)db;
    while (atomic_load(&held))
        usleep(1000);
}

static void hold_workers(struct sync_world *t)
{
    static struct pool_job jobs[2];

    atomic_store(&held, true);
    for (int i = 0; i < 2; i++) {
        jobs[i] = (struct pool_job){ .run = hold };
        assert_true(pool_submit(t->workers, &jobs[i]));
    }
}

static int let_go_and_tear_down(void **state)
{
    atomic_store(&held, false);
    return sync_world_tear_down(state);
}

/* What holds the text is gone at once, and nobody's first sync waits for who builds at leisure. */
static void what_a_purge_waits_for_is_built_by_others(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h, before;

    index_world_fill(t, 20, 500);
    index_world_build(t);
    before = sync_world_head(t);
    sync_world_stop(t);
    sync_world_start_with_both(t);
    hold_workers(t);
    sync_world_take_down(t, 7);
    do
        assert_true(head_values(t->live, &h));
    while (!memcmp(h.index, before.index, HASH_BYTES) && !usleep(10000));
    atomic_store(&held, false);
    assert_index_takes_there(t, &h, 0);
}

/* As long as text is, and as hard to compress. */
static void put_prose(struct sync_world *t, uint64_t born)
{
    char *text = arena_alloc(t->mem, BIG / 4);

    for (int n = 0; n < BIG / 4;) {
        uint32_t word = 2654435761u * (sync_world_random(t, 64) * sync_world_random(t, 64));

        for (int k = 0; k < 6 && n < BIG / 4; k++)
            text[n++] = (char)('a' + (word >> k * 4) % 16);
    }
    sync_world_put_bytes(t, born, text, BIG / 4);
}

/* Seconds of compression to join what was made in a hurry, and a purge in their midst. */
static void a_purge_stops_what_is_compressed_at_leisure(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h, before;
    int64_t built, waited;

    for (int i = 0; i < 400; i++)
        put_prose(t, t->items);
    sync_world_put_often(t, 399, WIRE_CATCHUP_MAX * 3 / 4);
    index_world_build(t);
    before = sync_world_head(t);
    assert_in_range(index_world_list(t, &before).n, 3, 9);
    sync_world_stop(t);
    sync_world_start_with_both(t);
    usleep(200000); /* the first tick begins to join them, and is not through */
    built = metric_get(METRIC_packs_built);
    waited = clock_mono_us();
    sync_world_take_down(t, 0);
    do
        assert_true(head_values(t->live, &h));
    while (!memcmp(h.index, before.index, HASH_BYTES) && !usleep(2000));
    built = metric_get(METRIC_packs_built) - built;
    print_message("again after %lld ms\n", (long long)(clock_mono_us() - waited) / 1000);
    assert_in_range(built, 1, 2); /* the base that held it, and the tombstone */
    assert_index_takes_there(t, &h, 0);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    h = sync_world_head(t);
    assert_in_range(index_world_list(t, &h).n, 1,
                    3); /* joined, then, and the tombstone's layer */
    assert_index_takes_there(t, &h, 0);
}

static void what_was_taken_down_is_in_no_object(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h;
    struct index_list old;

    index_world_fill(t, 20, 500);
    index_world_build(t);
    h = sync_world_head(t);
    old = index_world_list(t, &h);
    sync_world_take_down(t, 7);
    sync_world_head(t);
    assert_int_equal(index_world_ask(t, old.object[0].hash), RC_GONE);
    sync_world_stop(t); /* the process ends before the objects are made again */
    sync_world_start_with_workers(t);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.cut, 1);
    assert_int_equal(index_world_ask(t, old.object[0].hash), RC_GONE);
    assert_index_takes_there(t, &h, 0);
    assert_index_takes_there(t, &h, 20);
}

static void settling_waits_until_everything_is_readable(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h;
    int64_t stored;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    index_world_fill(t, 400, BIG / 4);
    for (int i = 0; i < 9; i++)
        sync_world_burst(t, 500, 300);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, t->seq);
    assert_true(h.has_index && index_world_list(t, &h).seq + 1024 > h.seq);
    assert_index_takes_there(t, &h, 0);
    /* Nothing more happens by itself. */
    stored = sync_world_number(t, "SELECT count(*) FROM sync_object");
    usleep(300000);
    assert_int_equal(sync_world_number(t, "SELECT count(*) FROM sync_object"), stored);
}

/* 5,000 changes, and a head after every 500. */
static struct wire_head run_away(struct sync_world *t)
{
    struct wire_head h = { 0 };

    for (int i = 0; i < 10; i++) {
        sync_world_burst(t, 500, 300);
        clock_set(SYNC_NOW + 10 + i);
        h = sync_world_head(t);
    }
    return h;
}

static void a_head_waits_for_the_index_when_the_log_runs_away(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    hold_workers(t);
    h = run_away(t);
    assert_int_equal(t->seq, 5000);
    assert_int_equal(h.seq, 4000); /* whom cursor 0 can still reach */
    assert_false(h.has_index);
    clock_set(SYNC_NOW + 2000); /* it is renewed all the same */
    h = sync_world_next_head(t, &h);
    assert_int_equal(h.seq, 4000);
    atomic_store(&held, false);
    h = wait_for(t, 5000, 5000);
    assert_index_takes_there(t, &h, 0);
    assert_index_takes_there(t, &h, 4000);
}

/* An older head would name a cut that nobody can catch up to any more. */
static void a_takedown_waits_for_no_index(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    hold_workers(t);
    index_world_fill(t, 2, 100);
    sync_world_put_often(t, 0, WIRE_CATCHUP_MAX + 10);
    h = sync_world_head(t);
    assert_true(h.seq <= WIRE_CATCHUP_MAX);
    sync_world_take_down(t, 1);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, t->seq);
    assert_int_equal(h.cut, 1);
    atomic_store(&held, false);
    while (!h.has_index)
        h = sync_world_next_head(t, &h);
    assert_index_takes_there(t, &h, 0);
}

static void a_server_that_stops_signs_nothing_out_of_reach(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h;
    const char *p;
    size_t n;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    sync_stop();
    h = run_away(t);
    assert_int_equal(h.seq, 4000);
    sync_world_stop(t);
    sync_world_start_with_workers(t);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 4000);
    /* Its tree was never kept, only the one of 5,000: a reader who asks comes again, and then there is the next head. */
    assert_int_equal(cover_read(live_covers(t->live), &e, t->mem, h.epoch, 4000, &p, &n),
                     RC_NOT_FOUND);
    assert_int_equal(sync_settle(&e, false, 60000), RC_OK);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 5000);
    assert_int_equal(cover_read(live_covers(t->live), &e, t->mem, h.epoch, 5000, &p, &n),
                     RC_OK);
    assert_index_takes_there(t, &h, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, let_go_and_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_start_makes_what_is_missing),
        TEST(a_superseded_file_is_made_again_when_asked_for),
        TEST(workers_follow_the_log),
        TEST(what_a_purge_waits_for_is_built_by_others),
        TEST(a_purge_stops_what_is_compressed_at_leisure),
        TEST(what_was_taken_down_is_in_no_object),
        TEST(settling_waits_until_everything_is_readable),
        TEST(a_head_waits_for_the_index_when_the_log_runs_away),
        TEST(a_takedown_waits_for_no_index),
        TEST(a_server_that_stops_signs_nothing_out_of_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
