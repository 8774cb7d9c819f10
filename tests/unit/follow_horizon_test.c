/*
 * follow_horizon_test.c - readers that do not hold everything: steps, a horizon that is widened and narrowed,
 * older items that are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/follow_phone.h"

enum { MANY = 5000 };

/* Many items in bases, some changed in a layer, some behind the index. */
static struct fake *a_large_server(void)
{
    struct fake *s = a_server(MANY);

    fake_index(s);
    for (uint64_t i = 0; i < 300; i++)
        fake_edit(s, i * 16, "在层里", "{\"body\":\"短\"}");
    fake_layer(s);
    fake_edit(s, 4100, "索引之后", "{}");
    fake_publish_some(s, 20);
    fake_head(s);
    return s;
}

static uint64_t horizon(const struct phone *p)
{
    assert_int_equal(p->last.horizon, memory_horizon(p->store->now));
    return p->last.horizon;
}

/* ---- steps ---- */

struct watch {
    struct phone *p;
    uint64_t lowest;
    unsigned steps, told;
};

static void watch_states(void *ctx)
{
    struct watch *w = ctx;
    uint64_t now;

    if (phone_check(w->p).epoch == 0)
        return;
    now = memory_horizon(w->p->store->now);
    assert_true(now <= w->lowest);
    w->steps += now < w->lowest;
    w->lowest = now;
}

static enum sync_rc tell(void *ctx, struct sync_err *e, const struct wire_head *head)
{
    struct watch *w = ctx;

    (void)e;
    assert_true(head->epoch > 0);
    w->told++;
    return SYNC_OK;
}

static void a_first_sync_comes_step_by_step_newest_first(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);
    struct watch w = { &p, UINT64_MAX, 0, 0 };

    (void)state;
    p.in_steps = true;
    p.prepare = tell;
    p.prepare_ctx = &w;
    p.net.pause = watch_states;
    p.net.spy_ctx = &w;
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), 0);
    assert_true(w.steps >= 3);
    assert_int_equal(w.told, 1);
    p.net.pause = NULL;
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    phone_done(&p);
    fake_free(s);
}

static void a_first_sync_cut_between_steps_goes_on_where_it_stood(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);
    uint64_t whole, bytes;

    (void)state;
    p.in_steps = true;
    phone_must_sync(&p);
    whole = p.last.bytes_down;
    phone_done(&p);
    for (size_t after = 3; after < 60; after += 4) {
        p = phone_new(s);
        p.in_steps = true;
        p.net.lost_after = after;
        bytes = phone_sync(&p) ? p.last.bytes_down : 0;
        phone_check(&p);
        p.net.lost_after = 0;
        phone_must_sync(&p);
        assert_int_equal(horizon(&p), 0);
        assert_true(bytes + p.last.bytes_down < whole + whole / 10);
        phone_done(&p);
    }
    fake_free(s);
}

/* ---- a horizon ---- */

static void a_horizon_holds_the_newest_only(void **state)
{
    struct fake *s = a_large_server();
    struct phone all = phone_new(s), some = phone_new(s);

    (void)state;
    phone_must_sync(&all);
    some.horizon = 1500;
    phone_must_sync(&some);
    assert_int_equal(horizon(&some), 3072);
    assert_true(some.last.bytes_down * 2 < all.last.bytes_down);
    assert_null(memory_record_at(some.store->now, 3071));
    assert_non_null(memory_record_at(some.store->now, 3072));
    phone_done(&all);
    phone_done(&some);
    fake_free(s);
}

static void the_cover_comes_only_when_something_older_changed(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);

    (void)state;
    p.horizon = 1500;
    phone_must_sync(&p);
    fake_edit(s, 4000, "新近", "{}");
    fake_publish(s, "新", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 2); /* heads, log */
    fake_edit(s, 17, "旧闻", "{}");
    fake_withdraw(s, 4001);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 3); /* and the cover */
    assert_null(memory_record_at(p.store->now, 17));
    phone_done(&p);
    fake_free(s);
}

static void a_horizon_moves_both_ways(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);
    uint64_t first;

    (void)state;
    p.horizon = 1500;
    phone_must_sync(&p);
    first = p.last.bytes_down;
    p.horizon = 3000;
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), 1024);
    assert_true(p.last.bytes_down < 3 * first);
    p.horizon = 1000;
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), 3072);
    assert_int_equal(p.last.requests, 1); /* what goes needs nothing */
    p.horizon = 0;
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), 0);
    fake_edit(s, 5, "改", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 2);
    phone_done(&p);
    fake_free(s);
}

static void a_horizon_follows_the_log_as_it_grows(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);

    (void)state;
    p.horizon = 1500;
    phone_must_sync(&p);
    for (unsigned i = 0; i < 4; i++) {
        fake_publish_some(s, 700);
        fake_edit(s, i * 100, "旧", "{}");
        fake_head(s);
        phone_must_sync(&p);
        assert_int_equal(horizon(&p), (fake_size(s) - 1500) / 1024 * 1024);
    }
    fake_index(s);
    fake_publish_some(s, 4500); /* so far that nothing of what is held stays */
    fake_index(s);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), (fake_size(s) - 1500) / 1024 * 1024);
    phone_done(&p);
    fake_free(s);
}

static void far_behind_and_with_a_horizon_takes_only_what_reaches_into_it(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);

    (void)state;
    p.horizon = 1500;
    phone_must_sync(&p);
    for (unsigned i = 0; i < 4200; i++)
        fake_edit(s, i < 4000 ? i % 1000 : 4000 + i % 10, "又改", "{}");
    fake_index(s);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), 3072);
    assert_int_equal(p.last.requests, 4); /* heads, index, cover, the one base */
    phone_done(&p);
    fake_free(s);
}

