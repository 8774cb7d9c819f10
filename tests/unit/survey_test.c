/* Surveys: what may be asked, who answers when, one answer each, counts that stay, and texts that nobody reads in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/citizen/survey_result.h"
#include "server/identity/account.h"
#include "server/identity/personal.h"
#include "server/library/publish.h"
#include "tests/lib/library_world.h"

enum { LI = 7, HAN = 8, GUEST = 9, DAY = 86400 };

#define QUESTIONS                                                                                \
    "[{\"choices\":[\"步行\",\"公交\",\"开车\"],\"kind\":\"single\",\"required\":true,"    \
    "\"title\":"                                                                                 \
    "\"您怎样来？\"},{\"choices\":[\"网上\",\"窗口\"],\"kind\":\"multiple\",\"title\":" \
    "\"哪里办？\"},"                                                                         \
    "{\"kind\":\"rating\",\"title\":\"满意吗？\"},{\"kind\":\"text\",\"title\":\"意见\"}]"

static int set_up(void **state)
{
    int bad = library_world_set_up(state);
    struct library_world *t = *state;

    clock_set(WORLD_NOW);
    t->w.who.operator= true;
    if (!bad)
        assert_int_equal(seal_load(&t->w.err, t->dir, SEAL_XCHACHA), RC_OK);
    return bad;
}

static int tear_down(void **state)
{
    seal_forget();
    return library_world_tear_down(state);
}

static struct survey publish(struct library_world *t, const char *more)
{
    struct content c =
        world_content(t, arena_printf(t->mem,
                                      "{\"kind\":\"survey\",\"questions\":" QUESTIONS
                                      ",\"title\":\"出行调查\"%s}",
                                      more));
    struct survey s;
    struct item it;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_OK);
    world_commit(t);
    assert_int_equal(survey_find(&t->w, &it.id, &s), RC_OK);
    return s;
}

static enum rc read_answers(struct library_world *t, const struct survey *s, const char *text,
                            struct answer **out)
{
    json_t *o;

    assert_int_equal(jx_object(&t->w.err, t->mem, arena_printf(t->mem, "{\"a\":%s}", text),
                               strlen(text) + 6, &o),
                     RC_OK);
    return answers_read(&t->w.err, t->mem, s->questions, s->n, json_object_get(o, "a"),
                        "answers", out);
}

static enum refused answer_as(struct library_world *t, const struct survey *s,
                              struct survey_sender from, const char *text)
{
    struct answer *a;
    enum refused why;

    assert_int_equal(read_answers(t, s, text, &a), RC_OK);
    world_begin(t);
    assert_int_equal(survey_take(&t->w, s, a, &from, &why), RC_OK);
    world_commit(t);
    return why;
}

static struct survey_sender sender(int64_t account, int level)
{
    return (struct survey_sender){ .account = account, .level = level, .id = id_new() };
}

static enum refused answer(struct library_world *t, const struct survey *s, int64_t account,
                           const char *text)
{
    return answer_as(t, s, sender(account, 1), text);
}

static struct survey_result result(struct library_world *t, const struct survey *s)
{
    struct survey_result r;

    assert_int_equal(survey_result(&t->w, s, &r), RC_OK);
    return r;
}

static void one_answer_each_and_the_same_again_is_the_same(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct survey_sender li = sender(LI, 1);
    struct survey_result r;
    struct entry e;
    char id[ID_TEXT];

    assert_int_equal(answer_as(t, &s, li, "[1,[0,1],5,\"多开几个窗口\"]"), REFUSED_NOT);
    assert_int_equal(answer_as(t, &s, li, "[1,[0,1],5,\"多开几个窗口\"]"), REFUSED_NOT);
    assert_int_equal(answer(t, &s, LI, "[2,null,null,null]"), REFUSED_too_many);
    assert_int_equal(answer(t, &s, HAN, "[1,[1],4,null]"), REFUSED_NOT);
    r = result(t, &s);
    assert_int_equal(r.answers, 2);
    assert_int_equal(r.tallies[0].n[1], 2);
    assert_int_equal(r.tallies[0].n[2], 0);
    assert_int_equal(r.tallies[1].n[0], 1);
    assert_int_equal(r.tallies[1].n[1], 2);
    assert_int_equal(r.tallies[2].n[5], 1);
    assert_int_equal(r.tallies[3].n[0], 1);
    assert_int_equal(entry_get(&t->w, LI, "answered", id_text(&s.item.id, id), &e), RC_OK);
    assert_non_null(e.value);
}

static void texts_are_sealed_and_staff_read_them_without_a_name(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct survey_row *rows;
    int n;

    answer(t, &s, LI, "[0,null,null,\"多开几个窗口\"]");
    assert_int_equal(world_number(t, "SELECT count(*) FROM survey_answer WHERE CAST(texts AS "
                                     "TEXT) LIKE '%窗口%' OR chosen LIKE '%窗口%'"),
                     0);
    assert_int_equal(survey_rows(&t->w, &s, 0, 10, &rows, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].chosen, "[0,null,null,null]");
    assert_string_equal(survey_words(&t->w, &s, &rows[0], 0), "步行");
    assert_string_equal(survey_words(&t->w, &s, &rows[0], 1), "");
    assert_string_equal(survey_words(&t->w, &s, &rows[0], 3), "多开几个窗口");
    assert_int_equal(survey_rows(&t->w, &s, rows[0].no, 10, &rows, &n), RC_OK);
    assert_int_equal(n, 0);
    t->w.who.rights = RIGHT_READ;
    assert_int_equal(survey_rows(&t->w, &s, 0, 10, &rows, &n), RC_FORBIDDEN);
}

static void it_is_answered_in_its_time_by_whom_it_asks(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(
        t, ",\"audience\":\"实名用户\",\"closes\":\"2025-11-23\",\"opens\":\"2025-11-22\"");
    const char *text = "[0,null,null,null]";

    assert_int_equal(answer_as(t, &s, sender(LI, 2), text), REFUSED_closed);
    clock_set(s.opens);
    assert_int_equal(answer_as(t, &s, sender(LI, 1), text), REFUSED_rights);
    assert_int_equal(answer_as(t, &s, sender(LI, 2), text), REFUSED_NOT);
    clock_set(s.closes);
    assert_int_equal(answer_as(t, &s, sender(HAN, 2), text), REFUSED_closed);
    clock_set(4102444800); /* 2100 */
    assert_int_equal(answer_as(t, &s, sender(HAN, 2), text), REFUSED_closed);
}

