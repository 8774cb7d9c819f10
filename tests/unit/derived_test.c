/*
 * derived_test.c - the place in the log: each change once, after a crash, a restore, another log and a damaged file.
 *
 * The projection of the tests keeps (stream, seq, born, title) of what it took, in a table of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/jx.h"
#include "server/base/metric.h"
#include "server/derived/derived.h"
#include "server/derived/state.h"
#include "server/library/publish.h"
#include "server/store/db_sqlite.h"
#include "server/store/disk.h"
#include "tests/lib/library_world.h"

/* ---- a projection ---- */

static _Atomic int refuse_seq, damaged_seq, bad_seq; /* take() fails there; 0: nowhere */
static _Atomic int refuse_stream;
static _Atomic enum rc bad; /* … of bad_seq, for what the change says */
static _Atomic int wiped;
static _Atomic bool long_wipe; /* a round has two steps */

static enum rc insert(struct work *w, const struct derived_change *c)
{
    char *sql = sqlite3_mprintf(
        "CREATE TABLE IF NOT EXISTS got (stream, seq, born, title, newest, "
        "PRIMARY KEY (stream, seq)); INSERT INTO got VALUES (%lld, %lld, "
        "%lld, %Q, %d)",
        c->stream, c->seq, c->born, c->record ? jx_text(c->record, "title") : NULL, c->newest);
    enum rc rc = db_script(&w->err, w->derived->handle, "got", sql);

    sqlite3_free(sql);
    return rc;
}

static enum rc take(struct work *w, const struct derived_change *c, bool *shown)
{
    *shown = true;
    if (c->seq == refuse_seq || c->stream == refuse_stream)
        return err_set(&w->err, RC_IO, "refused by the test");
    if (c->seq == damaged_seq) {
        (void)err_set(&w->err, RC_CORRUPT, "damaged by the test");
        return err_inside(&w->err); /* as the store says it */
    }
    if (insert(w, c))
        return w->err.rc;
    return c->seq == bad_seq ? err_set(&w->err, bad, "bad by the test") : RC_OK;
}

static enum rc wipe_step(struct work *w, bool first, bool *more)
{
    (void)w;
    wiped += first;
    *more = first && long_wipe;
    return RC_OK;
}

static const char *const tables[] = { "got", NULL };
static const struct projection one = {
    .name = "one", .version = 1, .take = take, .wipe = wipe_step, .tables = tables
};
static const struct projection one_of_another_version = { .name = "one",
                                                          .version = 2,
                                                          .take = take };
static const struct projection *const table[] = { &one, NULL };
static const struct projection *const other_table[] = { &one_of_another_version, NULL };

static char *file_of(struct library_world *t, const char *behind)
{
    return arena_printf(t->mem, "%s/" DB_DERIVED_NAME "%s", t->dir, behind);
}

/* "1a 2b": seq and title of what was taken, in order. */
static const char *got(struct library_world *t)
{
    struct buf b = BUF_IN(t->mem);
    sqlite3_stmt *s;
    sqlite3 *db;

    buf_adds(&b, "");
    assert_int_equal(sqlite3_open(file_of(t, ""), &db), SQLITE_OK);
    if (!sqlite3_prepare_v2(db, "SELECT seq, title FROM got ORDER BY stream, seq", -1, &s,
                            NULL))
        while (sqlite3_step(s) == SQLITE_ROW)
            buf_printf(&b, "%s%lld%s", b.n ? " " : "", (long long)sqlite3_column_int64(s, 0),
                       sqlite3_column_text(s, 1) ? (const char *)sqlite3_column_text(s, 1)
                                                 : "-");
    sqlite3_finalize(s);
    sqlite3_close(db);
    return b.p ? b.p : "";
}

static void open_derived(struct library_world *t)
{
    struct err e = { 0 };

    if (derived_open(&e, t->dir, table))
        fail_msg("%s", e.text);
}

