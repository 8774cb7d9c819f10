/*
 * push_city.c - forty phones, staff, and a sender that a test answers for.
 */
#include "tests/lib/push_city.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "push/live.h"
#include "push/push_thread.h"
#include "server/base/clock.h"
#include "server/store/db.h"
#include "server/store/writer.h"

struct fake_sender city_sender;
atomic_int city_shown[CITY_PHONES], city_taken_back[CITY_PHONES], city_says;
char city_told[600];
struct person city_people[CITY_PHONES], city_approvers[2];
const char *city_column;

static enum push_verdict_kind answer(const struct push_message *m, const char *token)
{
    int no = person_of(token);
    enum push_verdict_kind kind = (enum push_verdict_kind)atomic_load(&city_says);

    if (no == 0)
        snprintf(city_told, sizeof city_told, "%s", m->text);
    if (kind == PUSH_ACCEPTED || kind == PUSH_DOUBT)
        atomic_fetch_add(m->takes_back ? &city_taken_back[no] : &city_shown[no], 1);
    return kind;
}

void city_start(struct world *t)
{
    struct err e = { 0 };

    if (push_thread_start(&e, URL("%s/" DB_NAME, world_dir(t)), fake_sender_open(&city_sender)))
        fail_msg("%s", e.text);
}

static enum rc create_job(struct work *w, void *arg)
{
    struct city_order *d = arg;
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

static enum rc city_step_job(struct work *w, void *arg)
{
    struct city_order *d = arg;
    struct campaign_order o = { .text = d->text };
    struct campaign now;
    enum rc rc;

    if ((rc = campaign_find(w, d->no, &now)))
        return rc;
    o.hash = now.hash;
    return campaign_do(w, d->no, d->step, &o, &d->c);
}

enum rc city_go(struct world *t, struct city_order *d,
                enum rc (*job)(struct work *w, void *arg))
{
    struct work w;
    enum rc rc;

    work_init(&w, world_mem(t), NULL, d->who, d->rights);
    rc = writer_call(&w, job, d);
    if (rc)
        print_message("# %s\n", w.err.text);
    return rc;
}

enum rc city_does(struct world *t, int64_t no, const char *who, enum campaign_step step,
                  const char *text)
{
    struct city_order d = {
        .who = who, .rights = RIGHT_ALL, .no = no, .step = step, .text = text
    };

    return city_go(t, &d, city_step_job);
}

static enum rc see_job(struct work *w, void *arg)
{
    struct city_seen *s = arg;

    s->runs = run_count(w, s->no, &s->n) == RC_OK;
    return campaign_find(w, run_campaign(s->no), &s->c);
}

struct city_seen city_see(struct world *t, int64_t no)
{
    struct city_seen s = { .no = no };
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, see_job, &s), RC_OK);
    return s;
}

void city_until(struct world *t, int64_t no, enum campaign_state state)
{
    for (int ms = 0; city_see(t, no).c.state != state; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
}

void city_until_tested(struct world *t, int64_t no)
{
    for (int ms = 0; !city_see(t, no).c.tested; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
}

void city_until_sent(struct world *t, int64_t no)
{
    for (int ms = 0; city_see(t, no).n.sent < CITY_PHONES; ms += 10) {
        assert_in_range(ms, 0, CITY_WAIT_MS);
        clock_sleep_ms(10);
    }
}

int64_t city_outcomes(const struct run_counts *n, enum run_what what)
{
    int64_t sum = 0;

    for (int by = 0; by < TRANSPORT_COUNT; by++)
        sum += n->by[by][what];
    return sum;
}

int city_set_up(void **state)
{
    static char tester[24];
    struct campaign_conf settled = {
        .news_licence = "", .sender = "", .two_eyes_from = 1000000, .a_person = 3
    };
    static struct conf_list testers;
    struct world *t;
    struct err e = { 0 };

    service_world_set_up(state);
    t = *state;
    person_with_phones(t, city_people, CITY_PHONES);
    for (int i = 0; i < CITY_PHONES; i++)
        city_shown[i] = city_taken_back[i] = 0;
    for (int i = 0; i < 2; i++)
        city_approvers[i] = person_staff(t, "push_approver", EVERYWHERE);
    snprintf(tester, sizeof tester, "%" PRId64, city_people[0].account);
    testers = (struct conf_list){ .n = 1, .v = { tester } };
    settled.testers = &testers;
    assert_int_equal(campaign_open(&e, &settled), RC_OK);
    city_says = PUSH_ACCEPTED;
    city_column = "通知公告";
    city_sender.room = 4;
    city_sender.answer = answer;
    city_sender.on = 1U << TRANSPORT_HUAWEI | 1U << TRANSPORT_XIAOMI;
    city_sender.holds = false;
    city_sender.recalls[TRANSPORT_HUAWEI] = city_sender.recalls[TRANSPORT_XIAOMI] =
        VENDOR_RECALL_NONE;
    live_open(&(struct live_conf){ .beat_ms = 30000 });
    city_start(t);
    return 0;
}

int city_tear_down(void **state)
{
    int rc;

    push_thread_stop();
    rc = service_world_tear_down(state);
    live_close();
    return rc;
}

static const char *published(struct world *t)
{
    static const char *const steps[] = { "submit", "approve", "publish" };
    struct answer a =
        tell(t, POST, "/v1/items",
             URL("{\"site\":\"1200000000\",\"column\":\"%s\",\"title\":\"停水通知\","
                 "\"body\":\"明天停水。\"}",
                 city_column));
    const char *id = text_of(t, &a, "id");

    for (int i = 0; i < 3; i++)
        assert_int_equal(tell(t, POST, URL("/v1/items/%s/%s", id, steps[i]), NULL).status, 200);
    return id;
}

int64_t city_drafted(struct world *t, const char *more)
{
    struct city_order d = {
        .who = "account:1", .rights = RIGHT_ALL, .item = published(t), .more = more
    };

    assert_int_equal(city_go(t, &d, create_job), RC_OK);
    return d.c.no;
}

int64_t city_scheduled(struct world *t, const char *more)
{
    int64_t no = city_drafted(t, more);

    DOES("account:1", TEST, NULL);
    city_until_tested(t, no);
    city_shown[0] = 0;
    DOES("account:1", SUBMIT, NULL);
    DOES(FIRST, APPROVE, NULL);
    DOES(SECOND, APPROVE, NULL);
    DOES("account:1", SCHEDULE, NULL);
    return no;
}

/* Nothing of this server's writes that: a disk does, or somebody with the file. */
void city_vandalise(struct world *t, const char *sql)
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

void city_pass(int64_t to)
{
    clock_skip((to - clock_now()) * 1000);
}

/* On the writer, which reads them while the thread of push runs. */
void city_settle(struct world *t, struct campaign_conf *settled)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", 0);
    assert_int_equal(writer_call(&w, settings_job, settled), RC_OK);
}

enum finding city_looks(struct world *t, enum finding (*judge)(struct health *h))
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

bool city_took(struct world *t, int64_t no, const char *step)
{
    struct answer a = tell(t, GET, URL("/v1/push/campaigns/%" PRId64 "/steps", no), NULL);

    return strstr(a.body, URL("\"step\":\"%s\"", step)) != NULL;
}
