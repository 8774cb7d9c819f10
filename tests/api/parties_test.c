/*
 * parties_test.c - programs of others: what their keys open, until when and how often, and who may look after them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "server/base/clock.h"
#include "server/identity/credential.h"
#include "server/identity/erase.h"
#include "server/identity/party_key.h"
#include "server/identity/party_log.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

enum { MUTATIONS = 5000, DAY = 86400 };

static struct answer as(struct world *t, const char *header, enum method m, const char *target,
                        const char *body)
{
    return ask(t, m, target, &(struct ask){ .headers = header, .body = body });
}

static const char *bearer(struct world *t, const struct answer *a)
{
    return URL("authorization: Bearer %s\n", text_of(t, a, "key"));
}

/* ---- what a key opens ---- */

static void a_key_opens_what_its_party_may(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "cms", "import");
    struct answer a;

    assert_int_equal(as(t, key, POST, "/v1/import", "{}\n").status, 200);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 403);
    assert_int_equal(tell(t, PATCH, "/v1/parties/cms", "{\"rights\":\"edit\"}").status, 200);
    assert_int_equal(as(t, key, POST, "/v1/import", "{}\n").status, 403);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 200);
    a = tell(t, GET, "/v1/parties/cms", NULL);
    HAS(a, "\"rights\":[{\"rights\":\"edit\"}]");
    a = tell(t, GET, "/v1/parties/cms/keys", NULL);
    HAS_NOT(a, "tjp_");
}

static void rights_at_a_site_are_for_that_site(void **state)
{
    struct world *t = *state;
    const char *key;
    struct answer a;

    assert_int_equal(
        tell(t, POST, "/v1/sites", "{\"code\":\"1200000001\",\"name\":\"另一个\"}").status,
        201);
    assert_int_equal(
        tell(t, POST, "/v1/parties",
             "{\"id\":\"cms\",\"name\":\"采编\",\"kind\":\"live\",\"rights\":\"edit\","
             "\"site\":\"1200000001\"}")
            .status,
        201);
    a = tell(t, POST, "/v1/parties/cms/keys", NULL);
    key = bearer(t, &a);
    assert_int_equal(as(t, key, PATCH, "/v1/sites/2", "{\"name\":\"新名\"}").status, 200);
    assert_int_equal(as(t, key, PATCH, "/v1/sites/1", "{\"name\":\"新名\"}").status, 403);
    assert_int_equal(
        tell(t, PATCH, "/v1/parties/cms", "{\"rights\":\"\",\"site\":\"1200000001\"}").status,
        200);
    assert_int_equal(as(t, key, PATCH, "/v1/sites/2", "{\"name\":\"旧名\"}").status, 403);
}

static void no_program_gets_what_is_an_administrators(void **state)
{
    static const char *const bodies[] = { "secure", "self", "import,secure" };
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE);

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            tell(t, POST, "/v1/parties",
                 URL("{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"rights\":\"%s\"}",
                     bodies[i]))
                .status,
            400);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            person_ask(t, &security, POST, "/v1/parties",
                       URL("{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"rights\":\"%s\"}",
                           i ? "operate" : "audit"))
                .status,
            403);
    assert_int_equal(
        person_ask(t, &security, POST, "/v1/parties",
                   "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"rights\":\"import\"}")
            .status,
        201);
    assert_int_equal(
        tell(t, PATCH, "/v1/parties/x", "{\"rights\":\"operate\",\"site\":\"1200000000\"}")
            .status,
        400);
}

static void the_kind_stands_in_the_key_and_with_who_asks(void **state)
{
    static const char *const kinds[] = { "test", "team", "live" };
    struct world *t = *state;

    for (int i = 0; i < 3; i++) {
        struct actor who;
        struct answer a;
        const char *key;
        struct err e;

        assert_int_equal(
            tell(t, POST, "/v1/parties",
                 URL("{\"id\":\"p%d\",\"name\":\"p\",\"kind\":\"%s\"}", i, kinds[i]))
                .status,
            201);
        a = tell(t, POST, URL("/v1/parties/p%d/keys", i), NULL);
        key = text_of(t, &a, "key");
        assert_int_equal(strncmp(key, URL("tjp_%s_", kinds[i]), 9), 0);
        assert_int_equal(credential_know(&e, world_mem(t), key, false, &who), RC_OK);
        assert_int_equal(who.kind, PARTY_TEST + i);
        assert_int_equal(who.rights, RIGHT_READ);
        assert_string_equal(who.name, URL("party:p%d", i));
        assert_int_equal(credential_know(&e, world_mem(t), key, true, &who), RC_UNAUTHORIZED);
    }
}