static void very_many_items_have_roots_of_two_heights(void **state)
{
    struct fake *s = fake_new("main", 1763712000);
    struct phone p = phone_new(s);

    (void)state;
    for (unsigned i = 0; i < 140000; i++)
        fake_publish(s, "", "{}");
    fake_index(s);
    fake_publish_some(s, 10);
    fake_head(s);
    p.horizon = 3000;
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), (140010 - 3000) / 1024 * 1024);
    memory_store_keep(p.store, 70000);
    assert_int_equal(phone_fetch_item(&p, 70000), SYNC_OK); /* from a root of height 16 */
    assert_int_equal(p.last.requests, 5);
    assert_true(phone_shows(&p, 70000));
    fake_edit(s, 3, "很旧", "{}");
    fake_edit(s, 70001, "旧", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_true(phone_shows(&p, 70000));
    p.horizon = 74000; /* to a multiple of 65,536 */
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), 65536);
    assert_true(phone_shows(&p, 70000));
    p.horizon = 76000;
    phone_must_sync(&p);
    assert_int_equal(horizon(&p), 0);
    phone_done(&p);
    fake_free(s);
}

/* ---- kept items ---- */

static void assert_kept(const struct phone *p, uint64_t born, uint64_t seq)
{
    assert_true(phone_shows(p, born));
    assert_int_equal(memory_record_at(p->store->now, born)->frame.seq, seq);
}

static void what_is_kept_below_the_horizon_stays_true(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);
    uint64_t seq;

    (void)state;
    phone_must_sync(&p);
    memory_store_keep(p.store, 21);
    memory_store_keep(p.store, 2100);
    seq = memory_record_at(p.store->now, 21)->frame.seq;
    p.horizon = 1500;
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    assert_kept(&p, 21, seq);

    fake_edit(s, 22, "旁边的", "{}");
    fake_head(s);
    phone_must_sync(&p); /* heads, log, cover, two tiles */
    assert_int_equal(p.last.requests, 5);
    assert_kept(&p, 21, seq);

    fake_edit(s, 21, "它自己", "{}");
    fake_withdraw(s, 2100);
    fake_head(s);
    phone_must_sync(&p);
    assert_kept(&p, 21, fake_seq(s) - 1);
    assert_int_equal(memory_record_at(p.store->now, 2100)->frame.op, WIRE_WITHDRAWN);

    p.horizon = 0;
    phone_must_sync(&p);
    assert_kept(&p, 21, fake_seq(s) - 1);
    phone_done(&p);
    fake_free(s);
}

static void a_kept_item_that_cannot_be_proved_is_hidden_until_it_can(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    memory_store_keep(p.store, 21);
    p.horizon = 1500;
    phone_must_sync(&p);
    fake_edit(s, 22, "旁边的", "{}");
    fake_head(s);
    p.net.requests = 0;
    p.net.lost_after = 3;
    phone_must_sync(&p);
    assert_false(phone_shows(&p, 21));
    p.net.lost_after = 0;
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 3);
    assert_true(phone_shows(&p, 21));
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    phone_done(&p);
    fake_free(s);
}

static void an_older_item_can_be_had_alone(void **state)
{
    struct fake *s = a_large_server();
    struct phone p = phone_new(s);

    (void)state;
    p.horizon = 1500;
    phone_must_sync(&p);
    assert_int_equal(phone_fetch_item(&p, 100), SYNC_OK);
    assert_int_equal(p.last.requests, 4); /* place, two tiles, item */
    assert_true(phone_shows(&p, 100));
    phone_check(&p);
    assert_int_equal(phone_fetch_item(&p, 4500), SYNC_OK); /* is held anyhow */
    assert_int_equal(p.last.requests, 1);
    assert_int_equal(phone_fetch_item(&p, 999999), SYNC_NOT_HELD);

    fake_edit(s, 101, "后来改的", "{}"); /* what is held is no longer the newest */
    fake_withdraw(s, 102);
    fake_publish(s, "新", "{}");
    fake_head(s);
    assert_int_equal(phone_fetch_item(&p, 101), SYNC_OK);
    assert_int_equal(memory_record_at(p.store->now, 101)->frame.seq, fake_seq(s) - 2);
    assert_int_equal(phone_check(&p).seq, fake_seq(s));
    assert_true(phone_shows(&p, 100) && phone_shows(&p, 101));
    assert_int_equal(phone_fetch_item(&p, 102), SYNC_NOT_HELD);
    assert_int_equal(phone_fetch_item(&p, fake_size(s) - 1), SYNC_OK);
    phone_done(&p);
    fake_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_sync_comes_step_by_step_newest_first),
        cmocka_unit_test(a_first_sync_cut_between_steps_goes_on_where_it_stood),
        cmocka_unit_test(a_horizon_holds_the_newest_only),
        cmocka_unit_test(the_cover_comes_only_when_something_older_changed),
        cmocka_unit_test(a_horizon_moves_both_ways),
        cmocka_unit_test(a_horizon_follows_the_log_as_it_grows),
        cmocka_unit_test(far_behind_and_with_a_horizon_takes_only_what_reaches_into_it),
        cmocka_unit_test(very_many_items_have_roots_of_two_heights),
        cmocka_unit_test(what_is_kept_below_the_horizon_stays_true),
        cmocka_unit_test(a_kept_item_that_cannot_be_proved_is_hidden_until_it_can),
        cmocka_unit_test(an_older_item_can_be_had_alone),
    };

    return sodium_init() < 0 ? 1
                             : cmocka_run_group_tests_name("follow_horizon", tests, NULL, NULL);
}
