/*
 * identifier_test.c - one thing has one spelling, and one owner.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/seal.h"
#include "server/identity/identifier.h"
#include "tests/lib/library_world.h"

static int set_up(void **state)
{
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    seal_forget();
    return library_world_tear_down(state);
}

/* ---- normal forms ---- */

struct spelling {
    const char *kind, *text, *normal; /* NULL: refused */
};

static const struct spelling spellings[] = {
    { "phone", "13800138000", "8613800138000" },
    { "phone", " 138 0013 8000 ", "8613800138000" },
    { "phone", "138-0013-8000", "8613800138000" },
    { "phone", "+8613800138000", "8613800138000" },
    { "phone", "+86 (138) 0013-8000", "8613800138000" },
    { "phone", "008613800138000", "8613800138000" },
    { "phone", "8613800138000", "8613800138000" },
    { "phone", "１３８００１３８０００", "8613800138000" }, /* a full-width keyboard */
    { "phone", "+85291234567", "85291234567" },
    { "phone", "+1 202 555 0100", "12025550100" },
    { "phone", "12800138000", NULL }, /* no mobile number begins so */
    { "phone", "1380013800", NULL },
    { "phone", "138001380000", NULL },
    { "phone", "+861380013800", NULL }, /* of China, but too short */
    { "phone", "022-23456789", NULL },  /* a landline takes no SMS */
    { "phone", "+0123456789", NULL },
    { "phone", "+1234567890123456", NULL },
    { "phone", "+", NULL },
    { "phone", "", NULL },
    { "phone", "13800138000\n", NULL },
    { "phone", "13800138000\"}", NULL },
    { "phone", "1380013800x", NULL },
    { "phone", "138.0013.8000", NULL },
    { "phone", "١٣٨٠٠١٣٨٠٠٠", NULL }, /* Arabic digits */
    { "login", "zhang.wei", "zhang.wei" },
    { "login", "Zhang.Wei", "zhang.wei" },
    { "login", "ＺＨＡＮＧ＿wei", "zhang_wei" },
    { "login", "张伟2", "张伟2" },
    { "login", "a@b", "a@b" },
    { "login", "ab", NULL },
    { "login", "zhang wei", NULL },
    { "login", "zh\u0430ng", NULL }, /* a Cyrillic letter */
    { "login", "zhang\u200bwei", NULL },
    { "login", "20261122", NULL }, /* it would read as a number */
    { "login", "zhang/wei", NULL },
    { "login", "zhang\xff", NULL },
    { "wechat", "oGZUI0egBJY1zhBYw2KhdUfwVJJE", "oGZUI0egBJY1zhBYw2KhdUfwVJJE" },
    { "wechat:wx0123456789abcdef", "oGZ", "oGZ" },
    { "upstream:tjzw", "a b", NULL },
    { "upstream:tjzw", "", NULL },
    { "wechat:", "oGZ", NULL },
    { "upstream", "x", NULL },
    { "phone:x", "13800138000", NULL },
    { "other", "x", NULL },
    { "", "x", NULL },
};

static void a_thing_has_one_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const struct spelling *s = &spellings[i];
        char out[IDENTIFIER_TEXT] = "untouched", again[IDENTIFIER_TEXT];
        struct err e;
        enum rc rc = identifier_normal(&e, s->kind, s->text, out);

        if ((rc == RC_OK) != (s->normal != NULL))
            fail_msg("%s \"%s\": %s", s->kind, s->text, rc ? e.text : out);
        if (rc)
            continue;
        assert_string_equal(out, s->normal);
        if (!strcmp(s->kind, "phone") && strncmp(out, "86", 2) != 0)
            continue; /* a foreign one begins with a plus when it is typed */
        assert_int_equal(identifier_normal(&e, s->kind, out, again), RC_OK);
        assert_string_equal(again, out);
    }
}

static void a_login_has_at_most_64_characters(void **state)
{
    char text[400] = "", out[IDENTIFIER_TEXT];
    struct err e;

    (void)state;
    for (int i = 0; i < 64; i++)
        strcat(text, "张");
    assert_int_equal(identifier_normal(&e, "login", text, out), RC_OK);
    strcat(text, "伟");
    assert_int_equal(identifier_normal(&e, "login", text, out), RC_INVALID);
    assert_string_equal(e.field, "login");
}

static void what_is_typed_at_a_sign_in_reads_one_way(void **state)
{
    char out[IDENTIFIER_TEXT];
    const char *kind;
    struct err e;

    (void)state;
    assert_int_equal(identifier_guess(&e, "138 0013 8000", &kind, out), RC_OK);
    assert_string_equal(kind, "phone");
    assert_int_equal(identifier_guess(&e, "Zhang.Wei", &kind, out), RC_OK);
    assert_string_equal(kind, "login");
    assert_int_equal(identifier_guess(&e, "12345678", &kind, out), RC_INVALID);
}