/* ---- until when ---- */

static void a_key_ends_when_it_is_revoked_or_its_party_closed(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "cms", "edit");

    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 200);
    assert_int_equal(tell(t, PATCH, "/v1/parties/cms", "{\"open\":false}").status, 200);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(tell(t, PATCH, "/v1/parties/cms", "{\"open\":true}").status, 200);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 200);
    assert_int_equal(tell(t, DELETE, "/v1/parties/cms/keys/1", NULL).status, 204);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(tell(t, DELETE, "/v1/parties/cms/keys/1", NULL).status, 404);
}

static void a_key_expires(void **state)
{
    struct world *t = *state;
    struct answer a;
    const char *key;

    service_program(t, "cms", "edit");
    a = tell(t, POST, "/v1/parties/cms/keys", "{\"days\":2}");
    key = bearer(t, &a);
    clock_set(WORLD_NOW + 2 * DAY - 1);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 200);
    clock_set(WORLD_NOW + 2 * DAY);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(tell(t, POST, "/v1/parties/cms/keys", "{\"days\":732}").status, 400);
    assert_int_equal(tell(t, POST, "/v1/parties/cms/keys/2/rotate", NULL).status, 409);
}

static void a_key_is_exchanged_with_an_overlap(void **state)
{
    struct world *t = *state;
    const char *old = service_program(t, "cms", "edit"), *next;
    struct answer a = tell(t, POST, "/v1/parties/cms/keys/1/rotate", "{\"overlapHours\":48}");

    assert_int_equal(a.status, 201);
    next = bearer(t, &a);
    assert_string_not_equal(old, next);
    clock_set(WORLD_NOW + 2 * DAY - 1);
    assert_int_equal(as(t, old, GET, "/v1/staff/items", NULL).status, 200);
    assert_int_equal(as(t, next, GET, "/v1/staff/items", NULL).status, 200);
    clock_set(WORLD_NOW + 2 * DAY);
    assert_int_equal(as(t, old, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(as(t, next, GET, "/v1/staff/items", NULL).status, 200);
    assert_int_equal(
        tell(t, POST, "/v1/parties/cms/keys/2/rotate", "{\"overlapHours\":721}").status, 400);
    a = tell(t, POST, "/v1/parties/cms/keys/2/rotate", "{\"overlapHours\":0}");
    assert_int_equal(a.status, 201);
    assert_int_equal(as(t, next, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(as(t, bearer(t, &a), GET, "/v1/staff/items", NULL).status, 200);
}

/* ---- whose owner is kept out ---- */

static const char *program_of(struct world *t, const char *id, int64_t owner)
{
    const char *key = service_program(t, id, "edit");

    assert_int_equal(
        tell(t, PATCH, URL("/v1/parties/%s", id), URL("{\"owner\":%" PRId64 "}", owner)).status,
        200);
    return key;
}

static void lock(struct world *t, int64_t account, const char *state)
{
    assert_int_equal(
        tell(t, PATCH, URL("/v1/accounts/%" PRId64, account), URL("{\"state\":\"%s\"}", state))
            .status,
        200);
}

static void keys_are_good_while_their_owner_is(void **state)
{
    struct world *t = *state;
    struct person owner = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer org = tell(t, POST, "/v1/organisations", "{\"name\":\"和平区大数据中心\"}");
    int64_t organisation = json_integer_value(json_object_get(json_of(t, &org), "account"));
    const struct {
        int64_t account;
        const char *key;
    } owners[] = { { owner.account, program_of(t, "his", owner.account) },
                   { organisation, program_of(t, "its", organisation) } };
    const char *nobodys = service_program(t, "ours", "edit");

    assert_int_equal(org.status, 201);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(as(t, owners[i].key, GET, "/v1/staff/items", NULL).status, 200);
        lock(t, owners[i].account, "locked");
        assert_int_equal(as(t, owners[i].key, GET, "/v1/staff/items", NULL).status, 401);
        assert_int_equal(as(t, nobodys, GET, "/v1/staff/items", NULL).status, 200);
        lock(t, owners[i].account, "open");
        assert_int_equal(as(t, owners[i].key, GET, "/v1/staff/items", NULL).status, 200);
    }
}

static enum rc load_anew(struct work *w, void *unused)
{
    (void)unused;
    return party_load(w);
}

static enum rc erase_account(struct work *w, void *account)
{
    return erase_now(w, *(int64_t *)account);
}

static void on_writer(struct world *t, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, run, arg), RC_OK);
}

/* A party that a locked account owns can still be closed, or given to somebody else. */
static void a_start_forgets_nobodys_lock(void **state)
{
    struct world *t = *state;
    struct person owner = person_sign_in(t, SESSION_CITIZEN, 1);
    const char *key = program_of(t, "his", owner.account);

    lock(t, owner.account, "locked");
    on_writer(t, load_anew, NULL);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(tell(t, PATCH, "/v1/parties/his", "{\"name\":\"另\"}").status, 200);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(tell(t, PATCH, "/v1/parties/his", "{\"owner\":0}").status, 200);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 200);
    assert_int_equal(
        tell(t, PATCH, "/v1/parties/his", URL("{\"owner\":%" PRId64 "}", owner.account)).status,
        400);
}

