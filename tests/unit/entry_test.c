/*
 * entry_test.c - what is written stands at the next number of its account's order, by the rule of its type, and others' traffic never shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/identity/personal.h"
#include "sync/state.h"
#include "tests/lib/library_world.h"

enum { LI = 7, HAN = 8 };

#define ITEM "main/0190b1c2-0000-7000-8000-000000000001"

static int set_up(void **state)
{
    int bad = library_world_set_up(state);
    struct library_world *t = *state;

    if (!bad)
        assert_int_equal(seal_load(&t->w.err, t->dir, SEAL_XCHACHA), RC_OK);
    return bad;
}

static int tear_down(void **state)
{
    seal_forget();
    return library_world_tear_down(state);
}

/* Where it stands then. */
static int64_t put(struct library_world *t, int64_t account, const char *type, const char *key,
                   const char *value)
{
    int64_t seq = -1;

    world_begin(t);
    assert_int_equal(entry_put(&t->w, account, type, key, value, NULL, &seq), RC_OK);
    world_commit(t);
    return seq;
}

static struct entry get(struct library_world *t, int64_t account, const char *type,
                        const char *key)
{
    struct entry e = { 0 };

    assert_int_equal(entry_get(&t->w, account, type, key, &e), RC_OK);
    return e;
}

static int list(struct library_world *t, int64_t account, int64_t since, struct entry **out)
{
    struct entry_page page = { .since = since, .tombstones = since, .most = 1000 };

    assert_int_equal(entry_list(&t->w, account, &page), RC_OK);
    *out = page.entries;
    return page.n;
}

static void each_account_counts_for_itself(void **state)
{
    struct library_world *t = *state;

    assert_int_equal(put(t, LI, "fav", ITEM, "{\"at\":1}"), 1);
    assert_int_equal(put(t, HAN, "set", "font", "20"), 1);
    assert_int_equal(put(t, LI, "set", "font", "24"), 2);
    assert_string_equal(get(t, LI, "set", "font").value, "24");
    assert_string_equal(get(t, HAN, "set", "font").value, "20");
}

static void what_changes_nothing_takes_no_number(void **state)
{
    struct library_world *t = *state;
    struct citizen c;

    assert_int_equal(put(t, LI, "fav", ITEM, "{\"at\":1}"), 1);
    assert_int_equal(put(t, LI, "fav", ITEM, "{\"at\":1}"), 1);
    assert_int_equal(put(t, LI, "set", "font", NULL), 0);
    assert_int_equal(citizen_get(&t->w, LI, &c), RC_OK);
    assert_int_equal(c.seq, 1);
}

static void what_is_removed_stays_as_a_tombstone_at_the_number_of_its_removal(void **state)
{
    struct library_world *t = *state;
    struct entry *e;

    put(t, LI, "fav", ITEM, "{\"at\":1}");
    put(t, LI, "set", "font", "20");
    assert_int_equal(put(t, LI, "fav", ITEM, NULL), 3);
    assert_int_equal(list(t, LI, 0, &e), 2);
    assert_string_equal(e[0].key, "font");
    assert_string_equal(e[1].key, ITEM);
    assert_null(e[1].value);
    assert_int_equal(list(t, LI, 2, &e), 1);
    assert_int_equal(list(t, LI, 3, &e), 0);
}

static void read_marks_never_go(void **state)
{
    struct library_world *t = *state;

    put(t, LI, "read", "main/3", "\"7\"");
    put(t, LI, "read", "main/3", "\"0-5,8\"");
    assert_string_equal(get(t, LI, "read", "main/3").value, "\"0-5,7-8\"");
    assert_int_equal(put(t, LI, "read", "main/3", "\"1\""), 2);
    assert_int_equal(put(t, LI, "read", "main/3", NULL), 2);
}

static void the_oldest_places_go_by_themselves(void **state)
{
    struct library_world *t = *state;
    char key[64];
    struct entry *e;
    int n, live = 0;

    for (int i = 0; i < 503; i++) {
        snprintf(key, sizeof key, "main/0190b1c2-0000-7000-8000-%012d", i);
        put(t, LI, "place", key, "500");
    }
    n = list(t, LI, 0, &e);
    for (int i = 0; i < n; i++)
        live += e[i].value != NULL;
    assert_int_equal(n, 503);
    assert_int_equal(live, 500);
    assert_null(get(t, LI, "place", "main/0190b1c2-0000-7000-8000-000000000002").value);
    assert_non_null(get(t, LI, "place", "main/0190b1c2-0000-7000-8000-000000000003").value);
}

