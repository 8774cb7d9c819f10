/*
 * push_run_test.c - a campaign from its draft to the screens, and what is said of it.
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

#include "push/missing.h"
#include "push/push_thread.h"
#include "server/base/clock.h"
#include "server/citizen/entry.h"
#include "server/store/writer.h"
#include "tests/lib/push_city.h"

static void from_a_draft_to_every_screen(void **state)
{
    struct world *t = *state;
    int64_t no = city_drafted(t, "");
    struct city_seen s;

    assert_int_equal(city_does(t, no, "account:1", CAMPAIGN_DO_SUBMIT, NULL), RC_CONFLICT);
    DOES("account:1", TEST, NULL);
    city_until_tested(t, no);
    assert_int_equal(city_shown[0], 1); /* the tester's, and nobody else's */
    for (int i = 1; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 0);
    DOES("account:1", SUBMIT, NULL);
    DOES(FIRST, APPROVE, NULL);
    DOES(SECOND, APPROVE, NULL);
    DOES("account:1", SCHEDULE, NULL);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(s.n.audience, CITY_PHONES);
    assert_int_equal(city_outcomes(&s.n, RUN_ACCEPTED), CITY_PHONES);
    for (int i = 0; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], i ? 1 : 2);
}

/* ---- a test that reaches nobody ---- */

static struct answer steps_of(struct world *t, int64_t no)
{
    return tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/steps", no), NULL);
}

static struct answer shown_of(struct world *t, int64_t no)
{
    return tell(t, GET, URL("/v1/push/campaigns/%" PRId64, no), NULL);
}