static void who_leaves_leaves_no_open_program(void **state)
{
    struct world *t = *state;
    struct person owner = person_sign_in(t, SESSION_CITIZEN, 1);
    const char *key = program_of(t, "his", owner.account);
    struct answer a;

    assert_int_equal(person_ask(t, &owner, POST, "/v1/me/erase", NULL).status, 200);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 401);
    assert_int_equal(person_ask(t, &owner, DELETE, "/v1/me/erase", NULL).status, 204);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 200);
    on_writer(t, erase_account, &owner.account);
    assert_int_equal(as(t, key, GET, "/v1/staff/items", NULL).status, 401);
    a = tell(t, GET, "/v1/parties/his", NULL);
    HAS(a, "\"open\":false");
}

/* ---- how often ---- */

static void a_key_has_a_quota_a_minute(void **state)
{
    struct world *t = *state;
    struct answer a;
    const char *key;

    service_program(t, "cms", "edit");
    a = tell(t, POST, "/v1/parties/cms/keys", "{\"perMinute\":3,\"perDay\":100}");
    key = bearer(t, &a);
    a = as(t, key, GET, "/healthz", NULL);
    assert_string_equal(HEADER(a, "ratelimit-policy"),
                        "\"minute\";q=3;w=60, \"day\";q=100;w=86400");
    assert_int_equal(
        strncmp(HEADER(a, "ratelimit"), "\"minute\";r=2;t=20, \"day\";r=99;t=", 32), 0);
    as(t, key, GET, "/healthz", NULL);
    as(t, key, GET, "/nowhere", NULL); /* leads nowhere, and to no key */
    as(t, key, GET, "/v1/staff/items", NULL);
    a = as(t, key, GET, "/v1/staff/items", NULL);
    assert_int_equal(a.status, 429);
    HAS(a, "party:cms");
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    assert_int_equal(get(t, "/healthz").status, 200); /* nobody else waits for it */
}

static void a_key_has_a_quota_a_day(void **state)
{
    struct world *t = *state;
    struct answer a;
    const char *key;

    service_program(t, "cms", "edit");
    a = tell(t, POST, "/v1/parties/cms/keys", "{\"perMinute\":1000,\"perDay\":2}");
    key = bearer(t, &a);
    for (int i = 0; i < 2; i++)
        assert_int_equal(as(t, key, GET, "/healthz", NULL).status, 200);
    a = as(t, key, GET, "/healthz", NULL);
    assert_int_equal(a.status, 429);
    HAS(a, "2 requests a day");
    tell(t, PATCH, "/v1/parties/cms", "{\"name\":\"另\"}"); /* what was spent stays spent */
    assert_int_equal(as(t, key, GET, "/healthz", NULL).status, 429);
    clock_set(WORLD_NOW + DAY);
    assert_int_equal(as(t, key, GET, "/healthz", NULL).status, 200);
}

