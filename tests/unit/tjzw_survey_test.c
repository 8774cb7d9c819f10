/*
 * tjzw_survey_test.c - surveys on a phone: found among what was synced, answered with the network cut, once; and votes.
 */
#include "tests/lib/fake_me.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/store.h"

#define QUESTIONS                                                                                 \
    "[{\"choices\":[\"步行\",\"公交\"],\"kind\":\"single\",\"required\":true,\"title\":"      \
    "\"怎么来？\"},"                                                                          \
    "{\"choices\":[\"网上\",\"手机\",\"窗口\"],\"kind\":\"multiple\",\"most\":2,\"title\":" \
    "\"在哪里办？\"},"                                                                       \
    "{\"kind\":\"rating\",\"of\":5,\"title\":\"满意吗？\"},{\"kind\":\"text\",\"max\":4,"     \
    "\"title\":\"还有什么？\"}]"
#define SURVEY(more) \
    "{\"kind\":\"survey\"," more "\"questions\":" QUESTIONS ",\"title\":\"出行调查\"}"

#define KEY "00000000-0000-4000-8000-000000000000"

struct world {
    struct phone p;
    struct fake_me f;
    uint64_t born;
    char id[37]; /* of a survey without an end, which the phone holds */
};

static void id_of(uint64_t born, char out[37])
{
    uint8_t raw[WIRE_ID];

    fake_id(born, raw);
    store_print_id(raw, sizeof raw, out);
}

/* Publishes one more; its id. */
static void publish(struct world *w, const char *json, char id[37])
{
    w->born = fake_publish(w->p.server, "出行调查", json);
    fake_head(w->p.server);
    id_of(w->born, id);
}

static void use_fake(struct phone *p, struct fake_me *f)
{
    struct tjzw_transport transport = { f, fake_me_get };

    tjzw_set_transport(p->t, &transport);
}

static void sign_in(struct phone *p, const char *login)
{
    const struct tjzw_sign_in entered = { .login = login, .password = "good" };

    OK(p, tjzw_sign_in(p->t, &entered, NULL, &p->e));
}

static void begin(struct world *w)
{
    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    use_fake(&w->p, &w->f);
    publish(w, SURVEY(""), w->id);
    phone_sync(&w->p);
}

static void end(struct world *w)
{
    phone_end(&w->p);
    fake_me_end(&w->f);
}

static void exchange(struct phone *p)
{
    OK(p, tjzw_me_sync(p->t, NULL, &p->last, &p->e));
}

struct seen {
    size_t n;
    struct tjzw_survey s;
    char id[37], title[64], questions[1024], answers[256], code[32];
};

static bool see(void *ctx, const struct tjzw_survey *s)
{
    struct seen *out = ctx;

    out->n++;
    out->s = *s;
    snprintf(out->id, sizeof out->id, "%s", s->id);
    snprintf(out->title, sizeof out->title, "%s", s->title);
    snprintf(out->questions, sizeof out->questions, "%s", s->questions);
    snprintf(out->answers, sizeof out->answers, "%s", s->answers ? s->answers : "");
    snprintf(out->code, sizeof out->code, "%s", s->code ? s->code : "");
    return true;
}

static struct seen look(struct phone *p, const char *id)
{
    struct seen out = { 0 };

    OK(p, tjzw_surveys(p->t, id, see, &out, &p->e));
    return out;
}

static enum tjzw_code answer(struct phone *p, const char *id, const char *answers)
{
    return tjzw_survey_answer(p->t, id, answers, &p->e);
}

/* ---- finding ---- */

static void a_survey_is_found_among_what_is_held(void **state)
{
    struct world w;
    struct seen s;
    char other[37];

    (void)state;
    begin(&w);
    publish(&w,
            "{\"body\":\"说的是 "
            "\\\"kind\\\":\\\"survey\\\"\",\"kind\":\"article\",\"x\":{\"kind\":\"survey\"}}",
            other);
    phone_sync(&w.p);
    s = look(&w.p, NULL);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.id, w.id);
    assert_string_equal(s.title, "出行调查");
    assert_string_equal(s.questions, QUESTIONS);
    assert_int_equal(s.s.state, TJZW_SURVEY_OPEN);
    assert_false(s.s.answered || s.s.waits || s.s.level);
    assert_int_equal(tjzw_surveys(w.p.t, other, see, &s, &w.p.e), TJZW_NOT_FOUND);
    assert_int_equal(tjzw_surveys(w.p.t, "x", see, &s, &w.p.e), TJZW_USAGE);
    fake_withdraw(w.p.server, w.born - 1);
    fake_head(w.p.server);
    phone_sync(&w.p);
    assert_int_equal(look(&w.p, NULL).n, 0);
    end(&w);
}

