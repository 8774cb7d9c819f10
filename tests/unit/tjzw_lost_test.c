/*
 * tjzw_lost_test.c - a session that is lost because the answer to an exchange of its token was, for longer than the server remembers it: what a guest had is
 * written anew by the guest who follows him, and a citizen signs in again; nothing unsent is lost, and nothing arrives twice.
 */
#include "tests/lib/fake_me.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/store.h"

#define ITEM   "main/0190b1c2-0000-7000-8000-00000000000"
#define SURVEY "0190b1c2-0000-7000-8000-0000000000aa"

struct world {
    struct phone p;
    struct fake_me f;
};

static void begin(struct world *w)
{
    struct tjzw_transport transport = { &w->f, fake_me_get };

    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    tjzw_set_transport(w->p.t, &transport);
}

static void end(struct world *w)
{
    phone_end(&w->p);
    fake_me_end(&w->f);
}

static void sign_in(struct world *w, const char *login)
{
    const struct tjzw_sign_in entered = { .login = login, .password = "good" };

    OK(&w->p, tjzw_sign_in(w->p.t, &entered, NULL, &w->p.e));
}

static void put(struct world *w, const char *type, const char *key, const char *value)
{
    OK(&w->p, tjzw_put(w->p.t, type, key, value, &w->p.e));
}

static void exchange(struct world *w)
{
    OK(&w->p, tjzw_me_sync(w->p.t, NULL, &w->p.last, &w->p.e));
}

static struct tjzw_me me(struct world *w)
{
    struct tjzw_me out;

    OK(&w->p, tjzw_me(w->p.t, &out, &w->p.e));
    return out;
}

static bool see(void *ctx, const struct tjzw_entry *entry)
{
    char *out = ctx;
    size_t n = strlen(out);

    snprintf(out + n, 1024 - n, "%s=%s ", entry->key, entry->value);
    return true;
}

/* All of a type that is shown. */
static void shown(struct world *w, const char *type, char out[1024])
{
    out[0] = '\0';
    OK(&w->p, tjzw_entries(w->p.t, type, NULL, see, out, &w->p.e));
}

static void assert_there(struct world *w, int64_t account, const char *type, const char *key,
                         const char *value)
{
    char *text = fake_me_value(&w->f, account, type, key);

    assert_string_equal(text ? text : "", value);
    free(text);
}

/* The token has to be exchanged, the answers do not come, and when the network is back the server takes the old one for a thief's. */
static void lose_the_session(struct world *w)
{
    const struct tjzw_sync_options soon = { .timeout = 1 };
    unsigned before = w->f.refreshes;

    w->f.all_expired = w->f.deaf = true;
    assert_int_not_equal(tjzw_me_sync(w->p.t, &soon, NULL, &w->p.e), TJZW_OK);
    assert_true(w->f.refreshes > before);
    w->f.now_ms += 60000;
    w->f.deaf = false;
}

/* ---- a guest ---- */

static const char *const types[] = { "fav",  "follow", "set",    "consent", "place",
                                     "vote", "read",   "letter", "answered" };
enum { TYPES = sizeof types / sizeof *types };

static void write_all(struct world *w)
{
    put(w, "fav", ITEM "1", "{\"at\":1}");
    put(w, "follow", "tag/社保", "{\"rank\":\"V\"}");
    put(w, "set", "font", "20");
    put(w, "consent", "push/class/weather", "true");
    put(w, "place", ITEM "1", "500");
    put(w, "vote", ITEM "1", "1");
    put(w, "read", "main/0", "\"1,5\"");
}

struct letter {
    size_t n;
    char id[37], sent[64], state[64];
};

static bool see_letter(void *ctx, const struct tjzw_letter *l)
{
    struct letter *out = ctx;

    out->n++;
    snprintf(out->id, sizeof out->id, "%s", l->id);
    snprintf(out->sent, sizeof out->sent, "%s", l->sent ? l->sent : "");
    snprintf(out->state, sizeof out->state, "%s", l->state ? l->state : "");
    return true;
}

static void assert_letter(struct world *w, const char *id)
{
    struct letter l = { 0 };

    OK(&w->p, tjzw_letters(w->p.t, see_letter, &l, &w->p.e));
    assert_int_equal(l.n, 1);
    assert_string_equal(l.id, id);
    assert_string_equal(l.sent, "{\"text\":\"路灯不亮\"}");
    assert_string_equal(l.state, "{\"state\":\"answered\"}");
}

