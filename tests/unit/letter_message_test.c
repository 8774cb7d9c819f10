/*
 * letter_message_test.c - what a writer finds in his inbox while others work on his letter: each step he should hear of, once, in words for people.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/inbox.h"
#include "server/citizen/letter_clock.h"
#include "server/citizen/letter_entry.h"
#include "server/citizen/letter_publish.h"
#include "server/citizen/letter_send.h"
#include "server/identity/account.h"
#include "tests/lib/letter_world.h"

static int64_t writer;

static int set_up(void **state)
{
    const struct account_new new = { ACCOUNT_CITIZEN, 2, "李雷" };
    struct library_world *t;
    struct account a;

    letter_world_set_up(state);
    t = *state;
    world_begin(t);
    assert_int_equal(account_make(&t->w, &new, &a), RC_OK);
    world_commit(t);
    writer = a.id;
    return 0;
}

static struct letter sent(struct library_world *t, const char *text)
{
    struct letter l;

    be_writer(t, writer, 2);
    assert_int_equal(send_letter(t, UUID, text, &l), RC_OK);
    return l;
}

/* The newest of them; it says all of these and has no place left that was not filled. */
static void assert_told(struct library_world *t, int many, const char *title, const char *a,
                        const char *b)
{
    struct inbox_message *list;
    int n;

    assert_int_equal(inbox_list(&t->w, writer, 0, &list, &n), RC_OK);
    assert_int_equal(n, many);
    assert_string_equal(list[0].kind, "letter");
    assert_string_equal(list[0].letter, UUID);
    assert_string_equal(list[0].title, title);
    assert_non_null(strstr(list[0].text, a));
    assert_non_null(strstr(list[0].text, b));
    assert_null(strpbrk(list[0].text, "{}"));
    assert_true(list[0].text[strlen(list[0].text) - 1] != '\n');
}

static void every_step_that_matters_is_told(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent(t, CONSULT);

    be_office(t);
    assert_int_equal(staff_does_with(t, LETTER_DO_TRANSFER,
                                     (struct letter_order){ .text = "属南开区", .unit = 2 },
                                     &l),
                     RC_OK);
    assert_told(t, 1, "您的信件已转给负责的单位", "南开区", "属南开区");
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_told(t, 2, "您的信件已受理", l.number, "年");
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明地址", &l), RC_OK);
    assert_told(t, 3, "请补充您的信件", "请写明地址", "南开区");
    be_writer(t, writer, 2);
    assert_int_equal(writer_does(t, ",\"text\":\"南京路\"", &l, letter_add), RC_OK);
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_BEGIN, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_EXTEND, "要实地核查", &l), RC_OK);
    assert_told(t, 4, "您的信件要多办几天", "要实地核查", "最迟");
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "已修好", &l), RC_OK);
    t->w.who.operator= true;
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_OK);
    assert_told(t, 4, "您的信件要多办几天", "要实地核查", "最迟"); /* among themselves */
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_OK);
    assert_told(t, 5, "您的信件已答复", "已修好", l.number);
    be_writer(t, writer, 2);
    assert_int_equal(writer_does(t, ",\"rating\":1", &l, letter_rate), RC_OK);
    world_begin(t);
    assert_int_equal(letter_tell(&t->w, &l, NULL), RC_OK);
    assert_int_equal(letter_tell(&t->w, &l, NULL), RC_OK); /* once a step */
    world_commit(t);
    assert_told(t, 6, "我们会回访您", l.number, "回访");
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_FOLLOW, "已上门查看", &l), RC_OK);
    assert_told(t, 7, "您的评价有了回音", "已上门查看", l.number);
}

/* Until when, and what happens then: before it does. */
static void who_is_asked_reads_until_when_and_what_follows(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent(t, CONSULT);

    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明地址", &l), RC_OK);
    assert_told(t, 1, "请补充您的信件", "请在2025年12月5日前", "就按已有的内容继续办理");
    clock_set(l.complete_by);
    letter_tick(t->w.db, NULL);
    assert_told(t, 2, "您的信件继续办理", "我们没有等到您对信件", l.number);
}

