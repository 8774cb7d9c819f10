/*
 * alert_test.c - limits at their boundaries, looks in a row, and what is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/metric.h"
#include "server/base/pool.h"
#include "server/health/alert.h"
#include "server/health/judge.h"
#include "server/health/patrol.h"
#include "server/store/backup.h"
#include "tests/lib/library_world.h"

enum { DAY = 86400, SECOND_US = 1000000 };

/* ---- looks in a row ---- */

/* '.' finds nothing, 'w' WARN, 'x' WRONG; what came of each: '.' nothing, 'F' it fires, 'C' it is cleared, '+' it became worse. */
static const struct {
    int hold, rest;
    const char *found, *came;
} rows[] = {
    { 1, 1, ".w.w", ".FCF" },       { 3, 1, "ww.www..", ".....FC." },
    { 1, 3, "w..w...", "F.....C" }, { 2, 2, "w.w.w.", "......" },
    { 1, 1, "wwxxw.", "F.+..C" },   { 2, 1, "wx.", ".FC" },
    { 1, 1, "x.w.", "FCFC" },
};

static enum finding finding_of(char c)
{
    return c == 'x' ? WRONG : c == 'w' ? WARN : FINE;
}

static char event_of(const struct alert *a, bool changed, bool fired)
{
    return !changed ? '.' : !a->firing ? 'C' : fired ? '+' : 'F';
}

static void it_takes_some_looks_to_fire_and_to_clear(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct alert_row row = { .name = "it", .hold = rows[r].hold, .rest = rows[r].rest };
        struct alert a = { 0 };

        for (int i = 0; rows[r].found[i]; i++) {
            bool fired = a.firing,
                 changed = alert_step(&a, &row, finding_of(rows[r].found[i]), 1000 + i);

            if (event_of(&a, changed, fired) != rows[r].came[i])
                fail_msg("row %zu, look %d: %c", r, i, event_of(&a, changed, fired));
        }
    }
}

static void an_event_has_a_name_of_its_own(void **state)
{
    struct alert_row row = { .name = "disk", .hold = 1, .rest = 1 };
    struct alert a = { 0 };
    char id[ALERT_ID];

    (void)state;
    assert_string_equal(alert_id(&a, &row, id), "");
    alert_step(&a, &row, WARN, 1000);
    assert_string_equal(alert_id(&a, &row, id), "disk-1000-firing-warn");
    alert_step(&a, &row, WRONG, 1010);
    assert_string_equal(alert_id(&a, &row, id), "disk-1000-firing-error");
    alert_step(&a, &row, FINE, 1020);
    assert_string_equal(alert_id(&a, &row, id), "disk-1000-cleared-error");
    assert_true(a.since == 1000 && a.until == 1020);
    alert_step(&a, &row, WARN, 1030);
    assert_string_equal(alert_id(&a, &row, id), "disk-1030-firing-warn");
    assert_int_equal(a.until, 0);
    for (int i = 0; i < 3; i++) { /* again and again in one second */
        alert_step(&a, &row, FINE, 1030);
        alert_step(&a, &row, WARN, 1030);
    }
    assert_string_equal(alert_id(&a, &row, id), "disk-1033-firing-warn");
    alert_step(&a, &row, FINE, 1033);
    alert_step(&a, &row, WARN, 900); /* the clock was set back */
    assert_string_equal(alert_id(&a, &row, id), "disk-900-firing-warn");
}