static void there_are_only_so_many_of_a_type(void **state)
{
    struct library_world *t = *state;
    const struct state_type *follow = state_type_find("follow");
    char key[64];

    world_begin(t);
    for (int i = 1; i <= follow->most; i++) {
        snprintf(key, sizeof key, "column/main/%d", i);
        assert_int_equal(entry_put(&t->w, LI, "follow", key, "{\"rank\":\"a\"}", NULL, NULL),
                         RC_OK);
    }
    assert_int_equal(entry_put(&t->w, LI, "follow", "org/X", "{\"rank\":\"a\"}", NULL, NULL),
                     RC_TOO_MANY);
    assert_int_equal(
        entry_put(&t->w, LI, "follow", "column/main/5", "{\"rank\":\"b\"}", NULL, NULL), RC_OK);
    assert_int_equal(entry_put(&t->w, LI, "follow", "column/main/5", NULL, NULL, NULL), RC_OK);
    assert_int_equal(entry_put(&t->w, LI, "follow", "org/X", "{\"rank\":\"a\"}", NULL, NULL),
                     RC_OK);
    assert_int_equal(entry_put(&t->w, HAN, "follow", "org/X", "{\"rank\":\"a\"}", NULL, NULL),
                     RC_OK);
    world_commit(t);
}

static void what_is_sealed_is_not_in_the_file_and_opens_again(void **state)
{
    static const char secret[] = "{\"title\":\"jiu zheng ju bao xin\"}";
    struct library_world *t = *state;
    char command[600];

    put(t, LI, "message", "1", secret);
    assert_string_equal(get(t, LI, "message", "1").value, secret);
    snprintf(command, sizeof command, "grep -qa 'ju bao' '%s' '%s-wal' 2>/dev/null", t->path,
             t->path);
    assert_int_not_equal(system(command), 0);
}

static void it_is_his_to_have_and_to_have_erased(void **state)
{
    struct library_world *t = *state;
    struct personal_keys k = { .numbers = (int64_t[]){ LI }, .nnumbers = 1 };
    struct buf b = BUF_IN(t->mem);
    const struct personal_table *tables;
    struct entry *e;
    int n;

    put(t, LI, "message", "1", "{\"title\":\"xin\"}");
    put(t, HAN, "set", "font", "20");
    assert_int_equal(personal_export(&t->w, LI, &b), RC_OK);
    assert_non_null(strstr(b.p, "\\\"title\\\":\\\"xin\\\""));
    tables = personal_tables(&n);
    world_begin(t);
    for (int i = 0; i < n; i++)
        if (tables[i].erase != SQL_COUNT)
            assert_int_equal(personal_erase(&t->w, &tables[i], &k), RC_OK);
    world_commit(t);
    assert_int_equal(list(t, LI, 0, &e), 0);
    assert_int_equal(list(t, HAN, 0, &e), 1);
}

static void needs_travel_with_the_value(void **state)
{
    struct library_world *t = *state;

    world_begin(t);
    assert_int_equal(
        entry_put(&t->w, LI, "answered", &(ITEM)[5], "{\"at\":1}", "{\"main\":\"1.5\"}", NULL),
        RC_OK);
    world_commit(t);
    assert_string_equal(get(t, LI, "answered", &(ITEM)[5]).needs, "{\"main\":\"1.5\"}");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(each_account_counts_for_itself),
        CASE(what_changes_nothing_takes_no_number),
        CASE(what_is_removed_stays_as_a_tombstone_at_the_number_of_its_removal),
        CASE(read_marks_never_go),
        CASE(the_oldest_places_go_by_themselves),
        CASE(there_are_only_so_many_of_a_type),
        CASE(what_is_sealed_is_not_in_the_file_and_opens_again),
        CASE(it_is_his_to_have_and_to_have_erased),
        CASE(needs_travel_with_the_value),
    };

    return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