static struct answer ask_for_itself(struct world *t, const char *secret)
{
    return ask(t, POST, "/oauth2/token",
               &(struct ask){
                   .headers = "content-type: application/x-www-form-urlencoded\n",
                   .body = URL("grant_type=client_credentials&client_id=app&client_secret=%s",
                               secret) });
}

static void a_key_shown_as_a_clients_secret_counts_likewise(void **state)
{
    struct world *t = *state;
    struct answer a;
    const char *text;

    assert_int_equal(tell(t, POST, "/v1/parties",
                          "{\"id\":\"app\",\"name\":\"a\",\"kind\":\"live\","
                          "\"grants\":\"client_credentials\",\"scopes\":\"openid\"}")
                         .status,
                     201);
    a = tell(t, POST, "/v1/parties/app/keys", "{\"perMinute\":3,\"perDay\":100}");
    text = text_of(t, &a, "key");
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask_for_itself(t, text).status, 200);
    assert_int_equal(ask_for_itself(t, "tjp_live_nobodys").status, 401);
    a = ask_for_itself(t, text);
    assert_int_equal(a.status, 429);
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    assert_int_equal(
        as(t, URL("authorization: Bearer %s\n", text), GET, "/healthz", NULL).status, 429);
    party_log_finish();
    a = tell(t, GET, "/v1/parties/app/requests", NULL);
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "requests")), 5);
    HAS(a, "\"route\":\"/oauth2/token\",\"status\":200");
    HAS(a, "\"route\":\"/oauth2/token\",\"status\":429");
    a = tell(t, GET, "/v1/parties/app/keys", NULL);
    HAS(a, "\"used\":");
}

/* ---- what is written of it ---- */

static void its_owner_reads_what_it_asked(void **state)
{
    struct world *t = *state;
    struct person owner = person_sign_in(t, SESSION_CITIZEN, 1),
                  other = person_sign_in(t, SESSION_CITIZEN, 1);
    const char *key = service_program(t, "cms", "edit");
    struct answer a;

    assert_int_equal(
        tell(t, PATCH, "/v1/parties/cms", URL("{\"owner\":%" PRId64 "}", owner.account)).status,
        200);
    as(t, key, GET, "/v1/staff/items?state=draft", NULL);
    as(t, key, POST, "/v1/import", "{}\n");
    as(t, key, GET, "/healthz", NULL);
    party_log_finish();
    a = person_ask(t, &owner, GET, "/v1/parties/cms/requests", NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "requests")), 3);
    HAS(a, "\"method\":\"GET\"");
    HAS(a, "\"route\":\"/v1/staff/items\",\"status\":200");
    HAS(a, "\"route\":\"/v1/import\",\"status\":403");
    HAS_NOT(a, "state=draft");
    a = person_ask(t, &owner, GET, "/v1/parties/cms/requests?n=1", NULL);
    HAS(a, "/healthz");
    a = person_ask(t, &owner, GET, "/v1/parties/cms/keys", NULL);
    HAS(a, "\"used\":");
    assert_int_equal(person_ask(t, &other, GET, "/v1/parties/cms/requests", NULL).status, 404);
    assert_int_equal(as(t, key, GET, "/v1/parties/cms/requests", NULL).status, 403);
}

