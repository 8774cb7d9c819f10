/* Two people for a takedown, one in an emergency, and what goes with the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/library/chain.h"
#include "server/library/column.h"
#include "server/library/eyes.h"
#include "server/library/publish.h"
#include "server/library/review.h"
#include "server/library/site.h"
#include "tests/lib/library_world.h"

enum { LI = 7, WANG };

static const struct actor operator_before = { .name = "operator" };

/* From now on the work is that person's; 0: the operator's. */
static void by(struct library_world *t, int64_t account)
{
    t->w.who = operator_before;
    t->w.who.rights = RIGHT_ALL;
    t->w.who.operator= !account;
    t->w.who.account = account;
    if (account)
        snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", (int)account);
}

static void by_program(struct library_world *t)
{
    by(t, 0);
    t->w.who.operator= false;
    t->w.who.party = 3;
    strcpy(t->w.who.name, "party:cms");
}

static void set_chain(struct library_world *t, const struct chain *c)
{
    by(t, 0);
    world_begin(t);
    assert_int_equal(chain_set(&t->w, t->site, c), RC_OK);
    world_commit(t);
}

static struct item again(struct library_world *t, const struct item *it)
{
    struct item now;

    assert_int_equal(item_find(&t->w, &it->id, &now), RC_OK);
    return now;
}

static enum rc take_down(struct library_world *t, int64_t account, const struct item *it,
                         const char *reason, bool emergency, bool *asked)
{
    struct eyes_done done = { 0 };
    enum rc rc;

    if (account >= 0)
        by(t, account);
    else
        by_program(t);
    world_begin(t);
    rc = eyes_take_down(&t->w, &it->id, VERB_WITHDRAW, reason, emergency, &done);
    if (rc)
        db_rollback(t->w.db);
    else
        world_commit(t);
    t->w.after = NULL;
    *asked = done.asked;
    return rc;
}

static void two_people_take_something_down(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "要撤", t->news);
    bool asked;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 2 });
    assert_int_equal(take_down(t, LI, &it, NULL, false, &asked), RC_INVALID);
    assert_int_equal(take_down(t, LI, &it, "有误", false, &asked), RC_OK);
    assert_true(asked);
    assert_int_equal(take_down(t, LI, &it, "有误", false, &asked), RC_OK);
    assert_true(asked);
    assert_int_equal(take_down(t, -1, &it, "有误", false, &asked), RC_OK);
    assert_true(asked);
    assert_int_equal(take_down(t, 0, &it, "有误", false, &asked), RC_OK);
    assert_true(asked);
    assert_int_equal(again(t, &it).state, STATE_PUBLISHED);
    /* The question is a day old, and nobody's any more. */
    clock_set(WORLD_NOW + EYES_FOR + 1);
    assert_int_equal(take_down(t, WANG, &it, "有误", false, &asked), RC_OK);
    assert_true(asked);
    assert_int_equal(take_down(t, LI, &it, NULL, false, &asked), RC_OK);
    assert_false(asked);
    assert_int_equal(again(t, &it).state, STATE_WITHDRAWN);
    assert_int_equal(world_number(t, "SELECT count(*) FROM takedown_ask"), 0);
}

static void an_emergency_takes_one(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "要撤", t->news);
    bool asked;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 2 });
    assert_int_equal(take_down(t, -1, &it, "泄露", true, &asked), RC_FORBIDDEN);
    assert_int_equal(take_down(t, LI, &it, "泄露", true, &asked), RC_OK);
    assert_false(asked);
    assert_int_equal(again(t, &it).state, STATE_WITHDRAWN);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM audit WHERE action = 'item.emergency'"), 1);
}

/* What reviewers said goes with a text that is taken down for good. */
/* Else one person moved it to where one is enough. */
static void what_is_public_does_not_leave_for_where_one_person_takes_it_down(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "要移", t->news), out;
    struct site other = { .code = "1200000099", .name = "某区", .stream = t->stream.no };
    struct column c;
    bool asked;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 2 });
    world_begin(t);
    assert_int_equal(site_create(&t->w, &other), RC_OK);
    assert_int_equal(column_at(&t->w, other.no, "新闻", true, &c), RC_OK);
    assert_int_equal(publish_move(&t->w, &it.id, c.no, &out), RC_CONFLICT);
    world_commit(t);
    assert_int_equal(take_down(t, LI, &it, "有误", false, &asked), RC_OK);
    assert_int_equal(take_down(t, WANG, &it, NULL, false, &asked), RC_OK);
    by(t, 0);
    world_begin(t);
    assert_int_equal(publish_move(&t->w, &it.id, c.no, &out), RC_OK);
    world_commit(t);
}

static void words_go_with_the_text(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "删", t->news), out;

    world_begin(t);
    assert_int_equal(review_comment(&t->w, &it.id, "住址 某某路1号", &out), RC_OK);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_GONE, "删", &out), RC_OK);
    world_commit(t);
    assert_int_equal(world_number(t, "SELECT count(*) FROM review WHERE said IS NOT NULL"), 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, library_world_set_up, library_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_people_take_something_down),
        TEST(an_emergency_takes_one),
        TEST(what_is_public_does_not_leave_for_where_one_person_takes_it_down),
        TEST(words_go_with_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
