/*
 * campaign_vote_test.c - who may approve a campaign, how many must, and whose approval counts by the time it does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "push/address.h"
#include "push/campaign_audience.h"
#include "push/campaign_vote.h"
#include "server/base/clock.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"
#include "server/identity/acting.h"
#include "server/identity/party.h"
#include "tests/lib/campaign_world.h"

static void nobody_approves_what_he_made_edited_or_submitted(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign c;

    desk_phone(t, 1);
    desk_be(t, "account:1", RIGHT_PUSH | RIGHT_PUSH_APPROVE);
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_OK);
    desk_be(t, "account:2", RIGHT_PUSH | RIGHT_PUSH_APPROVE);
    assert_int_equal(desk_edit(t, &c, "{\"title\":\"断水\"}"), RC_OK);
    desk_test_send(t, &c);
    desk_be(t, "account:4", RIGHT_PUSH | RIGHT_PUSH_APPROVE);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_FORBIDDEN);
    desk_be(t, "account:2", RIGHT_PUSH_APPROVE);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_FORBIDDEN);
    desk_be(t, "account:1", RIGHT_PUSH_APPROVE);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_FORBIDDEN);
    ANOTHER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_APPROVED);
}

static void many_and_all_need_four_eyes(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign_vote *votes;
    struct campaign c;
    int n, counting;

    desk_phone(t, 1);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_ALL, &c), RC_OK);
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    APPROVER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_SUBMITTED);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_CONFLICT); /* once each */
    assert_int_equal(campaign_votes(&t->w, &c, &votes, &n, &counting), RC_OK);
    assert_int_equal(n, 1);
    ANOTHER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_APPROVED);
}

/* ---- "all", called something else ---- */

/* Somebody whose district is `area`. */
static void neighbour(struct library_world *t, int no, const char *area)
{
    struct account a;
    int n = 1;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &(struct account_new){ ACCOUNT_CITIZEN, 1, NULL }, &a),
                     RC_OK);
    assert_int_equal(
        entry_put(&t->w, a.id, "set", "area", arena_printf(t->mem, "\"%s\"", area), NULL, NULL),
        RC_OK);
    assert_int_equal(address_tell(&t->w, a.id, arena_printf(t->mem, "neighbour%010d", no),
                                  TRANSPORT_HUAWEI, arena_printf(t->mem, "nearby-%020d", no)),
                     RC_OK);
    while (n)
        assert_int_equal(address_settle(&t->w, 100, &n), RC_OK);
    world_commit(t);
}

/* 18 in one district, 2 in another, 1 in a third; 5 say nowhere where they live. */
static void town(struct library_world *t)
{
    for (int i = 0; i < 18; i++)
        neighbour(t, i, "120101001");
    neighbour(t, 18, "120102");
    neighbour(t, 19, "120102");
    neighbour(t, 20, "120103");
    for (int i = 0; i < 5; i++)
        desk_phone(t, i);
}

static void settle_two_eyes_from(struct library_world *t, int64_t n)
{
    struct campaign_conf conf = { .two_eyes_from = n };

    assert_int_equal(campaign_open(&t->w.err, &conf), RC_OK);
}

static bool is_for_all(struct library_world *t, const char *audience)
{
    struct campaign c = { .audience = audience };
    bool yes;

    assert_int_equal(campaign_is_for_all(&t->w, &c, &yes), RC_OK);
    return yes;
}

#define TWO_AREAS "{\"or\":[{\"area\":\"120101\"},{\"area\":\"120102\"}]}"
#define FEW_AREAS "{\"or\":[{\"area\":\"120102\"},{\"area\":\"120103\"}]}"
#define NEARLY_ALL \
    "{\"or\":[{\"area\":\"120101\"},{\"area\":\"120102\"},{\"area\":\"110101\"}]}"
#define WITH_A_TAG "{\"and\":[" TWO_AREAS ",{\"tag\":\"养老\"}]}"
#define WITH_ANY \
    "{\"and\":[" TWO_AREAS ",{\"or\":[{\"tag\":\"x\"},{\"not\":{\"tag\":\"x\"}}]}]}"
#define IN_DISTRICT "{\"and\":[{\"area\":\"120101\"},{\"not\":{\"tag\":\"x\"}}]}"

static void all_is_judged_by_whom_it_reaches_and_not_by_its_word(void **state)
{
    static const char *const all[] = { "{\"all\":true}",
                                       "{\"area\":\"120000\"}",
                                       "{\"area\":\"120000000\"}",
                                       "{\"transport\":\"huawei\"}",
                                       "{\"not\":{\"tag\":\"养老\"}}",
                                       "{\"or\":[{\"tag\":\"养老\"},{\"area\":\"120000\"}]}",
                                       TWO_AREAS,
                                       NEARLY_ALL,
                                       WITH_ANY };
    static const char *const some[] = { "{\"tag\":\"养老\"}",
                                        "{\"accounts\":[1,2]}",
                                        "{\"area\":\"120101\"}",
                                        FEW_AREAS,
                                        WITH_A_TAG,
                                        IN_DISTRICT };
    struct library_world *t = *state;

    town(t);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!is_for_all(t, all[i]))
            fail_msg("not for all: %s", all[i]);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (is_for_all(t, some[i]))
            fail_msg("for all: %s", some[i]);
}

