/*
 * tjzw_people_test.c - the phone's half of docs/protocol/state.md section 6 and of docs/protocol/auth.md "Tokens": guests, signing in and out, sessions that end,
 * people who share a phone.
 */
#include "tests/lib/fake_me.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/store.h"

#define ITEM   "main/0190b1c2-0000-7000-8000-00000000000"
#define SECRET "只有他自己知道的话"

struct world {
    struct phone p;
    struct fake_me f;
};

static void begin(struct world *w)
{
    struct tjzw_transport transport = { &w->f, fake_me_get };

    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    tjzw_set_transport(w->p.t, &transport);
}

static void end(struct world *w)
{
    phone_end(&w->p);
    fake_me_end(&w->f);
}

static enum tjzw_code try_sign_in(struct world *w, const char *login, const char *password)
{
    const struct tjzw_sign_in entered = { .login = login, .password = password };

    return tjzw_sign_in(w->p.t, &entered, NULL, &w->p.e);
}

static void sign_in(struct world *w, const char *login)
{
    OK(&w->p, try_sign_in(w, login, "good"));
}

static void put(struct world *w, const char *type, const char *key, const char *value)
{
    OK(&w->p, tjzw_put(w->p.t, type, key, value, &w->p.e));
}

static void exchange(struct world *w)
{
    OK(&w->p, tjzw_me_sync(w->p.t, NULL, &w->p.last, &w->p.e));
}

static struct tjzw_me me(struct world *w)
{
    struct tjzw_me out;

    OK(&w->p, tjzw_me(w->p.t, &out, &w->p.e));
    return out;
}

static bool see(void *ctx, const struct tjzw_entry *entry)
{
    snprintf(ctx, 256, "%s", entry->value);
    return true;
}

static void assert_shown(struct world *w, const char *type, const char *key, const char *value)
{
    char text[256] = "";
    enum tjzw_code rc = tjzw_entries(w->p.t, type, key, see, text, &w->p.e);

    assert_true(rc == TJZW_OK || rc == TJZW_NOT_FOUND);
    assert_string_equal(text, value);
}

static void assert_there(struct world *w, int64_t account, const char *type, const char *key,
                         const char *value)
{
    char *text = fake_me_value(&w->f, account, type, key);

    assert_string_equal(text ? text : "", value);
    free(text);
}

/* Whether any file of the store holds these bytes. */
static bool in_a_file(struct world *w, const char *text)
{
    char command[256];

    snprintf(command, sizeof command, "grep -rqa -- '%s' %s", text, w->p.dir);
    return system(command) == 0;
}

/* ---- guests ---- */

static void a_guest_begins_when_there_is_something_to_say(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    exchange(&w);
    assert_int_equal(w.f.requests, 0);
    assert_true(me(&w).guest);
    put(&w, "fav", ITEM "1", "{\"at\":1}");
    assert_int_equal(me(&w).account, 0);
    exchange(&w);
    assert_int_equal(me(&w).account, 1);
    assert_true(me(&w).guest);
    assert_there(&w, 1, "fav", ITEM "1", "{\"at\":1}");
    exchange(&w);
    assert_false(w.f.accounts[2].made);
    end(&w);
}

static void what_a_guest_had_becomes_the_accounts(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    fake_me_put(&w.f, 8, "set", "font", "32");
    put(&w, "set", "font", "20");
    put(&w, "fav", ITEM "1", "{\"at\":1}");
    exchange(&w);
    put(&w, "fav", ITEM "2", "{\"at\":2}"); /* not sent as a guest */
    sign_in(&w, "a");
    assert_int_equal(me(&w).account, 8);
    assert_int_equal(w.f.adoptions, 1);
    assert_int_equal(me(&w).unsent, 1);
    exchange(&w);
    assert_there(&w, 8, "fav", ITEM "1", "{\"at\":1}");
    assert_there(&w, 8, "fav", ITEM "2", "{\"at\":2}");
    assert_shown(&w, "set", "font", "32"); /* the account's stays */
    assert_shown(&w, "fav", ITEM "1", "{\"at\":1}");
    assert_true(w.f.accounts[1].gone);
    end(&w);
}

