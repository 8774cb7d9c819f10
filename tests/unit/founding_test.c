/*
 * founding_test.c - epochs: given once, and anew when the log went back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "sync/keys.h"
#include "sync/object.h"
#include "tests/lib/sync_world.h"

static const char *ancestry(struct sync_world *t, const struct wire_head *h)
{
    const char *text;
    size_t n;

    assert_int_equal(object_read(&t->w, t->dir, h->ancestry, WIRE_IDENTITY, &text, &n), RC_OK);
    return arena_strndup(t->mem, text, n);
}

static bool may_continue(struct sync_world *t, const struct wire_head *h, uint64_t epoch,
                         uint64_t seq)
{
    const char *text = ancestry(t, h);
    struct sync_err e;
    bool ok;

    assert_int_equal(wire_ancestry_allows(&e, text, strlen(text), h->epoch,
                                          (struct wire_cursor){ epoch, seq }, &ok),
                     SYNC_OK);
    return ok;
}

static void copy(struct sync_world *t, const char *from, const char *to)
{
    sync_world_stop(t);
    sync_world_shell(t,
                     arena_printf(t->mem, "rm -f test.db-wal test.db-shm; cp %s %s", from, to));
}

static void a_first_start_founds_the_log(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h = sync_world_head(t);

    assert_int_equal(h.epoch, SYNC_NOW);
    assert_string_equal(ancestry(t, &h), "1763712000 1\n");
    sync_world_shell(t, "grep -qx 'main 1763712000 0' epoch");
}

static void a_restart_keeps_the_epoch(void **state)
{
    struct sync_world *t = *state;

    sync_world_put(t, 0, 100);
    sync_world_stop(t);
    clock_set(SYNC_NOW + 100);
    sync_world_start(t);
    assert_int_equal(sync_world_head(t).epoch, SYNC_NOW);
}

/* Makes five changes, keeps a copy, makes five more and puts the copy back. */
static void go_back(struct sync_world *t)
{
    for (uint64_t i = 0; i < 5; i++)
        sync_world_put(t, i, 100);
    sync_world_head(t);
    copy(t, "test.db", "aside");
    sync_world_start(t);
    for (uint64_t i = 5; i < 10; i++)
        sync_world_put(t, i, 100);
    sync_world_head(t);
    copy(t, "aside", "test.db");
    t->seq = t->items = 5;
}

static void an_older_database_continues_in_a_new_epoch(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    go_back(t);
    clock_set(SYNC_NOW + 50);
    sync_world_start(t);
    h = sync_world_head(t);
    assert_int_equal(h.epoch, SYNC_NOW + 50);
    assert_int_equal(h.seq, 5);
    assert_string_equal(ancestry(t, &h), "1763712000 1\n1763712050 6\n");
    assert_true(may_continue(t, &h, SYNC_NOW, 5));
    assert_false(may_continue(t, &h, SYNC_NOW, 6)); /* lost changes */
    assert_false(may_continue(t, &h, SYNC_NOW + 1, 5));
    sync_world_put(t, 5, 100);
    assert_int_equal(sync_world_head(t).seq, 6);
}

static void two_restores_of_one_copy_never_share_an_epoch(void **state)
{
    struct sync_world *t = *state;
    struct wire_head first, second;

    go_back(t);
    sync_world_start(t);
    first = sync_world_head(t);
    assert_true(first.epoch > SYNC_NOW);
    sync_world_put(t, 5, 100);
    sync_world_head(t);
    copy(t, "aside", "test.db");
    t->seq = t->items = 5;
    sync_world_start(t); /* the clock stood still */
    second = sync_world_head(t);
    assert_true(second.epoch > first.epoch);
    assert_false(may_continue(t, &second, first.epoch, 6));
}

static void a_new_epoch_is_above_what_the_file_says_even_if_the_clock_is_not(void **state)
{
    struct sync_world *t = *state;

    go_back(t);
    clock_set(SYNC_NOW - 1000);
    sync_world_start(t);
    assert_int_equal(sync_world_head(t).epoch, SYNC_NOW + 1);
}

static void a_database_alone_that_was_signed_gets_a_new_epoch(void **state)
{
    struct sync_world *t = *state;

    sync_world_put(t, 0, 100);
    sync_world_head(t);
    sync_world_stop(t);
    sync_world_shell(t, "rm epoch");
    sync_world_start(t);
    assert_int_equal(sync_world_head(t).epoch, SYNC_NOW + 1);
}

static void a_fresh_database_beside_an_old_mark_is_a_new_epoch(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    sync_world_put(t, 0, 100);
    sync_world_head(t);
    sync_world_stop(t);
    sync_world_shell(t, "rm test.db*");
    t->seq = t->items = 0;
    sync_world_start(t);
    h = sync_world_head(t);
    assert_int_equal(h.epoch, SYNC_NOW + 1);
    assert_string_equal(ancestry(t, &h), "1763712001 1\n");
    assert_false(may_continue(t, &h, SYNC_NOW, 1));
}

static void a_damaged_mark_is_refused(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };

    sync_world_stop(t);
    sync_world_shell(t, "cp epoch aside; echo nonsense > epoch");
    assert_int_equal(sync_world_try_start(t, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "epoch"));
    sync_world_shell(t, "mv aside epoch");
    sync_world_start(t);
}

/* A board whose battery is dead begins in 1970 or before: what it founded would be founded again. */
static void no_log_is_founded_by_a_clock_that_nobody_set(void **state)
{
    struct sync_world *t = *state;
    const char *dir = arena_printf(t->mem, "%s/fresh", t->dir);
    struct keys *keys = NULL;
    struct err e;

    clock_set(-315619200);
    assert_int_equal(keys_open(&e, dir, &keys), RC_INVALID);
    assert_non_null(strstr(e.text, "the clock says 1960-01-01"));
    assert_null(keys);
    clock_set(SYNC_NOW);
    assert_int_equal(keys_open(&e, dir, &keys), RC_OK);
    keys_close(keys);
    sync_world_stop(t);
    sync_world_shell(t, "rm -f test.db* epoch");
    clock_set(-315619200);
    assert_int_equal(sync_world_try_start(t, &e), RC_INVALID);
    assert_non_null(strstr(e.text, "set the clock"));
    clock_set(SYNC_NOW);
    sync_world_start(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_first_start_founds_the_log),
        TEST(a_restart_keeps_the_epoch),
        TEST(an_older_database_continues_in_a_new_epoch),
        TEST(two_restores_of_one_copy_never_share_an_epoch),
        TEST(a_new_epoch_is_above_what_the_file_says_even_if_the_clock_is_not),
        TEST(a_database_alone_that_was_signed_gets_a_new_epoch),
        TEST(a_fresh_database_beside_an_old_mark_is_a_new_epoch),
        TEST(a_damaged_mark_is_refused),
        TEST(no_log_is_founded_by_a_clock_that_nobody_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
