/*
 * publish_test.c - what the public sees: one change for each act, chained, told after COMMIT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/library/change.h"
#include "server/library/publish.h"
#include "tests/lib/library_world.h"

static struct {
    int changes, directories;
    int64_t seq[64];
    uint64_t born[64];
} told;

static void hear_change(const struct change_told *t)
{
    told.seq[told.changes] = t->seq;
    told.born[told.changes++] = t->born;
}

static void hear_directory(int64_t stream)
{
    (void)stream;
    told.directories++;
}

static const struct change_observer ears = { hear_change, hear_directory };

static void publishing_writes_one_change_and_is_told_after_commit(void **state)
{
    struct library_world *t = *state;
    uint64_t generation = generation_now();
    struct item it;
    struct slice record;

    memset(&told, 0, sizeof told);
    change_observe(&ears);
    it = world_publish(t, "一", t->news);
    assert_int_equal(world_stream(t).seq, 1);
    assert_int_equal(world_stream(t).born, 1);
    assert_int_equal(it.seq, 1);
    assert_int_equal(it.born, 0);
    assert_int_equal(it.live_rev, 1);
    assert_int_equal(told.changes, 1);
    assert_int_equal(told.seq[0], 1);
    assert_true(generation_now() > generation);
    assert_int_equal(item_live(&t->w, &it.id, &it, &record), RC_OK);
    assert_non_null(strstr(
        arena_strndup(t->mem, record.p, record.n),
        "\"published\":\"2025-11-21T16:00:00+08:00\",\"revision\":1,\"site\":\"1200000000\","
        "\"title\":\"一\",\"updated\":\"2025-11-21T16:00:00+08:00\"}"));
}

static enum rc publish_then_fail(struct library_world *t, void *arg)
{
    struct item *it = arg;

    assert_int_equal(publish_end(&t->w, &it->id, VERB_WITHDRAW, "差错", it), RC_OK);
    return RC_IO;
}

static void what_is_rolled_back_is_not_told_and_uses_no_number(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);

    memset(&told, 0, sizeof told);
    change_observe(&ears);
    assert_int_equal(world_do(t, publish_then_fail, &it), RC_IO);
    assert_int_equal(told.changes, 0);
    assert_int_equal(world_stream(t).seq, 1);
    it = world_publish(t, "二", t->news);
    assert_int_equal(it.seq, 2);
    assert_int_equal(it.born, 1);
}

static void each_act_is_one_change(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);
    struct content c = world_content(t, "{\"kind\":\"article\",\"title\":\"一改\"}");
    int64_t published = it.published;

    clock_set(WORLD_NOW + 60);
    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, NULL, NULL, &it), RC_OK);
    assert_int_equal(world_stream(t).seq, 1); /* a draft is not a change */
    assert_string_equal(it.title, "一");
    assert_int_equal(world_put_through(t, &it.id, 2, &it), RC_OK);
    assert_int_equal(world_stream(t).seq, 2);
    assert_int_equal(it.published, published);
    assert_int_equal(it.updated, WORLD_NOW + 60);
    assert_string_equal(it.title, "一改");
    assert_int_equal(publish_move(&t->w, &it.id, t->notices, &it), RC_OK);
    assert_int_equal(world_stream(t).seq, 3);
    assert_int_equal(it.live_rev, 2);
    assert_int_equal(publish_move(&t->w, &it.id, t->notices, &it), RC_CONFLICT);
    assert_int_equal(world_stream(t).seq, 3);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "内容有误", &it), RC_OK);
    assert_int_equal(world_stream(t).seq, 4);
    assert_int_equal(it.live_rev, 0);
    assert_int_equal(it.state, STATE_WITHDRAWN);
    assert_int_equal(world_stream(t).born, 1);
    world_commit(t);
    assert_int_equal(world_number(t, "SELECT count(*) FROM change"), 4);
    assert_int_equal(world_number(t, "SELECT count(*) FROM record"), 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM leaf"), 1);
    assert_int_equal(world_number(t, "SELECT seq FROM leaf"), 4);
    assert_int_equal(world_number(t, "SELECT count(*) FROM revision WHERE content IS NOT NULL"),
                     2);
}

