/*
 * account_test.c - accounts: made, found, changed, merged; and who may act for an organisation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/identity/account.h"
#include "server/identity/acting.h"
#include "server/identity/consent.h"
#include "server/identity/grant_scope.h"
#include "server/identity/identifier.h"
#include "server/identity/party.h"
#include "server/identity/session.h"
#include "server/identity/session_table.h"
#include "tests/lib/library_world.h"

enum { DAY = 86400 };

static int set_up(void **state)
{
    static const uint8_t key[32] = "token key";
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(session_load(&t->w, key), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    session_table_empty();
    seal_forget();
    return library_world_tear_down(state);
}

static struct account make(struct library_world *t, enum account_kind kind, const char *phone)
{
    const struct account_new new = { kind, 1, NULL };
    struct account a;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &new, &a), RC_OK);
    if (phone)
        assert_int_equal(identifier_add(&t->w, a.id, "phone", phone), RC_OK);
    world_commit(t);
    return a;
}

static enum rc merge(struct library_world *t, int64_t from, int64_t into)
{
    enum rc rc;

    world_begin(t);
    rc = account_merge(&t->w, from, into);
    world_commit(t);
    return rc;
}

static char *sign_in(struct library_world *t, int64_t account)
{
    const struct session_new new = { .account = account, .level = 1, .device = "phone" };
    struct session_tokens tokens;
    int64_t id;

    world_begin(t);
    assert_int_equal(session_open(&t->w, &new, &id, &tokens), RC_OK);
    world_commit(t);
    return arena_strdup(t->mem, tokens.access);
}

static void an_account_is_found_by_its_identifier(void **state)
{
    struct library_world *t = *state;
    struct account made = make(t, ACCOUNT_CITIZEN, "8613800138000"), found;

    assert_int_equal(account_by_identifier(&t->w, "phone", "8613800138000", &found), RC_OK);
    assert_int_equal(found.id, made.id);
    assert_int_equal(found.kind, ACCOUNT_CITIZEN);
    assert_int_equal(found.state, ACCOUNT_OPEN);
    assert_int_equal(found.level, 1);
    assert_int_equal(found.created, WORLD_NOW);
    assert_null(found.name);
    assert_null(found.password);
    assert_memory_equal(found.subject, made.subject, ACCOUNT_SUBJECT);
    assert_int_equal(account_by_identifier(&t->w, "phone", "8613900139000", &found),
                     RC_NOT_FOUND);
    assert_int_equal(account_by_id(&t->w, 999, &found), RC_NOT_FOUND);
}

static void subjects_are_by_chance(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL), b = make(t, ACCOUNT_CITIZEN, NULL);

    assert_memory_not_equal(a.subject, b.subject, ACCOUNT_SUBJECT);
}

static void a_number_is_never_used_twice(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL);

    world_vandalise(t, "DELETE FROM account");
    assert_true(make(t, ACCOUNT_CITIZEN, NULL).id > a.id);
}

static void a_name_is_sealed(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL), b = make(t, ACCOUNT_CITIZEN, NULL);

    world_begin(t);
    assert_int_equal(account_set_name(&t->w, a.id, "李雷"), RC_OK);
    assert_int_equal(account_set_name(&t->w, 999, "李雷"), RC_NOT_FOUND);
    assert_int_equal(account_set_name(&t->w, a.id, "李\n雷"), RC_INVALID);
    assert_int_equal(account_set_name(&t->w, a.id, "  "), RC_INVALID);
    world_commit(t);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_string_equal(a.name, "李雷");
    assert_int_equal(world_number(t, "SELECT count(*) FROM account WHERE instr(name, '李')"),
                     0);
    world_vandalise(t, "UPDATE account SET name = (SELECT name FROM account WHERE name IS NOT "
                       "NULL)");
    assert_int_equal(account_by_id(&t->w, b.id, &b), RC_CORRUPT); /* it was another's */
}

