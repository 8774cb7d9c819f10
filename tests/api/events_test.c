/*
 * events_test.c - hints over HTTP: what is sent when, and that nobody waits for a slow reader.
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

#include "api/events.h"
#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/citizen/entry.h"
#include "server/http/sse_reader.h"
#include "server/identity/credential.h"
#include "server/identity/session.h"
#include "server/store/writer.h"
#include "sync/head.h"
#include "sync/live.h"
#include "tests/lib/world.h"

/* clang-format off */
static const struct route routes[] = {
    { GET, "/v1/events", RIGHT_READ, ON_LOOP, 0, event_params, 0, get_events, NULL, "sync", "提示", NULL },
    { 0 },
};
/* clang-format on */

static const char *spread, *heartbeat, *subscribers; /* settings of the next fixture */

struct fixture {
    struct world *world;
    struct wire_head head;
};

static struct conf conf;

static void before_writer(void)
{
    sync_watch();
    events_open(&conf);
}

static void set(const char *key, const char *value)
{
    struct err e;

    if (conf_set(&e, &conf, key, value))
        fail_msg("%s", e.text);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct world_conf w = { .before_writer = before_writer };
    struct err e;

    assert_int_equal(conf_load(&e, NULL, NULL, &conf), RC_OK);
    set("hint_spread", spread ? spread : "0s");
    set("hint_heartbeat", heartbeat ? heartbeat : "30s");
    set("hint_subscribers", subscribers ? subscribers : "100");
    f->world = world_open_with(routes, &w);
    set("data", world_dir(f->world));
    assert_int_equal(sync_start(&e, &conf, NULL, NULL), RC_OK);
    assert_true(head_values(live_own(), &f->head));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sync_stop();
    world_close(f->world);
    sync_done();
    events_close();
    conf_done(&conf);
    assert_int_equal(metric_get(METRIC_hint_subscribers), 0);
    free(f);
    return 0;
}

/* ---- */

static enum rc sign(struct work *w, void *arg)
{
    (void)arg;
    return head_sign(w, live_own(), true);
}

/* A new head; returns when it is shown. */
static void publish(struct fixture *f)
{
    struct work w;

    work_init(&w, arena_new(), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, sign, NULL), RC_OK);
    arena_free(w.mem);
    assert_true(head_values(live_own(), &f->head));
}

