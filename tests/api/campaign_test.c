/* Campaigns over HTTP: from draft to scheduled by two people, and what each is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "push/campaign_step.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

#define CAMPAIGNS "/v1/push/campaigns"
#define TO_ALL    "{\"all\":true}"

struct desk {
    struct person operator_, approver, second, li;
    const char *item;
};

static void phone(struct world *t, const struct person *p, int no)
{
    struct work w;

    assert_int_equal(
        person_ask(t, p, PUT, "/v1/me/push/AAAAAAAAAAAAAAAAAAAAAA",
                   URL("{\"token\":\"0123456789abcdef-%d\",\"transport\":\"huawei\"}", no))
            .status,
        204);
    work_init(&w, world_mem(t), NULL, "test", 0);
    assert_int_equal(writer_call(&w, person_phones_settle, NULL), RC_OK);
}

/* Its phone gets test sends, too. */
static struct desk begin(struct world *t)
{
    struct desk d = { .operator_ = person_staff(t, "push_operator", EVERYWHERE),
                      .approver = person_staff(t, "push_approver", EVERYWHERE),
                      .second = person_staff(t, "push_approver", EVERYWHERE),
                      .li = person_sign_in(t, SESSION_CITIZEN, 1),
                      .item = service_publish(t, "明天停水", "八点到十点。", "") };
    struct conf_list testers = { .n = 1, .v = { URL("%" PRId64, d.li.account) } };
    struct campaign_conf conf = { .news_licence = "12120250001",
                                  .sender = "天津市人民政府",
                                  .two_eyes_from = 100000,
                                  .testers = &testers };
    struct err e;

    assert_int_equal(campaign_open(&e, &conf), RC_OK);
    phone(t, &d.li, 1);
    return d;
}

static const char *draft(struct world *t, const struct desk *d, const char *audience,
                         const char *more)
{
    return URL(
        "{\"item\":\"%s\",\"class\":\"marketing\",\"title\":\"停水\",\"text\":\"明天停水。\","
        "\"audience\":%s%s}",
        d->item, audience, more);
}

static struct answer does(struct world *t, const struct person *p, const char *step,
                          const char *body)
{
    return person_ask(t, p, POST, URL(CAMPAIGNS "/1/%s", step), body ? body : "{}");
}

static const char *look(struct world *t, const struct person *p)
{
    struct answer a = person_ask(t, p, GET, CAMPAIGNS "/1", NULL);

    assert_int_equal(a.status, 200);
    return URL("{\"hash\":\"%s\"}", text_of(t, &a, "hash"));
}

static void a_campaign_is_drafted_tested_approved_by_two_and_scheduled(void **state)
{
    struct world *t = *state;
    struct desk d = begin(t);
    struct answer a = person_ask(t, &d.operator_, POST, CAMPAIGNS, draft(t, &d, TO_ALL, ""));

    assert_int_equal(a.status, 201);
    assert_string_equal(HEADER(a, "location"), CAMPAIGNS "/1");
    HAS(a, "\"approvalsNeeded\":2");
    HAS(a, "—天津市人民政府·退订：设置→推送");
    assert_int_equal(does(t, &d.operator_, "submit", NULL).status, 409); /* no test */
    assert_int_equal(does(t, &d.approver, "test", NULL).status, 403);
    a = does(t, &d.operator_, "test", NULL);
    assert_int_equal(a.status, 200);
    HAS(a, "\"tested\":true");
    a = person_ask(t, &d.li, POST, "/v1/me/sync",
                   "{\"device\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"mutations\":[]}");
    HAS(a, "【试发】停水");
    assert_int_equal(does(t, &d.operator_, "submit", NULL).status, 200);
    a = does(t, &d.approver, "approve", "{}");
    assert_int_equal(a.status, 400);
    HAS(a, "hash");
    a = does(t, &d.approver, "approve", look(t, &d.approver));
    assert_int_equal(a.status, 200);
    HAS(a, "\"state\":\"submitted\"");
    HAS(a, "\"plan\":{\"approvalsNeeded\":2,\"audience\":1");
    for (int by = 1; by < TRANSPORT_COUNT; by++)
        HAS(a, URL("\"transport\":\"%s\",\"verified\":%s", transport_type(by)->word,
                   transport_type(by)->tried ? "true" : "false"));
    HAS(does(t, &d.second, "approve", look(t, &d.second)), "\"state\":\"approved\"");
    HAS(does(t, &d.operator_, "schedule", NULL), "\"state\":\"scheduled\"");
    a = person_ask(t, &d.approver, GET, CAMPAIGNS "/1/steps", NULL);
    HAS(a, "\"step\":\"pass\",\"stepText\":\"审批完成\"");
    HAS(person_ask(t, &d.approver, GET, CAMPAIGNS "/1/report", NULL), "\"audience\":0");
}

