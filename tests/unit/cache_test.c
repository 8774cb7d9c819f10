/* The answer cache: what is kept, for how long, and that it holds when many threads use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/generation.h"
#include "server/base/metric.h"
#include "server/http/cache.h"

enum { THREADS = 4, ROUNDS = 4000, TARGETS = 13 };

struct waiting {
    struct cache_waiter waiter; /* the first member: ready() casts back */
    struct outcome *got;
};

static void ready(struct cache_waiter *w, struct outcome *c)
{
    ((struct waiting *)w)->got = c;
}

static struct outcome *answer(const char *body, size_t n)
{
    struct reply rp = { .type = TYPE_TEXT, .body = body, .len = n };

    reply_header(&rp, "x-test", "1");
    return outcome_new(RC_OK, &rp, NULL, true);
}

static enum claim claim(const char *target, bool forever, struct waiting *w,
                        struct outcome **hit, struct cache_build **build)
{
    w->waiter.ready = ready;
    return cache_claim(target, strlen(target), forever, &w->waiter, hit, build);
}

static struct outcome *get(const char *target)
{
    return cache_get(target, strlen(target));
}

static void put(const char *target, bool forever, const char *body, size_t n)
{
    struct waiting w = { 0 };
    struct cache_build *build = NULL;
    struct outcome *hit = NULL, *c;

    assert_int_equal(claim(target, forever, &w, &hit, &build), CLAIM_BUILD);
    c = answer(body, n);
    cache_finish(build, c);
    outcome_unref(c);
}

static bool has(const char *target)
{
    struct outcome *c = get(target);

    outcome_unref(c);
    return c != NULL;
}

static int empty(void **state)
{
    (void)state;
    cache_init(1 << 20);
    return 0;
}

static void what_was_made_is_answered_until_the_generation_moves(void **state)
{
    struct outcome *c;

    (void)state;
    put("/a", false, "body", 4);
    put("/f", true, "ever", 4);
    c = get("/a");
    assert_non_null(c);
    assert_string_equal(c->rp.body, "body");
    assert_int_equal(strlen(c->rp.etag), 34);
    assert_string_equal(c->rp.extra[0].value, "1");
    generation_next();
    assert_string_equal(c->rp.body, "body"); /* a reference outlives the cache's interest */
    outcome_unref(c);
    assert_false(has("/a"));
    assert_true(has("/f"));
    cache_forget_all();
    assert_false(has("/f"));
}

static void those_who_wait_get_what_is_made(void **state)
{
    struct waiting first = { 0 }, second = { 0 };
    struct outcome *hit = NULL, *c;
    struct cache_build *build = NULL, *other = NULL;

    (void)state;
    assert_int_equal(claim("/a", false, &first, &hit, &build), CLAIM_BUILD);
    assert_int_equal(claim("/a", false, &second, &hit, &other), CLAIM_WAIT);
    assert_null(second.got);
    c = answer("x", 1);
    cache_finish(build, c);
    assert_ptr_equal(second.got, c);
    outcome_unref(second.got);
    assert_int_equal(claim("/a", false, &first, &hit, &build), CLAIM_HIT);
    assert_ptr_equal(hit, c);
    outcome_unref(hit);
    outcome_unref(c);
}

static void nobody_gets_an_answer_older_than_the_question(void **state)
{
    struct waiting old = { 0 }, young = { 0 };
    struct outcome *hit = NULL, *c;
    struct cache_build *build = NULL, *fresh = NULL;

    (void)state;
    assert_int_equal(claim("/a", false, &old, &hit, &build), CLAIM_BUILD);
    generation_next();
    assert_int_equal(claim("/a", false, &young, &hit, &fresh), CLAIM_BUILD);
    c = answer("old", 3);
    cache_finish(build, c);
    outcome_unref(c);
    assert_false(has("/a"));
    c = answer("new", 3);
    cache_finish(fresh, c);
    outcome_unref(c);
    assert_true(has("/a"));
}

static void a_takedown_reaches_what_is_being_made(void **state)
{
    struct waiting w = { 0 };
    struct outcome *hit = NULL, *c;
    struct cache_build *build = NULL;

    (void)state;
    assert_int_equal(claim("/f", true, &w, &hit, &build), CLAIM_BUILD);
    cache_forget_all();
    c = answer("withdrawn", 9);
    cache_finish(build, c);
    outcome_unref(c);
    assert_false(has("/f"));
}

static void failures_and_giants_are_not_kept(void **state)
{
    static char giant[300 << 10];
    struct err e = { .rc = RC_NOT_FOUND };
    struct reply rp = { .status = 0 };
    struct waiting w = { 0 };
    struct outcome *hit = NULL, *c;
    struct cache_build *build = NULL;

    (void)state;
    put("/giant", false, giant, sizeof giant);
    assert_false(has("/giant"));
    assert_int_equal(claim("/404", false, &w, &hit, &build), CLAIM_BUILD);
    c = outcome_new(RC_NOT_FOUND, &rp, &e, true);
    assert_int_equal(c->err->rc, RC_NOT_FOUND);
    cache_finish(build, c);
    outcome_unref(c);
    assert_false(has("/404"));
    assert_int_equal(metric_get(METRIC_cache_bytes), 0);
}

static void the_least_used_goes_first(void **state)
{
    static char part[200 << 10];
    char target[8];

    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(target, sizeof target, "/%d", i);
        put(target, true, part, sizeof part);
    }
    assert_true(has("/0")); /* used: now /1 is the oldest */
    put("/5", true, part, sizeof part);
    assert_true(has("/0"));
    assert_false(has("/1"));
    assert_true(has("/5"));
    assert_true(metric_get(METRIC_cache_bytes) <= 1 << 20);
}

/* ---- many threads ---- */

static atomic_int made, waited;

static void ready_elsewhere(struct cache_waiter *w, struct outcome *c)
{
    if (memcmp(c->rp.body, "/t", 2))
        abort();
    outcome_unref(c);
    free(w);
    waited++;
}

static void use_once(unsigned n)
{
    char target[16];
    struct waiting *w = calloc(1, sizeof *w);
    struct cache_build *build = NULL;
    struct outcome *c = NULL;

    snprintf(target, sizeof target, "/t%u", n % TARGETS);
    w->waiter.ready = ready_elsewhere;
    switch (cache_claim(target, strlen(target), n % 3 == 0, &w->waiter, &c, &build)) {
    case CLAIM_WAIT: return;
    case CLAIM_BUILD:
        c = answer(target, strlen(target));
        cache_finish(build, c);
        made++;
        break;
    case CLAIM_HIT: break;
    }
    if (strcmp(c->rp.body, target))
        abort();
    outcome_unref(c);
    free(w);
}

static void *use(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 1664525 + 1013904223;
        use_once(seed >> 8);
        if ((seed >> 8) % 97 == 0)
            generation_next();
        if ((seed >> 8) % 101 == 0)
            cache_forget_all();
    }
    return NULL;
}

static void threads_agree(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, use, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(made > TARGETS && made < THREADS * ROUNDS);
    cache_forget_all();
    assert_int_equal(metric_get(METRIC_cache_bytes), 0);
}

#define IN(name) cmocka_unit_test_setup_teardown(name, empty, empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(what_was_made_is_answered_until_the_generation_moves),
        IN(those_who_wait_get_what_is_made),
        IN(nobody_gets_an_answer_older_than_the_question),
        IN(a_takedown_reaches_what_is_being_made),
        IN(failures_and_giants_are_not_kept),
        IN(the_least_used_goes_first),
        IN(threads_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
