/*
 * address_test.c - sets follow devices, also those of which nobody knows any more in which they stood.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/address.h"
#include "push/sets.h"
#include "push/trait.h"
#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"
#include "tests/lib/library_world.h"

enum { PHONES = 12 };

static int64_t owners[PHONES];

static int set_up(void **state)
{
    struct library_world *t;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&t->w.err, t->dir, SEAL_XCHACHA), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    seal_forget();
    return library_world_tear_down(state);
}

static void settle(struct library_world *t)
{
    int n = 100;

    while (n == 100) {
        world_begin(t);
        assert_int_equal(address_settle(&t->w, 100, &n), RC_OK);
        world_commit(t);
    }
}

static void says(struct library_world *t, int phone, const char *key, const char *value)
{
    world_begin(t);
    assert_int_equal(entry_put(&t->w, owners[phone], *value == '{' ? "follow" : "consent", key,
                               value, NULL, NULL),
                     RC_OK);
    world_commit(t);
}

/* Each follows a tag. */
static void phones(struct library_world *t)
{
    struct account a;

    for (int i = 0; i < PHONES; i++) {
        world_begin(t);
        assert_int_equal(
            account_make(&t->w, &(struct account_new){ ACCOUNT_CITIZEN, 1, NULL }, &a), RC_OK);
        owners[i] = a.id;
        assert_int_equal(address_tell(&t->w, a.id, "AAAAAAAAAAAAAAAAAAAAAA", TRANSPORT_HUAWEI,
                                      arena_printf(t->mem, "token-%020d", i)),
                         RC_OK);
        world_commit(t);
        says(t, i, "tag/养老", "{\"rank\":\"m\"}");
    }
    settle(t);
}

/* Whether the phone stands in the set. */
static bool stands(struct library_world *t, int phone, const char *word)
{
    struct bits b;
    int64_t trait;
    enum rc rc = trait_find(&t->w, word, &trait);

    if (rc == RC_NOT_FOUND)
        return false;
    assert_int_equal(sets_read(&t->w, trait, 0, &b), RC_OK);
    return bits_have(&b, (unsigned)phone + 1);
}

/* Bytes that are no list of traits, of one phone or all. */
static void damage(struct library_world *t, const char *where)
{
    world_vandalise(
        t, arena_printf(t->mem, "UPDATE push_address SET traits = x'010203' %s", where));
}

static int64_t damaged(struct library_world *t)
{
    int64_t n;

    assert_int_equal(address_damaged(&t->w, &n), RC_OK);
    return n;
}

static void a_damaged_device_is_made_anew_and_stops_nobody(void **state)
{
    struct library_world *t = *state;
    int64_t mended = metric_get(METRIC_push_devices_mended);

    phones(t);
    damage(t, "WHERE no = 1");
    assert_int_equal(damaged(t), 1);
    assert_true(stands(t, 0, "tag/养老"));
    world_begin(t);
    assert_int_equal(entry_put(&t->w, owners[0], "follow", "tag/养老", NULL, NULL, NULL),
                     RC_OK);
    world_commit(t);
    says(t, 0, "tag/学生", "{\"rank\":\"m\"}");
    says(t, 0, "push/class/marketing", "false");
    says(t, 1, "tag/学生", "{\"rank\":\"m\"}");
    settle(t);
    assert_false(stands(t, 0, "tag/养老")); /* which it alone knew */
    assert_true(stands(t, 0, "tag/学生") && stands(t, 0, "all"));
    assert_true(stands(t, 0, "transport/huawei") && stands(t, 0, "out/class/marketing"));
    assert_true(stands(t, 1, "tag/养老") && stands(t, 1, "tag/学生"));
    assert_int_equal(damaged(t), 0);
    assert_int_equal(metric_get(METRIC_push_devices_mended), mended + 1);
}

static void one_that_is_gone_is_in_no_set_any_more(void **state)
{
    struct library_world *t = *state;

    phones(t);
    damage(t, "WHERE no = 1");
    world_begin(t);
    assert_int_equal(address_forget(&t->w, owners[0], "AAAAAAAAAAAAAAAAAAAAAA"), RC_OK);
    world_commit(t);
    settle(t);
    assert_false(stands(t, 0, "tag/养老") || stands(t, 0, "all"));
    assert_false(stands(t, 0, "transport/huawei"));
    assert_true(stands(t, 1, "tag/养老"));
}

/* Each of them costs a row of every trait: the writer is not held by all at once. */
static void many_are_mended_one_after_the_other(void **state)
{
    struct library_world *t = *state;
    int n;

    phones(t);
    damage(t, "");
    for (int i = 0; i < PHONES; i++)
        says(t, i, "tag/学生", "{\"rank\":\"m\"}");
    world_begin(t);
    assert_int_equal(address_settle(&t->w, 100, &n), RC_OK);
    world_commit(t);
    assert_int_equal(n, 100); /* there is more */
    assert_in_range(damaged(t), 1, PHONES - 1);
    settle(t);
    assert_int_equal(damaged(t), 0);
    for (int i = 0; i < PHONES; i++)
        assert_true(stands(t, i, "tag/学生") && stands(t, i, "tag/养老"));
}

/* Else who refuses would be found in the set no more, and be written to. */
static void a_set_that_is_made_anew_asks_the_damaged_again(void **state)
{
    struct library_world *t = *state;

    phones(t);
    says(t, 0, "push/class/marketing", "false");
    says(t, 1, "push/class/marketing", "false");
    settle(t);
    damage(t, "WHERE no = 1");
    world_vandalise(t,
                    "UPDATE push_set SET bits = x'ffffff' WHERE at IN (SELECT no * 65536 FROM "
                    "push_trait WHERE word = 'out/class/marketing')");
    says(t, 2, "push/class/marketing", "false");
    settle(t);
    for (int i = 0; i < 3; i++)
        assert_true(stands(t, i, "out/class/marketing"));
    assert_false(stands(t, 3, "out/class/marketing"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_damaged_device_is_made_anew_and_stops_nobody),
        TEST(one_that_is_gone_is_in_no_set_any_more),
        TEST(many_are_mended_one_after_the_other),
        TEST(a_set_that_is_made_anew_asks_the_damaged_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