static int count(const char *text, const char *word)
{
    int n = 0;

    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

static const char *id_of(struct fixture *f)
{
    return arena_printf(world_mem(f->world), "main=%" PRIu64 ".%" PRIu64 ".%" PRIu64,
                        f->head.epoch, f->head.seq, f->head.sign);
}

static const char *event_of(struct fixture *f)
{
    const char *id = id_of(f), *at = id + strlen("main=");

    return arena_printf(
        world_mem(f->world),
        "id: %s\nevent: head\ndata: "
        "{\"stream\":\"main\",\"head\":\"/v1/sync/main/head/%s\",\"seq\":%" PRIu64
        ",\"poll\":60,\"spread\":%s}\n\n",
        id, at, f->head.seq, spread ? "1" : "0");
}

static const char *come(struct fixture *f, struct asking *a)
{
    for (int i = 0; i < 3; i++)
        world_turn(f->world);
    return ask_so_far(f->world, a).body;
}

static void the_newest_head_is_told_at_once(void **state)
{
    struct fixture *f = *state;
    struct asking *a = ask_begin(f->world, GET, "/v1/events", NULL);
    struct answer got = ask_so_far(f->world, a);
    int retry = atoi(got.body + strlen("retry: "));

    assert_int_equal(got.status, 200);
    assert_string_equal(answer_header(f->world, &got, "content-type"), "text/event-stream");
    assert_string_equal(answer_header(f->world, &got, "cache-control"), "no-store");
    assert_string_equal(answer_header(f->world, &got, "x-accel-buffering"), "no");
    assert_string_equal(answer_header(f->world, &got, "content-length"), "");
    assert_in_range(retry, 2000, 10000);
    assert_string_equal(strstr(got.body, "\n\n") + 2, event_of(f));
    assert_int_equal(metric_get(METRIC_hint_subscribers), 1);
    ask_hang_up(f->world, a);
    assert_int_equal(metric_get(METRIC_hint_subscribers), 0);
}

static void who_has_a_token_hears_too(void **state)
{
    struct fixture *f = *state;
    struct asking *a;

    gate_set(&world_editor);
    a = ask_begin(f->world, GET, "/v1/events?stream=main",
                  &(struct ask){ .headers = AS_EDITOR "last-event-id: main=1.1.1" });
    assert_non_null(strstr(come(f, a), event_of(f)));
    ask_hang_up(f->world, a);
}

struct device {
    int64_t id;
    struct session_tokens tokens;
};

static enum rc open_session(struct work *w, void *arg)
{
    static const uint8_t key[32] = "of tokens";
    const struct session_new n = { .account = 7, .level = 1, .device = "test" };
    struct device *d = arg;
    enum rc rc = session_load(w, key);

    return rc ? rc : session_open(w, &n, &d->id, &d->tokens);
}

static enum rc end_session(struct work *w, void *arg)
{
    const struct device *d = arg;

    return session_end(w, 7, d->id);
}

static void an_ended_session_ends_its_streams_and_no_others(void **state)
{
    struct fixture *f = *state;
    struct asking *a[4];
    struct device d;
    struct work w;

    gate_set(&(struct gate_source){ .know = credential_know });
    work_init(&w, world_mem(f->world), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, open_session, &d), RC_OK);
    for (int i = 0; i < 4; i++)
        a[i] =
            ask_begin(f->world, GET, "/v1/events",
                      &(struct ask){ .headers = i ? arena_printf(world_mem(f->world),
                                                                 "authorization: Bearer %s\n",
                                                                 d.tokens.access)
                                                  : NULL });
    come(f, a[0]);
    ask_stall(a[1], true); /* it is in the middle of a write */
    publish(f);
    come(f, a[1]);
    assert_int_equal(writer_call(&w, end_session, &d), RC_OK);
    come(f, a[0]);
    publish(f);
    for (int i = 2; i < 4; i++)
        assert_int_equal(count(ask_end(f->world, a[i]).body, "event:"), 2);
    ask_stall(a[1], false);
    assert_int_equal(count(ask_end(f->world, a[1]).body, "event:"), 2);
    assert_int_equal(count(come(f, a[0]), "event:"), 3);
    assert_int_equal(metric_get(METRIC_hint_subscribers), 1);
    ask_hang_up(f->world, a[0]);
}

static enum rc give(struct work *w, void *account)
{
    static int n;
    const char *survey = arena_printf(w->mem, "0190b1c2-0000-7000-8000-%012d", ++n);

    return entry_put(w, *(int64_t *)account, "answered", survey, "{\"at\":1}", NULL, NULL);
}

static enum rc follow(struct work *w, void *account)
{
    return entry_put(w, *(int64_t *)account, "follow", "tag/a", "{\"rank\":\"a\"}", NULL, NULL);
}

