/*
 * letter_clock_test.c - how long a letter may take, with all that stops, lengthens and ends a deadline; and what the clock does by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/entry.h"
#include "server/citizen/letter_clock.h"
#include "server/citizen/letter_list.h"
#include "server/citizen/letter_send.h"
#include "server/citizen/workday.h"
#include "tests/lib/letter_world.h"

/* ---- deadlines ---- */

static void a_complex_letter_has_other_days_and_an_extension_is_given_once(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_clerk(t, CLERK);
    assert_int_equal(
        staff_does_with(t, LETTER_DO_ACCEPT, (struct letter_order){ .complex = true }, &l),
        RC_OK);
    assert_due(&l, "2025-12-12");
    assert_int_equal(staff_does_with(t, LETTER_DO_EXTEND,
                                     (struct letter_order){ .text = "要实地核查", .days = 99 },
                                     &l),
                     RC_INVALID);
    assert_int_equal(
        staff_does_with(t, LETTER_DO_EXTEND, (struct letter_order){ .days = 5 }, &l),
        RC_INVALID); /* without a reason */
    assert_int_equal(staff_does_with(t, LETTER_DO_EXTEND,
                                     (struct letter_order){ .text = "要实地核查", .days = 5 },
                                     &l),
                     RC_OK);
    assert_due(&l, "2025-12-19");
    assert_int_equal(staff_does_with(t, LETTER_DO_EXTEND,
                                     (struct letter_order){ .text = "还要", .days = 1 }, &l),
                     RC_CONFLICT);
}

static void the_clock_stands_while_the_writer_is_asked(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    clock_set(WORLD_NOW + 4 * 86400); /* Tuesday: five days are left */
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明地址", &l), RC_OK);
    assert_int_equal(l.due, 0);
    clock_set(WORLD_NOW + 20 * 86400); /* 11 December, Thursday */
    be_writer(t, WRITER, 1);
    assert_int_equal(writer_does(t, ",\"text\":\"南京路 1 号\"", &l, letter_add), RC_OK);
    assert_int_equal(l.state, LETTER_PROGRESS);
    assert_due(&l, "2025-12-18");
}

static void disclosure_has_twenty_days_and_twenty_more(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, DISCLOSE);

    assert_string_equal(l.number, "YSQ2025-000001");
    assert_due(&l, "2025-12-19");
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_EXTEND, "涉及多个部门", &l), RC_OK);
    assert_due(&l, "2026-01-19"); /* New Year's days off, and the Sunday that is worked */
}

static void completion_is_asked_once_within_seven_days_and_begins_anew(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, DISCLOSE);

    be_clerk(t, CLERK);
    clock_set(l.due - 13 * 86400);
    clock_set(workday_deadline(l.received, 7)); /* the eighth day has begun */
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明内容", &l), RC_CONFLICT);
    clock_set(workday_deadline(l.received, 7) - 1);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明内容", &l), RC_OK);
    clock_set(workday_begin(letter_day("2025-12-08")) + 9 * 3600);
    be_writer(t, WRITER, 2);
    assert_int_equal(writer_does(t, ",\"text\":\"部门决算\"", &l, letter_add), RC_OK);
    assert_due(&l, "2026-01-06"); /* 20 working days from the completion */
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "还要", &l), RC_CONFLICT);
}

static void the_time_of_third_parties_is_not_counted(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, DISCLOSE);

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    clock_set(WORLD_NOW + 3 * 86400);
    assert_int_equal(staff_does(t, LETTER_DO_CONSULT, "征求企业意见", &l), RC_OK);
    clock_set(WORLD_NOW + 24 * 86400); /* three weeks later: 15 December */
    assert_int_equal(staff_does(t, LETTER_DO_RESUME, NULL, &l), RC_OK);
    assert_due(&l, "2026-01-12"); /* 19 December and 15 working days more */
}

static void at_nine(const char *day)
{
    clock_set(workday_begin(letter_day(day)) + 9 * 3600);
}

static void assert_late(struct library_world *t, int64_t expected)
{
    int64_t n, oldest;

    assert_int_equal(letter_late(&t->w, &n, &oldest), RC_OK);
    assert_int_equal(n, expected);
}

