/*
 * campaign_test.c - a campaign from draft to scheduled and beyond, and everything that voids it on the way. Who approves it: campaign_vote_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "push/campaign_fit.h"
#include "server/base/clock.h"
#include "server/library/publish.h"
#include "tests/lib/campaign_world.h"

static int64_t published_again(struct library_world *t, const struct campaign *c,
                               const char *type)
{
    struct content content =
        world_content(t, "{\"kind\":\"article\",\"title\":\"停水通知\",\"body\":\"改了。\"}");
    struct item it;

    EDITORS;
    assert_int_equal(item_find(&t->w, &c->item, &it), RC_OK);
    world_begin(t);
    assert_int_equal(item_edit(&t->w, &c->item, it.rev, &content, type, NULL, &it), RC_OK);
    assert_int_equal(world_put_through(t, &c->item, it.rev, &it), RC_OK);
    world_commit(t);
    return it.rev;
}

static void withdraw(struct library_world *t, const struct campaign *c)
{
    struct item it;

    EDITORS;
    assert_int_equal(item_find(&t->w, &c->item, &it), RC_OK);
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &c->item, VERB_WITHDRAW, "写错了", &it), RC_OK);
    world_commit(t);
}

/* ---- the way ---- */

static void a_campaign_goes_from_draft_to_recalled(void **state)
{
    struct library_world *t = *state;
    struct campaign_event *events;
    struct campaign c;
    int64_t *due;
    int n;

    desk_phone(t, 1);
    c = desk_approved(t, TO_TAG);
    assert_int_equal(c.approved, WORLD_NOW);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SCHEDULE, NULL), RC_OK);
    assert_int_equal(campaign_due(&t->w, WORLD_NOW, 10, &due, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DUE), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_RUNNING);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_run"), 1);
    world_begin(t);
    assert_int_equal(campaign_fired(&t->w, c.no), RC_CONFLICT); /* it has, with the step */
    world_commit(t);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_PAUSE, NULL), RC_OK);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_RESUME, NULL), RC_OK);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DONE), RC_OK);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DONE), RC_CONFLICT);
    APPROVER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_RECALL, NULL), RC_INVALID); /* why? */
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_RECALL, "时间写错了"), RC_OK);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_RECALLED), RC_OK);
    assert_int_equal(campaign_events(&t->w, c.no, &events, &n), RC_OK);
    assert_int_equal(n, 11);
    assert_string_equal(events[0].step, "create");
    assert_string_equal(events[3].step, "pass");
    assert_string_equal(events[3].actor, "system");
    assert_string_equal(events[9].text, "时间写错了");
    assert_int_equal(world_number(t, "SELECT count(*) FROM audit WHERE action IN "
                                     "('campaign.pass', 'campaign.due', 'campaign.done', "
                                     "'campaign.recalled') AND object = 'push/campaigns/1'"),
                     4);
}

static void who_lacks_the_right_does_nothing(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign c;

    APPROVER;
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_FORBIDDEN);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_OK);
    APPROVER;
    assert_int_equal(desk_edit(t, &c, "{\"title\":\"断水\"}"), RC_FORBIDDEN);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_FORBIDDEN);
    desk_be(t, "account:9", RIGHT_EDIT | RIGHT_PUBLISH);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_CANCEL, NULL), RC_FORBIDDEN);
    desk_be(t, "account:9", RIGHT_ALL);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_DUE, NULL), RC_FORBIDDEN);
    desk_be(t, "account:9", 0);
    t->w.who.scopes = &(struct scope){ t->site + 1, RIGHT_PUSH };
    t->w.who.nscopes = 1;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_CANCEL, NULL), RC_FORBIDDEN);
    t->w.who.scopes = &(struct scope){ t->site, RIGHT_PUSH };
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_CANCEL, NULL), RC_OK);
}

static void an_edit_voids_approval_and_test(void **state)
{
    struct library_world *t = *state;
    struct campaign c, seen;
    struct campaign_order o;

    desk_phone(t, 1);
    c = seen = desk_approved(t, TO_TAG);
    assert_int_equal(desk_edit(t, &c, "{\"text\":\"后天停水。\"}"), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_DRAFT);
    assert_false(c.tested);
    assert_int_equal(c.approved, 0);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_CONFLICT); /* not tested */
    desk_test_send(t, &seen); /* of what it was before */
    assert_int_equal(campaign_find(&t->w, c.no, &c), RC_OK);
    assert_false(c.tested);
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    APPROVER;
    o = (struct campaign_order){ .hash = seen.hash };
    world_begin(t);
    assert_int_equal(desk_end(t, campaign_do(&t->w, c.no, CAMPAIGN_DO_APPROVE, &o, &c)),
                     RC_CONFLICT);
    o.hash = NULL;
    world_begin(t);
    assert_int_equal(desk_end(t, campaign_do(&t->w, c.no, CAMPAIGN_DO_APPROVE, &o, &c)),
                     RC_INVALID);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
}