static void a_tombstone_has_no_title_and_says_why(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "隐私标题", t->news);
    struct slice record;

    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "内容有误", &it), RC_OK);
    world_commit(t);
    assert_int_equal(item_live(&t->w, &it.id, &it, &record), RC_GONE);
    assert_int_equal(record.p[0], '{');
    assert_null(memmem(record.p, record.n, "隐私", strlen("隐私")));
    assert_non_null(memmem(record.p, record.n,
                           "\"reason\":\"内容有误\",\"state\":\"withdrawn\"",
                           strlen("\"reason\":\"内容有误\",\"state\":\"withdrawn\"")));
    assert_int_equal(world_number(t, "SELECT length(title) FROM change WHERE seq = 2"), 0);
}

static void a_takedown_leaves_no_text(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "身份证号泄露", t->news);
    struct slice record;

    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "泄露", &it), RC_OK);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_GONE, "泄露", &it), RC_OK);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_GONE, "泄露", &it), RC_CONFLICT);
    assert_int_equal(item_restore(&t->w, &it.id, &it), RC_CONFLICT);
    world_commit(t);
    assert_int_equal(world_stream(t).cut, 2);
    assert_int_equal(world_number(t, "SELECT count(*) FROM record"), 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM revision WHERE content IS NOT NULL"),
                     0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM item WHERE title <> ''"), 0);
    assert_int_equal(item_record(&t->w, &it.id, 1, &record), RC_GONE);
}

static void a_withdrawal_keeps_the_text_for_editors_only(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);
    struct content c = world_content(t, "{\"kind\":\"article\",\"title\":\"一改\"}");
    struct revision r;
    struct slice record;

    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, NULL, NULL, &it), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 2, &it), RC_OK);
    assert_int_equal(publish_move(&t->w, &it.id, t->notices, &it), RC_OK);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "核实", &it), RC_OK);
    world_commit(t);
    assert_int_equal(world_stream(t).cut, 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM record"), 1);
    for (int rev = 1; rev <= 2; rev++) {
        assert_int_equal(item_record(&t->w, &it.id, rev, &record), RC_GONE);
        assert_int_equal(item_preview(&t->w, &it.id, rev, &it, &c), RC_GONE);
        assert_int_equal(item_revision(&t->w, &it.id, rev, &it, &r, &c), RC_OK);
        assert_string_equal(c.title, rev == 1 ? "一" : "一改");
    }
    world_begin(t);
    assert_int_equal(item_restore(&t->w, &it.id, &it), RC_OK);
    assert_int_equal(item_preview(&t->w, &it.id, 3, &it, &c), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 3, &it), RC_OK);
    world_commit(t);
    assert_int_equal(item_record(&t->w, &it.id, 2, &record), RC_GONE); /* not even now */
    assert_int_equal(item_record(&t->w, &it.id, 3, &record), RC_OK);
}

static void what_was_withdrawn_comes_back_under_its_old_place(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);

    (void)world_publish(t, "二", t->news);
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "核实", &it), RC_OK);
    assert_int_equal(item_restore(&t->w, &it.id, &it), RC_OK);
    assert_int_equal(it.rev, 2);
    assert_int_equal(it.state, STATE_DRAFT);
    assert_int_equal(world_put_through(t, &it.id, 2, &it), RC_OK);
    world_commit(t);
    assert_int_equal(it.born, 0);
    assert_int_equal(it.seq, 4);
    assert_string_equal(it.title, "一");
    assert_int_equal(world_stream(t).born, 2);
}