/* A guest with all that a guest may have, and the letter's number. */
static void live_as_guest(struct world *w, char letter[37])
{
    write_all(w);
    OK(&w->p, tjzw_act(w->p.t, "letter.send", "{\"text\":\"路灯不亮\"}", letter, &w->p.e));
    exchange(w);
    fake_me_put(&w->f, 1, "letter", letter, "{\"state\":\"answered\"}");
    fake_me_put(&w->f, 1, "answered", SURVEY, "{\"at\":1763790123}");
    exchange(w);
}

static void a_guest_keeps_all_that_was_his(void **state)
{
    char before[TYPES][1024], after[1024], letter[37];
    struct world w;

    (void)state;
    begin(&w);
    live_as_guest(&w, letter);
    lose_the_session(&w);
    put(&w, "fav", ITEM "2", "{\"at\":2}"); /* unsent */
    for (int i = 0; i < TYPES; i++)
        shown(&w, types[i], before[i]);
    exchange(&w); /* he need not know */
    exchange(&w);
    assert_int_equal(me(&w).account, 2);
    assert_true(me(&w).guest && !me(&w).ended);
    assert_int_equal(me(&w).unsent + me(&w).attention, 0);
    for (int i = 0; i < TYPES; i++) {
        shown(&w, types[i], after);
        assert_string_equal(after, before[i]);
    }
    assert_there(&w, 2, "fav", ITEM "1", "{\"at\":1}");
    assert_there(&w, 2, "fav", ITEM "2", "{\"at\":2}");
    assert_there(&w, 2, "follow", "tag/社保", "{\"rank\":\"V\"}");
    assert_there(&w, 2, "set", "font", "20");
    assert_there(&w, 2, "read", "main/0", "\"1,5\"");
    assert_letter(&w, letter);
    end(&w);
}

/* What only the phone has must survive what the server says later: all there is, and an account. */
static void his_letters_stay_whatever_the_server_says_later(void **state)
{
    char letter[37], answered[1024];
    struct world w;

    (void)state;
    begin(&w);
    live_as_guest(&w, letter);
    lose_the_session(&w);
    exchange(&w);
    put(&w, "set", "font", "22");
    exchange(&w);
    w.f.floor = w.f.accounts[2].seq + 10; /* a reset */
    put(&w, "set", "font", "24");
    exchange(&w);
    assert_letter(&w, letter);
    w.f.floor = 0;
    sign_in(&w, "a");
    exchange(&w);
    assert_int_equal(me(&w).account, 8);
    assert_letter(&w, letter);
    shown(&w, "answered", answered);
    assert_string_equal(answered, SURVEY "={\"at\":1763790123} ");
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    shown(&w, "letter", answered);
    assert_string_equal(answered, "");
    end(&w);
}

#define ANSWER "{\"answers\":[1],\"survey\":\"" SURVEY "\"}"

/* It is the other account's until this one sends it again: on his other phone he would answer once more. */
static void his_answers_are_told_to_whom_he_becomes(void **state)
{
    char id[37], name[64];
    struct world w;

    (void)state;
    begin(&w);
    OK(&w.p, tjzw_act(w.p.t, "survey.answer", ANSWER, id, &w.p.e));
    exchange(&w);
    lose_the_session(&w);
    exchange(&w);
    assert_there(&w, 2, "answered", SURVEY, "{\"at\":1763790123}");
    lose_the_session(&w);
    sign_in(&w, "a");
    exchange(&w);
    assert_there(&w, 8, "answered", SURVEY, "{\"at\":1763790123}");
    assert_int_equal(me(&w).unsent + me(&w).attention, 0);
    snprintf(name, sizeof name, "survey.answer %s", id);
    assert_int_equal(json_integer_value(json_object_get(w.f.applied, name)), 1);
    end(&w);
}

/* The server was restored, and the survey is over: he has not answered it, and is told so. */
static void an_answer_that_was_lost_is_not_shown_as_given(void **state)
{
    char id[37], answered[1024];
    struct world w;

    (void)state;
    begin(&w);
    OK(&w.p, tjzw_act(w.p.t, "survey.answer", ANSWER, id, &w.p.e));
    exchange(&w);
    w.f.refuses = id;
    lose_the_session(&w);
    exchange(&w);
    assert_int_equal(me(&w).account, 2);
    shown(&w, "answered", answered);
    assert_string_equal(answered, "");
    assert_int_equal(me(&w).attention, 1);
    end(&w);
}

/* A guest with messages 7 to 9, of which he has read one and removed one, unsent; message 7 is also one of the account's. */
static void read_as_guest(struct world *w)
{
    write_all(w);
    exchange(w);
    fake_me_put(&w->f, 1, "message", "7", "{\"title\":\"给访客的\"}");
    fake_me_put(&w->f, 1, "message", "8", "{\"title\":\"也是\"}");
    fake_me_put(&w->f, 1, "message", "9", "{\"title\":\"还是\"}");
    exchange(w);
    put(w, "seen", "7", "true");
    put(w, "message", "8", NULL);
    fake_me_put(&w->f, 8, "message", "7", "{\"title\":\"给本人的\"}");
}

