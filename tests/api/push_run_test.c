/*
 * push_run_test.c - a campaign from its draft to the screens, with the writer and the push thread at work, and a sender that a test answers for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/address.h"
#include "push/campaign_step.h"
#include "push/live.h"
#include "push/missing.h"
#include "push/push_thread.h"
#include "push/run.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/citizen/entry.h"
#include "server/health/judge.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/fake_sender.h"
#include "tests/lib/people.h"

enum { PHONES = 40, WAIT_MS = 20000 };

static struct fake_sender sender;
static atomic_int shown[PHONES]; /* how often the campaign came on each screen */
static atomic_int taken_back[PHONES];
static char told[600]; /* to the tester, the last time */
static atomic_int
    says; /* enum push_verdict_kind, of all; PUSH_DOUBT: it came, and nobody said so */

static enum push_verdict_kind answer(const struct push_message *m, const char *token)
{
    int no = (int)strtol(token + strlen("0123456789abcdef-"), NULL, 10);
    enum push_verdict_kind kind = (enum push_verdict_kind)atomic_load(&says);

    if (no == 0)
        snprintf(told, sizeof told, "%s", m->text);
    if (kind == PUSH_ACCEPTED || kind == PUSH_DOUBT)
        atomic_fetch_add(m->takes_back ? &taken_back[no] : &shown[no], 1);
    return kind;
}

static void start(struct world *t)
{
    struct err e = { 0 };

    if (push_thread_start(&e, URL("%s/" DB_NAME, world_dir(t)), fake_sender_open(&sender)))
        fail_msg("%s", e.text);
}

/* ---- on the writer, as somebody ---- */

struct does {
    const char *who;
    unsigned rights;
    int64_t no;
    const char *item, *more, *text;
    enum campaign_step step;
    struct campaign c;
};

static enum rc create_job(struct work *w, void *arg)
{
    struct does *d = arg;
    struct campaign in = { 0 };
    const char *text =
        arena_printf(w->mem,
                     "{\"item\":\"%s\",\"title\":\"停水\",\"text\":\"明天停水。\","
                     "\"class\":\"marketing\",\"audience\":{\"all\":true}%s}",
                     d->item, d->more);
    json_t *value;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, text, strlen(text), &value)) ||
        (rc = campaign_read(w, value, true, &in)))
        return rc;
    return campaign_create(w, &in, &d->c);
}

static enum rc step_job(struct work *w, void *arg)
{
    struct does *d = arg;
    struct campaign_order o = { .text = d->text };
    struct campaign now;
    enum rc rc;

    if ((rc = campaign_find(w, d->no, &now)))
        return rc;
    o.hash = now.hash;
    return campaign_do(w, d->no, d->step, &o, &d->c);
}

static enum rc go(struct world *t, struct does *d, enum rc (*job)(struct work *w, void *arg))
{
    struct work w;
    enum rc rc;

    work_init(&w, world_mem(t), NULL, d->who, d->rights);
    rc = writer_call(&w, job, d);
    if (rc)
        print_message("# %s\n", w.err.text);
    return rc;
}

static enum rc does(struct world *t, int64_t no, const char *who, enum campaign_step step,
                    const char *text)
{
    struct does d = { .who = who, .rights = RIGHT_ALL, .no = no, .step = step, .text = text };

    return go(t, &d, step_job);
}

