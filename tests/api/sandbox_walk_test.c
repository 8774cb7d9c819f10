/*
 * sandbox_walk_test.c - a test key changes nothing: server/identity/party_reach.h.
 *
 * Every route that changes something and that a key's rights open is asked with a test key, which changes no row but those of the sandbox and what is written of
 * every request, and then with a live one in the same words, which gets the same status. A route that is added fails here until it is walked.
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
#include "push/address.h"
#include "push/campaign_step.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/store/writer.h"
#include "tests/lib/key_world.h"

enum {
    OF_KEYS = RIGHT_IMPORT | RIGHT_EDIT | RIGHT_REVIEW | RIGHT_PUBLISH | RIGHT_PUSH |
              RIGHT_PUSH_APPROVE | RIGHT_LETTERS | RIGHT_OPERATE | RIGHT_AUDIT | RIGHT_NOTICE,
    ROUTES_MAX = 400
};

static bool walked[ROUTES_MAX];

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

/* Of an approved item, which stays so. */
static void walk_review(struct world *t, const char *id)
{
    char at[CLOCK_TEXT];

    BOTH(POST, "/v1/items/:id/secrecy", URL("/v1/items/%s/secrecy", id),
         "{\"basis\":\"第3条\"}");
    BOTH(POST, "/v1/items/:id/comment", URL("/v1/items/%s/comment", id), "{\"said\":\"好\"}");
    BOTH(POST, "/v1/items/:id/schedule", URL("/v1/items/%s/schedule", id),
         URL("{\"at\":\"%s\"}", clock_text(clock_now() + 3600, at)));
    /* A test key takes back what is there. */
    BOTH(DELETE, "/v1/items/:id/schedule", URL("/v1/items/%s/schedule", id), NULL);
}

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
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        BOTH(POST, URL("/v1/items/:id/%s", verbs[i]), URL("/v1/items/%s/%s", id, verbs[i]),
             strcmp(verbs[i], "move") ? "{\"reason\":\"试\"}" : "{\"column\":2}");
        if (!strcmp(verbs[i], "approve"))
            walk_review(t, id);
    }
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
    BOTH(PUT, "/v1/sites/:site/rules/:rule", "/v1/sites/1200000009/rules/person.phone",
         "{\"severity\":\"off\"}");
    ALONE(POST, "/v1/columns", "{\"site\":\"1200000009\",\"path\":\"新栏目\"}");
    BOTH(PATCH, "/v1/columns/:column", "/v1/columns/3", "{\"name\":\"改名\"}");
    BOTH(POST, "/v1/import", "/v1/import?publish=1&create=1",
         "{\"id\":\"i1\",\"source\":\"新站\",\"column\":\"要闻\",\"title\":\"二\",\"kind\":"
         "\"article\",\"pubDate\":\"2026-01-02\",\"body\":\"正文\"}\n");
}

static void walk_submissions(struct world *t)
{
    ALONE(POST, "/v1/submissions",
          "{\"site\":\"1200000000\",\"column\":\"要闻\",\"id\":\"s1\",\"title\":\"三\","
          "\"body\":\"正文\"}");
    walk(PUT, "/v1/sites/:site/agreements/:source"); /* no program's */
    ALONE(POST, "/v1/sources",
          "{\"id\":\"f1\",\"site\":\"1200000000\",\"column\":\"要闻\",\"url\":\"https://"
          "www.example.cn/f\"}");
    BOTH(POST, "/v1/sources/:source/pull", "/v1/sources/f1/pull", NULL);
    BOTH(DELETE, "/v1/sources/:source", "/v1/sources/f1", NULL);
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

/* ---- campaigns ---- */

static enum rc settle_and_fire(struct work *w, void *arg)
{
    const int64_t *no = arg;
    struct campaign c;
    int n;
    enum rc rc = address_settle(w, 100, &n);

    return rc || !*no ? rc : campaign_step(w, *no, CAMPAIGN_DO_DUE, NULL, &c);
}

static void on_writer(struct world *t, int64_t fired)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", 0);
    assert_int_equal(writer_call(&w, settle_and_fire, &fired), RC_OK);
}

