/* Who makes the edge work: answers are made once, the queue is finite, and a busy address waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/generation.h"
#include "server/base/metric.h"
#include "server/http/cache.h"
#include "tests/lib/edge_world.h"

static int open_narrow(void **state)
{
    return edge_world_set_up_with(state, &(struct world_conf){ .queue_max = 2 });
}

static int open_limited(void **state)
{
    return edge_world_set_up_with(state, &(struct world_conf){ .rate_limit = 3 });
}

static int open_behind_a_proxy(void **state)
{
    return edge_world_set_up_with(
        state, &(struct world_conf){ .rate_limit = 3, .trusted_proxies = "10.0.0.0/8" });
}

static void the_cache_follows_the_generation(void **state)
{
    struct world *t = *state;
    static const char *const targets[] = { "/cached", "/quick" };

    for (int i = 0; i < 2; i++) {
        edge_world_calls = 0;
        for (int k = 0; k < 3; k++)
            assert_string_equal(ask(t, GET, targets[i], NULL).body, targets[i]);
        assert_int_equal(edge_world_calls, 1);
        generation_next();
        ask(t, GET, targets[i], NULL);
        assert_int_equal(edge_world_calls, 2);
    }
    edge_world_calls = 0;
    ask(t, GET, "/forever", NULL);
    generation_next();
    ask(t, GET, "/forever", NULL);
    assert_int_equal(edge_world_calls, 1);
    cache_forget_all();
    ask(t, GET, "/forever", NULL);
    assert_int_equal(edge_world_calls, 2);
}

static void a_cached_answer_knows_nobody(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/shared/x", &(struct ask){ .origin = ORIGIN_ADMIN });

    assert_string_equal(a.body, "public n=-1 q=- x  ");
    assert_string_equal(HEADER(a, "request-id"), "");
}

static void a_failure_is_not_cached_and_keeps_its_pointer(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/gone", NULL);

    assert_int_equal(a.status, 410);
    assert_string_equal(HEADER(a, "link"), "</newest>; rel=\"alternate\"");
    assert_non_null(strstr(a.body, "/gone was withdrawn"));
    ask(t, GET, "/gone", NULL);
    assert_int_equal(edge_world_calls, 2);
}

static void many_who_ask_together_are_answered_by_one_making(void **state)
{
    struct world *t = *state;
    struct asking *asking[5];

    edge_world_held = 1;
    for (int i = 0; i < 5; i++)
        asking[i] = ask_begin(t, GET, "/cached-slow", NULL);
    ask_hang_up(t, asking[0]); /* the one who made us work */
    edge_world_held = 0;
    for (int i = 1; i < 5; i++)
        assert_string_equal(ask_end(t, asking[i]).body, "slow");
    assert_int_equal(edge_world_calls, 1);
}

