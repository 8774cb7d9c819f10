/* Who pays for an answer that is not read yet, and for how many there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "server/base/arena.h"
#include "server/base/metric.h"
#include "server/http/crowd.h"
#include "server/http/limit.h"
#include "server/http/outcome.h"

enum { MB = 1 << 20, PIECE = 4 * MB, SHARE = 8 * MB };

static char bytes[PIECE];
static struct crowd_client *anna, *bo;

static struct crowd_client *enter(const char *address)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct crowd_client *c = NULL;

    inet_pton(AF_INET, address, &at.sin_addr);
    assert_true(crowd_enter(false));
    assert_true(crowd_join((const struct sockaddr *)&at, &c));
    return c;
}

static int set_up(void **state)
{
    (void)state;
    limit_init(0);
    crowd_init(&(struct crowd_conf){ .unread = SHARE });
    anna = enter("192.0.2.1");
    bo = enter("192.0.2.2");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(metric_get(METRIC_answers_unread), 0);
    assert_false(crowd_is_laden(anna));
    assert_false(crowd_is_laden(bo));
    crowd_leave(anna);
    crowd_leave(bo);
    return 0;
}

static struct outcome *made(size_t n)
{
    struct reply rp = { .type = TYPE_BYTES, .body = bytes, .len = n };

    return outcome_new(RC_OK, &rp, NULL, false);
}

static void who_reads_a_share_is_laden_until_one_is_read(void **state)
{
    struct arena *requests[2] = { arena_new(), arena_new() };

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_false(crowd_is_laden(anna));
        outcome_read(made(PIECE), requests[i], anna);
    }
    assert_true(crowd_is_laden(anna));
    assert_false(crowd_is_laden(bo));
    arena_free(requests[0]);
    assert_false(crowd_is_laden(anna));
    arena_free(requests[1]);
}

/* A street behind one address fetches the same. */
static void one_block_is_paid_once_however_many_read_it(void **state)
{
    struct outcome *o = made(PIECE);
    struct arena *requests[9];

    (void)state;
    for (int i = 0; i < 9; i++) {
        requests[i] = arena_new();
        outcome_read(outcome_ref(o), requests[i], anna);
    }
    outcome_unref(o);
    assert_false(crowd_is_laden(anna));
    assert_true(metric_get(METRIC_answers_unread) < PIECE + 4096);
    for (int i = 0; i < 9; i++)
        arena_free(requests[i]);
}

/* Who is last is who is slow. */
static void the_next_reader_pays_when_the_first_is_done(void **state)
{
    struct outcome *o[2] = { made(PIECE), made(PIECE) }, *another;
    struct arena *first = arena_new(), *second = arena_new();

    (void)state;
    for (int i = 0; i < 2; i++) {
        outcome_read(outcome_ref(o[i]), first, anna);
        outcome_read(o[i], second, bo);
    }
    assert_true(crowd_is_laden(anna));
    assert_false(crowd_is_laden(bo));
    another = made(1);
    assert_true(outcome_is_too_much(another, anna));
    assert_false(outcome_is_too_much(another, bo));
    assert_false(outcome_is_too_much(o[0], anna)); /* which somebody pays for already */
    outcome_unref(another);
    arena_free(first);
    assert_false(crowd_is_laden(anna));
    assert_true(crowd_is_laden(bo));
    arena_free(second);
}

static void nobody_pays_for_what_the_cache_keeps(void **state)
{
    struct outcome *o[2] = { made(PIECE), made(PIECE) };
    struct arena *request = arena_new();

    (void)state;
    for (int i = 0; i < 2; i++) {
        outcome_keep(o[i]);
        outcome_read(outcome_ref(o[i]), request, anna);
    }
    assert_false(crowd_is_laden(anna));
    assert_int_equal(metric_get(METRIC_answers_unread), 0);
    for (int i = 0; i < 2; i++) {
        outcome_let_go(o[i]);
        outcome_unref(o[i]);
    }
    assert_true(
        crowd_is_laden(anna)); /* it is only for this reader that they are still there */
    arena_free(request);
}

static bool has_room_for(size_t n)
{
    struct outcome *o = made(n);
    bool has = outcome_has_room(o);

    outcome_unref(o);
    return has;
}

static void small_ones_have_room_when_large_ones_have_none(void **state)
{
    struct arena *mem = arena_new();

    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_true(has_room_for(PIECE));
        outcome_read(made(PIECE), mem, NULL);
    }
    assert_false(has_room_for(PIECE));
    assert_false(has_room_for(16 << 10));
    assert_true(has_room_for(8 << 10));
    for (int i = 0; i < 4; i++)
        outcome_read(made(PIECE), mem, NULL);
    assert_false(has_room_for(8 << 10));
    arena_free(mem);
    assert_true(has_room_for(PIECE));
}

#define IN(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(who_reads_a_share_is_laden_until_one_is_read),
        IN(one_block_is_paid_once_however_many_read_it),
        IN(the_next_reader_pays_when_the_first_is_done),
        IN(nobody_pays_for_what_the_cache_keeps),
        IN(small_ones_have_room_when_large_ones_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
