/* Messages over HTTP: sent by operators, read and removed on a page, withdrawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/people.h"

static struct answer note(struct world *t, int64_t account, const char *group,
                          const char *title)
{
    return tell(t, POST, "/v1/inbox",
                URL("{\"account\":%" PRId64
                    ",\"group\":\"%s\",\"title\":\"%s\",\"text\":\"<b>正文</b>\"}",
                    account, group, title));
}

static void a_message_comes_once_and_goes_when_it_is_withdrawn(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1),
                  han = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a = note(t, li.account, "outage-3", "今晚升级"), page;

    assert_int_equal(a.status, 201);
    assert_int_equal(note(t, li.account, "outage-3", "今晚升级").status, 201);
    page = person_ask(t, &li, GET, "/account/inbox", NULL);
    assert_int_equal(page.status, 200);
    HAS(page, "今晚升级");
    HAS(page, "【未读】");
    HAS(page, "&lt;b&gt;正文");
    assert_null(strstr(strstr(page.body, "今晚升级</strong>") + 1, "今晚升级</strong>"));
    HAS_NOT(person_ask(t, &han, GET, "/account/inbox", NULL), "今晚升级");
    a = tell(t, DELETE, "/v1/inbox/outage-3", NULL);
    HAS(a, "\"withdrawn\":1");
    HAS_NOT(person_ask(t, &li, GET, "/account/inbox", NULL), "今晚升级");
    HAS(tell(t, DELETE, "/v1/inbox/outage-3", NULL), "\"withdrawn\":0");
}

/* A message of the group campaign/7 in somebody's inbox would keep the campaign's out. */
static void groups_of_the_server_itself_are_nobody_elses(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a = note(t, li.account, "campaign/7", "今晚升级");

    assert_int_equal(a.status, 400);
    HAS(a, "#/group");
    HAS(a, "斜线");
    assert_int_equal(tell(t, DELETE, "/v1/inbox/campaign%2F7", NULL).status, 400);
}

static void only_operators_send(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);
    const char *body =
        URL("{\"account\":%" PRId64 ",\"group\":\"g\",\"title\":\"一\"}", li.account);

    assert_int_equal(person_ask(t, &li, POST, "/v1/inbox", body).status, 403);
    assert_int_equal(ask(t, POST, "/v1/inbox", &(struct ask){ .body = body }).status, 401);
    assert_int_equal(
        tell(t, POST, "/v1/inbox", "{\"account\":999999,\"group\":\"g\",\"title\":\"一\"}")
            .status,
        404);
    assert_int_equal(note(t, li.account, "g", "").status, 400);
}

static void drop(struct world *t, const struct person *p, int n, int64_t no)
{
    struct answer a = person_ask(
        t, p, POST, "/v1/me/sync",
        URL("{\"device\":\"q83vEjRWeJCrze8SNFZ4kA\",\"mutations\":[{\"key\":\"%" PRId64
            "\",\"n\":%d,\"type\":\"seen\",\"value\":true},{\"key\":\"%" PRId64
            "\",\"n\":%d,\"type\":\"message.drop\"}]}",
            no, n, no, n + 1));

    HAS(a, "\"result\":\"done\"");
    HAS_NOT(a, "refused");
}

/* What a phone drops is gone from the page as well, and the rest is a page further. */
static void what_a_phone_drops_hides_nothing_on_the_page(void **state)
{
    enum { SENT = 60, PAGE = 50 };
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a;
    int64_t no[SENT];
    const char *at;

    for (int i = 0; i < SENT; i++) {
        a = note(t, li.account, URL("g-%d", i), URL("消息第%d号", i));
        HAS(a, "\"number\":");
        no[i] = strtoll(strstr(a.body, "\"number\":") + strlen("\"number\":"), NULL, 10);
    }
    a = person_ask(t, &li, GET, "/account/inbox", NULL);
    HAS(a, "消息第59号");
    HAS_NOT(a, "消息第9号");
    at = strstr(a.body, "/account/inbox?before=");
    assert_non_null(at);
    a = person_ask(t, &li, GET, arena_strndup(world_mem(t), at, strcspn(at, "\"")), NULL);
    HAS(a, "消息第9号");
    HAS_NOT(a, "更早的消息");
    for (int i = SENT - PAGE; i < SENT; i++)
        drop(t, &li, 2 * (i - SENT + PAGE) + 1, no[i]);
    a = person_ask(t, &li, GET, "/account/inbox", NULL);
    HAS(a, "消息第9号");
    HAS_NOT(a, "消息第10号");
    HAS_NOT(person_ask(t, &li, POST, "/v1/me/sync", "{}"), "\"type\":\"seen\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_comes_once_and_goes_when_it_is_withdrawn),
        TEST(groups_of_the_server_itself_are_nobody_elses),
        TEST(only_operators_send),
        TEST(what_a_phone_drops_hides_nothing_on_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