/* One person with a phone, who is sent tests too, and a campaign to nobody else: by the live key. */
static void begin_campaigns(struct world *t)
{
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);
    struct conf_list testers = { .n = 1, .v = { URL("%" PRId64, li.account) } };
    const struct campaign_conf conf = { .news_licence = "12120250001",
                                        .sender = "天津市人民政府",
                                        .two_eyes_from = 100000,
                                        .testers = &testers };
    const char *item = service_publish(t, "明天停水", "八点到十点。", "");
    struct err e;

    assert_int_equal(campaign_open(&e, &conf), RC_OK);
    assert_int_equal(person_ask(t, &li, PUT, "/v1/me/push/AAAAAAAAAAAAAAAAAAAAAA",
                                "{\"token\":\"0123456789abcdef\",\"transport\":\"huawei\"}")
                         .status,
                     204);
    on_writer(t, 0);
    ALONE(POST, "/v1/push/campaigns",
          URL("{\"item\":\"%s\",\"class\":\"marketing\",\"title\":\"停水\",\"text\":"
              "\"明天停水。\",\"audience\":{\"accounts\":[%" PRId64 "]}}",
              item, li.account));
}

#define CAMPAIGN "/v1/push/campaigns/:campaign"

static struct answer step(struct world *t, int no, const char *word, const char *body)
{
    return BOTH(POST, URL(CAMPAIGN "/%s", word), URL("/v1/push/campaigns/%d/%s", no, word),
                body);
}

/* A person approves, and no program does, whatever rights it has. */
static void approve(struct world *t, int no)
{
    struct person approver = person_staff(t, "push_approver", EVERYWHERE);
    const char *path = URL("/v1/push/campaigns/%d/approve", no), *body;
    struct answer a = tell(t, GET, URL("/v1/push/campaigns/%d", no), NULL);

    body = URL("{\"hash\":\"%s\"}", text_of(t, &a, "hash"));
    walk(POST, CAMPAIGN "/approve");
    assert_int_equal(tried(t, trial, POST, path, body).status, 403);
    assert_int_equal(person_ask(t, &approver, POST, path, body).status, 200);
}

static void walk_campaigns(struct world *t)
{
    begin_campaigns(t);
    BOTH(PATCH, CAMPAIGN, "/v1/push/campaigns/1", "{\"text\":\"后天停水。\"}");
    BOTH(POST, CAMPAIGN "/copy", "/v1/push/campaigns/1/copy", NULL);
    for (int no = 1; no <= 2; no++) {
        step(t, no, "test", NULL);
        step(t, no, "submit", NULL);
    }
    step(t, 2, "return", "{\"text\":\"几点？\"}");
    step(t, 2, "submit", NULL);
    step(t, 2, "reject", "{\"text\":\"重复\"}");
    BOTH(POST, CAMPAIGN "/copy", "/v1/push/campaigns/1/copy", NULL);
    step(t, 3, "cancel", NULL);
    approve(t, 1);
    step(t, 1, "schedule", NULL);
    on_writer(t, 1);
    step(t, 1, "pause", NULL);
    step(t, 1, "resume", NULL);
    step(t, 1, "recall", "{\"text\":\"写错了\"}");
}