/* As many terms as there may be, each in another province: they are asked for no more than that. */
static void areas_of_all_provinces_are_counted_too(void **state)
{
    struct library_world *t = *state;
    struct buf b = BUF_IN(t->mem);

    buf_adds(&b, "{\"or\":[{\"area\":\"120101\"}");
    for (int i = 1; i < AUDIENCE_TERMS; i++)
        buf_printf(&b, ",{\"area\":\"%d0101\"}", 20 + i);
    buf_adds(&b, "]}");
    town(t);
    assert_false(is_for_all(t, b.p));
    for (int i = 50; i < 70; i++)
        neighbour(t, i, "210101");
    assert_true(is_for_all(t, b.p));
}

static void a_share_of_few_devices_says_nothing(void **state)
{
    struct library_world *t = *state;

    for (int i = 0; i < 19; i++)
        neighbour(t, i, "120101");
    assert_false(is_for_all(t, TWO_AREAS));
    neighbour(t, 19, "120101");
    assert_true(is_for_all(t, TWO_AREAS));
}

static void all_in_other_words_needs_four_eyes_and_is_no_service(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign c;

    settle_two_eyes_from(t, 1000);
    town(t);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, ",\"audience\":{\"area\":\"120000\"}", &c), RC_OK);
    assert_int_equal(desk_edit(t, &c, "{\"class\":\"service\"}"), RC_INVALID);
    assert_non_null(strstr(t->w.err.text, "资讯营销"));
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    APPROVER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_SUBMITTED);
    ANOTHER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_APPROVED);
}

/* Of either class. */
static void service_to_many_needs_four_eyes(void **state)
{
    struct library_world *t = *state;
    struct campaign c = { .class = PUSH_SERVICE, .audience = "{\"tag\":\"养老\"}" };
    int need;

    c.site = 1;
    c.col = t->notices;
    desk_phone(t, 1);
    desk_phone(t, 2);
    assert_int_equal(campaign_eyes(&t->w, &c, &need), RC_OK);
    assert_int_equal(need, 1);
    desk_phone(t, 3);
    assert_int_equal(campaign_eyes(&t->w, &c, &need), RC_OK);
    assert_int_equal(need, 2);
}

/* What was for few when it was approved is for many by now. */
static void an_audience_that_grew_is_approved_anew(void **state)
{
    struct library_world *t = *state;
    struct campaign c;

    desk_phone(t, 1);
    c = desk_approved(t, TO_TAG);
    desk_phone(t, 2);
    desk_phone(t, 3);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SCHEDULE, NULL), RC_CONFLICT);
}

/* ---- programs ---- */

static struct party a_program(struct library_world *t, const char *id, int64_t owner)
{
    struct party p = { .id = id,
                       .name = "采编",
                       .kind = PARTY_LIVE,
                       .open = true,
                       .client = { .ceiling = 1, .sector = id } };

    p.owner = owner;
    t->w.who = actor_operator;
    world_begin(t);
    assert_int_equal(party_create(&t->w, &p), RC_OK);
    world_commit(t);
    return p;
}

static void be_program(struct library_world *t, const struct party *p, unsigned rights)
{
    desk_be(t, arena_printf(t->mem, "party:%s", p->id), rights);
    t->w.who.party = p->no;
    t->w.who.key = 1;
}

static void hand_over(struct library_world *t, struct party *p, int64_t owner)
{
    p->owner = owner;
    t->w.who = actor_operator;
    world_begin(t);
    assert_int_equal(party_edit(&t->w, p), RC_OK);
    world_commit(t);
}

/* As account `no`, who signed in. */
static enum rc approves(struct library_world *t, struct campaign *c, int64_t no)
{
    desk_be(t, arena_printf(t->mem, "account:%lld", (long long)no), RIGHT_PUSH_APPROVE);
    t->w.who.account = no;
    return desk_does(t, c, CAMPAIGN_DO_APPROVE, NULL);
}

static struct campaign submitted(struct library_world *t, const char *more)
{
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign c;

    OPERATOR;
    assert_int_equal(desk_create(t, &it, more, &c), RC_OK);
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    return c;
}

static void a_program_approves_nothing(void **state)
{
    struct library_world *t = *state;
    struct party p = a_program(t, "cms", 0);
    struct campaign c;

    desk_phone(t, 1);
    EDITORS;
    c = submitted(t, TO_TAG);
    be_program(t, &p, RIGHT_PUSH_APPROVE);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_FORBIDDEN);
}