static void an_edit_after_the_look_is_a_conflict(void **state)
{
    struct world *t = *state;
    struct desk d = begin(t);
    const char *seen;

    person_ask(t, &d.operator_, POST, CAMPAIGNS, draft(t, &d, TO_ALL, ""));
    does(t, &d.operator_, "test", NULL);
    does(t, &d.operator_, "submit", NULL);
    seen = look(t, &d.approver);
    assert_int_equal(
        person_ask(t, &d.operator_, PATCH, CAMPAIGNS "/1", "{\"text\":\"后天停水。\"}").status,
        200);
    does(t, &d.operator_, "test", NULL);
    does(t, &d.operator_, "submit", NULL);
    assert_int_equal(does(t, &d.approver, "approve", seen).status, 409);
    assert_int_equal(does(t, &d.approver, "return", "{}").status, 400);
    HAS(does(t, &d.approver, "return", "{\"text\":\"几点？\"}"), "\"state\":\"returned\"");
    HAS(person_ask(t, &d.operator_, GET, CAMPAIGNS "?state=returned", NULL), "\"campaign\":1");
    HAS(person_ask(t, &d.operator_, POST, CAMPAIGNS "/1/copy", NULL), "\"copyOf\":1");
    HAS(does(t, &d.operator_, "cancel", NULL), "\"state\":\"cancelled\"");
    assert_int_equal(does(t, &d.operator_, "schedule", NULL).status, 409);
}

static void the_same_request_makes_one_campaign(void **state)
{
    struct world *t = *state;
    struct desk d = begin(t);
    const char *headers = URL("%sidempotency-key: 7a3e-1\n", d.operator_.header),
               *body = draft(t, &d, TO_ALL, "");

    for (int i = 0; i < 2; i++)
        assert_int_equal(
            ask(t, POST, CAMPAIGNS, &(struct ask){ .headers = headers, .body = body }).status,
            201);
    HAS_NOT(person_ask(t, &d.operator_, GET, CAMPAIGNS, NULL), "\"campaign\":2");
}

static void what_is_wrong_is_said_clearly(void **state)
{
    static const struct {
        const char *body, *says;
        int status;
    } bad[] = {
        { "{\"title\":\"停水\",\"text\":\"…\"}", "消息", 400 },
        { "{\"item\":\"7\",\"class\":\"service\",\"audience\":{\"all\":true}}", "UUID", 400 },
        { "%emergency", "预警", 400 },
        { "%past", "过去", 400 },
        { "%far", "30 天", 400 },
        { "%link", "https", 400 },
        { "%picture", "题图", 400 },
        { "%extra", "secret", 400 },
    };
    static const char *const more[] = {
        "",
        "",
        ",\"class\":\"emergency\"",
        ",\"start\":\"2020-01-01\"",
        ",\"start\":\"2030-01-01\"",
        ",\"link\":\"http://a.cn/\"",
        ",\"picture\":\"0000000000000000000000000000000000000000000000000000000000000000\"",
        ",\"secret\":1",
    };
    struct world *t = *state;
    struct desk d = begin(t);

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *body = *bad[i].body == '%' ? draft(t, &d, TO_ALL, more[i]) : bad[i].body;
        struct answer a;

        if (i == 2)
            body =
                URL("{\"item\":\"%s\",\"class\":\"emergency\",\"title\":\"a\",\"text\":\"b\","
                    "\"audience\":{\"all\":true}}",
                    d.item);
        a = person_ask(t, &d.operator_, POST, CAMPAIGNS, body);
        assert_int_equal(a.status, bad[i].status);
        if (!strstr(a.body, bad[i].says))
            print_message("%s\n", a.body);
        HAS(a, bad[i].says);
    }
}