static int64_t rows_of_requests(struct world *t)
{
    sqlite3_stmt *q;
    sqlite3 *db;
    int64_t n;

    assert_int_equal(sqlite3_open(URL("%s/" DB_NAME, world_dir(t)), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM party_request", -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static void the_last_thousand_requests_are_kept(void **state)
{
    enum { MADE = 2500 };
    struct world *t = *state;
    struct answer a;
    json_t *kept;

    service_program(t, "cms", "edit");
    for (int i = 0; i < MADE; i++) {
        const struct party_request r = { .method = "GET",
                                         .route = URL("/%d", i),
                                         .status = 200 };

        party_log_note(1, &r);
        if (i % 700 == 0)
            party_log_finish();
    }
    party_log_finish();
    a = tell(t, GET, "/v1/parties/cms/requests?n=1000", NULL);
    kept = json_object_get(json_of(t, &a), "requests");
    assert_int_equal(json_array_size(kept), PARTY_LOG_MAX);
    for (int i = 0; i < PARTY_LOG_MAX; i++)
        assert_string_equal(
            json_string_value(json_object_get(json_array_get(kept, (size_t)i), "route")),
            URL("/%d", MADE - 1 - i));
    assert_int_equal(rows_of_requests(t), PARTY_LOG_MAX);
}

/* ---- whose it is ---- */

/* Else he could give himself any right, by way of a program. */
static void who_gives_programs_their_rights_has_no_key_to_them(void **state)
{
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE);
    const char *mine = URL("{\"id\":\"mine\",\"name\":\"m\",\"kind\":\"live\","
                           "\"rights\":\"publish\",\"owner\":%" PRId64 "}",
                           security.account);

    service_program(t, "theirs", "publish");
    assert_int_equal(person_ask(t, &security, POST, "/v1/parties", mine).status, 201);
    assert_int_equal(person_ask(t, &security, POST, "/v1/parties/mine/keys", NULL).status, 403);
    assert_int_equal(person_ask(t, &security, POST, "/v1/parties/theirs/keys", NULL).status,
                     403);
    assert_int_equal(
        person_ask(t, &security, POST, "/v1/parties/theirs/keys/1/rotate", NULL).status, 403);
    assert_int_equal(tell(t, POST, "/v1/parties/mine/keys", NULL).status, 201);
    assert_int_equal(person_ask(t, &security, DELETE, "/v1/parties/theirs/keys/1", NULL).status,
                     204);
}

static void an_owner_looks_after_his_keys_and_no_others(void **state)
{
    static const char *const targets[] = { "/v1/parties/theirs", "/v1/parties/theirs/keys",
                                           "/v1/parties/theirs/requests" };
    struct world *t = *state;
    struct person owner = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a;

    service_program(t, "theirs", "edit");
    assert_int_equal(
        tell(t, POST, "/v1/parties",
             URL("{\"id\":\"mine\",\"name\":\"m\",\"kind\":\"team\",\"owner\":%" PRId64 "}",
                 owner.account))
            .status,
        201);
    a = person_ask(t, &owner, GET, "/v1/parties", NULL);
    HAS(a, "\"id\":\"mine\"");
    HAS_NOT(a, "theirs");
    assert_int_equal(person_ask(t, &owner, POST, "/v1/parties/mine/keys", NULL).status, 201);
    assert_int_equal(person_ask(t, &owner, POST, "/v1/parties/mine/keys/2/rotate", NULL).status,
                     201);
    assert_int_equal(person_ask(t, &owner, DELETE, "/v1/parties/mine/keys/2", NULL).status,
                     204);
    assert_int_equal(person_ask(t, &owner, PATCH, "/v1/parties/mine", "{\"open\":true}").status,
                     403);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(person_ask(t, &owner, GET, targets[i], NULL).status, 404);
    assert_int_equal(person_ask(t, &owner, POST, "/v1/parties/theirs/keys", NULL).status, 404);
    assert_int_equal(person_ask(t, &owner, DELETE, "/v1/parties/theirs/keys/1", NULL).status,
                     404);
    /* a key of another party under one's own name */
    assert_int_equal(person_ask(t, &owner, DELETE, "/v1/parties/mine/keys/1", NULL).status,
                     404);
}

/* ---- as an OpenID client ---- */

static int with_redirect(struct world *t, const char *address)
{
    return tell(t, PATCH, "/v1/parties/app", URL("{\"redirects\":[\"%s\"]}", address)).status;
}

static void addresses_lead_where_they_say(void **state)
{
    static const char *const right[] = { "https://www.example.cn/cb", "https://www.example.cn",
                                         "https://a.example.cn:8443/cb?x=1",
                                         "http://127.0.0.1/cb", "http://[::1]:8080/cb" };
    static const char *const wrong[] = { "",
                                         "www.example.cn/cb",
                                         "http://www.example.cn/cb",
                                         "http://localhost.example.cn/cb",
                                         "http://127.0.0.1.example.cn/cb",
                                         "http://127.0.0.1@example.cn/cb",
                                         "https://www.example.cn/cb#x",
                                         "https://*.example.cn/cb",
                                         "https://www.example.cn/*",
                                         "https://user@www.example.cn/cb",
                                         "https:///cb",
                                         "https://:443/cb",
                                         "https://www.example.cn/a b",
                                         "https://www.example.cn\\\\@evil.cn",
                                         "javascript:alert(1)",
                                         "HTTPS://www.example.cn/cb",
                                         "https://例.cn/cb" };
    struct world *t = *state;

    tell(t, POST, "/v1/parties", "{\"id\":\"app\",\"name\":\"a\",\"kind\":\"live\"}");
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (with_redirect(t, right[i]) != 200)
            fail_msg("%s", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (with_redirect(t, wrong[i]) != 400)
            fail_msg("%s", wrong[i]);
}

static void a_client_is_known_from_memory(void **state)
{
    struct world *t = *state;
    struct grant_client c;
    struct answer a;

    assert_int_equal(
        tell(t, POST, "/v1/parties",
             "{\"id\":\"app\",\"name\":\"和平区\",\"kind\":\"live\",\"redirects\":[\"https://"
             "a.cn/1\","
             "\"https://a.cn/2\"],\"logouts\":[\"https://a.cn/"
             "\"],\"grants\":\"authorization_code "
             "refresh_token\",\"scopes\":\"openid phone\",\"ceiling\":3,\"sector\":\"a.cn\"}")
            .status,
        201);
    assert_true(party_client_by_id(world_mem(t), "app", &c));
    assert_string_equal(c.name, "和平区");
    assert_int_equal(c.nredirects, 2);
    assert_string_equal(c.redirects[1], "https://a.cn/2");
    assert_int_equal(c.ways, GRANT_BY_CODE | GRANT_BY_REFRESH);
    assert_int_equal(c.ceiling, 3);
    assert_string_equal(c.sector, "a.cn");
    assert_true(c.confidential);
    assert_true(party_client_by_number(world_mem(t), c.party, &c));
    a = tell(t, GET, "/v1/parties/app", NULL);
    HAS(a, "\"scopes\":\"openid phone\"");
    HAS(a, "\"logouts\":[\"https://a.cn/\"]");

    a = tell(t, POST, "/v1/parties/app/keys", NULL);
    assert_true(party_key_of(c.party, text_of(t, &a, "key")));
    assert_false(party_key_of(c.party + 1, text_of(t, &a, "key")));
    tell(t, PATCH, "/v1/parties/app", "{\"open\":false}");
    assert_false(party_client_by_id(world_mem(t), "app", &c));
    assert_false(party_key_of(c.party, text_of(t, &a, "key")));
    assert_false(party_client_by_number(world_mem(t), 0, &c));
}

struct opening {
    int64_t party, id;
};

static enum rc open_one(struct work *w, void *arg)
{
    struct opening *o = arg;
    const struct session_new n = { .account = 1, .party = o->party, .level = 1, .device = "x" };
    struct session_tokens tokens;

    return session_open(w, &n, &o->id, &tokens);
}

static int64_t session_at(struct world *t, int64_t party)
{
    struct opening o = { .party = party };
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, open_one, &o), RC_OK);
    return o.id;
}

static void a_party_that_closes_ends_its_sessions(void **state)
{
    struct world *t = *state;
    int64_t theirs[3], own = session_at(t, 0), others = session_at(t, 2);

    service_program(t, "app", "edit"); /* party 1 */
    for (int i = 0; i < 3; i++)
        theirs[i] = session_at(t, 1);
    tell(t, PATCH, "/v1/parties/app", "{\"name\":\"another\"}");
    assert_true(session_lives(theirs[0]));
    assert_int_equal(tell(t, PATCH, "/v1/parties/app", "{\"open\":false}").status, 200);
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < 3; i++)
            assert_false(session_lives(theirs[i]));
        tell(t, PATCH, "/v1/parties/app", "{\"open\":true}");
    }
    assert_true(session_lives(own) && session_lives(others));
}

