/*
 * head_test.c - what is signed, when, and that it never goes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/store/writer.h"
#include "sync/keys.h"
#include "sync/verify.h"
#include "tests/lib/sync_world.h"

static const char *note_now(struct sync_world *t, size_t *n)
{
    const char *note, *etag;
    struct err e;

    assert_int_equal(head_now(t->live, &e, t->mem, &note, n, &etag), RC_OK);
    return note;
}

/* What a phone does: from the trusted platform key to the head. */
static void assert_verifies(struct sync_world *t)
{
    char trust_hex[HASH_TEXT], role[64];
    uint8_t trust[HASH_BYTES];
    struct verify_key key;
    struct wire_head h;
    struct wire_note note;
    struct sync_err e;
    size_t keys_n, n;
    const char *keys = keys_chain(sync_keys(), t->mem, &keys_n), *text = note_now(t, &n);

    assert_true(hex_parse(keys_trust(sync_keys(), trust_hex), 64, trust, sizeof trust));
    strcpy(role, "stream:main");
    assert_int_equal(verify_keys_current(&e, keys, keys_n, trust, role, &key), SYNC_OK);
    assert_int_equal(wire_head_parse(&e, text, n, &h, &note), SYNC_OK);
    assert_int_equal(verify_note(&e, text, &note, &key), SYNC_OK);
}

static void a_new_server_shows_a_signed_empty_state(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h = sync_world_head(t);
    uint8_t root[HASH_BYTES];

    assert_verifies(t);
    sha256("", 0, root);
    assert_int_equal(h.epoch, SYNC_NOW);
    assert_int_equal(h.seq, 0);
    assert_int_equal(h.size, 0);
    assert_memory_equal(h.root, root, HASH_BYTES);
    assert_false(h.has_index);
}

static void a_head_with_two_signatures_stays_below_800_bytes(void **state)
{
    struct wire_head h = { .epoch = 1763712000,
                           .seq = 999999999,
                           .sign = 999,
                           .time = 1763712000,
                           .lease = 86400,
                           .poll = 3600,
                           .cut = 99999,
                           .size = 999999999,
                           .has_index = true };
    char text[WIRE_HEAD_MAX];
    struct sync_err se;
    struct err e;
    size_t n;

    (void)state;
    memset(h.stream, 'x', WIRE_STREAM_MAX);
    assert_int_equal(wire_head_print(&se, &h, text, &n), SYNC_OK);
    assert_int_equal(keys_sign(sync_keys(), &e, "main", text, &n), RC_OK);
    assert_int_equal(keys_sign(sync_keys(), &e, "main", text, &n), RC_OK);
    assert_true(n < 800);
}

static void the_first_change_is_shown_at_once_and_the_next_after_the_debounce(void **state)
{
    struct sync_world *t = *state;
    struct wire_head first, h;

    clock_set(SYNC_NOW + 10);
    sync_world_put(t, 0, 100);
    assert_true(head_values(t->live, &first));
    assert_int_equal(first.seq, 1);
    sync_world_put(t, 1, 100);
    sync_world_put(t, 0, 100);
    usleep(200000); /* some ticks, in which no time passes */
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 1);
    clock_set(SYNC_NOW + 11);
    h = sync_world_next_head(t, &first);
    assert_int_equal(h.seq, 3);
    assert_int_equal(h.sign, 1);
    assert_verifies(t);
}

/* The clock stands still, so nothing here is a debounce that has passed. */
static void what_takes_away_is_shown_before_the_command_is_answered(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    clock_set(SYNC_NOW + 10);
    for (uint64_t i = 0; i < 3; i++)
        sync_world_put(t, i, 100);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 1);
    sync_world_withdraw(t, 0);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 4);
    assert_int_equal(h.cut, 0);
    sync_world_put(t, 1, 50);
    sync_world_take_down(t, 1);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 6);
    assert_int_equal(h.cut, 1);
    assert_verifies(t);
}

static void many_taken_down_together_make_one_head(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    int64_t before;

    for (uint64_t i = 0; i < 9; i++)
        sync_world_put(t, i, 100);
    before = metric_get(METRIC_heads_signed);
    sync_world_take_down_all(t, 9);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 18);
    assert_int_equal(h.cut, 9);
    assert_int_equal(metric_get(METRIC_heads_signed), before + 1);
}

static void the_root_is_that_of_the_records(void **state)
{
    struct sync_world *t = *state;
    struct state s;
    struct wire_head h;
    uint8_t root[HASH_BYTES];

    for (int i = 0; i < 150; i++)
        sync_world_random_change(t, 300);
    h = sync_world_head(t);
    sync_world_state(t, h.seq, &s);
    state_root(&s, root);
    assert_int_equal(h.seq, t->seq);
    assert_int_equal(h.size, s.size);
    assert_memory_equal(h.root, root, HASH_BYTES);
}