static void who_has_no_part_in_it_sees_nothing(void **state)
{
    struct world *t = *state;
    struct desk d = begin(t);
    struct person editor = person_staff(t, "editor", EVERYWHERE),
                  elsewhere = person_staff(t, "push_operator", 2);

    person_ask(t, &d.operator_, POST, CAMPAIGNS, draft(t, &d, TO_ALL, ""));
    assert_int_equal(person_ask(t, &editor, GET, CAMPAIGNS "/1", NULL).status, 403);
    assert_int_equal(person_ask(t, &d.li, GET, CAMPAIGNS, NULL).status, 403);
    assert_int_equal(person_ask(t, &elsewhere, GET, CAMPAIGNS "/1/plan", NULL).status, 403);
    HAS_NOT(person_ask(t, &elsewhere, GET, CAMPAIGNS, NULL), "\"campaign\":1");
    assert_int_equal(
        person_ask(t, &elsewhere, POST, CAMPAIGNS, draft(t, &d, TO_ALL, "")).status, 403);
    assert_int_equal(person_ask(t, &d.operator_, GET, CAMPAIGNS "/2", NULL).status, 404);
}

/* Small audiences are no way to look people up. */
static void a_sample_shows_five_of_many_masked_and_nobody_of_few(void **state)
{
    struct world *t = *state;
    struct desk d = begin(t);
    struct answer a;
    int n = 0;

    person_ask(t, &d.operator_, POST, CAMPAIGNS, draft(t, &d, TO_ALL, ""));
    HAS(person_ask(t, &d.operator_, GET, CAMPAIGNS "/1/sample", NULL), "\"people\":[]");
    for (int i = 2; i <= 20; i++) {
        struct person p = person_sign_in(t, SESSION_CITIZEN, 1);

        phone(t, &p, i);
    }
    a = person_ask(t, &d.operator_, GET, CAMPAIGNS "/1/sample", NULL);
    assert_int_equal(a.status, 200);
    for (const char *s = a.body; (s = strstr(s, "\"transport\"")); s++)
        n++;
    assert_int_equal(n, 5);
    HAS(person_ask(t, &d.operator_, GET, CAMPAIGNS "/1/plan", NULL), "\"audience\":20");
}

/* Whom a message to many is for stands in it: phones show it to those, and a campaign reaches no others. */
static void a_message_says_whom_its_campaign_reaches(void **state)
{
    static const char *const steps[] = { "submit", "approve", "publish" };
    struct world *t = *state;
    struct desk d = begin(t);
    struct answer a =
        tell(t, POST, "/v1/items",
             "{\"site\":\"1200000000\",\"column\":2,\"kind\":\"message\",\"title\":"
             "\"停水\",\"body\":\"停水。\",\"recipients\":{\"area\":\"120101\"}}");

    d.item = arena_strdup(world_mem(t), text_of(t, &a, "id"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(tell(t, POST, URL("/v1/items/%s/%s", d.item, steps[i]), NULL).status,
                         200);
    a = person_ask(t, &d.operator_, POST, CAMPAIGNS, draft(t, &d, TO_ALL, ""));
    assert_int_equal(a.status, 400);
    HAS(a, "#/audience");
    a = person_ask(t, &d.operator_, POST, CAMPAIGNS,
                   URL("{\"item\":\"%s\",\"class\":\"marketing\",\"title\":\"停水\",\"text\":"
                       "\"明天停水。\"}",
                       d.item));
    assert_int_equal(a.status, 201);
    HAS(a, "\"audience\":{\"area\":\"120101\"}");
    assert_int_equal(
        person_ask(t, &d.operator_, PATCH, CAMPAIGNS "/1", "{\"audience\":{\"all\":true}}")
            .status,
        400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_campaign_is_drafted_tested_approved_by_two_and_scheduled),
        TEST(an_edit_after_the_look_is_a_conflict),
        TEST(the_same_request_makes_one_campaign),
        TEST(what_is_wrong_is_said_clearly),
        TEST(who_has_no_part_in_it_sees_nothing),
        TEST(a_sample_shows_five_of_many_masked_and_nobody_of_few),
        TEST(a_message_says_whom_its_campaign_reaches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