static void a_browser_answers_once_too(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct survey_sender from = { .browser = "one", .id = id_new() };

    assert_int_equal(answer_as(t, &s, from, "[0,null,null,\"一\"]"), REFUSED_NOT);
    assert_int_equal(answer_as(t, &s, from, "[0,null,null,\"一\"]"), REFUSED_NOT);
    from.id = id_new();
    assert_int_equal(answer_as(t, &s, from, "[1,null,null,null]"), REFUSED_too_many);
    from.browser[0] = 'x';
    assert_int_equal(answer_as(t, &s, from, "[1,null,null,null]"), REFUSED_NOT);
    assert_int_equal(result(t, &s).answers, 2);
}

static struct result ask_for(struct library_world *t, const char *key, const char *value)
{
    struct mutation m = { .account = LI, .type = "survey.answer", .key = key, .seen = -1 };
    struct result r = { 0 };

    assert_int_equal(jx_object(&t->w.err, t->mem, value, strlen(value), &m.value), RC_OK);
    world_begin(t);
    assert_int_equal(action_find(m.type)->apply(&t->w, &m, &r), RC_OK);
    world_commit(t);
    return r;
}

static void a_phone_answers_by_an_action(void **state)
{
    static const char first[] = "0190b1c2-0000-7000-8000-000000000001",
                      second[] = "0190b1c2-0000-7000-8000-000000000002";
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    char id[ID_TEXT];
    const char *good = arena_printf(t->mem, "{\"answers\":[1,null,5,\"好\"],\"survey\":\"%s\"}",
                                    id_text(&s.item.id, id));

    t->w.who.level = 1;
    assert_int_equal(ask_for(t, first, good).why, REFUSED_NOT);
    assert_int_equal(ask_for(t, first, good).why, REFUSED_NOT);
    assert_int_equal(ask_for(t, second, good).why, REFUSED_too_many);
    assert_int_equal(ask_for(t, "x", good).why, REFUSED_value);
    assert_int_equal(ask_for(t, second, "{\"answers\":[1]}").why, REFUSED_value);
    assert_int_equal(
        ask_for(t, second, arena_printf(t->mem, "{\"answers\":[9],\"survey\":\"%s\"}", id)).why,
        REFUSED_value);
    assert_int_equal(result(t, &s).answers, 1);
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &s.item.id, VERB_WITHDRAW, "写错了", &s.item), RC_OK);
    world_commit(t);
    assert_int_equal(ask_for(t, first, good).why, REFUSED_NOT); /* it was taken */
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const cases[] = {
        "[]",
        "[0,null,null]",
        "[0,null,null,null,null]",
        "[null,null,null,null]",
        "[3,null,null,null]",
        "[-1,null,null,null]",
        "[0,[],null,null]",
        "[0,[0,0],null,null]",
        "[0,[2],null,null]",
        "[0,null,6,null]",
        "[0,null,0,null]",
        "[0,null,null,\"\"]",
        "[0,null,null,7]",
        "[\"0\",null,null,null]",
        "[0.5,null,null,null]",
        "{}",
        "\"x\"",
        "null",
    };
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct answer *a;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (read_answers(t, &s, cases[i], &a) != RC_INVALID)
            fail_msg("%s is an answer", cases[i]);
}

