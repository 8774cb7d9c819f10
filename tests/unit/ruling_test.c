/* What the rules say is written down and obeyed: no way leads around them to the public. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <utime.h>

#include "server/check/lists.h"
#include "server/check/words.h"
#include "server/library/import.h"
#include "server/library/publish.h"
#include "server/library/relay.h"
#include "server/library/ruling.h"
#include "tests/lib/library_world.h"

/* Its check character holds; it is nobody's. */
#define ID_NUMBER   "11010519491231002X"
#define DRAFT(body) "{\"body\":\"" body "\",\"kind\":\"article\",\"title\":\"标题\"}"

static struct item save(struct library_world *t, const char *json)
{
    struct content c = world_content(t, json);
    struct item it;

    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    return it;
}

static int64_t kept(struct library_world *t, const char *where)
{
    return world_number(
        t, arena_printf(t->mem, "SELECT count(*) FROM check_result WHERE %s", where));
}

static void set_rule(struct library_world *t, const char *rule, const char *severity)
{
    world_begin(t);
    assert_int_equal(site_rule_set(&t->w, t->site, rule, severity), RC_OK);
    world_commit(t);
}

static void a_draft_is_saved_and_goes_no_further(void **state)
{
    struct library_world *t = *state;
    struct item it, out;

    world_begin(t);
    it = save(t, DRAFT("身份证 " ID_NUMBER));
    world_commit(t);
    assert_int_equal(kept(t,
                          "rule = 'person.id' AND version = 1 AND severity = 'blocking' AND "
                          "step = 1 AND field = 'body' AND place_from = 4 AND place_to = 22"),
                     1);
    world_begin(t);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_SUBMIT, NULL, &out), RC_UNFIT);
    assert_null(strstr(t->w.err.text, "19491231"));
    db_rollback(t->w.db);
    t->w.after = NULL;
}

static void a_refusal_says_how_much_more_stands_against_it(void **state)
{
    struct library_world *t = *state;
    struct item it, out;

    world_begin(t);
    it = save(t, DRAFT("身份证 " ID_NUMBER "，又一个 " ID_NUMBER "，再一个 " ID_NUMBER));
    world_commit(t);
    world_begin(t);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_SUBMIT, NULL, &out), RC_UNFIT);
    assert_non_null(strstr(t->w.err.text, "（另有2处也必须改正）"));
    db_rollback(t->w.db);
    t->w.after = NULL;
}

/* A rule, or a list, that is newer than the approval. */
static void what_was_approved_is_asked_again_when_published(void **state)
{
    struct library_world *t = *state;
    struct item it, out;

    set_rule(t, "person.id", "off");
    world_begin(t);
    it = save(t, DRAFT("身份证 " ID_NUMBER));
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_SUBMIT, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_APPROVE, NULL, &it), RC_OK);
    world_commit(t);
    set_rule(t, "person.id", "default");
    world_begin(t);
    assert_int_equal(publish_item(&t->w, &it.id, 1, &out), RC_UNFIT);
    db_rollback(t->w.db);
    t->w.after = NULL;
    assert_int_equal(world_stream(t).seq, 0);
    set_rule(t, "person.id", "warning");
    world_begin(t);
    assert_int_equal(publish_item(&t->w, &it.id, 1, &out), RC_OK);
    world_commit(t);
    assert_int_equal(kept(t, "step = 4 AND rule = 'person.id' AND severity = 'warning'"), 1);
}

static void a_correction_is_no_way_around(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news), out;
    struct content c = world_content(t, DRAFT("身份证 " ID_NUMBER));

    set_rule(t, "person.id", "off");
    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, NULL, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 2, VERB_SUBMIT, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 2, VERB_APPROVE, NULL, &it), RC_OK);
    world_commit(t);
    set_rule(t, "person.id", "blocking");
    world_begin(t);
    assert_int_equal(publish_purge(&t->w, &it.id, 2, "更正", &out), RC_UNFIT);
    db_rollback(t->w.db);
    t->w.after = NULL;
    assert_int_equal(world_stream(t).seq, 1);
}

