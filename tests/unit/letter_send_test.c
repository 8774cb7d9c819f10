/*
 * letter_send_test.c - what a writer sends: numbers, receipts, who may, what is refused; what he is answered, and what is left when he goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/adopt.h"
#include "server/citizen/entry.h"
#include "server/citizen/epoch.h"
#include "server/citizen/letter_action.h"
#include "server/citizen/letter_send.h"
#include "server/citizen/receipt.h"
#include "server/citizen/workday.h"
#include "server/identity/account.h"
#include "server/identity/personal.h"
#include "tests/lib/letter_world.h"

/* ---- sending ---- */

static void a_letter_gets_number_deadline_and_receipt(void **state)
{
    struct library_world *t = *state;
    const char *receipt;
    uint8_t key[HASH_BYTES];
    char hex[HASH_TEXT];
    struct letter l;
    struct id id;

    be_writer(t, WRITER, 1);
    assert_true(id_parse(UUID, ID_TEXT - 1, &id));
    world_begin(t);
    assert_int_equal(letter_send(&t->w, &id, letter_json(t, CONSULT), &l, &receipt), RC_OK);
    world_commit(t);
    assert_string_equal(l.number, "ZX2025-000001");
    assert_int_equal(l.state, LETTER_SUBMITTED);
    assert_due(&l, "2025-12-02"); /* the seventh working day behind Friday, 21 November */
    assert_true(hex_parse(receipt_key(hex), 64, key, sizeof key));
    assert_true(receipt_holds(receipt, key));
    assert_non_null(strstr(receipt, "index 1\nnumber ZX2025-000001\nletter 0190f3c2"));
}

/* As restore.c does it: everything behind the backup is gone, and numbers go on further on. */
static void lose_letters(struct library_world *t)
{
    world_begin(t);
    assert_int_equal(db_run(&t->w, SQL_letter_count_base, "i", (int64_t)2025), RC_OK);
    assert_int_equal(db_run(&t->w, SQL_letter_count_skip, "i", (int64_t)100000), RC_OK);
    world_commit(t);
    world_vandalise(t, "DELETE FROM letter; DELETE FROM letter_step");
}

static const char *receipt_of(struct library_world *t, const char *uuid, const char *text,
                              struct letter *l)
{
    const char *receipt;
    struct id id;

    assert_true(id_parse(uuid, ID_TEXT - 1, &id));
    world_begin(t);
    assert_int_equal(letter_send(&t->w, &id, letter_json(t, text), l, &receipt), RC_OK);
    world_commit(t);
    return receipt;
}

/* The letter with a receipt in it. */
static const char *with_receipt(struct library_world *t, const char *text, const char *receipt)
{
    struct buf b = BUF_IN(t->mem);

    buf_adds(&b, "{\"receipt\":");
    jx_quote(&b, receipt, strlen(receipt));
    buf_printf(&b, ",%s", text + 1);
    return b.p;
}

static void what_a_restore_lost_has_its_number_and_its_day_again(void **state)
{
    static const char other[] = "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a99";
    struct library_world *t = *state;
    const char *receipt, *again;
    struct letter first, l;

    be_writer(t, WRITER, 1);
    receipt = receipt_of(t, UUID, CONSULT, &first);
    lose_letters(t);
    clock_set(WORLD_NOW + 3 * 86400);
    receipt_of(t, other, CONSULT, &l); /* another's comes first */
    assert_string_equal(l.number, "ZX2025-100002");
    assert_int_equal(l.no, 100002);
    again = receipt_of(t, UUID, with_receipt(t, CONSULT, receipt), &l);
    assert_string_equal(again, receipt);
    assert_string_equal(l.number, first.number);
    assert_int_equal(l.received, first.received);
    assert_int_equal(l.due, first.due);
    again = receipt_of(t, UUID, CONSULT, &l); /* and once it is there it is not needed */
    assert_string_equal(again, receipt);
}

