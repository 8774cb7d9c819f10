/*
 * notices_test.c - a district's office tells a citizen of his appointment: templates and who approves them, whom its key reaches, inbox and phones, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/witness.h"
#include "push/notice.h"
#include "push/push_thread.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/citizen/inbox.h"
#include "server/identity/account.h"
#include "server/identity/consent.h"
#include "server/identity/grant_scope.h"
#include "server/identity/oidc.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/fake_sender.h"
#include "tests/lib/phone_state.h"

#define TEMPLATES "/v1/notice-templates"
#define NOTICES   "/v1/notices"
#define VALUES    "{\"thing\":\"不动产登记\",\"when\":\"2026-11-24 09:30\",\"no\":\"A7\"}"

enum { WAIT_MS = 20000 };

static struct fake_sender sender;
static struct person li, wang, operator_, approver;
static const char *live; /* the office's key */

/* ---- phones ---- */

static atomic_int rung, says;
static char last_title[256], last_text[2048], last_link[512], last_collapse[64];

static enum push_verdict_kind answer(const struct push_message *m, const char *token)
{
    enum push_verdict_kind kind = (enum push_verdict_kind)atomic_load(&says);

    (void)token;
    snprintf(last_title, sizeof last_title, "%s", m->title);
    snprintf(last_text, sizeof last_text, "%s", m->text);
    snprintf(last_link, sizeof last_link, "%s", m->link);
    snprintf(last_collapse, sizeof last_collapse, "%s", m->collapse);
    if (kind == PUSH_ACCEPTED || kind == PUSH_DOUBT)
        atomic_fetch_add(&rung, 1);
    return kind;
}

static void start(struct world *t)
{
    struct err e = { 0 };

    if (push_thread_start(&e, URL("%s/" DB_NAME, world_dir(t)), fake_sender_open(&sender)))
        fail_msg("%s", e.text);
}

static void phone(struct world *t, const struct person *p, const char *token)
{
    assert_int_equal(
        person_ask(t, p, PUT, "/v1/me/push/" DEVICE_A,
                   URL("{\"token\":\"0123456789abcdef-%s\",\"transport\":\"huawei\"}", token))
            .status,
        204);
}

static void until_rung(int n)
{
    for (int ms = 0; atomic_load(&rung) < n; ms += 10) {
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
}

/* ---- an office ---- */

static const char *make_party(struct world *t, const char *id, const char *kind)
{
    struct answer a = tell(
        t, POST, "/v1/parties",
        URL("{\"id\":\"%s\",\"name\":\"和平区政务网\",\"kind\":\"%s\",\"rights\":\"notice\","
            "\"grants\":\"authorization_code\",\"scopes\":\"openid "
            "notice\",\"redirects\":[\"https:"
            "//bd.example.cn/back\"]}",
            id, kind));

    assert_int_equal(a.status, 201);
    a = tell(t, POST, URL("/v1/parties/%s/keys", id), NULL);
    assert_int_equal(a.status, 201);
    return URL("authorization: Bearer %s\n", text_of(t, &a, "key"));
}

struct allowing {
    const char *party;
    int64_t account;
    unsigned scopes;
    char sub[OIDC_SUBJECT];
};

static enum rc allow_job(struct work *w, void *arg)
{
    struct allowing *x = arg;
    struct grant_client c;
    struct account a;
    enum rc rc;

    assert_true(party_client_by_id(w->mem, x->party, &c));
    if ((rc = account_by_id(w, x->account, &a)))
        return rc;
    oidc_subject(&c, &a, x->sub);
    if (!x->scopes || (rc = consent_give(w, x->account, c.party, x->scopes)))
        return rc;
    return consent_know(w, x->account, c.party, x->sub);
}

/* The person allows it, unless that is nothing; its name for him. */
static const char *allowed(struct world *t, const char *party, const struct person *p,
                           unsigned scopes)
{
    struct allowing x = { .party = party, .account = p->account, .scopes = scopes };
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, allow_job, &x), RC_OK);
    return URL("%s", x.sub);
}

static struct answer as(struct world *t, const char *key, enum method m, const char *target,
                        const char *body)
{
    return ask(t, m, target, &(struct ask){ .headers = key, .body = body });
}