static void third_parties_have_fifteen_working_days(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, DISCLOSE);

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    at_nine("2025-11-24");
    assert_int_equal(staff_does(t, LETTER_DO_CONSULT, "征求企业意见", &l), RC_OK);
    assert_due(&l, "2025-12-15");
    at_nine("2025-12-15");
    assert_late(t, 0);
    at_nine("2025-12-16"); /* nobody said anything: the unit decides without them */
    assert_late(t, 1);
    assert_true(letter_is_late(&l));
    assert_int_equal(staff_does(t, LETTER_DO_RESUME, NULL, &l), RC_OK);
    assert_late(t, 0);
    assert_due(&l, "2026-01-13"); /* 19 working days were left */
}

static void who_is_late_stays_late_while_third_parties_are_asked(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, DISCLOSE);
    int64_t due = l.due;

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    clock_set(due);
    assert_int_equal(staff_does(t, LETTER_DO_CONSULT, "征求企业意见", &l), RC_OK);
    assert_late(t, 1);
    assert_int_equal(staff_does(t, LETTER_DO_RESUME, NULL, &l), RC_OK);
    assert_int_equal(l.due, due);
}

static void asked(struct library_world *t, struct letter *l)
{
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明地址", l), RC_OK);
    assert_int_equal(l->state, LETTER_ASKED);
}

static void completed(struct library_world *t, struct letter *l)
{
    be_writer(t, WRITER, 2);
    assert_int_equal(writer_does(t, ",\"text\":\"南京路 1 号\"", l, letter_add), RC_OK);
    assert_int_equal(l->state, LETTER_PROGRESS);
    assert_int_equal(l->complete_by, 0);
    be_clerk(t, CLERK);
}

/* Whatever staff does with a letter that waits for its writer, the clock runs on with what was left. */
static void staff_need_not_wait_for_the_writer(void **state)
{
    struct library_world *t = *state;
    static const struct {
        enum letter_verb verb;
        struct letter_order order;
        enum letter_state to;
    } exits[] = {
        { LETTER_DO_RESUME, { 0 }, LETTER_PROGRESS },
        { LETTER_DO_BEGIN, { 0 }, LETTER_PROGRESS },
        { LETTER_DO_DRAFT, { .text = "您好" }, LETTER_PROGRESS },
        { LETTER_DO_TRANSFER, { .text = "属南开区", .unit = 2 }, LETTER_TRANSFERRED },
        { LETTER_DO_REFUSE, { .text = "不属本级职责" }, LETTER_REFUSED },
    };

    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++) {
        struct letter l;

        clock_set(WORLD_NOW);
        l = sent_letter(t, CONSULT);
        clock_set(WORLD_NOW + 4 * 86400); /* Tuesday: five days are left */
        asked(t, &l);
        at_nine("2025-12-01");
        assert_int_equal(staff_does_with(t, exits[i].verb, exits[i].order, &l), RC_OK);
        assert_int_equal(l.state, exits[i].to);
        assert_int_equal(l.complete_by, 0);
        if (l.state == LETTER_REFUSED)
            assert_int_equal(l.due, 0);
        else
            assert_due(&l, "2025-12-08");
        world_vandalise(t, "DELETE FROM letter");
        world_vandalise(t, "DELETE FROM letter_step");
    }
}

static void who_does_not_complete_a_request_in_time_gives_it_up(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, DISCLOSE);
    struct entry e;

    asked(t, &l);
    assert_int_equal(l.complete_by,
                     workday_deadline(WORLD_NOW, 15)); /* 12 December is the last day */
    assert_int_equal(entry_get(&t->w, WRITER, "letter", UUID, &e), RC_OK);
    assert_non_null(strstr(e.value, "\"completeBy\":"));
    clock_set(l.complete_by - 1);
    letter_tick(t->w.db, NULL);
    assert_int_equal(letter_find(&t->w, UUID, &l), RC_OK);
    assert_int_equal(l.state, LETTER_ASKED);
    clock_set(l.complete_by);
    letter_tick(t->w.db, NULL);
    assert_int_equal(letter_find(&t->w, UUID, &l), RC_OK);
    assert_int_equal(l.state, LETTER_CLOSED);
    assert_int_equal(l.due, 0);
    assert_int_equal(l.complete_by, 0);
    assert_int_equal(l.settled, clock_now());
    assert_int_equal(entry_get(&t->w, WRITER, "letter", UUID, &e), RC_OK);
    assert_non_null(strstr(e.value, "\"verb\":\"abandon\""));
}

