/*
 * takedown_test.c - what is taken down is written down first, takes its files along, and stays
 * down when an older database comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/library/publish.h"
#include "server/library/purge_url.h"
#include "server/library/takedown.h"
#include "server/library/verify.h"
#include "server/store/backup.h"
#include "server/store/blob.h"
#include "tests/lib/library_world.h"

static int set_up(void **state)
{
    struct err e;
    struct library_world *t;

    if (library_world_set_up(state))
        return -1;
    t = *state;
    return takedown_open(&e, t->dir);
}

static int tear_down(void **state)
{
    purge_url_watch(false);
    takedown_close();
    return library_world_tear_down(state);
}

static const char *at(struct library_world *t, const char *name)
{
    return arena_printf(t->mem, "%s/%s", t->dir, name);
}

static void shell(struct library_world *t, const char *command)
{
    assert_int_equal(system(arena_printf(t->mem, "cd %s && %s", t->dir, command)), 0);
}

static const char *journal_text(struct library_world *t)
{
    char *text;
    size_t n;

    assert_int_equal(fs_read(&t->w.err, t->mem, at(t, TAKEDOWNS_NAME), 1 << 20, &text, &n),
                     RC_OK);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static void end(struct library_world *t, struct item *it, enum verb verb)
{
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it->id, verb, "含 个人信息\n100%", it), RC_OK);
    world_commit(t);
}

static void replay(struct library_world *t)
{
    world_begin(t);
    if (takedown_replay(&t->w, t->stream.no))
        fail_msg("%s", t->w.err.text);
    world_commit(t);
}

/* The file as a backup had it, in a new epoch: what tjzw restore does. */
static void back_up(struct library_world *t)
{
    struct err e;

    unlink(at(t, "old.db"));
    assert_int_equal(db_backup(&e, t->w.db, at(t, "old.db"), NULL, NULL), RC_OK);
}

static void restore(struct library_world *t)
{
    static int64_t epoch = WORLD_NOW;
    struct err e;

    db_close(t->w.db);
    shell(t, "rm -f test.db-* && cp old.db test.db");
    epoch += 1000;
    world_vandalise(
        t,
        arena_printf(t->mem,
                     "UPDATE stream SET epoch = %lld; INSERT INTO ancestry SELECT no, epoch, "
                     "seq + 1 FROM stream",
                     (long long)epoch));
    assert_int_equal(db_open(&e, t->path, DB_WRITE, &t->w.db), RC_OK);
}

static enum state state_of(struct library_world *t, const struct id *id)
{
    struct item it;

    assert_int_equal(item_find(&t->w, id, &it), RC_OK);
    return it.state;
}

static void whole(struct library_world *t)
{
    struct verify_sum sum;

    if (verify_stream(&t->w, t->stream.no, NULL, NULL, &sum))
        fail_msg("%s", t->w.err.text);
}

static void a_line_says_what_was_taken_down_and_why(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);
    struct journal_line *l;
    char id[ID_TEXT];
    int n;

    end(t, &it, VERB_WITHDRAW);
    assert_string_equal(journal_text(t),
                        arena_printf(t->mem,
                                     "main %lld 2 withdraw %s 1 含%%20个人信息%%0a100%%25 "
                                     "2025-11-21T16:00:00+08:00\n",
                                     (long long)WORLD_NOW, id_text(&it.id, id)));
    assert_int_equal(journal_read(&t->w.err, t->mem, at(t, TAKEDOWNS_NAME), &l, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(l->reason, "含 个人信息\n100%");
    assert_int_equal(l->at, WORLD_NOW);
}

static enum rc withdraw_then_fail(struct library_world *t, void *arg)
{
    struct item *it = arg;

    assert_int_equal(publish_end(&t->w, &it->id, VERB_WITHDRAW, "差错", it), RC_OK);
    return RC_IO;
}

static void a_line_whose_commit_never_came_is_void(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);

    back_up(t);
    assert_int_equal(world_do(t, withdraw_then_fail, &it), RC_IO);
    takedown_tick(t->w.db, NULL);
    assert_int_equal(count(journal_text(t), "\n"), 2);
    assert_int_equal(count(journal_text(t), " 2 void - 0 - "), 1);
    restore(t);
    replay(t);
    assert_int_equal(state_of(t, &it.id), STATE_PUBLISHED);
    assert_int_equal(count(journal_text(t), "\n"), 2);
}