#define WORDS                                                                                       \
    "\"name\":\"visit\",\"group\":\"visit\",\"label\":\"预约提醒\",\"title\":\"预约提醒：" \
    "{thing}\",\"text\":\"您预约的{thing}，请于{when}前往。\",\"link\":\"https://"        \
    "bd.example.cn/visit/{no}\",\"places\":{\"thing\":{\"type\":\"text\",\"most\":20},"             \
    "\"when\":{\"type\":\"time\"},\"no\":{\"type\":\"code\",\"most\":8}}"

static struct answer drafted(struct world *t, const char *more)
{
    return as(t, live, POST, TEMPLATES, URL("{" WORDS "%s}", more));
}

static struct answer approved_by(struct world *t, const struct person *p, struct answer *draft)
{
    json_t *value = json_of(t, draft);
    int64_t no = json_integer_value(json_object_get(value, "template"));

    return person_ask(t, p, POST, URL(TEMPLATES "/%" PRId64 "/approve", no),
                      URL("{\"hash\":\"%s\"}", text_of(t, draft, "hash")));
}

static void ready(struct world *t, const char *more)
{
    struct answer a = drafted(t, more);

    assert_int_equal(a.status, 201);
    assert_int_equal(approved_by(t, &approver, &a).status, 200);
}

static const char *notice(struct world *t, const char *id, const char *to, const char *values)
{
    return URL("{\"id\":\"%s\",\"template\":\"visit\",\"to\":\"%s\",\"values\":%s}", id, to,
               values);
}

static struct answer sent(struct world *t, const char *id, const char *to)
{
    return as(t, live, POST, NOTICES, notice(t, id, to, VALUES));
}

static const char *inbox(struct world *t, const struct person *p)
{
    return person_ask(t, p, POST, "/v1/me/sync",
                      "{\"device\":\"" DEVICE_A "\",\"mutations\":[]}")
        .body;
}

static int set_up(void **state)
{
    struct campaign_conf settled = { .news_licence = "", .sender = "" };
    struct world *t;
    struct err e = { 0 };

    service_world_set_up(state);
    t = *state;
    witness_set(&witness_audit);
    operator_ = person_staff(t, "push_operator", EVERYWHERE);
    approver = person_staff(t, "push_approver", EVERYWHERE);
    li = person_sign_in(t, SESSION_CITIZEN, 1);
    wang = person_sign_in(t, SESSION_CITIZEN, 1);
    live = make_party(t, "heping", "live");
    phone(t, &li, "li");
    assert_int_equal(campaign_open(&e, &settled), RC_OK);
    rung = 0;
    says = PUSH_ACCEPTED;
    sender.room = 4;
    sender.answer = answer;
    sender.on = 1U << TRANSPORT_HUAWEI;
    sender.holds = false;
    start(t);
    return 0;
}

static int tear_down(void **state)
{
    push_thread_stop();
    witness_set(NULL);
    return service_world_tear_down(state);
}

/* ---- */

static struct answer look(struct world *t, struct answer *a)
{
    return as(t, live, GET, URL(NOTICES "/%s", text_of(t, a, "notice")), NULL);
}

static struct answer until(struct world *t, struct answer *a, const char *word)
{
    struct answer s;