static void who_gave_a_request_up_is_told(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent(t, "{\"category\":\"disclose\",\"text\":\"申请公开 2024 年决算\","
                              "\"title\":\"决算\",\"unit\":\"heping\"}");

    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明内容", &l), RC_OK);
    assert_told(t, 1, "请补充您的信件", "请在2025年12月12日前", "第三十条视为放弃申请");
    clock_set(l.complete_by);
    letter_tick(t->w.db, NULL);
    assert_told(t, 2, "您的申请按放弃处理了", "第三十条", l.number);
}

static void what_is_refused_says_why(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent(t, CONSULT);

    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_REFUSE, "不属本级职责", &l), RC_OK);
    assert_told(t, 1, "您的信件没有受理", "不属本级职责", "很抱歉");
}

static void the_longest_words_are_cut_and_the_letter_has_the_rest(void **state)
{
    struct library_world *t = *state;
    struct buf words = BUF_IN(t->mem);
    struct letter l = sent(t, CONSULT);

    for (int i = 0; i < LETTER_TEXT_MAX; i++)
        buf_adds(&words, "长");
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, words.p, &l), RC_OK);
    t->w.who.operator= true;
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_OK);
    assert_told(t, 2, "您的信件已答复", "长……（全文见信件）", l.number);
}

/* As a form of a browser and a system on Windows send it; and what no reader shows is refused before the step, in words. */
static void words_with_any_line_ends_are_told_and_published(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent(t, "{\"category\":\"consult\",\"public\":true,\"text\":"
                              "\"一、\\r\\n二、\\r三、\\t四\",\"title\":\"居住证\","
                              "\"unit\":\"heping\"}");
    static const char *const bad[] = { "\001",     "\033[1m", "\x7f",   "\xc2\x85",
                                       "\xc2\x9b", "\uFFFE",  "\uFFFF", "\u202e" };
    struct item item;

    assert_non_null(strstr(l.body, "一、\\n二、\\n三、\\t四"));
    be_office(t);
    t->w.who.operator= true;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            staff_does(t, LETTER_DO_ACCEPT, arena_printf(t->mem, "您好%s", bad[i]), &l),
            RC_INVALID);
        assert_non_null(strstr(t->w.err.text, "不能显示的控制字符"));
    }
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, "您好：\r\n已收到", &l), RC_OK);
    assert_told(t, 1, "您的信件已受理", "您好：\n已收到", l.number);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明：\r\n\t地址", &l), RC_OK);
    assert_told(t, 2, "请补充您的信件", "请写明：\n\t地址", l.number);
    be_writer(t, writer, 2);
    assert_int_equal(writer_does(t, ",\"text\":\"南京路\\r\\n1 号\"", &l, letter_add), RC_OK);
    be_office(t);
    t->w.who.operator= true;
    assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "您好：\r\n已修好。", &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_OK);
    assert_told(t, 3, "您的信件已答复", "您好：\n已修好。", l.number);
    t->w.who.rights = RIGHT_ALL;
    world_begin(t);
    assert_int_equal(letter_ended(t, letter_publish(&t->w, UUID, t->news, NULL, 0, &item)),
                     RC_OK);
}

/* An inbox that does not take the words keeps nobody from answering. */
static void no_step_fails_because_of_its_message(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent(t, CONSULT);

    world_vandalise(t, "UPDATE org SET name = '和平' || char(13) || '区' WHERE no = 1");
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(l.state, LETTER_ACCEPTED);
}

static void who_is_gone_keeps_no_step_from_being_done(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent(t, CONSULT);

    world_vandalise(t, "UPDATE letter SET account = 12345");
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, letter_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(every_step_that_matters_is_told),
        T(who_is_asked_reads_until_when_and_what_follows),
        T(who_gave_a_request_up_is_told),
        T(what_is_refused_says_why),
        T(the_longest_words_are_cut_and_the_letter_has_the_rest),
        T(words_with_any_line_ends_are_told_and_published),
        T(no_step_fails_because_of_its_message),
        T(who_is_gone_keeps_no_step_from_being_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
