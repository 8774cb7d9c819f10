/*
 * push_outage_test.c - a vendor that is out of service for an hour, in every way there is, between the rows of a run and the real sender with its lanes, breakers, grants and verdicts. Time is
 * virtual: nobody waits.
 *
 * Afterwards no address is removed, nobody is refused, and each device has the message or is in doubt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/push_task.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "tests/lib/fake_post.h"
#include "tests/lib/town.h"

enum { STEP_MS = 500, OUTAGE = 3600, BATCH = 5 };
static const unsigned on = 1U << TRANSPORT_HUAWEI | 1U << TRANSPORT_XIAOMI;
static const enum transport by[] = { TRANSPORT_HUAWEI, TRANSPORT_XIAOMI };

static struct town_books books;
static uint8_t shown[TOWN_PEOPLE];    /* how often it came on the screen of that token */
static uint8_t doubtful[TOWN_PEOPLE]; /* … and was perhaps sent, and never answered */
static int64_t down_from, down_to;

/* ---- the vendors ---- */

static void count(const struct vendor_request *rq, uint8_t list[TOWN_PEOPLE])
{
    for (int i = 0; i < TOWN_PEOPLE; i++) {
        char token[80];

        snprintf(token, sizeof token, "%064d", i);
        list[i] += strstr(rq->body, token) != NULL;
    }
}

static void in_service(const struct vendor_request *rq, struct vendor_answer *out)
{
    bool grant = strstr(rq->url, "oauth") != NULL, xiaomi = strstr(rq->url, "xmpush") != NULL;

    out->status = 200;
    out->body = grant    ? "{\"access_token\":\"a-token-of-an-hour\",\"expires_in\":3600}"
                : xiaomi ? "{\"code\":0,\"result\":\"ok\",\"data\":{\"id\":\"1\"}}"
                         : "{\"code\":\"80000000\",\"msg\":\"Success\",\"requestId\":\"1\"}";
    out->body_n = strlen(out->body);
    if (!grant)
        count(rq, shown);
}

static const struct failure {
    enum vendor_fate fate;
    int status;
    const char *headers, *body;
    bool in_doubt; /* it may have come */
} failures[] = {
    { VENDOR_UNSENT, 0, "", "", false }, /* no connection, no name */
    { VENDOR_DOUBT, 0, "", "", true },   /* silence, or the connection died */
    { VENDOR_ANSWERED, 503, "", "<html>Service Unavailable</html>", false },
    { VENDOR_ANSWERED, 503, "retry-after: 240\n", "", false },
    { VENDOR_ANSWERED, 502, "content-type: text/html\n", "<html>Bad Gateway</html>", true },
    { VENDOR_ANSWERED, 500, "", "{\"code\":\"81000001\",\"msg\":\"internal\"}", true },
    { VENDOR_ANSWERED, 404, "", "<html>Not Found</html>", false }, /* a gateway's */
    { VENDOR_ANSWERED, 403, "", "<html>Forbidden</html>", false },
    { VENDOR_ANSWERED, 429, "retry-after: 30\n", "", false },
    { VENDOR_ANSWERED, 200, "", "<html>Welcome to nginx!</html>", true },
};

/* Another one each three minutes. */
static void out_of_service(const struct vendor_request *rq, struct vendor_answer *out)
{
    size_t minute = (size_t)(clock_now() - down_from) / 60;
    const struct failure *f = &failures[minute / 3 % (sizeof failures / sizeof *failures)];

    out->fate = f->fate;
    out->status = f->status;
    out->headers = f->headers;
    out->body = f->body;
    out->body_n = strlen(f->body);
    if (!f->in_doubt || strstr(rq->url, "oauth"))
        return;
    count(rq, doubtful);
    if (town_roll(2))
        count(rq, shown);
}

static void answer(const struct vendor_request *rq, struct vendor_answer *out)
{
    bool down = clock_now() >= down_from && clock_now() < down_to;

    (down ? out_of_service : in_service)(rq, out);
}

/* ---- the server ---- */

static struct task *answered;

static void on_answered(struct task *k)
{
    task_put(&answered, k);
}