static void it_is_signed_anew_every_quarter_of_the_lease(void **state)
{
    struct sync_world *t = *state;
    struct wire_head first, h;

    sync_world_put(t, 0, 100);
    first = sync_world_head(t);
    clock_set((int64_t)first.time + 899);
    usleep(200000);
    h = sync_world_head(t);
    assert_int_equal(h.sign, first.sign);
    clock_set((int64_t)first.time + 900);
    h = sync_world_next_head(t, &first);
    assert_int_equal(h.seq, first.seq);
    assert_int_equal(h.sign, first.sign + 1);
    assert_int_equal(h.time, first.time + 900);
    assert_memory_equal(h.root, first.root, HASH_BYTES);
}

static void its_time_does_not_go_back_when_the_clock_does(void **state)
{
    struct sync_world *t = *state;
    struct wire_head first = sync_world_head(t), h;

    clock_set(SYNC_NOW - 86400);
    sync_world_put(t, 0, 100);
    h = sync_world_head(t);
    assert_int_equal(h.seq, 1);
    assert_int_equal(h.time, first.time);
    sync_world_stop(t);
    sync_world_start(t);
    sync_world_put(t, 0, 100);
    h = sync_world_head(t);
    assert_int_equal(h.seq, 2);
    assert_int_equal(h.time, first.time);
}

static void a_restart_serves_the_stored_head(void **state)
{
    struct sync_world *t = *state;
    const char *before, *after;
    size_t before_n, after_n;

    for (int i = 0; i < 70; i++)
        sync_world_put(t, (uint64_t)i, 50);
    sync_world_head(t);
    before = note_now(t, &before_n);
    sync_world_stop(t);
    sync_world_start(t);
    after = note_now(t, &after_n);
    assert_int_equal(before_n, after_n);
    assert_memory_equal(before, after, before_n);
    /* And goes on from there. */
    sync_world_put(t, 3, 50);
    assert_int_equal(sync_world_head(t).seq, 71);
}

static void a_log_that_is_ahead_of_its_head_is_signed_at_the_start(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    sync_world_put(t, 0, 100);
    h = sync_world_head(t);
    sync_world_put(t, 1, 100); /* within the debounce */
    sync_world_stop(t);
    sync_world_start(t);
    assert_true(head_values(t->live, &h));
    assert_int_equal(h.seq, 2);
    assert_verifies(t);
}

static void its_twin_is_the_same_for_ever(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;
    const char *note, *twin;
    size_t n, twin_n;

    sync_world_put(t, 0, 100);
    h = sync_world_head(t);
    note = note_now(t, &n);
    sync_world_put(t, 0, 200);
    sync_world_head(t);
    assert_int_equal(head_twin(&t->w, t->live, h.epoch, h.seq, h.sign, &twin, &twin_n), RC_OK);
    assert_int_equal(n, twin_n);
    assert_memory_equal(note, twin, n);
    assert_int_equal(head_twin(&t->w, t->live, h.epoch, h.seq, 99, &twin, &twin_n),
                     RC_NOT_FOUND);
    assert_int_equal(head_twin(&t->w, t->live, h.epoch + 1, h.seq, h.sign, &twin, &twin_n),
                     RC_NOT_FOUND);
}

static void a_head_is_known_for_its_lease(void **state)
{
    struct sync_world *t = *state;
    struct wire_head first, now;

    sync_world_put(t, 0, 100);
    first = sync_world_head(t);
    clock_set(SYNC_NOW + 60);
    sync_world_put(t, 0, 100);
    now = sync_world_head(t);
    assert_int_equal(head_known(&t->w, t->live, first.epoch, first.seq), RC_OK);
    assert_int_equal(head_known(&t->w, t->live, first.epoch, now.seq + 1), RC_NOT_FOUND);
    assert_int_equal(head_known(&t->w, t->live, first.epoch + 1, first.seq), RC_NOT_FOUND);
    clock_set((int64_t)first.time + 3601);
    assert_int_equal(head_known(&t->w, t->live, first.epoch, first.seq), RC_NOT_FOUND);
    assert_int_equal(head_known(&t->w, t->live, now.epoch, now.seq), RC_OK);
}

static void old_heads_go_after_a_week_and_the_newest_stays(void **state)
{
    struct sync_world *t = *state;

    for (int i = 0; i < 5; i++) {
        sync_world_put(t, 0, 100);
        sync_world_head(t);
    }
    assert_true(sync_world_number(t, "SELECT count(*) FROM head") >= 5);
    sync_world_stop(t);
    clock_set(SYNC_NOW + 8 * 86400);
    sync_world_start(t);
    for (int i = 0; i < 2000 && sync_world_number(t, "SELECT count(*) FROM head") > 1; i++)
        usleep(10000);
    assert_int_equal(sync_world_number(t, "SELECT count(*) FROM head"), 1);
    assert_int_equal(sync_world_head(t).seq, 5);
}