static void every_member_is_in_the_hash(void **state)
{
    static const char *const edits[] = {
        "{\"title\":\"停水！\"}",
        "{\"text\":\"停水吗？\"}",
        "{\"class\":\"service\"}",
        "{\"audience\":{\"area\":\"120101\"}}",
        "{\"link\":\"https://a.cn/\"}",
        "{\"start\":\"2025-11-22 08:00\"}",
        "{\"doubt\":\"resend\"}",
        "{\"ttl\":3600}",
        "{\"pace\":100}",
        "{\"districts\":[\"120101\"]}",
    };
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign c, before;

    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_OK);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        before = c;
        assert_int_equal(desk_edit(t, &c, edits[i]), RC_OK);
        assert_memory_not_equal(c.hash, before.hash, sizeof c.hash);
        before = c;
        assert_int_equal(desk_edit(t, &c, edits[i]), RC_OK);
        assert_memory_equal(c.hash, before.hash, sizeof c.hash);
    }
}

static void an_approval_is_good_for_a_week(void **state)
{
    struct library_world *t = *state;
    struct campaign c;

    desk_phone(t, 1);
    c = desk_approved(t, TO_TAG);
    clock_set(WORLD_NOW + CAMPAIGN_APPROVED_FOR);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SCHEDULE, NULL), RC_CONFLICT);
    clock_set(WORLD_NOW + CAMPAIGN_APPROVED_FOR - 1);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SCHEDULE, NULL), RC_OK);
}

static void what_is_handed_back_needs_all_eyes_again(void **state)
{
    struct library_world *t = *state;
    struct campaign c;

    desk_phone(t, 1);
    c = desk_approved(t, TO_ALL);
    APPROVER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_RETURN, NULL), RC_INVALID);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_RETURN, "请写明几点"), RC_OK);
    OPERATOR;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    APPROVER;
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_SUBMITTED);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_REJECT, "不推送"), RC_OK);
    OPERATOR;
    assert_int_equal(desk_edit(t, &c, "{\"title\":\"断水\"}"), RC_CONFLICT);
    world_begin(t);
    assert_int_equal(desk_end(t, campaign_copy(&t->w, c.no, &c)), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_DRAFT);
    assert_int_equal(c.copied, 1);
}

/* ---- rules ---- */

static void bad_times_and_empty_audiences_are_refused(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign c;

    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG ",\"start\":\"2025-11-21 15:59\"", &c),
                     RC_INVALID);
    assert_int_equal(desk_create(t, &it, TO_TAG ",\"start\":\"2025-12-21 16:01\"", &c),
                     RC_INVALID);
    assert_int_equal(desk_create(t, &it, TO_TAG ",\"start\":\"tomorrow\"", &c), RC_INVALID);
    assert_int_equal(desk_create(t, &it, TO_TAG ",\"start\":\"2025-12-21 15:59\"", &c), RC_OK);
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_INVALID); /* nobody */
    desk_phone(t, 1);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    APPROVER;
    clock_set(WORLD_NOW + 40 * 86400);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_APPROVE, NULL), RC_INVALID); /* over */
}

static void what_is_not_published_is_not_pushed(void **state)
{
    struct library_world *t = *state;
    struct content content =
        world_content(t, "{\"kind\":\"article\",\"title\":\"草稿\",\"body\":\"。\"}");
    struct item_new new = { .site = t->site, .col = t->notices, .content = &content };
    struct campaign c = { 0 };
    struct item it;

    world_begin(t);
    assert_int_equal(item_create(&t->w, &new, &it), RC_OK);
    world_commit(t);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_CONFLICT);
    it.id = id_new();
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_INVALID);
    assert_int_equal(campaign_read(&t->w, desk_json(t, "{\"title\":\"随手写的\"}"), true, &c),
                     RC_INVALID);
    assert_non_null(strstr(t->w.err.text, "消息"));
}