static void a_hint_does_not_tell_a_number(void **state)
{
    struct library_world *t = *state;
    const struct identifier home = { "phone", "8613800138000", 0 },
                            abroad = { "phone", "85291234567", 0 },
                            login = { "login", "zhang.wei", 0 },
                            wechat = { "wechat", "oGZUI0eg", 0 };

    assert_string_equal(identifier_hint(t->mem, &home), "138****8000");
    assert_string_equal(identifier_hint(t->mem, &abroad), "+852****4567");
    assert_string_equal(identifier_hint(t->mem, &login), "zhang.wei");
    assert_string_equal(identifier_hint(t->mem, &wechat), "");
}

/* ---- rows ---- */

static enum rc add(struct library_world *t, int64_t account, const char *kind,
                   const char *value)
{
    enum rc rc;

    world_begin(t);
    rc = identifier_add(&t->w, account, kind, value);
    world_commit(t);
    return rc;
}

static void it_is_found_and_belongs_to_one(void **state)
{
    struct library_world *t = *state;
    int64_t owner = 0;

    assert_int_equal(identifier_owner(&t->w, "phone", "8613800138000", &owner), RC_NOT_FOUND);
    assert_int_equal(add(t, 1, "phone", "8613800138000"), RC_OK);
    assert_int_equal(identifier_owner(&t->w, "phone", "8613800138000", &owner), RC_OK);
    assert_int_equal(owner, 1);
    assert_int_equal(identifier_owner(&t->w, "login", "8613800138000", &owner), RC_NOT_FOUND);
    assert_int_equal(add(t, 2, "phone", "8613800138000"), RC_CONFLICT);
    assert_int_equal(add(t, 1, "phone", "8613800138000"), RC_OK); /* proved again */
    assert_int_equal(world_number(t, "SELECT count(*) FROM identifier"), 1);
}

static void the_database_does_not_tell_it(void **state)
{
    struct library_world *t = *state;

    assert_int_equal(add(t, 1, "phone", "8613800138000"), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM identifier WHERE "
                                     "instr(value, '13800138000') OR "
                                     "instr(find, '13800138000')"),
                     0);
}

static void what_is_moved_to_another_by_hand_does_not_open(void **state)
{
    struct library_world *t = *state;
    struct identifier *list;
    int n;

    assert_int_equal(add(t, 1, "phone", "8613800138000"), RC_OK);
    world_vandalise(t, "UPDATE identifier SET account = 2");
    assert_int_equal(identifier_list(&t->w, 2, &list, &n), RC_CORRUPT);
}

static void an_account_has_at_most_twenty(void **state)
{
    struct library_world *t = *state;
    struct identifier *list;
    char value[32];
    int n;

    for (int i = 0; i < IDENTIFIERS_MAX; i++) {
        snprintf(value, sizeof value, "86138001380%02d", i);
        assert_int_equal(add(t, 1, "phone", value), RC_OK);
    }
    assert_int_equal(add(t, 1, "phone", "8613900139000"), RC_CONFLICT);
    assert_int_equal(identifier_list(&t->w, 1, &list, &n), RC_OK);
    assert_int_equal(n, IDENTIFIERS_MAX);
    assert_string_equal(list[0].kind, "phone");
    assert_int_equal(list[0].proved, WORLD_NOW);
}

static void it_is_removed_by_its_owner_alone(void **state)
{
    struct library_world *t = *state;
    int64_t owner;

    assert_int_equal(add(t, 1, "phone", "8613800138000"), RC_OK);
    world_begin(t);
    assert_int_equal(identifier_remove(&t->w, 2, "phone", "8613800138000"), RC_NOT_FOUND);
    assert_int_equal(identifier_remove(&t->w, 1, "phone", "8613800138000"), RC_OK);
    world_commit(t);
    assert_int_equal(identifier_owner(&t->w, "phone", "8613800138000", &owner), RC_NOT_FOUND);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_thing_has_one_spelling),
        T(a_login_has_at_most_64_characters),
        T(what_is_typed_at_a_sign_in_reads_one_way),
        T(a_hint_does_not_tell_a_number),
        T(it_is_found_and_belongs_to_one),
        T(the_database_does_not_tell_it),
        T(what_is_moved_to_another_by_hand_does_not_open),
        T(an_account_has_at_most_twenty),
        T(it_is_removed_by_its_owner_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
