/*
 * follow_test.c - the pull engine between a store in memory and a network that lies.
 *
 * The oracle is the fake server's own history: whatever is visible in the store must at any
 * time be exactly the state at the head the store holds, which the server once signed. When the
 * faults stop, one run must bring it to the newest head.
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

#include "tests/lib/fake_net.h"
#include "tests/lib/memory_store.h"

/* ---- a phone ---- */

struct phone {
    struct memory_store *store;
    struct fake_net net;
    const uint8_t *trust;
    enum wire_encoding encoding;
    struct follow_result last;
    struct sync_err err;
};

static struct phone phone_new(struct fake *server)
{
    return (struct phone){ .store = memory_store_new(),
                           .net = { .server = server, .seed = 1 },
                           .trust = fake_trust(server),
                           .encoding = WIRE_ZSTD };
}

static enum sync_rc phone_sync(struct phone *p)
{
    struct follow_store store = memory_store_callbacks(p->store);
    struct follow_transport transport = fake_transport(&p->net);
    struct follow_options options = { .stream = "main",
                                      .trust = p->trust,
                                      .encoding = p->encoding };

    p->err = (struct sync_err){ 0 };
    return follow_run(&p->err, &store, &transport, &options, &p->last);
}

/* What is visible is exactly what the server signed for the head that is held. */
static struct wire_head phone_check(const struct phone *p)
{
    const struct memory_content *c = p->store->now;
    struct fake_digest d = { { 0 } };
    struct wire_head head = { 0 };
    struct wire_note note;
    struct sync_err e;
    uint8_t want[WIRE_HASH];

    if (c->values[FOLLOW_HEAD].n == 0) {
        for (size_t i = 0; i < MEMORY_ITEMS; i++)
            assert_int_equal(c->items[i].seq, 0);
        return head;
    }
    assert_int_equal(
        wire_head_parse(&e, c->values[FOLLOW_HEAD].at, c->values[FOLLOW_HEAD].n, &head, &note),
        SYNC_OK);
    fake_state(p->net.server, &head, want);
    for (size_t i = 0; i < MEMORY_ITEMS; i++)
        if (c->items[i].op == WIRE_PUT)
            fake_digest_add(&d, i, c->items[i].seq, c->items[i].bytes, c->items[i].length);
    assert_memory_equal(d.sum, want, WIRE_HASH);
    return head;
}

static void phone_must_sync(struct phone *p)
{
    enum sync_rc rc = phone_sync(p);

    if (rc != SYNC_OK)
        fail_msg("sync: %s: %s", sync_rc_name(rc), p->err.text);
    assert_int_equal(phone_check(p).seq, fake_seq(p->net.server));
}

static void phone_done(struct phone *p)
{
    memory_store_free(p->store);
}

static void publish_some(struct fake *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char title[40], body[600];

        snprintf(title, sizeof title, "公告第%u号", i);
        snprintf(body, sizeof body, "{\"body\":\"%0*u\"}", (int)(100 + i * 37 % 400), i);
        fake_publish(s, title, body);
    }
}

static struct fake *a_server(unsigned items)
{
    struct fake *s = fake_new("main", 1763712000);

    publish_some(s, items);
    fake_head(s);
    return s;
}

/* ---- plain days ---- */

static void a_phone_catches_up_and_then_asks_once(void **state)
{
    struct fake *s = a_server(150);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    assert_true(p.last.changed);
    assert_int_equal(p.last.requests, 5); /* head, keys, ancestry, directory, catch-up */
    assert_int_equal(p.last.records, 150);
    phone_must_sync(&p);
    assert_false(p.last.changed);
    assert_int_equal(p.last.requests, 1);
    assert_int_equal(p.last.wait, 60);

    fake_edit(s, 7, "改", "{}");
    fake_withdraw(s, 8);
    fake_publish(s, "新", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 2);
    assert_int_equal(p.last.records, 3);

    fake_head(s); /* signed anew: nothing new but the time */
    phone_must_sync(&p);
    assert_false(p.last.changed);
    assert_int_equal(p.last.requests, 1);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    fake_set_directory(s, "{\"columns\":[],\"sites\":[]}");
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 2);
    phone_done(&p);
    fake_free(s);
}

