/*
 * push_live_test.c - who watches a campaign go (…/live) does so for as long as he may, and not a moment longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "api/events.h"
#include "push/campaign.h"
#include "server/base/conf.h"
#include "server/identity/staff_device.h"
#include "tests/lib/people.h"

static struct conf conf;

static int set_up(void **state)
{
    const struct campaign_conf settled = { .news_licence = "12120250001" };
    struct err e;

    service_world_set_up(state);
    assert_int_equal(campaign_open(&e, &settled), RC_OK);
    assert_int_equal(conf_load(&e, NULL, NULL, &conf), RC_OK);
    events_open(&conf);
    return 0;
}

static int tear_down(void **state)
{
    int rc = service_world_tear_down(state);

    events_close();
    conf_done(&conf);
    return rc;
}

static void draft(struct world *t)
{
    const char *item = service_publish(t, "明天停水", "八点到十点。", "");
    struct answer a = tell(t, POST, "/v1/push/campaigns",
                           URL("{\"item\":\"%s\",\"class\":\"marketing\",\"title\":\"停水\","
                               "\"text\":\"明天停水。\",\"audience\":{\"tag\":\"养老\"}}",
                               item));

    assert_int_equal(a.status, 201);
}

static struct asking *watch(struct world *t, const char *header)
{
    struct asking *a =
        ask_begin(t, GET, "/v1/push/campaigns/1/live", &(struct ask){ .headers = header });

    while (!ask_so_far(t, a).status)
        world_turn(t);
    assert_int_equal(ask_so_far(t, a).status, 200);
    return a;
}

/* Rounds of the loop after which whatever was told to it has come. */
static bool goes_on(struct world *t, struct asking *a)
{
    for (int i = 0; i < 5; i++)
        world_turn(t);
    return !ask_is_over(a);
}

static void take_role(struct world *t, const struct person *p, const char *role)
{
    assert_int_equal(
        tell(t, DELETE, URL("/v1/roles/%" PRId64 "?role=%s", p->account, role), NULL).status,
        204);
}

static void it_ends_with_the_role(void **state)
{
    struct world *t = *state;
    struct person leaves = person_staff(t, "push_approver", EVERYWHERE),
                  stays = person_staff(t, "push_operator", EVERYWHERE);
    struct asking *a[2];

    draft(t);
    a[0] = watch(t, leaves.header);
    a[1] = watch(t, stays.header);
    take_role(t, &leaves, "push_approver");
    ask_end(t, a[0]);
    assert_int_equal(person_ask(t, &leaves, GET, "/v1/push/campaigns/1/live", NULL).status,
                     403);
    assert_true(goes_on(t, a[1]));
    ask_hang_up(t, a[1]);
}

/* Who has one of the two rights may watch. */
static void it_goes_on_with_another_role(void **state)
{
    struct world *t = *state;
    struct person p = person_staff(t, "push_approver", EVERYWHERE);
    struct asking *a;

    draft(t);
    assert_int_equal(
        tell(t, POST, "/v1/roles",
             URL("{\"account\":%" PRId64 ",\"role\":\"push_operator\"}", p.account))
            .status,
        201);
    a = watch(t, p.header);
    take_role(t, &p, "push_approver");
    assert_true(goes_on(t, a));
    take_role(t, &p, "push_operator");
    ask_end(t, a);
}

static void it_ends_with_the_right_of_a_program(void **state)
{
    struct world *t = *state;
    const char *key = service_program(t, "cms", "push");
    struct asking *a;

    draft(t);
    a = watch(t, key);
    assert_int_equal(tell(t, PATCH, "/v1/parties/cms", "{\"rights\":\"edit\"}").status, 200);
    ask_end(t, a);
}

/* Staff are bound to listed devices from one moment to the next. */
static void it_ends_at_a_device_that_does_not_count(void **state)
{
    struct world *t = *state;
    struct person here = person_staff_at(t, "push_operator", EVERYWHERE, 0xa1),
                  elsewhere = person_staff_at(t, "push_operator", EVERYWHERE, 0xb2);
    struct asking *a[2];

    draft(t);
    a[0] = watch(t, here.header);
    a[1] = watch(t, elsewhere.header);
    assert_int_equal(tell(t, POST, "/v1/devices",
                          URL("{\"device\":\"" STAFF_DEVICE_NAME "\",\"name\":\"值班电脑\"}",
                              (uint64_t)0xa1))
                         .status,
                     201);
    ask_end(t, a[1]);
    assert_true(goes_on(t, a[0]));
    ask_hang_up(t, a[0]);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(it_ends_with_the_role),
        LIVE_TEST(it_goes_on_with_another_role),
        LIVE_TEST(it_ends_with_the_right_of_a_program),
        LIVE_TEST(it_ends_at_a_device_that_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