    for (int ms = 0; s = look(t, a), !strstr(s.body, word); ms += 10) {
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
    return s;
}

static void an_approved_template_reaches_inbox_and_phone(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    struct answer a, s;

    ready(t, "");
    a = sent(t, "7", sub);
    assert_int_equal(a.status, 201);
    HAS(a, "\"state\":\"sent\"");
    until_rung(1);
    assert_string_equal(last_title, "预约提醒：不动产登记");
    assert_string_equal(last_text, "您预约的不动产登记，请于2026-11-24 "
                                   "09:30前往。—和平区政务网·退订：设置→推送");
    assert_string_equal(last_link, "https://bd.example.cn/visit/A7");
    assert_int_equal(*last_collapse, 'n');
    s = until(t, &a, "\"accepted\":1");
    HAS(s, "\"inbox\":\"there\"");
    HAS_NOT(s, "huawei"); /* neither which device nor whose */
    assert_non_null(strstr(inbox(t, &li), "预约提醒：不动产登记"));
    assert_non_null(strstr(inbox(t, &li), "\"sender\":\"和平区政务网\""));
    HAS(person_ask(t, &li, GET, "/account/inbox", NULL), "bd.example.cn/visit/A7");
}

/* The program did not hear the answer, and comes again, now or in a week. */
static void the_same_again_is_sent_once(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    struct answer a, b;

    ready(t, "");
    a = sent(t, "7", sub);
    b = sent(t, "7", sub);
    assert_int_equal(b.status, 200);
    assert_string_equal(text_of(t, &a, "notice"), text_of(t, &b, "notice"));
    until(t, &a, "\"accepted\":1");
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(rung, 1);
    b = as(t, live, POST, NOTICES,
           notice(t, "7", sub,
                  "{\"thing\":\"别的\",\"when\":\"2026-11-24 09:30\",\"no\":\"A7\"}"));
    assert_int_equal(b.status, 409);
}

/* A stop between the row that says it leaves and the vendor's answer, as a crash would find it. */
static void what_was_on_its_way_goes_again_under_the_same_name(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    struct answer a;
    char before[64];

    ready(t, "");
    says = PUSH_DOUBT; /* it may have come, and nobody heard so */
    a = sent(t, "7", sub);
    until_rung(1);
    snprintf(before, sizeof before, "%s", last_collapse);
    push_thread_stop();
    says = PUSH_ACCEPTED;
    clock_skip(600 * 1000);
    start(t);
    until(t, &a, "\"accepted\":1");
    assert_string_equal(last_collapse, before); /* so that the phone shows it once */
}

static void nobody_approves_his_own(void **state)
{
    struct world *t = *state;
    struct person both = person_staff(t, "push_approver", EVERYWHERE);
    struct answer a = drafted(t, "");

    assert_int_equal(person_ask(t, &operator_, POST, TEMPLATES "/1/approve",
                                URL("{\"hash\":\"%s\"}", text_of(t, &a, "hash")))
                         .status,
                     403);
    assert_int_equal(
        tell(t, POST, "/v1/roles",
             URL("{\"account\":%" PRId64 ",\"role\":\"push_operator\"}", both.account))
            .status,
        201);
    a = person_ask(t, &both, POST, TEMPLATES, "{\"party\":\"heping\"," WORDS "}");
    assert_int_equal(a.status, 201);
    assert_int_equal(approved_by(t, &both, &a).status, 403);
    assert_int_equal(
        tell(t, PATCH, "/v1/parties/heping", URL("{\"owner\":%" PRId64 "}", approver.account))
            .status,
        200);
    assert_int_equal(approved_by(t, &approver, &a).status, 403); /* the party is his */
    assert_int_equal(tell(t, POST, URL(TEMPLATES "/1/approve"),
                          URL("{\"hash\":\"%s\"}", text_of(t, &a, "hash")))
                         .status,
                     200);
}

static void an_approval_is_of_what_was_seen(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    struct answer first = drafted(t, ""), a = drafted(t, ",\"mandatory\":true");

    assert_int_equal(approved_by(t, &approver, &first).status, 409);
    assert_int_equal(sent(t, "7", sub).status, 409); /* not approved yet */
    assert_int_equal(approved_by(t, &approver, &a).status, 200);
    assert_int_equal(sent(t, "7", sub).status, 201);
    a = drafted(t, ""); /* until the new version is approved the old one is in force */
    assert_int_equal(sent(t, "8", sub).status, 201);
    assert_int_equal(
        person_ask(t, &approver, POST, TEMPLATES "/2/return", "{\"text\":\"请写明地点\"}")
            .status,
        200);
    assert_int_equal(as(t, live, POST, TEMPLATES "/1/retire", "{\"text\":\"业务已停\"}").status,
                     200);
    assert_int_equal(sent(t, "9", sub).status, 409);
    assert_int_equal(sent(t, "7", sub).status, 200);
    HAS(as(t, live, GET, TEMPLATES "?state=retired", NULL), "\"why\":\"业务已停\"");
    a = tell(t, GET, "/v1/audit?action=notice.approve", NULL);
    HAS(a, "notice-templates/1");
}

static void a_template_that_is_not_fit_is_refused(void **state)
{
    struct world *t = *state;
    static const char *const bad[] = {
        "\"title\":\"{thing}\"", /* not said what it is */
        "\"title\":\"{a\"",
        "\"title\":\"一\",\"link\":\"http://bd.example.cn/a\"",
        "\"title\":\"一\",\"link\":\"https://evil.example/a\"",
        "\"title\":\"一\",\"link\":\"https://bd.example.cn.evil.example/a\"",
        "\"title\":\"一\",\"link\":\"https://bd.example.cn@evil.example/a\"",
        "\"title\":\"一\",\"group\":\"A\"",
        "\"title\":\"一\",\"more\":1",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer a =
            as(t, live, POST, TEMPLATES,
               URL("{\"name\":\"visit\",%s\"label\":\"提醒\",%s}",
                   strstr(bad[i], "group") ? "" : "\"group\":\"visit\",", bad[i]));

        if (a.status != 400)
            fail_msg("%s: %d %s", bad[i], a.status, a.body);
    }
    HAS(as(t, live, GET, TEMPLATES, NULL), "\"templates\":[]");
}

static void values_are_held_against_the_template(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    static const struct {
        const char *values, *at;
    } bad[] = {
        { "{\"thing\":\"登记\",\"no\":\"A7\"}", "/values/when" },
        { "{\"thing\":\"登记\",\"when\":\"2026-11-24 09:30\",\"no\":\"A7/../b\"}",
          "/values/no" },
        { "{\"other\":\"a\",\"thing\":\"登记\",\"when\":\"2026-11-24 09:30\",\"no\":\"A7\"}",
          "/values" },
    };
    struct answer a;

    ready(t, "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        a = as(t, live, POST, NOTICES, notice(t, "7", sub, bad[i].values));
        if (a.status != 400 || !strstr(a.body, bad[i].at))
            fail_msg("%s: %d %s", bad[i].values, a.status, a.body);
    }
    a = as(t, live, POST, NOTICES,
           URL("{\"id\":\"7\",\"template\":\"none\",\"to\":\"%s\"}", sub));
    assert_int_equal(a.status, 400);
    HAS(a, "没有这个名称的通知模板");
    assert_null(strstr(inbox(t, &li), "预约提醒"));
}

static void only_who_allowed_it_is_reached(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &wang, SCOPE_openid), *other;

