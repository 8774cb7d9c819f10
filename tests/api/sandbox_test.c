/*
 * sandbox_test.c - whom keys reach, by their kind, and what stands in a sandbox: server/identity/party_reach.h. That a test key changes nothing by any route: sandbox_walk_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "server/identity/account.h"
#include "server/identity/party_reach.h"
#include "server/identity/party_sandbox.h"
#include "server/store/writer.h"
#include "tests/lib/key_world.h"

/* ---- what is in the sandbox ---- */

static const char *note(struct world *t, const struct person *p, const char *group)
{
    return URL("{\"account\":%" PRId64 ",\"group\":\"%s\",\"title\":\"今晚升级\",\"text\":"
               "\"请稍候\"}",
               p->account, group);
}

static void the_owner_reads_what_would_have_been_shown(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a;

    assert_int_equal(as(t, trial, POST, "/v1/inbox", note(t, &li, "g")).status, 201);
    assert_int_equal(as(t, trial, POST, "/v1/inbox", "{\"account\":1}").status, 400);
    a = as(t, trial, GET, "/v1/sandbox", NULL);
    assert_int_equal(a.status, 200);
    HAS(a,
        URL("{\"account\":%" PRId64 ",\"kind\":\"message\",\"method\":\"POST\"", li.account));
    HAS(a, "\"route\":\"/v1/inbox\"");
    HAS(a, "\"shown\":{\"at\":");
    HAS(a, "\"title\":\"今晚升级\"");
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "entries")), 1);
    assert_int_equal(tell(t, GET, "/v1/sandbox?party=trial", NULL).status, 200);
    assert_int_equal(tell(t, GET, "/v1/sandbox", NULL).status, 400);
    HAS_NOT(person_ask(t, &li, GET, "/account/inbox", NULL), "今晚升级");
    a = tell(t, GET, "/v1/audit?action=message.send", NULL);
    HAS(a, "\"sandbox\":1");
}

static void nobody_else_reads_it(void **state)
{
    struct world *t = *state;
    struct person owner = person_sign_in(t, SESSION_CITIZEN, 1),
                  other = person_sign_in(t, SESSION_CITIZEN, 1),
                  security = person_staff(t, "security", EVERYWHERE);

    assert_int_equal(as(t, trial, POST, "/v1/inbox", note(t, &other, "g")).status, 201);
    assert_int_equal(
        tell(t, PATCH, "/v1/parties/trial", URL("{\"owner\":%" PRId64 "}", owner.account))
            .status,
        200);
    HAS(person_ask(t, &owner, GET, "/v1/sandbox?party=trial", NULL), "今晚升级");
    HAS(person_ask(t, &owner, GET, "/account/owned", NULL),
        URL("POST /v1/inbox，给账号 %" PRId64, other.account));
    assert_int_equal(person_ask(t, &other, GET, "/v1/sandbox?party=trial", NULL).status, 404);
    assert_int_equal(person_ask(t, &security, GET, "/v1/sandbox?party=trial", NULL).status,
                     403);
    assert_int_equal(tell(t, GET, "/v1/sandbox?party=trial", NULL).status, 403);
    assert_int_equal(as(t, live, GET, "/v1/sandbox?party=trial", NULL).status, 404);
    HAS_NOT(as(t, live, GET, "/v1/sandbox", NULL), "今晚升级");
    assert_int_equal(get(t, "/v1/sandbox?party=trial").status, 401);
}

static void a_trial_that_is_sent_again_is_answered_as_a_trial(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);
    const char *key = URL("%sidempotency-key: k1\n", trial);
    struct answer a;

    for (int i = 0; i < 2; i++) {
        a = as(t, key, POST, "/v1/inbox", note(t, &li, "g"));
        assert_int_equal(a.status, 201);
        assert_string_equal(HEADER(a, "sandbox"), "true");
    }
    assert_string_equal(HEADER(a, "idempotency-replayed"), "true");
    a = as(t, trial, GET, "/v1/sandbox", NULL);
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "entries")), 1);
}

static void a_party_has_a_bounded_sandbox_and_long_answers_are_cut(void **state)
{
    struct world *t = *state;
    struct buf long_text = BUF_IN(world_mem(t));
    struct answer a;

    for (int i = 0; i < SANDBOX_SHOWN_MAX; i++)
        buf_adds(&long_text, "长");
    a = as(t, trial, POST, "/v1/import",
           URL("{\"id\":\"i1\",\"column\":\"%s\"}\n", long_text.p));
    assert_int_equal(a.status, 200);
    for (int i = 0; i < SANDBOX_ROWS + 5; i++)
        assert_int_equal(as(t, trial, POST, "/v1/orgs",
                            URL("{\"code\":\"%s%d\",\"name\":\"%.150s\"}", "c", i, long_text.p))
                             .status,
                         201);
    a = as(t, trial, GET, URL("/v1/sandbox?n=%d", SANDBOX_ROWS), NULL);
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "entries")), SANDBOX_ROWS);
    HAS(a, URL("\"c%d\"", SANDBOX_ROWS + 4));
    HAS_NOT(a, "\"c4\"");
}

/* His letter, and what a trial with it says, are his: it is never kept as the answer of a request. */
static void a_trial_with_a_letter_says_which_and_nothing_of_it(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 2);
    struct answer a;

    write_letter(t, &li, 1, L1, "help");
    HAS(as(t, trial, POST, "/v1/letters/" L1 "/accept", NULL), "路灯");
    assert_int_equal(as(t, live, POST, "/v1/letters/" L1 "/accept", NULL).status, 200);
    HAS(as(t, trial, POST, "/v1/letters/" L1 "/draft", "{\"text\":\"已经修好\"}"), "路灯");
    a = as(t, trial, GET, "/v1/sandbox", NULL);
    HAS(a, URL("{\"account\":%" PRId64 ",\"kind\":\"letter\"", li.account));
    HAS(a, "\"verb\":\"draft\"");
    HAS_NOT(a, "路灯");
    HAS_NOT(a, "\"kind\":\"answer\"");
}