/* Who owned the program when it wrote, who owns it now, and who acts for an organisation that does. */
static void what_a_program_wrote_its_owners_do_not_approve(void **state)
{
    struct library_world *t = *state;
    struct party p = a_program(t, "cms", 2);
    struct account office;
    struct campaign c;
    struct item it;

    desk_phone(t, 1);
    EDITORS;
    it = world_publish(t, "停水通知", t->notices);
    be_program(t, &p, RIGHT_PUSH);
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_OK);
    desk_test_send(t, &c);
    OPERATOR;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    assert_int_equal(approves(t, &c, 2), RC_FORBIDDEN);
    hand_over(t, &p, 3);
    assert_int_equal(approves(t, &c, 2), RC_FORBIDDEN);
    assert_int_equal(approves(t, &c, 3), RC_FORBIDDEN);
    t->w.who = actor_operator;
    world_begin(t);
    assert_int_equal(
        account_make(&t->w, &(struct account_new){ ACCOUNT_ORGANISATION, 1, "报社" }, &office),
        RC_OK);
    assert_int_equal(acting_give(&t->w, 4, office.id, WORLD_NOW + 86400), RC_OK);
    world_commit(t);
    hand_over(t, &p, office.id);
    assert_int_equal(approves(t, &c, 4), RC_FORBIDDEN);
    assert_int_equal(approves(t, &c, 3), RC_OK); /* it is his no more, and was not then */
}

static void what_a_program_submits_its_owner_does_not_approve(void **state)
{
    struct library_world *t = *state;
    struct party p = a_program(t, "cms", 2);
    struct campaign c;
    struct item it;

    desk_phone(t, 1);
    EDITORS;
    it = world_publish(t, "停水通知", t->notices);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_OK);
    desk_test_send(t, &c);
    be_program(t, &p, RIGHT_PUSH);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    assert_int_equal(approves(t, &c, 2), RC_FORBIDDEN);
    assert_int_equal(approves(t, &c, 3), RC_OK);
}

/* ---- who may not any more ---- */

static void set_state(struct library_world *t, int64_t account, enum account_state state)
{
    world_begin(t);
    assert_int_equal(account_set_state(&t->w, account, state), RC_OK);
    world_commit(t);
}

static void an_approval_of_who_lost_his_role_completes_nothing(void **state)
{
    struct library_world *t = *state;
    struct campaign c;

    desk_phone(t, 1);
    c = submitted(t, TO_ALL);
    assert_int_equal(approves(t, &c, 2), RC_OK);
    desk_role(t, 2, "push_approver", false);
    assert_int_equal(approves(t, &c, 3), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_SUBMITTED);
    assert_int_equal(approves(t, &c, 4), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_APPROVED);
}

static void what_was_approved_by_who_was_locked_is_not_scheduled(void **state)
{
    struct library_world *t = *state;
    struct campaign c;

    desk_phone(t, 1);
    c = desk_approved(t, TO_TAG);
    set_state(t, 2, ACCOUNT_LOCKED);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SCHEDULE, NULL), RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "锁定"));
    set_state(t, 2, ACCOUNT_OPEN);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SCHEDULE, NULL), RC_OK);
}

/* A week is no matter once it is scheduled; a role is. */
static void what_was_approved_by_who_lost_his_role_does_not_begin(void **state)
{
    struct library_world *t = *state;
    struct campaign c, again;

    desk_phone(t, 1);
    c = desk_scheduled(t, TO_ALL);
    again = desk_scheduled(t, TO_TAG);
    clock_set(WORLD_NOW + CAMPAIGN_APPROVED_FOR);
    desk_role(t, 3, "push_approver", false);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DUE), RC_CONFLICT);
    assert_int_equal(desk_follows(t, &again, CAMPAIGN_DO_DUE), RC_OK); /* he was not asked */
    desk_role(t, 3, "push_approver", true);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DUE), RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_approves_what_he_made_edited_or_submitted),
        TEST(many_and_all_need_four_eyes),
        TEST(all_is_judged_by_whom_it_reaches_and_not_by_its_word),
        TEST(areas_of_all_provinces_are_counted_too),
        TEST(a_share_of_few_devices_says_nothing),
        TEST(all_in_other_words_needs_four_eyes_and_is_no_service),
        TEST(service_to_many_needs_four_eyes),
        TEST(an_audience_that_grew_is_approved_anew),
        TEST(a_program_approves_nothing),
        TEST(what_a_program_wrote_its_owners_do_not_approve),
        TEST(what_a_program_submits_its_owner_does_not_approve),
        TEST(an_approval_of_who_lost_his_role_completes_nothing),
        TEST(what_was_approved_by_who_was_locked_is_not_scheduled),
        TEST(what_was_approved_by_who_lost_his_role_does_not_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
