/*
 * sse_test.c - what a reader is given: all, or when he is slow the newest, and never less than his
 * id claims.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/http/sse_reader.h"

static int set_up(void **state)
{
    const struct sse_conf conf = { .readers_max = 5,
                                   .client_max = 2,
                                   .sent = METRIC_hints_sent,
                                   .readers = METRIC_hint_subscribers,
                                   .skipped = METRIC_hints_skipped };

    log_set_fd(-1);
    *state = sse_new(&conf);
    return 0;
}

static int tear_down(void **state)
{
    sse_free(*state);
    return 0;
}

static void publish(struct sse *s, const char *topic, int n)
{
    char id[16], data[32];

    snprintf(id, sizeof id, "7.%d", n);
    snprintf(data, sizeof data, "%s %d", topic, n);
    sse_publish(s, topic, id, "head", data);
}

static struct sse_place begin(struct sse *s, const char *topic, const char *last_id)
{
    return sse_place_of(s, &(struct sse_wish){ .sse = s, .topic = topic, .last_id = last_id });
}

/* The data of the next event, or "". `id`, unless NULL, takes the event's. */
static const char *next_until(struct sse *s, struct sse_place *p, uint64_t due, char *id)
{
    static char data[64];
    struct sse_event *e = sse_next(s, p, due);
    const char *at;

    if (!e)
        return "";
    assert_memory_equal(e->text, "id: ", 4);
    if (id) {
        at = memchr(e->text, '\n', e->n);
        snprintf(id, 1000, "%.*s", (int)(at - e->text - 4), e->text + 4);
    }
    at = memmem(e->text, e->n, "\ndata: ", 7) + 7;
    snprintf(data, sizeof data, "%.*s", (int)(e->text + e->n - 2 - at), at);
    sse_event_unref(e);
    return data;
}

static const char *next(struct sse *s, struct sse_place *p)
{
    return next_until(s, p, UINT64_MAX, NULL);
}

static void an_event_is_three_fields(void **state)
{
    static const char text[] = "id: a=7.1,b=7.2\nevent: head\ndata: b 2\n\n";
    struct sse *s = *state;
    struct sse_place p;
    struct sse_event *e;

    publish(s, "a", 1);
    publish(s, "b", 2);
    p = begin(s, "b", NULL);
    e = sse_next(s, &p, UINT64_MAX);
    assert_int_equal(e->n, sizeof text - 1);
    assert_memory_equal(e->text, text, e->n);
    sse_event_unref(e);
}

static void who_comes_gets_the_newest_of_every_topic(void **state)
{
    struct sse *s = *state;
    struct sse_place all, one;

    for (int i = 1; i <= 5; i++)
        publish(s, i == 3 ? "hexi" : "main", i);
    all = begin(s, NULL, NULL);
    assert_string_equal(next(s, &all), "hexi 3");
    assert_string_equal(next(s, &all), "main 5");
    assert_string_equal(next(s, &all), "");
    one = begin(s, "hexi", NULL);
    assert_string_equal(next(s, &one), "hexi 3");
    assert_string_equal(next(s, &one), "");
}

static void who_follows_gets_every_event_once_and_in_order(void **state)
{
    struct sse *s = *state;
    struct sse_place p = begin(s, NULL, NULL), main_only = begin(s, "main", NULL);
    char expected[32];

    for (int i = 1; i <= 3 * SSE_RING; i++) {
        const char *topic = i % 3 ? "main" : "hexi";

        publish(s, topic, i);
        snprintf(expected, sizeof expected, "%s %d", topic, i);
        assert_string_equal(next(s, &p), expected);
        assert_string_equal(next(s, &p), "");
        assert_string_equal(next(s, &main_only), i % 3 ? expected : "");
    }
    assert_int_equal(metric_get(METRIC_hints_skipped), 0);
}

static void who_is_a_little_late_misses_nothing(void **state)
{
    struct sse *s = *state;
    struct sse_place p;
    char expected[32];

    publish(s, "main", 0);
    p = begin(s, NULL, NULL);
    assert_string_equal(next(s, &p), "main 0");
    assert_string_equal(next(s, &p), "");
    for (int i = 1; i <= SSE_RING; i++)
        publish(s, "main", i);
    for (int i = 1; i <= SSE_RING; i++) {
        snprintf(expected, sizeof expected, "main %d", i);
        assert_string_equal(next(s, &p), expected);
    }
}

static void who_is_too_late_gets_the_newest_of_each_and_goes_on(void **state)
{
    struct sse *s = *state;
    struct sse_place p;
    int64_t skipped = metric_get(METRIC_hints_skipped);

    publish(s, "main", 0);
    p = begin(s, NULL, NULL);
    while (*next(s, &p))
        ;
    publish(s, "hexi", 1);
    for (int i = 2; i <= 5000; i++)
        publish(s, "main", i);
    assert_string_equal(next(s, &p), "hexi 1");
    publish(s, "main", 5001);
    assert_string_equal(next(s, &p), "main 5001");
    assert_string_equal(next(s, &p), "");
    publish(s, "hexi", 5002);
    publish(s, "hexi", 5003);
    assert_string_equal(next(s, &p), "hexi 5002");
    assert_string_equal(next(s, &p), "hexi 5003");
    assert_int_equal(metric_get(METRIC_hints_skipped), skipped + 1);
}