static void what_is_no_question_is_refused(void **state)
{
    static const char *const cases[] = {
        "[]",
        "[{}]",
        "[7]",
        "{}",
        "[{\"kind\":\"single\",\"title\":\"一\"}]",
        "[{\"kind\":\"single\",\"title\":\"一\",\"choices\":[\"a\"]}]",
        "[{\"kind\":\"single\",\"title\":\"一\",\"choices\":[\"a\",\"a\"]}]",
        "[{\"kind\":\"single\",\"title\":\"\",\"choices\":[\"a\",\"b\"]}]",
        "[{\"kind\":\"other\",\"title\":\"一\"}]",
        "[{\"kind\":\"rating\",\"title\":\"一\",\"of\":11}]",
        "[{\"kind\":\"text\",\"title\":\"一\",\"max\":501}]",
        "[{\"kind\":\"multiple\",\"title\":\"一\",\"choices\":[\"a\",\"b\"],\"most\":3}]",
        "[{\"kind\":\"text\",\"title\":\"一\",\"of\":3}]",
        "[{\"kind\":\"text\",\"title\":\"一\",\"max\":500},{\"kind\":\"text\",\"title\":\"二\","
        "\"max\":500},{\"kind\":\"text\",\"title\":\"三\",\"max\":500},{\"kind\":\"text\","
        "\"title\":\"四\",\"max\":1}]",
    };
    struct library_world *t = *state;
    struct content c;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = arena_printf(
            t->mem, "{\"kind\":\"survey\",\"questions\":%s,\"title\":\"一\"}", cases[i]);

        if (content_parse(&t->w.err, t->mem, text, strlen(text), &c) != RC_INVALID)
            fail_msg("%s are questions", cases[i]);
    }
    assert_int_equal(
        content_parse(&t->w.err, t->mem, "{\"kind\":\"survey\",\"title\":\"一\"}", 31, &c),
        RC_INVALID);
    assert_int_equal(content_parse(&t->w.err, t->mem,
                                   "{\"kind\":\"article\",\"questions\":[],\"title\":\"一\"}",
                                   47, &c),
                     RC_INVALID);
}

static void what_was_asked_stays_and_its_end_may_move(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct content other =
        world_content(t, "{\"kind\":\"survey\",\"questions\":[{\"kind\":\"text\",\"title\":"
                         "\"别的\"}],\"title\":\"出行调查\"}");
    struct content later = world_content(
        t, "{\"closes\":\"2026-01-01\",\"kind\":\"survey\",\"questions\":" QUESTIONS
           ",\"title\":\"出行调查（延期）\"}");
    struct content article = world_content(t, "{\"kind\":\"article\",\"title\":\"一\"}");
    struct item it;

    world_begin(t);
    assert_int_equal(item_edit(&t->w, &s.item.id, 1, &other, NULL, NULL, &it), RC_CONFLICT);
    assert_int_equal(item_edit(&t->w, &s.item.id, 1, &article, NULL, NULL, &it), RC_CONFLICT);
    assert_int_equal(item_edit(&t->w, &s.item.id, 1, &later, NULL, NULL, &it), RC_OK);
    world_commit(t);
}