static void who_has_signed_in_hears_of_what_is_his(void **state)
{
    struct fixture *f = *state;
    int64_t his = 7, anothers = his + 1024; /* of one chain */
    struct asking *a[3];
    struct device d;
    struct work w;

    gate_set(&(struct gate_source){ .know = credential_know });
    work_init(&w, world_mem(f->world), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, open_session, &d), RC_OK);
    for (int i = 0; i < 3; i++)
        a[i] =
            ask_begin(f->world, GET, "/v1/events",
                      &(struct ask){ .headers = i ? arena_printf(world_mem(f->world),
                                                                 "authorization: Bearer %s\n",
                                                                 d.tokens.access)
                                                  : NULL });
    come(f, a[0]);
    assert_int_equal(writer_call(&w, give, &anothers), RC_OK);
    assert_int_equal(writer_call(&w, follow, &his),
                     RC_OK); /* a phone wrote that, and knows it */
    assert_int_equal(count(come(f, a[1]), "event: me"), 0);
    ask_stall(a[2], true);
    publish(f);
    come(f, a[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(writer_call(&w, give, &his), RC_OK);
    assert_in_range(count(come(f, a[1]), "event: me\ndata: {}\n\n"), 1, 3);
    assert_int_equal(count(come(f, a[0]), "event: me"), 0);
    ask_stall(a[2], false);
    for (int i = 0; i < 5; i++)
        come(f, a[2]);
    assert_int_equal(count(come(f, a[2]), "event: me"), 1); /* who is slow gets one for all */
    for (int i = 0; i < 3; i++)
        ask_hang_up(f->world, a[i]);
}

static void every_reader_hears_of_a_new_head(void **state)
{
    struct fixture *f = *state;
    struct asking *a[3];
    int64_t sent = metric_get(METRIC_hints_sent);

    for (int i = 0; i < 3; i++)
        a[i] = ask_begin(f->world, GET, i ? "/v1/events" : "/v1/events?stream=main", NULL);
    publish(f);
    for (int i = 0; i < 3; i++)
        assert_non_null(strstr(come(f, a[i]), event_of(f)));
    assert_int_equal(metric_get(METRIC_hints_sent), sent + 6);
    for (int i = 0; i < 3; i++)
        ask_hang_up(f->world, a[i]);
}

static void who_knows_the_newest_is_told_nothing(void **state)
{
    struct fixture *f = *state;
    char header[100];
    struct asking *a;
    const char *body;

    snprintf(header, sizeof header, "last-event-id: %s", id_of(f));
    a = ask_begin(f->world, GET, "/v1/events", &(struct ask){ .headers = header });
    body = come(f, a);
    assert_int_equal(count(body, "event:"), 0);
    assert_int_equal(count(body, "retry:"), 1);
    ask_hang_up(f->world, a);
    publish(f);
    a = ask_begin(f->world, GET, "/v1/events", &(struct ask){ .headers = header });
    assert_non_null(strstr(come(f, a), event_of(f)));
    ask_hang_up(f->world, a);
}

static void a_slow_reader_gets_the_newest_and_others_get_all(void **state)
{
    enum { MANY = 2 * SSE_RING };
    struct fixture *f = *state;
    struct asking *slow = ask_begin(f->world, GET, "/v1/events", NULL),
                  *quick = ask_begin(f->world, GET, "/v1/events", NULL);
    int64_t skipped = metric_get(METRIC_hints_skipped);

    ask_stall(slow, true);
    for (int i = 0; i < MANY; i++) {
        publish(f);
        world_turn(f->world);
    }
    assert_int_equal(count(come(f, quick), "event:"), 1 + MANY);
    assert_int_equal(count(come(f, slow), "event:"), 2); /* the second is on its way */
    ask_stall(slow, false);
    assert_int_equal(count(come(f, slow), "event:"), 3);
    assert_non_null(strstr(come(f, slow), event_of(f)));
    assert_int_equal(metric_get(METRIC_hints_skipped), skipped + 1);
    publish(f);
    assert_non_null(strstr(come(f, slow), event_of(f)));
    assert_non_null(strstr(come(f, quick), event_of(f)));
    ask_hang_up(f->world, slow);
    ask_hang_up(f->world, quick);
}

static void one_who_hangs_up_in_the_middle_of_a_write_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct asking *a = ask_begin(f->world, GET, "/v1/events", NULL);

    ask_stall(a, true);
    publish(f);
    come(f, a);
    ask_hang_up(f->world, a);
    for (int i = 0; i < SSE_RING + 1; i++)
        publish(f);
    world_turn(f->world); /* the leak checker sees to the rest */
}

