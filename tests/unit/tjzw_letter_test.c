/*
 * tjzw_letter_test.c - letters as their writer sees them, and receipts, which another language signed (tests/vectors/receipt).
 */
#include "tests/lib/fake_me.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
    struct phone p;
    struct fake_me f;
};

static void begin(struct world *w)
{
    const struct tjzw_sign_in entered = { .login = "a", .password = "good" };
    struct tjzw_transport transport = { &w->f, fake_me_get };

    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    tjzw_set_transport(w->p.t, &transport);
    OK(&w->p, tjzw_sign_in(w->p.t, &entered, NULL, &w->p.e));
}

static void end(struct world *w)
{
    phone_end(&w->p);
    fake_me_end(&w->f);
}

struct seen {
    size_t n, refused;
    char id[37], number[32], sent[256], state[256], code[32];
    bool waits;
    enum tjzw_receipt_state receipt;
    int64_t received;
};

static void copy(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text ? text : "");
}

static bool see(void *ctx, const struct tjzw_letter *l)
{
    struct seen *s = ctx;

    s->n++;
    s->refused += l->code != NULL;
    copy(s->id, sizeof s->id, l->id);
    copy(s->number, sizeof s->number, l->number);
    copy(s->sent, sizeof s->sent, l->sent);
    copy(s->state, sizeof s->state, l->state);
    copy(s->code, sizeof s->code, l->code);
    s->waits = l->waits;
    s->receipt = l->receipt_state;
    s->received = l->received;
    return true;
}

static struct seen letters(struct world *w)
{
    struct seen s = { 0 };

    OK(&w->p, tjzw_letters(w->p.t, see, &s, &w->p.e));
    return s;
}

static void a_letter_is_seen_from_the_first_word_to_the_answer(void **state)
{
    struct world w;
    struct seen s;
    char id[37];

    (void)state;
    begin(&w);
    OK(&w.p, tjzw_act(w.p.t, "letter.send", "{\"title\":\"路灯\"}", id, &w.p.e));
    s = letters(&w);
    assert_true(s.n == 1 && s.waits);
    assert_string_equal(s.id, id);
    assert_string_equal(s.sent, "{\"title\":\"路灯\"}");
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    fake_me_put(&w.f, 8, "letter", id,
                "{\"number\":\"JY2026-000001\",\"received\":7,\"state\":\"answered\"}");
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    s = letters(&w);
    assert_true(s.n == 1 && !s.waits);
    assert_string_equal(s.number, "JY2026-000001");
    assert_string_equal(s.sent, "{\"title\":\"路灯\"}");
    assert_non_null(strstr(s.state, "answered"));
    assert_int_equal(s.received, 7);
    end(&w);
}

static void one_that_the_server_gave_no_words_of_and_one_that_was_refused_says_so(void **state)
{
    struct world w;
    struct seen s;

    (void)state;
    begin(&w);
    fake_me_put(&w.f, 8, "letter", "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
                "{\"state\":\"accepted\"}");
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    s = letters(&w);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.sent, "");
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    assert_int_equal(letters(&w).n, 0);
    OK(&w.p, tjzw_act(w.p.t, "letter.send", "{\"title\":\"x\"}", NULL, &w.p.e));
    phone_tamper(&w.p, "UPDATE mutation SET code = 'limit', detail = '明天再来'");
    s = letters(&w);
    assert_string_equal(s.code, "limit");
    assert_false(s.waits);
    end(&w);
}