static void two_people_open_it(void **state)
{
    struct library_world *t = *state;
    struct content c = world_content(t, "{\"kind\":\"survey\",\"questions\":" QUESTIONS
                                        ",\"title\":\"出行调查\"}");
    struct item it;

    world_begin(t);
    snprintf(t->w.who.name, sizeof t->w.who.name, "account:1");
    t->w.who.operator= false;
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_SUBMIT, NULL, &it), RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_APPROVE, NULL, &it), RC_FORBIDDEN);
    snprintf(t->w.who.name, sizeof t->w.who.name, "account:2");
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_APPROVE, NULL, &it), RC_OK);
    world_commit(t);
}

static void it_is_ended_early_and_the_public_learns_of_it(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct item it;

    clock_set(WORLD_NOW + 60);
    world_begin(t);
    assert_int_equal(survey_close(&t->w, &s, &it), RC_OK);
    world_commit(t);
    assert_int_equal(survey_find(&t->w, &s.item.id, &s), RC_OK);
    assert_int_equal(s.closes, WORLD_NOW + 60);
    assert_int_equal(answer(t, &s, LI, "[0,null,null,null]"), REFUSED_closed);
    world_begin(t);
    assert_int_equal(survey_close(&t->w, &s, &it), RC_CONFLICT);
    t->w.who.rights = RIGHT_READ | RIGHT_EDIT;
    assert_int_equal(survey_close(&t->w, &s, &it), RC_FORBIDDEN);
    world_commit(t);
}

static void results_become_a_draft(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct revision r;
    struct content c;
    struct item it;

    answer(t, &s, LI, "[1,[0,1],5,\"好\"]");
    answer(t, &s, HAN, "[0,[0],4,null]");
    world_begin(t);
    assert_int_equal(survey_draft(&t->w, &s, &it), RC_OK);
    world_commit(t);
    assert_int_equal(it.state, STATE_DRAFT);
    assert_int_equal(item_revision(&t->w, &it.id, 0, &it, &r, &c), RC_OK);
    assert_string_equal(c.title, "“出行调查”结果");
    assert_non_null(strstr(c.value[FIELD_body].p, "共收到 2 份答卷"));
    assert_non_null(strstr(c.value[FIELD_body].p, "网上：2 份（100.0%）"));
    assert_non_null(strstr(c.value[FIELD_body].p, "平均 4.5 分"));
    assert_null(strstr(c.value[FIELD_body].p, "好\""));
}

static void who_is_erased_leaves_counts_and_no_words(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct survey_row *rows;
    int n;

    answer(t, &s, LI, "[1,null,null,\"我住在三号楼\"]");
    world_begin(t);
    assert_int_equal(db_run(&t->w, SQL_erase_survey_answer, "i", (int64_t)LI), RC_OK);
    world_commit(t);
    assert_int_equal(result(t, &s).answers, 1);
    assert_int_equal(survey_rows(&t->w, &s, 0, 10, &rows, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_null(rows[0].texts);
    assert_int_equal(world_number(t, "SELECT count(*) FROM survey_answer WHERE account IS NOT "
                                     "NULL OR texts IS NOT NULL"),
                     0);
}

static void a_guests_answer_becomes_the_accounts(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, ""), other = publish(t, "");
    struct survey_result r;
    struct survey_row *rows;
    int n;

    answer(t, &s, GUEST, "[1,null,null,\"作为访客\"]");
    answer(t, &other, GUEST, "[1,[0,1],5,\"访客\"]");
    answer(t, &other, LI, "[2,null,null,\"本人\"]");
    world_begin(t);
    assert_int_equal(survey_adopt(&t->w, GUEST, LI), RC_OK);
    world_commit(t);
    assert_int_equal(answer(t, &s, LI, "[0,null,null,null]"), REFUSED_too_many);
    assert_int_equal(survey_rows(&t->w, &s, 0, 10, &rows, &n), RC_OK);
    assert_string_equal(survey_words(&t->w, &s, &rows[0], 3), "作为访客");
    assert_int_equal(survey_rows(&t->w, &other, 0, 10, &rows, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(survey_words(&t->w, &other, &rows[0], 3), "本人");
    r = result(t, &other); /* one answer a person, in the counts too */
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.tallies[0].n[1], 0);
    assert_int_equal(r.tallies[0].n[2], 1);
    assert_int_equal(r.tallies[1].n[0], 0);
    assert_int_equal(r.tallies[2].n[5], 0);
    assert_int_equal(r.tallies[3].n[0], 1);
    assert_int_equal(result(t, &s).answers, 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM survey_answer WHERE account = 9"),
                     0);
}

static int64_t person(struct library_world *t, enum account_kind kind, int level)
{
    struct account a;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &(struct account_new){ kind, level, NULL }, &a),
                     RC_OK);
    world_commit(t);
    return a.id;
}

