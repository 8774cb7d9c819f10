/*
 * push_turn_test.c - whose turn it is at a service of browsers: the real sender over no network, in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/sender.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "tests/lib/fake_post.h"

enum { NOW = 1795000000, TOKENS = 3, HALF_A_MINUTE = 30000 };

#define SUBSCRIPTION(host, point)                                                   \
    "{\"endpoint\":\"https://" host "/wpush/v2/abc\",\"keys\":{\"p256dh\":\"" point \
    "\",\"auth\":\"BTBZMqHH6r4Tts7J_aSIgg\"}}"
#define POINT                                                                       \
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SR" \
    "pkNtoIAiw4"
#define NO_POINT                                                                   \
    "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "AAAAAAAAAAA"

static const char one[] = SUBSCRIPTION("fcm.googleapis.com", POINT);
static const char other[] = SUBSCRIPTION("updates.push.services.mozilla.com", POINT);
static const char no_key[] = SUBSCRIPTION("fcm.googleapis.com", NO_POINT);

struct world {
    struct conf conf;
    struct sender *s;
    char dir[64];
};

static int up(void **state)
{
    static const char *const env[] = { "TJZW_PUSH_WEBPUSH=true",
                                       "TJZW_PUSH_WEBPUSH_CONTACT=mailto:push@example.cn",
                                       NULL };
    struct world *t = calloc(1, sizeof *t);
    char path[128];
    struct err e;

    clock_set(NOW);
    strcpy(t->dir, "/tmp/tjzw-turn-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(path, sizeof path, "%s/keys", t->dir);
    assert_int_equal(fs_mkdirs(&e, path, 0700), RC_OK);
    if (conf_load(&e, NULL, env, &t->conf) || conf_set(&e, &t->conf, "data", t->dir) ||
        sender_open(&e, &t->conf, NULL, &t->s))
        fail_msg("%s", e.text);
    *state = t;
    return 0;
}

static int down(void **state)
{
    struct world *t = *state;
    char command[128];

    sender_close(t->s);
    conf_done(&t->conf);
    clock_unset();
    snprintf(command, sizeof command, "rm -r '%s'", t->dir);
    assert_int_equal(system(command), 0);
    free(t);
    return 0;
}

/* ---- jobs ---- */

/* A job and what was answered: verdicts are gone after done(). */
struct asked {
    struct sender_job job;
    const char *tokens[TOKENS];
    enum push_verdict_kind kind[TOKENS];
    struct sender_again again[TOKENS];
    int64_t at_ms;
    bool done;
};

static void on_done(struct sender_job *job)
{
    struct asked *a = job->arg;

    for (int i = 0; i < job->n; i++) {
        a->kind[i] = job->verdict[i].kind;
        a->again[i] = job->again[i];
    }
    a->done = true;
}

static void ask(struct world *t, struct asked *a, enum sender_haste haste, int n,
                const char *first, const char *second, const char *third)
{
    static const struct push_message hello = { .title = "停水",
                                               .text = "八点停水",
                                               .link = "",
                                               .picture = "",
                                               .sender = "",
                                               .collapse = "c1",
                                               .ttl = 600,
                                               .class = PUSH_SERVICE,
                                               .badge = -1 };
    struct err e;

    *a = (struct asked){ .tokens = { first, second, third }, .at_ms = clock_mono_us() / 1000 };
    a->job = (struct sender_job){ .by = TRANSPORT_WEBPUSH,
                                  .haste = haste,
                                  .message = &hello,
                                  .tokens = a->tokens,
                                  .n = n,
                                  .until_ms = a->at_ms + HALF_A_MINUTE,
                                  .done = on_done,
                                  .arg = a };
    assert_int_equal(sender_give(t->s, &e, &a->job), RC_OK);
}

static void takes(const struct vendor_request *rq, struct vendor_answer *out)
{
    (void)rq;
    out->status = 201;
}

