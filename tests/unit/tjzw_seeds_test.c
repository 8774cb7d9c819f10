/*
 * tjzw_seeds_test.c - what seeds of the simulation (docs/sim.md) found on a phone, each as small as it gets: somebody in between answers, a file waited too long, a guest whose adoption was lost, the
 * order after a restore, a clock that was behind.
 */
#include "tests/lib/fake_me.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/store.h"

#define ITEM "main/0190b1c2-0000-7000-8000-000000000001"

enum { DAY = 86400 };

struct world {
    struct phone p;
    struct fake_me f;
    const char *away; /* requests of this path get no answer; NULL: none */
    bool late;        /* nor do exchanges, once a file is up */
    int between; /* this status, by somebody in between, for every exchange; 0: nobody is there */
    char order[1024]; /* of the mutations that went up: "TYPE …" */
};

static int64_t now;

static int64_t the_clock(void)
{
    return now;
}

/* ---- the network ---- */

static void note_order(struct world *w, const struct tjzw_request *r)
{
    json_t *asked = json_loadb(r->body, r->size, 0, NULL);
    const json_t *m;
    size_t i;

    json_array_foreach(json_object_get(asked, "mutations"), i, m)
    {
        size_t n = strlen(w->order);

        snprintf(w->order + n, sizeof w->order - n, "%s ",
                 json_string_value(json_object_get(m, "type")));
    }
    json_decref(asked);
}

static void carry_one(struct world *w, struct tjzw_request *r, bool (*stop)(void *), void *ctx)
{
    bool exchange = strstr(r->url, "/v1/me/sync");

    if ((w->away && strstr(r->url, w->away)) || (w->late && w->f.uploads && exchange)) {
        snprintf(r->why, sizeof r->why, "lost");
        return;
    }
    if (w->between && exchange) {
        r->on_status(r, w->between);
        r->on_body(r, "<html>", 6);
        r->whole = true;
        return;
    }
    if (exchange)
        note_order(w, r);
    fake_me_get(&w->f, r, 1, stop, ctx);
}

static void carry(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                  void *stop_ctx)
{
    for (size_t i = 0; i < n; i++)
        carry_one(ctx, &requests[i], stop, stop_ctx);
}

static void begin(struct world *w)
{
    struct tjzw_transport transport = { w, carry };

    *w = (struct world){ 0 };
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

/* ---- what an app does ---- */

static void sign_in(struct world *w, const char *login)
{
    const struct tjzw_sign_in entered = { .login = login, .password = "good" };

    OK(&w->p, tjzw_sign_in(w->p.t, &entered, NULL, &w->p.e));
}

static void exchange(struct world *w)
{
    OK(&w->p, tjzw_me_sync(w->p.t, NULL, NULL, &w->p.e));
}

static void act(struct world *w, const char *type, const char *value, char key[37])
{
    OK(&w->p, tjzw_act(w->p.t, type, value, key, &w->p.e));
}

static void attach(struct world *w, char hash[65])
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof path, "%s/picture.jpg", w->p.dir);
    assert_non_null(out = fopen(path, "w"));
    fputs("a picture", out);
    fclose(out);
    OK(&w->p, tjzw_attach(w->p.t, path, hash, &w->p.e));
}

static struct tjzw_me me(struct world *w)
{
    struct tjzw_me out;

    OK(&w->p, tjzw_me(w->p.t, &out, &w->p.e));
    return out;
}

static bool see(void *ctx, const struct tjzw_letter *l)
{
    snprintf(ctx, 256, "%s %s", l->waits ? "waits" : "taken", l->sent ? l->sent : "-");
    return true;
}

static void assert_letter(struct world *w, const char *expected)
{
    char shown[256] = "";

    OK(&w->p, tjzw_letters(w->p.t, see, shown, &w->p.e));
    assert_string_equal(shown, expected);
}

static bool count(void *ctx, const struct tjzw_entry *entry)
{
    (void)entry;
    ++*(int *)ctx;
    return true;
}

static int favourites(struct world *w)
{
    int n = 0;

    OK(&w->p, tjzw_entries(w->p.t, "fav", NULL, count, &n, &w->p.e));
    return n;
}

/* ---- what was found ---- */

static void a_guest_who_was_not_adopted_yet_is_nobody_elses(void **state)
{
    struct world w;
    char *there;

    (void)state;
    begin(&w);
    OK(&w.p, tjzw_put(w.p.t, "fav", ITEM, "{\"at\":1}", &w.p.e));
    exchange(&w);
    w.away = "/v1/me/adopt";
    sign_in(&w, "a");
    assert_int_not_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_OK);
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    w.away = NULL;
    sign_in(&w, "b");
    exchange(&w);
    assert_int_equal(w.f.adoptions, 0);
    assert_int_equal(favourites(&w), 0);
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    sign_in(&w, "a");
    exchange(&w);
    assert_int_equal(favourites(&w), 1);
    assert_non_null(there = fake_me_value(&w.f, 8, "fav", ITEM));
    free(there);
    end(&w);
}