static struct import_line take(struct library_world *t, const char *line, bool ahead)
{
    struct import_options o = { .stream = t->stream.no, .publish = true, .create = true };
    struct import_line l;

    import_prepare(t->mem, line, strlen(line), &l);
    if (ahead)
        import_check(t->mem, &l, true);
    world_begin(t);
    assert_int_equal(import_apply(&t->w, &o, &l, 1), RC_OK);
    world_commit(t);
    return l;
}

#define RECORD(id, body)                                                                   \
    "{\"id\":\"" id                                                                        \
    "\",\"source\":\"1200000000\",\"column\":\"新闻\",\"title\":\"标题\",\"body\":\"" body \
    "\"}"

static void an_import_keeps_it_as_a_draft(void **state)
{
    struct library_world *t = *state;
    struct import_line l;
    struct item it;

    for (int ahead = 0; ahead < 2; ahead++) {
        const char *line =
            ahead ? RECORD("a", "身份证 " ID_NUMBER) : RECORD("b", "身份证 " ID_NUMBER);

        l = take(t, line, ahead);
        assert_int_equal(l.result, IMPORT_CREATED);
        assert_non_null(l.held);
        assert_int_equal(item_find(&t->w, &l.id, &it), RC_OK);
        assert_int_equal(it.state, STATE_DRAFT);
        assert_int_equal(take(t, line, ahead).result, IMPORT_UNCHANGED);
        assert_non_null(take(t, line, ahead).held);
    }
    assert_int_equal(world_stream(t).seq, 0);
    /* What is published already stays as it is, and the new text waits. */
    assert_null(take(t, RECORD("c", "好"), true).held);
    l = take(t, RECORD("c", "身份证 " ID_NUMBER), true);
    assert_int_equal(l.result, IMPORT_UPDATED);
    assert_non_null(l.held);
    assert_int_equal(item_find(&t->w, &l.id, &it), RC_OK);
    assert_int_equal(it.live_rev, 1);
    assert_int_equal(it.rev, 2);
    assert_int_equal(world_stream(t).seq, 1);
}

/* The answer that was prepared counts every rule as rule.def does. */
static void a_site_of_its_own_is_asked_by_the_writer(void **state)
{
    struct library_world *t = *state;

    set_rule(t, "person.phone", "blocking");
    assert_non_null(take(t, RECORD("a", "电话 13800138000"), true).held);
    set_rule(t, "person.phone", "off");
    assert_null(take(t, RECORD("b", "电话 13800138000"), true).held);
    assert_int_equal(kept(t, "rule = 'person.phone' AND step = 4"), 0);
    set_rule(t, "person.id", "off");
    assert_null(take(t, RECORD("c", "身份证 " ID_NUMBER), true).held);
    set_rule(t, "person.id", "default");
    assert_non_null(take(t, RECORD("d", "身份证 " ID_NUMBER), true).held);
}

static void verdicts_go_with_the_text(void **state)
{
    struct library_world *t = *state;
    struct item it, out;
    struct content c = world_content(t, DRAFT("改好了"));

    world_begin(t);
    it = save(t, DRAFT("电话 13800138000"));
    assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_OK);
    world_commit(t);
    assert_int_equal(kept(t, "rule = 'person.phone'"), 3); /* saved, reviewed, published */
    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, NULL, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 2, VERB_SUBMIT, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 2, VERB_APPROVE, NULL, &it), RC_OK);
    assert_int_equal(publish_purge(&t->w, &it.id, 2, "更正", &out), RC_OK);
    world_commit(t);
    assert_int_equal(kept(t, "rev = 1"), 0);
    assert_true(kept(t, "rev = 2") > 0); /* no source */
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_GONE, "删", &out), RC_OK);
    world_commit(t);
    assert_int_equal(kept(t, "1"), 0);
}