static void an_empty_stream_is_a_state_too(void **state)
{
    struct fake *s = a_server(0);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    publish_some(s, 3);
    fake_head(s);
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static struct fake *a_long_log(void)
{
    struct fake *s = a_server(500);

    for (unsigned i = 0; i < 4200; i++)
        fake_edit(s, i % 300, "又改", "{\"body\":\"短\"}");
    fake_withdraw(s, 17);
    fake_index(s);
    publish_some(s, 30);
    fake_edit(s, 3, "索引之后", "{}");
    fake_head(s);
    return s;
}

static void a_phone_far_behind_takes_the_objects(void **state)
{
    struct fake *s = a_long_log();

    (void)state;
    for (enum wire_encoding encoding = WIRE_IDENTITY; encoding <= WIRE_ZSTD; encoding++) {
        struct phone p = phone_new(s);

        p.encoding = encoding;
        phone_must_sync(&p);
        assert_int_equal(
            p.last.requests,
            10); /* head keys ancestry directory index, 3 bases, 1 layer, catch-up */
        phone_done(&p);
    }
    fake_free(s);
}

static void only_objects_above_the_cursor_are_fetched(void **state)
{
    struct fake *s = a_server(500);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    for (unsigned i = 0; i < 4200; i++)
        fake_edit(s, 140 + i % 50, "又改", "{}");
    fake_index(s);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 3); /* head, index, the one base that changed */
    phone_done(&p);
    fake_free(s);
}

static void an_index_still_in_the_making_is_waited_for(void **state)
{
    struct fake *s = a_server(100);
    struct phone p = phone_new(s);

    (void)state;
    for (unsigned i = 0; i < 4200; i++)
        fake_edit(s, i % 100, "又改", "{}");
    fake_head(s);
    assert_int_equal(phone_sync(&p), SYNC_BUSY);
    assert_int_equal(p.last.wait, 60);
    fake_index(s);
    fake_head(s);
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

/* ---- epochs, keys, trust ---- */

static void a_restore_starts_over_only_those_beyond_it(void **state)
{
    struct fake *s = a_server(40);
    struct phone early = phone_new(s), late = phone_new(s);

    (void)state;
    phone_must_sync(&early);
    publish_some(s, 40);
    fake_edit(s, 1, "会丢", "{}");
    fake_head(s);
    phone_must_sync(&late);
    fake_restore(s, 60);
    publish_some(s, 5);
    fake_head(s);
    phone_must_sync(&early);
    assert_false(early.last.started_over);
    phone_must_sync(&late);
    assert_true(late.last.started_over);
    fake_restore(s, fake_seq(s)); /* nothing lost, a new epoch all the same */
    fake_head(s);
    phone_must_sync(&early);
    phone_done(&early);
    phone_done(&late);
    fake_free(s);
}

static void new_keys_are_followed_while_away(void **state)
{
    struct fake *s = a_server(10);
    struct phone p = phone_new(s), fresh = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    fake_rotate_keys(s, false);
    fake_rotate_keys(s, true);
    fake_rotate_keys(s, true);
    publish_some(s, 1);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 3); /* head, keys, catch-up */
    phone_must_sync(&fresh);
    phone_done(&p);
    phone_done(&fresh);
    fake_free(s);
}

static void first_use_trusts_once_and_then_keeps_to_it(void **state)
{
    struct fake *s = a_server(10);
    struct phone p = phone_new(s);

    (void)state;
    p.trust = NULL;
    phone_must_sync(&p);
    assert_true(p.last.first_use);
    assert_memory_equal(p.last.trust, fake_trust(s), 32);
    phone_must_sync(&p);
    assert_false(p.last.first_use);
    phone_done(&p);

    p = phone_new(s);
    p.trust = (const uint8_t[32]){ 1, 2, 3 };
    assert_int_equal(phone_sync(&p), SYNC_UNTRUSTED);
    phone_check(&p);
    phone_done(&p);
    fake_free(s);
}

static void the_users_own_key_ends_a_wrong_first_trust(void **state)
{
    struct fake *s = a_server(10), *impostor = fake_new("main", 1763712001);
    struct phone p = phone_new(impostor);

    (void)state;
    publish_some(impostor, 50);
    fake_head(impostor);
    fake_head(impostor);
    p.trust = NULL;
    phone_must_sync(&p);
    p.net.server = s;
    assert_int_equal(phone_sync(&p), SYNC_UNTRUSTED);
    p.trust = fake_trust(s);
    phone_must_sync(&p);
    assert_true(p.last.started_over);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    phone_done(&p);
    fake_free(s);
    fake_free(impostor);
}