static void who_signs_in_before_any_exchange_takes_all_along(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    put(&w, "fav", ITEM "1", "{\"at\":1}");
    sign_in(&w, "a");
    exchange(&w);
    assert_there(&w, 8, "fav", ITEM "1", "{\"at\":1}");
    assert_int_equal(w.f.adoptions, 0);
    assert_false(w.f.accounts[1].made);
    end(&w);
}

static void an_adoption_that_was_lost_is_made_up_for(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    put(&w, "fav", ITEM "1", "{\"at\":1}");
    exchange(&w);
    w.f.percent = 70;
    while (try_sign_in(&w, "a", "good"))
        ;
    while (tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e))
        ;
    w.f.percent = 0;
    exchange(&w);
    exchange(&w);
    assert_there(&w, 8, "fav", ITEM "1", "{\"at\":1}");
    assert_shown(&w, "fav", ITEM "1", "{\"at\":1}");
    assert_int_equal(w.f.adoptions, 1);
    end(&w);
}

static void a_guest_whose_session_ended_loses_nothing(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    put(&w, "fav", ITEM "1", "{\"at\":1}");
    exchange(&w);
    w.f.sessions[1].account = 0;
    put(&w, "set", "font", "20");
    exchange(&w); /* and need not know */
    assert_shown(&w, "fav", ITEM "1", "{\"at\":1}");
    assert_int_equal(me(&w).account, 2);
    assert_there(&w, 2, "fav", ITEM "1", "{\"at\":1}");
    assert_there(&w, 2, "set", "font", "20");
    end(&w);
}

/* ---- several people on one phone ---- */

static void who_signs_out_leaves_nothing_that_can_be_read(void **state)
{
    struct world w;
    char id[37];

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    put(&w, "follow", "tag/" SECRET, "{\"rank\":\"V\"}");
    OK(&w.p, tjzw_act(w.p.t, "letter.send", "{\"text\":\"" SECRET "\"}", id, &w.p.e));
    exchange(&w);
    w.f.cut = true;
    OK(&w.p,
       tjzw_act(w.p.t, "letter.send", "{\"text\":\"" SECRET "，还没有寄出\"}", id, &w.p.e));
    assert_true(in_a_file(&w, SECRET) && in_a_file(&w, "tjr_"));
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    assert_false(in_a_file(&w, SECRET));
    assert_int_equal(me(&w).account, 0);
    assert_shown(&w, "letter", NULL, "");
    w.f.cut = false;
    exchange(&w); /* now the server hears of it */
    assert_int_equal(w.f.farewells, 1);
    assert_false(in_a_file(&w, "tjr_"));

    sign_in(&w, "b"); /* somebody else */
    assert_int_equal(me(&w).unsent, 0);
    exchange(&w);
    assert_there(&w, 9, "letter", id, "");
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));

    sign_in(&w, "a"); /* and he comes back */
    assert_int_equal(me(&w).unsent, 1);
    exchange(&w);
    assert_there(&w, 8, "letter", id, "{\"text\":\"" SECRET "，还没有寄出\"}");
    end(&w);
}

static void a_session_that_was_ended_elsewhere_takes_the_state_away(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    put(&w, "follow", "tag/" SECRET, "{\"rank\":\"V\"}");
    exchange(&w);
    put(&w, "set", "font", "20");
    memset(w.f.sessions, 0, sizeof w.f.sessions);
    assert_int_equal(tjzw_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_SIGN_IN);
    assert_true(me(&w).ended && me(&w).guest);
    assert_shown(&w, "follow", NULL, "");
    assert_false(in_a_file(&w, SECRET));
    OK(&w.p, tjzw_sync(w.p.t, NULL, NULL, &w.p.e)); /* public content goes on */
    sign_in(&w, "a");
    exchange(&w);
    assert_there(&w, 8, "set", "font", "20");
    assert_shown(&w, "follow", "tag/" SECRET, "{\"rank\":\"V\"}");
    assert_false(me(&w).ended);
    end(&w);
}

