/*
 * tjzw_count_test.c - the phone's half of docs/counts.md: nothing without consent, a day told of once, whatever is lost on the way, and nothing left behind.
 */
#include "tests/lib/fake_me.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/store.h"

enum { DAY = 86400, BEIJING = 8 * 3600, START = 20600 /* a day */ };

struct world {
    struct phone p;
    struct fake_me f;
    char id[3][37]; /* items that it holds */
};

static int64_t now;

static int64_t the_clock(void)
{
    return now;
}

/* That day in Beijing, at that hour. */
static void go_to(int day, int hour)
{
    now = (int64_t)day * DAY - BEIJING + hour * 3600;
}

static void use_fake(struct world *w)
{
    struct tjzw_transport transport = { &w->f, fake_me_get };

    tjzw_set_transport(w->p.t, &transport);
    w->p.t->clock = the_clock;
}

static void begin(struct world *w)
{
    uint8_t raw[WIRE_ID];

    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    use_fake(w);
    go_to(START, 12);
    for (uint64_t i = 0; i < 3; i++) {
        fake_id(i + 1, raw);
        store_print_id(raw, sizeof raw, w->id[i]);
    }
}

static void end(struct world *w)
{
    phone_end(&w->p);
    fake_me_end(&w->f);
}

static void agree(struct world *w, const char *value)
{
    OK(&w->p, tjzw_put(w->p.t, "consent", "counts", value, &w->p.e));
}

static void begin_agreed(struct world *w)
{
    begin(w);
    agree(w, "true");
}

static void read_it(struct world *w, int item, int times)
{
    for (int i = 0; i < times; i++)
        OK(&w->p, tjzw_count_read(w->p.t, w->id[item], &w->p.e));
}

static void sync_it(struct world *w)
{
    OK(&w->p, tjzw_sync(w->p.t, NULL, &w->p.last, &w->p.e));
}