static void a_password_is_renewed_only_if_it_is_still_the_same(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL);

    world_begin(t);
    assert_int_equal(account_set_password(&t->w, a.id, "$one"), RC_OK);
    assert_int_equal(account_renew_password(&t->w, a.id, "$other", "$two"), RC_OK);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_string_equal(a.password, "$one");
    assert_int_equal(a.password_at, WORLD_NOW);
    assert_int_equal(account_renew_password(&t->w, a.id, "$one", "$two"), RC_OK);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_string_equal(a.password, "$two");
    assert_int_equal(account_set_password(&t->w, a.id, NULL), RC_OK);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_null(a.password);
    world_commit(t);
}

static void a_level_never_falls(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL);

    world_begin(t);
    assert_int_equal(account_raise(&t->w, a.id, 3, "upstream:ywt"), RC_OK);
    assert_int_equal(account_raise(&t->w, a.id, 2, "upstream:ywt"), RC_OK);
    assert_int_equal(account_raise(&t->w, a.id, 5, "upstream:ywt"), RC_INVALID);
    world_commit(t);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_int_equal(a.level, 3);
}

static void a_locked_account_has_no_sessions(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL);
    const char *access = sign_in(t, a.id);
    struct session_now now;

    assert_true(session_check(access, &now));
    world_begin(t);
    assert_int_equal(account_set_state(&t->w, a.id, ACCOUNT_LOCKED), RC_OK);
    world_commit(t);
    assert_false(session_check(access, &now));
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_int_equal(a.state, ACCOUNT_LOCKED);
}