static int64_t noon(void)
{
    return 1780000000; /* 2026-05-28T20:26:40Z, the 29th in Beijing */
}

static void it_is_open_from_its_day_in_beijing_to_its_hour(void **state)
{
    static const struct {
        const char *more;
        enum tjzw_survey_state state;
        int64_t opens, closes;
        uint32_t level;
    } rows[] = {
        { SURVEY("\"closes\":\"2026-05-29\","), TJZW_SURVEY_CLOSED, 0, 1779984000, 0 },
        { SURVEY("\"closes\":\"2026-05-29 04:26\","), TJZW_SURVEY_CLOSED, 0, 1779999960, 0 },
        { SURVEY("\"closes\":\"2026-05-29T04:26:41\","), TJZW_SURVEY_OPEN, 0, 1780000001, 0 },
        { SURVEY("\"closes\":\"2026-05-28T20:26:41Z\","), TJZW_SURVEY_OPEN, 0, 1780000001, 0 },
        { SURVEY("\"closes\":\"2026-05-28T18:26:41-02:00\","), TJZW_SURVEY_OPEN, 0, 1780000001,
          0 },
        { SURVEY("\"audience\":\"登录用户\",\"opens\":\"2026-05-30\","), TJZW_SURVEY_EARLY,
          1780070400, 0, 1 },
        { SURVEY("\"audience\":\"实名用户\",\"opens\":\"2026-05-29\","), TJZW_SURVEY_OPEN,
          1779984000, 0, 2 },
    };
    struct world w;
    char id[37];

    (void)state;
    begin(&w);
    w.p.t->clock = noon;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen s;

        publish(&w, rows[i].more, id);
        phone_sync(&w.p);
        s = look(&w.p, id);
        assert_int_equal(s.s.state, rows[i].state);
        assert_int_equal(s.s.opens, rows[i].opens);
        assert_int_equal(s.s.closes, rows[i].closes);
        assert_int_equal(s.s.level, rows[i].level);
        assert_int_equal(answer(&w.p, id, "[0,null,null,null]"),
                         rows[i].state == TJZW_SURVEY_OPEN ? TJZW_OK : TJZW_USAGE);
    }
    end(&w);
}

/* ---- answering ---- */

static void only_what_answers_the_questions_is_written(void **state)
{
    static const char *const bad[] = {
        "[0,null,null]",          "[0,null,null,null,null]", "{}",
        "[null,[0],4,\"好\"]",    "[2,null,null,null]",      "[-1,null,null,null]",
        "[\"0\",null,null,null]", "[0,[0,1,2],null,null]",   "[0,[0,0],null,null]",
        "[0,[],null,null]",       "[0,[3],null,null]",       "[0,0,null,null]",
        "[0,null,0,null]",        "[0,null,6,null]",         "[0,null,null,\"一二三四五\"]",
        "[0,null,null,\"\"]",     "[0,null,null,5]",         "nonsense",
    };
    struct world w;
    struct tjzw_me me;

    (void)state;
    begin(&w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(answer(&w.p, w.id, bad[i]), TJZW_USAGE);
    assert_int_equal(answer(&w.p, w.id, NULL), TJZW_USAGE);
    assert_int_equal(answer(&w.p, "0190b1c2-0000-7000-8000-ffffffffffff", "[]"),
                     TJZW_NOT_FOUND);
    OK(&w.p, tjzw_me(w.p.t, &me, &w.p.e));
    assert_int_equal(me.unsent, 0);
    OK(&w.p, answer(&w.p, w.id, "[1,[2,0],5,\"一二三四\"]"));
    assert_string_equal(look(&w.p, w.id).answers, "[1,[2,0],5,\"一二三四\"]");
    end(&w);
}

static void it_is_answered_without_a_network_and_arrives_once(void **state)
{
    struct world w;
    struct seen s;

    (void)state;
    begin(&w);
    sign_in(&w.p, "a");
    w.f.cut = true;
    OK(&w.p, answer(&w.p, w.id, "[1,null,null,null]"));
    s = look(&w.p, w.id);
    assert_true(s.s.answered && s.s.waits);
    assert_int_equal(answer(&w.p, w.id, "[0,null,null,null]"), TJZW_USAGE); /* once */
    w.f.cut = false;
    w.f.percent = 60;
    while (tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e))
        ;
    w.f.percent = 0;
    exchange(&w.p);
    s = look(&w.p, w.id);
    assert_true(s.s.answered && !s.s.waits);
    assert_string_equal(s.answers, "[1,null,null,null]");
    assert_int_equal(json_object_size(w.f.applied), 1);
    assert_int_equal(json_integer_value(json_object_iter_value(json_object_iter(w.f.applied))),
                     1);
    end(&w);
}