static void a_party_that_cannot_be_is_refused(void **state)
{
    static const char *const wrong[] = {
        "{\"id\":\"..\",\"name\":\"x\",\"kind\":\"live\"}",
        "{\"id\":\"A\",\"name\":\"x\",\"kind\":\"live\"}",
        "{\"id\":\"a/b\",\"name\":\"x\",\"kind\":\"live\"}",
        "{\"id\":\"-a\",\"name\":\"x\",\"kind\":\"live\"}",
        "{\"id\":\"x\",\"name\":\"\",\"kind\":\"live\"}",
        "{\"id\":\"x\",\"name\":\"a\\u0007\",\"kind\":\"live\"}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"root\"}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"owner\":99}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"grants\":\"password\"}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"grants\":\"authorization_code\"}",
        ("{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"grants\":\"client_credentials\","
         "\"confidential\":false}"),
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"ceiling\":5}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"sector\":\"a b\"}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"rights\":\"import,,edit\"}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"rights\":\"all\"}",
        "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\",\"secret\":\"x\"}",
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (tell(t, POST, "/v1/parties", wrong[i]).status != 400)
            fail_msg("%s", wrong[i]);
    service_program(t, "x", "import");
    assert_int_equal(
        tell(t, POST, "/v1/parties", "{\"id\":\"x\",\"name\":\"x\",\"kind\":\"live\"}").status,
        409);
    assert_int_equal(tell(t, GET, "/v1/parties/y", NULL).status, 404);
}

/* ---- what is no key ---- */

static void no_mutated_key_is_accepted(void **state)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/.~!";
    struct world *t = *state;
    const char *header = service_program(t, "cms", "edit"),
               *key = arena_strndup(world_mem(t), header + 22, strlen(header) - 23);
    size_t length = strlen(key);
    struct actor who = { .name = "untouched" };
    struct err e;

    assert_int_equal(credential_know(&e, world_mem(t), key, false, &(struct actor){ 0 }),
                     RC_OK);
    for (size_t n = 0, tried = 0; tried < MUTATIONS; n++) {
        char *text = arena_alloc(world_mem(t), length + 2);
        size_t at = n % length;

        memcpy(text, key, length + 1);
        if (n % 3 == 0)
            memmove(text + at, text + at + 1, length - at);
        else
            text[at] = letters[n / length % (sizeof letters - 1)];
        if (n % 7 == 0)
            strcat(text, "A");
        if (!strcmp(text, key))
            continue;
        tried++;
        if (credential_know(&e, world_mem(t), text, false, &who) != RC_UNAUTHORIZED ||
            strcmp(who.name, "untouched") || party_key_of(1, text))
            fail_msg("%s was accepted for %s", text, key);
    }
}