/* Its guest's session ended, so the phone begins as another, and sends again what it does not know to have arrived. */
static void the_same_answer_from_the_guest_who_follows_counts_once(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct survey_sender from = sender(person(t, ACCOUNT_GUEST, 0), 0);
    int64_t first = from.account, next = person(t, ACCOUNT_GUEST, 0);
    struct survey_row *rows;
    int n;

    assert_int_equal(answer_as(t, &s, from, "[1,null,null,\"一次\"]"), REFUSED_NOT);
    from.account = next;
    assert_int_equal(answer_as(t, &s, from, "[1,null,null,\"一次\"]"), REFUSED_NOT);
    assert_int_equal(result(t, &s).answers, 1);
    from.id = id_new(); /* and it is his: he has answered */
    assert_int_equal(answer_as(t, &s, from, "[2,null,null,null]"), REFUSED_too_many);
    assert_int_equal(survey_rows(&t->w, &s, 0, 10, &rows, &n), RC_OK);
    assert_string_equal(survey_words(&t->w, &s, &rows[0], 3), "一次");
    assert_true(first != next);
}

/* Who has the UUID of a citizen's answer gets nothing by it. */
static void nobody_takes_a_citizens_answer(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct survey_sender from = sender(person(t, ACCOUNT_CITIZEN, 1), 1), other = from;

    assert_int_equal(answer_as(t, &s, from, "[1,null,null,null]"), REFUSED_NOT);
    other.account = person(t, ACCOUNT_GUEST, 0);
    assert_int_equal(answer_as(t, &s, other, "[2,null,null,null]"), REFUSED_NOT);
    assert_int_equal(result(t, &s).answers, 1);
    from.id = id_new();
    assert_int_equal(answer_as(t, &s, from, "[1,null,null,null]"), REFUSED_too_many);
}

static void one_address_is_no_thousand_browsers(void **state)
{
    struct library_world *t = *state;
    struct survey s = publish(t, "");
    struct survey_sender from = { .client = 7 };

    survey_open(2);
    for (int i = 0; i < 3; i++) {
        from.id = id_new();
        from.browser[0] = (uint8_t)(i + 1);
        assert_int_equal(answer_as(t, &s, from, "[1,null,null,null]"),
                         i < 2 ? REFUSED_NOT : REFUSED_limit);
    }
    from.client = 8;
    assert_int_equal(answer_as(t, &s, from, "[1,null,null,null]"), REFUSED_NOT);
    assert_int_equal(answer_as(t, &s, sender(LI, 1), "[1,null,null,null]"), REFUSED_NOT);
    clock_set(WORLD_NOW + 3600);
    from.client = 7;
    from.id = id_new();
    from.browser[0] = 9;
    assert_int_equal(answer_as(t, &s, from, "[1,null,null,null]"), REFUSED_NOT);
    survey_open(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_answer_each_and_the_same_again_is_the_same),
        TEST(texts_are_sealed_and_staff_read_them_without_a_name),
        TEST(it_is_answered_in_its_time_by_whom_it_asks),
        TEST(a_browser_answers_once_too),
        TEST(a_phone_answers_by_an_action),
        TEST(what_is_no_answer_is_refused),
        TEST(what_is_no_question_is_refused),
        TEST(what_was_asked_stays_and_its_end_may_move),
        TEST(two_people_open_it),
        TEST(it_is_ended_early_and_the_public_learns_of_it),
        TEST(results_become_a_draft),
        TEST(who_is_erased_leaves_counts_and_no_words),
        TEST(a_guests_answer_becomes_the_accounts),
        TEST(the_same_answer_from_the_guest_who_follows_counts_once),
        TEST(nobody_takes_a_citizens_answer),
        TEST(one_address_is_no_thousand_browsers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