/* Killed between the line and the COMMIT: the tick never came. */
static void a_line_without_its_change_is_void_after_a_crash(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news), other;
    struct err e;

    assert_int_equal(world_do(t, withdraw_then_fail, &it), RC_IO);
    shell(t, "cp takedowns kept");
    takedown_close();
    shell(t, "mv kept takedowns");
    assert_int_equal(takedown_open(&e, t->dir), RC_OK);
    replay(t);
    assert_int_equal(state_of(t, &it.id), STATE_PUBLISHED);
    other = world_publish(t, "二", t->news); /* takes the number */
    assert_int_equal(other.seq, 2);
    back_up(t);
    restore(t);
    replay(t);
    assert_int_equal(state_of(t, &it.id), STATE_PUBLISHED);
    assert_int_equal(state_of(t, &other.id), STATE_PUBLISHED);
}

static void nothing_is_taken_down_without_its_journal(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);

    shell(t, "rm takedowns");
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "差错", &it), RC_IO);
    db_rollback(t->w.db);
    t->w.after = NULL;
    assert_int_equal(state_of(t, &it.id), STATE_PUBLISHED);
}

static void half_a_line_is_cut_off(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);
    size_t n;
    FILE *f;

    end(t, &it, VERB_WITHDRAW);
    n = strlen(journal_text(t));
    takedown_close();
    f = fopen(at(t, TAKEDOWNS_NAME), "a");
    fputs("main 17 3 withdr", f);
    fclose(f);
    assert_int_equal(takedown_open(&t->w.err, t->dir), RC_OK);
    assert_int_equal(strlen(journal_text(t)), n);
}

static void a_damaged_line_keeps_the_server_from_starting(void **state)
{
    struct library_world *t = *state;
    FILE *f = fopen(at(t, TAKEDOWNS_NAME), "a");

    fputs("main 17 3 withdrew - 0 - 2025-11-21T16:00:00+08:00\n", f);
    fclose(f);
    assert_int_equal(takedown_replay(&t->w, t->stream.no), RC_CORRUPT);
    assert_non_null(strstr(t->w.err.text, "line 1"));
}

static void what_a_restore_brings_back_is_taken_down_again(void **state)
{
    struct library_world *t = *state;
    struct item out = world_publish(t, "撤", t->news), gone = world_publish(t, "删", t->news),
                stay = world_publish(t, "留", t->news), late;
    struct content c = world_content(t, "{\"kind\":\"article\",\"title\":\"改\"}");
    struct item draft;
    int lines;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &draft),
        RC_OK);
    world_commit(t);
    back_up(t);
    world_begin(t);
    assert_int_equal(world_put_through(t, &draft.id, 1, &draft), RC_OK);
    world_commit(t);
    end(t, &draft, VERB_GONE); /* the backup has only its draft */
    late = world_publish(t, "后来的", t->news);
    end(t, &late, VERB_WITHDRAW); /* the backup never had it */
    end(t, &out, VERB_WITHDRAW);
    end(t, &gone, VERB_GONE);
    restore(t);
    assert_int_equal(state_of(t, &out.id), STATE_PUBLISHED);
    replay(t);
    assert_int_equal(state_of(t, &out.id), STATE_WITHDRAWN);
    assert_int_equal(state_of(t, &gone.id), STATE_GONE);
    assert_int_equal(state_of(t, &draft.id), STATE_GONE);
    assert_int_equal(world_number(t, "SELECT count(*) FROM revision WHERE content IS NOT NULL"),
                     1); /* what was withdrawn */
    assert_int_equal(state_of(t, &stay.id), STATE_PUBLISHED);
    assert_int_equal(world_stream(t).cut, 2);
    assert_int_equal(world_number(t, "SELECT count(*) FROM record WHERE instr(bytes, '正文')"),
                     1);
    whole(t);
    lines = count(journal_text(t), "\n");
    replay(t);
    assert_int_equal(world_stream(t).cut, 2);
    assert_int_equal(count(journal_text(t), "\n"), lines);
    /* Published again by an editor: that is not undone at the next start. */
    world_begin(t);
    assert_int_equal(item_restore(&t->w, &out.id, &out), RC_OK);
    assert_int_equal(item_edit(&t->w, &out.id, 2, &c, NULL, NULL, &out), RC_OK);
    assert_int_equal(world_put_through(t, &out.id, 3, &out), RC_OK);
    world_commit(t);
    replay(t);
    assert_int_equal(state_of(t, &out.id), STATE_PUBLISHED);
    /* The same backup once more: that text is lost, and the old one stays away. */
    restore(t);
    replay(t);
    assert_int_equal(state_of(t, &out.id), STATE_WITHDRAWN);
    assert_int_equal(state_of(t, &gone.id), STATE_GONE);
    whole(t);
}