static void one_is_too_slow(const struct vendor_request *rq, struct vendor_answer *out)
{
    out->status = 429;
    if (strstr(rq->url, "fcm"))
        out->headers = "retry-after: 30\n";
}

static void turns_until(struct world *t, struct asked *a, fake_post_answer answer)
{
    for (int i = 0; i < 100 && !a->done; i++, clock_skip(5)) {
        sender_turn(t->s);
        fake_post_land(answer);
    }
    sender_turn(t->s);
    assert_true(a->done);
}

/* ---- */

/* Red before: a campaign emptied the bucket that both had, and the warning was put off, again and again. */
static void an_emergency_waits_for_no_campaigns_turn(void **state)
{
    struct world *t = *state;
    struct asked campaign, warning;

    ask(t, &campaign, SENDER_CAMPAIGN, 2, one, one, NULL);
    sender_turn(t->s);
    ask(t, &warning, SENDER_EMERGENCY, 1, one, NULL, NULL);
    sender_turn(t->s);
    fake_post_land(takes);
    sender_turn(t->s);
    assert_true(warning.done);
    assert_int_equal(warning.kind[0], PUSH_ACCEPTED);
    turns_until(t, &campaign, takes);
}

static void a_service_that_rests_rests_for_both(void **state)
{
    struct world *t = *state;
    struct asked campaign, warning;

    ask(t, &campaign, SENDER_CAMPAIGN, 1, one, NULL, NULL);
    turns_until(t, &campaign, one_is_too_slow);
    ask(t, &warning, SENDER_EMERGENCY, 2, one, other, NULL);
    turns_until(t, &warning, takes);
    assert_int_equal(warning.kind[0], PUSH_AGAIN);
    assert_int_equal(warning.kind[1], PUSH_ACCEPTED);
}

static void waits(const struct asked *a, int i, int64_t ms)
{
    int64_t now_ms = clock_mono_us() / 1000;

    assert_int_equal(a->kind[i], PUSH_AGAIN);
    assert_in_range(a->again[i].at_ms, a->at_ms + ms, now_ms + ms);
}

/* Red before: all of the batch waited as long as one service had said. */
static void what_one_service_says_is_for_its_own_alone(void **state)
{
    struct world *t = *state;
    struct asked a;

    ask(t, &a, SENDER_CAMPAIGN, 2, other, one, NULL);
    turns_until(t, &a, one_is_too_slow);
    assert_int_equal(a.kind[0], PUSH_AGAIN);
    assert_int_equal(a.again[0].at_ms, 0);
    waits(&a, 1, HALF_A_MINUTE);
    assert_false(a.again[1].put_off); /* it was tried */
    assert_int_equal(a.job.again_ms, 0);
}

/* Red before: it was made first, encrypted and signed, so that this one was refused. */
static void a_turn_is_asked_for_before_the_message_is_made(void **state)
{
    struct world *t = *state;
    struct asked a;

    ask(t, &a, SENDER_CAMPAIGN, 1, one, NULL, NULL);
    turns_until(t, &a, one_is_too_slow);
    ask(t, &a, SENDER_CAMPAIGN, 2, no_key, other, NULL);
    turns_until(t, &a, takes);
    assert_int_equal(a.kind[0], PUSH_AGAIN);
    assert_true(a.again[0].put_off);
    assert_int_equal(a.kind[1], PUSH_ACCEPTED);
    clock_skip(HALF_A_MINUTE);
    ask(t, &a, SENDER_CAMPAIGN, 1, no_key, NULL, NULL);
    turns_until(t, &a, takes);
    assert_int_equal(a.kind[0], PUSH_REJECTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        TEST(an_emergency_waits_for_no_campaigns_turn),
        TEST(a_service_that_rests_rests_for_both),
        TEST(what_one_service_says_is_for_its_own_alone),
        TEST(a_turn_is_asked_for_before_the_message_is_made),
    };

    return cmocka_run_group_tests_name("push_turn", tests, NULL, NULL);
}