static void nothing_is_given_before_it_is_due(void **state)
{
    struct sse *s = *state;
    struct sse_place p = begin(s, NULL, NULL);

    publish(s, "main", 1);
    publish(s, "main", 2);
    assert_string_equal(next_until(s, &p, 0, NULL), "");
    assert_string_equal(next(s, &p), "main 2"); /* it was behind from the beginning */
    assert_string_equal(next(s, &p), "");
    publish(s, "main", 3);
    publish(s, "main", 4);
    assert_string_equal(next_until(s, &p, 2, NULL), "");
    assert_string_equal(next_until(s, &p, 3, NULL), "main 3");
    assert_string_equal(next_until(s, &p, 3, NULL), "");
    assert_string_equal(next_until(s, &p, 4, NULL), "main 4");
}

static void an_id_is_told_only_what_it_does_not_list(void **state)
{
    struct sse *s = *state;
    static const struct {
        const char *topic, *last_id, *first;
    } cases[] = {
        { NULL, "hexi=7.2,main=7.1", "nankai 3" },
        { NULL, "nankai=7.3,hexi=7.2,main=7.1", "" },
        { NULL, "nankai=7.3", "main 1" },
        { "main", "main=7.1", "" },
        { "main", "main=7.0", "main 1" },
        { "hexi", "main=7.1", "hexi 2" },
        { NULL, "", "main 1" },
        { NULL, ",,=,main=7.1,", "hexi 2" },
        { NULL, "main=7.11,xmain=7.1,main=7", "main 1" },
        { "main", " main=7.1", "main 1" },
    };

    publish(s, "main", 1);
    publish(s, "hexi", 2);
    publish(s, "nankai", 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sse_place p = begin(s, cases[i].topic, cases[i].last_id);

        assert_string_equal(next(s, &p), cases[i].first);
    }
}

/* Whatever happens on the way, whoever comes back with the last id he got ends with the newest of every
 * topic. */
static void an_id_never_claims_what_was_not_given(void **state)
{
    enum { TOPICS = 5, STEPS = 20000 };
    static const char *const names[TOPICS] = { "a", "b", "c", "d", "e" };
    struct sse *s = *state;
    struct sse_place p = begin(s, NULL, NULL);
    char id[1000] = "";
    int newest[TOPICS] = { 0 }, held[TOPICS] = { 0 };

    srand(7);
    for (int step = 1; step <= STEPS; step++) {
        const char *got = "-";
        int burst = rand() % 1000 ? rand() % 3 : 2 * SSE_RING;

        for (int i = 0; i < burst; i++) {
            int t = rand() % (rand() % TOPICS + 1);

            newest[t] += 1;
            publish(s, names[t], newest[t]);
        }
        for (int most = rand() % 4; most && *got; most--)
            if (*(got = next_until(s, &p, sse_serial(s) - (uint64_t)(rand() % 2 && newest[0]),
                                   id)))
                held[*got - 'a'] = atoi(got + 2);
        if (rand() % 10)
            continue;
        p = begin(s, NULL, id);
        if (rand() % 10)
            continue;
        while (*(got = next_until(s, &p, UINT64_MAX, id)))
            held[*got - 'a'] = atoi(got + 2);
        assert_memory_equal(held, newest, sizeof held);
    }
}

static void too_many_topics_are_refused(void **state)
{
    struct sse *s = *state;
    struct sse_place p;
    char name[16];

    for (int i = 0; i <= SSE_TOPICS; i++) {
        snprintf(name, sizeof name, "t%d", i);
        publish(s, name, i);
    }
    assert_int_equal(sse_serial(s), SSE_TOPICS);
    p = begin(s, name, NULL);
    assert_string_equal(next(s, &p), "");
}

static void it_is_full_at_its_limit(void **state)
{
    struct sse *s = *state;

    for (uint64_t i = 0; i < 4; i++)
        sse_count(s, i, 1);
    assert_false(sse_full(s, 9));
    sse_count(s, 4, 1);
    assert_true(sse_full(s, 9));
    sse_count(s, 2, -1);
    assert_false(sse_full(s, 9));
    for (uint64_t i = 0; i < 5; i++)
        if (i != 2)
            sse_count(s, i, -1);
    assert_int_equal(metric_get(METRIC_hint_subscribers), 0);
}

/* Also where another stands in its chain. */
static void one_client_cannot_take_every_place(void **state)
{
    struct sse *s = *state;

    sse_count(s, 7, 1);
    sse_count(s, 7 + 1024, 1);
    sse_count(s, 7 + 1024, 1);
    assert_true(sse_full(s, 7 + 1024));
    assert_false(sse_full(s, 7));
    assert_false(sse_full(s, 7 + 2048));
    sse_count(s, 7, -1);
    assert_true(sse_full(s, 7 + 1024));
    sse_count(s, 7 + 1024, -1);
    assert_false(sse_full(s, 7 + 1024));
    sse_count(s, 7 + 1024, -1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_three_fields),
        TEST(who_comes_gets_the_newest_of_every_topic),
        TEST(who_follows_gets_every_event_once_and_in_order),
        TEST(who_is_a_little_late_misses_nothing),
        TEST(who_is_too_late_gets_the_newest_of_each_and_goes_on),
        TEST(nothing_is_given_before_it_is_due),
        TEST(an_id_is_told_only_what_it_does_not_list),
        TEST(an_id_never_claims_what_was_not_given),
        TEST(too_many_topics_are_refused),
        TEST(it_is_full_at_its_limit),
        TEST(one_client_cannot_take_every_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
