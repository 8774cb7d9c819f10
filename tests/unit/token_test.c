/*
 * token_test.c - bearer tokens: shown once, checked by hash, limited, revoked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/identity/token.h"
#include "tests/lib/library_world.h"

static void a_token_carries_its_rights_until_it_expires(void **state)
{
    struct library_world *t = *state;
    char text[TOKEN_TEXT];
    struct actor who;

    world_begin(t);
    assert_int_equal(token_create(&t->w, "cms", "import,publish", 60, text), RC_OK);
    world_commit(t);
    assert_int_equal(strlen(text), 48);
    assert_memory_equal(text, "tjzw_", 5);
    assert_int_equal(token_check(&t->w, text, &who), RC_OK);
    assert_string_equal(who.name, "token:cms");
    assert_int_equal(who.rights, RIGHT_IMPORT | RIGHT_PUBLISH);
    clock_set(WORLD_NOW + 60);
    assert_int_equal(token_check(&t->w, text, &who), RC_UNAUTHORIZED);
}

static void the_database_does_not_hold_it(void **state)
{
    struct library_world *t = *state;
    char text[TOKEN_TEXT];

    world_begin(t);
    assert_int_equal(token_create(&t->w, "cms", "all", 60, text), RC_OK);
    world_commit(t);
    assert_int_equal(
        world_number(
            t, arena_printf(
                   t->mem, "SELECT count(*) FROM token WHERE instr(hash, '%s') OR label = '%s'",
                   text, text)),
        0);
    assert_int_equal(world_number(t, "SELECT length(hash) FROM token"), 32);
}

static void what_is_not_a_token_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "tjzw_",
        "Bearer x",
        "tjzw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "tjzw_' OR 1=1 --",
        "tjzw_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    };
    struct library_world *t = *state;
    struct actor who;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(token_check(&t->w, wrong[i], &who), RC_UNAUTHORIZED);
}

static void a_revoked_token_is_refused(void **state)
{
    struct library_world *t = *state;
    char text[TOKEN_TEXT];
    struct token *list;
    struct actor who;
    int n;

    world_begin(t);
    assert_int_equal(token_create(&t->w, "b", "read", 60, text), RC_OK);
    assert_int_equal(token_create(&t->w, "a", "edit", 60, text), RC_OK);
    assert_int_equal(token_create(&t->w, "a", "edit", 60, text), RC_CONFLICT);
    assert_int_equal(token_list(&t->w, &list, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].label, "a");
    assert_int_equal(token_revoke(&t->w, "a"), RC_OK);
    assert_int_equal(token_revoke(&t->w, "a"), RC_NOT_FOUND);
    world_commit(t);
    assert_int_equal(token_check(&t->w, text, &who), RC_UNAUTHORIZED);
}

static void nobody_gives_away_what_he_lacks(void **state)
{
    struct library_world *t = *state;
    char text[TOKEN_TEXT] = "untouched";

    t->w.who.rights = RIGHT_OPERATE | RIGHT_READ;
    assert_int_equal(token_create(&t->w, "x", "publish", 60, text), RC_FORBIDDEN);
    t->w.who.rights = RIGHT_ALL & ~RIGHT_OPERATE;
    assert_int_equal(token_create(&t->w, "x", "read", 60, text), RC_FORBIDDEN);
    t->w.who.rights = RIGHT_ALL;
    assert_int_equal(token_create(&t->w, "x", "", 60, text), RC_INVALID);
    assert_int_equal(token_create(&t->w, "x", "read,,edit", 60, text), RC_INVALID);
    assert_int_equal(token_create(&t->w, "x", "root", 60, text), RC_INVALID);
    assert_int_equal(token_create(&t->w, "", "read", 60, text), RC_INVALID);
    assert_int_equal(token_create(&t->w, "a b", "read", 60, text), RC_INVALID);
    assert_int_equal(token_create(&t->w, "x", "read", 0, text), RC_INVALID);
    assert_string_equal(text, "untouched");
}

/* It stands in the path of the request that revokes it. */
static void a_label_can_stand_in_an_address(void **state)
{
    static const char *const wrong[] = { ".",
                                         "..",
                                         ".a",
                                         "-a",
                                         "_a",
                                         "a..b",
                                         "A",
                                         "a/b",
                                         "天津",
                                         "a%2f",
                                         "a\n",
                                         "",
                                         "a2345678901234567890123456789012345678901" };
    struct library_world *t = *state;
    char text[TOKEN_TEXT];

    world_begin(t);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (token_create(&t->w, wrong[i], "read", 60, text) != RC_INVALID ||
            strcmp(t->w.err.field, "label"))
            fail_msg("%s", wrong[i]);
    assert_int_equal(token_create(&t->w, "7.cms-a_b", "read", 60, text), RC_OK);
    assert_int_equal(
        token_create(&t->w, "a234567890123456789012345678901234567890", "read", 60, text),
        RC_OK);
    world_commit(t);
}

int main(void)
{
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, library_world_set_up, library_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_token_carries_its_rights_until_it_expires),
        TEST(the_database_does_not_hold_it),
        TEST(what_is_not_a_token_is_refused),
        TEST(a_revoked_token_is_refused),
        TEST(nobody_gives_away_what_he_lacks),
        TEST(a_label_can_stand_in_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