/* What he sent from another phone, and its proof, come with the entry `words`. */
static void a_letter_of_another_phone_is_whole_and_proved(void **state)
{
    json_t *v = json_load_file(TJZW_RECEIPTS, 0, NULL),
           *r = json_array_get(json_object_get(v, "receipts"), 0), *words;
    const char *id = json_string_value(json_object_get(r, "letter"));
    struct world w;
    struct seen s;
    char *text;

    (void)state;
    begin(&w);
    words = json_pack("{s:O,s:O}", "receipt", json_object_get(r, "receipt"), "sent",
                      json_object_get(v, "sent"));
    text = json_dumps(words, JSON_COMPACT);
    w.f.receipt_key = json_string_value(json_object_get(v, "key"));
    fake_me_put(&w.f, 8, "letter", id, "{\"number\":\"JY2026-000001\",\"state\":\"accepted\"}");
    fake_me_put(&w.f, 8, "words", id, text);
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    w.f.cut = true;
    s = letters(&w);
    assert_true(s.n == 1 && !s.waits);
    assert_non_null(strstr(s.sent, "路灯不亮"));
    assert_string_equal(s.number, "JY2026-000001");
    assert_int_equal(s.receipt, TJZW_RECEIPT_GOOD);
    free(text);
    json_decref(words);
    json_decref(v);
    end(&w);
}

/* With a file of these words, as an app writes it; its name is their hash. */
static void write_with(struct world *w, const char *words, char id[37], char hash[65])
{
    char path[300], value[200];
    FILE *f;

    snprintf(path, sizeof path, "%s/lamp", w->p.dir);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(words, f) >= 0 && fclose(f) == 0);
    OK(&w->p, tjzw_attach(w->p.t, path, hash, &w->p.e));
    snprintf(value, sizeof value,
             "{\"files\":[{\"hash\":\"%s\",\"name\":\"灯.png\"}],\"title\":\"路灯\"}", hash);
    OK(&w->p, tjzw_act(w->p.t, "letter.send", value, id, &w->p.e));
}

static void write_with_file(struct world *w, char id[37])
{
    char hash[65];

    write_with(w, "a picture of a lamp", id, hash);
}

/* Two phones of one account sending the same picture: whoever comes second waits, and nothing of his letter is given up. */
static void a_file_that_another_is_sending_is_sent_a_moment_later(void **state)
{
    static const char *const busy[] = { "c", "b", "cb", "s", "ss" };
    struct world w;
    char id[37];

    (void)state;
    begin(&w);
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++) {
        struct seen s;

        write_with_file(&w, id);
        w.f.uploads_say = busy[i];
        OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
        s = letters(&w);
        assert_true(s.n == i + 1 && !s.waits);
        assert_string_equal(s.code, "");
    }
    end(&w);
}

/* Its file was found infected since, so the server takes it no more; the letter it has. */
static void a_letter_with_a_receipt_is_not_given_up_for_its_file(void **state)
{
    const struct tjzw_sign_in entered = { .login = "a", .password = "good" };
    struct fake_me backup;
    struct world w;
    char id[37];

    (void)state;
    begin(&w);
    fake_me_copy(&backup, &w.f);
    write_with_file(&w, id);
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    fake_me_restore(&w.f, &backup);
    w.f.uploads_say = "g";
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_int_equal(letters(&w).refused, 0);
    assert_false(letters(&w).waits);
    for (int i = 1; i < FAKE_SESSIONS; i++)
        w.f.sessions[i].account = 0; /* ended: what was taken is sealed until he is back */
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_SIGN_IN);
    OK(&w.p, tjzw_sign_in(w.p.t, &entered, NULL, &w.p.e));
    w.f.uploads_say = "g";
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_int_equal(letters(&w).n, 1);
    assert_int_equal(letters(&w).refused, 0);
    assert_false(letters(&w).waits);
    write_with_file(&w, id); /* another letter with it is told */
    w.f.uploads_say = "g";
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_int_equal(letters(&w).n, 2);
    assert_int_equal(letters(&w).refused, 1);
    end(&w);
}

static void one_that_another_is_sending_all_the_time_waits_for_the_next_exchange(void **state)
{
    struct world w;
    struct seen s;
    char id[37];

    (void)state;
    begin(&w);
    write_with_file(&w, id);
    w.f.uploads_say = "cccccc";
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_BUSY);
    s = letters(&w);
    assert_true(s.n == 1 && s.waits);
    assert_string_equal(s.code, "");
    w.f.uploads_say = NULL;
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_false(letters(&w).waits);
    end(&w);
}

struct one {
    const char *id;
    bool waits;
};

static bool find_one(void *ctx, const struct tjzw_letter *l)
{
    struct one *out = ctx;

    if (strcmp(l->id, out->id) == 0)
        out->waits = l->waits;
    return true;
}