static void another_letter_that_is_not_completed_comes_back_into_the_queue(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    clock_set(WORLD_NOW + 4 * 86400);
    asked(t, &l);
    clock_set(l.complete_by);
    letter_tick(t->w.db, NULL);
    assert_int_equal(letter_find(&t->w, UUID, &l), RC_OK);
    assert_int_equal(l.state, LETTER_PROGRESS);
    assert_int_equal(l.complete_by, 0);
    assert_due(
        &l, "2025-12-17"); /* asked until 9 December, over on the 10th; five days were left */
    completed(t, &l);      /* he may still say it */
    assert_due(&l, "2025-12-17");
}

static void nobody_is_asked_who_cannot_hear_of_it(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    world_vandalise(t, "UPDATE letter SET account = 0");
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明地址", &l), RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "收不到消息"));
}

static void whose_clock_stands_is_last_in_the_queue(void **state)
{
    struct library_world *t = *state;
    struct letter_query one = { .state = "", .unit = 1, .most = 1 };
    struct letter_page page;
    struct letter l = sent_letter(t, CONSULT);
    int64_t no[3];

    asked(t, &l);
    be_writer(t, WRITER, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_OK);
    be_clerk(t, CLERK);
    for (int i = 0; i < 3; i++) { /* each page one */
        assert_int_equal(letter_list(&t->w, &one, &page), RC_OK);
        assert_int_equal(page.n, 1);
        assert_int_equal(page.more, i < 2);
        no[i] = page.letters[0].no;
        one.cursor = arena_strdup(t->mem, page.next);
    }
    assert_int_equal(no[0], 2);
    assert_int_equal(no[1], 3);
    assert_int_equal(no[2], 1);
    one = (struct letter_query){ .state = "asked", .unit = 1, .most = 10 };
    assert_int_equal(letter_list(&t->w, &one, &page), RC_OK);
    assert_int_equal(page.n, 1);
    one = (struct letter_query){ .state = "", .unit = 1, .most = 10, .before = INT64_MAX };
    assert_int_equal(letter_list(&t->w, &one, &page), RC_OK);
    assert_int_equal(page.n, 2); /* who asks for what is late is told of deadlines */
}

static void a_complex_letter_keeps_the_days_in_which_its_clock_stood(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    clock_set(WORLD_NOW + 4 * 86400);
    asked(t, &l);
    clock_set(WORLD_NOW + 10 * 86400); /* 1 December */
    completed(t, &l);
    assert_due(&l, "2025-12-08");
    assert_int_equal(
        staff_does_with(t, LETTER_DO_BEGIN, (struct letter_order){ .complex = true }, &l),
        RC_OK);
    assert_due(&l, "2025-12-18"); /* eight more */
}

static void what_is_late_stays_late(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);
    int64_t due = l.due, n, oldest;

    clock_set(due + 35 * 86400);
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_EXTEND, "要实地核查", &l), RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "已经超过期限"));
    assert_int_equal(
        staff_does_with(t, LETTER_DO_ACCEPT, (struct letter_order){ .complex = true }, &l),
        RC_CONFLICT);
    asked(t, &l);
    assert_int_equal(l.due, due);
    assert_int_equal(letter_late(&t->w, &n, &oldest), RC_OK);
    assert_int_equal(n, 1);
    completed(t, &l);
    assert_int_equal(l.due, due);
    assert_int_equal(oldest, due);
}

static void who_is_asked_on_the_last_day_gives_no_day_more(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    at_nine("2025-12-02");
    asked(t, &l);
    at_nine("2025-12-04");
    completed(t, &l);
    assert_due(&l, "2025-12-04");
}

static void who_completes_on_a_day_off_is_answered_on_the_next_working_day(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    at_nine("2025-12-02");
    asked(t, &l);
    at_nine("2025-12-06"); /* a Saturday */
    completed(t, &l);
    assert_due(&l, "2025-12-08");
}

static void an_extension_before_the_completion_is_kept(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, DISCLOSE);

    be_clerk(t, CLERK);
    assert_int_equal(staff_does_with(t, LETTER_DO_EXTEND,
                                     (struct letter_order){ .text = "多个部门", .days = 5 },
                                     &l),
                     RC_OK);
    asked(t, &l);
    at_nine("2025-12-08");
    completed(t, &l);
    assert_due(&l, "2026-01-13"); /* twenty from the completion, and the five */
    assert_int_equal(staff_does(t, LETTER_DO_EXTEND, "还要", &l), RC_CONFLICT);
}