static void a_receipt_of_something_else_gives_no_number(void **state)
{
    static const char other[] = "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a99";
    struct library_world *t = *state;
    const char *receipt, *good;
    char *bent;
    struct letter first, l;

    be_writer(t, WRITER, 1);
    good = receipt_of(t, UUID, CONSULT, &first);
    lose_letters(t);
    receipt_of(t, other, with_receipt(t, CONSULT, good), &l); /* another letter's */
    assert_string_equal(l.number, "ZX2025-100002");
    bent = arena_strdup(t->mem, good);
    bent[strlen(bent) - 2] ^= 1;
    receipt = receipt_of(t, new_uuid(t), with_receipt(t, CONSULT, bent), &l);
    assert_string_equal(l.number, "ZX2025-100003");
    world_vandalise(t, "DELETE FROM letter; DELETE FROM letter_step; DELETE FROM letter_count");
    receipt_of(t, UUID, with_receipt(t, CONSULT, good),
               &l); /* by a database that never gave it */
    assert_string_equal(l.number, "ZX2025-000001");
    receipt_of(t, new_uuid(t), CONSULT, &l);
    assert_string_equal(l.number, "ZX2025-000002");
    assert_non_null(receipt);
}

static void sending_again_is_the_same_letter(void **state)
{
    struct library_world *t = *state;
    struct letter first = sent_letter(t, CONSULT), again;

    clock_set(WORLD_NOW + 86400);
    assert_int_equal(send_letter(t, UUID, CONSULT, &again), RC_OK);
    assert_string_equal(again.number, first.number);
    assert_int_equal(again.received, first.received);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter"), 1);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter_step"), 1);
}

static void a_uuid_is_one_letter_and_one_persons(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    assert_int_equal(
        send_letter(t, UUID,
                    "{\"category\":\"consult\",\"text\":\"别的\",\"title\":\"别的\","
                    "\"unit\":\"heping\"}",
                    &l),
        RC_UNPROCESSABLE);
    be_writer(t, OTHER, 1);
    assert_int_equal(send_letter(t, UUID, CONSULT, &l), RC_UNPROCESSABLE);
}

static void numbers_have_no_gap_in_a_category_and_a_year(void **state)
{
    struct library_world *t = *state;
    struct letter l;

    be_writer(t, WRITER, 1);
    assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_OK);
    /* One that fails leaves none out. */
    assert_int_equal(send_letter(t, new_uuid(t),
                                 "{\"category\":\"consult\",\"text\":\"x\",\"title\":\"x\","
                                 "\"unit\":\"nowhere\"}",
                                 &l),
                     RC_NOT_FOUND);
    assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_OK);
    assert_string_equal(l.number, "ZX2025-000002");
    assert_int_equal(send_letter(t, new_uuid(t),
                                 "{\"category\":\"report\",\"text\":\"x\",\"title\":\"x\","
                                 "\"unit\":\"heping\"}",
                                 &l),
                     RC_OK);
    assert_string_equal(l.number, "JB2025-000001");
    clock_set(workday_begin(letter_day("2026-01-01"))); /* midnight in Beijing */
    assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_OK);
    assert_string_equal(l.number, "ZX2026-000001");
    assert_int_equal(l.no, 4);
}

static void what_is_sealed_does_not_stand_in_the_database(void **state)
{
    struct library_world *t = *state;

    sent_letter(t, CONSULT);
    assert_int_equal(world_number(t,
                                  "SELECT COUNT(*) FROM letter WHERE instr(body, '居住证') OR "
                                  "instr(contact, '13800138000')"),
                     0);
    /* A body moved to another letter opens no more. */
    world_vandalise(t, "UPDATE letter SET no = 99");
    {
        struct letter l;

        assert_int_equal(letter_find(&t->w, UUID, &l), RC_CORRUPT);
    }
}