static void figures_are_said_in_words(void **state)
{
    static const struct {
        enum alert_unit unit;
        int64_t value;
        const char *says;
    } said[] = {
        { ALERT_SECONDS, 0, "还剩 0 秒" },
        { ALERT_SECONDS, 119, "还剩 119 秒" },
        { ALERT_SECONDS, 120, "还剩 2 分钟" },
        { ALERT_SECONDS, 7199, "还剩 119 分钟" },
        { ALERT_SECONDS, 7200, "还剩 2 小时" },
        { ALERT_SECONDS, 2 * DAY - 1, "还剩 47 小时" },
        { ALERT_SECONDS, 2 * DAY, "还剩 2 天" },
        { ALERT_BYTES, 180 << 20, "还剩 180 MB" },
        { ALERT_BYTES, (int64_t)10 << 30, "还剩 10 GB" },
        { ALERT_COUNT, 7, "还剩 7" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct alert_row row = { .text = "还剩 {}", .unit = said[i].unit };
        struct alert a = { .value = said[i].value };
        struct buf text = BUF_HEAP;

        alert_text(&a, &row, &text);
        assert_string_equal(text.p, said[i].says);
        buf_done(&text);
    }
}

static void every_row_speaks_and_can_be_mended(void **state)
{
    (void)state;
    for (int i = 0; i < ALERTS; i++) {
        const struct alert_row *row = &alert_rows[i];

        assert_true(*row->mend && row->judge && row->hold > 0 && row->rest > 0);
        assert_int_equal(strstr(row->text, "{}") != NULL, row->unit != ALERT_NONE);
    }
}

static void what_fires_outlives_the_process(void **state)
{
    struct alert before[ALERTS] = { 0 }, after[ALERTS];
    struct buf once = BUF_HEAP, twice = BUF_HEAP;

    (void)state;
    before[ALERT_AT_disk] = (struct alert){ .firing = true,
                                            .severity = WRONG,
                                            .since = 1000,
                                            .value = 5,
                                            .text = "5 \"MB\"",
                                            .told = "disk-1000-firing-error" };
    before[ALERT_AT_oldest_job] =
        (struct alert){ .severity = WARN, .since = 900, .until = 950, .which = "写入" };
    alert_print(before, &once);
    alert_parse(once.p, once.n, after);
    alert_print(after, &twice);
    assert_string_equal(once.p, twice.p);
    assert_true(after[ALERT_AT_disk].firing && !after[ALERT_AT_oldest_job].firing);
    assert_int_equal(after[ALERT_AT_disk].severity, WRONG);
    assert_string_equal(after[ALERT_AT_disk].told, "disk-1000-firing-error");
    alert_parse("{\"alerts\":[{\"name\":\"disk\"},7,{}", 31, after);
    assert_false(after[ALERT_AT_disk].firing);
    buf_done(&once);
    buf_done(&twice);
}

/* ---- limits ---- */

static void room_is_judged_by_size_and_by_part(void **state)
{
    static const struct {
        struct health_room room;
        enum finding found;
    } rooms[] = {
        { { 2000, 10000, 2000, 3 }, FINE }, { { 1999, 10000, 2000, 3 }, WARN },
        { { 200, 1000, 2000, 3 }, WARN },   { { 199, 1000, 2000, 3 }, WRONG },
        { { 3000, 100000, 100, 3 }, FINE }, { { 2999, 100000, 100, 3 }, WARN },
        { { 1000, 100000, 100, 3 }, WARN }, { { 999, 100000, 100, 3 }, WRONG },
        { { 0, 100000, 0, 0 }, FINE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        if (health_room(&rooms[i].room) != rooms[i].found)
            fail_msg("row %zu", i);
}

static void a_certificate_is_judged_by_its_days(void **state)
{
    (void)state;
    assert_int_equal(health_days_left(21 * DAY), FINE);
    assert_int_equal(health_days_left(21 * DAY - 1), WARN);
    assert_int_equal(health_days_left(7 * DAY), WARN);
    assert_int_equal(health_days_left(7 * DAY - 1), WRONG);
    assert_int_equal(health_days_left(-1), WRONG);
}

/* ---- judges of a server ---- */

struct looker {
    struct conf c;
    struct running run;
    struct health h;
};

static void looker_init(struct looker *l, struct library_world *t)
{
    *l = (struct looker){ .c = { .data = t->dir, .edge_of = "", .purge_hook = "" } };
    l->run.now_us = 1000 * INT64_C(1000000);
    l->h = (struct health){ .c = &l->c, .w = &t->w, .run = &l->run };
}

static void an_attack_is_a_rate(void **state)
{
    struct looker l;

    looker_init(&l, *state);
    l.c.alert_attack = 600;
    metric_add(METRIC_guard_ended_spent, 5000);
    assert_int_equal(judge_attack(&l.h), FINE); /* of before the first look nothing is known */
    l.run.now_us += 10 * SECOND_US;
    metric_add(METRIC_guard_refused_host, 100);
    metric_add(METRIC_patience_ended_idle, 100000);
    assert_int_equal(judge_attack(&l.h), FINE);
    assert_int_equal(l.h.value, 600);
    l.run.now_us += 10 * SECOND_US;
    metric_add(METRIC_guard_refused_host, 60);
    metric_add(METRIC_crowd_shed_client, 41);
    assert_int_equal(judge_attack(&l.h), WARN);
    assert_int_equal(l.h.value, 606);
    assert_non_null(strstr(l.h.text, "guard_refused_host"));
    l.c.alert_attack = 0;
    l.run.now_us += SECOND_US;
    metric_add(METRIC_guard_refused_host, 6000);
    assert_int_equal(judge_attack(&l.h), FINE);
}

static int died;

static int deaths(int64_t within_ms)
{
    assert_int_equal(within_ms, 600000);
    return died;
}

static void a_crash_loop_is_a_number_of_deaths(void **state)
{
    struct looker l;

    looker_init(&l, *state);
    l.c.alert_crashes = 3;
    l.c.alert_crash_window = 600000;
    l.run.deaths = deaths;
    died = 2;
    assert_int_equal(judge_crash_loop(&l.h), FINE);
    died = 3;
    assert_int_equal(judge_crash_loop(&l.h), WRONG);
    l.c.alert_crashes = 0;
    assert_int_equal(judge_crash_loop(&l.h), FINE);
}

static void writing_is_broken_until_something_is_written(void **state)
{
    struct looker l;

    looker_init(&l, *state);
    l.run.failures = metric_get(METRIC_write_failures);
    l.run.groups = metric_get(METRIC_write_groups);
    assert_int_equal(judge_writing(&l.h), FINE);
    metric_add(METRIC_write_failures, 2);
    metric_add(METRIC_write_groups, 1); /* before or after? it fires rather */
    assert_int_equal(judge_writing(&l.h), WRONG);
    assert_int_equal(judge_writing(&l.h), WRONG);
    assert_int_equal(l.h.value, 2);
    metric_add(METRIC_write_groups, 1);
    assert_int_equal(judge_writing(&l.h), FINE);
}

static void a_gateway_fails_until_messages_go_out_again(void **state)
{
    struct looker l;

    looker_init(&l, *state);
    l.run.sms_failures = metric_get(METRIC_sms_failures);
    l.run.sms_sent = metric_get(METRIC_sms_sent);
    metric_add(METRIC_sms_failures, 2);
    assert_int_equal(judge_sms(&l.h), FINE); /* one or two are lost anywhere */
    metric_add(METRIC_sms_failures, 2);
    metric_add(METRIC_sms_sent, 1);
    assert_int_equal(judge_sms(&l.h), WRONG);
    assert_int_equal(l.h.value, 4);
    assert_int_equal(judge_sms(&l.h), WRONG); /* nobody asked for one */
    metric_add(METRIC_sms_sent, 1);
    assert_int_equal(judge_sms(&l.h), FINE);
}

static void tokens_used_again_are_a_rate(void **state)
{
    struct looker l;

    looker_init(&l, *state);
    metric_add(METRIC_refreshes_reused, 100);
    assert_int_equal(judge_token_reuse(&l.h), FINE); /* of before the first look */
    metric_add(METRIC_refreshes_reused, 10);
    l.run.now_us += 60 * SECOND_US;
    assert_int_equal(judge_token_reuse(&l.h), FINE);
    assert_int_equal(l.h.value, 10);
    metric_add(METRIC_refreshes_reused, 2);
    l.run.now_us += 10 * SECOND_US;
    assert_int_equal(judge_token_reuse(&l.h), WARN);
    assert_int_equal(l.h.value, 12);
    l.run.now_us += 10 * SECOND_US;
    assert_int_equal(judge_token_reuse(&l.h), FINE);
}

static void a_clock_that_jumps_is_news_for_a_while(void **state)
{
    struct looker l;
    int looks = 0;

    looker_init(&l, *state);
    clock_set(1800000000);
    l.h.w = NULL;
    assert_int_equal(judge_clock(&l.h), FINE);
    l.run.now_us += 10 * SECOND_US;
    clock_set(1800000010 + 4);
    assert_int_equal(judge_clock(&l.h), FINE); /* what NTP does every day */
    l.run.now_us += 10 * SECOND_US;
    clock_set(1800000024 + 3600);
    assert_int_equal(judge_clock(&l.h), WARN);
    assert_int_equal(l.h.value, 3600);
    l.run.now_us += 10 * SECOND_US;
    clock_set(1800000034);
    assert_int_equal(judge_clock(&l.h), FINE); /* back again */
    clock_set(1800000034 - 60);
    while (judge_clock(&l.h) == WARN && looks < 1000)
        looks++;
    assert_int_equal(looks, 60); /* then that is the time */
    assert_int_equal(judge_clock(&l.h), FINE);
}

static void a_backup_has_an_age(void **state)
{
    struct library_world *t = *state;
    struct looker l;
    struct err e;
    char path[96], text[CLOCK_TEXT];

    looker_init(&l, t);
    clock_set(t->stream.epoch + 3600);
    assert_int_equal(judge_backup(&l.h), FINE); /* nobody asks */
    l.c.alert_backup = 3600 * 1000;
    assert_int_equal(judge_backup(&l.h), FINE);
    clock_set(t->stream.epoch + 3601);
    assert_int_equal(judge_backup(&l.h), WARN); /* there never was one */
    assert_non_null(strstr(l.h.text, "no backup was ever made"));
    snprintf(path, sizeof path, "%s/" LAST_BACKUP_NAME, t->dir);
    clock_text(clock_now(), text);
    assert_int_equal(fs_write(&e, path, text, strlen(text), 0600), RC_OK);
    assert_int_equal(judge_backup(&l.h), FINE);
    clock_set(clock_now() + 3601);
    assert_int_equal(judge_backup(&l.h), WARN);
    assert_int_equal(l.h.value, 3601);
    l.c.edge_of = "https://www.example.cn"; /* an edge holds nothing of its own */
    assert_int_equal(judge_backup(&l.h), FINE);
}

/* ---- letters ---- */

static void letters_are_late_from_their_deadline_on(void **state)
{
    struct library_world *t = *state;
    struct looker l;

    looker_init(&l, t);
    clock_set(1000000);
    assert_int_equal(judge_letters(&l.h), FINE);
    world_vandalise(t,
                    "INSERT INTO letter (no, id, account, number, category, unit, state, "
                    "hidden, public, hash, received, due, turn) VALUES (1, x'01', 0, 'ZX1-1', "
                    "1, 1, 'submitted', 0, 0, x'00', 0, 1000001, 1)");
    assert_int_equal(judge_letters(&l.h), FINE);
    clock_set(1000061);
    assert_int_equal(judge_letters(&l.h), WARN);
    assert_int_equal(l.h.value, 60);
    assert_int_equal(metric_get(METRIC_letters_late), 1);
    world_vandalise(t, "UPDATE letter SET due = NULL");
    assert_int_equal(judge_letters(&l.h), FINE);
}

static void next_years_holidays_are_missed_in_december(void **state)
{
    struct library_world *t = *state;
    struct looker l;
    int64_t at;

    looker_init(&l, t);
    assert_int_equal(clock_parse("2026-11-30", 10, &at), 0);
    clock_set(at);
    assert_int_equal(judge_holidays(&l.h), FINE);
    assert_int_equal(clock_parse("2026-12-01", 10, &at), 0);
    clock_set(at);
    assert_int_equal(judge_holidays(&l.h), WARN);
}

/* ---- the oldest job ---- */

static _Atomic bool go;

static void wait_to_go(struct pool_job *job, struct db *db)
{
    (void)job, (void)db;
    while (!go)
        usleep(1000);
}

static void the_oldest_job_is_told_by_its_age(void **state)
{
    struct pool_job jobs[2] = { { .run = wait_to_go }, { .run = wait_to_go } };
    struct looker l;
    struct pool *p;
    struct err e;

    looker_init(&l, *state);
    assert_int_equal(pool_new(&e, 1, 10, NULL, NULL, &p), RC_OK);
    assert_int_equal(pool_oldest_us(p), 0);
    go = false;
    assert_true(pool_submit(p, &jobs[0]));
    assert_true(pool_submit(p, &jobs[1]));
    assert_int_equal(pool_oldest_us(p), jobs[0].since_us);
    l.run.workers = p;
    l.c.alert_oldest_job = 30000;
    l.run.now_us = jobs[0].since_us + 30 * SECOND_US;
    assert_int_equal(judge_oldest_job(&l.h), FINE);
    l.run.now_us++;
    assert_int_equal(judge_oldest_job(&l.h), WARN);
    assert_int_equal(l.h.value, 30);
    assert_string_equal(l.h.which, "读取请求");
    go = true;
    while (pool_oldest_us(p))
        usleep(1000);
    assert_int_equal(judge_oldest_job(&l.h), FINE);
    pool_free(p);
}

/* ---- the patrol ---- */

static void walk_a_round(struct patrol *p, struct library_world *t)
{
    int64_t before = metric_get(METRIC_verify_rounds);

    for (int steps = 0; metric_get(METRIC_verify_rounds) == before; steps++) {
        assert_true(steps < 1000);
        patrol_step(p, &t->w, t->dir, 3);
    }
}

static void a_patrol_finds_a_vandal_and_that_he_is_gone(void **state)
{
    struct library_world *t = *state;
    struct patrol p = { 0 };
    struct looker l;

    looker_init(&l, t);
    l.run.patrol = &p;
    for (int i = 0; i < 10; i++)
        world_publish(t, "标题", t->news);
    walk_a_round(&p, t);
    assert_int_equal(judge_chain(&l.h), FINE);
    world_vandalise(t, "UPDATE change SET title = '伪题' WHERE seq = 5");
    walk_a_round(&p, t);
    assert_int_equal(judge_chain(&l.h), WRONG);
    assert_non_null(strstr(l.h.text, "seq 5"));
    world_vandalise(t, "UPDATE change SET title = '标题' WHERE seq = 5");
    patrol_step(&p, &t->w, t->dir, 3);
    assert_int_equal(judge_chain(&l.h), WRONG); /* not before all was seen */
    walk_a_round(&p, t);
    assert_int_equal(judge_chain(&l.h), FINE);
}

int main(void)
{
#define IN_WORLD(f) \
    cmocka_unit_test_setup_teardown(f, library_world_set_up, library_world_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_some_looks_to_fire_and_to_clear),
        cmocka_unit_test(an_event_has_a_name_of_its_own),
        cmocka_unit_test(figures_are_said_in_words),
        cmocka_unit_test(every_row_speaks_and_can_be_mended),
        cmocka_unit_test(what_fires_outlives_the_process),
        cmocka_unit_test(room_is_judged_by_size_and_by_part),
        cmocka_unit_test(a_certificate_is_judged_by_its_days),
        IN_WORLD(an_attack_is_a_rate),
        IN_WORLD(a_crash_loop_is_a_number_of_deaths),
        IN_WORLD(writing_is_broken_until_something_is_written),
        IN_WORLD(a_gateway_fails_until_messages_go_out_again),
        IN_WORLD(tokens_used_again_are_a_rate),
        IN_WORLD(a_clock_that_jumps_is_news_for_a_while),
        IN_WORLD(a_backup_has_an_age),
        IN_WORLD(letters_are_late_from_their_deadline_on),
        IN_WORLD(next_years_holidays_are_missed_in_december),
        IN_WORLD(the_oldest_job_is_told_by_its_age),
        IN_WORLD(a_patrol_finds_a_vandal_and_that_he_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