static void a_letter_whose_file_is_gone_from_the_server_goes_up_with_it_again(void **state)
{
    char hash[65], value[200], id[37], shown[256];
    struct world w;

    (void)state;
    begin(&w);
    now = w.p.t->clock();
    w.p.t->clock = the_clock;
    sign_in(&w, "a");
    attach(&w, hash);
    snprintf(value, sizeof value, "{\"files\":[{\"hash\":\"%s\"}]}", hash);
    act(&w, "letter.send", value, id);
    w.late = true;
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_NET);
    assert_int_equal(w.f.uploads, 1);
    now += 2 * DAY;
    w.late = false;
    w.f.refuses = id; /* "missing" */
    w.away = "/v1/me/blobs/";
    (void)!tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e);
    assert_int_equal(me(&w).attention, 0);
    w.f.refuses = w.away = NULL;
    exchange(&w);
    assert_int_equal(w.f.uploads, 2);
    snprintf(shown, sizeof shown, "taken %s", value);
    assert_letter(&w, shown);
    end(&w);
}

static void what_is_about_a_letter_waits_for_the_letter(void **state)
{
    char hash[65], value[200], id[37];
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    attach(&w, hash);
    snprintf(value, sizeof value, "{\"files\":[{\"hash\":\"%s\"}]}", hash);
    act(&w, "letter.send", value, id);
    snprintf(value, sizeof value, "{\"letter\":\"%s\",\"text\":\"x\"}", id);
    act(&w, "letter.add", value, NULL);
    w.away = "/v1/me/blobs/";
    (void)!tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e);
    assert_string_equal(w.order, "");
    w.away = NULL;
    exchange(&w);
    assert_string_equal(w.order, "letter.send letter.add ");
    end(&w);
}

static void a_restored_server_gets_a_letter_before_what_is_about_it(void **state)
{
    static const char again[] = "letter.send letter.add letter.withdraw ";
    char value[200], id[37];
    struct fake_me backup;
    struct world w;

    (void)state;
    for (int round = 0; round < 8; round++) { /* keys are drawn, and must not decide */
        begin(&w);
        sign_in(&w, "a");
        fake_me_copy(&backup, &w.f);
        act(&w, "letter.send", "{\"text\":\"x\"}", id);
        snprintf(value, sizeof value, "{\"letter\":\"%s\",\"text\":\"y\"}", id);
        act(&w, "letter.add", value, NULL);
        act(&w, "letter.withdraw", value, NULL);
        exchange(&w);
        fake_me_restore(&w.f, &backup);
        w.order[0] = '\0';
        exchange(&w);
        assert_string_equal(w.order, again);
        end(&w);
    }
}

static void a_letter_that_is_sent_again_shows_what_was_written(void **state)
{
    struct fake_me backup;
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    fake_me_copy(&backup, &w.f);
    act(&w, "letter.send", "{\"text\":\"x\"}", NULL);
    exchange(&w);
    fake_me_restore(&w.f, &backup);
    w.f.cut_after = 1;
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_NET);
    assert_letter(&w, "waits {\"text\":\"x\"}");
    w.f.cut = false;
    exchange(&w);
    assert_letter(&w, "taken {\"text\":\"x\"}");
    end(&w);
}

static void an_answer_of_somebody_in_between_decides_nothing(void **state)
{
    static const int statuses[] = { 400, 401, 403, 404, 409, 410, 413, 422, 500, 502 };
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    act(&w, "letter.send", "{\"text\":\"x\"}", NULL);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        w.between = statuses[i];
        assert_int_not_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_OK);
        assert_int_equal(me(&w).account, 8);
        assert_int_equal(me(&w).attention, 0);
        assert_letter(&w, "waits {\"text\":\"x\"}");
    }
    w.between = 0;
    exchange(&w);
    assert_letter(&w, "taken {\"text\":\"x\"}");
    end(&w);
}

/* Days, and the server has signed since. */
static void pass(struct world *w, int days)
{
    now += days * DAY;
    fake_head_at(w->p.server, (uint64_t)now);
    phone_sync(&w->p);
}

static void ones_words_stay_for_90_days_after_they_arrived_however_old_they_are(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    now = w.p.t->clock();
    w.p.t->clock = the_clock;
    sign_in(&w, "a");
    act(&w, "letter.send", "{\"text\":\"x\"}", NULL);
    pass(&w, 89);
    exchange(&w);
    pass(&w, 89);
    exchange(&w);
    assert_letter(&w, "taken {\"text\":\"x\"}");
    pass(&w, 2);
    exchange(&w);
    assert_letter(&w, "taken -");
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_who_was_not_adopted_yet_is_nobody_elses),
        cmocka_unit_test(a_letter_whose_file_is_gone_from_the_server_goes_up_with_it_again),
        cmocka_unit_test(what_is_about_a_letter_waits_for_the_letter),
        cmocka_unit_test(a_restored_server_gets_a_letter_before_what_is_about_it),
        cmocka_unit_test(a_letter_that_is_sent_again_shows_what_was_written),
        cmocka_unit_test(an_answer_of_somebody_in_between_decides_nothing),
        cmocka_unit_test(ones_words_stay_for_90_days_after_they_arrived_however_old_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
