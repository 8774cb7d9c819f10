/*
 * letter_staff_test.c - a letter's life: what may follow what, who may say it, and the lists of who works on it. How long it takes: letter_clock_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/citizen/entry.h"
#include "server/citizen/letter_clock.h"
#include "server/citizen/letter_list.h"
#include "server/citizen/letter_send.h"
#include "server/citizen/workday.h"
#include "server/identity/account.h"
#include "server/identity/role.h"
#include "tests/lib/letter_world.h"

/* ---- the whole life ---- */

static void a_letter_is_answered_rated_and_closed(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);
    struct entry e;

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ASSIGN, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_BEGIN, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_CONFLICT);
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "请带身份证到街道办理。", &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l),
                     RC_CONFLICT); /* nobody reviewed it */
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_CONFLICT); /* himself */
    be_clerk(t, CHIEF);
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_OK);
    assert_int_equal(l.state, LETTER_ANSWERED);
    assert_int_equal(l.due, 0);
    assert_int_equal(entry_get(&t->w, WRITER, "letter", UUID, &e), RC_OK);
    assert_non_null(strstr(e.value, "\"answer\":\"请带身份证到街道办理。\""));
    assert_null(strstr(e.value, "account:")); /* who it was is the unit's affair */
    assert_null(strstr(e.value, "draft"));
    be_writer(t, WRITER, 1);
    assert_int_equal(writer_does(t, ",\"rating\":5", &l, letter_rate), RC_OK);
    assert_int_equal(l.state, LETTER_RATED);
    assert_int_equal(writer_does(t, ",\"rating\":1", &l, letter_rate), RC_CONFLICT);
    clock_set(WORLD_NOW + LETTER_CLOSED_AFTER + 86400);
    letter_tick(t->w.db, NULL);
    assert_int_equal(letter_find(&t->w, UUID, &l), RC_OK);
    assert_int_equal(l.state, LETTER_CLOSED);
    assert_int_equal(entry_get(&t->w, WRITER, "letter", UUID, &e), RC_OK);
    assert_non_null(strstr(e.value, "\"state\":\"closed\""));
}

static void an_edited_draft_is_reviewed_again(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "一稿", &l), RC_OK);
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_OK);
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "二稿", &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_CONFLICT);
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_RETURN, "请写清楚地址", &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_CONFLICT);
}

/* Between reading and approving the drafter writes again: what nobody read is not sent. */
static void a_review_is_of_the_draft_that_was_read(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT), read;

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "一稿", &read), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "二稿", &l), RC_OK);
    be_office(t);
    assert_int_equal(
        staff_does_with(t, LETTER_DO_REVIEW, (struct letter_order){ .draft = read.draft }, &l),
        RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "请先看最新的一稿"));
    assert_int_equal(staff_does_with(t, LETTER_DO_REVIEW, (struct letter_order){ 0 }, &l),
                     RC_INVALID);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_CONFLICT);
    assert_int_equal(letter_find(&t->w, UUID, &read), RC_OK);
    assert_int_equal(
        staff_does_with(t, LETTER_DO_REVIEW, (struct letter_order){ .draft = read.draft }, &l),
        RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_OK);
}

static void a_poor_rating_opens_a_follow_up_with_a_deadline(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "已阅。", &l), RC_OK);
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_OK);
    be_writer(t, WRITER, 1);
    assert_int_equal(writer_does(t, ",\"rating\":1,\"text\":\"没有回答\"", &l, letter_rate),
                     RC_OK);
    assert_int_equal(l.state, LETTER_POOR);
    assert_due(&l, "2025-11-28");
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_FOLLOW, NULL, &l), RC_INVALID);
    assert_int_equal(staff_does(t, LETTER_DO_FOLLOW, "已电话说明并道歉", &l), RC_OK);
    assert_int_equal(l.state, LETTER_CLOSED);
    assert_int_equal(l.due, 0);
}

static void a_writer_takes_his_letter_back_until_it_is_answered(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_writer(t, OTHER, 1);
    assert_int_equal(writer_does(t, "", &l, letter_withdraw), RC_NOT_FOUND);
    be_writer(t, WRITER, 1);
    assert_int_equal(writer_does(t, "", &l, letter_withdraw), RC_OK);
    assert_int_equal(l.state, LETTER_WITHDRAWN);
    assert_int_equal(writer_does(t, ",\"text\":\"还有\"", &l, letter_add), RC_CONFLICT);
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_CONFLICT);
}

/* ---- units ---- */