static struct sender *opened_sender(struct library_world *t, struct conf *c)
{
    static const char *const env[] = {
        "TJZW_PUSH_HUAWEI_PROJECT=1",       "TJZW_PUSH_HUAWEI_CLIENT=2",
        "TJZW_PUSH_HUAWEI_CLIENT_SECRET=3", "TJZW_PUSH_XIAOMI_PACKAGE=cn.example.app",
        "TJZW_PUSH_XIAOMI_SECRET=4",        NULL
    };
    struct sender *s = NULL;
    struct err e;

    if (conf_load(&e, NULL, env, c) || conf_set(&e, c, "data", t->dir) ||
        sender_open(&e, c, NULL, &s))
        fail_msg("%s", e.text);
    assert_int_equal(sender_on(s), on);
    return s;
}

static enum rc write_one(struct library_world *t, void *task)
{
    struct task *k = task;

    return run_write(&t->w, &k->b, k->again_ms);
}

struct takes {
    enum transport by;
    struct task *k;
};

static enum rc take_one(struct library_world *t, void *arg)
{
    struct run_limits l = { .most = BATCH };
    struct takes *a = arg;
    int64_t run;

    return task_take(&t->w, a->by, &l, on_answered, &a->k, &run);
}

static void take_all(struct library_world *t, struct sender *s)
{
    for (size_t i = 0; i < sizeof by / sizeof *by; i++)
        for (int room = sender_room(s, by[i], SENDER_CAMPAIGN); room > 0; room--) {
            struct takes a = { .by = by[i] };
            enum rc rc = world_do(t, take_one, &a);

            if (rc == RC_NOT_FOUND)
                break;
            assert_int_equal(rc, RC_OK);
            if (a.k)
                task_give(a.k, s);
        }
}

/* What push_thread.c does in a round. Returns whether the run is over. */
static bool round_of(struct library_world *t, struct sender *s, int *requests)
{
    unsigned those = on;
    struct task *k;
    int64_t over;

    *requests += fake_post_land(answer);
    sender_turn(s);
    while ((k = task_pop(&answered))) {
        assert_int_equal(world_do(t, write_one, k), RC_OK);
        task_free(k);
    }
    while (world_do(t, town_open, &those) == RC_OK)
        continue;
    while (world_do(t, town_drop, &those) == RC_OK)
        continue;
    if (world_do(t, town_finish, &over) == RC_OK)
        return true;
    take_all(t, s);
    return false;
}

/* ---- */

static void began(struct library_world *t, enum run_doubt doubt)
{
    struct town_vendor unused = { 0 };
    struct town_plan p = town_plan_of(1, &unused);

    world_vandalise(t, "UPDATE push_address SET transport = 3 WHERE transport = 7");
    p.run.doubt = doubt;
    p.run.said = "{\"class\":\"service\",\"link\":\"\",\"picture\":\"\",\"text\":\"八点停水\","
                 "\"title\":\"停水\",\"ttl\":86400}";
    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    memset(shown, 0, sizeof shown);
    memset(doubtful, 0, sizeof doubtful);
    down_from = clock_now() + 1; /* when the first are on their way */
    down_to = down_from + OUTAGE;
}

static void judge(struct library_world *t, enum run_doubt doubt)
{
    int64_t n[RUN_WHATS];

    town_book(t, 1, &books);
    town_count(&books, n);
    print_message("# accepted %lld, in doubt %lld\n", (long long)n[RUN_ACCEPTED],
                  (long long)n[RUN_DOUBT]);
    assert_int_equal(n[RUN_ACCEPTED] + n[RUN_DOUBT], TOWN_PEOPLE);
    for (int i = 0; i < TOWN_PEOPLE; i++) {
        int64_t no = town_device[i];
        bool in_doubt = books.outcome[no] == RUN_DOUBT;

        assert_true(shown[i] || in_doubt);
        assert_int_equal(in_doubt, doubtful[i] > (doubt == RUN_RESEND)); /* the second time */
        assert_true(shown[i] <= 1 || (doubt == RUN_RESEND && books.resent[no]));
    }
}

static void an_hour_without_vendors(struct library_world *t, enum run_doubt doubt)
{
    int64_t addresses = world_number(t, "SELECT count(*) FROM push_address");
    struct conf c;
    struct sender *s = opened_sender(t, &c);
    int requests = 0;

    began(t, doubt);
    while (!round_of(t, s, &requests)) {
        assert_true(clock_now() <
                    down_to + 2400); /* the longest wait of one that was refused */
        clock_skip(STEP_MS);
    }
    print_message("# over %lld s after the vendors came back, %d requests\n",
                  (long long)(clock_now() - down_to), requests);
    assert_true(clock_now() >= down_to); /* or nothing was shown by it */
    assert_true(fake_post_urgent() >
                0); /* grants alone: a warning waits for one behind nobody */
    judge(t, doubt);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address"), addresses);
    sender_close(s);
    conf_done(&c);
}