static void a_category_says_how_well_its_writer_must_be_known(void **state)
{
    struct library_world *t = *state;
    struct letter l;

    be_writer(t, WRITER, 0); /* a guest */
    assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_FORBIDDEN);
    assert_int_equal(send_letter(t, new_uuid(t),
                                 "{\"category\":\"report\",\"text\":\"x\",\"title\":\"x\","
                                 "\"unit\":\"heping\"}",
                                 &l),
                     RC_OK);
    be_writer(t, WRITER, 1);
    assert_int_equal(send_letter(t, new_uuid(t),
                                 "{\"category\":\"disclose\",\"text\":\"x\",\"title\":\"x\","
                                 "\"unit\":\"heping\"}",
                                 &l),
                     RC_FORBIDDEN);
}

static void bad_letters_are_refused_with_the_member(void **state)
{
    struct library_world *t = *state;
    static const struct {
        const char *json, *field;
        enum rc rc;
    } bad[] = {
        { "{}", "", RC_INVALID },
        { "{\"category\":\"letter\",\"text\":\"x\",\"title\":\"x\",\"unit\":\"heping\"}",
          "/category", RC_INVALID },
        { "{\"category\":\"consult\",\"text\":\"\u200b\",\"title\":\"x\",\"unit\":\"heping\"}",
          "/text", RC_INVALID },
        { "{\"category\":\"consult\",\"text\":\"x\",\"title\":\" \",\"unit\":\"heping\"}",
          "/title", RC_INVALID },
        { "{\"category\":\"consult\",\"text\":\"x\",\"title\":\"x\",\"unit\":\"none\"}", "",
          RC_NOT_FOUND },
        { "{\"category\":\"consult\",\"more\":1,\"text\":\"x\",\"title\":\"x\",\"unit\":"
          "\"heping\"}",
          "/more", RC_INVALID },
        { "{\"category\":\"consult\",\"contact\":{\"phone\":\"1\\n2\"},\"text\":\"x\","
          "\"title\":"
          "\"x\",\"unit\":\"heping\"}",
          "/contact/phone", RC_INVALID },
        { "{\"category\":\"disclose\",\"hidden\":true,\"text\":\"x\",\"title\":\"x\",\"unit\":"
          "\"heping\"}",
          "/hidden", RC_INVALID },
        { "{\"category\":\"fault\",\"item\":\"main/0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a12\","
          "\"text\":\"x\",\"title\":\"x\",\"unit\":\"heping\"}",
          "", RC_NOT_FOUND },
        { "{\"category\":\"fault\",\"item\":\"main\",\"text\":\"x\",\"title\":\"x\",\"unit\":"
          "\"heping\"}",
          "/item", RC_INVALID },
        { "{\"category\":\"fault\",\"seq\":1,\"text\":\"x\",\"title\":\"x\",\"unit\":"
          "\"heping\"}",
          "/seq", RC_INVALID },
    };

    be_writer(t, WRITER, 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct letter l;

        t->w.err = (struct err){ 0 };
        assert_int_equal(send_letter(t, UUID, bad[i].json, &l), bad[i].rc);
        if (*bad[i].field)
            assert_string_equal(t->w.err.field, bad[i].field);
    }
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter"), 0);
}

static void a_fault_is_tied_to_an_item(void **state)
{
    struct library_world *t = *state;
    struct item item = world_publish(t, "办事指南", t->news);
    char id[ID_TEXT];
    struct letter l;

    be_writer(t, WRITER, 0);
    assert_int_equal(
        send_letter(
            t, UUID,
            arena_printf(t->mem,
                         "{\"category\":\"fault\",\"item\":\"%s/%s\",\"seq\":%d,\"text\":"
                         "\"电话号码不对\",\"title\":\"电话\",\"unit\":\"heping\"}",
                         t->stream.name, id_text(&item.id, id), (int)item.seq),
            &l),
        RC_OK);
    assert_non_null(strstr(l.body, id));
    assert_int_equal(
        send_letter(
            t, new_uuid(t),
            arena_printf(t->mem,
                         "{\"category\":\"fault\",\"item\":\"%s/%s\",\"seq\":%d,\"text\":"
                         "\"x\",\"title\":\"x\",\"unit\":\"heping\"}",
                         t->stream.name, id, (int)item.seq + 1),
            &l),
        RC_OK); /* as of before a restore */
}