#define DOES_TO(no, who, step, text) \
    assert_int_equal(does(t, no, who, CAMPAIGN_DO_##step, text), RC_OK)
#define DOES(who, step, text) \
    assert_int_equal(does(t, no, who, CAMPAIGN_DO_##step, text), RC_OK)

struct seen {
    int64_t no;
    struct campaign c;
    struct run_counts n;
    bool runs;
};

static enum rc see_job(struct work *w, void *arg)
{
    struct seen *s = arg;

    s->runs = run_count(w, s->no, &s->n) == RC_OK;
    return campaign_find(w, run_campaign(s->no), &s->c);
}

static struct seen see(struct world *t, int64_t no)
{
    struct seen s = { .no = no };
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, see_job, &s), RC_OK);
    return s;
}

static void until_state(struct world *t, int64_t no, enum campaign_state state)
{
    for (int ms = 0; see(t, no).c.state != state; ms += 10) {
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
}

static void until_tested(struct world *t, int64_t no)
{
    for (int ms = 0; !see(t, no).c.tested; ms += 10) {
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
}

static void until_sent(struct world *t, int64_t no)
{
    for (int ms = 0; see(t, no).n.sent < PHONES; ms += 10) {
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
}

static int64_t outcomes(const struct run_counts *n, enum run_what what)
{
    int64_t sum = 0;

    for (int by = 0; by < TRANSPORT_COUNT; by++)
        sum += n->by[by][what];
    return sum;
}

/* ---- a city with phones ---- */

static enum rc settle_job(struct work *w, void *unused)
{
    int n;

    (void)unused;
    return address_settle(w, 100, &n);
}

static struct person citizens[PHONES];

static int set_up(void **state)
{
    static char tester[24];
    struct campaign_conf settled = {
        .news_licence = "", .sender = "", .two_eyes_from = 1000000, .a_person = 3
    };
    static struct conf_list testers;
    struct world *t;
    struct err e = { 0 };
    struct work w;

    service_world_set_up(state);
    t = *state;
    for (int i = 0; i < PHONES; i++) {
        citizens[i] = person_sign_in(t, SESSION_CITIZEN, 1);
        assert_int_equal(
            person_ask(t, &citizens[i], PUT, "/v1/me/push/AAAAAAAAAAAAAAAAAAAAAA",
                       URL("{\"token\":\"0123456789abcdef-%d\",\"transport\":\"%s\"}", i,
                           i % 2 ? "huawei" : "xiaomi"))
                .status,
            204);
        shown[i] = taken_back[i] = 0;
    }
    snprintf(tester, sizeof tester, "%" PRId64, citizens[0].account);
    testers = (struct conf_list){ .n = 1, .v = { tester } };
    settled.testers = &testers;
    assert_int_equal(campaign_open(&e, &settled), RC_OK);
    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, settle_job, NULL), RC_OK);
    says = PUSH_ACCEPTED;
    sender.room = 4;
    sender.answer = answer;
    sender.on = 1U << TRANSPORT_HUAWEI | 1U << TRANSPORT_XIAOMI;
    sender.holds = false;
    sender.recalls[TRANSPORT_HUAWEI] = sender.recalls[TRANSPORT_XIAOMI] = VENDOR_RECALL_NONE;
    live_open(&(struct live_conf){ .beat_ms = 30000 });
    start(t);
    return 0;
}

static int tear_down(void **state)
{
    int rc;

    push_thread_stop();
    rc = service_world_tear_down(state);
    live_close();
    return rc;
}

/* In 通知公告: of a column of news it were 资讯营销. */
static const char *published(struct world *t)
{
    static const char *const steps[] = { "submit", "approve", "publish" };
    struct answer a =
        tell(t, POST, "/v1/items",
             "{\"site\":\"1200000000\",\"column\":\"通知公告\",\"title\":\"停水通知\","
             "\"body\":\"明天停水。\"}");
    const char *id = text_of(t, &a, "id");

    for (int i = 0; i < 3; i++)
        assert_int_equal(tell(t, POST, URL("/v1/items/%s/%s", id, steps[i]), NULL).status, 200);
    return id;
}

static int64_t drafted(struct world *t, const char *more)
{
    struct does d = {
        .who = "account:1", .rights = RIGHT_ALL, .item = published(t), .more = more
    };

    assert_int_equal(go(t, &d, create_job), RC_OK);
    return d.c.no;
}

static int64_t scheduled(struct world *t, const char *more)
{
    int64_t no = drafted(t, more);

    DOES("account:1", TEST, NULL);
    until_tested(t, no);
    shown[0] = 0;
    DOES("account:1", SUBMIT, NULL);
    DOES("account:2", APPROVE, NULL);
    DOES("account:3", APPROVE, NULL);
    DOES("account:1", SCHEDULE, NULL);
    return no;
}

/* ---- */

/* Nothing of this server's writes that: a disk does, or somebody with the file. */
static void vandalise(struct world *t, const char *sql)
{
    char *why = NULL;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(URL("%s/" DB_NAME, world_dir(t)), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, NULL, NULL, &why))
        fail_msg("%s: %s", sql, why);
    assert_true(sqlite3_changes(db) > 0);
    sqlite3_close(db);
}

static enum rc settings_job(struct work *w, void *settled)
{
    return campaign_open(&w->err, settled);
}

/* On the writer, which reads them while the thread of push runs. */
static void set_settings(struct world *t, struct campaign_conf *settled)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", 0);
    assert_int_equal(writer_call(&w, settings_job, settled), RC_OK);
}

/* Red before: what the settings said of it was not kept. Vendors allow two. */
static void a_person_gets_as_many_a_day_as_the_settings_say(void **state)
{
    struct campaign_conf settled = *campaign_settled();
    struct world *t = *state;
    struct seen s;

    settled.a_person = 1;
    set_settings(t, &settled);
    for (int i = 0; i < 2; i++) {
        int64_t no = scheduled(t, "");

        until_state(t, no, CAMPAIGN_DONE);
        s = see(t, no);
        assert_int_equal(outcomes(&s.n, i ? RUN_QUOTA : RUN_ACCEPTED), PHONES);
    }
}

/* ---- what is missing ---- */

static const char *missing(struct world *t, const char *what)
{
    struct answer a = tell(t, GET, "/v1/push/missing", NULL);

    assert_int_equal(a.status, 200);
    return strstr(a.body, URL("\"what\":\"%s\"", what));
}

static enum finding looks(struct world *t, enum finding (*judge)(struct health *h))
{
    struct health h = { 0 };
    struct err e = { 0 };
    enum finding found;
    struct work w;
    struct db *db;

    assert_int_equal(db_open(&e, URL("%s/" DB_NAME, world_dir(t)), DB_READ, &db), RC_OK);
    work_init(&w, world_mem(t), db, "test", RIGHT_READ);
    h.w = &w;
    found = judge(&h);
    db_close(db);
    return found;
}

static void from_a_draft_to_every_screen(void **state)
{
    struct world *t = *state;
    int64_t no = drafted(t, "");
    struct seen s;

    assert_int_equal(does(t, no, "account:1", CAMPAIGN_DO_SUBMIT, NULL), RC_CONFLICT);
    DOES("account:1", TEST, NULL);
    until_tested(t, no);
    assert_int_equal(shown[0], 1); /* the tester's, and nobody else's */
    for (int i = 1; i < PHONES; i++)
        assert_int_equal(shown[i], 0);
    DOES("account:1", SUBMIT, NULL);
    DOES("account:2", APPROVE, NULL);
    DOES("account:3", APPROVE, NULL);
    DOES("account:1", SCHEDULE, NULL);
    until_state(t, no, CAMPAIGN_DONE);
    s = see(t, no);
    assert_int_equal(s.n.audience, PHONES);
    assert_int_equal(outcomes(&s.n, RUN_ACCEPTED), PHONES);
    for (int i = 0; i < PHONES; i++)
        assert_int_equal(shown[i], i ? 1 : 2);
}

static enum rc edit_job(struct work *w, void *arg)
{
    struct does *d = arg;
    json_t *value;
    enum rc rc = jx_object(&w->err, w->mem, d->text, strlen(d->text), &value);

    return rc ? rc : campaign_edit(w, d->no, value, &d->c);
}

/* What was edited is tried on a phone again: the first try counts for nothing. */
static void a_second_test_is_sent_as_well(void **state)
{
    struct world *t = *state;
    int64_t no = drafted(t, "");
    struct does d = { .who = "account:1",
                      .rights = RIGHT_ALL,
                      .no = no,
                      .text = "{\"text\":\"明天停水停电。\"}" };

    DOES("account:1", TEST, NULL);
    until_tested(t, no);
    assert_int_equal(go(t, &d, edit_job), RC_OK);
    assert_false(see(t, no).c.tested);
    DOES("account:1", TEST, NULL);
    until_tested(t, no);
    assert_int_equal(shown[0], 2);
}

static void it_waits_for_its_time(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");

    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(see(t, no).c.state, CAMPAIGN_SCHEDULED);
    clock_set(see(t, no).c.start - 1);
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_int_equal(see(t, no).c.state, CAMPAIGN_SCHEDULED);
    clock_set(see(t, no).c.start);
    until_state(t, no, CAMPAIGN_DONE);
}

/* It was due while nobody was there to send it. */
static void a_time_long_past_waits_for_somebodys_word(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");

    push_thread_stop();
    clock_set(see(t, no).c.start + PUSH_LATE + 1);
    start(t);
    until_state(t, no, CAMPAIGN_PAUSED);
    assert_false(see(t, no).runs);
    DOES("account:1", RESUME, NULL);
    until_state(t, no, CAMPAIGN_DONE);
    assert_int_equal(shown[1], 1);
}

static void a_recall_stops_what_has_not_left(void **state)
{
    struct world *t = *state;
    struct seen s;
    int64_t no;

    no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    sender.holds = true;
    clock_set(see(t, no).c.start);
    until_state(t, no, CAMPAIGN_RUNNING);
    DOES("account:2", RECALL, "写错了");
    until_state(t, no, CAMPAIGN_RECALLED);
    s = see(t, no);
    assert_int_equal(outcomes(&s.n, RUN_STOPPED), s.n.audience);
    for (int i = 0; i < PHONES; i++)
        assert_int_equal(shown[i], 0);
}

static enum vendor_recall how(bool huawei)
{
    return huawei ? VENDOR_RECALL_REVOKE : VENDOR_RECALL_OVERWRITE;
}

/* In the middle of it: who had it is asked to give it back, by the way of his vendor; who did not get it is not written to at all. */
static void a_recall_takes_back_what_was_shown(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, "");
    struct seen s;

    sender.recalls[TRANSPORT_HUAWEI] = how(true);
    sender.recalls[TRANSPORT_XIAOMI] = how(false);
    until_state(t, no, CAMPAIGN_DONE);
    DOES("account:2", RECALL, "写错了");
    until_state(t, no, CAMPAIGN_RECALLED);
    for (int i = 0; i < PHONES; i++) {
        assert_int_equal(shown[i], 1);
        assert_int_equal(taken_back[i], 1);
    }
    assert_non_null(strstr(told, "已撤回"));
    s = see(t, RUN_RECALLS + no);
    assert_int_equal(s.n.audience, PHONES);
    assert_int_equal(outcomes(&s.n, RUN_ACCEPTED), PHONES);
    s = see(t, no);
    assert_int_equal(outcomes(&s.n, RUN_ACCEPTED), PHONES); /* what was sent, was */
}