/* ---- bad days ---- */

static void an_old_head_is_refused(void **state)
{
    struct fake *s = a_server(10);
    struct phone p = phone_new(s);
    enum sync_rc rc;

    (void)state;
    phone_must_sync(&p);
    publish_some(s, 2);
    fake_head(s);
    phone_must_sync(&p);
    p.net.faults = FAULT_OLD;
    p.net.percent = 100;
    for (unsigned i = 0; i < 30; i++) {
        rc = phone_sync(&p);
        assert_true(rc == SYNC_OK || rc == SYNC_ROLLBACK);
        assert_int_equal(phone_check(&p).seq, fake_seq(s));
    }
    p.net.honest_when_uncached = true;
    for (unsigned i = 0; i < 30; i++)
        phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

struct sent {
    size_t most;
    uint64_t total;
};

static void note_sent(void *ctx, const char *path, uint64_t from, size_t n)
{
    struct sent *s = ctx;

    (void)from;
    if (strstr(path, "/log/") && n > s->most)
        s->most = n;
    if (strstr(path, "/log/"))
        s->total += n;
}

static void a_body_cut_at_any_byte_is_continued(void **state)
{
    struct fake *s = a_server(60);
    struct phone p = phone_new(s);
    struct sent whole = { 0 };

    (void)state;
    p.net.spy = note_sent;
    p.net.spy_ctx = &whole;
    phone_must_sync(&p);
    phone_done(&p);
    for (size_t cut = 1; cut < whole.most; cut++) {
        struct sent sent = { 0 };

        p = phone_new(s);
        p.net.cut_at = cut;
        p.net.spy = note_sent;
        p.net.spy_ctx = &sent;
        phone_must_sync(&p);
        assert_int_equal(sent.total, whole.total); /* not one byte of it came twice */
        phone_done(&p);
    }
    fake_free(s);
}

static void one_flipped_bit_is_mended_by_one_clean_refetch(void **state)
{
    struct fake *s = a_long_log();

    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct phone p = phone_new(s);

        p.net.seed = seed;
        p.net.faults = FAULT_FLIP | FAULT_SWAP;
        p.net.percent = 30;
        p.net.honest_when_uncached = true;
        phone_must_sync(&p);
        assert_true(p.last.rounds <= 2);
        phone_done(&p);
    }
    fake_free(s);
}

