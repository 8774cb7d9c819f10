/*
 * tjzw_me_test.c - the phone's half of docs/protocol/state.md, sections 2 and 4, on real stores, against the server in memory of tests/lib/fake_me. Section 3: tjzw_once_test.c.
 */
#include "tests/lib/me_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/store.h"

/* ---- section 2: the exchange ---- */

static void what_is_written_without_a_network_is_shown_at_once_and_arrives(void **state)
{
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    w.f.cut = true;
    me_put(&w.p, "fav", ITEM "1", "{\"at\": 5}");
    me_put(&w.p, "set", "font", "20");
    me_put(&w.p, "set", "font", "22");
    me_assert_shown(&w.p, "fav", ITEM "1", "{\"at\":5}");
    me_assert_shown(&w.p, "set", "font", "22");
    assert_true(me_shown(&w.p, "set", "font").pending);
    assert_int_equal(me_of(&w.p).unsent, 2); /* the second size took the first one's place */
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_NET);
    w.f.cut = false;
    me_exchange(&w.p);
    me_assert_there(&w, 8, "fav", ITEM "1", "{\"at\":5}");
    me_assert_there(&w, 8, "set", "font", "22");
    assert_false(me_shown(&w.p, "set", "font").pending);
    assert_int_equal(me_of(&w.p).unsent, 0);
    me_put(&w.p, "fav", ITEM "1", NULL);
    assert_int_equal(me_shown(&w.p, "fav", NULL).n, 0);
    me_exchange(&w.p);
    me_assert_there(&w, 8, "fav", ITEM "1", "");
    me_end(&w);
}

static void what_cannot_be_is_refused_before_it_is_written(void **state)
{
    static const char *const bad[][3] = {
        { "no_such_type", "k", "1" },
        { "letter", "0190b1c2-0000-7000-8000-000000000001", "{}" },
        { "fav", "not a key", "{}" },
        { "fav", ITEM "1", "{\"at\":\"x\"}" },
        { "set", "font", "1000" },
        { "set", "no_such", "1" },
        { "set", "font", "not json" },
        { "read", "main/0", "\"5-3\"" },
        { "follow", "tag/\xe6\x94", "{\"rank\":\"V\"}" }, /* cut within a character */
        { "follow", "tag/\xff", "{\"rank\":\"V\"}" },
    };
    struct me_world w;

    (void)state;
    me_begin(&w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tjzw_put(w.p.t, bad[i][0], bad[i][1], bad[i][2], &w.p.e), TJZW_USAGE);
    assert_int_equal(tjzw_act(w.p.t, "letter.burn", "{}", NULL, &w.p.e), TJZW_USAGE);
    assert_int_equal(tjzw_act(w.p.t, "letter.send", "[]", NULL, &w.p.e), TJZW_USAGE);
    assert_int_equal(me_of(&w.p).unsent, 0);
    me_end(&w);
}

static void a_thousand_go_up_in_order_and_many_come_down_in_pages(void **state)
{
    struct me_world w;
    struct phone q;
    char key[64];

    (void)state;
    me_begin_as_a(&w);
    for (int i = 0; i < 1100; i++) {
        snprintf(key, sizeof key, "main/0190b1c2-0000-7000-8000-%012d", i);
        me_put(&w.p, "fav", key, "{\"at\":1}");
    }
    me_exchange(&w.p);
    assert_int_equal(w.p.last.requests, 3);
    assert_int_equal(w.f.accounts[8].seq, 1100);
    assert_int_equal(json_integer_value(json_object_get(w.f.last, "acked")), 1000);
    w.f.page = 100;
    me_second(&w, &q, "a");
    me_exchange(&q);
    assert_int_equal(q.last.requests, 11);
    assert_int_equal(me_shown(&q, "fav", NULL).n, 1100);
    tjzw_close(q.t);
    me_end(&w);
}

static void results_are_acknowledged_and_one_request_is_enough_when_nothing_is_new(void **state)
{
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    me_put(&w.p, "set", "font", "20");
    me_exchange(&w.p);
    me_exchange(&w.p);
    assert_int_equal(w.p.last.requests, 1);
    assert_int_equal(json_integer_value(json_object_get(w.f.last, "acked")), 1);
    assert_null(json_object_get(w.f.last, "mutations"));
    me_end(&w);
}