static void one_person_at_a_time(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    put(&w, "set", "font", "20");
    assert_int_equal(try_sign_in(&w, "b", "good"), TJZW_USAGE);
    assert_int_equal(me(&w).account, 8);
    exchange(&w);
    assert_int_equal(w.f.farewells, 1); /* the session that b got was ended */
    assert_there(&w, 8, "set", "font", "20");
    assert_there(&w, 9, "set", "font", "");
    assert_int_equal(try_sign_in(&w, "a", "bad"), TJZW_SIGN_IN);
    sign_in(&w, "a"); /* again: a fresh sign-in for an export */
    exchange(&w);
    assert_int_equal(w.f.farewells, 2);
    assert_int_equal(me(&w).account, 8);
    end(&w);
}

/* The server was restored from a time before this account, and gave its number to the next who came. */
static void a_number_that_became_somebody_elses_opens_nothing(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    put(&w, "set", "font", "20");
    w.f.lineage = 1;
    assert_int_equal(try_sign_in(&w, "a", "good"), TJZW_USAGE);
    assert_shown(&w, "set", "font", "20");
    w.f.lineage = 0;
    sign_in(&w, "a");
    exchange(&w);
    assert_there(&w, 8, "set", "font", "20");
    end(&w);
}

enum { DAY = 86400, KEPT = 90 * DAY };
static const int64_t NOW = 1800000000;
static int64_t wall;

static int64_t the_clock(void)
{
    return wall;
}

/* The server signs a head, and the phone hears of it. */
static void hear_the_time(struct world *w, int64_t time)
{
    fake_head_at(w->p.server, (uint64_t)time);
    phone_sync(&w->p);
}

/* He leaves an unsent letter behind at this time. */
static void leave_at(struct world *w, int64_t time)
{
    w->p.t->clock = the_clock;
    wall = time;
    sign_in(w, "a");
    w->f.cut = true;
    OK(&w->p, tjzw_act(w->p.t, "letter.send", "{\"text\":\"x\"}", NULL, &w->p.e));
    OK(&w->p, tjzw_sign_out(w->p.t, &w->p.e));
    w->f.cut = false;
}

/* Somebody else uses the phone at this time. */
static void another_at(struct world *w, int64_t time)
{
    wall = time;
    sign_in(w, "b");
    exchange(w);
    OK(&w->p, tjzw_sign_out(w->p.t, &w->p.e));
    exchange(w);
}

static void assert_finds(struct world *w, int64_t letters)
{
    wall = NOW;
    sign_in(w, "a");
    assert_int_equal(me(w).unsent, letters);
    exchange(w);
    assert_int_equal(json_object_size(w->f.applied), letters);
    end(w);
}

static void who_leaves_while_the_clock_is_behind_finds_his_letter_when_it_is_right(void **state)
{
    static const int64_t behind[] = { 5, NOW - 1000 * (int64_t)DAY }; /* 1970; as built */
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        begin(&w);
        hear_the_time(&w, NOW - 200 * (int64_t)DAY); /* then it lay in a drawer */
        leave_at(&w, behind[i]);
        another_at(&w, behind[i]);
        hear_the_time(&w, NOW);
        another_at(&w, NOW);
        another_at(&w, NOW);
        assert_finds(&w, 1);
    }
}

static void a_clock_that_is_ahead_makes_nobody_forgotten(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    hear_the_time(&w, NOW);
    leave_at(&w, NOW);
    another_at(&w, NOW + 74 * 365 * (int64_t)DAY);
    hear_the_time(&w, NOW + DAY);
    another_at(&w, NOW + KEPT + 2 * DAY); /* the server has not said so yet */
    assert_finds(&w, 1);
}

static void what_nobody_came_back_for_goes_after_90_days(void **state)
{
    struct world w;

    (void)state;
    for (int late = 0; late < 2; late++) {
        begin(&w);
        leave_at(&w, NOW - KEPT);
        hear_the_time(&w, NOW + (late ? 1 : -DAY));
        another_at(&w, NOW);
        assert_finds(&w, !late);
    }
}

/* ---- tokens ---- */

static void
a_token_is_exchanged_when_it_is_refused_and_an_answer_that_was_lost_is_asked_for_again(
    void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    for (unsigned i = 0; i < 12; i++) {
        put(&w, "set", "font", i % 2 ? "20" : "22");
        w.f.all_expired = true;
        w.f.percent = 40;
        (void)!tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e);
        w.f.percent = 0;
        exchange(&w);
        assert_int_equal(me(&w).account, 8);
    }
    assert_true(w.f.refreshes >= 12);
    assert_true(w.f.sessions[1].generation >= 12);
    end(&w);
}