static void who_took_it_back_in_time_answers_again(void **state)
{
    struct world w;
    sqlite3_stmt *q;
    int64_t no;

    (void)state;
    begin(&w);
    OK(&w.p, answer(&w.p, w.id, "[1,null,null,null]"));
    assert_int_equal(sqlite3_prepare_v2(w.p.t->db, "SELECT no FROM mutation", -1, &q, NULL), 0);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    no = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    OK(&w.p, tjzw_outbox_drop(w.p.t, no, &w.p.e));
    assert_false(look(&w.p, w.id).s.answered);
    OK(&w.p, answer(&w.p, w.id, "[0,null,null,null]"));
    exchange(&w.p);
    assert_string_equal(look(&w.p, w.id).answers, "[0,null,null,null]");
    end(&w);
}

static void two_phones_of_one_person_answer_once(void **state)
{
    struct phone q = { 0 };
    struct world w;
    struct seen s;

    (void)state;
    begin(&w);
    sign_in(&w.p, "a");
    q = (struct phone){ .server = w.p.server, .net = w.p.net };
    snprintf(q.path, sizeof q.path, "%s/second.db", w.p.dir);
    phone_open(&q);
    OK(&q, tjzw_sync(q.t, NULL, NULL, &q.e));
    use_fake(&q, &w.f);
    sign_in(&q, "a");
    OK(&w.p, answer(&w.p, w.id, "[1,null,null,null]"));
    OK(&q, answer(&q, w.id, "[0,null,null,null]"));
    exchange(&w.p);
    exchange(&q);
    s = look(&q, w.id);
    assert_true(s.s.answered); /* on the other one */
    assert_string_equal(s.code, "too_many");
    assert_int_equal(json_object_size(w.f.applied), 1);
    tjzw_close(q.t);
    end(&w);
}

static void one_that_was_refused_may_be_given_again(void **state)
{
    struct world w;
    struct seen s;

    (void)state;
    begin(&w);
    OK(&w.p, answer(&w.p, w.id, "[1,null,null,null]"));
    phone_tamper(&w.p, "UPDATE mutation SET key = '" KEY "'");
    w.f.refuses = KEY;
    exchange(&w.p);
    s = look(&w.p, w.id);
    assert_false(s.s.answered);
    assert_string_equal(s.code, "missing");
    OK(&w.p, answer(&w.p, w.id, "[0,null,null,null]"));
    s = look(&w.p, w.id);
    assert_true(s.s.waits);
    assert_string_equal(s.code, "");
    exchange(&w.p);
    assert_string_equal(look(&w.p, w.id).answers, "[0,null,null,null]");
    end(&w);
}

static void what_a_restored_server_lost_is_answered_again(void **state)
{
    struct fake_me backup;
    struct world w;
    char *there;

    (void)state;
    begin(&w);
    sign_in(&w.p, "a");
    exchange(&w.p);
    fake_me_copy(&backup, &w.f);
    OK(&w.p, answer(&w.p, w.id, "[1,null,null,null]"));
    exchange(&w.p);
    fake_me_restore(&w.f, &backup);
    exchange(&w.p);
    there = fake_me_value(&w.f, 8, "answered", w.id);
    assert_non_null(there);
    free(there);
    assert_true(look(&w.p, w.id).s.answered);
    end(&w);
}

static int64_t wall;

static int64_t the_clock(void)
{
    return wall;
}

