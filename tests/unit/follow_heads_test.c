/*
 * follow_heads_test.c - what a reader polls: the platform's list with the stream's head behind it, and the
 * twin that a hint names.
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

static const struct memory_value *value(const struct phone *p, enum follow_value which)
{
    return &p->store->now->values[which];
}

static void the_list_is_held_beside_the_head(void **state)
{
    struct fake *s = a_server(5);
    struct phone p = phone_new(s);
    struct wire_heads *list = calloc(1, sizeof *list);
    struct wire_note note;
    struct sync_err e;
    size_t notes;

    (void)state;
    phone_must_sync(&p);
    assert_int_equal(wire_heads_parse(&e, value(&p, FOLLOW_HEADS)->at,
                                      value(&p, FOLLOW_HEADS)->n, list, &note, &notes),
                     SYNC_OK);
    assert_int_equal(notes, value(&p, FOLLOW_HEADS)->n); /* without notes */
    assert_string_equal(list->stream[0].name, "main");
    assert_int_equal(value(&p, FOLLOW_WITHHELD)->n, 0);
    free(list);
    phone_done(&p);
    fake_free(s);
}

static void what_is_withheld_comes_and_goes(void **state)
{
    static const uint64_t born[] = { 0 };
    struct fake *s = a_server(5);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    fake_withhold(s, born, 1);
    fake_head(s);
    phone_must_sync(&p);
    assert_true(p.last.changed);
    assert_int_equal(p.last.requests, 2); /* heads, the list of ids */
    assert_int_equal(value(&p, FOLLOW_WITHHELD)->n, strlen("tjzw withheld 1\n") + WIRE_ID_TEXT);
    fake_head(s); /* signed anew */
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    assert_false(p.last.changed);
    assert_true(value(&p, FOLLOW_WITHHELD)->n > 0);
    fake_withhold(s, NULL, 0);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 1);
    assert_true(p.last.changed);
    assert_int_equal(value(&p, FOLLOW_WITHHELD)->n, 0);
    phone_done(&p);
    fake_free(s);
}

/* An older list is signed as well, and hides what was withheld since. */
static void an_older_list_is_refused(void **state)
{
    static const uint64_t born[] = { 0 };
    struct fake *s = a_server(5);
    struct phone p = phone_new(s);

    (void)state;
    fake_withhold(s, born, 1);
    fake_head(s);
    phone_must_sync(&p);
    p.net.frozen = 1;
    phone_must_sync(&p); /* past the cache that is frozen */
    assert_int_equal(p.last.rounds, 2);
    assert_true(value(&p, FOLLOW_WITHHELD)->n > 0);
    p.net.frozen = 0;
    p.net.faults = FAULT_OLD;
    p.net.percent = 100;
    for (unsigned i = 0; i < 20; i++)
        (void)!phone_sync(&p);
    assert_true(value(&p, FOLLOW_WITHHELD)->n > 0);
    phone_done(&p);
    fake_free(s);
}

static void a_list_of_another_platform_key_is_refused_and_of_a_new_one_followed(void **state)
{
    struct fake *s = a_server(5), *other = fake_new("main", 1763712001);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    fake_publish_some(other, 5);
    fake_head(other);
    p.net.server = other;
    assert_int_equal(phone_sync(&p), SYNC_UNTRUSTED);
    p.net.server = s;
    fake_rotate_keys(s, true);
    fake_head(s);
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 2); /* heads, keys */
    phone_done(&p);
    fake_free(s);
    fake_free(other);
}

/* ---- hints ---- */

static void the_twin_of_a_hint_saves_the_way_past_caches(void **state)
{
    struct fake *s = a_server(5);
    struct phone p = phone_new(s);
    char twin[WIRE_URL_MAX];

    (void)state;
    phone_must_sync(&p);
    p.net.frozen = 1; /* what caches have of heads is old */
    fake_edit(s, 3, "改", "{}");
    fake_head(s);
    fake_twin(s, twin);
    p.twin = twin;
    phone_must_sync(&p);
    assert_int_equal(p.last.requests, 2); /* twin, log */
    assert_int_equal(p.last.rounds, 1);
    p.net.frozen = 0;
    phone_must_sync(&p); /* the hint is no news any more: the usual poll */
    assert_int_equal(p.last.requests, 1);
    assert_int_equal(p.last.rounds, 1);
    phone_done(&p);
    fake_free(s);
}

static void a_twin_that_is_not_there_is_no_harm(void **state)
{
    static const char *const twins[] = { "/v1/sync/main/head/1763712000.999.1",
                                         "/v1/sync/other/head/1763712000.999.1",
                                         "/v1/sync/main/object/1", "nonsense" };
    struct fake *s = a_server(5);
    struct phone p = phone_new(s);

    (void)state;
    phone_must_sync(&p);
    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        fake_publish_some(s, 1);
        fake_head(s);
        p.twin = twins[i];
        phone_must_sync(&p);
    }
    phone_done(&p);
    fake_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_held_beside_the_head),
        cmocka_unit_test(what_is_withheld_comes_and_goes),
        cmocka_unit_test(an_older_list_is_refused),
        cmocka_unit_test(a_list_of_another_platform_key_is_refused_and_of_a_new_one_followed),
        cmocka_unit_test(the_twin_of_a_hint_saves_the_way_past_caches),
        cmocka_unit_test(a_twin_that_is_not_there_is_no_harm),
    };

    return sodium_init() < 0 ? 1
                             : cmocka_run_group_tests_name("follow_heads", tests, NULL, NULL);
}