/* Another handle of the same store: it finds the new token, and does not use the old one again. */
static void two_handles_exchange_a_token_once(void **state)
{
    struct tjzw_transport transport;
    struct world w;
    struct tjzw *other;
    struct tjzw_error e;

    (void)state;
    begin(&w);
    transport = (struct tjzw_transport){ &w.f, fake_me_get };
    sign_in(&w, "a");
    assert_int_equal(tjzw_open(w.p.path, &other, &e), TJZW_OK);
    tjzw_set_transport(other, &transport);
    w.f.all_expired = true;
    exchange(&w);
    w.f.now_ms += 60000;
    assert_int_equal(tjzw_me_sync(other, NULL, NULL, &e), TJZW_OK);
    assert_int_equal(w.f.refreshes, 1);
    assert_int_equal(me(&w).account, 8);
    tjzw_close(other);
    end(&w);
}

static bool take_piece(void *ctx, const void *bytes, size_t n)
{
    strncat(ctx, bytes, n);
    return true;
}

static void an_export_is_for_who_has_signed_in(void **state)
{
    char text[256] = "";
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(tjzw_account_export(w.p.t, take_piece, text, &w.p.e), TJZW_SIGN_IN);
    sign_in(&w, "a");
    OK(&w.p, tjzw_account_export(w.p.t, take_piece, text, &w.p.e));
    assert_string_equal(text, "{\"account\":8}");
    end(&w);
}

static void files_go_up_before_the_letter_that_names_them(void **state)
{
    char path[128], hash[65], value[200], id[37];
    struct world w;
    FILE *out;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    snprintf(path, sizeof path, "%s/picture.jpg", w.p.dir);
    assert_non_null(out = fopen(path, "w"));
    for (int i = 0; i < 700000; i++)
        fputc('x', out);
    fclose(out);
    OK(&w.p, tjzw_attach(w.p.t, path, hash, &w.p.e));
    assert_int_equal(remove(path), 0); /* it is the store's now */
    snprintf(value, sizeof value, "{\"files\":[{\"hash\":\"%s\"}],\"text\":\"x\"}", hash);
    OK(&w.p, tjzw_act(w.p.t, "letter.send", value, id, &w.p.e));
    put(&w, "set", "font", "20");
    exchange(&w);
    assert_int_equal(w.f.uploads, 3);
    assert_there(&w, 8, "set", "font", "20");
    assert_there(&w, 8, "letter", id, value);
    assert_true(json_object_size(w.f.accounts[8].devices) == 1);
    assert_int_equal(tjzw_attach(w.p.t, path, hash, &w.p.e), TJZW_USAGE);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_begins_when_there_is_something_to_say),
        cmocka_unit_test(what_a_guest_had_becomes_the_accounts),
        cmocka_unit_test(who_signs_in_before_any_exchange_takes_all_along),
        cmocka_unit_test(an_adoption_that_was_lost_is_made_up_for),
        cmocka_unit_test(a_guest_whose_session_ended_loses_nothing),
        cmocka_unit_test(who_signs_out_leaves_nothing_that_can_be_read),
        cmocka_unit_test(a_session_that_was_ended_elsewhere_takes_the_state_away),
        cmocka_unit_test(one_person_at_a_time),
        cmocka_unit_test(a_number_that_became_somebody_elses_opens_nothing),
        cmocka_unit_test(
            who_leaves_while_the_clock_is_behind_finds_his_letter_when_it_is_right),
        cmocka_unit_test(a_clock_that_is_ahead_makes_nobody_forgotten),
        cmocka_unit_test(what_nobody_came_back_for_goes_after_90_days),
        cmocka_unit_test(
            a_token_is_exchanged_when_it_is_refused_and_an_answer_that_was_lost_is_asked_for_again),
        cmocka_unit_test(two_handles_exchange_a_token_once),
        cmocka_unit_test(an_export_is_for_who_has_signed_in),
        cmocka_unit_test(files_go_up_before_the_letter_that_names_them),
    };

    return cmocka_run_group_tests_name("tjzw_people", tests, NULL, NULL);
}