static void a_replay_that_was_cut_short_is_done_again(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);

    back_up(t);
    end(t, &it, VERB_WITHDRAW);
    restore(t);
    for (int i = 0; i < 2; i++) {
        world_begin(t);
        assert_int_equal(takedown_replay(&t->w, t->stream.no), RC_OK);
        db_rollback(t->w.db);
        t->w.after = NULL;
        assert_int_equal(state_of(t, &it.id), STATE_PUBLISHED);
    }
    replay(t);
    assert_int_equal(state_of(t, &it.id), STATE_WITHDRAWN);
    replay(t);
    assert_int_equal(world_stream(t).cut, 1);
}

static struct item purged(struct library_world *t, const char *title, const char *more)
{
    struct content c = world_content(
        t, arena_printf(t->mem, "{%s\"kind\":\"article\",\"title\":\"更正\"}", more));
    struct item it = world_publish(t, title, t->news);

    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, NULL, "改号码", &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 2, VERB_SUBMIT, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 2, VERB_APPROVE, NULL, &it), RC_OK);
    world_commit(t);
    back_up(t);
    world_begin(t);
    assert_int_equal(publish_purge(&t->w, &it.id, 2, NULL, &it), RC_INVALID);
    assert_int_equal(publish_purge(&t->w, &it.id, 2, "身份证号", &it), RC_OK);
    world_commit(t);
    return it;
}

static void a_purge_forgets_all_before_it(void **state)
{
    struct library_world *t = *state;
    struct item it = purged(t, "身份证", "");
    struct slice record;
    struct item_event *events;
    struct revision *r;
    int n;

    assert_int_equal(it.live_rev, 2);
    assert_int_equal(world_stream(t).cut, 1);
    assert_int_equal(item_record(&t->w, &it.id, 1, &record), RC_GONE);
    assert_int_equal(item_record(&t->w, &it.id, 2, &record), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM record"), 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM revision WHERE content IS NOT NULL"),
                     0);
    assert_int_equal(item_events(&t->w, &it.id, &events, &n), RC_OK);
    assert_string_equal(events[n - 1].verb, "purge");
    assert_string_equal(events[n - 1].reason, "身份证号");
    assert_int_equal(item_revisions(&t->w, &it.id, true, &r, &n), RC_OK);
    assert_string_equal(r[0].note, "改号码");
    assert_int_equal(count(journal_text(t), " 2 purge "), 1);
    whole(t);
}

static void a_purge_needs_something_to_purge(void **state)
{
    struct library_world *t = *state;
    struct content c = world_content(t, "{\"kind\":\"article\",\"title\":\"一\"}");
    struct item it;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_SUBMIT, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_APPROVE, NULL, &it), RC_OK);
    assert_int_equal(publish_purge(&t->w, &it.id, 1, "因", &it), RC_CONFLICT);
    world_commit(t);
}

/* The correction is lost with the restore; what leaked must not come back. */
static void a_leak_stays_away_though_its_correction_is_lost(void **state)
{
    struct library_world *t = *state;
    struct item it = purged(t, "身份证", "");
    struct slice record;

    restore(t);
    assert_int_equal(state_of(t, &it.id), STATE_APPROVED);
    replay(t);
    assert_int_equal(item_live(&t->w, &it.id, &it, &record), RC_GONE);
    assert_non_null(memmem(record.p, record.n, "缺少更正稿", strlen("缺少更正稿")));
    assert_null(memmem(record.p, record.n, "身份证", strlen("身份证")));
    whole(t);
}

