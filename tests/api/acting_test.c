/*
 * acting_test.c - a person acts for an organisation: what that opens, what stays closed, and what it ends with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "server/base/clock.h"
#include "server/identity/party_log.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

enum { HOUR = 3600, DAY = 86400 };

static int64_t number_of(struct world *t, const struct answer *a, const char *key)
{
    return json_integer_value(json_object_get(json_of(t, a), key));
}

static int64_t organisation(struct world *t, const char *name)
{
    struct answer a = tell(t, POST, "/v1/organisations", URL("{\"name\":\"%s\"}", name));

    assert_int_equal(a.status, 201);
    return number_of(t, &a, "account");
}

static void allow(struct world *t, int64_t org, int64_t person, int days)
{
    assert_int_equal(tell(t, PUT,
                          URL("/v1/organisations/%" PRId64 "/people/%" PRId64, org, person),
                          URL("{\"days\":%d}", days))
                         .status,
                     200);
}

static struct answer begin(struct world *t, const struct person *p, int64_t org)
{
    return person_ask(t, p, POST, "/v1/me/act", URL("{\"organisation\":%" PRId64 "}", org));
}

/* He acts: the same person with other tokens. */
static struct person act(struct world *t, const struct person *p, int64_t org)
{
    struct answer a = begin(t, p, org);
    struct person acting = *p;

    assert_int_equal(a.status, 201);
    acting.header = URL("authorization: Bearer %s\n", text_of(t, &a, "access"));
    return acting;
}

static enum rc open_again(struct work *w, void *arg)
{
    struct person *p = arg;
    const struct session_new new = { .account = p->account, .level = 1, .device = "test" };
    struct session_tokens tokens;
    enum rc rc = session_open(w, &new, &p->session, &tokens);

    if (!rc)
        p->header = arena_printf(w->mem, "authorization: Bearer %s\n", tokens.access);
    return rc;
}

/* He signs in again, later. */
static void come_back(struct world *t, struct person *p)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, open_again, p), RC_OK);
}

static int look(struct world *t, const struct person *p)
{
    return person_ask(t, p, GET, "/v1/me", NULL).status;
}

/* ---- beginning ---- */

static void only_a_grant_lets_him_begin(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 2),
                  wang = person_sign_in(t, SESSION_CITIZEN, 2);
    int64_t org = organisation(t, "示例科技");
    struct answer a;

    assert_int_equal(begin(t, &li, org).status, 403);
    assert_int_equal(begin(t, &li, wang.account).status, 403);
    assert_int_equal(begin(t, &li, 999).status, 403);
    allow(t, org, li.account, 30);
    a = person_ask(t, &li, GET, "/v1/me/organisations", NULL);
    HAS(a, "\"acting\":false,\"name\":\"示例科技\"");
    assert_int_equal(begin(t, &li, org).status, 201);
    assert_int_equal(begin(t, &wang, org).status, 403);
    a = person_ask(t, &wang, GET, "/v1/me/organisations", NULL);
    HAS_NOT(a, "示例科技");
    clock_set(WORLD_NOW + 30 * DAY);
    come_back(t, &li);
    assert_int_equal(begin(t, &li, org).status, 403);
    a = person_ask(t, &li, GET, "/v1/me/organisations", NULL);
    HAS_NOT(a, "示例科技");
}

static void only_a_security_administrator_gives_it(void **state)
{
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE),
                  editor = person_staff(t, "editor", EVERYWHERE),
                  li = person_sign_in(t, SESSION_CITIZEN, 2);
    int64_t org = organisation(t, "示例科技");
    const char *place = URL("/v1/organisations/%" PRId64 "/people/%" PRId64, org, li.account);

    assert_int_equal(person_ask(t, &li, PUT, place, "{}").status, 403);
    assert_int_equal(person_ask(t, &editor, PUT, place, "{}").status, 403);
    assert_int_equal(person_ask(t, &security, PUT, place, "{\"days\":4000}").status, 400);
    assert_int_equal(person_ask(t, &security, PUT, place, "{}").status, 200);
    assert_int_equal(person_ask(t, &security, DELETE, place, NULL).status, 204);
    assert_int_equal(person_ask(t, &security, DELETE, place, NULL).status, 404);
}

/* ---- what it opens ---- */

static void his_own_things_stay_closed_to_it(void **state)
{
    static const struct {
        enum method method;
        const char *target, *body;
    } own[] = {
        { GET, "/v1/me/sessions", NULL },
        { DELETE, "/v1/me/sessions", NULL },
        { GET, "/v1/me/export", NULL },
        { POST, "/v1/me/erase", NULL },
        { PATCH, "/v1/me", "{\"name\":\"x\"}" },
        { PUT, "/v1/me/password", "{\"password\":\"qingting-luo-zai\"}" },
        { POST, "/v1/me/identifiers", "{\"phone\":\"13900000001\"}" },
        { GET, "/v1/me/consents", NULL },
        { POST, "/v1/auth/sign-out", NULL },
    };
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 2), acting;
    int64_t org = organisation(t, "示例科技");
    struct answer a;

    allow(t, org, li.account, 30);
    acting = act(t, &li, org);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        assert_int_equal(
            person_ask(t, &acting, own[i].method, own[i].target, own[i].body).status, 403);
    a = person_ask(t, &acting, GET, "/v1/me", NULL);
    HAS(a, URL("\"account\":%" PRId64, org));
    HAS(a, URL("\"person\":%" PRId64, li.account));
    HAS(a, "\"kind\":\"organisation\",\"level\":2");
    a = person_ask(t, &li, GET, "/v1/me", NULL);
    HAS_NOT(a, "\"person\"");
    a = person_ask(t, &acting, GET, "/v1/me/organisations", NULL);
    HAS(a, "\"acting\":true");
}