static void a_directory_that_changed_is_signed(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h = sync_world_head(t);

    /* The site that the world made is in it. */
    assert_int_equal(
        sync_world_number(t, "SELECT count(*) FROM sync_object WHERE kind = 'directory'"), 2);
    assert_int_equal(h.seq, 0);
    assert_true(h.sign >= 2);
}

static void an_exchanged_stream_key_is_appended_to_the_chain(void **state)
{
    struct sync_world *t = *state;
    size_t before, after;

    sync_world_put(t, 0, 100);
    sync_world_head(t);
    keys_chain(sync_keys(), t->mem, &before);
    sync_world_stop(t);
    sync_world_shell(t, "rm keys/stream-main.key");
    sync_world_start(t);
    keys_chain(sync_keys(), t->mem, &after);
    assert_true(after > before);
    assert_verifies(t);
}

static void a_strange_platform_key_is_refused(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };

    sync_world_stop(t);
    sync_world_shell(t, "mv keys/platform.key keys/aside");
    assert_int_equal(sync_world_try_start(t, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "platform.key"));
    sync_world_shell(t, "mv keys/aside keys/platform.key");
    sync_world_start(t);
}

static void keys_are_for_us_alone(void **state)
{
    struct sync_world *t = *state;

    sync_world_shell(
        t, "test \"$(stat -c %a keys/platform.key keys/stream-main.key | sort -u)\" = 600");
}

static enum rc refuse(struct work *w, void *arg)
{
    (void)arg;
    return err_set(&w->err, RC_CONFLICT, "no");
}

static void what_is_rolled_back_is_not_signed(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before = sync_world_head(t), after;
    struct work w;

    work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
    assert_int_equal(writer_call(&w, refuse, NULL), RC_CONFLICT);
    arena_free(w.mem);
    after = sync_world_head(t);
    assert_int_equal(after.seq, before.seq);
    assert_int_equal(after.sign, before.sign);
}

static enum rc sign(struct work *w, void *arg)
{
    return head_sign(w, ((struct sync_world *)arg)->live, true);
}

static enum rc sign_twice(struct work *w, void *arg)
{
    enum rc rc = sign(w, arg);

    return rc ? rc : sign(w, arg);
}

static void two_signings_in_one_transaction_get_two_numbers(void **state)
{
    struct sync_world *t = *state;
    struct wire_head before = sync_world_head(t), after;
    struct work w;

    work_init(&w, arena_new(), NULL, "sync", RIGHT_ALL);
    assert_int_equal(writer_call(&w, sign_twice, t), RC_OK);
    arena_free(w.mem);
    assert_true(head_values(t->live, &after));
    assert_int_equal(after.seq, before.seq);
    assert_int_equal(after.sign, before.sign + 2);
}

static struct wire_head heard;
static int hearings;

static void hear(const struct wire_head *h)
{
    heard = *h;
    hearings++;
}

/* Here it is set while the writer runs, but idle: the world has waited for it. */
static void whoever_listens_hears_of_each_head_when_it_is_shown(void **state)
{
    struct sync_world *t = *state;
    struct wire_head now;

    hearings = 0;
    sync_on_head(hear);
    clock_set(SYNC_NOW + 10);
    sync_world_put(t, 0, 100);
    assert_int_equal(hearings, 1);
    assert_int_equal(heard.seq, 1);
    sync_world_stop(t);
    sync_world_start(t);
    sync_on_head(NULL);
    assert_true(hearings > 1);
    assert_true(head_values(t->live, &now));
    assert_int_equal(heard.seq, now.seq);
    assert_int_equal(heard.sign, now.sign);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_new_server_shows_a_signed_empty_state),
        TEST(a_head_with_two_signatures_stays_below_800_bytes),
        TEST(the_first_change_is_shown_at_once_and_the_next_after_the_debounce),
        TEST(what_takes_away_is_shown_before_the_command_is_answered),
        TEST(many_taken_down_together_make_one_head),
        TEST(the_root_is_that_of_the_records),
        TEST(it_is_signed_anew_every_quarter_of_the_lease),
        TEST(its_time_does_not_go_back_when_the_clock_does),
        TEST(a_restart_serves_the_stored_head),
        TEST(a_log_that_is_ahead_of_its_head_is_signed_at_the_start),
        TEST(its_twin_is_the_same_for_ever),
        TEST(a_head_is_known_for_its_lease),
        TEST(old_heads_go_after_a_week_and_the_newest_stays),
        TEST(a_directory_that_changed_is_signed),
        TEST(an_exchanged_stream_key_is_appended_to_the_chain),
        TEST(a_strange_platform_key_is_refused),
        TEST(keys_are_for_us_alone),
        TEST(what_is_rolled_back_is_not_signed),
        TEST(two_signings_in_one_transaction_get_two_numbers),
        TEST(whoever_listens_hears_of_each_head_when_it_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