    ready(t, "");
    assert_int_equal(sent(t, "1", sub).status, 404); /* a sign-in is no leave to write */
    assert_int_equal(sent(t, "2", "nobody").status, 404);
    make_party(t, "nankai", "live");
    other = allowed(t, "nankai", &li, SCOPE_openid | SCOPE_notice);
    assert_int_equal(sent(t, "3", other).status, 404); /* another party's name for him */
    sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    assert_int_equal(sent(t, "4", sub).status, 201);
    assert_int_equal(person_ask(t, &li, DELETE, "/v1/me/consents/1", NULL).status, 204);
    assert_int_equal(sent(t, "5", sub).status, 404); /* he took it back */
}

static void another_sector_is_another_name(void **state)
{
    struct world *t = *state;
    const char *before = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice), *now;

    ready(t, "");
    assert_int_equal(
        tell(t, PATCH, "/v1/parties/heping", "{\"sector\":\"bd.example.cn\"}").status, 200);
    assert_int_equal(sent(t, "1", before).status, 404);
    now = allowed(t, "heping", &li, 0);
    assert_int_equal(sent(t, "2", now).status, 201);
}

static void refuses(struct world *t, const char *key)
{
    bring(t, &li, DEVICE_A, 1, URL("\"type\":\"consent\",\"key\":\"%s\",\"value\":false", key));
}

static void he_refuses_a_group_but_not_what_is_mandatory(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    struct answer a;

    ready(t, "");
    refuses(t, "notice/1/visit");
    a = sent(t, "1", sub);
    assert_int_equal(a.status, 201);
    HAS(a, "\"state\":\"declined\"");
    HAS(look(t, &a), "\"push\":{}");
    assert_null(strstr(inbox(t, &li), "预约提醒"));
    ready(t, ",\"mandatory\":true");
    a = sent(t, "2", sub);
    HAS(a, "\"state\":\"sent\"");
    until_rung(1);
    assert_null(strstr(last_text, "退订"));
}

/* He wants no push of the class at all: his phone is silent, and the inbox has it. */
static void who_wants_no_push_has_it_in_the_inbox(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    struct answer a;

    ready(t, "");
    refuses(t, "push/class/service");
    a = sent(t, "1", sub);
    HAS(look(t, &a), "\"push\":{}");
    assert_non_null(strstr(inbox(t, &li), "预约提醒"));
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(rung, 0);
}

static enum rc withdraw_job(struct work *w, void *group)
{
    int n;

    return inbox_withdraw(w, group, 10, &n);
}