static void nobody_is_lost_if_it_is_sent_again(void **state)
{
    an_hour_without_vendors(*state, RUN_RESEND);
}

static void nobody_is_lost_if_doubt_is_left_to_the_inbox(void **state)
{
    an_hour_without_vendors(*state, RUN_SKIP);
}

/* Said for three hours, until 18:00, and sent at 17:50. Red before: a phone that was off showed it until ten to nine. */
static void what_is_sent_late_ends_when_it_was_to(void **state)
{
    struct library_world *t = *state;
    struct town_vendor unused = { 0 };
    struct town_plan p = town_plan_of(1, &unused);
    struct takes a = { .by = TRANSPORT_HUAWEI };
    unsigned those = on;

    p.run.said = "{\"class\":\"service\",\"link\":\"\",\"picture\":\"\",\"text\":\"暴雨\","
                 "\"title\":\"预警\",\"ttl\":10800}";
    p.run.ends_ms = clock_now_ms() + 10800 * 1000;
    assert_int_equal(world_do(t, town_begin, &p.run), RC_OK);
    while (world_do(t, town_open, &those) == RC_OK)
        continue;
    assert_int_equal(world_do(t, take_one, &a), RC_OK);
    assert_in_range(a.k->message.ttl, 10798, 10800);
    task_free(a.k);
    clock_set(clock_now() + 10200);
    assert_int_equal(world_do(t, take_one, &a), RC_OK);
    assert_in_range(a.k->message.ttl, 598, 600);
    task_free(a.k);
}

/* When a batch of so many devices and tries is due. */
static int64_t waiting(struct library_world *t, int n, int tries)
{
    char sql[160];

    snprintf(sql, sizeof sql,
             "SELECT at FROM push_batch WHERE sent = 0 AND n = %d AND tries = %d", n, tries);
    return world_number(t, sql);
}

/* Of five two wait for their service's turn, one was told to come later, and two failed. Red before: all of them had a try less, and waited for the last. */
static void waiting_for_a_turn_costs_no_try(void **state)
{
    struct library_world *t = *state;
    struct town_vendor unused = { 0 };
    struct town_plan p = town_plan_of(1, &unused);
    struct takes a = { .by = TRANSPORT_HUAWEI };
    int64_t mono_ms = clock_mono_us() / 1000, now_ms = clock_now_ms();
    struct sender_again again[BATCH] = { { mono_ms + 20000, true },
                                         { mono_ms + 20000, true },
                                         { mono_ms + 60000, false } };
    struct push_verdict verdict[BATCH] = { { PUSH_AGAIN, 0, "" } };

    p.run.said = "{\"class\":\"service\",\"link\":\"\",\"picture\":\"\",\"text\":\"八点停水\","
                 "\"title\":\"停水\",\"ttl\":86400}";
    town_opened(t, &p);
    assert_int_equal(world_do(t, take_one, &a), RC_OK);
    assert_int_equal(a.k->b.n, BATCH);
    a.k->b.tries = 8; /* the back-off is of 256 s at least */
    a.k->job.verdict = verdict;
    a.k->job.again = again;
    a.k->job.done(&a.k->job);
    assert_ptr_equal(task_pop(&answered), a.k);
    assert_int_equal(world_do(t, write_one, a.k), RC_OK);
    task_free(a.k);
    assert_in_range(waiting(t, 2, 8), now_ms + 19000, now_ms + 22000);
    assert_in_range(waiting(t, 1, 9), now_ms + 315000, now_ms + 575000);
    assert_in_range(waiting(t, 2, 9), now_ms + 255000, now_ms + 515000);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_batch"), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, town_set_up, town_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_sent_late_ends_when_it_was_to),
        TEST(waiting_for_a_turn_costs_no_try),
        TEST(nobody_is_lost_if_it_is_sent_again),
        TEST(nobody_is_lost_if_doubt_is_left_to_the_inbox),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