static bool waits(struct world *w, const char *id)
{
    struct one out = { .id = id };

    OK(&w->p, tjzw_letters(w->p.t, find_one, &out, &w->p.e));
    return out.waits;
}

/* Files go up in the order of their hashes: whichever comes first, the letter with the other is sent. */
static void a_file_that_another_is_sending_holds_up_no_other(void **state)
{
    char id[2][37], hash[2][65];
    struct world w;

    (void)state;
    for (int busy = 0; busy < 2; busy++) {
        begin(&w);
        write_with(&w, "a picture of a lamp", id[0], hash[0]);
        write_with(&w, "a picture of a road", id[1], hash[1]);
        w.f.sending = hash[busy];
        assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_BUSY);
        assert_true(waits(&w, id[busy]));
        assert_false(waits(&w, id[!busy]));
        w.f.sending = NULL;
        OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
        assert_false(waits(&w, id[busy]));
        end(&w);
    }
}

/* Each vector as if it had been sent from here. */
static void receipts_of_another_language_hold_and_no_other_does(void **state)
{
    json_t *v = json_load_file(TJZW_RECEIPTS, 0, NULL), *r;
    size_t i;

    (void)state;
    assert_non_null(v);
    json_array_foreach(json_object_get(v, "receipts"), i, r)
    {
        const char *sent = json_string_value(json_object_get(v, "sent"));
        json_t *result =
            json_pack("{s:s,s:O,s:O}", "result", "done", "receipt",
                      json_object_get(r, "receipt"), "number", json_object_get(r, "number"));
        char *text = json_dumps(result, JSON_COMPACT), *sql;
        struct world w;
        struct seen s;

        begin(&w);
        sql = sqlite3_mprintf("INSERT INTO taken SELECT no, %Q, 'letter.send', %Q, "
                              "strftime('%%s','now'), %Q, strftime('%%s','now') FROM "
                              "person WHERE state = 1",
                              json_string_value(json_object_get(r, "letter")), sent, text);
        phone_tamper(&w.p, sql);
        assert_int_equal(letters(&w).receipt, TJZW_RECEIPT_UNKNOWN);
        w.f.receipt_key = json_string_value(json_object_get(v, "key"));
        OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
        w.f.cut = true; /* from here on, offline */
        s = letters(&w);
        assert_int_equal(s.receipt, TJZW_RECEIPT_GOOD);
        assert_int_equal(s.received, json_integer_value(json_object_get(r, "time")));
        phone_tamper(&w.p, "UPDATE taken SET value = replace(value, '路灯不亮', '路灯很亮')");
        assert_int_equal(letters(&w).receipt, TJZW_RECEIPT_BAD);
        phone_tamper(&w.p, "UPDATE taken SET value = replace(value, '路灯很亮', '路灯不亮'), "
                           "result = replace(result, 'time 4', 'time 3')");
        phone_tamper(&w.p, "UPDATE taken SET result = replace(result, 'time 1', 'time 2')");
        assert_int_equal(letters(&w).receipt, TJZW_RECEIPT_BAD);
        sqlite3_free(sql);
        free(text);
        json_decref(result);
        end(&w);
    }
    assert_true(i > 1);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_seen_from_the_first_word_to_the_answer),
        cmocka_unit_test(one_that_the_server_gave_no_words_of_and_one_that_was_refused_says_so),
        cmocka_unit_test(a_letter_of_another_phone_is_whole_and_proved),
        cmocka_unit_test(a_file_that_another_is_sending_is_sent_a_moment_later),
        cmocka_unit_test(a_letter_with_a_receipt_is_not_given_up_for_its_file),
        cmocka_unit_test(one_that_another_is_sending_all_the_time_waits_for_the_next_exchange),
        cmocka_unit_test(a_file_that_another_is_sending_holds_up_no_other),
        cmocka_unit_test(receipts_of_another_language_hold_and_no_other_does),
    };

    return cmocka_run_group_tests_name("tjzw_letter", tests, NULL, NULL);
}
