/*
 * campaign_inbox_test.c - a campaign for a list of accounts in their inboxes: once each, whatever is interrupted; and taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

#include "push/address.h"
#include "push/campaign_inbox.h"
#include "push/campaign_step.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

enum { PEOPLE = 250 };

static int64_t people[PEOPLE];

static enum rc go(struct world *t, const char *who, enum rc (*job)(struct work *w, void *arg),
                  void *arg)
{
    struct work w;
    enum rc rc;

    work_init(&w, world_mem(t), NULL, who, RIGHT_ALL);
    if ((rc = writer_call(&w, job, arg)) && rc != RC_NOT_FOUND && rc != RC_IO)
        print_message("# %s\n", w.err.text);
    return rc;
}

static enum rc people_job(struct work *w, void *unused)
{
    const struct account_new new = { ACCOUNT_CITIZEN, 1, "张三" };
    struct account a;
    enum rc rc = RC_OK;
    int n;

    (void)unused;
    for (int i = 0; i < PEOPLE && !rc; i++)
        if (!(rc = account_make(w, &new, &a)))
            people[i] = a.id;
    if (rc || (rc = address_tell(w, people[0], "AAAAAAAAAAAAAAAAAAAAAA", TRANSPORT_HUAWEI,
                                 "0123456789abcdef")))
        return rc;
    return address_settle(w, 100, &n);
}

static const char *everybody(struct world *t)
{
    struct buf b = BUF_IN(world_mem(t));

    buf_adds(&b, "{\"accounts\":[");
    for (int i = 0; i < PEOPLE; i++)
        buf_printf(&b, "%s%" PRId64, i ? "," : "", people[i]);
    buf_adds(&b, ",999999]}"); /* who was erased since the list was made */
    return b.p;
}

struct drafting {
    const char *text;
    struct campaign c;
};

static enum rc create_job(struct work *w, void *arg)
{
    struct drafting *d = arg;
    struct campaign in = { 0 };
    json_t *value;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, d->text, strlen(d->text), &value)) ||
        (rc = campaign_read(w, value, true, &in)))
        return rc;
    return campaign_create(w, &in, &d->c);
}

static enum rc step_job(struct work *w, void *arg)
{
    enum campaign_step step = *(enum campaign_step *)arg;
    struct campaign_order o = { .text = step == CAMPAIGN_DO_RECALL ? "写错了" : NULL };
    struct campaign now;
    enum rc rc;

    if (campaign_steps[step].who == CAMPAIGN_BY_SERVER)
        return campaign_step(w, 1, step, NULL, &now);
    if ((rc = campaign_find(w, 1, &now)))
        return rc;
    o.hash = now.hash;
    return campaign_do(w, 1, step, &o, &now);
}

static void does(struct world *t, const char *who, enum campaign_step step)
{
    assert_int_equal(go(t, who, step_job, &step), RC_OK);
}

/* Approved, and due now. */
static void fire(struct world *t)
{
    static const struct {
        const char *who;
        enum campaign_step step;
    } way[] = {
        { "account:1", CAMPAIGN_DO_TEST },   { "account:1", CAMPAIGN_DO_SUBMIT },
        { "operator", CAMPAIGN_DO_APPROVE }, { "account:1", CAMPAIGN_DO_SCHEDULE },
        { "system", CAMPAIGN_DO_DUE },
    };

    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        does(t, way[i].who, way[i].step);
}

static int set_up(void **state)
{
    static char tester[24];
    struct conf_list testers = { .n = 1, .v = { tester } };
    struct campaign_conf settled = { .news_licence = "12120250001",
                                     .sender = "天津市人民政府",
                                     .two_eyes_from = 100000,
                                     .testers = &testers };
    struct drafting d;
    struct world *t;
    struct err e;

    service_world_set_up(state);
    t = *state;
    assert_int_equal(go(t, "test", people_job, NULL), RC_OK);
    snprintf(tester, sizeof tester, "%" PRId64, people[0]);
    assert_int_equal(campaign_open(&e, &settled), RC_OK);
    campaign_transports(0);
    d.text = URL("{\"item\":\"%s\",\"title\":\"停水\",\"text\":\"明天停水。\",\"class\":"
                 "\"marketing\",\"audience\":%s}",
                 service_publish(t, "停水通知", "明天停水。", ""), everybody(t));
    assert_int_equal(go(t, "account:1", create_job, &d), RC_OK);
    assert_int_equal(d.c.no, 1);
    return 0;
}

/* ---- what there is ---- */