/* Withdrawn while it waited: no phone rings for what is not there. */
static void what_was_withdrawn_does_not_ring(void **state)
{
    struct world *t = *state;
    struct work w;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice);
    struct answer a;

    ready(t, "");
    push_thread_stop();
    a = sent(t, "1", sub);
    HAS(look(t, &a), "\"waiting\":1");
    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, withdraw_job, URL("notice/1/1")), RC_OK);
    start(t);
    HAS(until(t, &a, "\"rejected\":1"), "\"inbox\":\"gone\"");
    assert_int_equal(rung, 0);
}

static void a_test_key_sends_nobody_anything(void **state)
{
    struct world *t = *state;
    const char *key = make_party(t, "trial", "test"), *sub;
    struct answer a;

    sub = allowed(t, "trial", &li, SCOPE_openid | SCOPE_notice);
    assert_int_equal(as(t, key, POST, TEMPLATES, "{" WORDS "}").status, 201); /* tried */
    a = as(t, key, GET, TEMPLATES, NULL);
    HAS(a, "\"templates\":[]");
    a = person_ask(t, &operator_, POST, TEMPLATES, "{\"party\":\"trial\"," WORDS "}");
    assert_int_equal(approved_by(t, &approver, &a).status, 200);
    a = as(t, key, POST, NOTICES, notice(t, "1", sub, VALUES));
    assert_int_equal(a.status, 201);
    assert_string_equal(HEADER(a, "sandbox"), "true");
    HAS(as(t, key, GET, "/v1/sandbox", NULL), "预约提醒：不动产登记");
    assert_null(strstr(inbox(t, &li), "预约提醒"));
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(rung, 0);
    assert_int_equal(as(t, key, GET, TEMPLATES "/1", NULL).status, 200);
    assert_int_equal(as(t, live, GET, TEMPLATES "/1", NULL).status, 403); /* another's */
}

static void a_team_key_reaches_its_own_people(void **state)
{
    struct world *t = *state;
    const char *key = make_party(t, "team", "team");
    const char *mine = allowed(t, "team", &li, SCOPE_openid | SCOPE_notice),
               *other = allowed(t, "team", &wang, SCOPE_openid | SCOPE_notice);
    struct answer a = as(t, key, POST, TEMPLATES, "{" WORDS "}");

    assert_int_equal(
        tell(t, PATCH, "/v1/parties/team", URL("{\"team\":\"%" PRId64 "\"}", li.account))
            .status,
        200);
    assert_int_equal(approved_by(t, &approver, &a).status, 200);
    assert_int_equal(as(t, key, POST, NOTICES, notice(t, "1", other, VALUES)).status, 403);
    assert_int_equal(as(t, key, POST, NOTICES, notice(t, "2", mine, VALUES)).status, 201);
    until_rung(1);
}

static void nobody_sees_anothers(void **state)
{
    struct world *t = *state;
    const char *sub = allowed(t, "heping", &li, SCOPE_openid | SCOPE_notice),
               *other = make_party(t, "nankai", "live");
    struct answer a;

    ready(t, "");
    a = sent(t, "1", sub);
    assert_int_equal(
        as(t, other, GET, URL(NOTICES "/%s", text_of(t, &a, "notice")), NULL).status, 404);
    assert_int_equal(
        person_ask(t, &operator_, GET, URL(NOTICES "/%s", text_of(t, &a, "notice")), NULL)
            .status,
        200);
    assert_int_equal(as(t, other, POST, TEMPLATES, "{\"party\":\"heping\"," WORDS "}").status,
                     403);
    assert_int_equal(as(t, other, GET, TEMPLATES "?party=heping", NULL).status, 403);
    assert_int_equal(person_ask(t, &li, POST, NOTICES, "{}").status, 403);
    assert_int_equal(tell(t, POST, NOTICES, notice(t, "2", sub, VALUES)).status,
                     400); /* whose? */
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_approved_template_reaches_inbox_and_phone),
        TEST(the_same_again_is_sent_once),
        TEST(what_was_on_its_way_goes_again_under_the_same_name),
        TEST(nobody_approves_his_own),
        TEST(an_approval_is_of_what_was_seen),
        TEST(a_template_that_is_not_fit_is_refused),
        TEST(values_are_held_against_the_template),
        TEST(only_who_allowed_it_is_reached),
        TEST(another_sector_is_another_name),
        TEST(he_refuses_a_group_but_not_what_is_mandatory),
        TEST(who_wants_no_push_has_it_in_the_inbox),
        TEST(what_was_withdrawn_does_not_ring),
        TEST(a_test_key_sends_nobody_anything),
        TEST(a_team_key_reaches_its_own_people),
        TEST(nobody_sees_anothers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