static const char *file_of(struct library_world *t, const char *bytes, uint8_t hash[HASH_BYTES])
{
    char hex[HASH_TEXT];

    sha256(bytes, strlen(bytes), hash);
    assert_int_equal(blob_put(&t->w.err, t->dir, hash, bytes, strlen(bytes)), RC_OK);
    return arena_printf(
        t->mem,
        "\"attachments\":[{\"hash\":\"%s\",\"name\":\"a.pdf\",\"size\":%zu,\"type\":"
        "\"application/pdf\"}],",
        hex_text(hash, HASH_BYTES, hex), strlen(bytes));
}

static struct item with_file(struct library_world *t, const char *files)
{
    struct content c = world_content(
        t, arena_printf(t->mem, "{%s\"kind\":\"article\",\"title\":\"附\"}", files));
    struct item it;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_OK);
    world_commit(t);
    return it;
}

static void files_go_with_the_last_item_that_has_them(void **state)
{
    struct library_world *t = *state;
    uint8_t shared[HASH_BYTES], own[HASH_BYTES];
    struct item a = with_file(t, file_of(t, "shared", shared)),
                b = with_file(t, file_of(t, "shared", shared)),
                c = with_file(t, file_of(t, "own", own));

    end(t, &a, VERB_GONE);
    assert_true(blob_exists(t->dir, shared));
    end(t, &b, VERB_WITHDRAW);
    assert_true(blob_exists(t->dir, shared)); /* an editor may want it */
    end(t, &b, VERB_GONE);
    assert_false(blob_exists(t->dir, shared));
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &c.id, VERB_GONE, "因", &c), RC_OK);
    assert_int_equal(db_commit(&t->w), RC_OK);
    t->w.after = NULL; /* killed right after the COMMIT */
    assert_true(blob_exists(t->dir, own));
    takedown_close();
    assert_int_equal(takedown_open(&t->w.err, t->dir), RC_OK);
    takedown_tick(t->w.db, NULL);
    assert_false(blob_exists(t->dir, own));
    assert_int_equal(world_number(t, "SELECT count(*) FROM blob_drop"), 0);
}

static void begun(struct library_world *t, const char *name, int64_t seconds_ago)
{
    shell(t, arena_printf(t->mem, "mkdir -p blobs/ab; touch -d @%" PRId64 " blobs/ab/%s.part",
                          clock_now() - seconds_ago, name));
}

static void uploads_that_were_given_up_go_within_the_hour(void **state)
{
    struct library_world *t = *state;
    int64_t start = clock_now();

    clock_set(start);
    begun(t, "left", 25 * 3600);
    begun(t, "slow", 23 * 3600);
    takedown_tick(t->w.db, NULL);
    assert_false(fs_exists(at(t, "blobs/ab/left.part")));
    assert_true(fs_exists(at(t, "blobs/ab/slow.part")));
    begun(t, "left", 25 * 3600);
    clock_set(start + 3599); /* not yet again */
    takedown_tick(t->w.db, NULL);
    assert_true(fs_exists(at(t, "blobs/ab/left.part")));
    clock_set(start + 3600);
    takedown_tick(t->w.db, NULL);
    assert_false(fs_exists(at(t, "blobs/ab/left.part")));
    assert_true(fs_exists(at(t, "blobs/ab/slow.part")));
    clock_set(start + 2 * 3600);
    takedown_tick(t->w.db, NULL);
    assert_false(fs_exists(at(t, "blobs/ab/slow.part")));
}

static void older(struct library_world *t, const uint8_t hash[HASH_BYTES], int days)
{
    char name[HASH_TEXT];

    hex_text(hash, HASH_BYTES, name);
    shell(t, arena_printf(t->mem, "touch -d @%" PRId64 " blobs/%.2s/%s",
                          clock_now() - days * INT64_C(86400), name, name));
}