static void classes_are_what_they_say(void **state)
{
    static const char licence[] = "12120250001";
    struct library_world *t = *state;
    struct item news = world_publish(t, "要闻", t->news),
                notice = world_publish(t, "停水通知", t->notices);
    struct campaign_conf conf = { .news_licence = licence };
    struct campaign c;

    OPERATOR;
    assert_int_equal(desk_create(t, &news, TO_TAG, &c), RC_INVALID);
    assert_non_null(strstr(t->w.err.text, "许可"));
    assert_int_equal(desk_create(t, &notice, TO_TAG, &c), RC_OK);
    assert_int_equal(desk_edit(t, &c, "{\"class\":\"emergency\"}"), RC_INVALID);
    assert_int_equal(desk_edit(t, &c, "{\"class\":\"service\"}"), RC_OK);
    assert_int_equal(desk_edit(t, &c, "{\"audience\":{\"all\":true}}"), RC_INVALID);
    assert_int_equal(desk_edit(t, &c, "{\"audience\":{\"not\":{\"tag\":\"养老\"}}}"),
                     RC_INVALID);
    assert_int_equal(
        desk_edit(t, &c, "{\"audience\":{\"and\":[{\"all\":true},{\"area\":\"120101\"}]}}"),
        RC_OK);
    assert_int_equal(campaign_open(&t->w.err, &conf), RC_OK);
    assert_int_equal(desk_create(t, &news, TO_TAG, &c), RC_OK);
    assert_int_equal(desk_edit(t, &c, "{\"class\":\"service\"}"), RC_INVALID);
}

static void a_text_has_room_wherever_it_goes(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign_shown shown;
    struct campaign c;

    desk_phone(t, 1);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_OK);
    assert_int_equal(campaign_shown(&t->w, &c, &shown), RC_OK);
    assert_string_equal(shown.text, "明天停水。—天津市人民政府·退订：设置→推送");
    desk_test_send(t, &c);
    campaign_transports(1U << TRANSPORT_VIVO);
    assert_int_equal(
        desk_edit(t, &c, "{\"title\":\"二十一个字的标题在这里一共有着二十一个字啊\"}"), RC_OK);
    desk_test_send(t, &c);
    assert_int_equal(campaign_find(&t->w, c.no, &c), RC_OK);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_INVALID);
    assert_string_equal(t->w.err.field, "/title");
    assert_non_null(strstr(t->w.err.text, "vivo"));
    campaign_transports(0);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
}

/* Red before: the tail alone is longer than WeChat's 20 characters, and with it on nothing could be submitted. */
static void wechat_shows_what_it_has_room_for_and_keeps_nothing_back(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "停水通知", t->notices);
    struct campaign_fit fits[TRANSPORT_COUNT];
    struct campaign c;
    int n;

    desk_phone(t, 1);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &c), RC_OK);
    campaign_transports(1U << TRANSPORT_WECHAT);
    assert_int_equal(
        desk_edit(t, &c, "{\"text\":\"一二三四五六七八九十一二三四五六七八九十完\"}"), RC_OK);
    assert_int_equal(campaign_fits(&t->w, &c, fits, &n), RC_OK);
    for (int i = 0; i < n; i++) {
        if (fits[i].by != TRANSPORT_WECHAT) {
            assert_null(fits[i].shows);
            continue;
        }
        assert_true(fits[i].fits);
        assert_string_equal(fits[i].shows, "一二三四五六七八九十一二三四五六七八九…");
    }
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_OK);
    assert_int_equal(
        desk_edit(t, &c, "{\"title\":\"二十一个字的标题在这里一共有着二十一个字啊\"}"), RC_OK);
    desk_test_send(t, &c);
    assert_int_equal(campaign_find(&t->w, c.no, &c), RC_OK);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL), RC_INVALID);
    assert_string_equal(t->w.err.field, "/title");
    assert_non_null(strstr(t->w.err.text, "微信订阅消息的标题最多 20 个字，现在有 21 个"));
    campaign_transports(0);
}

static void a_transport_with_a_place_of_its_own_for_the_sender_gets_the_text_alone(void **state)
{
    struct library_world *t = *state;
    struct campaign_shown s = { .title = "停水",
                                .text = "明天。—天津市·退订：设置→推送",
                                .bare = "明天。",
                                .sender = "天津市" },
                          other = s, none = s;

    campaign_shown_at(&t->w, &s, TRANSPORT_WECHAT, PUSH_SERVICE, 20261123);
    assert_string_equal(s.text, "明天。");
    assert_string_equal(s.sender, "天津市");
    campaign_shown_at(&t->w, &other, TRANSPORT_VIVO, PUSH_SERVICE, 20261123);
    assert_string_equal(other.text, "明天。—天津市·退订：设置→推送");
    none.bare = "";
    none.sender = "天津市滨海新区社会保险基金管理中心办事大厅";
    campaign_shown_at(&t->w, &none, TRANSPORT_WECHAT, PUSH_SERVICE, 20261123);
    assert_string_equal(none.text, "停水");
    assert_string_equal(none.sender, "天津市滨海新区社会保险基金管理中心办事…");
}