static void a_unit_handles_its_own_letters_alone(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_clerk(t, CLERK);
    assert_int_equal(staff_does_with(t, LETTER_DO_TRANSFER,
                                     (struct letter_order){ .text = "属南开区", .unit = 2 },
                                     &l),
                     RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_FORBIDDEN);
    assert_int_equal(letter_may(&t->w, 2), RC_FORBIDDEN);
    be_office(t);
    assert_int_equal(staff_does_with(t, LETTER_DO_TRANSFER,
                                     (struct letter_order){ .text = "不存在", .unit = 77 }, &l),
                     RC_NOT_FOUND);
    assert_int_equal(staff_does_with(t, LETTER_DO_TRANSFER,
                                     (struct letter_order){ .text = "退回", .unit = 1 }, &l),
                     RC_OK);
    be_writer(t, WRITER, 1);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_FORBIDDEN);
}

static void a_hidden_writer_is_shown_to_the_office_alone(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(
        t, "{\"category\":\"report\",\"hidden\":true,\"text\":\"x\",\"title\":\"x\","
           "\"unit\":\"heping\"}");

    be_clerk(t, CLERK);
    assert_false(letter_shows_writer(&t->w, &l));
    be_office(t);
    assert_true(letter_shows_writer(&t->w, &l));
}

static void a_units_own_system_answers_outright(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_clerk(t, 0);
    t->w.who.party = 3;
    strcpy(t->w.who.name, "party:heping");
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_INVALID);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, "已由本单位系统答复", &l), RC_OK);
    assert_int_equal(l.state, LETTER_ANSWERED);
}

/* ---- lists ---- */

static void the_queue_is_in_the_order_of_deadlines_and_has_no_gap(void **state)
{
    struct library_world *t = *state;
    struct letter_query all = { .state = "", .most = 2 };
    struct letter_page page;
    int64_t last = 0;
    int seen = 0;

    be_writer(t, WRITER, 2);
    for (int i = 0; i < 5; i++) {
        struct letter l;

        clock_set(WORLD_NOW + (5 - i) * 86400);
        assert_int_equal(send_letter(t, new_uuid(t), i % 2 ? CONSULT : DISCLOSE, &l), RC_OK);
    }
    be_office(t);
    do {
        assert_int_equal(letter_list(&t->w, &all, &page), RC_OK);
        for (int i = 0; i < page.n; i++, seen++) {
            assert_true(page.letters[i].due >= last);
            last = page.letters[i].due;
        }
        all.cursor = arena_strdup(t->mem, page.next);
    } while (page.more);
    assert_int_equal(seen, 5);
    be_clerk(t, CLERK);
    all = (struct letter_query){ .state = "", .most = 10 };
    assert_int_equal(letter_list(&t->w, &all, &page), RC_FORBIDDEN);
    all.unit = 1;
    all.category = LETTER_CONSULT;
    assert_int_equal(letter_list(&t->w, &all, &page), RC_OK);
    assert_int_equal(page.n, 2);
    all.unit = 2;
    assert_int_equal(letter_list(&t->w, &all, &page), RC_FORBIDDEN);
}

static void a_system_that_keeps_up_sees_every_change_once(void **state)
{
    struct library_world *t = *state;
    struct letter_query changed = { .unit = 1, .state = "", .changed = true, .most = 10 };
    struct letter_page page;
    struct letter l = sent_letter(t, CONSULT);

    be_clerk(t, CLERK);
    assert_int_equal(letter_list(&t->w, &changed, &page), RC_OK);
    assert_int_equal(page.n, 1);
    changed.cursor = arena_strdup(t->mem, page.next);
    assert_int_equal(letter_list(&t->w, &changed, &page), RC_OK);
    assert_int_equal(page.n, 0);
    assert_string_equal(page.next, changed.cursor);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(letter_list(&t->w, &changed, &page), RC_OK);
    assert_int_equal(page.n, 1);
}

static int listed(struct library_world *t, int64_t unit, const char *state)
{
    struct letter_query q = { .unit = unit, .state = state, .most = 10 };
    struct letter_page page;

    assert_int_equal(letter_list(&t->w, &q, &page), RC_OK);
    return page.n;
}

static void letters_without_a_deadline_are_listed_by_their_state(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_office(t);
    assert_int_equal(listed(t, 1, "submitted"), 1);
    assert_int_equal(listed(t, 0, "withdrawn"), 0);
    be_writer(t, WRITER, 1);
    assert_int_equal(writer_does(t, "", &l, letter_withdraw), RC_OK);
    be_office(t);
    assert_int_equal(listed(t, 1, "withdrawn"), 1);
    assert_int_equal(listed(t, 0, "withdrawn"), 1);
    assert_int_equal(listed(t, 2, "withdrawn"), 0);
    assert_int_equal(listed(t, 1, "submitted"), 0);
}

