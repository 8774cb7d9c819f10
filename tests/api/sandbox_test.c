/*
 * sandbox_test.c - whom keys reach, by their kind: server/identity/party_reach.h.
 *
 * The walk: every route that changes something and that a key's rights open is asked with a test key, which changes no row but those of
 * the sandbox and what is written of every request, and then with a live one in the same words, which gets the same status. A route that is added fails here until it is
 * walked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "api/witness.h"
#include "server/base/clock.h"
#include "server/citizen/receipt.h"
#include "server/identity/account.h"
#include "server/identity/party_reach.h"
#include "server/identity/party_sandbox.h"
#include "server/identity/seal.h"
#include "server/store/writer.h"
#include "tests/lib/all_rows.h"
#include "tests/lib/phone_state.h"

#define RIGHTS "import,edit,review,publish,push,push_approve,letters,operate,audit"

enum {
    OF_KEYS = RIGHT_IMPORT | RIGHT_EDIT | RIGHT_REVIEW | RIGHT_PUBLISH | RIGHT_PUSH |
              RIGHT_PUSH_APPROVE | RIGHT_LETTERS | RIGHT_OPERATE | RIGHT_AUDIT,
    ROUTES_MAX = 400
};

static bool walked[ROUTES_MAX];

static const char *make_key(struct world *t, const char *id, const char *kind)
{
    struct answer a =
        tell(t, POST, "/v1/parties",
             URL("{\"id\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\",\"rights\":\"" RIGHTS "\"}",
                 id, id, kind));

    assert_int_equal(a.status, 201);
    a = tell(t, POST, URL("/v1/parties/%s/keys", id), NULL);
    assert_int_equal(a.status, 201);
    return URL("authorization: Bearer %s\n", text_of(t, &a, "key"));
}

static const char *trial, *team, *live; /* headers with keys of each kind */

static int set_up(void **state)
{
    struct world *t;
    struct err e;

    service_world_set_up(state);
    t = *state;
    witness_set(&witness_audit);
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"heping\",\"name\":\"和平区\"}").status, 201);
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"nankai\",\"name\":\"南开区\"}").status, 201);
    trial = make_key(t, "trial", "test");
    team = make_key(t, "team", "team");
    live = make_key(t, "live", "live");
    return seal_load(&e, world_dir(t), SEAL_XCHACHA) || receipt_load(&e, world_dir(t));
}

static int tear_down(void **state)
{
    int rc;

    witness_set(NULL);
    rc = service_world_tear_down(state);
    receipt_forget(); /* refusals may have been told until now, and sealed */
    seal_forget();
    return rc;
}

static struct answer as(struct world *t, const char *key, enum method m, const char *target,
                        const char *body)
{
    return ask(t, m, target, &(struct ask){ .headers = key, .body = body });
}

/* ---- the walk ---- */

static const struct route *walk(enum method m, const char *path)
{
    for (int i = 0; routes_table[i].path; i++)
        if (routes_table[i].method == m && !strcmp(routes_table[i].path, path)) {
            walked[i] = true;
            return &routes_table[i];
        }
    fail_msg("there is no route %s %s", method_name(m), path);
    return NULL;
}

static struct answer tried(struct world *t, const char *key, enum method m, const char *target,
                           const char *body)
{
    static struct all_rows before;
    struct answer a;
    const char *table;

    all_rows_read(t, &before);
    a = as(t, key, m, target, body);
    if ((table = all_rows_changed(t, &before)))
        fail_msg("%s %s changed %s (%d)", method_name(m), target, table, a.status);
    return a;
}