static void a_day_goes_by(struct library_world *t)
{
    int64_t start = clock_now();

    for (int i = 0; i <= 86400; i += 100) {
        clock_set(start + i);
        takedown_tick(t->w.db, NULL);
    }
}

static void files_that_nothing_ever_named_go_after_a_week(void **state)
{
    struct library_world *t = *state;
    uint8_t unwanted[HASH_BYTES], again[HASH_BYTES], fresh[HASH_BYTES], used[HASH_BYTES];

    clock_set(clock_now());
    file_of(t, "unwanted", unwanted);
    file_of(t, "again", again);
    file_of(t, "fresh", fresh);
    with_file(t, file_of(t, "used", used));
    older(t, unwanted, 8);
    older(t, again, 8);
    older(t, fresh, 5);
    older(t, used, 8);
    file_of(t, "again", again); /* somebody is about to name it */
    a_day_goes_by(t);
    assert_false(blob_exists(t->dir, unwanted));
    assert_true(blob_exists(t->dir, again));
    assert_true(blob_exists(t->dir, fresh));
    assert_true(blob_exists(t->dir, used));
}

static void a_purge_drops_the_files_of_earlier_revisions_only(void **state)
{
    struct library_world *t = *state;
    uint8_t old[HASH_BYTES], both[HASH_BYTES];
    struct item it = with_file(t, file_of(t, "old", old));
    struct content c =
        world_content(t, arena_printf(t->mem, "{%s\"kind\":\"article\",\"title\":\"附\"}",
                                      file_of(t, "both", both)));

    for (int rev = 2; rev <= 3; rev++) {
        world_begin(t);
        assert_int_equal(item_edit(&t->w, &it.id, rev - 1, &c, NULL, NULL, &it), RC_OK);
        assert_int_equal(item_step(&t->w, &it.id, rev, VERB_SUBMIT, NULL, &it), RC_OK);
        assert_int_equal(item_step(&t->w, &it.id, rev, VERB_APPROVE, NULL, &it), RC_OK);
        assert_int_equal(rev == 2 ? publish_item(&t->w, &it.id, rev, &it)
                                  : publish_purge(&t->w, &it.id, rev, "因", &it),
                         RC_OK);
        world_commit(t);
        assert_int_equal(blob_exists(t->dir, old), rev == 2);
        assert_true(blob_exists(t->dir, both));
    }
}

static void urls_that_held_the_text_wait_to_be_told(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);
    struct purge_batch b;
    int64_t n, oldest;
    char id[ID_TEXT];
    bool page = false;

    purge_url_watch(true);
    end(t, &it, VERB_WITHDRAW);
    assert_int_equal(purge_url_batch(&t->w, 100, &b), RC_OK);
    for (int i = 0; i < b.n; i++)
        page |= !strcmp(b.urls[i], arena_printf(t->mem, "/a/%s", id_text(&it.id, id)));
    assert_true(page);
    assert_int_equal(b.oldest, WORLD_NOW);
    assert_int_equal(purge_url_done(&t->w, b.last), RC_OK);
    assert_int_equal(purge_url_waiting(&t->w, &n, &oldest), RC_OK);
    assert_int_equal(n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_line_says_what_was_taken_down_and_why),
        TEST(a_line_whose_commit_never_came_is_void),
        TEST(a_line_without_its_change_is_void_after_a_crash),
        TEST(nothing_is_taken_down_without_its_journal),
        TEST(half_a_line_is_cut_off),
        TEST(a_damaged_line_keeps_the_server_from_starting),
        TEST(what_a_restore_brings_back_is_taken_down_again),
        TEST(a_replay_that_was_cut_short_is_done_again),
        TEST(a_purge_forgets_all_before_it),
        TEST(a_purge_needs_something_to_purge),
        TEST(a_leak_stays_away_though_its_correction_is_lost),
        TEST(files_go_with_the_last_item_that_has_them),
        TEST(uploads_that_were_given_up_go_within_the_hour),
        TEST(files_that_nothing_ever_named_go_after_a_week),
        TEST(a_purge_drops_the_files_of_earlier_revisions_only),
        TEST(urls_that_held_the_text_wait_to_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