static void the_servers_word_comes_below_what_waits(void **state)
{
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    me_put(&w.p, "set", "font", "20");
    me_exchange(&w.p);
    fake_me_put(&w.f, 8, "set", "font", "32"); /* another device */
    fake_me_put(&w.f, 8, "read", "main/0", "\"7\"");
    me_put(&w.p, "set", "font", "14");
    me_put(&w.p, "read", "main/0", "\"3\"");
    w.f.takes = 1; /* the page of entries comes while the mark still waits */
    w.f.busy = 0;
    me_exchange(&w.p);
    me_assert_shown(&w.p, "set", "font", "14");
    me_assert_shown(&w.p, "read", "main/0", "\"3,7\"");
    me_assert_there(&w, 8, "read", "main/0", "\"3,7\"");
    me_end(&w);
}

static void an_answer_that_is_bounded_moves_no_cursor_for_results(void **state)
{
    struct me_world w;
    char key[64];

    (void)state;
    me_begin_as_a(&w);
    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof key, ITEM "%d", i % 10);
        fake_me_put(&w.f, 8, "place", key, "500");
    }
    w.f.page = 3;
    me_put(&w.p, "set", "font", "20");
    w.f.cut_after = 1; /* the page that has it does not come any more */
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_NET);
    assert_int_equal(me_of(&w.p).unsent, 0);
    me_assert_shown(&w.p, "set", "font", "20");
    w.f.cut = false;
    me_exchange(&w.p);
    me_assert_shown(&w.p, "set", "font", "20");
    assert_int_equal(me_shown(&w.p, "place", NULL).n, 10);
    assert_int_equal(me_number(&w.p, "SELECT count(*) FROM person WHERE cursor LIKE '%.31'"),
                     1);
    me_end(&w);
}

static void a_reset_shows_the_old_until_the_new_is_whole(void **state)
{
    struct me_world w;
    char key[64];

    (void)state;
    me_begin_as_a(&w);
    for (int i = 0; i < 9; i++) {
        snprintf(key, sizeof key, ITEM "%d", i);
        fake_me_put(&w.f, 8, "place", key, "500");
    }
    me_exchange(&w.p);
    fake_me_put(&w.f, 8, "place", ITEM "3", NULL);
    for (int i = 0; i < 6; i++) {
        snprintf(key, sizeof key, ITEM "%d", i);
        fake_me_put(&w.f, 8, "place", key, i == 3 ? NULL : "600");
    }
    w.f.floor = w.f.accounts[8].seq;
    w.f.page = 4;
    w.f.percent = 60; /* pages are lost on the way */
    while (tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e))
        assert_true(me_shown(&w.p, "place", NULL).n >= 8);
    w.f.percent = 0;
    me_exchange(&w.p);
    assert_int_equal(me_shown(&w.p, "place", NULL).n, 8);
    me_assert_shown(&w.p, "place", ITEM "3", "");
    me_assert_shown(&w.p, "place", ITEM "0", "600");
    me_end(&w);
}

static void a_busy_server_is_left_alone_for_as_long_as_it_says(void **state)
{
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    me_put(&w.p, "set", "font", "20");
    w.f.busy = 1;
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, &w.p.last, &w.p.e), TJZW_BUSY);
    assert_int_equal(w.p.last.wait, 77);
    assert_true(me_of(&w.p).due >= (int64_t)time(NULL) + 70);
    OK(&w.p, tjzw_background(w.p.t, 5, &w.p.last, &w.p.e));
    assert_int_equal(w.f.exchanges, 1); /* not asked again */
    me_end(&w);
}