/* First tried, then real. */
static struct answer both(struct world *t, enum method m, const char *path, const char *target,
                          const char *more, const char *body)
{
    const struct route *r = walk(m, path);
    static struct all_rows before;
    struct answer a = tried(t, URL("%s%s", trial, more), m, target, body), b;

    if (r->flags & R_FOR_GOOD) {
        assert_int_equal(a.status, 403);
        return a;
    }
    all_rows_read(t, &before);
    b = as(t, URL("%s%s", live, more), m, target, body);
    if (b.status >= 300 || a.status != b.status)
        fail_msg("%s %s: tried %d %s, live %d %s", method_name(m), target, a.status, a.body,
                 b.status, b.body);
    assert_string_equal(HEADER(b, "sandbox"), "");
    if (r->where == ON_WRITER) {
        assert_string_equal(HEADER(a, "sandbox"), "true");
        if (!strstr(path, "/audit/"))
            assert_non_null(all_rows_changed(t, &before));
    }
    return b;
}

#define BOTH(m, path, target, body) both(t, m, path, target, "", body)
#define ALONE(m, path, body)        both(t, m, path, path, "", body)

static void walk_items(struct world *t)
{
    struct answer a = ALONE(POST, "/v1/items",
                            "{\"site\":\"1200000000\",\"column\":1,\"title\":\"一\",\"body\":"
                            "\"正文\"}");
    const char *id = arena_strdup(world_mem(t), text_of(t, &a, "id"));
    static const char *const verbs[] = { "submit", "return",  "submit",   "approve", "publish",
                                         "move",   "preview", "withdraw", "restore", "gone" };

    both(t, PUT, "/v1/items/:id", URL("/v1/items/%s", id), "if-match: \"1\"\n",
         "{\"site\":\"1200000000\",\"column\":1,\"title\":\"一改\",\"body\":\"正文\"}");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        BOTH(POST, URL("/v1/items/:id/%s", verbs[i]), URL("/v1/items/%s/%s", id, verbs[i]),
             strcmp(verbs[i], "move") ? "{\"reason\":\"试\"}" : "{\"column\":2}");
    walk(POST, "/v1/items/:id/withhold"); /* of a mirrored stream: its effect is a row too */
    walk(POST, "/v1/items/:id/unwithhold");
}

static void walk_surveys(struct world *t)
{
    struct answer a =
        tell(t, POST, "/v1/items",
             "{\"site\":\"1200000000\",\"column\":1,\"kind\":\"survey\",\"title\":\"出行调查\","
             "\"body\":\"请回答。\",\"questions\":[{\"kind\":\"text\",\"title\":\"意见\"}]}");
    const char *id = arena_strdup(world_mem(t), text_of(t, &a, "id"));
    static const char *const verbs[] = { "submit", "approve", "publish" };

    assert_int_equal(a.status, 201);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tell(t, POST, URL("/v1/items/%s/%s", id, verbs[i]), NULL).status, 200);
    BOTH(POST, "/v1/surveys/:id/close", URL("/v1/surveys/%s/close", id), NULL);
    BOTH(POST, "/v1/surveys/:id/draft", URL("/v1/surveys/%s/draft", id), NULL);
}

static void walk_places(struct world *t)
{
    ALONE(POST, "/v1/orgs", "{\"code\":\"o9\",\"name\":\"某局\"}");
    BOTH(PATCH, "/v1/orgs/:org", "/v1/orgs/o9", "{\"name\":\"某某局\"}");
    ALONE(POST, "/v1/sites", "{\"code\":\"1200000009\",\"name\":\"另一个\"}");
    BOTH(PATCH, "/v1/sites/:site", "/v1/sites/1200000009", "{\"name\":\"改名\"}");
    ALONE(POST, "/v1/columns", "{\"site\":\"1200000009\",\"path\":\"新栏目\"}");
    BOTH(PATCH, "/v1/columns/:column", "/v1/columns/3", "{\"name\":\"改名\"}");
    BOTH(POST, "/v1/import", "/v1/import?publish=1&create=1",
         "{\"id\":\"i1\",\"source\":\"新站\",\"column\":\"要闻\",\"title\":\"二\",\"kind\":"
         "\"article\",\"pubDate\":\"2026-01-02\",\"body\":\"正文\"}\n");
}