/* Red before: it could only be gone on with, or recalled, though nobody had got it. */
static void what_missed_its_time_can_be_cancelled_and_what_began_cannot(void **state)
{
    struct library_world *t = *state;
    struct campaign c;

    desk_phone(t, 1);
    c = desk_scheduled(t, TO_TAG);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_LATE), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_PAUSED);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_CANCEL, "过时了"), RC_OK);
    assert_int_equal(c.state, CAMPAIGN_CANCELLED);
    c = desk_scheduled(t, TO_TAG);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DUE), RC_OK);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_PAUSE, NULL), RC_OK);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_CANCEL, NULL), RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "撤回"));
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_RECALL, "写错了"), RC_OK);
}

/* ---- the record goes on without it ---- */

static void a_newer_revision_makes_a_draft_of_it(void **state)
{
    struct library_world *t = *state;
    struct campaign c;

    desk_phone(t, 1);
    c = desk_scheduled(t, TO_TAG);
    published_again(t, &c, "minor");
    OPERATOR;
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DUE),
                     RC_CONFLICT); /* nobody approved that */
    desk_follow(t, &c);
    assert_int_equal(c.state, CAMPAIGN_DRAFT);
    assert_int_equal(c.rev, 2);
    assert_false(c.tested);
    desk_follow(t, &c);
    assert_int_equal(c.state, CAMPAIGN_DRAFT);
    desk_test_send(t, &c);
    assert_int_equal(desk_does(t, &c, CAMPAIGN_DO_SUBMIT, NULL),
                     RC_OK); /* nothing went out yet */
}

static void what_was_pushed_is_not_pushed_again_for_a_comma(void **state)
{
    struct library_world *t = *state;
    struct campaign c, second;
    struct item it;

    desk_phone(t, 1);
    c = desk_scheduled(t, TO_TAG);
    assert_int_equal(desk_follows(t, &c, CAMPAIGN_DO_DUE), RC_OK);
    published_again(t, &c, "minor");
    assert_int_equal(item_find(&t->w, &c.item, &it), RC_OK);
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &second), RC_CONFLICT);
    published_again(t, &c, "republish");
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &second), RC_CONFLICT);
    published_again(t, &c, "major");
    OPERATOR;
    assert_int_equal(desk_create(t, &it, TO_TAG, &second), RC_OK);
    desk_follow(t, &c);
    assert_int_equal(c.state, CAMPAIGN_RUNNING); /* what has begun goes on */
}

static void withdrawal_cancels_what_waits_and_recalls_what_went(void **state)
{
    struct library_world *t = *state;
    struct campaign waits, went, other;

    desk_phone(t, 1);
    waits = desk_scheduled(t, TO_TAG);
    went = desk_scheduled(t, TO_TAG);
    other = desk_scheduled(t, TO_TAG);
    assert_int_equal(desk_follows(t, &went, CAMPAIGN_DO_DUE), RC_OK);
    assert_int_equal(desk_follows(t, &went, CAMPAIGN_DO_DONE), RC_OK);
    withdraw(t, &waits);
    withdraw(t, &went);
    desk_follow(t, &waits);
    desk_follow(t, &went);
    desk_follow(t, &other);
    assert_int_equal(waits.state, CAMPAIGN_CANCELLED);
    assert_int_equal(went.state, CAMPAIGN_RECALLING);
    assert_int_equal(other.state, CAMPAIGN_SCHEDULED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_campaign_goes_from_draft_to_recalled),
        TEST(who_lacks_the_right_does_nothing),
        TEST(an_edit_voids_approval_and_test),
        TEST(every_member_is_in_the_hash),
        TEST(an_approval_is_good_for_a_week),
        TEST(what_is_handed_back_needs_all_eyes_again),
        TEST(bad_times_and_empty_audiences_are_refused),
        TEST(what_is_not_published_is_not_pushed),
        TEST(classes_are_what_they_say),
        TEST(a_text_has_room_wherever_it_goes),
        TEST(wechat_shows_what_it_has_room_for_and_keeps_nothing_back),
        TEST(a_transport_with_a_place_of_its_own_for_the_sender_gets_the_text_alone),
        TEST(what_missed_its_time_can_be_cancelled_and_what_began_cannot),
        TEST(a_newer_revision_makes_a_draft_of_it),
        TEST(what_was_pushed_is_not_pushed_again_for_a_comma),
        TEST(withdrawal_cancels_what_waits_and_recalls_what_went),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