static int64_t number(struct world *t, const char *sql)
{
    sqlite3_stmt *q;
    int64_t n = -1;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(URL("%s/" DB_NAME, world_dir(t)), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    if (sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

#define THERE                                                                               \
    number(t, "SELECT count(*) FROM inbox JOIN entry e ON e.account = inbox.account AND "   \
              "e.type = 'message' AND e.key = CAST(inbox.no AS TEXT) AND e.gone = 0 WHERE " \
              "grp = 'campaign/1' AND inbox.gone = 0")

/* `ends`, if it is not NULL: before the commit. */
static enum rc inbox_job(struct work *w, void *ends)
{
    int64_t no;
    enum rc rc = campaign_inbox_step(w, &no);

    return rc || !ends ? rc : err_set(&w->err, RC_IO, "the disk is full, or the process ends");
}

/* How many steps until nothing is left. */
static int all_steps(struct world *t)
{
    int n = 0;
    enum rc rc;

    while (!(rc = go(t, "system", inbox_job, NULL)))
        n++;
    assert_int_equal(rc, RC_NOT_FOUND);
    return n;
}

/* ---- */

static void each_gets_one(void **state)
{
    struct world *t = *state;

    fire(t);
    assert_int_equal(all_steps(t), PEOPLE / CAMPAIGN_INBOX_AT_ONCE + 1);
    assert_int_equal(THERE, PEOPLE);
    assert_int_equal(all_steps(t), 0);
}

/* It ended before the commit, or the cursor of an older backup: what was done is done again, and nobody has two. */
static void whatever_is_interrupted_nobody_gets_two(void **state)
{
    struct world *t = *state;

    fire(t);
    assert_int_equal(go(t, "system", inbox_job, NULL), RC_OK);
    assert_int_equal(go(t, "system", inbox_job, t), RC_IO);
    assert_int_equal(THERE, CAMPAIGN_INBOX_AT_ONCE);
    number(t, "UPDATE push_inbox SET next = 0");
    all_steps(t);
    assert_int_equal(THERE, PEOPLE);
    assert_int_equal(number(t, "SELECT count(*) FROM inbox WHERE grp = 'campaign/1'"), PEOPLE);
}

static void a_recall_stops_it_and_takes_back_what_is_there(void **state)
{
    struct world *t = *state;

    fire(t);
    assert_int_equal(go(t, "system", inbox_job, NULL), RC_OK);
    does(t, "account:2", CAMPAIGN_DO_RECALL);
    assert_int_equal(THERE, CAMPAIGN_INBOX_AT_ONCE);
    all_steps(t);
    assert_int_equal(THERE, 0);
    assert_int_equal(number(t, "SELECT count(*) FROM inbox WHERE grp = 'campaign/1'"),
                     CAMPAIGN_INBOX_AT_ONCE); /* the others never had one */
    assert_int_equal(number(t, "SELECT state FROM push_inbox"), 3);
    assert_int_equal(number(t, "SELECT taken FROM push_inbox"), CAMPAIGN_INBOX_AT_ONCE);
}

static void recalled_when_all_have_it_it_goes_from_all(void **state)
{
    struct world *t = *state;

    fire(t);
    all_steps(t);
    does(t, "account:2", CAMPAIGN_DO_RECALL);
    all_steps(t);
    assert_int_equal(THERE, 0);
}

static void it_waits_while_the_campaign_is_paused(void **state)
{
    struct world *t = *state;

    fire(t);
    assert_int_equal(go(t, "system", inbox_job, NULL), RC_OK);
    does(t, "account:2", CAMPAIGN_DO_PAUSE);
    assert_int_equal(all_steps(t), 0);
    does(t, "account:2", CAMPAIGN_DO_RESUME);
    all_steps(t);
    assert_int_equal(THERE, PEOPLE);
}

static enum rc refuse_job(struct work *w, void *key)
{
    return entry_put(w, people[7], "consent", key, "false", NULL, NULL);
}

static void who_wants_nothing_of_the_class_has_nothing(void **state)
{
    struct world *t = *state;
    static char key[] = "push/class/marketing";

    assert_int_equal(go(t, "test", refuse_job, key), RC_OK);
    fire(t);
    all_steps(t);
    assert_int_equal(THERE, PEOPLE - 1);
    assert_int_equal(
        number(t, URL("SELECT count(*) FROM inbox WHERE account = %" PRId64, people[7])), 0);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, service_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_gets_one),
        TEST(whatever_is_interrupted_nobody_gets_two),
        TEST(a_recall_stops_it_and_takes_back_what_is_there),
        TEST(recalled_when_all_have_it_it_goes_from_all),
        TEST(it_waits_while_the_campaign_is_paused),
        TEST(who_wants_nothing_of_the_class_has_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