static int64_t number(struct world *w, const char *sql)
{
    sqlite3_stmt *q;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(w->p.t->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

#define KEPT "SELECT (SELECT count(*) FROM read_count) + (SELECT count(*) FROM report)"

/* What the server was told of an item, in all reports. */
static int64_t told(struct world *w, int item)
{
    json_t *report, *read;
    const char *name;
    int64_t sum = 0;
    size_t i;

    json_object_foreach(w->f.reports, name, report)
    {
        json_array_foreach(json_object_get(report, "reads"), i, read)
        {
            if (strcmp(json_string_value(json_object_get(read, "item")), w->id[item]) == 0)
                sum += json_integer_value(json_object_get(read, "reads"));
        }
    }
    return sum;
}

static size_t reports(struct world *w)
{
    return json_object_size(w->f.reports);
}

/* ---- consent ---- */

static void without_consent_nothing_is_kept(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    read_it(&w, 0, 3);
    agree(&w, "false");
    read_it(&w, 0, 3);
    assert_int_equal(number(&w, KEPT), 0);
    assert_int_equal(tjzw_count_read(w.p.t, "x", &w.p.e), TJZW_USAGE);
    assert_int_equal(tjzw_count_read(w.p.t, "0190b1c2-0000-7000-8000-ffffffffffff", &w.p.e),
                     TJZW_NOT_FOUND);
    end(&w);
}

static void who_withdraws_it_has_told_of_nothing_any_more(void **state)
{
    struct world w;

    (void)state;
    begin_agreed(&w);
    read_it(&w, 0, 1);
    go_to(START + 1, 0);
    sync_it(&w); /* a report waits for its hour */
    read_it(&w, 1, 1);
    assert_int_equal(number(&w, KEPT), 2);
    agree(&w, NULL);
    assert_int_equal(number(&w, KEPT), 0);
    agree(&w, "true");
    read_it(&w, 1, 1);
    fake_me_put(&w.f, 1, "consent", "counts", "false"); /* on another device */
    sync_it(&w);                                        /* his own word goes up behind it */
    assert_int_equal(reports(&w), 0);
    fake_me_put(&w.f, 1, "consent", "counts", "false");
    sync_it(&w);
    assert_int_equal(number(&w, KEPT), 0);
    end(&w);
}

/* ---- a day ---- */

static void a_day_is_told_of_on_the_next_at_its_moment_and_not_before(void **state)
{
    struct world w;
    int64_t due;

    (void)state;
    begin_agreed(&w);
    read_it(&w, 0, 2);
    read_it(&w, 1, 1);
    sync_it(&w);
    go_to(START + 1, 0);
    now--; /* the last second of the day */
    read_it(&w, 0, 1);
    sync_it(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM report"), 0);
    now++;
    sync_it(&w);
    due = number(&w, "SELECT due FROM report");
    assert_in_range(due, now, now + DAY - 1);
    now = due - 1;
    sync_it(&w);
    assert_int_equal(reports(&w), 0);
    now = due;
    sync_it(&w);
    assert_int_equal(reports(&w), 1);
    assert_int_equal(told(&w, 0), 3);
    assert_int_equal(told(&w, 1), 1);
    assert_int_equal(told(&w, 2), 0);
    assert_int_equal(number(&w, KEPT), 0);
    assert_string_equal(json_string_value(json_object_get(
                            json_object_iter_value(json_object_iter(w.f.reports)), "day")),
                        "2026-05-27");
    end(&w);
}

static void the_background_slot_comes_back_for_it(void **state)
{
    struct world w;
    int64_t due;

    (void)state;
    begin_agreed(&w);
    read_it(&w, 0, 1);
    sync_it(&w);
    go_to(START + 1, 0);
    OK(&w.p, tjzw_background(w.p.t, 5, &w.p.last, &w.p.e));
    due = number(&w, "SELECT due FROM report");
    phone_tamper(&w.p, "UPDATE stream SET poll = 1000000, tried = (SELECT due FROM report)");
    phone_tamper(&w.p, "UPDATE person SET poll = 1000000, tried = (SELECT due FROM report)");
    now = due - 1;
    phone_tamper(&w.p, "UPDATE stream SET tried = tried - 1");
    phone_tamper(&w.p, "UPDATE person SET tried = tried - 1");
    OK(&w.p, tjzw_background(w.p.t, 5, &w.p.last, &w.p.e));
    assert_true(w.p.last.skipped);
    assert_int_equal(w.p.last.wait, 1);
    now = due;
    OK(&w.p, tjzw_background(w.p.t, 5, &w.p.last, &w.p.e));
    assert_false(w.p.last.skipped);
    assert_int_equal(reports(&w), 1);
    end(&w);
}

/* Lost there, lost back, cut short, and the phone begins anew in between. */
static void whatever_is_lost_each_read_is_counted_once(void **state)
{
    struct world w;
    uint64_t seed = 7;
    int reads[3] = { 0 };

    (void)state;
    begin_agreed(&w);
    sync_it(&w);
    for (int day = START; day < START + 40; day++) {
        go_to(day, 6);
        for (int i = 0; i < 5; i++) {
            int item = (int)fake_random(&seed, 3);

            read_it(&w, item, 1);
            reads[item]++;
        }
        w.f.percent = 60;
        for (int hour = 7; hour < 24; hour += 4) {
            go_to(day, hour);
            (void)!tjzw_sync(w.p.t, NULL, NULL, &w.p.e);
            phone_reopen(&w.p);
            use_fake(&w);
        }
        w.f.percent = 0;
        go_to(day, 23);
        now += 3599;
        phone_tamper(&w.p,
                     "UPDATE report SET due = min(due, (SELECT max(day) FROM report) * 86400)");
        sync_it(&w);
    }
    go_to(START + 41, 0);
    sync_it(&w);
    assert_int_equal(number(&w, KEPT), 0);
    assert_int_equal(reports(&w), 40);
    for (int i = 0; i < 3; i++)
        assert_int_equal(told(&w, i), reads[i]);
    end(&w);
}

static void a_server_that_says_no_is_asked_later_or_never(void **state)
{
    struct world w;

    (void)state;
    begin_agreed(&w);
    read_it(&w, 0, 1);
    w.f.counts_status = 503;
    go_to(START + 2, 0);
    sync_it(&w); /* it is not its owner's concern */
    assert_true(number(&w, "SELECT due FROM report") >= now + 3600);
    w.f.counts_status = 400;
    go_to(START + 2, 3);
    sync_it(&w);
    assert_int_equal(number(&w, KEPT), 0);
    end(&w);
}

static void days_that_nobody_would_believe_go_untold(void **state)
{
    struct world w;

    (void)state;
    begin_agreed(&w);
    sync_it(&w);
    read_it(&w, 0, 1);
    go_to(START + 4, 0); /* four days without a network: too late */
    sync_it(&w);
    assert_int_equal(number(&w, KEPT), 0);
    go_to(47482, 12); /* 2100 */
    read_it(&w, 0, 1);
    go_to(START + 5, 0);
    sync_it(&w);
    assert_int_equal(number(&w, KEPT), 0);
    now = 5; /* 1970: what was signed is newer */
    read_it(&w, 0, 1);
    assert_true(number(&w, "SELECT min(day) FROM read_count") > 19600);
    for (int i = 0; i < 250; i++)
        read_it(&w, 1, 1);
    assert_int_equal(number(&w, "SELECT max(reads) FROM read_count"), 100);
    end(&w);
}

/* ---- people ---- */

static void sign_in(struct world *w, const char *login)
{
    const struct tjzw_sign_in entered = { .login = login, .password = "good" };

    OK(&w->p, tjzw_sign_in(w->p.t, &entered, NULL, &w->p.e));
}

static void what_was_read_goes_with_who_read_it(void **state)
{
    struct world w;

    (void)state;
    begin_agreed(&w);
    read_it(&w, 0, 1);
    sync_it(&w);
    sign_in(&w, "a"); /* the guest's consent comes along */
    sync_it(&w);
    read_it(&w, 0, 1);
    go_to(START + 2, 0);
    sync_it(&w);
    assert_int_equal(told(&w, 0), 2);
    read_it(&w, 1, 1);
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    assert_int_equal(number(&w, KEPT), 0);
    read_it(&w, 1, 1); /* somebody else, who was not asked */
    assert_int_equal(number(&w, KEPT), 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_consent_nothing_is_kept),
        cmocka_unit_test(who_withdraws_it_has_told_of_nothing_any_more),
        cmocka_unit_test(a_day_is_told_of_on_the_next_at_its_moment_and_not_before),
        cmocka_unit_test(the_background_slot_comes_back_for_it),
        cmocka_unit_test(whatever_is_lost_each_read_is_counted_once),
        cmocka_unit_test(a_server_that_says_no_is_asked_later_or_never),
        cmocka_unit_test(days_that_nobody_would_believe_go_untold),
        cmocka_unit_test(what_was_read_goes_with_who_read_it),
    };

    return cmocka_run_group_tests_name("tjzw_count", tests, NULL, NULL);
}