static void lose_the_session(struct world *w)
{
    const struct tjzw_sync_options soon = { .timeout = 1 };

    w->f.all_expired = w->f.deaf = true;
    assert_int_not_equal(tjzw_me_sync(w->p.t, &soon, NULL, &w->p.e), TJZW_OK);
    w->f.now_ms += 60000;
    w->f.deaf = false;
    exchange(&w->p);
}

/*
 * The answer of a guest of long ago is counted, as that guest's, and none that the phone could send again. So it says on that he has answered, to the guests
 * who follow him and to whoever he turns out to be: a second answer would be a second vote of one person. Who signs out takes the mark along.
 */
static void what_a_guest_answered_more_than_90_days_ago_stays_answered(void **state)
{
    enum { NOW = 1800000000, LATER = NOW + 91 * 86400 };
    struct world w;
    struct seen s;

    (void)state;
    begin(&w);
    w.p.t->clock = the_clock;
    wall = NOW;
    OK(&w.p, answer(&w.p, w.id, "[1,null,null,null]"));
    exchange(&w.p);
    wall = LATER;
    fake_head_at(w.p.server, LATER);
    phone_sync(&w.p);
    exchange(&w.p);
    lose_the_session(&w);
    assert_true(look(&w.p, w.id).s.answered);
    assert_null(fake_me_value(&w.f, 2, "answered", w.id)); /* not sent again */
    sign_in(&w.p, "a");
    exchange(&w.p);
    w.f.floor = w.f.accounts[8].seq + 10; /* all there is comes anew */
    exchange(&w.p);
    w.f.floor = 0;
    s = look(&w.p, w.id);
    assert_true(s.s.answered && !s.s.waits);
    assert_string_equal(s.answers, ""); /* words of 90 days */
    assert_int_equal(answer(&w.p, w.id, "[0,null,null,null]"), TJZW_USAGE);
    assert_int_equal(json_object_size(w.f.applied), 1);
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    exchange(&w.p);
    assert_false(look(&w.p, w.id).s.answered); /* the next one is another */
    end(&w);
}

/* ---- votes ---- */

static bool see_value(void *ctx, const struct tjzw_entry *entry)
{
    snprintf(ctx, 32, "%s", entry->value);
    return true;
}

static void a_vote_is_changed_and_taken_back(void **state)
{
    char key[64], value[32] = "";
    struct world w;

    (void)state;
    begin(&w);
    snprintf(key, sizeof key, "main/%s", w.id);
    OK(&w.p, tjzw_vote(w.p.t, w.id, 1, &w.p.e));
    OK(&w.p, tjzw_entries(w.p.t, "vote", key, see_value, value, &w.p.e));
    assert_string_equal(value, "1");
    exchange(&w.p);
    OK(&w.p, tjzw_vote(w.p.t, w.id, -1, &w.p.e));
    exchange(&w.p);
    OK(&w.p, tjzw_entries(w.p.t, "vote", key, see_value, value, &w.p.e));
    assert_string_equal(value, "-1");
    fake_withdraw(w.p.server, w.born);
    fake_head(w.p.server);
    phone_sync(&w.p);
    assert_int_equal(tjzw_vote(w.p.t, w.id, 1, &w.p.e), TJZW_NOT_FOUND);
    OK(&w.p, tjzw_vote(w.p.t, w.id, 0, &w.p.e)); /* taken back all the same */
    assert_int_equal(tjzw_entries(w.p.t, "vote", key, see_value, value, &w.p.e),
                     TJZW_NOT_FOUND);
    assert_int_equal(tjzw_vote(w.p.t, w.id, 2, &w.p.e), TJZW_USAGE);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_survey_is_found_among_what_is_held),
        cmocka_unit_test(it_is_open_from_its_day_in_beijing_to_its_hour),
        cmocka_unit_test(only_what_answers_the_questions_is_written),
        cmocka_unit_test(it_is_answered_without_a_network_and_arrives_once),
        cmocka_unit_test(who_took_it_back_in_time_answers_again),
        cmocka_unit_test(two_phones_of_one_person_answer_once),
        cmocka_unit_test(one_that_was_refused_may_be_given_again),
        cmocka_unit_test(what_a_restored_server_lost_is_answered_again),
        cmocka_unit_test(what_a_guest_answered_more_than_90_days_ago_stays_answered),
        cmocka_unit_test(a_vote_is_changed_and_taken_back),
    };

    return cmocka_run_group_tests_name("tjzw_survey", tests, NULL, NULL);
}