static void a_letter_is_shown_when_what_it_points_at_is_held(void **state)
{
    struct tjzw_status status;
    char needs[80];
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    OK(&w.p, tjzw_status(w.p.t, NULL, &status, &w.p.e));
    fake_publish(w.p.server, "答复", "{}");
    fake_head(w.p.server);
    snprintf(needs, sizeof needs, "{\"main\":\"%.*s.%d\"}", (int)strcspn(status.cursor, "."),
             status.cursor, atoi(strchr(status.cursor, '.') + 1) + 1);
    w.f.needs = needs;
    fake_me_put(&w.f, 8, "letter", "0190b1c2-0000-4000-8000-000000000001",
                "{\"state\":\"answered\"}");
    me_exchange(&w.p);
    assert_int_equal(me_shown(&w.p, "letter", NULL).n, 0);
    OK(&w.p, tjzw_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_int_equal(me_shown(&w.p, "letter", NULL).n, 1);
    me_end(&w);
}

static unsigned told, told_all;

static void count_change(void *ctx, const char *type, const char *key)
{
    (void)ctx, (void)key;
    told++;
    told_all += type == NULL;
}

static void who_asked_is_told_of_what_changed(void **state)
{
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    told = told_all = 0;
    tjzw_on_change(w.p.t, count_change, NULL);
    me_put(&w.p, "set", "font", "20");
    assert_int_equal(told, 1);
    fake_me_put(&w.f, 8, "set", "elder", "true");
    me_exchange(&w.p);
    assert_true(told >= 3);
    assert_int_equal(told_all, 0);
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    assert_int_equal(told_all, 1);
    me_end(&w);
}

/* ---- section 4 ---- */

static bool first_id(void *ctx, const struct tjzw_item *item)
{
    memcpy(ctx, item->id, 37);
    return false;
}

static void read_marks_are_ranges_and_favourites_are_kept(void **state)
{
    struct phone_seen kept = { 0 };
    struct me_world w;
    struct phone q;
    char id[37];
    bool read;

    (void)state;
    me_begin_as_a(&w);
    OK(&w.p, tjzw_list(w.p.t, NULL, first_id, id, &w.p.e));
    OK(&w.p, tjzw_is_read(w.p.t, id, &read, &w.p.e));
    assert_false(read);
    OK(&w.p, tjzw_mark_read(w.p.t, id, &w.p.e));
    OK(&w.p, tjzw_mark_read(w.p.t, id, &w.p.e));
    OK(&w.p, tjzw_fav(w.p.t, id, true, &w.p.e));
    OK(&w.p, tjzw_is_read(w.p.t, id, &read, &w.p.e));
    assert_true(read);
    assert_int_equal(me_of(&w.p).unsent, 2);
    me_exchange(&w.p);
    me_second(&w, &q, "a");
    me_exchange(&q);
    OK(&q, tjzw_is_read(q.t, id, &read, &q.e));
    assert_true(read);
    OK(&q, tjzw_list(q.t, &(struct tjzw_query){ .kept = true }, phone_see, &kept, &q.e));
    assert_int_equal(kept.n, 1);
    OK(&q, tjzw_fav(q.t, id, false, &q.e));
    me_exchange(&q);
    me_exchange(&w.p);
    kept.n = 0;
    OK(&w.p, tjzw_list(w.p.t, &(struct tjzw_query){ .kept = true }, phone_see, &kept, &w.p.e));
    assert_int_equal(kept.n, 0);
    tjzw_close(q.t);
    me_end(&w);
}

static bool join(void *ctx, const struct tjzw_entry *entry)
{
    char *out = ctx;

    snprintf(out + strlen(out), 512 - strlen(out), "%s ", entry->key + 4);
    return true;
}

static void follows_have_an_order_that_can_be_changed_for_ever(void **state)
{
    char order[512] = "";
    struct me_world w;

    (void)state;
    me_begin(&w);
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/a", UINT32_MAX, &w.p.e));
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/b", UINT32_MAX, &w.p.e));
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/c", 0, &w.p.e));
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/d", 1, &w.p.e));
    OK(&w.p, tjzw_follows(w.p.t, join, order, &w.p.e));
    assert_string_equal(order, "c d a b ");
    for (int i = 0; i < 300; i++) /* always between the first two */
        OK(&w.p, tjzw_follow_at(w.p.t, i % 2 ? "tag/b" : "tag/a", 1, &w.p.e));
    order[0] = '\0';
    OK(&w.p, tjzw_follows(w.p.t, join, order, &w.p.e));
    assert_string_equal(order, "c b a d ");
    assert_int_equal(tjzw_follow_at(w.p.t, "no such", 0, &w.p.e), TJZW_USAGE);
    me_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_without_a_network_is_shown_at_once_and_arrives),
        cmocka_unit_test(what_cannot_be_is_refused_before_it_is_written),
        cmocka_unit_test(a_thousand_go_up_in_order_and_many_come_down_in_pages),
        cmocka_unit_test(
            results_are_acknowledged_and_one_request_is_enough_when_nothing_is_new),
        cmocka_unit_test(the_servers_word_comes_below_what_waits),
        cmocka_unit_test(an_answer_that_is_bounded_moves_no_cursor_for_results),
        cmocka_unit_test(a_reset_shows_the_old_until_the_new_is_whole),
        cmocka_unit_test(a_busy_server_is_left_alone_for_as_long_as_it_says),
        cmocka_unit_test(a_letter_is_shown_when_what_it_points_at_is_held),
        cmocka_unit_test(who_asked_is_told_of_what_changed),
        cmocka_unit_test(read_marks_are_ranges_and_favourites_are_kept),
        cmocka_unit_test(follows_have_an_order_that_can_be_changed_for_ever),
    };

    return cmocka_run_group_tests_name("tjzw_me", tests, NULL, NULL);
}