/* ---- a team ---- */

static void set_team(struct world *t, const struct person *p)
{
    struct answer a =
        tell(t, PATCH, "/v1/parties/team", URL("{\"team\":\"%" PRId64 "\"}", p->account));

    assert_int_equal(a.status, 200);
    HAS(a, URL("\"team\":\"%" PRId64 "\"", p->account));
}

static void a_team_key_reaches_its_own_people_alone(void **state)
{
    struct world *t = *state;
    struct person own = person_sign_in(t, SESSION_CITIZEN, 2),
                  other = person_sign_in(t, SESSION_CITIZEN, 2);

    write_letter(t, &own, 1, L1, "help");
    write_letter(t, &other, 1, L2, "help");
    assert_int_equal(tried(t, team, POST, "/v1/inbox", note(t, &own, "g")).status, 403);
    set_team(t, &own);
    assert_int_equal(as(t, team, POST, "/v1/inbox", note(t, &own, "g")).status, 201);
    HAS(person_ask(t, &own, GET, "/account/inbox", NULL), "今晚升级");
    assert_int_equal(tried(t, team, POST, "/v1/inbox", note(t, &other, "g")).status, 403);
    assert_int_equal(as(t, team, POST, "/v1/letters/" L1 "/accept", NULL).status, 200);
    assert_int_equal(tried(t, team, POST, "/v1/letters/" L2 "/accept", NULL).status, 403);
    assert_int_equal(
        tried(t, team, POST, "/v1/letters/" L2 "/draft", "{\"text\":\"稿\"}").status, 403);
    assert_int_equal(as(t, live, POST, "/v1/inbox", note(t, &other, "g")).status, 201);
    assert_int_equal(tried(t, team, DELETE, "/v1/inbox/g", NULL).status, 403);
    assert_int_equal(tell(t, PATCH, "/v1/parties/team", "{\"team\":\"\"}").status, 200);
    assert_int_equal(tried(t, team, POST, "/v1/inbox", note(t, &own, "h")).status, 403);
}

/* It may prepare; what everybody would see is tried. */
static void a_team_key_writes_drafts_and_publishes_nothing(void **state)
{
    struct world *t = *state;
    struct answer a = as(t, team, POST, "/v1/items",
                         "{\"site\":\"1200000000\",\"column\":1,\"title\":\"一\",\"body\":"
                         "\"正文\"}");
    const char *id = arena_strdup(world_mem(t), text_of(t, &a, "id"));

    assert_int_equal(a.status, 201);
    assert_string_equal(HEADER(a, "sandbox"), "");
    assert_int_equal(as(t, team, POST, URL("/v1/items/%s/submit", id), NULL).status, 200);
    assert_int_equal(as(t, team, POST, URL("/v1/items/%s/approve", id), NULL).status, 200);
    a = tried(t, team, POST, URL("/v1/items/%s/publish", id), NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(HEADER(a, "sandbox"), "true");
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 404);
    HAS(as(t, team, GET, "/v1/sandbox", NULL), "/v1/items/:id/publish");
    a = tried(t, team, PATCH, "/v1/orgs/heping", "{\"name\":\"别的名字\"}");
    assert_string_equal(HEADER(a, "sandbox"), "true");
}

static void a_team_is_open_accounts_and_not_many(void **state)
{
    struct world *t = *state;
    struct buf many = BUF_IN(world_mem(t));
    const char *const bad[] = { "x", "1,,2", "1,", "-1", "99999999999999999999", "999999" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            tell(t, PATCH, "/v1/parties/team", URL("{\"team\":\"%s\"}", bad[i])).status, 400);
    for (int i = 0; i <= PARTY_TEAM_MAX; i++)
        buf_printf(&many, "%s%d", i ? "," : "", i + 1);
    assert_int_equal(
        tell(t, PATCH, "/v1/parties/team", URL("{\"team\":\"%s\"}", many.p)).status, 400);
}

struct merging {
    int64_t from, into;
};

static enum rc merge(struct work *w, void *arg)
{
    const struct merging *m = arg;

    return account_merge(w, m->from, m->into);
}

static void who_becomes_part_of_another_stays_on_the_team(void **state)
{
    struct world *t = *state;
    struct person was = person_sign_in(t, SESSION_CITIZEN, 1),
                  is = person_sign_in(t, SESSION_CITIZEN, 1);
    struct merging m = { was.account, is.account };
    struct work w;

    set_team(t, &was);
    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, merge, &m), RC_OK);
    assert_int_equal(as(t, team, POST, "/v1/inbox", note(t, &is, "g")).status, 201);
    assert_int_equal(as(t, team, POST, "/v1/inbox", note(t, &was, "h")).status, 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, key_world_set_up, key_world_tear_down)
        T(the_owner_reads_what_would_have_been_shown),
        T(nobody_else_reads_it),
        T(a_trial_that_is_sent_again_is_answered_as_a_trial),
        T(a_party_has_a_bounded_sandbox_and_long_answers_are_cut),
        T(a_trial_with_a_letter_says_which_and_nothing_of_it),
        T(a_team_key_reaches_its_own_people_alone),
        T(a_team_key_writes_drafts_and_publishes_nothing),
        T(a_team_is_open_accounts_and_not_many),
        T(who_becomes_part_of_another_stays_on_the_team),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