static void who_cannot_be_recalled_is_said_to_keep_it(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, "");
    struct seen s;

    sender.recalls[TRANSPORT_HUAWEI] = how(true);
    sender.recalls[TRANSPORT_XIAOMI] = VENDOR_RECALL_NONE;
    until_state(t, no, CAMPAIGN_DONE);
    says = PUSH_REJECTED;
    DOES("account:2", RECALL, "写错了");
    until_state(t, no, CAMPAIGN_RECALLED);
    s = see(t, RUN_RECALLS + no);
    assert_int_equal(s.n.by[TRANSPORT_HUAWEI][RUN_REJECTED], PHONES / 2);
    assert_int_equal(s.n.by[TRANSPORT_XIAOMI][RUN_OFF], PHONES / 2);
}

/* The process ends while orders to take back are on their way: they are given again, for twice does no harm. */
static void a_recall_goes_on_after_a_start(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, "");

    sender.recalls[TRANSPORT_HUAWEI] = sender.recalls[TRANSPORT_XIAOMI] = how(true);
    until_state(t, no, CAMPAIGN_DONE);
    sender.holds = true;
    DOES("account:2", RECALL, "写错了");
    until_sent(t, RUN_RECALLS + no);
    says = PUSH_DOUBT;
    push_thread_stop();
    says = PUSH_ACCEPTED;
    sender.holds = false;
    start(t);
    clock_set(clock_now() + 120); /* a vendor that did not answer is asked again in a while */
    until_state(t, no, CAMPAIGN_RECALLED);
    for (int i = 0; i < PHONES; i++) {
        assert_int_equal(shown[i], 1);
        assert_true(taken_back[i] >= 1);
    }
}