static void no_role_goes_with_it(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff(t, "editor", EVERYWHERE), acting;
    int64_t org = organisation(t, "示例科技");

    allow(t, org, editor.account, 30);
    acting = act(t, &editor, org);
    assert_int_equal(person_ask(t, &editor, GET, "/v1/staff/items", NULL).status, 200);
    assert_int_equal(person_ask(t, &acting, GET, "/v1/staff/items", NULL).status, 403);
}

static void its_program_is_looked_after(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1), acting;
    int64_t org = organisation(t, "示例科技");
    struct answer a;

    assert_int_equal(
        tell(
            t, POST, "/v1/parties",
            URL("{\"id\":\"app\",\"name\":\"m\",\"kind\":\"live\",\"owner\":%" PRId64 "}", org))
            .status,
        201);
    allow(t, org, li.account, 30);
    assert_int_equal(person_ask(t, &li, GET, "/v1/parties/app", NULL).status, 404);
    acting = act(t, &li, org);
    a = person_ask(t, &acting, GET, "/v1/parties", NULL);
    HAS(a, "\"id\":\"app\"");
    a = person_ask(t, &acting, POST, "/v1/parties/app/keys", NULL);
    assert_int_equal(a.status, 201);
    ask(t, GET, "/healthz",
        &(struct ask){ .headers = URL("authorization: Bearer %s\n", text_of(t, &a, "key")) });
    party_log_finish();
    a = person_ask(t, &acting, GET, "/v1/parties/app/requests", NULL);
    HAS(a, "\"route\":\"/healthz\"");
    assert_int_equal(person_ask(t, &acting, POST, "/v1/parties/app/keys/1/rotate", NULL).status,
                     201);
    assert_int_equal(person_ask(t, &acting, DELETE, "/v1/parties/app/keys/2", NULL).status,
                     204);
    assert_int_equal(person_ask(t, &acting, PATCH, "/v1/parties/app", "{\"open\":true}").status,
                     403);
}

/* ---- the end ---- */

static void it_ends_when_he_ends_it_and_he_is_himself(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1), acting, again;
    int64_t org = organisation(t, "示例科技"), other = organisation(t, "另一个");

    allow(t, org, li.account, 30);
    allow(t, other, li.account, 30);
    acting = act(t, &li, org);
    assert_int_equal(look(t, &acting), 200);
    again = act(t, &acting, other); /* one at a time, from whichever it is begun */
    assert_int_equal(look(t, &acting), 401);
    assert_int_equal(look(t, &again), 200);
    assert_int_equal(person_ask(t, &li, DELETE, "/v1/me/act", NULL).status, 403);
    assert_int_equal(person_ask(t, &again, DELETE, "/v1/me/act", NULL).status, 204);
    assert_int_equal(look(t, &again), 401);
    assert_int_equal(look(t, &li), 200);
}

static void it_ends_with_the_grant(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1), acting;
    int64_t org = organisation(t, "示例科技");
    const char *place = URL("/v1/organisations/%" PRId64 "/people/%" PRId64, org, li.account);

    allow(t, org, li.account, 30);
    acting = act(t, &li, org);
    assert_int_equal(tell(t, DELETE, place, NULL).status, 204);
    assert_int_equal(look(t, &acting), 401);
    assert_int_equal(look(t, &li), 200);
    allow(t, org, li.account, 30);
    assert_int_equal(look(t, &acting), 401);
    acting = act(t, &li, org);
    allow(t, org, li.account, 1); /* given anew: begun anew */
    assert_int_equal(look(t, &acting), 401);
}

static void it_ends_with_the_session_that_began_it(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1), acting;
    int64_t org = organisation(t, "示例科技");

    allow(t, org, li.account, 30);
    acting = act(t, &li, org);
    person_sign_out(t, &li);
    assert_int_equal(look(t, &acting), 401);
}

static void it_ends_when_it_rests_and_on_the_day_of_the_grant(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1), acting = li;
    int64_t org = organisation(t, "示例科技"), now = WORLD_NOW + DAY - HOUR;
    struct answer a;

    allow(t, org, li.account, 1);
    clock_set(now);
    come_back(t, &li);
    a = begin(t, &li, org);
    for (int i = 0; i < 2; i++) { /* used every 25 minutes */
        clock_set(now += 25 * 60);
        a = tell(t, POST, "/v1/auth/refresh",
                 URL("{\"refresh\":\"%s\"}", text_of(t, &a, "refresh")));
        assert_int_equal(a.status, 200);
    }
    acting.header = URL("authorization: Bearer %s\n", text_of(t, &a, "access"));
    assert_int_equal(look(t, &acting), 200);
    clock_set(WORLD_NOW + DAY);
    assert_int_equal(look(t, &acting), 401);
    allow(t, org, li.account, 1);
    come_back(t, &li);
    a = begin(t, &li, org);
    clock_set(WORLD_NOW + DAY + 30 * 60);
    assert_int_equal(tell(t, POST, "/v1/auth/refresh",
                          URL("{\"refresh\":\"%s\"}", text_of(t, &a, "refresh")))
                         .status,
                     401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_a_grant_lets_him_begin),
        TEST(only_a_security_administrator_gives_it),
        TEST(his_own_things_stay_closed_to_it),
        TEST(no_role_goes_with_it),
        TEST(its_program_is_looked_after),
        TEST(it_ends_when_he_ends_it_and_he_is_himself),
        TEST(it_ends_with_the_grant),
        TEST(it_ends_with_the_session_that_began_it),
        TEST(it_ends_when_it_rests_and_on_the_day_of_the_grant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
