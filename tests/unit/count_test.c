/* Counts of reads: what is believed, what is counted once, what stands apart, and what becomes of old days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/count.h"
#include "server/citizen/count_report.h"
#include "server/citizen/count_web.h"
#include "tests/lib/library_world.h"

enum { DAY = 86400, CLIENT = 7 };

#define TODAY "2025-11-21" /* WORLD_NOW */

static int set_up(void **state)
{
    int rc = library_world_set_up(state);

    clock_set(WORLD_NOW);
    count_open(14000000, 1000, 200);
    return rc;
}

static struct id published(struct library_world *t)
{
    return world_publish(t, "一篇文章", t->news).id;
}

static const char *report_of(struct library_world *t, const char *day, char name,
                             const struct id *item, int64_t reads)
{
    char id[ID_TEXT];

    return arena_printf(t->mem,
                        "{\"day\":\"%s\",\"report\":\"%cAAAAAAAAAAAAAAAAAAAAA\",\"reads\":[{"
                        "\"item\":\"%s\",\"reads\":%lld}]}",
                        day, name, id_text(item, id), (long long)reads);
}

static enum rc read_report(struct library_world *t, const char *text, struct count_report *r)
{
    return count_report_read(&t->w.err, t->mem, text, strlen(text), clock_now(), r);
}

static struct count_taken send_from(struct library_world *t, const char *text, uint64_t client)
{
    struct count_report r;
    struct count_taken taken;

    assert_int_equal(read_report(t, text, &r), RC_OK);
    world_begin(t);
    assert_int_equal(count_report_check(&t->w, &r), RC_OK);
    assert_int_equal(count_report_take(&t->w, &r, client, &taken), RC_OK);
    world_commit(t);
    return taken;
}

static struct count_taken send(struct library_world *t, const char *text)
{
    return send_from(t, text, CLIENT);
}

static int64_t sum(struct library_world *t, const char *what)
{
    return world_number(
        t, arena_printf(t->mem, "SELECT coalesce(sum(%s), 0) FROM read_count", what));
}

static void a_report_counts_once_however_often_it_comes(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);
    const char *text = report_of(t, TODAY, 'A', &item, 3);
    struct count_taken taken = send(t, text);

    assert_false(taken.known);
    assert_int_equal(taken.counted, 3);
    for (int i = 0; i < 5; i++)
        assert_true(send(t, text).known);
    assert_int_equal(sum(t, "reads"), 3);
    assert_int_equal(send(t, report_of(t, TODAY, 'B', &item, 2)).counted, 2);
    assert_int_equal(sum(t, "reads"), 5);
}

static void the_same_name_on_another_day_is_another_report(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);

    send(t, report_of(t, TODAY, 'A', &item, 1));
    assert_false(send(t, report_of(t, "2025-11-20", 'A', &item, 1)).known);
}

static void clocks_of_1970_and_2100_are_told_so(void **state)
{
    static const struct {
        const char *day;
        enum rc rc;
    } cases[] = {
        { "1970-01-01", RC_INVALID }, { "2100-01-01", RC_INVALID },
        { "2025-11-22", RC_INVALID }, { "2025-11-17", RC_INVALID },
        { "2025-11-18", RC_OK },      { "2025-11-21", RC_OK },
        { "2025-02-30", RC_INVALID }, { "0000-00-00", RC_INVALID },
        { "2025-11-2", RC_INVALID },
    };
    struct library_world *t = *state;
    struct id item = published(t);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct count_report r;

        assert_int_equal(read_report(t, report_of(t, cases[i].day, 'A', &item, 1), &r),
                         cases[i].rc);
    }
}

static void numbers_beyond_belief_have_results_of_their_own(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);
    struct count_report r;
    struct count_taken taken = send(t, report_of(t, TODAY, 'A', &item, 101));

    assert_int_equal(taken.counted, 0);
    assert_int_equal(taken.apart, 101);
    assert_int_equal(sum(t, "reads"), 0);
    assert_int_equal(sum(t, "apart"), 101);
    assert_int_equal(read_report(t, report_of(t, TODAY, 'B', &item, 5000000), &r), RC_INVALID);
    assert_int_equal(read_report(t, report_of(t, TODAY, 'B', &item, 0), &r), RC_INVALID);
    assert_int_equal(read_report(t, report_of(t, TODAY, 'B', &item, -1), &r), RC_INVALID);
    assert_int_equal(read_report(t, report_of(t, TODAY, 'B', &item, INT64_MAX), &r),
                     RC_INVALID);
}

static void an_item_that_is_not_here_is_not_counted(void **state)
{
    struct library_world *t = *state;
    struct id item = id_new();
    struct count_report r;
    const char *text = report_of(t, TODAY, 'A', &item, 3);

    assert_int_equal(read_report(t, text, &r), RC_OK);
    assert_int_equal(count_report_check(&t->w, &r), RC_OK);
    assert_int_equal(r.entries[0].verdict, COUNT_UNKNOWN);
    assert_int_equal(send(t, text).counted, 0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM read_count"), 0);
}

static void an_item_may_stand_in_a_report_once(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);
    char id[ID_TEXT];
    struct count_report r;

    id_text(&item, id);
    assert_int_equal(
        read_report(t,
                    arena_printf(t->mem,
                                 "{\"day\":\"" TODAY
                                 "\",\"report\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"reads\":[{"
                                 "\"item\":\"%s\",\"reads\":1},{\"item\":\"%s\",\"reads\":1}]}",
                                 id, id),
                    &r),
        RC_INVALID);
}