/* The item was published after the backup was made, as the letter was written. */
static void a_fault_that_a_restore_lost_comes_again_without_its_item(void **state)
{
    struct library_world *t = *state;
    struct item item = world_publish(t, "办事指南", t->news);
    char id[ID_TEXT];
    const char *text =
        arena_printf(t->mem,
                     "{\"category\":\"fault\",\"item\":\"%s/%s\",\"seq\":%d,\"text\":"
                     "\"电话号码不对\",\"title\":\"电话\",\"unit\":\"heping\"}",
                     t->stream.name, id_text(&item.id, id), (int)item.seq);
    const char *receipt;
    struct letter first, l;

    be_writer(t, WRITER, 1);
    receipt = receipt_of(t, UUID, text, &first);
    world_vandalise(t, "UPDATE item SET born = -1");
    assert_string_equal(receipt_of(t, UUID, text, &l), receipt); /* it is there still */
    lose_letters(t);
    assert_int_equal(send_letter(t, UUID, text, &l), RC_NOT_FOUND);
    assert_int_equal(send_letter(t, UUID, with_receipt(t, text, "none"), &l), RC_NOT_FOUND);
    assert_string_equal(receipt_of(t, UUID, with_receipt(t, text, receipt), &l), receipt);
    assert_string_equal(l.number, first.number);
}

static void a_day_has_so_many_letters(void **state)
{
    struct library_world *t = *state;
    struct letter l;

    be_writer(t, WRITER, 1);
    for (int i = 0; i < LETTERS_A_DAY; i++)
        assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_OK);
    assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_TOO_MANY);
    clock_set(WORLD_NOW + 86400);
    assert_int_equal(send_letter(t, new_uuid(t), CONSULT, &l), RC_OK);
}

/* ---- what is added ---- */

static enum rc add_under(struct library_world *t, const struct id *id, struct result *r)
{
    char key[ID_TEXT];
    const struct mutation m = {
        .account = WRITER,
        .type = "letter.add",
        .key = id_text(id, key),
        .value = letter_json(t, "{\"letter\":\"" UUID "\",\"text\":\"还有\"}"),
    };

    *r = (struct result){ 0 };
    world_begin(t);
    return letter_ended(t, letter_action_add(&t->w, &m, r));
}

static void a_letter_has_so_many_additions_and_staff_is_never_stopped(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);
    struct result r;
    struct id id;

    be_writer(t, WRITER, 1);
    for (int i = 0; i < LETTER_ADDS; i++) {
        clock_set(WORLD_NOW + i / LETTER_ADDS_A_DAY * 86400);
        assert_int_equal(writer_does(t, ",\"text\":\"还有\"", &l, letter_add), RC_OK);
    }
    clock_set(WORLD_NOW + 9 * 86400);
    id = id_new();
    assert_int_equal(add_under(t, &id, &r), RC_OK);
    assert_int_equal(r.why, REFUSED_limit);
    assert_non_null(strstr(r.detail, l.number));
    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ASK, "请写明地址", &l), RC_OK);
    be_writer(t, WRITER, 1); /* who is asked may answer */
    assert_int_equal(writer_does(t, ",\"text\":\"南京路\"", &l, letter_add), RC_OK);
    be_clerk(t, CLERK);
    for (int i = 0; i < 500; i++)
        assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "稿", &l), RC_OK);
    be_office(t);
    assert_int_equal(staff_does(t, LETTER_DO_REVIEW, NULL, &l), RC_OK);
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, NULL, &l), RC_OK);
    be_writer(t, WRITER, 1);
    assert_int_equal(writer_does(t, ",\"rating\":5", &l, letter_rate), RC_OK);
}

static void additions_that_a_restore_lost_come_again_on_one_day(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);

    be_writer(t, WRITER, 1);
    clock_set(WORLD_NOW + 86400);
    world_begin(t);
    assert_int_equal(epoch_load(&t->w), RC_OK); /* the restored server begins */
    world_commit(t);
    for (int i = 0; i < LETTER_ADDS; i++)
        assert_int_equal(writer_does(t, ",\"text\":\"还有\"", &l, letter_add), RC_OK);
    assert_int_equal(writer_does(t, ",\"text\":\"还有\"", &l, letter_add), RC_TOO_MANY);
}