static void what_is_gone_sends_back_to_the_head_but_not_for_ever(void **state)
{
    struct fake *s = a_server(20);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    publish_some(s, 5);
    fake_head(s);
    p.net.faults = FAULT_STATUS;
    p.net.percent = 100;
    assert_int_not_equal(phone_sync(&p), SYNC_OK);
    assert_true(p.last.requests < 60);
    phone_check(&p);
    p.net.percent = 0;
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

/* A takedown is committed and its head not yet signed, or a cache still has the old one. */
static struct fake *a_server_between_takedown_and_head(struct phone *p)
{
    struct fake *s = a_server(20);

    *p = phone_new(s);
    phone_must_sync(p);
    fake_edit(s, 3, "改过", "{}");
    fake_head(s);
    fake_take_down(s, 3);
    return s;
}

static void a_takedown_before_its_head_is_waited_out(void **state)
{
    struct phone p;
    struct fake *s = a_server_between_takedown_and_head(&p);

    (void)state;
    p.net.on_wait = fake_head;
    phone_must_sync(&p);
    assert_int_equal(p.net.waits, 1);
    assert_in_range(p.net.waited, 1000, 1500);
    assert_int_equal(p.last.rounds, 2);
    assert_int_equal(p.store->now->items[3].op, WIRE_TAKEN_DOWN);
    phone_done(&p);
    fake_free(s);
}

static void a_head_that_never_fits_is_stale_and_not_an_unknown_stream(void **state)
{
    struct phone p;
    struct fake *s = a_server_between_takedown_and_head(&p);

    (void)state;
    assert_int_equal(phone_sync(&p), SYNC_STALE);
    assert_int_equal(p.net.waits, 3);
    assert_in_range(p.net.waited, 7000, 10500);
    assert_true(p.last.requests < 12);
    phone_check(&p);
    fake_head(s);
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static void a_stream_that_is_not_there_is_gone_at_once(void **state)
{
    struct fake *s = fake_new("other", 1763712000);
    struct phone p = phone_new(s);

    (void)state;
    assert_int_equal(phone_sync(&p), SYNC_GONE);
    assert_int_equal(p.net.waits, 0);
    assert_int_equal(p.last.rounds, 1);
    phone_done(&p);
    fake_free(s);
}

static void a_catch_up_too_large_is_taken_as_objects(void **state)
{
    struct fake *s = a_server(500);
    struct phone p = phone_new(s);

    (void)state;
    p.encoding = WIRE_IDENTITY;
    p.net.catchup_max = 20000;
    assert_int_equal(phone_sync(&p), SYNC_BUSY); /* there is no index yet */
    assert_int_equal(p.last.wait, 60);
    fake_index(s);
    fake_edit(s, 3, "索引之后", "{}");
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.net.waits, 0);

    publish_some(s, 300); /* and more than fits behind the newest index */
    fake_head(s);
    assert_int_equal(phone_sync(&p), SYNC_BUSY);
    assert_int_equal(p.last.wait, 60);
    assert_int_equal(p.last.rounds, 2);
    fake_index(s);
    fake_head(s);
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static void another_range_than_the_one_asked_for_is_refused(void **state)
{
    struct fake *s = a_server(60);
    struct phone p = phone_new(s);
    struct sent sent = { 0 };

    (void)state;
    p.encoding = WIRE_IDENTITY;
    p.net.cut_at = 8000; /* only the catch-up is as long */
    p.net.wrong_range = true;
    p.net.spy = note_sent;
    p.net.spy_ctx = &sent;
    phone_must_sync(&p); /* what was held is dropped, and the whole fetched past caches */
    assert_int_equal(p.last.rounds, 2);
    assert_int_equal(p.last.records, 60);
    assert_true(sent.total > sent.most + 8000);
    phone_done(&p);
    fake_free(s);
}

static bool stop_at_once(void *ctx, const struct follow_progress *p)
{
    unsigned *left = ctx;

    (void)p;
    return (*left)-- == 0;
}

static void a_run_can_be_stopped_anywhere(void **state)
{
    struct fake *s = a_server(600);
    struct phone p = phone_new(s);
    struct follow_store store = memory_store_callbacks(p.store);
    struct follow_transport transport = fake_transport(&p.net);
    enum sync_rc rc = SYNC_CANCELLED;

    (void)state;
    for (unsigned ticks = 0; rc == SYNC_CANCELLED; ticks++) {
        unsigned left = ticks;
        struct follow_options options = { .stream = "main",
                                          .trust = p.trust,
                                          .encoding = WIRE_ZSTD,
                                          .progress = stop_at_once,
                                          .progress_ctx = &left };

        rc = follow_run(&p.err, &store, &transport, &options, &p.last);
        phone_check(&p);
        assert_true(ticks < 1000);
    }
    assert_int_equal(rc, SYNC_OK);
    phone_done(&p);
    fake_free(s);
}

static void a_full_store_keeps_what_it_had(void **state)
{
    struct fake *s = a_server(20);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    publish_some(s, 5);
    fake_head(s);
    p.store->full = true;
    assert_int_equal(phone_sync(&p), SYNC_FULL);
    phone_check(&p);
    p.store->full = false;
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static void a_damaged_tree_is_noticed_and_fetched_anew(void **state)
{
    struct fake *s = a_server(200);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    p.store->now->tiles[0][3][5] ^=
        4; /* the short tile, so that it is part of the root as it stands */
    publish_some(s, 5);
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.started_over);
    phone_done(&p);
    fake_free(s);
}

/* ---- everything at once ---- */

static void some_changes(struct fake *s, uint64_t *seed)
{
    for (unsigned n = fake_random(seed, 12); n > 0; n--) {
        uint64_t born = fake_size(s) ? fake_random(seed, (uint32_t)fake_size(s)) : 0;

        switch (fake_size(s) ? fake_random(seed, 6) : 0) {
        case 0:
        case 1: fake_publish(s, "新发布", "{\"a\":1}"); break;
        case 2:
        case 3: fake_edit(s, born, "改过", "{\"b\":22}"); break;
        case 4: fake_withdraw(s, born); break;
        default: publish_some(s, 1); break;
        }
    }
    if (fake_random(seed, 15) == 0 && fake_seq(s) > 2)
        fake_restore(s, fake_seq(s) -
                            fake_random(seed, (uint32_t)(fake_seq(s) < 20 ? fake_seq(s) : 20)));
    if (fake_random(seed, 12) == 0)
        fake_rotate_keys(s, fake_random(seed, 2));
    fake_head(s);
}

static void one_simulation(uint64_t seed)
{
    struct fake *s = a_server(fake_random(&seed, 60));
    struct phone p = phone_new(s);
    struct wire_head before = { 0 };

    if (fake_random(&seed, 10) == 0) { /* beyond the reach of one catch-up */
        for (unsigned i = 0; i < 4300 && fake_size(s) > 0; i++)
            fake_edit(s, i % fake_size(s), "旧", "{}");
        fake_index(s);
        fake_head(s);
    }
    p.net.seed = seed;
    p.net.faults = 1 + fake_random(&seed, 31);
    p.net.percent = 5 + fake_random(&seed, 60);
    p.encoding = (enum wire_encoding)fake_random(&seed, 3);
    for (unsigned step = 0; step < 12; step++) {
        enum sync_rc rc = phone_sync(&p);
        struct wire_head head = phone_check(&p);

        (void)rc;
        assert_true(head.epoch > before.epoch ||
                    (head.epoch == before.epoch && head.seq >= before.seq));
        before = head;
        some_changes(s, &seed);
    }
    p.net.percent = 0;
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
}

static uint64_t running_seed;

/* Runs after the simulation whether it went well or not. */
static int tell_the_seed(void **state)
{
    (void)state;
    print_message("last seed: TJZW_FOLLOW_SEED=%llu\n", (unsigned long long)running_seed);
    return 0;
}

static void nothing_unverified_is_ever_visible(void **state)
{
    const char *only = getenv("TJZW_FOLLOW_SEED");
    uint64_t rounds = getenv("TJZW_FULL") ? 2000 : 300;

    (void)state;
    if (only) {
        one_simulation(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 0; seed < rounds; seed++) {
        running_seed = seed;
        one_simulation(seed);
    }
}

static void backoff_doubles_and_ends(void **state)
{
    (void)state;
    for (uint32_t r = 0; r < 100; r++) {
        assert_in_range(follow_backoff(60, 1, r * 7919), 30, 60);
        assert_in_range(follow_backoff(60, 3, r * 7919), 120, 240);
        assert_in_range(follow_backoff(60, 90, r * 7919), 1800, 3600);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_catches_up_and_then_asks_once),
        cmocka_unit_test(an_empty_stream_is_a_state_too),
        cmocka_unit_test(a_phone_far_behind_takes_the_objects),
        cmocka_unit_test(only_objects_above_the_cursor_are_fetched),
        cmocka_unit_test(an_index_still_in_the_making_is_waited_for),
        cmocka_unit_test(a_restore_starts_over_only_those_beyond_it),
        cmocka_unit_test(new_keys_are_followed_while_away),
        cmocka_unit_test(first_use_trusts_once_and_then_keeps_to_it),
        cmocka_unit_test(the_users_own_key_ends_a_wrong_first_trust),
        cmocka_unit_test(an_old_head_is_refused),
        cmocka_unit_test(a_body_cut_at_any_byte_is_continued),
        cmocka_unit_test(one_flipped_bit_is_mended_by_one_clean_refetch),
        cmocka_unit_test(what_is_gone_sends_back_to_the_head_but_not_for_ever),
        cmocka_unit_test(a_takedown_before_its_head_is_waited_out),
        cmocka_unit_test(a_head_that_never_fits_is_stale_and_not_an_unknown_stream),
        cmocka_unit_test(a_stream_that_is_not_there_is_gone_at_once),
        cmocka_unit_test(a_catch_up_too_large_is_taken_as_objects),
        cmocka_unit_test(another_range_than_the_one_asked_for_is_refused),
        cmocka_unit_test(a_run_can_be_stopped_anywhere),
        cmocka_unit_test(a_full_store_keeps_what_it_had),
        cmocka_unit_test(a_damaged_tree_is_noticed_and_fetched_anew),
        cmocka_unit_test_teardown(nothing_unverified_is_ever_visible, tell_the_seed),
        cmocka_unit_test(backoff_doubles_and_ends),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
