/*
 * index_test.c - objects and index: together they are the state; what did not change is not
 * made again; a crash leaves nothing wrong.
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
#include "sync/catchup.h"
#include "sync/cover.h"
#include "sync/index.h"
#include "sync/object.h"
#include "tests/lib/sync_world.h"

enum { BIG = 60000, OBJECTS_MAX = 32 };

struct list {
    uint64_t seq;
    struct wire_object object[OBJECTS_MAX];
    size_t n;
};

static void build(struct sync_world *t)
{
    struct err e = { 0 };

    if (index_build(t->live, &e, t->w.db))
        fail_msg("%s", e.text);
}

static const char *object(struct sync_world *t, const uint8_t hash[HASH_BYTES],
                          enum wire_encoding encoding, size_t *n)
{
    const char *p;
    uint8_t found[HASH_BYTES];

    if (object_read(&t->w, t->dir, hash, encoding, &p, n))
        fail_msg("%s", t->w.err.text);
    p = sync_world_decode(t, encoding, p, *n, n);
    sha256(p, *n, found);
    assert_memory_equal(found, hash, HASH_BYTES);
    return p;
}

static struct list read_list(struct sync_world *t, const struct wire_head *h)
{
    struct list list = { 0 };
    struct wire_lines lines;
    struct sync_err e = { 0 };
    bool more = true;
    size_t n;
    const char *text;

    assert_true(h->has_index);
    text = object(t, h->index, WIRE_IDENTITY, &n);
    assert_int_equal(wire_index_begin(&e, text, n, &lines), SYNC_OK);
    while (more) {
        assert_int_equal(wire_index_next(&e, &lines, &list.object[list.n], &more), SYNC_OK);
        list.n += more;
    }
    list.seq = lines.seq;
    return list;
}

/* What a reader at `cursor` does: the objects above it, then one catch-up. */
static void assert_takes_there(struct sync_world *t, const struct wire_head *h, uint64_t cursor)
{
    struct list list = read_list(t, h);
    struct state held, want;
    uint64_t base = cursor > list.seq ? cursor : list.seq;
    struct wire_url u = { .kind = WIRE_URL_LOG,
                          .epoch = h->epoch,
                          .cut = h->cut,
                          .from = wire_catchup_from(base, h->seq),
                          .to = h->seq };
    const char *p;
    size_t n;

    sync_world_state(t, cursor, &held);
    sync_world_state(t, h->seq, &want);
    for (size_t i = 0; i < list.n; i++)
        if (list.object[i].highest_seq > cursor) {
            p = object(t, list.object[i].hash, (enum wire_encoding)(i % 3), &n);
            assert_int_equal(n, list.object[i].bytes);
            state_apply(&held, p, n);
        }
    if (base < h->seq) {
        assert_int_equal(catchup_make(&t->w, t->live, &u, &p, &n), RC_OK);
        state_apply(&held, p, n);
    }
    assert_true(state_equal(&held, &want));
}

static void fill(struct sync_world *t, uint64_t items, size_t bytes)
{
    while (t->items < items)
        sync_world_put(t, t->items, bytes);
}

static void index_and_catchup_are_the_state(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    fill(t, 200, BIG);
    for (int i = 0; i < 50; i++)
        sync_world_random_change(t, 2000);
    build(t);
    h = sync_world_head(t);
    assert_takes_there(t, &h, 0);
    for (int i = 0; i < 30; i++)
        sync_world_random_change(t, 2000);
    h = sync_world_head(t);
    assert_int_equal(read_list(t, &h).seq, 250);
    for (uint32_t i = 0; i < 20; i++)
        assert_takes_there(t, &h, sync_world_random(t, 280));
}

static void full_bases_lie_behind_each_other_and_the_rest_is_a_layer(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct list list;
    size_t bases = 0;

    fill(t, 300, BIG);
    build(t);
    h = sync_world_head(t);
    list = read_list(t, &h); /* 18 MB */
    for (; list.object[bases].kind == WIRE_BASE; bases++) {
        const struct wire_object *o = &list.object[bases];

        assert_int_equal(o->first_born, bases ? o[-1].last_born + 1 : 0);
        assert_in_range(o->bytes, 3 << 20, 4 << 20);
        assert_int_equal((o->last_born + 1) % 64, 0);
    }
    assert_in_range(bases, 4, 5);
    assert_int_equal(list.n, bases + 1);
    assert_int_equal(list.object[bases].first_born, list.object[bases - 1].last_born + 1);
    assert_int_equal(list.object[bases].last_born, 299);
}