static void what_is_due_expires_once(void **state)
{
    struct library_world *t = *state;
    struct content c = world_content(
        t, "{\"expires\":\"2025-11-22 00:00\",\"kind\":\"notice\",\"title\":\"临时停水\"}");
    struct item it;
    int done;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_OK);
    assert_int_equal(publish_expire_due(&t->w, 10, &done), RC_OK);
    assert_int_equal(done, 0);
    world_commit(t);
    clock_set(WORLD_NOW + 8 * 3600);
    publish_tick(t->w.db, NULL);
    publish_tick(t->w.db, NULL);
    assert_int_equal(world_stream(t).seq, 2);
    assert_int_equal(item_find(&t->w, &it.id, &it), RC_OK);
    assert_int_equal(it.state, STATE_EXPIRED);
    assert_int_equal(world_number(t, "SELECT op FROM change WHERE seq = 2"), CHANGE_EXPIRED);
}

static void a_damaged_item_does_not_keep_others_public(void **state)
{
    struct library_world *t = *state;
    struct content c =
        world_content(t, "{\"expires\":\"2025-11-22\",\"kind\":\"notice\",\"title\":\"停水\"}");
    struct item it;

    world_begin(t);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it),
            RC_OK);
        assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_OK);
    }
    world_commit(t);
    world_vandalise(
        t, "DELETE FROM revision WHERE item = (SELECT item FROM change WHERE seq = 1)");
    memset(&told, 0, sizeof told);
    change_observe(&ears);
    clock_set(WORLD_NOW + 86400);
    publish_tick(t->w.db, NULL);
    assert_int_equal(told.changes, 1);
    assert_int_equal(told.born[0], 1);
    assert_int_equal(world_stream(t).seq, 3);
}

static void what_would_end_at_once_is_not_published(void **state)
{
    struct library_world *t = *state;
    struct content c =
        world_content(t, "{\"expires\":\"2025-11-20\",\"kind\":\"notice\",\"title\":\"停水\"}");
    struct item it;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_INVALID);
    world_commit(t);
    assert_int_equal(world_stream(t).seq, 0);
}

static void the_slower_editor_is_told(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news), mine;
    struct content c = world_content(t, "{\"kind\":\"article\",\"title\":\"改\"}");

    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, NULL, NULL, &mine), RC_OK);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, NULL, NULL, &mine), RC_CONFLICT);
    assert_int_equal(publish_item(&t->w, &it.id, 2, &mine), RC_CONFLICT); /* not approved */
    assert_int_equal(item_edit(&t->w, &it.id, 2, &c, NULL, NULL, &mine), RC_OK);
    world_commit(t);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM revision WHERE state = 'superseded'"), 1);
    assert_int_equal(world_stream(t).seq, 1);
}

static void only_who_may_publish_does(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);

    world_begin(t);
    t->w.who.rights = RIGHT_READ | RIGHT_EDIT | RIGHT_IMPORT | RIGHT_OPERATE;
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "差错", &it), RC_FORBIDDEN);
    assert_int_equal(publish_move(&t->w, &it.id, t->notices, &it), RC_FORBIDDEN);
    world_commit(t);
    assert_int_equal(world_stream(t).seq, 1);
}

int main(void)
{
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, library_world_set_up, library_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(publishing_writes_one_change_and_is_told_after_commit),
        TEST(what_is_rolled_back_is_not_told_and_uses_no_number),
        TEST(each_act_is_one_change),
        TEST(a_tombstone_has_no_title_and_says_why),
        TEST(a_takedown_leaves_no_text),
        TEST(a_withdrawal_keeps_the_text_for_editors_only),
        TEST(what_was_withdrawn_comes_back_under_its_old_place),
        TEST(what_is_due_expires_once),
        TEST(a_damaged_item_does_not_keep_others_public),
        TEST(what_would_end_at_once_is_not_published),
        TEST(the_slower_editor_is_told),
        TEST(only_who_may_publish_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