#define L1 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11"
#define L2 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a12"
#define L3 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a13"
#define L4 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a14"

static void write_letter(struct world *t, const struct person *p, int n, const char *key,
                         const char *category)
{
    json_t *a = bring(t, p, DEVICE_A, n,
                      URL("\"type\":\"letter.send\",\"key\":\"%s\",\"value\":{\"category\":"
                          "\"%s\",\"public\":true,\"text\":\"路灯坏了，请修。\","
                          "\"title\":\"路灯\",\"unit\":\"heping\"}",
                          key, category));

    assert_string_equal(result_of(t, a, 0), "done");
}

static struct answer verb(struct world *t, const char *letter, const char *word,
                          const char *body)
{
    return BOTH(POST, URL("/v1/letters/:letter/%s", word),
                URL("/v1/letters/%s/%s", letter, word), body);
}

static void walk_letters(struct world *t)
{
    struct person p = person_sign_in(t, SESSION_CITIZEN, 2);
    struct answer a;
    const char *draft;

    write_letter(t, &p, 1, L1, "disclose");
    write_letter(t, &p, 2, L2, "disclose");
    write_letter(t, &p, 3, L3, "complain");
    write_letter(t, &p, 4, L4, "help");
    verb(t, L1, "accept", NULL);
    verb(t, L1, "assign", NULL);
    verb(t, L1, "begin", NULL);
    verb(t, L1, "extend", "{\"text\":\"情况复杂\"}");
    verb(t, L1, "consult", "{\"text\":\"征求意见\"}");
    verb(t, L1, "resume", NULL);
    verb(t, L1, "draft", "{\"text\":\"初稿\"}");
    verb(t, L1, "return", "{\"text\":\"请改\"}");
    assert_int_equal(tell(t, POST, "/v1/letters/" L1 "/draft", "{\"text\":\"二稿\"}").status,
                     200);
    a = tell(t, GET, "/v1/letters/" L1, NULL);
    draft = strstr(a.body, "\"draft\":");
    assert_non_null(draft);
    verb(t, L1, "review", URL("{\"draft\":%d}", atoi(draft + strlen("\"draft\":"))));
    verb(t, L1, "answer", "{\"text\":\"已经修好\"}");
    verb(t, L2, "ask", "{\"text\":\"请补充\"}");
    verb(t, L2, "transfer", "{\"text\":\"属地\",\"unit\":\"nankai\"}");
    verb(t, L3, "refuse", "{\"text\":\"重复\"}");
    assert_int_equal(tell(t, POST, "/v1/letters/" L4 "/accept", NULL).status, 200);
    verb(t, L4, "answer", "{\"text\":\"已经修好\"}");
    verb(t, L4, "publish", "{\"column\":1}");
    bring(t, &p, DEVICE_A, 5,
          URL("\"type\":\"letter.rate\",\"key\":\"%s\",\"value\":{\"letter\":\"" L4
              "\",\"rating\":1}",
              L3));
    verb(t, L4, "follow", "{\"text\":\"已经上门\"}");
    BOTH(POST, "/v1/letters", "/v1/letters?from=old",
         "{\"category\":\"help\",\"origin\":\"1\",\"received\":\"2026-01-02 "
         "09:00\",\"title\":\"路灯\",\"text\":\"坏了\",\"unit\":\"heping\"}\n");
    ALONE(PUT, "/v1/letter-templates",
          "{\"name\":\"收到\",\"text\":\"您好\",\"unit\":\"heping\"}");
    BOTH(DELETE, "/v1/letter-templates/:name",
         "/v1/letter-templates/%E6%94%B6%E5%88%B0?unit=heping", NULL);
}

