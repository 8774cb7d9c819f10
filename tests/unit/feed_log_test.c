/*
 * feed_log_test.c - what a change means to the feeds: which scopes count it, and which change says nothing here.
 *
 * take() is given changes as a log could have them, over a library that knows its own items.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/jx.h"
#include "server/derived/derived.h"
#include "server/derived/state.h"
#include "server/feed/feed_log.h"
#include "server/library/publish.h"
#include "tests/lib/library_world.h"

static const struct projection *const table[] = { &feed_projection, NULL };

static int set_up(void **state)
{
    int failed = library_world_set_up(state);
    struct library_world *t = *state;
    struct err e = { 0 };

    if (failed || derived_open(&e, t->dir, table))
        fail_msg("%s", e.text);
    t->w.derived = derived.db;
    return 0;
}

static int tear_down(void **state)
{
    derived_close();
    return library_world_tear_down(state);
}

/* A change of that item that publishes `record`. */
static struct derived_change change_of(struct library_world *t, const struct item *it,
                                       const char *record)
{
    json_t *o;

    assert_int_equal(jx_object(&t->w.err, t->mem, record, strlen(record), &o), RC_OK);
    return (struct derived_change){ .stream = it->stream,
                                    .seq = it->seq,
                                    .item = it->id,
                                    .rev = it->live_rev,
                                    .op = CHANGE_PUT,
                                    .site = it->site,
                                    .column = it->col,
                                    .at = WORLD_NOW,
                                    .bytes = record,
                                    .n = strlen(record),
                                    .record = o };
}

static void taken(struct library_world *t, const struct derived_change *c)
{
    bool shown = false;

    if (feed_projection.take(&t->w, c, &shown))
        fail_msg("%s", t->w.err.text);
}

static struct feed_scope scope(struct library_world *t, const char *name)
{
    struct feed_scope s;

    assert_int_equal(feed_scope_find(&t->w, name, &s), RC_OK);
    return s;
}

static void each_place_counts_for_itself(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    struct derived_change c = change_of(t, &it, "{\"theme\":\"城乡\",\"title\":\"甲\"}");

    taken(t, &c);
    assert_int_equal(scope(t, "all").n, 1);
    assert_int_equal(scope(t, arena_printf(t->mem, "column/%d", (int)t->news)).n, 1);
    assert_int_equal(scope(t, "theme/城乡").n, 1);
    c.seq = 2;
    c.column = t->notices;
    taken(t, &c);
    assert_int_equal(scope(t, "all").n, 2);
    assert_int_equal(scope(t, arena_printf(t->mem, "column/%d", (int)t->news)).n,
                     2); /* it is gone there */
    assert_int_equal(scope(t, arena_printf(t->mem, "column/%d", (int)t->notices)).n, 1);
}

static void another_streams_word_about_an_item_is_passed_over(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    struct derived_change c = change_of(t, &it, "{\"title\":\"甲\"}");

    taken(t, &c);
    c.stream = it.stream + 1;
    c.op = CHANGE_WITHDRAWN;
    c.bytes = NULL;
    c.record = NULL;
    taken(t, &c);
    assert_int_equal(scope(t, "all").n, 1);
    c = change_of(t, &it, "{\"title\":\"谁的\"}");
    c.item = id_new(); /* nor an item that the library did not take */
    taken(t, &c);
    assert_int_equal(scope(t, "all").n, 1);
}

static void what_stands_in_no_directory_holds_up_nobody(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    struct derived_change c = change_of(t, &it, "{\"title\":\"甲\"}");

    c.site = c.column = 0;
    taken(t, &c);
    assert_int_equal(scope(t, "all").n, 1);
}

static void a_warning_for_many_areas_is_in_each(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    struct buf b = BUF_IN(t->mem);
    struct derived_change c;

    buf_adds(&b, "{\"areas\":[");
    for (int i = 0; i < 500; i++)
        buf_printf(&b, "%s\"1201%02d%03d%03d\"", i ? "," : "", 1 + i % 18, 1 + i % 99, 1 + i);
    buf_adds(&b, "],\"title\":\"甲\"}");
    c = change_of(t, &it, b.p);
    taken(t, &c);
    for (int i = 0; i < 500; i++)
        assert_int_equal(scope(t, arena_printf(t->mem, "area/1201%02d%03d%03d", 1 + i % 18,
                                               1 + i % 99, 1 + i))
                             .n,
                         1);
    assert_int_equal(scope(t, "area/120000").n, 1);
    assert_int_equal(scope(t, "area/120101").n, 1);
}

static void the_chain_says_what_was_counted(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    struct derived_change c = change_of(t, &it, "{\"theme\":\"一\",\"title\":\"甲\"}"),
                          other = change_of(t, &it, "{\"theme\":\"二\",\"title\":\"乙\"}");
    struct feed_scope one, two;

    taken(t, &c);
    one = scope(t, "theme/一");
    taken(t, &other); /* the same stream, seq and place, as after a restore, but another text */
    two = scope(t, "theme/二");
    assert_int_equal(one.n, 1);
    assert_int_equal(two.n, 1);
    assert_memory_not_equal(one.chain, two.chain, FEED_CHAIN_BYTES);
}

static void what_is_for_some_is_in_no_feed(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "甲", t->news);
    struct derived_change c =
        change_of(t, &it, "{\"recipients\":{\"area\":\"120101\"},\"title\":\"甲\"}");

    taken(t, &c);
    assert_int_equal(scope(t, "all").n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_place_counts_for_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_streams_word_about_an_item_is_passed_over,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_stands_in_no_directory_holds_up_nobody, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_warning_for_many_areas_is_in_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_chain_says_what_was_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_for_some_is_in_no_feed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
