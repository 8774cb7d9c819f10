/* Votes on items: counts that are right whoever leaves, and list nothing that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/entry.h"
#include "server/citizen/vote.h"
#include "tests/lib/library_world.h"

enum { LI = 7, HAN = 8, GUEST = 9 };

static int set_up(void **state)
{
    int bad = library_world_set_up(state);
    struct library_world *t = *state;

    clock_set(WORLD_NOW);
    t->w.who.operator= true;
    return bad;
}

static void vote(struct library_world *t, int64_t account, const struct id *item,
                 const char *value)
{
    char id[ID_TEXT];

    world_begin(t);
    assert_int_equal(entry_put(&t->w, account, "vote",
                               arena_printf(t->mem, "%s/%s", t->stream.name, id_text(item, id)),
                               value, NULL, NULL),
                     RC_OK);
    world_commit(t);
}

static void votes_are_right_whatever_becomes_of_their_owners(void **state)
{
    struct library_world *t = *state;
    struct item a = world_publish(t, "办事指南", t->news),
                b = world_publish(t, "通知", t->news);
    struct vote *list;
    int n;

    vote(t, LI, &a.id, "1");
    vote(t, HAN, &a.id, "-1");
    vote(t, GUEST, &a.id, "-1");
    vote(t, LI, &b.id, "1");
    assert_int_equal(vote_list(&t->w, NULL, 10, &list, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].title, "办事指南");
    assert_int_equal(list[0].useful, 1);
    assert_int_equal(list[0].useless, 2);
    vote(t, HAN, &a.id, "1");
    vote(t, GUEST, &a.id, NULL);
    assert_int_equal(vote_list(&t->w, &a.id, 10, &list, &n), RC_OK);
    assert_int_equal(list[0].useful, 2);
    assert_int_equal(list[0].useless, 0);
    world_begin(t);
    assert_int_equal(db_run(&t->w, SQL_erase_entry, "i", (int64_t)LI), RC_OK);
    world_commit(t);
    assert_int_equal(vote_list(&t->w, &a.id, 10, &list, &n), RC_OK);
    assert_int_equal(list[0].useful, 1);
    assert_int_equal(vote_list(&t->w, &b.id, 10, &list, &n), RC_OK);
    assert_int_equal(n, 0);
}

/* Whoever votes on what is not there, or by another stream's name, hides nothing that is. */
static void votes_on_nothing_are_not_listed(void **state)
{
    struct library_world *t = *state;
    struct item a = world_publish(t, "办事指南", t->news);
    struct vote *list;
    char id[ID_TEXT];
    int n;

    vote(t, LI, &a.id, "-1");
    for (int i = 0; i < 20; i++) {
        struct id none = id_new();

        vote(t, HAN, &none, "-1");
        vote(t, GUEST, &none, "-1");
    }
    world_begin(t);
    assert_int_equal(entry_put(&t->w, HAN, "vote",
                               arena_printf(t->mem, "other/%s", id_text(&a.id, id)), "-1", NULL,
                               NULL),
                     RC_OK);
    world_commit(t);
    assert_int_equal(vote_list(&t->w, NULL, 10, &list, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].item, id);
    assert_int_equal(list[0].useless, 1);
    t->w.who.rights = RIGHT_READ; /* nothing that he may see */
    t->w.who.operator= false;
    assert_int_equal(vote_list(&t->w, NULL, 10, &list, &n), RC_OK);
    assert_int_equal(n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, library_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(votes_are_right_whatever_becomes_of_their_owners),
        TEST(votes_on_nothing_are_not_listed),
    };

    return cmocka_run_group_tests_name("vote", tests, NULL, NULL);
}