static void catch_up(struct library_world *t)
{
    if (derived_catch_up(&t->w))
        fail_msg("%s", t->w.err.text);
}

static int set_up(void **state)
{
    int failed = library_world_set_up(state);

    refuse_seq = damaged_seq = bad_seq = refuse_stream = wiped = 0;
    long_wipe = false;
    open_derived(*state);
    return failed;
}

static int tear_down(void **state)
{
    derived_stop();
    derived_close();
    return library_world_tear_down(state);
}

/* ---- the log is taken in ---- */

static void each_change_is_taken_once_and_in_order(void **state)
{
    struct library_world *t = *state;

    catch_up(t);
    assert_string_equal(got(t), "");
    world_publish(t, "甲", t->news);
    world_publish(t, "乙", t->news);
    catch_up(t);
    assert_string_equal(got(t), "1甲 2乙");
    world_publish(t, "丙", t->notices);
    catch_up(t);
    catch_up(t);
    assert_string_equal(got(t), "1甲 2乙 3丙");
}

static void many_changes_are_taken_in_bounded_batches(void **state)
{
    struct library_world *t = *state;
    int turns = 0;
    bool more = true;

    for (int i = 0; i < 900; i++)
        world_publish(t, "很多", t->news);
    for (; more; turns++)
        assert_int_equal(derived_turn(&t->w, &more), RC_OK);
    assert_in_range(turns, 3, 900);
    assert_int_equal(strlen(got(t)) > 900 * 6, true);
}

static enum rc withdraw(struct library_world *t, void *arg)
{
    struct item out;

    return publish_end(&t->w, arg, VERB_WITHDRAW, "测试", &out);
}

static void a_withdrawn_item_comes_without_its_text(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "撤回的", t->news);

    assert_int_equal(world_do(t, withdraw, &it.id), RC_OK);
    catch_up(t);
    assert_string_equal(got(t), "1- 2-"); /* the record of seq 1 is gone */
    assert_int_equal(wiped, 1);
    catch_up(t);
    assert_int_equal(wiped, 1); /* once is enough */
}

static void the_generation_moves_when_something_was_taken(void **state)
{
    struct library_world *t = *state;
    uint64_t before;

    world_publish(t, "甲", t->news);
    before = generation_now();
    catch_up(t);
    assert_true(generation_now() > before);
    before = generation_now();
    catch_up(t);
    assert_true(generation_now() == before);
}

static void a_takedown_while_it_is_cleaned_is_cleaned_afterwards(void **state)
{
    struct library_world *t = *state;
    struct item a = world_publish(t, "甲", t->news), b = world_publish(t, "乙", t->news);
    bool more;

    long_wipe = true;
    catch_up(t);
    assert_int_equal(world_do(t, withdraw, &a.id), RC_OK);
    assert_int_equal(derived_turn(&t->w, &more), RC_OK);
    assert_int_equal(derived_wipe(&t->w, true, &more), RC_OK); /* the first of two steps */
    assert_true(more);
    assert_int_equal(wiped, 1);
    assert_int_equal(world_do(t, withdraw, &b.id), RC_OK);
    catch_up(t);
    assert_int_equal(wiped, 2);
    catch_up(t);
    assert_int_equal(wiped, 2);
}

/* ---- what fails ---- */

/* One record of a stream that somebody else writes must not end search for all. */
static void a_change_that_cannot_be_taken_is_passed_over(void **state)
{
    static const enum rc kinds[] = { RC_NOT_FOUND, RC_INVALID, RC_CORRUPT };
    struct library_world *t = *state;
    int64_t before = metric_get(METRIC_derived_passed_over);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        world_publish(t, "甲", t->news);
        world_publish(t, "坏", t->news);
        world_publish(t, "乙", t->news);
        bad_seq = 3 * (int)i + 2;
        bad = kinds[i];
        catch_up(t);
    }
    assert_string_equal(got(t), "1甲 3乙 4甲 6乙 7甲 9乙"); /* nothing of it stays */
    assert_int_equal(metric_get(METRIC_derived_passed_over) - before, 3);
}

