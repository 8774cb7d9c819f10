/*
 * reseal_test.c - what older keys sealed is sealed anew, opens as before, and needs them no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/audit_head.h"
#include "server/identity/identifier.h"
#include "server/identity/keyfile.h"
#include "server/identity/reseal.h"
#include "server/identity/session.h"
#include "server/identity/session_table.h"
#include "tests/lib/library_world.h"

enum { PEOPLE = 450, PHONES = 3, TICKS_MOST = 10000 }; /* some pages */

static int set_up(void **state)
{
    static const uint8_t key[32] = "token key";
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(fs_mkdirs(&e, arena_printf(t->mem, "%s/keys", t->dir), 0700), RC_OK);
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(audit_head_load(&e, t->dir, false), RC_OK);
    assert_int_equal(session_load(&t->w, key), RC_OK);
    assert_int_equal(keyfile_remember(&t->w, t->dir), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    audit_head_forget();
    session_table_empty();
    seal_forget();
    return library_world_tear_down(state);
}

static const char *phone_of(struct library_world *t, int64_t account, int no)
{
    return arena_printf(t->mem, "8613%d%08d", no, (int)account);
}

/* Names, phones, sessions, and rows of the audit log. */
static void fill(struct library_world *t)
{
    const struct account_new new = { ACCOUNT_CITIZEN, 1, "示例" };
    struct session_new session = { .level = 1, .device = "手机" };
    struct session_tokens tokens;
    struct account a;
    int64_t id;

    t->w.client = "127.0.0.1";
    world_begin(t);
    for (int i = 0; i < PEOPLE; i++) {
        assert_int_equal(account_make(&t->w, &new, &a), RC_OK);
        session.account = a.id;
        for (int no = 0; no < PHONES; no++)
            assert_int_equal(identifier_add(&t->w, a.id, "phone", phone_of(t, a.id, no)),
                             RC_OK);
        assert_int_equal(session_open(&t->w, &session, &id, &tokens), RC_OK);
    }
    assert_int_equal(audit_add(&t->w, AUDIT_sign_in, NULL, RC_OK), RC_OK);
    world_commit(t);
}

static struct reseal_needs needs_of(struct library_world *t, int key)
{
    struct reseal_needs all[SEAL_KEYS_MAX + 1];

    assert_int_equal(reseal_needs(&t->w, all), RC_OK);
    return all[key];
}

static void rotate(struct library_world *t)
{
    struct err e;
    int no;

    assert_int_equal(seal_rotate(&e, &no), RC_OK);
    assert_int_equal(keyfile_remember(&t->w, t->dir), RC_OK);
}

static void begin(struct library_world *t)
{
    world_begin(t);
    reseal_begin(&t->w);
    world_commit(t);
    assert_true(reseal_state().running);
}

static struct reseal_state run(struct library_world *t)
{
    for (int i = 0; i < TICKS_MOST && reseal_state().running; i++)
        reseal_tick(t->w.db, NULL);
    assert_false(reseal_state().running);
    return reseal_state();
}

static void all_opens(struct library_world *t)
{
    struct identifier *there;
    struct session *sessions;
    struct account *all;
    int n, phones, devices;

    assert_int_equal(account_list(&t->w, ACCOUNT_CITIZEN, 0, 10, &all, &n), RC_OK);
    for (int i = 0; i < n; i++) {
        assert_string_equal(all[i].name, "示例");
        assert_int_equal(identifier_list(&t->w, all[i].id, &there, &phones), RC_OK);
        assert_int_equal(phones, PHONES);
        assert_int_equal(session_list(&t->w, all[i].id, &sessions, &devices), RC_OK);
        assert_string_equal(sessions[0].network, "127.0.0.0/24");
    }
}

static void what_an_old_key_sealed_gets_the_newest(void **state)
{
    enum { VALUES = PEOPLE * (PHONES + 2) };
    struct library_world *t = *state;

    fill(t);
    rotate(t);
    assert_int_equal(needs_of(t, 1).values, VALUES);
    assert_int_equal(needs_of(t, 2).values, 0);
    begin(t);
    assert_int_equal(run(t).done, VALUES);
    assert_int_equal(reseal_state().failed, 0);
    assert_int_equal(needs_of(t, 1).values, 0);
    assert_int_equal(needs_of(t, 2).values, VALUES);
    assert_int_equal(needs_of(t, 1).audit, 1); /* stays as the chain has it */
    all_opens(t);
    begin(t);
    assert_int_equal(run(t).done, 0);
}

static void another_suite_is_a_reason_too(void **state)
{
    struct library_world *t = *state;
    struct err e;

    fill(t);
    assert_int_equal(seal_load(&e, t->dir, SEAL_SM4), RC_OK);
    begin(t);
    assert_int_equal(run(t).done, PEOPLE * (PHONES + 2));
    all_opens(t);
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    rotate(t);
    begin(t);
    assert_int_equal(run(t).done, PEOPLE * (PHONES + 2));
    all_opens(t);
}

/* After a few pages the process ends. */
static void what_was_cut_off_goes_on(void **state)
{
    struct library_world *t = *state;
    int64_t left;

    fill(t);
    rotate(t);
    begin(t);
    reseal_tick(t->w.db, NULL);
    left = needs_of(t, 1).values;
    begin(t);
    assert_int_equal(run(t).done, left);
    assert_int_equal(needs_of(t, 1).values, 0);
}

static void what_does_not_open_stays_as_it_is(void **state)
{
    struct library_world *t = *state;

    fill(t);
    rotate(t);
    world_vandalise(t, "UPDATE account SET name = CAST(substr(name, 1, 30) || x'00' || "
                       "substr(name, 32) AS BLOB) WHERE id = 3");
    begin(t);
    assert_int_equal(run(t).failed, 1);
    assert_int_equal(needs_of(t, 1).values, 1);
}

/* Or its key would be retired while something needs it. */
static void whatever_is_sealed_can_be_sealed_anew(void **state)
{
    enum { ACT, FACTOR, HIDDEN, KIND, NUMBER, SCOPES, SEALED, STATE, TEXT, TIME, WHETHER };
    static const struct {
        const char *column;
        int as;
    } personal[] = {
#define PERSONAL_GOES(...)
#define PERSONAL_STAYS(...)
#define PERSONAL_NAMED(...)
#define PERSONAL_COLUMN(table, column, as) { #table "." #column, as },
#include "server/identity/personal.def"
    };
    static const char *const anew[] = {
#define RESEAL(table, column) #table "." #column,
#include "server/identity/reseal.def"
        "audit.address", /* but this, which keeps its key until it goes */
    };

    (void)state;
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++) {
        size_t j = 0;

        if (personal[i].as != SEALED)
            continue;
        while (j < sizeof anew / sizeof *anew && strcmp(anew[j], personal[i].column) != 0)
            j++;
        if (j == sizeof anew / sizeof *anew)
            fail_msg("%s", personal[i].column);
    }
}