static void until_tried(struct world *t, int64_t no)
{
    for (int ms = 0; !city_took(t, no, "tested"); ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
}

static void who_tried_it_is_told_how_many_phones_it_reached(void **state)
{
    struct world *t = *state;
    int64_t no = city_drafted(t, "");

    assert_null(strstr(shown_of(t, no).body, "\"test\":"));
    DOES("account:1", TEST, NULL);
    until_tried(t, no);
    assert_true(city_see(t, no).c.tested);
    assert_non_null(strstr(steps_of(t, no).body, "试发到了 1 部手机，共 1 部"));
    assert_non_null(
        strstr(shown_of(t, no).body, "\"test\":{\"accepted\":1,\"devices\":1,\"over\":true}"));
}

/* Red before: nobody was told, and the campaign stayed untested for no reason that could be seen. */
static void a_test_that_reached_no_phone_says_so_and_is_none(void **state)
{
    struct world *t = *state;
    int64_t no = city_drafted(t, "");

    city_says = PUSH_REJECTED;
    DOES("account:1", TEST, NULL);
    until_tried(t, no);
    assert_false(city_see(t, no).c.tested);
    assert_non_null(strstr(steps_of(t, no).body,
                           "试发没有到任何手机，不算试发过；共 1 部，厂商没有收下 1 部"));
    assert_non_null(
        strstr(shown_of(t, no).body, "\"test\":{\"accepted\":0,\"devices\":1,\"over\":true}"));
    assert_int_equal(city_does(t, no, "account:1", CAMPAIGN_DO_SUBMIT, NULL), RC_CONFLICT);
    city_says = PUSH_ACCEPTED;
    DOES("account:1", TEST, NULL);
    city_until_tested(t, no);
    DOES("account:1", SUBMIT, NULL);
}

/* Red before: a test for no phone at all began, and ended, in silence. */
static void testers_without_a_phone_test_nothing(void **state)
{
    struct world *t = *state;
    int64_t no = city_drafted(t, "");

    push_thread_stop();
    city_sender.on = 1U << TRANSPORT_APNS; /* theirs is Xiaomi's */
    city_start(t);
    assert_int_equal(city_does(t, no, "account:1", CAMPAIGN_DO_TEST, NULL), RC_CONFLICT);
    assert_false(city_took(t, no, "test"));
    assert_null(strstr(shown_of(t, no).body, "\"test\":"));
}

/* Nobody's phone shows anything then: what was tried is what citizens get. */
static void without_any_vendor_a_test_is_of_the_inbox_and_says_so(void **state)
{
    struct world *t = *state;
    int64_t no = city_drafted(t, "");

    push_thread_stop();
    city_sender.on = 0;
    city_start(t);
    DOES("account:1", TEST, NULL);
    assert_true(city_see(t, no).c.tested);
    assert_non_null(strstr(steps_of(t, no).body, "没有到任何手机的通知栏"));
}

static enum rc edit_job(struct work *w, void *arg)
{
    struct city_order *d = arg;
    json_t *value;
    enum rc rc = jx_object(&w->err, w->mem, d->text, strlen(d->text), &value);

    return rc ? rc : campaign_edit(w, d->no, value, &d->c);
}

/* What was edited is tried on a phone again: the first try counts for nothing. */
static void a_second_test_is_sent_as_well(void **state)
{
    struct world *t = *state;
    int64_t no = city_drafted(t, "");
    struct city_order d = { .who = "account:1",
                            .rights = RIGHT_ALL,
                            .no = no,
                            .text = "{\"text\":\"明天停水停电。\"}" };

    DOES("account:1", TEST, NULL);
    city_until_tested(t, no);
    assert_int_equal(city_go(t, &d, edit_job), RC_OK);
    assert_false(city_see(t, no).c.tested);
    DOES("account:1", TEST, NULL);
    city_until_tested(t, no);
    assert_int_equal(city_shown[0], 2);
}

/* Red before: the phone showed the draft as it was by then. */
static void a_test_shows_what_was_tested(void **state)
{
    struct world *t = *state;
    int64_t no = city_drafted(t, "");
    struct city_order d = {
        .who = "account:1", .rights = RIGHT_ALL, .no = no, .text = "{\"text\":\"另一稿\"}"
    };

    city_sender.holds = true;
    DOES("account:1", TEST, NULL);
    assert_int_equal(city_go(t, &d, edit_job), RC_OK);
    city_sender.holds = false;
    for (int ms = 0; !city_shown[0]; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
    assert_non_null(strstr(city_told, "明天停水。"));
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_false(city_see(t, no).c.tested);
}

/* Whose form has no room for the tail, and shows by itself who it is from; of the test send and of the campaign. */
static void wechat_gets_the_text_without_its_tail(void **state)
{
    struct world *t = *state;
    struct work w;
    int64_t no;

    assert_int_equal(person_ask(t, &city_people[0], PUT, "/v1/me/push/AAAAAAAAAAAAAAAAAAAAAA",
                                "{\"token\":\"0123456789abcdef-0\",\"transport\":\"wechat\"}")
                         .status,
                     204);
    work_init(&w, world_mem(t), NULL, "test", 0);
    assert_int_equal(writer_call(&w, person_phones_settle, NULL), RC_OK);
    push_thread_stop();
    city_sender.on |= 1U << TRANSPORT_WECHAT;
    city_start(t);
    no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    assert_string_equal(city_told, "明天停水。");
    city_told[0] = '\0';
    city_pass(city_see(t, no).c.start);
    city_until(t, no, CAMPAIGN_DONE);
    assert_string_equal(city_told, "明天停水。");
    assert_int_equal(city_shown[0], 1);
}

/* A stop while all is on its way, as a crash would find it: what may have come does not come again. */
static void what_was_on_its_way_when_it_ended_stays_in_doubt(void **state)
{
    struct world *t = *state;
    struct city_seen s;
    int64_t no;

    no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    city_sender.holds = true;
    city_pass(city_see(t, no).c.start);
    for (int ms = 0; city_see(t, no).n.sent < CITY_PHONES; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
    city_says =
        PUSH_DOUBT; /* it comes on the screens, but the end of the process is quicker than the answers */
    push_thread_stop();
    city_says = PUSH_ACCEPTED;
    city_sender.holds = false;
    city_start(t);
    city_until(t, no, CAMPAIGN_DONE);
    s = city_see(t, no);
    assert_int_equal(city_outcomes(&s.n, RUN_DOUBT), CITY_PHONES);
    for (int i = 0; i < CITY_PHONES; i++)
        assert_int_equal(city_shown[i], 1);
}

static enum rc move_job(struct work *w, void *unused)
{
    enum rc rc = RC_OK;

    (void)unused;
    for (int i = 0; i < CITY_PHONES && !rc; i++) /* a quarter lives nowhere that is known */
        if (i % 4)
            rc = entry_put(w, city_people[i].account, "set", "area",
                           i % 4 == 1 ? "\"120101\"" : "\"120102001\"", NULL, NULL);
    return rc;
}

static json_int_t sum_of(const json_t *report, const char *list, const char *member)
{
    json_int_t n = 0;
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(report, list), i, one) n +=
        json_integer_value(json_object_get(one, member));
    return n;
}

/* Red before: there were no districts. */
static void its_sums_are_the_audience(void **state)
{
    struct world *t = *state;
    const json_t *districts, *recall;
    struct answer a;
    json_t *report;
    struct work w;
    int64_t no;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, move_job, NULL), RC_OK);
    assert_int_equal(writer_call(&w, person_phones_settle, NULL), RC_OK);
    city_sender.recalls[TRANSPORT_HUAWEI] = VENDOR_RECALL_REVOKE;
    no = city_scheduled(t, ",\"districts\":[\"120102\"]");
    city_until(t, no, CAMPAIGN_DONE);
    DOES("account:2", RECALL, "写错了");
    city_until(t, no, CAMPAIGN_RECALLED);
    a = tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/report", no), NULL);
    assert_int_equal(a.status, 200);
    report = json_loads(a.body, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(report, "audience")), CITY_PHONES);
    assert_int_equal(sum_of(report, "districts", "devices"), CITY_PHONES);
    assert_int_equal(sum_of(report, "transports", "devices"), CITY_PHONES);
    districts = json_object_get(report, "districts");
    assert_int_equal(json_array_size(districts), 3);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(districts, 0), "code")), "120102");
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(districts, 0), "devices")),
        CITY_PHONES / 2);
    recall = json_object_get(report, "recall");
    assert_int_equal(json_integer_value(json_object_get(recall, "of")), CITY_PHONES);
    assert_int_equal(json_integer_value(json_object_get(recall, "revoked")), CITY_PHONES / 2);
    assert_int_equal(json_integer_value(json_object_get(recall, "onlyInbox")), CITY_PHONES / 2);
    assert_int_equal(json_integer_value(json_object_get(recall, "waiting")), 0);
    json_decref(report);
    a = tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/report.csv", no), NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\xef\xbb\xbf\"通道\",\"区\",\"设备\""));
    assert_non_null(strstr(a.body, "\r\n\"huawei\",\"120102\",10,0,0,10,"));
    assert_non_null(strstr(a.body, "\r\n\"合计\",\"\",40,0,0,40,"));
}