static void a_stream_that_fails_holds_nobody_up(void **state)
{
    struct library_world *t = *state;
    bool more = true;
    enum rc rc = RC_OK;

    world_publish(t, "甲", t->news);
    world_vandalise(t, "INSERT INTO stream (no, name, epoch, seq, born, chain, mirrored) "
                       "SELECT -1, 'other', 1, seq, born, chain, 1 FROM stream");
    world_vandalise(t, "INSERT INTO change SELECT -1, seq, born, item, rev, op, flags, site, "
                       "col, date, title, length, digest, chain, at FROM change");
    refuse_stream = -1;
    while (more)
        rc = derived_turn(&t->w, &more);
    assert_int_equal(rc, RC_IO);
    assert_string_equal(got(t), "1甲");
    refuse_stream = 0;
    catch_up(t);
    assert_string_equal(got(t), "1- 1甲");
}

static void a_batch_that_fails_leaves_nothing_and_comes_again(void **state)
{
    struct library_world *t = *state;
    bool more;

    world_publish(t, "甲", t->news);
    catch_up(t);
    world_publish(t, "乙", t->news);
    world_publish(t, "丙", t->news);
    refuse_seq = 3;
    assert_int_equal(derived_turn(&t->w, &more), RC_IO);
    assert_string_equal(got(t), "1甲");
    refuse_seq = 0;
    catch_up(t);
    assert_string_equal(got(t), "1甲 2乙 3丙");
}

static void a_file_that_was_deleted_is_made_anew(void **state)
{
    struct library_world *t = *state;

    world_publish(t, "甲", t->news);
    catch_up(t);
    derived_close();
    unlink(file_of(t, ""));
    open_derived(t);
    catch_up(t);
    assert_string_equal(got(t), "1甲");
}

static void a_damaged_file_is_made_anew(void **state)
{
    struct library_world *t = *state;
    int fd;

    world_publish(t, "甲", t->news);
    catch_up(t);
    derived_close();
    fd = open(file_of(t, ""), O_WRONLY);
    assert_int_equal(pwrite(fd, "no database at all", 18, 0), 18);
    close(fd);
    open_derived(t);
    catch_up(t);
    assert_string_equal(got(t), "1甲");
}

static void a_projection_of_another_version_begins_from_the_start(void **state)
{
    struct library_world *t = *state;
    struct err e = { 0 };

    world_publish(t, "甲", t->news);
    catch_up(t);
    derived_close();
    assert_int_equal(derived_open(&e, t->dir, other_table), RC_OK);
    assert_string_equal(got(t), "");
    catch_up(t);
    assert_string_equal(got(t), "1甲");
}