/* ---- what is said of it ---- */

static enum rc move_job(struct work *w, void *unused)
{
    enum rc rc = RC_OK;

    (void)unused;
    for (int i = 0; i < PHONES && !rc; i++) /* a quarter lives nowhere that is known */
        if (i % 4)
            rc = entry_put(w, citizens[i].account, "set", "area",
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
    assert_int_equal(writer_call(&w, settle_job, NULL), RC_OK);
    sender.recalls[TRANSPORT_HUAWEI] = how(true);
    no = scheduled(t, ",\"districts\":[\"120102\"]");
    until_state(t, no, CAMPAIGN_DONE);
    DOES("account:2", RECALL, "写错了");
    until_state(t, no, CAMPAIGN_RECALLED);
    a = tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/report", no), NULL);
    assert_int_equal(a.status, 200);
    report = json_loads(a.body, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(report, "audience")), PHONES);
    assert_int_equal(sum_of(report, "districts", "devices"), PHONES);
    assert_int_equal(sum_of(report, "transports", "devices"), PHONES);
    districts = json_object_get(report, "districts");
    assert_int_equal(json_array_size(districts), 3);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(districts, 0), "code")), "120102");
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(districts, 0), "devices")),
        PHONES / 2);
    recall = json_object_get(report, "recall");
    assert_int_equal(json_integer_value(json_object_get(recall, "of")), PHONES);
    assert_int_equal(json_integer_value(json_object_get(recall, "revoked")), PHONES / 2);
    assert_int_equal(json_integer_value(json_object_get(recall, "onlyInbox")), PHONES / 2);
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
        assert_in_range(i, 0, WAIT_MS / 10);
        world_turn(t);
        got = ask_so_far(t, a);
    }
    return got;
}