static void a_warning_is_told_as_it_came(void **state)
{
    struct library_world *t = *state;
    struct content c = world_content(t, "{\"body\":\"" ID_NUMBER
                                        "\",\"kind\":\"warning\",\"title\":\"暴雨\"}");
    const struct relay r = {
        .site = "1200000000", .column = "预警", .origin_id = "w", .content = &c
    };
    struct item it;

    world_begin(t);
    assert_int_equal(relay_new(&t->w, &r, &it), RC_OK);
    world_commit(t);
    assert_int_equal(it.live_rev, 1);
    assert_int_equal(kept(t, "1"), 0);
}

static void only_who_edits_there_sets_a_rule(void **state)
{
    struct library_world *t = *state;

    assert_int_equal(site_rule_set(&t->w, t->site, "no.such", "off"), RC_NOT_FOUND);
    assert_int_equal(site_rule_set(&t->w, t->site, "person.id", "mild"), RC_INVALID);
    t->w.who.rights = RIGHT_PUBLISH | RIGHT_REVIEW;
    assert_int_equal(site_rule_set(&t->w, t->site, "person.id", "off"), RC_FORBIDDEN);
}

static void write_list(const char *path, const char *word, time_t at)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fprintf(f, "# date: 2026-11-01\n%s\tblocking\t\t示例\n", word);
    fclose(f);
    assert_int_equal(utime(path, &(struct utimbuf){ at, at }), 0);
}

static void a_list_that_changed_counts_at_once(void **state)
{
    struct library_world *t = *state;
    const struct conf_list files = { .n = 1, .v = { "words.tsv" } }, hosts = { 0 };
    const char *path = arena_printf(t->mem, "%s/words.tsv", t->dir);
    const struct lists *held;
    struct import_line ahead;
    struct import_options o = { .stream = t->stream.no, .publish = true, .create = true };
    struct err e;

    assert_int_equal(lists_open(&e, t->dir, &files, &hosts), RC_NOT_FOUND);
    write_list(path, "某违禁词", 1000);
    assert_int_equal(lists_open(&e, t->dir, &files, &hosts), RC_OK);
    assert_false(lists_renew());
    assert_non_null(take(t, RECORD("a", "有某违禁词"), true).held);
    import_prepare(t->mem, RECORD("b", "有另一个词"), strlen(RECORD("b", "有另一个词")),
                   &ahead);
    import_check(t->mem, &ahead, true); /* by the list that was */
    held = lists_take();
    write_list(path, "另一个词", 2000);
    assert_true(lists_renew());
    assert_int_equal(words_count(held->words[0]), 1); /* who reads it still may */
    lists_drop(held);
    world_begin(t);
    assert_int_equal(import_apply(&t->w, &o, &ahead, 1), RC_OK);
    world_commit(t);
    assert_non_null(ahead.held);
    /* A site that has something to say of another rule changes nothing of the words' own severities. */
    set_rule(t, "person.phone", "off");
    assert_non_null(take(t, RECORD("c", "有另一个词"), true).held);
    /* A list that is broken leaves the one before. */
    write_list(path, "", 3000);
    assert_int_equal(remove(path), 0);
    assert_false(lists_renew());
    assert_non_null(take(t, RECORD("d", "有另一个词"), true).held);
    lists_close();
    assert_null(take(t, RECORD("e", "有另一个词"), true).held);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, library_world_set_up, library_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_draft_is_saved_and_goes_no_further),
        TEST(a_refusal_says_how_much_more_stands_against_it),
        TEST(what_was_approved_is_asked_again_when_published),
        TEST(a_correction_is_no_way_around),
        TEST(an_import_keeps_it_as_a_draft),
        TEST(a_site_of_its_own_is_asked_by_the_writer),
        TEST(verdicts_go_with_the_text),
        TEST(a_warning_is_told_as_it_came),
        TEST(only_who_edits_there_sets_a_rule),
        TEST(a_list_that_changed_counts_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
