/*
 * audit_test.c - what is in the audit log besides what was changed: who read of others, and who was refused at the provider.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "api/routes.h"
#include "api/witness.h"
#include "server/identity/reading.h"
#include "tests/lib/party_world.h"
#include "tests/lib/people.h"

enum { TIMES = 30 };

static int set_up(void **state)
{
    witness_set(&witness_audit);
    return party_world_set_up(state);
}

static int tear_down(void **state)
{
    witness_set(NULL);
    reading_forget();
    return party_world_tear_down(state);
}

static enum rc nothing(struct work *w, void *unused)
{
    (void)w, (void)unused;
    return RC_OK;
}

static const char *text_in(const json_t *record, const char *name)
{
    const char *text = json_string_value(json_object_get(record, name));

    return text ? text : "";
}

/* How many rows say it, after what the writer had to do. `object` "": of none. */
static int told(struct world *t, const char *action, const char *actor, const char *object)
{
    struct answer a;
    json_t *records;
    int n = 0;

    assert_int_equal(party_world_do(t, 0, nothing, NULL, NULL), RC_OK);
    a = tell(t, GET, URL("/v1/audit?n=100&action=%s&actor=%s", action, actor), NULL);
    assert_int_equal(a.status, 200);
    records = json_object_get(json_of(t, &a), "records");
    for (size_t i = 0; i < json_array_size(records); i++)
        n += !strcmp(text_in(json_array_get(records, i), "object"), object);
    return n;
}

static const char *name_of(struct world *t, int64_t account)
{
    return URL("account:%" PRId64, account);
}

/* ---- reading ---- */

static void every_route_that_shows_others_has_an_act(void **state)
{
    (void)state;
    for (const struct route *r = routes_table; r->path; r++)
        if (r->right & (RIGHT_LETTERS | RIGHT_SECURE | RIGHT_AUDIT) && !r->act)
            fail_msg("%s %s has no act", method_name(r->method), r->path);
}

static void what_is_shown_of_one_is_told_each_time(void **state)
{
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE);
    const char *path = URL("roles/%" PRId64, security.account);

    for (int i = 0; i < 3; i++)
        assert_int_equal(person_ask(t, &security, GET, URL("/v1/%s", path), NULL).status, 200);
    assert_int_equal(told(t, "role.read", name_of(t, security.account), path), 3);
}

static void a_list_is_told_at_once_and_then_counted(void **state)
{
    struct world *t = *state;
    struct person clerk = person_staff(t, "letter_clerk", EVERYWHERE),
                  other = person_staff(t, "letter_clerk", EVERYWHERE);

    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(person_ask(t, &clerk, GET, "/v1/letters", NULL).status, 200);
        assert_int_equal(told(t, "letter.list", name_of(t, clerk.account), ""), 1);
    }
    assert_int_equal(person_ask(t, &other, GET, "/v1/letters", NULL).status, 200);
    assert_int_equal(told(t, "letter.list", name_of(t, other.account), ""), 1);
}

static enum rc write_counts(struct work *w, void *unused)
{
    (void)unused;
    return reading_write(w, true);
}

static void what_was_counted_is_told(void **state)
{
    struct world *t = *state;
    struct person clerk = person_staff(t, "letter_clerk", EVERYWHERE);
    struct answer a;

    for (int i = 0; i < TIMES; i++)
        assert_int_equal(person_ask(t, &clerk, GET, "/v1/letters", NULL).status, 200);
    assert_int_equal(party_world_do(t, 0, write_counts, NULL, NULL), RC_OK);
    assert_int_equal(told(t, "letter.list", name_of(t, clerk.account), ""), 2);
    a = tell(t, GET, "/v1/audit?action=letter.list&n=1", NULL);
    HAS(a, URL("\"details\":{\"count\":%d}", TIMES - 1));
}

static void who_looks_at_his_own_is_not_told(void **state)
{
    struct world *t = *state;
    struct person owner = person_sign_in(t, SESSION_CITIZEN, 1),
                  security = person_staff(t, "security", EVERYWHERE);

    assert_int_equal(person_ask(t, &owner, GET, "/v1/parties", NULL).status, 200);
    assert_int_equal(told(t, "party.list", name_of(t, owner.account), ""), 0);
    assert_int_equal(person_ask(t, &security, GET, "/v1/parties", NULL).status, 200);
    assert_int_equal(told(t, "party.list", name_of(t, security.account), ""), 1);
}

/* ---- refusals of the provider ---- */

static void a_code_that_nobody_has_is_told(void **state)
{
    struct world *t = *state;

    for (int i = 0; i < TIMES; i++)
        REFUSED(party_fetch(t, "nobody"), "invalid_grant");
    assert_int_equal(told(t, "credential.refused", "party:heping", "/oauth2/token"), 1);
}

static void a_refresh_token_that_nobody_has_is_told(void **state)
{
    struct world *t = *state;

    REFUSED(party_call(t, "/oauth2/token", AS_FORM,
                       "client_id=local-app&grant_type=refresh_token&refresh_token=nobody"),
            "invalid_grant");
    assert_int_equal(told(t, "credential.refused", "party:local-app", "/oauth2/token"), 1);
}

static void an_address_that_is_not_the_programs_is_told(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);

    for (int i = 0; i < TIMES; i++)
        assert_int_equal(browser_go(t, &p,
                                    "/oauth2/authorize?client_id=heping&redirect_uri="
                                    "https%3A%2F%2Fevil.example")
                             .status,
                         400);
    assert_int_equal(told(t, "right.refused", name_of(t, p.account), "/oauth2/authorize"), 1);
}

static void a_forged_word_of_ours_is_told(void **state)
{
    struct world *t = *state;
    struct browser p = browser_sign_in(t, 2);

    assert_string_equal(browser_way(t, &p, "/oauth2/logout"), "/sign-out");
    assert_int_equal(told(t, "credential.refused", name_of(t, p.account), "/oauth2/logout"), 0);
    assert_string_equal(browser_way(t, &p, "/oauth2/logout?id_token_hint=e30.e30.AAAA"),
                        "/sign-out");
    assert_int_equal(told(t, "credential.refused", name_of(t, p.account), "/oauth2/logout"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        cmocka_unit_test(every_route_that_shows_others_has_an_act),
        T(what_is_shown_of_one_is_told_each_time),
        T(a_list_is_told_at_once_and_then_counted),
        T(what_was_counted_is_told),
        T(who_looks_at_his_own_is_not_told),
        T(a_code_that_nobody_has_is_told),
        T(a_refresh_token_that_nobody_has_is_told),
        T(an_address_that_is_not_the_programs_is_told),
        T(a_forged_word_of_ours_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