static void a_flood_from_one_address_stands_apart_and_others_count(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);

    count_open(14000000, 2, 200);
    assert_int_equal(send(t, report_of(t, TODAY, 'A', &item, 1)).counted, 1);
    assert_int_equal(send(t, report_of(t, TODAY, 'B', &item, 1)).counted, 1);
    assert_int_equal(send(t, report_of(t, TODAY, 'C', &item, 1)).apart, 1);
    assert_int_equal(send_from(t, report_of(t, TODAY, 'D', &item, 1), CLIENT + 1).counted, 1);
    clock_set(WORLD_NOW + DAY);
    assert_int_equal(send(t, report_of(t, TODAY, 'E', &item, 1)).counted, 1);
    assert_int_equal(sum(t, "reads"), 4);
    assert_int_equal(sum(t, "apart"), 1);
}

static void more_reads_than_there_are_people_stand_apart(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);

    count_open(5, 0, 0);
    assert_int_equal(send(t, report_of(t, TODAY, 'A', &item, 4)).counted, 4);
    assert_int_equal(send(t, report_of(t, TODAY, 'B', &item, 4)).counted, 1);
    assert_int_equal(send(t, report_of(t, TODAY, 'C', &item, 4)).counted, 0);
    assert_int_equal(sum(t, "reads"), 5);
    assert_int_equal(sum(t, "apart"), 7);
}

static void pages_are_counted_and_one_address_only_so_often(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);

    count_open(14000000, 0, 3);
    for (int i = 0; i < 5; i++)
        count_web_seen(&item, CLIENT);
    count_web_seen(&item, CLIENT + 1);
    count_tick(t->w.db, NULL);
    count_tick(t->w.db, NULL);
    assert_int_equal(sum(t, "reads"), 4);
    assert_int_equal(sum(t, "apart"), 2);
    count_web_seen(&item, CLIENT + 1);
    count_tick(t->w.db, NULL);
    assert_int_equal(sum(t, "reads"), 5);
    assert_int_equal(world_number(t, "SELECT count(*) FROM read_count"), 1);
}

static void old_days_become_their_month_and_no_read_is_lost(void **state)
{
    struct library_world *t = *state;
    struct id item = published(t);

    for (int i = 0; i < 40; i++) {
        clock_set(WORLD_NOW + (int64_t)i * DAY);
        count_web_seen(&item, CLIENT);
        count_tick(t->w.db, NULL);
    }
    assert_int_equal(world_number(t, "SELECT count(*) FROM read_count"), 40);
    clock_set(WORLD_NOW + (int64_t)(40 + 63) * DAY);
    count_tick(t->w.db, NULL);
    assert_int_equal(sum(t, "reads"), 40);
    assert_int_equal(world_number(t, "SELECT count(*) FROM read_count WHERE span = 1"), 2);
    assert_int_equal(world_number(t, "SELECT count(*) FROM read_count WHERE span = 0"), 0);
    assert_int_equal(world_number(t, "SELECT reads FROM read_count WHERE day = 1761926400"),
                     10); /* November */
}

static void staff_see_items_and_days(void **state)
{
    struct library_world *t = *state;
    struct id a = published(t), b = published(t);
    struct count_query q = { .since = count_day(WORLD_NOW) - DAY,
                             .until = count_day(WORLD_NOW) + DAY,
                             .limit = 10 };
    struct count_row *rows;
    int n;

    send(t, report_of(t, TODAY, 'A', &a, 2));
    send(t, report_of(t, "2025-11-20", 'B', &b, 5));
    count_web_seen(&b, CLIENT);
    count_tick(t->w.db, NULL);
    assert_int_equal(count_items(&t->w, &q, &rows, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(&rows[0].item, &b, sizeof b);
    assert_int_equal(rows[0].phone, 5);
    assert_int_equal(rows[0].web, 1);
    assert_string_equal(rows[0].title, "一篇文章");
    assert_int_equal(count_days(&t->w, &q, &rows, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].phone, 5);
    assert_int_equal(rows[1].phone + rows[1].web, 3);
    q.item = &a;
    assert_int_equal(count_days(&t->w, &q, &rows, &n), RC_OK);
    assert_int_equal(n, 1);
    t->w.who.rights = RIGHT_READ;
    assert_int_equal(count_days(&t->w, &q, &rows, &n), RC_FORBIDDEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, library_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_report_counts_once_however_often_it_comes),
        TEST(the_same_name_on_another_day_is_another_report),
        TEST(clocks_of_1970_and_2100_are_told_so),
        TEST(numbers_beyond_belief_have_results_of_their_own),
        TEST(an_item_that_is_not_here_is_not_counted),
        TEST(an_item_may_stand_in_a_report_once),
        TEST(a_flood_from_one_address_stands_apart_and_others_count),
        TEST(more_reads_than_there_are_people_stand_apart),
        TEST(pages_are_counted_and_one_address_only_so_often),
        TEST(old_days_become_their_month_and_no_read_is_lost),
        TEST(staff_see_items_and_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