static struct answer watched_until(struct world *t, struct asking *a, const char *word)
{
    struct answer got = ask_so_far(t, a);

    for (int i = 0; !got.body || !strstr(got.body, word); i++) {
        assert_in_range(i, 0, CITY_WAIT_MS / 10);
        world_turn(t);
        got = ask_so_far(t, a);
    }
    return got;
}

/* Who watches is told how it is at once, and what changes as it does. */
static void its_progress_is_told_as_it_happens(void **state)
{
    struct world *t = *state;
    int64_t no = city_scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    const struct ask as = { .origin = ORIGIN_ADMIN };
    struct asking *a = ask_begin(t, GET, URL("/v1/push/campaigns/%" PRId64 "/live", no), &as);
    struct answer got = watched_until(t, a, "\"state\":\"scheduled\"");

    assert_int_equal(got.status, 200);
    city_pass(city_see(t, no).c.start);
    got = watched_until(t, a, "\"state\":\"done\"");
    assert_non_null(strstr(got.body, "event: progress\ndata: {\"audience\":0,"));
    assert_non_null(strstr(got.body, "\"state\":\"scheduled\""));
    assert_non_null(strstr(got.body, URL("\"accepted\":%d,", CITY_PHONES)));
    ask_hang_up(t, a);
}