static void what_is_late_is_counted(void **state)
{
    struct library_world *t = *state;
    int64_t n, oldest;
    struct letter l = sent_letter(t, CONSULT);

    clock_set(l.due - 1);
    assert_int_equal(letter_late(&t->w, &n, &oldest), RC_OK);
    assert_int_equal(n, 0);
    clock_set(l.due);
    assert_int_equal(letter_late(&t->w, &n, &oldest), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(oldest, l.due);
}

/* ---- the clock ---- */

/* An answered letter, under a UUID of its own. */
static struct letter answered(struct library_world *t)
{
    const char *uuid = new_uuid(t);
    struct letter_order o = { .text = "已办" };
    struct letter l;

    be_writer(t, WRITER, 1);
    assert_int_equal(send_letter(t, uuid, CONSULT, &l), RC_OK);
    be_clerk(t, 0);
    t->w.who.party = 3;
    for (int i = 0; i < 2; i++) {
        world_begin(t);
        assert_int_equal(
            letter_ended(
                t, letter_do(&t->w, uuid, i ? LETTER_DO_ANSWER : LETTER_DO_ACCEPT, &o, &l)),
            RC_OK);
    }
    return l;
}

/* More of them than a tick takes, and they are the oldest. */
static void letters_that_cannot_be_closed_hold_back_no_other(void **state)
{
    struct library_world *t = *state;
    struct letter bad = answered(t), good;

    world_vandalise(
        t, arena_printf(t->mem, "UPDATE letter SET body = X'00' WHERE no = %d", (int)bad.no));
    world_vandalise(t, "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE "
                       "i < 250) INSERT INTO letter (no, id, account, number, category, unit, "
                       "state, hidden, public, hash, body, received, turn, settled) SELECT i, "
                       "randomblob(16), 0, 'X' || i, category, unit, state, 0, 0, hash, X'00', "
                       "received, i, settled FROM letter, n WHERE no = 1");
    clock_set(WORLD_NOW + 60);
    good = answered(t);
    clock_set(WORLD_NOW + LETTER_CLOSED_AFTER + 86400);
    for (int i = 0; i < 2; i++)
        letter_tick(t->w.db, NULL);
    assert_int_equal(letter_find(&t->w, good.number, &good), RC_OK);
    assert_int_equal(good.state, LETTER_CLOSED);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter WHERE state = 'answered'"),
                     152);
    /* A new round meets what failed, and it may be well by now. */
    world_vandalise(t, "DELETE FROM letter WHERE no >= 100");
    world_vandalise(t, "UPDATE letter SET body = NULL");
    for (int i = 0; i < 2; i++)
        letter_tick(t->w.db, NULL);
    assert_int_equal(letter_find(&t->w, bad.number, &bad), RC_OK);
    assert_int_equal(bad.state, LETTER_CLOSED);
}

int main(void)
{
#define T(name) \
    cmocka_unit_test_setup_teardown(name, letter_world_set_up, letter_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_complex_letter_has_other_days_and_an_extension_is_given_once),
        T(the_clock_stands_while_the_writer_is_asked),
        T(disclosure_has_twenty_days_and_twenty_more),
        T(completion_is_asked_once_within_seven_days_and_begins_anew),
        T(the_time_of_third_parties_is_not_counted),
        T(third_parties_have_fifteen_working_days),
        T(who_is_late_stays_late_while_third_parties_are_asked),
        T(staff_need_not_wait_for_the_writer),
        T(who_does_not_complete_a_request_in_time_gives_it_up),
        T(another_letter_that_is_not_completed_comes_back_into_the_queue),
        T(nobody_is_asked_who_cannot_hear_of_it),
        T(whose_clock_stands_is_last_in_the_queue),
        T(a_complex_letter_keeps_the_days_in_which_its_clock_stood),
        T(what_is_late_stays_late),
        T(who_is_asked_on_the_last_day_gives_no_day_more),
        T(who_completes_on_a_day_off_is_answered_on_the_next_working_day),
        T(an_extension_before_the_completion_is_kept),
        T(what_is_late_is_counted),
        T(letters_that_cannot_be_closed_hold_back_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