static int64_t staff_with(struct library_world *t, int64_t site)
{
    struct account a;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &(struct account_new){ ACCOUNT_STAFF, 2, NULL }, &a),
                     RC_OK);
    world_commit(t);
    if (site)
        world_vandalise(
            t,
            arena_printf(t->mem,
                         "INSERT INTO role (account, role, site, giver, since) VALUES (%lld, "
                         "%d, %lld, 'test', 1)",
                         (long long)a.id, ROLE_LETTER_CLERK, (long long)site));
    world_begin(t);
    assert_int_equal(role_load(&t->w), RC_OK);
    world_commit(t);
    return a.id;
}

/* To whom it is given can open it. */
static void a_letter_is_assigned_to_who_may_handle_it(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);
    int64_t stranger = staff_with(t, 0), clerk = staff_with(t, t->site);

    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(
        staff_does_with(t, LETTER_DO_ASSIGN, (struct letter_order){ .clerk = stranger }, &l),
        RC_INVALID);
    assert_string_equal(t->w.err.field, "/clerk");
    assert_int_equal(
        staff_does_with(t, LETTER_DO_ASSIGN, (struct letter_order){ .clerk = clerk }, &l),
        RC_OK);
    assert_int_equal(l.clerk, clerk);
}

static struct letter_page changed_of(struct library_world *t, int64_t unit, const char **cursor)
{
    struct letter_query q = {
        .unit = unit, .state = "", .changed = true, .most = 10, .cursor = *cursor
    };
    struct letter_page page;

    assert_int_equal(letter_list(&t->w, &q, &page), RC_OK);
    *cursor = arena_strdup(t->mem, page.next);
    return page;
}

/* Its system has the name and the words: it hears that they are another's now, or nobody's. */
static void a_unit_hears_that_a_letter_left_it_or_was_erased(void **state)
{
    struct library_world *t = *state;
    const char *here = NULL, *there = NULL;
    struct letter l = sent_letter(t, CONSULT);
    struct letter_page page;

    be_office(t);
    assert_int_equal(changed_of(t, 1, &here).n, 1);
    assert_int_equal(staff_does_with(t, LETTER_DO_TRANSFER,
                                     (struct letter_order){ .text = "属南开", .unit = 2 }, &l),
                     RC_OK);
    page = changed_of(t, 1, &here);
    assert_int_equal(page.n, 1);
    assert_true(page.letters[0].left);
    assert_string_equal(page.letters[0].number, l.number);
    assert_null(page.letters[0].body);
    assert_null(page.letters[0].contact);
    assert_int_equal(page.letters[0].account, 0);
    assert_int_equal(changed_of(t, 1, &here).n, 0);
    page = changed_of(t, 2, &there);
    assert_int_equal(page.n, 1);
    assert_false(page.letters[0].left);
    world_begin(t);
    assert_int_equal(db_run(&t->w, SQL_erase_letter, "i", (int64_t)WRITER), RC_OK);
    world_commit(t);
    page = changed_of(t, 2, &there);
    assert_int_equal(page.n, 1);
    assert_null(page.letters[0].body);
    assert_int_equal(changed_of(t, 2, &there).n, 0);
    assert_int_equal(changed_of(t, 1, &here).n, 0);
}

int main(void)
{
#define T(name) \
    cmocka_unit_test_setup_teardown(name, letter_world_set_up, letter_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_letter_is_answered_rated_and_closed),
        T(an_edited_draft_is_reviewed_again),
        T(a_review_is_of_the_draft_that_was_read),
        T(a_poor_rating_opens_a_follow_up_with_a_deadline),
        T(a_writer_takes_his_letter_back_until_it_is_answered),
        T(a_unit_handles_its_own_letters_alone),
        T(a_hidden_writer_is_shown_to_the_office_alone),
        T(a_units_own_system_answers_outright),
        T(the_queue_is_in_the_order_of_deadlines_and_has_no_gap),
        T(a_system_that_keeps_up_sees_every_change_once),
        T(letters_without_a_deadline_are_listed_by_their_state),
        T(a_letter_is_assigned_to_who_may_handle_it),
        T(a_unit_hears_that_a_letter_left_it_or_was_erased),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