/* The loop ends with its bell just rung: libh2o would not forgive a message left in its queue. */
static void a_head_after_the_last_reader_does_not_trip_the_end(void **state)
{
    struct fixture *f = *state;

    ask_hang_up(f->world, ask_begin(f->world, GET, "/v1/events", NULL));
    publish(f);
}

static void more_than_the_limit_are_sent_away_for_a_while(void **state)
{
    struct fixture *f = *state;
    struct asking *a = ask_begin(f->world, GET, "/v1/events", NULL),
                  *b = ask_begin(f->world, GET, "/v1/events", NULL);
    struct answer refused = ask(f->world, GET, "/v1/events", NULL);

    assert_int_equal(refused.status, 503);
    assert_in_range(atoi(answer_header(f->world, &refused, "retry-after")), 30, 89);
    ask_hang_up(f->world, a);
    a = ask_begin(f->world, GET, "/v1/events", NULL);
    assert_int_equal(ask_so_far(f->world, a).status, 200);
    ask_hang_up(f->world, a);
    ask_hang_up(f->world, b);
}

static void what_is_no_stream_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f->world, GET, "/v1/events?stream=none", NULL).status, 404);
    assert_int_equal(ask(f->world, GET, "/v1/events?stream=", NULL).status, 400);
    assert_int_equal(ask(f->world, GET, "/v1/events?other=1", NULL).status, 400);
    assert_int_equal(ask(f->world, POST, "/v1/events", NULL).status, 405);
}

static void a_head_request_ends(void **state)
{
    struct fixture *f = *state;
    struct answer a = ask(f->world, HEAD, "/v1/events", NULL);

    assert_int_equal(a.status, 200);
    assert_int_equal(a.len, 0);
}

/* So many events, and last of all when to come back: in 2 s and up to one more, as there are few. */
static void assert_said_and_sent_away(const char *body, int events)
{
    const char *last = body;

    for (const char *p = body; (p = strstr(p, "retry: ")); p++)
        last = p;
    assert_int_equal(count(body, "event:"), events);
    assert_in_range(atoi(last + strlen("retry: ")), 2000, 2999);
    assert_string_equal(strstr(last, "\n\n"), "\n\n");
}

static void when_the_server_stops_streams_end_at_once(void **state)
{
    struct fixture *f = *state;
    struct asking *idle = ask_begin(f->world, GET, "/v1/events", NULL),
                  *busy = ask_begin(f->world, GET, "/v1/events", NULL), *late;

    ask_stall(busy, true);
    publish(f);
    come(f, busy);
    sse_stop();
    assert_said_and_sent_away(ask_end(f->world, idle).body, 2);
    ask_stall(busy, false);
    assert_said_and_sent_away(ask_end(f->world, busy).body, 2);
    late = ask_begin(f->world, GET, "/v1/events", NULL);
    assert_said_and_sent_away(ask_end(f->world, late).body, 0);
}

/* How many of the readers have been told of a second event. */
static int told(struct fixture *f, struct asking *const a[], int n)
{
    int told = 0;

    for (int i = 0; i < n; i++)
        told += count(ask_so_far(f->world, a[i]).body, "event:") == 2;
    return told;
}

/* Real time passes; a machine that is busy elsewhere is late, never early. */
static void an_event_is_spread_over_the_readers(void **state)
{
    enum { READERS = 64, SPREAD_MS = 640, PATIENCE_MS = 10000 };
    struct fixture *f = *state;
    struct asking *a[READERS];
    int64_t began;

    for (int i = 0; i < READERS; i++)
        a[i] = ask_begin(f->world, GET, "/v1/events", NULL);
    publish(f);
    began = clock_mono_us();
    while (clock_mono_us() - began < SPREAD_MS * 1000 / 2)
        world_turn(f->world);
    assert_in_range(told(f, a, READERS), 1, 56); /* half of 64 is 32, give or take 4 */
    while (told(f, a, READERS) < READERS && clock_mono_us() - began < PATIENCE_MS * 1000)
        world_turn(f->world);
    assert_int_equal(told(f, a, READERS), READERS);
    assert_true(clock_mono_us() - began > SPREAD_MS * 1000 * 3 / 4);
    for (int i = 0; i < READERS; i++)
        ask_hang_up(f->world, a[i]);
}