static void a_list_goes_page_by_page(void **state)
{
    struct library_world *t = *state;
    struct account *list;
    int64_t first;
    int n;

    make(t, ACCOUNT_CITIZEN, NULL);
    first = make(t, ACCOUNT_STAFF, NULL).id;
    make(t, ACCOUNT_CITIZEN, NULL);
    make(t, ACCOUNT_STAFF, NULL);
    make(t, ACCOUNT_STAFF, NULL);
    assert_int_equal(account_list(&t->w, ACCOUNT_STAFF, 0, 2, &list, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(list[0].id, first);
    assert_int_equal(account_list(&t->w, ACCOUNT_STAFF, list[1].id, 2, &list, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(account_list(&t->w, ACCOUNT_ORGANISATION, 0, 2, &list, &n), RC_OK);
    assert_int_equal(n, 0);
}

/* ---- merging ---- */

static void a_merged_account_is_a_part_of_the_other(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, "8613800138000"),
                   b = make(t, ACCOUNT_CITIZEN, "8613900139000"), found;
    const char *access_a = sign_in(t, a.id), *access_b = sign_in(t, b.id);
    struct identifier *list;
    struct session_now now;
    int n;

    assert_int_equal(merge(t, b.id, a.id), RC_OK);
    assert_true(session_check(access_a, &now));
    assert_false(session_check(access_b, &now));
    assert_int_equal(identifier_list(&t->w, a.id, &list, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(account_by_identifier(&t->w, "phone", "8613900139000", &found), RC_OK);
    assert_int_equal(found.id, a.id);
    assert_int_equal(account_by_id(&t->w, b.id, &found), RC_OK); /* the pointer */
    assert_int_equal(found.id, a.id);
}

static void nothing_of_who_it_was_stays_in_a_pointer(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL), b = make(t, ACCOUNT_CITIZEN, NULL);

    world_begin(t);
    assert_int_equal(account_set_name(&t->w, b.id, "韩梅梅"), RC_OK);
    assert_int_equal(account_set_password(&t->w, b.id, "$argon2id$"), RC_OK);
    assert_int_equal(account_raise(&t->w, b.id, 3, "upstream:ywt"), RC_OK);
    world_commit(t);
    assert_int_equal(merge(t, b.id, a.id), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM account WHERE state = 3 AND name IS "
                                     "NULL AND password IS NULL"),
                     1);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_int_equal(a.level, 1);
}

static void pointers_do_not_point_at_pointers(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL), b = make(t, ACCOUNT_CITIZEN, NULL),
                   c = make(t, ACCOUNT_CITIZEN, NULL), found;

    assert_int_equal(merge(t, c.id, b.id), RC_OK);
    assert_int_equal(merge(t, b.id, a.id), RC_OK);
    assert_int_equal(account_by_id(&t->w, c.id, &found), RC_OK);
    assert_int_equal(found.id, a.id);
    assert_int_equal(merge(t, c.id, a.id), RC_CONFLICT); /* a pointer is no account any more */
}

static void only_open_citizens_merge(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, ACCOUNT_CITIZEN, NULL), locked = make(t, ACCOUNT_CITIZEN, NULL),
                   staff = make(t, ACCOUNT_STAFF, NULL),
                   org = make(t, ACCOUNT_ORGANISATION, NULL);

    world_begin(t);
    assert_int_equal(account_set_state(&t->w, locked.id, ACCOUNT_LOCKED), RC_OK);
    world_commit(t);
    assert_int_equal(merge(t, a.id, a.id), RC_CONFLICT);
    assert_int_equal(merge(t, staff.id, a.id), RC_CONFLICT);
    assert_int_equal(merge(t, a.id, staff.id), RC_CONFLICT);
    assert_int_equal(merge(t, org.id, a.id), RC_CONFLICT);
    assert_int_equal(merge(t, locked.id, a.id), RC_CONFLICT);
    assert_int_equal(merge(t, a.id, locked.id), RC_CONFLICT);
    assert_int_equal(merge(t, a.id, 999), RC_NOT_FOUND);
}

/* ---- for an organisation ---- */

static enum rc give(struct library_world *t, int64_t person, int64_t organisation,
                    int64_t until)
{
    enum rc rc;

    world_begin(t);
    rc = acting_give(&t->w, person, organisation, until);
    world_commit(t);
    return rc;
}

static void a_person_acts_for_an_organisation_while_a_grant_lasts(void **state)
{
    struct library_world *t = *state;
    int64_t p = make(t, ACCOUNT_CITIZEN, NULL).id, o = make(t, ACCOUNT_ORGANISATION, NULL).id;
    struct acting *list;
    int n;

    assert_int_equal(acting_check(&t->w, p, o), RC_FORBIDDEN);
    assert_int_equal(give(t, p, o, WORLD_NOW), RC_INVALID);
    assert_int_equal(give(t, o, p, WORLD_NOW + DAY), RC_INVALID);
    assert_int_equal(give(t, p, p, WORLD_NOW + DAY), RC_INVALID);
    assert_int_equal(give(t, p, 999, WORLD_NOW + DAY), RC_NOT_FOUND);
    assert_int_equal(give(t, p, o, WORLD_NOW + DAY), RC_OK);
    assert_int_equal(acting_check(&t->w, p, o), RC_OK);
    assert_int_equal(acting_list(&t->w, 0, o, &list, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(list->person, p);
    assert_string_equal(list->giver, "operator");
    clock_set(WORLD_NOW + DAY);
    assert_int_equal(acting_check(&t->w, p, o), RC_FORBIDDEN);
}

static void a_grant_ends_when_it_is_taken_or_an_account_is_closed(void **state)
{
    struct library_world *t = *state;
    int64_t p = make(t, ACCOUNT_CITIZEN, NULL).id, o = make(t, ACCOUNT_ORGANISATION, NULL).id;

    assert_int_equal(give(t, p, o, WORLD_NOW + DAY), RC_OK);
    world_begin(t);
    assert_int_equal(account_set_state(&t->w, o, ACCOUNT_LOCKED), RC_OK);
    assert_int_equal(acting_check(&t->w, p, o), RC_FORBIDDEN);
    assert_int_equal(account_set_state(&t->w, o, ACCOUNT_OPEN), RC_OK);
    assert_int_equal(acting_check(&t->w, p, o), RC_OK);
    assert_int_equal(acting_end(&t->w, p, o), RC_OK);
    assert_int_equal(acting_end(&t->w, p, o), RC_NOT_FOUND);
    assert_int_equal(acting_check(&t->w, p, o), RC_FORBIDDEN);
    world_commit(t);
}

static void grants_go_over_when_accounts_merge(void **state)
{
    struct library_world *t = *state;
    int64_t a = make(t, ACCOUNT_CITIZEN, NULL).id, b = make(t, ACCOUNT_CITIZEN, NULL).id;
    int64_t o = make(t, ACCOUNT_ORGANISATION, NULL).id,
            both = make(t, ACCOUNT_ORGANISATION, NULL).id;
    struct acting *list;
    int n;

    assert_int_equal(give(t, b, o, WORLD_NOW + DAY), RC_OK);
    assert_int_equal(give(t, a, both, WORLD_NOW + 9 * DAY), RC_OK);
    assert_int_equal(give(t, b, both, WORLD_NOW + DAY), RC_OK);
    assert_int_equal(merge(t, b, a), RC_OK);
    assert_int_equal(acting_list(&t->w, a, 0, &list, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(list[0].until, WORLD_NOW + DAY);
    assert_int_equal(list[1].until, WORLD_NOW + 9 * DAY); /* the longer one */
    assert_int_equal(acting_list(&t->w, b, 0, &list, &n), RC_OK);
    assert_int_equal(n, 0);
}

static void programs_go_over_too(void **state)
{
    struct library_world *t = *state;
    int64_t a = make(t, ACCOUNT_CITIZEN, NULL).id, b = make(t, ACCOUNT_CITIZEN, NULL).id;
    struct party p = { .id = "app",
                       .name = "示例程序",
                       .owner = b,
                       .kind = PARTY_LIVE,
                       .open = true,
                       .client = { .ceiling = 1, .sector = "app" } };
    struct party found;

    world_begin(t);
    assert_int_equal(party_create(&t->w, &p), RC_OK);
    world_commit(t);
    assert_int_equal(merge(t, b, a), RC_OK);
    assert_int_equal(party_find(&t->w, "app", &found), RC_OK);
    assert_int_equal(found.owner, a);
}

/* Parties knew the other account by another number, and ask anew. */
static void what_the_other_account_allowed_is_forgotten(void **state)
{
    struct library_world *t = *state;
    int64_t a = make(t, ACCOUNT_CITIZEN, NULL).id, b = make(t, ACCOUNT_CITIZEN, NULL).id;
    unsigned scopes;

    world_begin(t);
    assert_int_equal(consent_give(&t->w, a, 1, SCOPE_openid), RC_OK);
    assert_int_equal(consent_give(&t->w, b, 1, SCOPE_phone), RC_OK);
    world_commit(t);
    assert_int_equal(merge(t, b, a), RC_OK);
    assert_int_equal(consent_find(&t->w, a, 1, &scopes), RC_OK);
    assert_int_equal(scopes, SCOPE_openid);
    assert_int_equal(world_number(t, "SELECT count(*) FROM consent"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_account_is_found_by_its_identifier),
        T(subjects_are_by_chance),
        T(what_the_other_account_allowed_is_forgotten),
        T(a_number_is_never_used_twice),
        T(a_name_is_sealed),
        T(a_password_is_renewed_only_if_it_is_still_the_same),
        T(a_level_never_falls),
        T(a_locked_account_has_no_sessions),
        T(a_list_goes_page_by_page),
        T(a_merged_account_is_a_part_of_the_other),
        T(nothing_of_who_it_was_stays_in_a_pointer),
        T(pointers_do_not_point_at_pointers),
        T(only_open_citizens_merge),
        T(a_person_acts_for_an_organisation_while_a_grant_lasts),
        T(a_grant_ends_when_it_is_taken_or_an_account_is_closed),
        T(grants_go_over_when_accounts_merge),
        T(programs_go_over_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