static enum rc retire(struct library_world *t, const char *name)
{
    enum rc rc;

    world_begin(t);
    rc = reseal_retire(&t->w, t->dir, name);
    world_commit(t);
    return rc;
}

static void a_key_is_retired_when_nothing_needs_it(void **state)
{
    static const char *const none[] = { "seal.0", "seal.3", "seal.01x", "token", "seal.", "" };
    struct library_world *t = *state;
    const char *file = arena_printf(t->mem, "%s/seal.1", t->dir);

    fill(t);
    rotate(t);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(retire(t, none[i]), RC_NOT_FOUND);
    assert_int_equal(retire(t, "seal.2"), RC_CONFLICT); /* it seals */
    assert_int_equal(retire(t, "seal.1"), RC_CONFLICT);
    begin(t);
    run(t);
    assert_int_equal(retire(t, "seal.1"), RC_CONFLICT); /* a row of the audit log */
    world_vandalise(t, "DELETE FROM audit");            /* a year later */
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(retire(t, "seal.1"), RC_OK);
    assert_int_not_equal(access(file, F_OK), 0);
    assert_int_equal(keyfile_check(&t->w, t->dir), RC_OK); /* the next start goes without it */
    all_opens(t);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_an_old_key_sealed_gets_the_newest),
        T(another_suite_is_a_reason_too),
        T(what_was_cut_off_goes_on),
        T(what_does_not_open_stays_as_it_is),
        cmocka_unit_test(whatever_is_sealed_can_be_sealed_anew),
        T(a_key_is_retired_when_nothing_needs_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