/* Who watches is told how it is at once, and what changes as it does. */
static void its_progress_is_told_as_it_happens(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    const struct ask as = { .origin = ORIGIN_ADMIN };
    struct asking *a = ask_begin(t, GET, URL("/v1/push/campaigns/%" PRId64 "/live", no), &as);
    struct answer got = watched_until(t, a, "\"state\":\"scheduled\"");

    assert_int_equal(got.status, 200);
    clock_set(see(t, no).c.start);
    got = watched_until(t, a, "\"state\":\"done\"");
    assert_non_null(strstr(got.body, "event: progress\ndata: {\"audience\":0,"));
    assert_non_null(strstr(got.body, "\"state\":\"scheduled\""));
    assert_non_null(strstr(got.body, URL("\"accepted\":%d,", PHONES)));
    ask_hang_up(t, a);
}

/* Each fires at its time and not before, and is over when somebody has done something about it. */
static void what_was_forgotten_is_named(void **state)
{
    struct world *t = *state;
    static struct conf_list columns;
    static char number[24];
    struct campaign_conf settled = *campaign_settled();
    int64_t no, at;

    no = drafted(t, "");
    snprintf(number, sizeof number, "%" PRId64, see(t, no).c.col);
    columns = (struct conf_list){ .n = 1, .v = { number } };
    settled.columns = &columns;
    settled.missing_after = 1800;
    set_settings(t, &settled);
    clock_set(clock_now() + 1700);
    DOES("account:1", CANCEL, NULL);
    assert_null(missing(t, "campaign"));
    assert_int_equal(looks(t, judge_push_missing), FINE);
    clock_set(clock_now() + 200);
    assert_non_null(missing(t, "campaign"));
    assert_int_equal(looks(t, judge_push_missing), WARN);
    vandalise(t, "UPDATE push_campaign SET state = 'draft'");
    assert_null(missing(t, "campaign"));
    assert_int_equal(looks(t, judge_push_missing), FINE);

    DOES("account:1", TEST, NULL);
    until_tested(t, no);
    DOES("account:1", SUBMIT, NULL);
    DOES("account:2", APPROVE, NULL);
    DOES("account:3", APPROVE, NULL);
    assert_int_equal(looks(t, judge_push_unscheduled), FINE);
    clock_set(clock_now() + 1801);
    assert_non_null(missing(t, "schedule"));
    assert_int_equal(looks(t, judge_push_unscheduled), WARN);

    push_thread_stop(); /* nobody fires it */
    DOES("account:1", SCHEDULE, NULL);
    at = clock_now();
    assert_int_equal(looks(t, judge_push_unscheduled), FINE);
    assert_int_equal(looks(t, judge_push_overdue), FINE);
    clock_set(at + MISSING_FIRE_AFTER + 1);
    assert_non_null(missing(t, "fire"));
    assert_int_equal(looks(t, judge_push_overdue), WARN);

    sender.holds = true; /* nothing comes home */
    start(t);
    until_sent(t, no);
    assert_int_equal(looks(t, judge_push_overdue), FINE);
    assert_int_equal(looks(t, judge_push_stalled), FINE);
    clock_set(clock_now() + MISSING_STALLED + 1);
    assert_non_null(missing(t, "progress"));
    assert_int_equal(looks(t, judge_push_stalled), WARN);
    sender.holds = false;
    until_state(t, no, CAMPAIGN_DONE);
    assert_int_equal(looks(t, judge_push_stalled), FINE);
}