static void what_was_taken_before_is_not_told_anew(void **state)
{
    struct library_world *t = *state;
    struct id id = id_new();
    struct result r;
    int64_t seq;

    sent_letter(t, CONSULT);
    assert_int_equal(add_under(t, &id, &r), RC_OK);
    seq = r.seq;
    /* Who told it again would find another word in it. */
    world_vandalise(t, "UPDATE org SET name = '和平区政府'");
    assert_int_equal(add_under(t, &id, &r), RC_OK);
    assert_int_equal(r.why, REFUSED_NOT);
    assert_int_equal(r.seq, seq);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter_step WHERE verb = 'add'"), 1);
}

static void the_newest_steps_are_told_and_no_others_are_read(void **state)
{
    struct library_world *t = *state;
    struct letter l = sent_letter(t, CONSULT);
    struct letter_step told[LETTER_TOLD];
    int n;

    be_clerk(t, CLERK);
    assert_int_equal(staff_does(t, LETTER_DO_ACCEPT, NULL, &l), RC_OK);
    for (int i = 0; i < LETTER_TOLD; i++)
        assert_int_equal(staff_does(t, LETTER_DO_BEGIN, NULL, &l), RC_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(staff_does(t, LETTER_DO_DRAFT, "稿", &l), RC_OK);
    /* What cannot be opened would fail whoever reads it. */
    world_vandalise(t, "UPDATE letter_step SET text = X'00' WHERE no = 1 OR verb = 'draft'");
    assert_int_equal(letter_steps_told(&t->w, &l, told, &n), RC_OK);
    assert_int_equal(n, LETTER_TOLD);
    assert_string_equal(told[0].verb, "begin");
    assert_int_equal(told[n - 1].no, 3);
    assert_int_equal(staff_does(t, LETTER_DO_ASSIGN, NULL, &l), RC_OK);
}

/* ---- actions, and forgetting ---- */

static void an_action_answers_with_number_and_receipt_or_with_words(void **state)
{
    struct library_world *t = *state;
    struct mutation m = { .account = WRITER, .type = "letter.send", .key = UUID };
    struct result r = { 0 };
    struct entry e;

    be_writer(t, WRITER, 1);
    m.value = letter_json(t, CONSULT);
    m.text = CONSULT;
    world_begin(t);
    assert_int_equal(letter_action_send(&t->w, &m, &r), RC_OK);
    world_commit(t);
    assert_int_equal(r.why, REFUSED_NOT);
    assert_int_equal(r.seq, 1);
    assert_non_null(strstr(r.more.p, "\"number\":\"ZX2025-000001\""));
    assert_non_null(strstr(r.more.p, "tjzw letter receipt 1\\nindex 1"));
    assert_int_equal(entry_get(&t->w, WRITER, "words", UUID, &e), RC_OK);
    assert_non_null(strstr(e.value, "tjzw letter receipt 1\\nindex 1"));
    assert_non_null(strstr(e.value, "居住证怎么办理？"));
    assert_int_equal(world_number(t, "SELECT count(*) FROM entry WHERE value LIKE '%居住证%'"),
                     0);
    r = (struct result){ 0 };
    m.key = new_uuid(t);
    m.value = letter_json(
        t, "{\"category\":\"consult\",\"text\":\"x\",\"title\":\"x\",\"unit\":\"?\"}");
    assert_int_equal(letter_action_send(&t->w, &m, &r), RC_OK);
    assert_int_equal(r.why, REFUSED_missing);
    assert_non_null(strstr(r.detail, "没有这个单位。单位代码例如：heping（和平区）"));
    r = (struct result){ 0 };
    m.key = "not a uuid";
    assert_int_equal(letter_action_send(&t->w, &m, &r), RC_OK);
    assert_int_equal(r.why, REFUSED_key);
}

static void the_longest_answer_fits_an_entry(void **state)
{
    struct library_world *t = *state;
    struct buf b = BUF_IN(t->mem), words = BUF_IN(t->mem);
    struct letter l = sent_letter(t, CONSULT);
    struct entry e;

    for (int i = 0; i < LETTER_TEXT_MAX; i++)
        buf_adds(&b, "\U00020000");
    for (int i = 0; i < LETTER_WORDS_MAX; i++)
        buf_adds(&words, "\"");
    be_clerk(t, CLERK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(
            staff_does_with(t, LETTER_DO_TRANSFER,
                            (struct letter_order){ .text = words.p, .unit = 1 + !(i % 2) }, &l),
            (be_office(t), RC_OK));
    t->w.who.party = 3;
    assert_int_equal(staff_does(t, LETTER_DO_ANSWER, b.p, &l), RC_OK);
    assert_int_equal(entry_get(&t->w, WRITER, "letter", UUID, &e), RC_OK);
    assert_true(strlen(e.value) < 65536);
    assert_non_null(strstr(e.value, "\U00020000\U00020000"));
}

static void a_guests_letters_are_his_when_he_signs_in(void **state)
{
    struct library_world *t = *state;
    struct letter l;

    sent_letter(t, CONSULT);
    world_vandalise(
        t, "INSERT INTO account (id, kind, state, state_at, level, subject, created) VALUES "
           "(900, 0, 0, 1, 1, randomblob(16), 1)");
    world_begin(t);
    assert_int_equal(adopt(&t->w, WRITER, OTHER), RC_OK);
    world_commit(t);
    be_writer(t, OTHER, 1);
    assert_int_equal(writer_does(t, "", &l, letter_withdraw), RC_OK);
}

static void an_erased_writers_letters_say_nothing_of_him(void **state)
{
    struct library_world *t = *state;
    struct personal_keys keys;
    int64_t writer = WRITER;
    int n;

    sent_letter(t, CONSULT);
    be_clerk(t, CLERK);
    keys = (struct personal_keys){ .numbers = &writer, .nnumbers = 1 };
    {
        const struct personal_table *tables = personal_tables(&n);

        world_begin(t);
        for (int i = 0; i < n; i++)
            if (!strncmp(tables[i].name, "letter", 6) && tables[i].erase != SQL_COUNT)
                assert_int_equal(personal_erase(&t->w, &tables[i], &keys), RC_OK);
        world_commit(t);
    }
    assert_int_equal(world_number(t,
                                  "SELECT COUNT(*) FROM letter WHERE account != 0 OR body IS "
                                  "NOT NULL OR contact IS NOT NULL OR due IS NOT NULL"),
                     0);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter_step WHERE text IS NOT NULL"),
                     0);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter WHERE state = 'withdrawn'"),
                     1);
}