/* Message 7 of the guest is not message 7 of whoever he becomes: he says himself what waits to be said of it, before he is merged. */
static void what_is_said_of_a_message_goes_to_nobody_else(void **state)
{
    char messages[1024];
    struct world w;

    (void)state;
    begin(&w);
    read_as_guest(&w);
    sign_in(&w, "a");
    assert_int_equal(me(&w).unsent, 0);
    exchange(&w);
    assert_there(&w, 8, "seen", "7", "");
    shown(&w, "message", messages);
    assert_non_null(strstr(messages, "给访客的"));
    assert_null(strstr(messages, "也是"));
    assert_non_null(strstr(messages, "还是"));
    assert_int_equal(me(&w).unread, 2); /* 给本人的, 还是 */
    end(&w);
}

/* There was no network when he signed in, or it broke while it was said: it is said with what comes next, and once more does no harm. */
static void what_is_said_of_a_message_waits_for_the_network(void **state)
{
    struct world w;

    (void)state;
    for (unsigned after = 1; after < 8; after++) {
        begin(&w);
        read_as_guest(&w);
        w.f.percent = 60;
        w.f.seed = after;
        while (me(&w).guest)
            (void)!tjzw_sign_in(w.p.t,
                                &(struct tjzw_sign_in){ .login = "a", .password = "good" },
                                NULL, &w.p.e);
        w.f.percent = 0;
        exchange(&w);
        exchange(&w);
        assert_int_equal(w.f.adoptions, 1);
        assert_there(&w, 8, "seen", "7", "");
        assert_int_equal(me(&w).unread, 2);
        end(&w);
    }
}

static void a_lost_guests_messages_go_and_leave_no_marks(void **state)
{
    char messages[1024];
    struct world w;

    (void)state;
    begin(&w);
    write_all(&w);
    exchange(&w);
    fake_me_put(&w.f, 1, "message", "7", "{\"title\":\"给访客的\"}");
    exchange(&w);
    put(&w, "seen", "7", "true");
    exchange(&w);
    lose_the_session(&w);
    exchange(&w);
    shown(&w, "message", messages);
    assert_string_equal(messages, "");
    assert_there(&w, 2, "seen", "7", "");
    end(&w);
}

/* ---- a citizen ---- */

static void a_citizen_signs_in_again_and_loses_nothing(void **state)
{
    char letter[37], text[1024];
    struct world w;

    (void)state;
    begin(&w);
    sign_in(&w, "a");
    write_all(&w);
    exchange(&w);
    lose_the_session(&w);
    OK(&w.p, tjzw_act(w.p.t, "letter.send", "{\"text\":\"路灯不亮\"}", letter, &w.p.e));
    put(&w, "fav", ITEM "2", "{\"at\":2}");
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_SIGN_IN);
    assert_true(me(&w).ended && me(&w).guest);
    shown(&w, "fav", text);
    assert_string_equal(text, "");          /* whoever has the phone may be somebody else */
    put(&w, "fav", ITEM "3", "{\"at\":3}"); /* he does not mind, and goes on */
    sign_in(&w, "a");
    assert_false(me(&w).ended);
    assert_int_equal(me(&w).unsent, 3);
    exchange(&w);
    exchange(&w);
    shown(&w, "fav", text);
    assert_string_equal(text, ITEM "1={\"at\":1} " ITEM "2={\"at\":2} " ITEM "3={\"at\":3} ");
    assert_there(&w, 8, "letter", letter, "{\"text\":\"路灯不亮\"}");
    assert_int_equal(json_object_size(w.f.applied), 1);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_keeps_all_that_was_his),
        cmocka_unit_test(his_letters_stay_whatever_the_server_says_later),
        cmocka_unit_test(his_answers_are_told_to_whom_he_becomes),
        cmocka_unit_test(an_answer_that_was_lost_is_not_shown_as_given),
        cmocka_unit_test(what_is_said_of_a_message_goes_to_nobody_else),
        cmocka_unit_test(what_is_said_of_a_message_waits_for_the_network),
        cmocka_unit_test(a_lost_guests_messages_go_and_leave_no_marks),
        cmocka_unit_test(a_citizen_signs_in_again_and_loses_nothing),
    };

    return cmocka_run_group_tests_name("tjzw_lost", tests, NULL, NULL);
}