static void a_file_of_another_schema_is_made_anew(void **state)
{
    struct library_world *t = *state;
    sqlite3 *db;

    derived_close();
    assert_int_equal(sqlite3_open(file_of(t, ""), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA user_version = 7; CREATE TABLE x (y)", NULL, NULL, NULL), 0);
    sqlite3_close(db);
    open_derived(t);
    world_publish(t, "甲", t->news);
    catch_up(t);
    assert_string_equal(got(t), "1甲");
}

/* Or it would be made anew, and fail, as fast as it can. */
static void damage_that_is_met_at_work_fails_once_and_is_mended(void **state)
{
    struct library_world *t = *state;
    bool more;

    world_publish(t, "甲", t->news);
    catch_up(t);
    world_publish(t, "乙", t->news);
    damaged_seq = 2;
    assert_int_equal(derived_turn(&t->w, &more), RC_CORRUPT);
    damaged_seq = 0;
    assert_string_equal(got(t), "");
    catch_up(t);
    assert_string_equal(got(t), "1甲 2乙");
}

/* ---- the log is another one ---- */

/* What a restore from a backup does: the last changes are gone, and others take their numbers. */
static void a_log_that_went_back_is_taken_again(void **state)
{
    struct library_world *t = *state;
    char command[512];

    world_publish(t, "甲", t->news);
    assert_true(db_forget_log(t->w.db));
    snprintf(command, sizeof command, "cp '%s' '%s/old'", t->path, t->dir);
    assert_int_equal(system(command), 0);
    world_publish(t, "乙", t->news);
    catch_up(t);
    assert_string_equal(got(t), "1甲 2乙");
    db_close(t->w.db);
    snprintf(command, sizeof command, "mv '%s/old' '%s' && rm -f '%s-wal' '%s-shm'", t->dir,
             t->path, t->path, t->path);
    assert_int_equal(system(command), 0);
    assert_int_equal(db_open(&t->w.err, t->path, DB_WRITE, &t->w.db), RC_OK);
    catch_up(t); /* shorter than what was taken */
    assert_string_equal(got(t), "1甲");
    world_publish(t, "丙", t->news);
    catch_up(t);
    assert_string_equal(got(t), "1甲 2丙");
}

static void a_log_with_another_past_is_taken_again(void **state)
{
    struct library_world *t = *state;

    world_publish(t, "甲", t->news);
    world_publish(t, "乙", t->news);
    catch_up(t);
    world_vandalise(t, "UPDATE change SET chain = zeroblob(32) WHERE seq = 2");
    world_vandalise(t, "DELETE FROM record WHERE seq = 1");
    catch_up(t);
    assert_string_equal(got(t), "1- 2乙");
}

static void a_mirrored_stream_of_another_epoch_is_taken_again(void **state)
{
    struct library_world *t = *state;

    world_publish(t, "甲", t->news);
    world_vandalise(t, "UPDATE stream SET mirrored = 1, epoch = 5");
    catch_up(t);
    world_vandalise(t, "DELETE FROM record");
    catch_up(t); /* the same epoch, though its rows were swept */
    assert_string_equal(got(t), "1甲");
    world_vandalise(t, "UPDATE stream SET epoch = 6");
    catch_up(t);
    assert_string_equal(got(t), "1-");
}

static void a_stream_that_was_dropped_goes_with_what_was_made_of_it(void **state)
{
    struct library_world *t = *state;

    world_publish(t, "甲", t->news);
    catch_up(t);
    world_vandalise(t, "DELETE FROM stream");
    catch_up(t);
    assert_string_equal(got(t), "");
}

/* ---- who reads ---- */

static int places(struct library_world *t, struct work *w)
{
    struct rows q;
    int n = 0;

    if (derived_read(w) || db_query(w, SQL_taken_all, &q, ""))
        fail_msg("%s", w->err.text);
    while (rows_next(&q))
        n++;
    assert_int_equal(rows_done(&q), RC_OK);
    (void)t;
    return n;
}

static void a_reader_sees_the_new_file_when_it_was_made_anew(void **state)
{
    struct library_world *t = *state;
    struct work w;

    work_init(&w, t->mem, t->w.db, "public", RIGHT_READ);
    world_publish(t, "甲", t->news);
    assert_int_equal(places(t, &w), 0);
    catch_up(t);
    assert_int_equal(places(t, &w), 1);
    world_vandalise(t, "DELETE FROM stream");
    catch_up(t);
    assert_int_equal(places(t, &w), 0);
    derived_close();
    assert_int_equal(derived_read(&w), RC_BUSY);
}

/* ---- what the disk does ---- */

static void wait_for(struct library_world *t, const char *what)
{
    for (int i = 0; i < 500 && strcmp(got(t), what) != 0; i++)
        clock_sleep_ms(10);
    assert_string_equal(got(t), what);
}

/* The server starts without search, and has it when it can. */
static void a_file_that_cannot_be_made_does_not_end_the_start(void **state)
{
    struct library_world *t = *state;
    struct err e = { 0 };
    struct work w;

    derived_close();
    unlink(file_of(t, ""));
    unlink(file_of(t, "-wal"));
    unlink(file_of(t, "-shm"));
    assert_int_equal(mkdir(file_of(t, ""), 0700), 0);
    assert_int_equal(derived_open(&e, t->dir, table), RC_OK);
    work_init(&w, t->mem, t->w.db, "public", RIGHT_READ);
    assert_int_equal(derived_read(&w), RC_BUSY);
    world_publish(t, "甲", t->news);
    assert_int_equal(derived_start(&e, t->path), RC_OK);
    clock_sleep_ms(100);
    assert_int_equal(rmdir(file_of(t, "")), 0);
    wait_for(t, "1甲");
    assert_int_equal(derived_read(&w), RC_OK);
}

/* A reserve that no disk has. */
static void what_is_not_built_on_a_full_disk_is_said_to_be_missing(void **state)
{
    struct library_world *t = *state;
    struct work w;
    bool more;

    work_init(&w, t->mem, t->w.db, "public", RIGHT_READ);
    world_publish(t, "甲", t->news);
    disk_watch(t->dir, INT64_MAX / 2);
    assert_int_equal(disk_state(), RC_FULL);
    assert_int_equal(derived_turn(&t->w, &more), RC_FULL);
    assert_false(more);
    assert_int_equal(derived_read(&w), RC_BUSY);
    disk_forget();
    catch_up(t);
    assert_int_equal(derived_read(&w), RC_OK);
    assert_string_equal(got(t), "1甲");
}

static bool asked_for(struct library_world *t)
{
    struct work w;
    struct rows q;
    bool is;

    work_init(&w, t->mem, t->w.db, "public", RIGHT_READ);
    assert_int_equal(derived_read(&w), RC_OK);
    assert_int_equal(db_query(&w, SQL_wipe_asked, &q, ""), RC_OK);
    is = rows_next(&q);
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(derived_read(&w), RC_OK); /* it lets go of what was read */
    return is;
}

/* A scrub that is cut short is none. */
static void cleaning_ends_when_the_thread_is_to_end(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    bool more;

    catch_up(t);
    assert_int_equal(world_do(t, withdraw, &it.id), RC_OK);
    assert_int_equal(derived_turn(&t->w, &more), RC_OK);
    atomic_store(&derived.stop, true);
    more = true;
    for (int i = 0; i < 100 && more; i++)
        assert_int_equal(derived_wipe(&t->w, true, &more), RC_OK);
    assert_false(more);
    assert_true(asked_for(t));
    atomic_store(&derived.stop, false);
    catch_up(t);
    assert_false(asked_for(t));
}

/* Whoever reads is not asked again and again. */
static void cleaning_waits_for_who_reads(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    struct work w;
    struct rows q;
    bool more = true;

    catch_up(t);
    work_init(&w, t->mem, t->w.db, "public", RIGHT_READ);
    assert_int_equal(derived_read(&w), RC_OK);
    assert_int_equal(db_query(&w, SQL_taken_all, &q, ""), RC_OK);
    assert_true(rows_next(&q));
    assert_int_equal(world_do(t, withdraw, &it.id), RC_OK);
    assert_int_equal(derived_turn(&t->w, &more), RC_OK);
    more = true;
    for (int i = 0; i < 100 && more; i++)
        assert_int_equal(derived_wipe(&t->w, false, &more), RC_OK);
    assert_false(more);
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(derived_read(&w), RC_OK); /* it lets go of what it read */
    assert_true(asked_for(t));
    catch_up(t);
    assert_false(asked_for(t));
}

/* ---- the thread ---- */

static void the_thread_takes_what_is_committed_and_stops_at_once(void **state)
{
    struct library_world *t = *state;
    int64_t began;
    struct err e;

    world_publish(t, "甲", t->news);
    assert_int_equal(derived_start(&e, t->path), RC_OK);
    wait_for(t, "1甲");
    world_publish(t, "乙", t->news);
    wait_for(t, "1甲 2乙");
    assert_int_equal(derived_age(), 0);
    began = clock_mono_us();
    derived_stop();
    assert_in_range(clock_mono_us() - began, 0, 900000);
}

static void what_cannot_be_taken_has_an_age(void **state)
{
    struct library_world *t = *state;
    struct derived_lag lag;
    struct err e;

    refuse_seq = 1;
    world_publish(t, "甲", t->news);
    assert_int_equal(derived_lag(&t->w, t->dir, &lag), RC_OK);
    assert_int_equal(lag.changes, 1);
    assert_int_equal(lag.oldest, WORLD_NOW);
    clock_set(WORLD_NOW + 100);
    assert_int_equal(derived_start(&e, t->path), RC_OK);
    for (int i = 0; i < 500 && derived_age() < 1; i++)
        clock_sleep_ms(10);
    assert_in_range(derived_age(), 1, 100);
    refuse_seq = 0;
    wait_for(t, "1甲");
    for (int i = 0; i < 500 && derived_age(); i++)
        clock_sleep_ms(10);
    assert_int_equal(derived_age(), 0);
    assert_int_equal(derived_lag(&t->w, t->dir, &lag), RC_OK);
    assert_int_equal(lag.changes, 0);
}

/* Killed at any moment while it takes, again and again: in the end each change is there once. */
static void a_kill_at_any_moment_loses_and_doubles_nothing(void **state)
{
    struct library_world *t = *state;
    struct err e;
    size_t all;

    derived_close();
    for (int i = 0; i < 1500; i++)
        world_publish(t, "很多", t->news);
    db_close(t->w.db); /* no child inherits it */
    t->w.db = NULL;
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();

        if (!child) {
            if (derived_open(&e, t->dir, table) || derived_start(&e, t->path))
                _exit(1);
            clock_sleep_ms(60000);
            _exit(0);
        }
        clock_sleep_ms(3 + 7 * round);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    assert_int_equal(db_open(&e, t->path, DB_WRITE, &t->w.db), RC_OK);
    open_derived(t);
    catch_up(t);
    all = strlen(got(t));
    derived_close();
    unlink(file_of(t, ""));
    unlink(file_of(t, "-wal"));
    open_derived(t);
    catch_up(t);
    assert_int_equal(strlen(got(t)), all);
    assert_true(all > 1500 * 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(each_change_is_taken_once_and_in_order),
        TEST(many_changes_are_taken_in_bounded_batches),
        TEST(a_withdrawn_item_comes_without_its_text),
        TEST(the_generation_moves_when_something_was_taken),
        TEST(a_takedown_while_it_is_cleaned_is_cleaned_afterwards),
        TEST(a_change_that_cannot_be_taken_is_passed_over),
        TEST(a_stream_that_fails_holds_nobody_up),
        TEST(a_batch_that_fails_leaves_nothing_and_comes_again),
        TEST(a_file_that_was_deleted_is_made_anew),
        TEST(a_damaged_file_is_made_anew),
        TEST(damage_that_is_met_at_work_fails_once_and_is_mended),
        TEST(a_projection_of_another_version_begins_from_the_start),
        TEST(a_file_of_another_schema_is_made_anew),
        TEST(a_log_that_went_back_is_taken_again),
        TEST(a_log_with_another_past_is_taken_again),
        TEST(a_mirrored_stream_of_another_epoch_is_taken_again),
        TEST(a_stream_that_was_dropped_goes_with_what_was_made_of_it),
        TEST(a_reader_sees_the_new_file_when_it_was_made_anew),
        TEST(a_file_that_cannot_be_made_does_not_end_the_start),
        TEST(what_is_not_built_on_a_full_disk_is_said_to_be_missing),
        TEST(cleaning_ends_when_the_thread_is_to_end),
        TEST(cleaning_waits_for_who_reads),
        TEST(the_thread_takes_what_is_committed_and_stops_at_once),
        TEST(what_cannot_be_taken_has_an_age),
        TEST(a_kill_at_any_moment_loses_and_doubles_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
