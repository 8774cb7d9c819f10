/*
 * follow_test.c - the pull engine on plain days: what a run fetches, follows and trusts.
 * Not here: a network that lies, servers that are behind (follow_faults_test.c).
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
    fake_publish_some(s, 3);
    fake_head(s);
    phone_must_sync(&p);
    phone_done(&p);
    fake_free(s);
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
    fake_publish_some(s, 40);
    fake_edit(s, 1, "会丢", "{}");
    fake_head(s);
    phone_must_sync(&late);
    fake_restore(s, 60);
    fake_publish_some(s, 5);
    fake_head(s);
    phone_must_sync(&early);
    assert_false(early.last.repaired);
    phone_must_sync(&late);
    assert_true(late.last.repaired);
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
    fake_publish_some(s, 1);
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
    fake_publish_some(impostor, 50);
    fake_head(impostor);
    fake_head(impostor);
    p.trust = NULL;
    phone_must_sync(&p);
    p.net.server = s;
    assert_int_equal(phone_sync(&p), SYNC_UNTRUSTED);
    p.trust = fake_trust(s);
    phone_must_sync(&p);
    assert_true(p.last.repaired);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    phone_done(&p);
    fake_free(s);
    fake_free(impostor);
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
        cmocka_unit_test(backoff_doubles_and_ends),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