/* A program approves none, and sends by what was approved: api/notices_test.c sends one with a test key. */
static void walk_notices(struct world *t)
{
    static const char *const steps[] = { "approve", "return" };

    ALONE(POST, "/v1/notice-templates",
          "{\"name\":\"visit\",\"group\":\"visit\",\"label\":\"提醒\",\"title\":\"提醒\"}");
    for (int i = 0; i < 2; i++) {
        walk(POST, URL("/v1/notice-templates/:template/%s", steps[i]));
        tried(t, trial, POST, URL("/v1/notice-templates/1/%s", steps[i]), "{}");
    }
    walk(POST, "/v1/notice-templates/:template/retire"); /* of its own: another's is refused */
    tried(t, trial, POST, "/v1/notice-templates/1/retire", "{\"text\":\"停用\"}");
    walk(POST, "/v1/notices");
    tried(t, trial, POST, "/v1/notices",
          "{\"id\":\"1\",\"template\":\"visit\",\"to\":\"nobody\"}");
}

#define VERSION "/v1/channel-versions/:version"
#define TASK    "/v1/channel-tasks/:task"

static void approve_version(struct world *t)
{
    struct answer a = tell(t, GET, "/v1/channel-versions/1", NULL);
    const char *body = URL("{\"hash\":\"%s\"}", text_of(t, &a, "hash"));

    walk(POST, VERSION "/approve"); /* by a person */
    assert_int_equal(tried(t, trial, POST, "/v1/channel-versions/1/approve", body).status, 403);
    assert_int_equal(tell(t, POST, "/v1/channel-versions/1/approve", body).status, 200);
}

static void walk_channels(struct world *t)
{
    const char *item = service_publish(t, "停水", "明天停水。", "");

    ALONE(POST, "/v1/channels",
          "{\"kind\":\"weibo\",\"handle\":\"1\",\"name\":\"示例发布\",\"site\":1,"
          "\"state\":\"active\"}");
    BOTH(PATCH, "/v1/channels/:channel", "/v1/channels/1", "{\"domain\":\"example.cn\"}");
    BOTH(PUT, "/v1/channels/:channel/credentials", "/v1/channels/1/credentials",
         "{\"secret\":\"s\",\"token\":\"ttt\",\"address\":\"203.0.113.7\"}");
    BOTH(POST, "/v1/channels/:channel/versions", "/v1/channels/1/versions",
         URL("{\"item\":\"%s\",\"body\":\"明天停水\"}", item));
    BOTH(POST, VERSION "/return", "/v1/channel-versions/1/return", "{\"text\":\"几点\"}");
    BOTH(PATCH, VERSION, "/v1/channel-versions/1", "{\"body\":\"明天八点停水\"}");
    approve_version(t);
    BOTH(POST, VERSION "/send", "/v1/channel-versions/1/send", NULL);
    BOTH(POST, TASK "/cancel", "/v1/channel-tasks/1/cancel", NULL);
    walk(POST, TASK "/retry"); /* of what a platform refused */
    assert_int_equal(tried(t, trial, POST, "/v1/channel-tasks/1/retry", NULL).status, 409);
    walk(POST, TASK "/resolve"); /* of what is unknown */
    assert_int_equal(
        tried(t, trial, POST, "/v1/channel-tasks/1/resolve", "{\"went\":false}").status, 409);
}

static void no_route_changes_a_row_for_a_test_key(void **state)
{
    struct world *t = *state;

    memset(walked, 0, sizeof walked);
    walk_items(t);
    walk_surveys(t);
    walk_places(t);
    walk_submissions(t);
    walk_letters(t);
    walk_the_rest(t);
    walk_campaigns(t);
    walk_notices(t);
    walk_channels(t);
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
        const char *at = r->path[strcspn(r->path, ":")]
                             ? URL("%.*s1", (int)strcspn(r->path, ":"), r->path)
                             : r->path;

        if (!(r->right & RIGHT_READ) || (r->method == GET && r->where != ON_WRITER) ||
            strchr(at + 1, ':'))
            continue;
        assert_int_equal(as(t, trial, r->method, at, NULL).status, 403);
        assert_int_equal(as(t, team, r->method, at, NULL).status, 403);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, key_world_set_up, key_world_tear_down)
        T(no_route_changes_a_row_for_a_test_key),
        T(what_is_open_to_all_is_shut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