static void a_client_that_hangs_up_costs_nothing(void **state)
{
    struct world *t = *state;
    struct asking *asking[6];
    int64_t orphans = metric_get(METRIC_jobs_orphaned);

    edge_world_held = 1;
    for (int i = 0; i < 6; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    for (int i = 0; edge_world_calls < 2 && i < 20000; i++)
        usleep(1000);
    for (int i = 0; i < 6; i++)
        ask_hang_up(t, asking[i]);
    edge_world_held = 0;
    world_settle(t);
    assert_int_equal(edge_world_calls, 2); /* two had begun; the four in the queue never did */
    assert_int_equal(metric_get(METRIC_jobs_orphaned), orphans + 6);
}

static void a_full_queue_says_come_again(void **state)
{
    struct world *t = *state;
    struct asking *asking[5];
    struct answer a;

    edge_world_held = 1;
    for (int i = 0; i < 2; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    for (int i = 0; edge_world_calls < 2 && i < 20000; i++)
        usleep(1000);
    for (int i = 2; i < 4; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    a = ask(t, GET, "/slow", NULL);
    assert_int_equal(a.status, 503);
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    a = ask(t, GET, "/cached", NULL);
    assert_int_equal(a.status, 503);
    edge_world_held = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask_end(t, asking[i]).status, 200);
    assert_int_equal(ask(t, GET, "/cached", NULL).status, 200);
}

/* As it is set if nobody sets it. */
static int open_default(void **state)
{
    struct conf conf;
    struct err e = { 0 };
    int queue_max;

    assert_int_equal(conf_load(&e, NULL, NULL, &conf), RC_OK);
    queue_max = (int)conf.queue_max;
    conf_done(&conf);
    return edge_world_set_up_with(state, &(struct world_conf){ .queue_max = queue_max });
}

static void ten_thousand_wait_and_no_more(void **state)
{
    enum { WORKERS = 2, ALL = 10000 + WORKERS };
    struct world *t = *state;
    struct asking **asking = calloc(ALL, sizeof *asking);
    struct answer a;

    edge_world_held = 1;
    for (int i = 0; i < WORKERS; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    for (int i = 0; edge_world_calls < WORKERS && i < 10000; i++)
        usleep(1000);
    for (int i = WORKERS; i < ALL; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    assert_int_equal(metric_get(METRIC_jobs_queued), 10000);
    a = ask(t, GET, "/slow", NULL);
    assert_int_equal(a.status, 503);
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    for (int i = WORKERS; i < ALL; i++)
        ask_hang_up(t, asking[i]);
    edge_world_held = 0;
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(ask_end(t, asking[i]).status, 200);
    world_settle(t);
    assert_int_equal(edge_world_calls, WORKERS); /* nobody waited for the rest */
    free(asking);
}

/* A peer that takes no bytes keeps its answer, not what it took to make it. */
static void the_work_is_over_before_the_answer_is_read(void **state)
{
    struct world *t = *state;
    struct asking *copied = ask_begin(t, GET, "/weight/1000", NULL),
                  *file = ask_begin(t, GET, "/file/1000", NULL);
    struct answer a;

    world_settle(t);
    assert_int_equal(edge_world_works, 1);
    assert_int_equal(metric_get(METRIC_answers_unread) / 1024, 1);
    a = ask_end(t, copied);
    assert_int_equal(a.len, 1000);
    assert_int_equal(strlen(HEADER(a, "request-id")), 32);
    assert_string_equal(HEADER(a, "etag"), ""); /* nobody shares it */
    assert_int_equal(ask_end(t, file).len, 1000);
    assert_int_equal(edge_world_works, 0);
    assert_int_equal(metric_get(METRIC_answers_unread), 0);
}

static void answers_that_nobody_reads_are_bounded(void **state)
{
    enum { LARGE = 4 << 20, MANY = 8 };
    struct world *t = *state;
    struct asking *unread[MANY];
    int64_t shed = metric_get(METRIC_answers_shed);
    struct answer a;

    ask(t, GET, "/cached", NULL);
    for (int i = 0; i < MANY; i++) {
        unread[i] = ask_begin(t, GET, "/weight/4194304", NULL);
        world_settle(t);
    }
    a = ask(t, GET, "/weight/4194304", NULL);
    assert_int_equal(a.status, 503);
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    assert_int_equal(metric_get(METRIC_answers_shed), shed + 1);
    assert_int_equal(ask(t, GET, "/weight/1000", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/cached", NULL).status, 200);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ask_end(t, unread[i]).len, LARGE);
    assert_int_equal(ask(t, GET, "/weight/4194304", NULL).status, 200);
}

static void a_busy_address_is_asked_to_wait(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/loop/a", NULL);

    assert_string_equal(HEADER(a, "ratelimit-policy"), "\"default\";q=3;w=60");
    assert_string_equal(HEADER(a, "ratelimit"), "\"default\";r=2;t=20");
    ask(t, GET, "/nowhere", NULL);
    ask(t, GET, "/loop/a", NULL);
    a = ask(t, GET, "/loop/a", NULL);
    assert_int_equal(a.status, 429);
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    assert_int_equal(ask(t, GET, "/loop/a", &(struct ask){ .client = "10.0.0.1" }).status, 200);
    assert_int_equal(ask(t, GET, "/loop/a", &(struct ask){ .origin = ORIGIN_ADMIN }).status,
                     200);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(t, GET, "/free", NULL).status, 200);
    a = ask(t, GET, "/free", &(struct ask){ .headers = "authorization: Bearer guess" });
    assert_int_equal(a.status, 429);
}

/* What "tell" says of the client. */
static const char *client_by(struct world *t, const char *peer, const char *headers)
{
    struct answer a =
        ask(t, GET, "/loop/a", &(struct ask){ .client = peer, .headers = headers });

    return a.status == 200 ? strrchr(a.body, ' ') + 1 : "none";
}

static void a_trusted_proxy_says_who_asks(void **state)
{
    static const struct {
        const char *headers, *client;
    } cases[] = {
        { "forwarded: for=192.0.2.1", "192.0.2.1" },
        { "forwarded: for=192.0.2.66, for=192.0.2.2", "192.0.2.2" },
        { "forwarded: for=192.0.2.66\nforwarded: for=192.0.2.3", "192.0.2.3" },
        { "forwarded: for=192.0.2.4, for=10.1.2.3", "192.0.2.4" },
        { "forwarded: proto=https;for=\"[2001:db8::5]:4711\";by=_x", "2001:db8::5" },
        { "forwarded: for=\", for=192.0.2.6", "192.0.2.6" },
        { "forwarded: for=unknown", "10.0.0.1" },
        { "forwarded: for=192.0.2.66, for=_hidden", "10.0.0.2" },
        { "x-forwarded-for: 192.0.2.66", "10.0.0.3" },
        { NULL, "10.0.0.4" },
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool told = strncmp(cases[i].client, "10.", 3) != 0;
        int64_t untold = metric_get(METRIC_proxy_untold);

        assert_string_equal(client_by(t, told ? "10.9.9.9" : cases[i].client, cases[i].headers),
                            cases[i].client);
        assert_int_equal(metric_get(METRIC_proxy_untold), untold + !told);
    }
    assert_string_equal(client_by(t, "192.0.2.7", "forwarded: for=192.0.2.8"), "192.0.2.7");
}

static void one_behind_a_proxy_is_busy_and_another_is_not(void **state)
{
    struct world *t = *state;
    const char *busy = "forwarded: for=\"[2001:db8:0:1::1]\"";

    for (int i = 0; i < 3; i++)
        assert_string_equal(client_by(t, "10.0.0.1", busy), "2001:db8:0:1::1");
    assert_string_equal(client_by(t, "10.0.0.1", busy), "none");
    assert_string_equal(client_by(t, "10.0.0.2", busy), "none"); /* by another proxy */
    assert_string_equal(client_by(t, "10.0.0.1", "forwarded: for=\"[2001:db8:0:1::2]\""),
                        "none"); /* the same /64 */
    assert_string_equal(client_by(t, "10.0.0.1", "forwarded: for=\"[2001:db8:0:2::1]\""),
                        "2001:db8:0:2::1");
    assert_string_equal(client_by(t, "10.0.0.1", NULL), "10.0.0.1");
}

/* Whoever makes us work pays; who takes what is ready does not. */
static void what_the_cache_lacks_counts_and_what_it_has_does_not(void **state)
{
    struct world *t = *state;
    struct answer a;

    for (int i = 0; i < 5; i++) {
        a = ask(t, GET, "/cached", NULL);
        assert_int_equal(a.status, 200);
        assert_string_equal(HEADER(a, "ratelimit"), "");
        assert_string_equal(HEADER(a, "ratelimit-policy"), "");
    }
    assert_int_equal(ask(t, GET, "/shared/a?n=1", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/shared/a?n=2", NULL).status, 200);
    a = ask(t, GET, "/shared/a?n=3", NULL);
    assert_int_equal(a.status, 429);
    assert_string_equal(HEADER(a, "cache-control"), "no-store");
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    assert_int_equal(ask(t, GET, "/shared/a?n=x", NULL).status, 429);
    assert_int_equal(ask(t, GET, "/cached", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/shared/a?n=1", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/shared/a?n=3", &(struct ask){ .client = "10.0.0.1" }).status,
                     200);
}

static void one_query_has_one_answer_however_it_is_spelt(void **state)
{
    static const char *const same[] = { "/shared/a?n=1&q=b+c", "/shared/a?q=b%20c&n=1",
                                        "/shared/a?n=%31&q=%62+c" };
    struct world *t = *state;
    int64_t misses = metric_get(METRIC_cache_misses);

    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_string_equal(ask(t, GET, same[i], NULL).body, "public n=1 q=b c a  ");
    ask(t, GET, "/shared/b", NULL);
    ask(t, GET, "/shared/b?", NULL);
    assert_int_equal(metric_get(METRIC_cache_misses), misses + 2);
}

#define IN(name, open) cmocka_unit_test_setup_teardown(name, open, edge_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(the_cache_follows_the_generation, edge_world_set_up),
        IN(a_cached_answer_knows_nobody, edge_world_set_up),
        IN(a_failure_is_not_cached_and_keeps_its_pointer, edge_world_set_up),
        IN(many_who_ask_together_are_answered_by_one_making, edge_world_set_up),
        IN(a_client_that_hangs_up_costs_nothing, edge_world_set_up),
        IN(a_full_queue_says_come_again, open_narrow),
        IN(ten_thousand_wait_and_no_more, open_default),
        IN(the_work_is_over_before_the_answer_is_read, edge_world_set_up),
        IN(answers_that_nobody_reads_are_bounded, edge_world_set_up),
        IN(a_busy_address_is_asked_to_wait, open_limited),
        IN(a_trusted_proxy_says_who_asks, open_behind_a_proxy),
        IN(one_behind_a_proxy_is_busy_and_another_is_not, open_behind_a_proxy),
        IN(what_the_cache_lacks_counts_and_what_it_has_does_not, open_limited),
        IN(one_query_has_one_answer_however_it_is_spelt, edge_world_set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