static void withdrawn_with_its_record(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, "");
    struct seen s;
    char id[ID_TEXT];

    until_state(t, no, CAMPAIGN_DONE);
    s = see(t, no);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/withdraw", id_text(&s.c.item, id)),
                          "{\"reason\":\"写错了\"}")
                         .status,
                     200);
    until_state(t, no, CAMPAIGN_RECALLED);
}

/* A stop while all is on its way, as a crash would find it: what may have come does not come again. */
static void what_was_on_its_way_when_it_ended_stays_in_doubt(void **state)
{
    struct world *t = *state;
    struct seen s;
    int64_t no;

    no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    sender.holds = true;
    clock_set(see(t, no).c.start);
    for (int ms = 0; see(t, no).n.sent < PHONES; ms += 10) {
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
    says =
        PUSH_DOUBT; /* it comes on the screens, but the end of the process is quicker than the answers */
    push_thread_stop();
    says = PUSH_ACCEPTED;
    sender.holds = false;
    start(t);
    until_state(t, no, CAMPAIGN_DONE);
    s = see(t, no);
    assert_int_equal(outcomes(&s.n, RUN_DOUBT), PHONES);
    for (int i = 0; i < PHONES; i++)
        assert_int_equal(shown[i], 1);
}

static bool took(struct world *t, int64_t no, const char *step)
{
    struct answer a = tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/steps", no), NULL);

    return strstr(a.body, URL("\"step\":\"%s\"", step)) != NULL;
}

/* Red before: every campaign waited for the one whose set was damaged. */
static void a_damaged_set_costs_the_campaign_that_asks_for_it(void **state)
{
    static const char at[] = ",\"start\":\"2026-11-18T23:00:00+08:00\"";
    struct world *t = *state;
    int64_t hurt = scheduled(t, at), whole = scheduled(t, at);
    struct seen s;

    vandalise(
        t, "UPDATE push_set SET bits = x'ffffff' WHERE at / 65536 = (SELECT no FROM push_trait "
           "WHERE word = 'transport/xiaomi')");
    clock_set(see(t, whole).c.start);
    until_state(t, whole, CAMPAIGN_DONE);
    s = see(t, whole);
    assert_int_equal(outcomes(&s.n, RUN_ACCEPTED), PHONES);
    assert_int_equal(see(t, hurt).c.state, CAMPAIGN_PAUSED);
    assert_true(took(t, hurt, "damaged"));
    assert_int_equal(looks(t, judge_push_damaged), WARN);
    DOES_TO(hurt, "account:1", RESUME, NULL); /* the set was made anew meanwhile */
    until_state(t, hurt, CAMPAIGN_DONE);
    assert_int_equal(looks(t, judge_push_damaged), FINE);
    s = see(t, hurt);
    assert_int_equal(outcomes(&s.n, RUN_ACCEPTED), PHONES);
}

/* Red before: the server did not start. */
static void a_damaged_batch_does_not_keep_the_server_from_starting(void **state)
{
    static const char at[] = ",\"start\":\"2026-11-18T23:00:00+08:00\"";
    struct world *t = *state;
    int64_t no = scheduled(t, at), other = scheduled(t, at);
    struct seen s;

    sender.holds = true;
    clock_set(see(t, no).c.start);
    until_sent(t, no);
    until_sent(t, other);
    says = PUSH_DOUBT;
    push_thread_stop();
    vandalise(
        t, URL("INSERT INTO push_batch (campaign, transport, block, tries, at, sent, n, bits) "
               "VALUES (%" PRId64 ", 1, 0, 0, 0, 1, 7, x'ffffff')",
               no));
    says = PUSH_ACCEPTED;
    sender.holds = false;
    start(t);
    until_state(t, other, CAMPAIGN_DONE);
    until_state(t, no, CAMPAIGN_PAUSED);
    DOES("account:1", RESUME, NULL);
    until_state(t, no, CAMPAIGN_DONE);
    s = see(t, no);
    assert_int_equal(outcomes(&s.n, RUN_DOUBT), PHONES + 7); /* who is lost, how many is not */
}

/* A row of outcomes, to which the next batch is to be added. */
static void a_damaged_outcome_is_put_aside_and_its_number_stays(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    struct seen s;

    sender.holds = true;
    clock_set(see(t, no).c.start);
    until_sent(t, no);
    vandalise(
        t,
        URL("INSERT INTO push_outcome (campaign, block, transport, what, day, n, bits) SELECT "
            "campaign, block, transport, 1, %" PRId64 ", 0, x'ffffff' FROM push_batch LIMIT 1",
            (clock_now() + 8 * 3600) / 86400));
    sender.holds = false;
    until_state(t, no, CAMPAIGN_PAUSED);
    DOES("account:1", RESUME, NULL);
    until_state(t, no, CAMPAIGN_DONE);
    s = see(t, no);
    assert_int_equal(outcomes(&s.n, RUN_ACCEPTED), PHONES);
    for (int i = 1; i < PHONES; i++)
        assert_int_equal(shown[i], 1);
}

/* Red before: only its record was asked for. */
static void what_was_approved_long_ago_does_not_go_out_late(void **state)
{
    struct world *t = *state;
    int64_t no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");

    push_thread_stop();
    clock_set(see(t, no).c.start + PUSH_LATE + 1);
    start(t);
    until_state(t, no, CAMPAIGN_PAUSED);
    clock_set(see(t, no).c.approved + CAMPAIGN_APPROVED_FOR + 1);
    assert_int_equal(does(t, no, "account:1", CAMPAIGN_DO_RESUME, NULL), RC_CONFLICT);
    assert_int_equal(see(t, no).c.state, CAMPAIGN_PAUSED);
    DOES("account:1", RECALL, "过时了");
    until_state(t, no, CAMPAIGN_RECALLED);
}

/* Red before: the phone showed the draft as it was by then. */
static void a_test_shows_what_was_tested(void **state)
{
    struct world *t = *state;
    int64_t no = drafted(t, "");
    struct does d = {
        .who = "account:1", .rights = RIGHT_ALL, .no = no, .text = "{\"text\":\"另一稿\"}"
    };

    sender.holds = true;
    DOES("account:1", TEST, NULL);
    assert_int_equal(go(t, &d, edit_job), RC_OK);
    sender.holds = false;
    for (int ms = 0; !shown[0]; ms += 10) {
        assert_in_range(ms, 0, WAIT_MS);
        clock_sleep_ms(10);
    }
    assert_non_null(strstr(told, "明天停水。"));
    clock_sleep_ms(3 * PUSH_LOOK_MS);
    assert_false(see(t, no).c.tested);
}

static void a_transport_that_is_off_is_the_inboxs(void **state)
{
    struct world *t = *state;
    struct seen s;
    int64_t no;

    no = scheduled(t, ",\"start\":\"2026-11-18T23:00:00+08:00\"");
    sender.on = 1U << TRANSPORT_HUAWEI;
    clock_set(see(t, no).c.start);
    until_state(t, no, CAMPAIGN_DONE);
    s = see(t, no);
    assert_int_equal(s.n.by[TRANSPORT_HUAWEI][RUN_ACCEPTED], PHONES / 2);
    assert_int_equal(s.n.by[TRANSPORT_XIAOMI][RUN_OFF], PHONES / 2);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_a_draft_to_every_screen),
        TEST(a_second_test_is_sent_as_well),
        TEST(it_waits_for_its_time),
        TEST(a_time_long_past_waits_for_somebodys_word),
        TEST(a_recall_stops_what_has_not_left),
        TEST(a_recall_takes_back_what_was_shown),
        TEST(who_cannot_be_recalled_is_said_to_keep_it),
        TEST(a_recall_goes_on_after_a_start),
        TEST(its_sums_are_the_audience),
        TEST(its_progress_is_told_as_it_happens),
        TEST(a_person_gets_as_many_a_day_as_the_settings_say),
        TEST(what_was_forgotten_is_named),
        TEST(withdrawn_with_its_record),
        TEST(what_was_on_its_way_when_it_ended_stays_in_doubt),
        TEST(a_damaged_set_costs_the_campaign_that_asks_for_it),
        TEST(a_damaged_batch_does_not_keep_the_server_from_starting),
        TEST(a_damaged_outcome_is_put_aside_and_its_number_stays),
        TEST(what_was_approved_long_ago_does_not_go_out_late),
        TEST(a_test_shows_what_was_tested),
        TEST(a_transport_that_is_off_is_the_inboxs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