static void walk_the_rest(struct world *t)
{
    struct person p = person_sign_in(t, SESSION_CITIZEN, 1);

    ALONE(POST, "/v1/inbox",
          URL("{\"account\":%" PRId64 ",\"group\":\"g\",\"title\":\"一\"}", p.account));
    BOTH(DELETE, "/v1/inbox/:group", "/v1/inbox/g", NULL);
    /* Not for all sites: that would shut out whoever asks without a device. */
    ALONE(POST, "/v1/devices",
          "{\"device\":\"00000000000000a1\",\"name\":\"值班电脑\",\"site\":\"1200000000\"}");
    BOTH(DELETE, "/v1/devices/:device", "/v1/devices/00000000000000a1?site=1200000000", NULL);
    ALONE(POST, "/v1/push/audience", "{\"audience\":{\"all\":true}}");
    ALONE(POST, "/v1/keys/seal/reseal", NULL);
    BOTH(POST, "/v1/keys/:role/retire", "/v1/keys/seal.1/retire", NULL);
    BOTH(POST, "/v1/keys/:role/rotate", "/v1/keys/platform/rotate", NULL);
    ALONE(POST, "/v1/mirrors", "{\"stream\":\"a\",\"url\":\"https://a.example\"}");
    BOTH(DELETE, "/v1/mirrors/:stream", "/v1/mirrors/a", NULL);
    BOTH(POST, "/v1/audit/:action", "/v1/audit/backup", NULL);
    BOTH(PUT, "/v1/blobs/:hash",
         "/v1/blobs/2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "foo");
}

/*
 * Campaigns, wherever there are such routes: each is asked about one that there is not, so this says only that none changes a row outside of the handler's own
 * savepoint. A whole campaign by a test key is yet to be walked.
 */
static void walk_campaigns(struct world *t)
{
    static const char prefix[] = "/v1/push/campaigns";

    for (int i = 0; routes_table[i].path; i++) {
        const struct route *r = &routes_table[i];
        const char *rest = strchr(r->path, ':');

        if (r->method == GET || strncmp(r->path, prefix, strlen(prefix)))
            continue;
        walked[i] = true;
        rest = rest ? rest + strcspn(rest, "/") : "";
        tried(t, trial, r->method, strchr(r->path, ':') ? URL("%s/1%s", prefix, rest) : r->path,
              r->body_max ? "{}" : NULL);
    }
}

static void no_route_changes_a_row_for_a_test_key(void **state)
{
    struct world *t = *state;

    memset(walked, 0, sizeof walked);
    walk_items(t);
    walk_surveys(t);
    walk_places(t);
    walk_letters(t);
    walk_the_rest(t);
    walk_campaigns(t);
    for (int i = 0; routes_table[i].path; i++) {
        const struct route *r = &routes_table[i];

        if (r->method != GET && r->right & OF_KEYS && !walked[i])
            fail_msg("nobody walked %s %s", method_name(r->method), r->path);
    }
}

/* Signing in, codes by SMS, counts: what is open to all is not for a program's trials, and nothing of it happens. */
static void what_is_open_to_all_is_shut(void **state)
{
    struct world *t = *state;

    for (const struct route *r = routes_table; r->path; r++) {
        if (r->method == GET || !(r->right & RIGHT_READ) || strchr(r->path, ':'))
            continue;
        assert_int_equal(as(t, trial, r->method, r->path, NULL).status, 403);
        assert_int_equal(as(t, team, r->method, r->path, NULL).status, 403);
    }
}

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
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(no_route_changes_a_row_for_a_test_key),
        T(what_is_open_to_all_is_shut),
        T(the_owner_reads_what_would_have_been_shown),
        T(nobody_else_reads_it),
        T(a_trial_that_is_sent_again_is_answered_as_a_trial),
        T(a_party_has_a_bounded_sandbox_and_long_answers_are_cut),
        T(a_team_key_reaches_its_own_people_alone),
        T(a_team_key_writes_drafts_and_publishes_nothing),
        T(a_team_is_open_accounts_and_not_many),
        T(who_becomes_part_of_another_stays_on_the_team),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
