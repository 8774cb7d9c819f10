/*
 * grant_test.c - codes, devices that wait, consents: kept as hashes, as long as they mean something, and then gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/identity/consent.h"
#include "server/identity/device_grant.h"
#include "server/identity/grant_scope.h"
#include "server/identity/session_table.h"
#include "server/retention.h"
#include "tests/lib/library_world.h"

enum { PARTY = 3, ACCOUNT = 7, DAY = 86400 };

static int set_up(void **state)
{
    static const uint8_t key[32] = "token key";
    int bad = library_world_set_up(state);

    if (!bad)
        assert_int_equal(session_load(&((struct library_world *)*state)->w, key), RC_OK);
    return bad;
}

static int tear_down(void **state)
{
    session_table_empty();
    return library_world_tear_down(state);
}

static const struct grant_person person = { .account = ACCOUNT,
                                            .kind = SESSION_STAFF,
                                            .level = 3,
                                            .proofs = PROOF_PASSWORD | PROOF_TOTP,
                                            .authenticated = WORLD_NOW - 5 };

static const char *make_code(struct library_world *t)
{
    struct grant_code g = { .party = PARTY,
                            .person = person,
                            .scopes = SCOPE_openid,
                            .redirect = "https://a.example/",
                            .nonce = "n",
                            .challenge = "the challenge, which has 32 byte" };
    char *code = arena_zalloc(t->mem, GRANT_CODE_TEXT);

    world_begin(t);
    assert_int_equal(grant_code_make(&t->w, &g, code), RC_OK);
    world_commit(t);
    return code;
}

static void a_code_holds_what_was_allowed(void **state)
{
    struct library_world *t = *state;
    const char *code = make_code(t);
    struct grant_code g;

    assert_int_equal(strlen(code), 47);
    assert_int_equal(grant_code_find(&t->w, code, &g), RC_OK);
    assert_int_equal(g.party, PARTY);
    assert_int_equal(g.person.account, ACCOUNT);
    assert_int_equal(g.person.kind, SESSION_STAFF);
    assert_int_equal(g.person.level, 3);
    assert_int_equal(g.person.proofs, PROOF_PASSWORD | PROOF_TOTP);
    assert_int_equal(g.person.authenticated, WORLD_NOW - 5);
    assert_int_equal(g.scopes, SCOPE_openid);
    assert_string_equal(g.redirect, "https://a.example/");
    assert_string_equal(g.nonce, "n");
    assert_memory_equal(g.challenge, "the challenge, which has 32 byte", 32);
    assert_int_equal(g.made, WORLD_NOW);
    assert_int_equal(g.given, 0);
    assert_int_equal(grant_code_find(&t->w, "toc_other", &g), RC_NOT_FOUND);
}

static void a_code_gives_one_session(void **state)
{
    struct library_world *t = *state;
    const char *code = make_code(t);
    struct grant_code g;

    world_begin(t);
    assert_int_equal(grant_code_use(&t->w, code, 11), RC_OK);
    assert_int_equal(grant_code_use(&t->w, code, 12), RC_NOT_FOUND);
    world_commit(t);
    assert_int_equal(grant_code_find(&t->w, code, &g), RC_OK);
    assert_int_equal(g.given, 11);
}

static void the_database_holds_no_code(void **state)
{
    struct library_world *t = *state;
    char device[DEVICE_CODE_TEXT], user[USER_CODE_TEXT];
    const char *code = make_code(t);

    world_begin(t);
    assert_int_equal(device_grant_make(&t->w, PARTY, SCOPE_openid, 0, device, user), RC_OK);
    world_commit(t);
    assert_int_equal(
        world_number(t, arena_printf(t->mem,
                                     "SELECT count(*) FROM grant_code WHERE instr(hash, '%s')",
                                     code)),
        0);
    assert_int_equal(
        world_number(
            t, arena_printf(t->mem, "SELECT count(*) FROM device_grant WHERE instr(hash, '%s')",
                            device)),
        0);
    assert_int_equal(world_number(t, "SELECT length(hash) FROM grant_code"), 32);
    assert_int_equal(world_number(t, "SELECT length(hash) FROM device_grant"), 32);
}

static void rows_go_when_they_mean_nothing_any_more(void **state)
{
    struct library_world *t = *state;
    char device[DEVICE_CODE_TEXT], user[USER_CODE_TEXT];

    make_code(t);
    world_begin(t);
    assert_int_equal(device_grant_make(&t->w, PARTY, SCOPE_openid, 0, device, user), RC_OK);
    assert_int_equal(consent_give(&t->w, ACCOUNT, PARTY, SCOPE_openid), RC_OK);
    world_commit(t);
    clock_set(WORLD_NOW + DEVICE_GRANT_KEPT - 1); /* codes are kept as long */
    retention_run(t->w.db);
    assert_int_equal(world_number(t, "SELECT count(*) FROM device_grant"), 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM grant_code"), 1);
    clock_set(WORLD_NOW + DEVICE_GRANT_KEPT);
    retention_run(t->w.db);
    assert_int_equal(world_number(t, "SELECT count(*) FROM device_grant"), 0);
    clock_set(WORLD_NOW + GRANT_CODE_KEPT);
    retention_run(t->w.db);
    assert_int_equal(world_number(t, "SELECT count(*) FROM grant_code"), 0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM consent"), 1);
    clock_set(WORLD_NOW + CONSENT_LIFE);
    retention_run(t->w.db);
    assert_int_equal(world_number(t, "SELECT count(*) FROM consent"), 0);
}

/* Ten thousand people sign in at a party, and so do their screens: a day later nothing is left of it but what they allowed. */
static void tables_do_not_grow(void **state)
{
    enum { PEOPLE = 10000 };
    struct library_world *t = *state;
    struct grant_code g = { .party = PARTY, .redirect = "https://a.example/" };
    char code[GRANT_CODE_TEXT], device[DEVICE_CODE_TEXT], user[USER_CODE_TEXT];

    for (int day = 0; day < 3; day++) {
        clock_set(WORLD_NOW + day * DAY);
        world_begin(t);
        for (int i = 1; i <= PEOPLE; i++) {
            g.person.account = i;
            assert_int_equal(grant_code_make(&t->w, &g, code), RC_OK);
            assert_int_equal(grant_code_use(&t->w, code, i), RC_OK);
            assert_int_equal(device_grant_make(&t->w, PARTY, 1, 0, device, user), RC_OK);
            assert_int_equal(consent_give(&t->w, i, PARTY, SCOPE_openid), RC_OK);
        }
        world_commit(t);
        while (!retention_run(t->w.db))
            ;
        assert_int_equal(world_number(t, "SELECT count(*) FROM grant_code"), PEOPLE);
        assert_int_equal(world_number(t, "SELECT count(*) FROM device_grant"), PEOPLE);
        assert_int_equal(world_number(t, "SELECT count(*) FROM consent"), PEOPLE);
    }
    clock_set(WORLD_NOW + 3 * DAY);
    while (!retention_run(t->w.db))
        ;
    assert_int_equal(world_number(t, "SELECT count(*) FROM grant_code"), 0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM device_grant"), 0);
}

/* ---- devices ---- */

static void letters_are_read_as_people_type_them(void **state)
{
    static const char *const same[] = { "BCDF-GHJK", "bcdfghjk", " BC DF gh-jk ",
                                        "B-C-D-F-G-H-J-K" },
                             *const none[] = { "",          "BCDF-GHJ",  "BCDF-GHJKL",
                                               "BCDF-GHJA", "BCDF-GHJ1", "BCDF_GHJK",
                                               "БCDF-GHJK" };
    char code[USER_CODE_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_true(device_user_code(same[i], code));
        assert_string_equal(code, "BCDF-GHJK");
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(device_user_code(none[i], code));
}

static void a_device_waits_for_its_person(void **state)
{
    struct library_world *t = *state;
    char device[DEVICE_CODE_TEXT], user[USER_CODE_TEXT], typed[USER_CODE_TEXT];
    struct device_grant g;
    bool soon;

    world_begin(t);
    assert_int_equal(device_grant_make(&t->w, PARTY, SCOPE_openid, 2, device, user), RC_OK);
    assert_true(device_user_code(user, typed));
    assert_string_equal(typed, user);
    assert_int_equal(device_grant_by_user(&t->w, user, &g), RC_OK);
    assert_int_equal(g.level, 2);
    assert_int_equal(g.state, DEVICE_WAITING);
    assert_int_equal(device_grant_asked(&t->w, device, &g, &soon), RC_OK);
    assert_false(soon);
    assert_int_equal(device_grant_find(&t->w, device, &g), RC_OK);
    assert_int_equal(device_grant_asked(&t->w, device, &g, &soon), RC_OK);
    assert_true(soon);
    assert_int_equal(device_grant_find(&t->w, device, &g), RC_OK);
    assert_int_equal(g.pause, 2 * DEVICE_GRANT_PAUSE);
    assert_int_equal(device_grant_answer(&t->w, user, &person), RC_OK);
    assert_int_equal(device_grant_answer(&t->w, user, NULL), RC_NOT_FOUND); /* once */
    assert_int_equal(device_grant_by_user(&t->w, user, &g), RC_NOT_FOUND);
    assert_int_equal(device_grant_find(&t->w, device, &g), RC_OK);
    assert_int_equal(g.state, DEVICE_ALLOWED);
    assert_int_equal(g.person.account, ACCOUNT);
    assert_int_equal(g.person.kind, SESSION_STAFF);
    assert_int_equal(g.person.level, 3);
    assert_int_equal(g.level, 2);
    assert_int_equal(device_grant_drop(&t->w, device), RC_OK);
    assert_int_equal(device_grant_drop(&t->w, device), RC_NOT_FOUND);
    world_commit(t);
}

/* ---- consents ---- */

static void a_consent_grows_and_ends(void **state)
{
    struct library_world *t = *state;
    struct session_new n = {
        .account = ACCOUNT, .party = PARTY, .level = 1, .device = "示例政务网"
    };
    struct session_tokens tokens;
    struct session_now now;
    struct consent *list;
    unsigned scopes = 1;
    int64_t id;
    int count;

    assert_int_equal(consent_find(&t->w, ACCOUNT, PARTY, &scopes), RC_OK);
    assert_int_equal(scopes, 0);
    world_begin(t);
    assert_int_equal(consent_give(&t->w, ACCOUNT, PARTY, SCOPE_openid), RC_OK);
    assert_int_equal(consent_give(&t->w, ACCOUNT, PARTY, SCOPE_phone), RC_OK);
    assert_int_equal(consent_give(&t->w, ACCOUNT, PARTY + 1, SCOPE_openid), RC_OK);
    assert_int_equal(session_open(&t->w, &n, &id, &tokens), RC_OK);
    world_commit(t);
    assert_int_equal(consent_find(&t->w, ACCOUNT, PARTY, &scopes), RC_OK);
    assert_int_equal(scopes, SCOPE_openid | SCOPE_phone);
    assert_int_equal(consent_list(&t->w, ACCOUNT, &list, &count), RC_OK);
    assert_int_equal(count, 2);
    assert_true(session_check(tokens.access, &now));
    world_begin(t);
    assert_int_equal(consent_end(&t->w, ACCOUNT, PARTY), RC_OK);
    assert_int_equal(consent_end(&t->w, ACCOUNT, PARTY), RC_NOT_FOUND);
    world_commit(t);
    assert_false(session_check(tokens.access, &now));
    assert_int_equal(consent_list(&t->w, ACCOUNT, &list, &count), RC_OK);
    assert_int_equal(count, 1);
    clock_set(WORLD_NOW + CONSENT_LIFE);
    assert_int_equal(consent_find(&t->w, ACCOUNT, PARTY + 1, &scopes), RC_OK);
    assert_int_equal(scopes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_code_holds_what_was_allowed),
        T(a_code_gives_one_session),
        T(the_database_holds_no_code),
        T(rows_go_when_they_mean_nothing_any_more),
        T(tables_do_not_grow),
        T(letters_are_read_as_people_type_them),
        T(a_device_waits_for_its_person),
        T(a_consent_grows_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