static void changes_stand_in_a_layer_and_bases_stay(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct list before, after;
    uint64_t bytes = 0;

    fill(t, 256, BIG);
    build(t);
    h = sync_world_head(t);
    before = read_list(t, &h);
    assert_int_equal(before.n, 4);
    sync_world_put(t, 70, 100);
    sync_world_withdraw(t, 200);
    fill(t, 260, 1000);
    build(t);
    h = sync_world_head(t);
    after = read_list(t, &h);
    assert_int_equal(after.n, 5);
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(before.object[i].hash, after.object[i].hash, HASH_BYTES);
    assert_int_equal(after.object[4].kind, WIRE_LAYER);
    assert_takes_there(t, &h, 0);
    assert_takes_there(t, &h, before.seq);
    for (size_t i = 0; i < after.n; i++)
        bytes += after.object[i].highest_seq > before.seq ? after.object[i].bytes : 0;
    assert_in_range(bytes, 4000, 6000); /* what changed, and no base */
}

static void a_base_that_changed_too_much_is_rewritten(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct list before, after;

    fill(t, 256, BIG);
    build(t);
    h = sync_world_head(t);
    before = read_list(t, &h);
    for (uint64_t i = 64; i < 80; i++)
        sync_world_put(t, i, BIG);
    build(t);
    h = sync_world_head(t);
    after = read_list(t, &h);
    assert_int_equal(after.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(!memcmp(before.object[i].hash, after.object[i].hash, HASH_BYTES),
                         i != 1);
    assert_takes_there(t, &h, 0);
    assert_takes_there(t, &h, before.seq + 3);
}

static void random_histories_stay_readable_from_any_cursor(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    for (int round = 0; round < 12; round++) {
        for (uint32_t i = 10 + sync_world_random(t, 30); i-- > 0;)
            sync_world_random_change(t, round % 3 ? 120000 : 2000);
        build(t);
        for (uint32_t i = sync_world_random(t, 20); i-- > 0;)
            sync_world_random_change(t, 3000);
        h = sync_world_head(t);
        assert_takes_there(t, &h, 0);
        assert_takes_there(t, &h, sync_world_random(t, (uint32_t)h.seq));
    }
}

static void nothing_new_makes_nothing_new(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;

    fill(t, 100, 500);
    build(t);
    before = sync_world_head(t);
    build(t);
    after = sync_world_head(t);
    assert_int_equal(before.sign, after.sign);
    assert_memory_equal(before.index, after.index, HASH_BYTES);
}

static void a_crash_before_the_index_is_stored_leaves_usable_files(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    fill(t, 150, BIG);
    build(t);
    sync_world_head(t);
    sync_world_stop(t);
    /* The files are there, the transaction that names them is not. */
    sync_world_sql(t, "UPDATE stream SET index_seq = 0, index_hash = NULL");
    sync_world_sql(t, "DELETE FROM sync_object WHERE kind = 'index'");
    sync_world_sql(t, "DELETE FROM head WHERE note NOT LIKE '%index -%'");
    sync_world_shell(t, "ls -i --full-time objects/* > before");
    sync_world_start(t);
    build(t);
    h = sync_world_head(t);
    sync_world_shell(t, "ls -i --full-time objects/* > after; cmp before after");
    assert_takes_there(t, &h, 0);
}

static void what_a_crash_left_behind_is_swept(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    fill(t, 20, 500);
    sync_world_shell(t, "mkdir -p objects/ab; for s in '' .gz .zst; do "
                        "echo x > objects/ab/ab$(printf '%062d' 7)$s; done; "
                        "echo x > objects/ab/ab$(printf '%062d' 8).zst.77-0.tmp");
    build(t);
    h = sync_world_head(t);
    sync_world_shell(t, "test $(find objects -type f | wc -l) = 3");
    assert_takes_there(t, &h, 0);
}

static enum rc ask(struct sync_world *t, const uint8_t hash[HASH_BYTES])
{
    const char *p;
    size_t n;

    return object_read(&t->w, t->dir, hash, WIRE_ZSTD, &p, &n);
}

static void a_missing_file_is_made_again(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, h;
    struct list list;

    fill(t, 150, BIG);
    build(t);
    before = sync_world_head(t);
    list = read_list(t, &before);
    sync_world_shell(t,
                     "(find objects -type f | sort | xargs sha256sum) > before; rm -r objects");
    assert_int_equal(ask(t, list.object[0].hash), RC_BUSY);
    build(t);
    sync_world_shell(t, "(find objects -type f | sort | xargs sha256sum) | cmp - before");
    h = sync_world_head(t);
    assert_memory_equal(h.index, before.index, HASH_BYTES);
    assert_takes_there(t, &h, 0);
}

static void a_start_makes_what_is_missing(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h;

    fill(t, 150, BIG);
    build(t);
    sync_world_head(t);
    sync_world_stop(t);
    sync_world_shell(t, "rm objects/*/*.gz; for f in objects/*/*.zst; do echo >> $f; done");
    sync_world_start_with_workers(t);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    assert_true(head_values(t->live, &h));
    assert_takes_there(t, &h, 0);
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
    struct list list;

    fill(t, 20, 500);
    build(t);
    old = sync_world_head(t);
    list = read_list(t, &old);
    clock_set(SYNC_NOW + 1000);
    fill(t, 60, 500);
    build(t);
    h = sync_world_head(t);
    for (size_t i = 0; i < read_list(t, &h).n; i++)
        assert_memory_not_equal(read_list(t, &h).object[i].hash, list.object[0].hash,
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
    ask_until_there(t, read_list(t, &h).object[0].hash, WIRE_GZIP);
}

static void superseded_objects_stay_a_week_and_are_gone_for_ever(void **state)
{
    struct sync_world *t = *state;
    const uint8_t stranger[HASH_BYTES] = { 1 };
    struct wire_head h, old;
    struct list list;

    fill(t, 20, 500);
    build(t);
    old = sync_world_head(t);
    list = read_list(t, &old);
    clock_set(SYNC_NOW + 1000);
    fill(t, 60, 500); /* as much again: the layers become one */
    build(t);
    clock_set(SYNC_NOW + 6 * 86400);
    sync_world_put(t, 3, 100);
    build(t);
    assert_int_equal(ask(t, list.object[0].hash), RC_OK);
    assert_int_equal(ask(t, old.index), RC_OK);
    clock_set(SYNC_NOW + 9 * 86400);
    sync_world_put(t, 3, 100);
    build(t);
    assert_int_equal(ask(t, list.object[0].hash), RC_GONE);
    assert_int_equal(ask(t, old.index), RC_GONE);
    assert_int_equal(ask(t, stranger), RC_NOT_FOUND);
    sync_world_stop(t);
    sync_world_start(t);
    assert_int_equal(ask(t, list.object[0].hash), RC_GONE);
    h = sync_world_head(t);
    assert_takes_there(t, &h, 0);
}

/* Ticks start builds; real time passes. */
static struct wire_head wait_for(struct sync_world *t, uint64_t seq, uint64_t index_seq)
{
    struct wire_head h = { 0 };

    for (int i = 0; i < 2000; i++) {
        bool any = head_values(t->live, &h);

        if (any && h.seq >= seq && h.has_index && read_list(t, &h).seq >= index_seq)
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
    assert_takes_there(t, &h, 0);
    assert_takes_there(t, &h, 150);
}

static void settling_waits_until_everything_is_readable(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h;
    int64_t stored;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    fill(t, 400, BIG / 4);
    for (int i = 0; i < 9; i++)
        sync_world_burst(t, 500, 300);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, t->seq);
    assert_true(h.has_index && read_list(t, &h).seq + 1024 > h.seq);
    assert_takes_there(t, &h, 0);
    /* Nothing more happens by itself. */
    stored = sync_world_number(t, "SELECT count(*) FROM sync_object");
    usleep(300000);
    assert_int_equal(sync_world_number(t, "SELECT count(*) FROM sync_object"), stored);
}

static void what_was_taken_down_is_in_no_object(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    struct wire_head h;
    struct list old;

    fill(t, 20, 500);
    build(t);
    h = sync_world_head(t);
    old = read_list(t, &h);
    sync_world_take_down(t, 7);
    sync_world_head(t);
    assert_int_equal(ask(t, old.object[0].hash), RC_GONE);
    sync_world_stop(t); /* the process ends before the objects are made again */
    sync_world_start_with_workers(t);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.cut, 1);
    assert_int_equal(ask(t, old.object[0].hash), RC_GONE);
    assert_takes_there(t, &h, 0);
    assert_takes_there(t, &h, 20);
}

struct block {
    struct pool_job job;
    atomic_bool *held;
};

static void hold(struct pool_job *job, struct db *db)
{
    (void)db;
    while (atomic_load(((struct block *)job)->held))
        usleep(1000);
}

/* What holds the text is gone at once, and nobody's first sync waits for who builds at leisure. */
static void what_a_purge_waits_for_is_built_by_others(void **state)
{
    struct sync_world *t = *state;
    static atomic_bool held = true;
    static struct block block[2] = { { { .run = hold }, &held }, { { .run = hold }, &held } };
    struct wire_head h, before;

    fill(t, 20, 500);
    build(t);
    before = sync_world_head(t);
    sync_world_stop(t);
    sync_world_start_with_both(t);
    for (int i = 0; i < 2; i++)
        assert_true(pool_submit(t->workers, &block[i].job));
    sync_world_take_down(t, 7);
    do
        assert_true(head_values(t->live, &h));
    while (!memcmp(h.index, before.index, HASH_BYTES) && !usleep(10000));
    atomic_store(&held, false);
    assert_takes_there(t, &h, 0);
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
    build(t);
    before = sync_world_head(t);
    assert_in_range(read_list(t, &before).n, 3, 9);
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
    assert_takes_there(t, &h, 0);
    assert_int_equal(sync_settle(&e, true, 60000), RC_OK);
    h = sync_world_head(t);
    assert_in_range(read_list(t, &h).n, 1, 3); /* joined, then, and the tombstone's layer */
    assert_takes_there(t, &h, 0);
}

static void a_head_waits_for_the_index_when_the_log_runs_away(void **state)
{
    struct sync_world *t = *state;
    atomic_bool held = true;
    struct block block[2] = { { { .run = hold }, &held }, { { .run = hold }, &held } };
    struct wire_head h;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    assert_true(pool_submit(t->workers, &block[0].job));
    assert_true(pool_submit(t->workers, &block[1].job));
    for (int i = 0; i < 10; i++) {
        sync_world_burst(t, 500, 300);
        clock_set(SYNC_NOW + 10 + i);
        h = sync_world_head(t);
    }
    assert_int_equal(t->seq, 5000);
    assert_int_equal(h.seq, 4000); /* whom cursor 0 can still reach */
    assert_false(h.has_index);
    clock_set(SYNC_NOW + 2000); /* it is renewed all the same */
    h = sync_world_next_head(t, &h);
    assert_int_equal(h.seq, 4000);
    atomic_store(&held, false);
    h = wait_for(t, 5000, 5000);
    assert_takes_there(t, &h, 0);
    assert_takes_there(t, &h, 4000);
}

/* An older head would name a cut that nobody can catch up to any more. */
static void a_takedown_waits_for_no_index(void **state)
{
    struct sync_world *t = *state;
    atomic_bool held = true;
    struct block block[2] = { { { .run = hold }, &held }, { { .run = hold }, &held } };
    struct wire_head h;

    sync_world_stop(t);
    sync_world_start_with_workers(t);
    for (int i = 0; i < 2; i++)
        assert_true(pool_submit(t->workers, &block[i].job));
    fill(t, 2, 100);
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
    assert_takes_there(t, &h, 0);
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
    for (int i = 0; i < 10; i++) {
        sync_world_burst(t, 500, 300);
        clock_set(SYNC_NOW + 10 + i);
        h = sync_world_head(t);
    }
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
    assert_takes_there(t, &h, 0);
}

static void what_was_made_in_a_hurry_is_joined_later(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    struct list hurried, joined;

    fill(t, 500, BIG / 4);
    sync_world_put_often(t, 0, 3000); /* so far behind, there is a hurry */
    build(t);
    h = sync_world_head(t);
    hurried = read_list(t, &h);
    sync_world_put(t, 0, 100);
    build(t);
    h = sync_world_head(t);
    joined = read_list(t, &h);
    assert_true(joined.n < hurried.n);
    assert_int_equal(hurried.object[hurried.n - 1].kind, WIRE_LAYER);
    for (size_t i = 0; i < joined.n; i++) /* what was behind the last base too */
        assert_int_equal(joined.object[i].kind, WIRE_BASE);
    assert_takes_there(t, &h, 0);
}

static void the_index_survives_a_restart(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before, after;

    fill(t, 20, 500);
    build(t);
    before = sync_world_head(t);
    sync_world_stop(t);
    sync_world_start(t);
    after = sync_world_head(t);
    assert_int_equal(before.sign, after.sign);
    assert_memory_equal(before.index, after.index, HASH_BYTES);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(index_and_catchup_are_the_state),
        TEST(full_bases_lie_behind_each_other_and_the_rest_is_a_layer),
        TEST(changes_stand_in_a_layer_and_bases_stay),
        TEST(a_base_that_changed_too_much_is_rewritten),
        TEST(random_histories_stay_readable_from_any_cursor),
        TEST(nothing_new_makes_nothing_new),
        TEST(a_crash_before_the_index_is_stored_leaves_usable_files),
        TEST(what_a_crash_left_behind_is_swept),
        TEST(a_missing_file_is_made_again),
        TEST(a_start_makes_what_is_missing),
        TEST(a_superseded_file_is_made_again_when_asked_for),
        TEST(superseded_objects_stay_a_week_and_are_gone_for_ever),
        TEST(workers_follow_the_log),
        TEST(what_a_purge_waits_for_is_built_by_others),
        TEST(a_purge_stops_what_is_compressed_at_leisure),
        TEST(what_was_taken_down_is_in_no_object),
        TEST(settling_waits_until_everything_is_readable),
        TEST(a_head_waits_for_the_index_when_the_log_runs_away),
        TEST(a_takedown_waits_for_no_index),
        TEST(a_server_that_stops_signs_nothing_out_of_reach),
        TEST(what_was_made_in_a_hurry_is_joined_later),
        TEST(the_index_survives_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