static const char *missing(struct world *t, const char *what)
{
    struct answer a = tell(t, GET, "/v1/push/missing", NULL);

    assert_int_equal(a.status, 200);
    return strstr(a.body, URL("\"what\":\"%s\"", what));
}

/* Each fires at its time and not before, and is over when somebody has done something about it. */
static void what_was_forgotten_is_named(void **state)
{
    struct world *t = *state;
    static struct conf_list columns;
    static char number[24];
    struct campaign_conf settled = *campaign_settled();
    int64_t no, at;

    no = city_drafted(t, "");
    snprintf(number, sizeof number, "%" PRId64, city_see(t, no).c.col);
    columns = (struct conf_list){ .n = 1, .v = { number } };
    settled.columns = &columns;
    settled.missing_after = 1800;
    city_settle(t, &settled);
    city_pass(clock_now() + 1700);
    DOES("account:1", CANCEL, NULL);
    assert_null(missing(t, "campaign"));
    assert_int_equal(city_looks(t, judge_push_missing), FINE);
    city_pass(clock_now() + 200);
    assert_non_null(missing(t, "campaign"));
    assert_int_equal(city_looks(t, judge_push_missing), WARN);
    city_vandalise(t, "UPDATE push_campaign SET state = 'draft'");
    assert_null(missing(t, "campaign"));
    assert_int_equal(city_looks(t, judge_push_missing), FINE);

    DOES("account:1", TEST, NULL);
    city_until_tested(t, no);
    DOES("account:1", SUBMIT, NULL);
    DOES(FIRST, APPROVE, NULL);
    DOES(SECOND, APPROVE, NULL);
    assert_int_equal(city_looks(t, judge_push_unscheduled), FINE);
    city_pass(clock_now() + 1801);
    assert_non_null(missing(t, "schedule"));
    assert_int_equal(city_looks(t, judge_push_unscheduled), WARN);

    push_thread_stop(); /* nobody fires it */
    DOES("account:1", SCHEDULE, NULL);
    at = clock_now();
    assert_int_equal(city_looks(t, judge_push_unscheduled), FINE);
    assert_int_equal(city_looks(t, judge_push_overdue), FINE);
    city_pass(at + MISSING_FIRE_AFTER + 1);
    assert_non_null(missing(t, "fire"));
    assert_int_equal(city_looks(t, judge_push_overdue), WARN);

    city_sender.holds = true; /* nothing comes home */
    city_start(t);
    city_until_sent(t, no);
    assert_int_equal(city_looks(t, judge_push_overdue), FINE);
    assert_int_equal(city_looks(t, judge_push_stalled), FINE);
    city_pass(clock_now() + MISSING_STALLED + 1);
    assert_non_null(missing(t, "progress"));
    assert_int_equal(city_looks(t, judge_push_stalled), WARN);
    city_sender.holds = false;
    city_until(t, no, CAMPAIGN_DONE);
    assert_int_equal(city_looks(t, judge_push_stalled), FINE);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, city_set_up, city_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_a_draft_to_every_screen),
        TEST(who_tried_it_is_told_how_many_phones_it_reached),
        TEST(a_test_that_reached_no_phone_says_so_and_is_none),
        TEST(testers_without_a_phone_test_nothing),
        TEST(without_any_vendor_a_test_is_of_the_inbox_and_says_so),
        TEST(a_second_test_is_sent_as_well),
        TEST(a_test_shows_what_was_tested),
        TEST(wechat_gets_the_text_without_its_tail),
        TEST(what_was_on_its_way_when_it_ended_stays_in_doubt),
        TEST(its_sums_are_the_audience),
        TEST(its_progress_is_told_as_it_happens),
        TEST(what_was_forgotten_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