static void who_hears_nothing_hears_a_heartbeat(void **state)
{
    enum { BEAT_MS = 200, PATIENCE_MS = 10000 };
    struct fixture *f = *state;
    struct asking *a = ask_begin(f->world, GET, "/v1/events", NULL);
    int64_t began = clock_mono_us();

    while (count(ask_so_far(f->world, a).body, "\n:\n") < 3 &&
           clock_mono_us() - began < PATIENCE_MS * 1000)
        world_turn(f->world);
    assert_int_equal(count(ask_so_far(f->world, a).body, "\n:\n"), 3);
    assert_true(clock_mono_us() - began > BEAT_MS * 1000 * 3 / 2);
    ask_hang_up(f->world, a);
}

static void who_takes_nothing_for_two_heartbeats_is_ended(void **state)
{
    enum { PATIENCE_MS = 10000 };
    struct fixture *f = *state;
    struct asking *reads = ask_begin(f->world, GET, "/v1/events", NULL),
                  *stalls = ask_begin(f->world, GET, "/v1/events", NULL);
    int64_t before = metric_get(METRIC_patience_reset_reader), began = clock_mono_us();
    int beats;

    ask_stall(stalls, true);
    publish(f);
    while (metric_get(METRIC_patience_reset_reader) == before &&
           clock_mono_us() - began < PATIENCE_MS * 1000)
        world_turn(f->world);
    assert_int_equal(metric_get(METRIC_patience_reset_reader), before + 1);
    beats = count(ask_so_far(f->world, reads).body, "\n:\n");
    while (count(ask_so_far(f->world, reads).body, "\n:\n") < beats + 3 &&
           clock_mono_us() - began < 2 * PATIENCE_MS * 1000)
        world_turn(f->world);
    assert_int_equal(metric_get(METRIC_patience_reset_reader),
                     before + 1); /* once, and only he */
    ask_hang_up(f->world, stalls);
    ask_hang_up(f->world, reads);
}

static int spread_out(void **state)
{
    spread = "640ms";
    return set_up(state);
}

static int beating(void **state)
{
    heartbeat = "200ms";
    return set_up(state);
}

static int narrow(void **state)
{
    subscribers = "2";
    return set_up(state);
}

static int plain(void **state)
{
    spread = heartbeat = subscribers = NULL;
    return set_up(state);
}

int main(void)
{
#define TEST(f, set_up) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_head_is_told_at_once, plain),
        TEST(who_has_a_token_hears_too, plain),
        TEST(an_ended_session_ends_its_streams_and_no_others, plain),
        TEST(who_has_signed_in_hears_of_what_is_his, plain),
        TEST(every_reader_hears_of_a_new_head, plain),
        TEST(who_knows_the_newest_is_told_nothing, plain),
        TEST(a_slow_reader_gets_the_newest_and_others_get_all, plain),
        TEST(one_who_hangs_up_in_the_middle_of_a_write_leaves_nothing, plain),
        TEST(a_head_after_the_last_reader_does_not_trip_the_end, plain),
        TEST(what_is_no_stream_is_refused, plain),
        TEST(a_head_request_ends, plain),
        TEST(when_the_server_stops_streams_end_at_once, plain),
        TEST(an_event_is_spread_over_the_readers, spread_out),
        TEST(who_hears_nothing_hears_a_heartbeat, beating),
        TEST(who_takes_nothing_for_two_heartbeats_is_ended, beating),
        TEST(more_than_the_limit_are_sent_away_for_a_while, narrow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