int main(void)
{
#define T(name) \
    cmocka_unit_test_setup_teardown(name, letter_world_set_up, letter_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_letter_gets_number_deadline_and_receipt),
        T(what_a_restore_lost_has_its_number_and_its_day_again),
        T(a_receipt_of_something_else_gives_no_number),
        T(sending_again_is_the_same_letter),
        T(a_uuid_is_one_letter_and_one_persons),
        T(numbers_have_no_gap_in_a_category_and_a_year),
        T(what_is_sealed_does_not_stand_in_the_database),
        T(a_category_says_how_well_its_writer_must_be_known),
        T(bad_letters_are_refused_with_the_member),
        T(a_fault_is_tied_to_an_item),
        T(a_fault_that_a_restore_lost_comes_again_without_its_item),
        T(additions_that_a_restore_lost_come_again_on_one_day),
        T(a_day_has_so_many_letters),
        T(a_letter_has_so_many_additions_and_staff_is_never_stopped),
        T(what_was_taken_before_is_not_told_anew),
        T(the_newest_steps_are_told_and_no_others_are_read),
        T(an_action_answers_with_number_and_receipt_or_with_words),
        T(the_longest_answer_fits_an_entry),
        T(a_guests_letters_are_his_when_he_signs_in),
        T(an_erased_writers_letters_say_nothing_of_him),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