static void the_database_holds_no_key(void **state)
{
    struct world *t = *state;
    const char *header = service_program(t, "cms", "edit"), *key = header + 22;
    char command[512];

    snprintf(command, sizeof command, "grep -q '%.40s' %s/tjzw.db*", key, world_dir(t));
    assert_int_not_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_opens_what_its_party_may),
        TEST(rights_at_a_site_are_for_that_site),
        TEST(no_program_gets_what_is_an_administrators),
        TEST(the_kind_stands_in_the_key_and_with_who_asks),
        TEST(a_key_ends_when_it_is_revoked_or_its_party_closed),
        TEST(a_key_expires),
        TEST(a_key_is_exchanged_with_an_overlap),
        TEST(a_key_has_a_quota_a_minute),
        TEST(a_key_has_a_quota_a_day),
        TEST(a_key_shown_as_a_clients_secret_counts_likewise),
        TEST(keys_are_good_while_their_owner_is),
        TEST(a_start_forgets_nobodys_lock),
        TEST(who_leaves_leaves_no_open_program),
        TEST(its_owner_reads_what_it_asked),
        TEST(the_last_thousand_requests_are_kept),
        TEST(who_gives_programs_their_rights_has_no_key_to_them),
        TEST(an_owner_looks_after_his_keys_and_no_others),
        TEST(addresses_lead_where_they_say),
        TEST(a_client_is_known_from_memory),
        TEST(a_party_that_closes_ends_its_sessions),
        TEST(a_party_that_cannot_be_is_refused),
        TEST(no_mutated_key_is_accepted),
        TEST(the_database_holds_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
