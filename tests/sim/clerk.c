/*
 * clerk.c - what the staff do with letters and messages, by the API: import, take in, hand on, ask back, consult, draft, send back, review, answer; send and take back.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"
#include "tests/sim/reached.h"

static const char json[] = "content-type: application/json\n",
                  lines[] = "content-type: application/x-ndjson\n";

void clerk_open(struct sim *s)
{
    static const char *const orgs[] = { "{\"code\":\"" UNIT "\",\"name\":\"示例局\"}",
                                        "{\"code\":\"" OTHER_UNIT "\",\"name\":\"另一局\"}" };

    for (size_t i = 0; i < sizeof orgs / sizeof *orgs; i++) {
        struct message m;

        if (!server_request(s, POST, "/v1/orgs", json, orgs[i], strlen(orgs[i]), OPERATOR,
                            &m) ||
            m.number != 201)
            lost(s, "a unit cannot be made: %d %s", m.number, m.text[1]);
        message_done(&m);
    }
}

/* ---- letters ---- */

/* What a verb has to say besides, and under what it is counted. */
enum says { NOTHING, WORDS, DRAFT = 2, PLACE = 4 };

static const struct verb {
    const char *word;
    enum says says;
    enum path path;
} verbs[] = {
    { "accept", NOTHING, PATH_COUNT },    { "refuse", WORDS, PATH_COUNT },
    { "assign", NOTHING, PATH_COUNT },    { "transfer", WORDS | PLACE, PATH_transferred },
    { "begin", NOTHING, PATH_COUNT },     { "ask", WORDS, PATH_COUNT },
    { "consult", WORDS, PATH_consulted }, { "resume", NOTHING, PATH_resumed },
    { "extend", WORDS, PATH_extended },   { "draft", WORDS, PATH_drafted },
    { "return", WORDS, PATH_returned },   { "review", DRAFT, PATH_reviewed },
    { "answer", NOTHING, PATH_answered }, { "follow", WORDS, PATH_COUNT },
};

#define ANY      NULL
#define DISCLOSE "disclose"

/* What may follow, one of them by chance. `next`: done at once behind it. of: letters of that category alone. */
static const struct move {
    const char *state, *verb, *next, *of;
} moves[] = {
    { "submitted", "accept", NULL, ANY },
    { "submitted", "accept", "begin", ANY },
    { "submitted", "accept", "begin", ANY },
    { "submitted", "accept", "begin", ANY },
    { "submitted", "ask", NULL, ANY },
    { "submitted", "refuse", NULL, ANY },
    { "submitted", "transfer", "accept", ANY },
    { "accepted", "assign", NULL, ANY },
    { "accepted", "begin", NULL, ANY },
    { "accepted", "consult", NULL, DISCLOSE },
    { "assigned", "begin", NULL, ANY },
    { "assigned", "draft", NULL, ANY },
    { "transferred", "accept", "begin", ANY },
    { "in_progress", "draft", "review", ANY },
    { "in_progress", "draft", "review", ANY },
    { "in_progress", "draft", NULL, ANY },
    { "in_progress", "draft", "return", ANY },
    { "in_progress", "review", "answer", ANY },
    { "in_progress", "answer", NULL, ANY },
    { "in_progress", "answer", NULL, ANY },
    { "in_progress", "answer", NULL, ANY },
    { "in_progress", "return", "answer", ANY },
    { "in_progress", "ask", NULL, ANY },
    { "in_progress", "extend", NULL, ANY },
    { "in_progress", "consult", "resume", DISCLOSE },
    { "in_progress", "consult", NULL, DISCLOSE },
    { "asked", "resume", NULL, ANY },
    { "asked", "draft", NULL, ANY },
    { "consulting", "resume", NULL, ANY },
    { "follow_up", "follow", NULL, ANY },
};

/* A letter as the staff see it. */
struct sight {
    char state[24], unit[16], category[16];
    int64_t draft; /* the step of its draft; 0: there is none */
};

static const struct verb *find_verb(const char *word)
{
    size_t i = 0;

    while (strcmp(verbs[i].word, word) != 0)
        i++;
    return &verbs[i];
}

static void print_order(struct sim *s, const struct verb *v, const struct sight *at, char *out,
                        size_t room)
{
    json_t *o = json_object();
    char *text;

    if (v->says & WORDS)
        json_object_set_new(o, "text", json_sprintf("S%u", ++s->written));
    if (v->says & DRAFT && at->draft)
        json_object_set_new(o, "draft", json_integer(at->draft));
    if (v->says & PLACE)
        json_object_set_new(o, "unit", json_string(strcmp(at->unit, UNIT) ? UNIT : OTHER_UNIT));
    text = json_dumps(o, JSON_COMPACT);
    snprintf(out, room, "%s", text);
    free(text);
    json_decref(o);
}

static void see(const char *text, struct sight *out)
{
    json_t *o = json_loads(text, 0, NULL);
    const char *const members[] = { "state", "unit", "category" };
    char *const rooms[] = { out->state, out->unit, out->category };
    const size_t sizes[] = { sizeof out->state, sizeof out->unit, sizeof out->category };

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *it = json_string_value(json_object_get(o, members[i]));

        snprintf(rooms[i], sizes[i], "%s", it ? it : "");
    }
    out->draft = json_integer_value(json_object_get(o, "draft"));
    json_decref(o);
}

/* *at: how it is then. False: the server ended over it, or it may not be done: there is no reviewed draft. */
static bool handle(struct sim *s, int letter, const char *word, struct sight *at)
{
    const struct verb *v = find_verb(word);
    char target[100], body[120];
    struct message m;
    bool done;

    snprintf(target, sizeof target, "/v1/letters/%s/%s", mail_id(s, letter), word);
    print_order(s, v, at, body, sizeof body);
    if (!server_request(s, POST, target, json, body, strlen(body), OPERATOR, &m)) {
        mail_handled(s, letter, false);
        return false;
    }
    done = m.number == 200;
    if (!done && m.number != 409)
        lost(s, "%s is answered %d: %s", target, m.number, m.text[1]);
    note(s, "L%d: %s %d", letter, word, m.number);
    if (done) {
        mail_handled(s, letter, true);
        see(m.text[1], at);
        if (v->path != PATH_COUNT)
            reached(v->path);
    }
    message_done(&m);
    return done;
}

/* Where it stands. False: the server ended over it. */
static bool look_up(struct sim *s, int letter, struct sight *out)
{
    char target[100];
    struct message m;

    snprintf(target, sizeof target, "/v1/letters/%s", mail_id(s, letter));
    if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m))
        return false;
    if (m.number != 200)
        lost(s, "L%d was taken, and is answered %d", letter, m.number);
    see(m.text[1], out);
    message_done(&m);
    return true;
}

static bool handle_once(struct sim *s, int letter)
{
    const struct move *next = NULL;
    struct sight at;
    int n = 0;

    if (!look_up(s, letter, &at))
        return false;
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (!strcmp(moves[i].state, at.state) &&
            (!moves[i].of || !strcmp(moves[i].of, at.category)) &&
            dice_one_in(&s->dice, (uint32_t)++n))
            next = &moves[i];
    if (!next || !handle(s, letter, next->verb, &at))
        return false;
    return !next->next || handle(s, letter, next->next, &at);
}

void clerk_handle(struct sim *s)
{
    int letter = mail_pick(s);

    for (uint32_t i = 1 + dice_roll(&s->dice, 8); letter >= 0 && i-- > 0;)
        if (!handle_once(s, letter))
            return;
}

/*
 * From the system that they had before, one at a time and now and then again: with applications for disclosure, which of those who sign in here by a code
 * nobody may make.
 */
void clerk_import(struct sim *s)
{
    int letter = mail_import(s);
    char body[600];
    const char *number;
    struct message m;
    json_t *o;

    if (letter < 0)
        return;
    mail_import_line(s, letter, body, sizeof body);
    if (!server_request(s, POST, "/v1/letters?from=old", lines, body, strlen(body), OPERATOR,
                        &m))
        return;
    o = json_loads(m.text[1], 0, NULL);
    number = json_string_value(
        json_object_get(json_array_get(json_object_get(o, "lines"), 0), "number"));
    if (m.number != 200 || !number)
        lost(s, "an import of L%d is answered %d: %s", letter, m.number, m.text[1]);
    note(s, "imports L%d: %s", letter, number);
    mail_imported(s, letter, number);
    json_decref(o);
    message_done(&m);
}

/* ---- messages ---- */

void clerk_send(struct sim *s)
{
    const struct device *p = &s->phone[dice_roll(&s->dice, PHONES)];
    int64_t account = folk_account(s, p), number = 0;
    bool anew = !dice_one_in(&s->dice, 3);
    int notice = account ? notice_pick(s, account, anew) : -1;
    char body[120];
    struct message m;

    if (notice < 0)
        return;
    if (folk_is_guest(s, p))
        notice_moves(s, notice);
    snprintf(body, sizeof body, "{\"account\":%" PRId64 ",\"group\":\"G%d\",\"title\":\"G%d\"}",
             account, notice, notice);
    if (!server_request(s, POST, "/v1/inbox", json, body, strlen(body), OPERATOR, &m)) {
        notice_sent(s, notice, 0, false);
        return;
    }
    note(s, "sends G%d to %" PRId64 ": %d", notice, account, m.number);
    if (m.number != 201 && m.number != 404)
        lost(s, "a message is answered %d: %s", m.number, m.text[1]);
    sscanf(m.text[1], "{\"number\":%" SCNd64, &number);
    if (m.number == 201 && !anew)
        reached(PATH_message_again);
    if (m.number == 201)
        notice_sent(s, notice, number, true);
    message_done(&m);
}

void clerk_withdraw(struct sim *s)
{
    int64_t account = folk_account(s, &s->phone[dice_roll(&s->dice, PHONES)]);
    int notice = account ? notice_pick(s, account, false) : -1;
    char target[40];
    struct message m;

    if (notice < 0)
        return;
    snprintf(target, sizeof target, "/v1/inbox/G%d", notice);
    if (!server_request(s, DELETE, target, "", NULL, 0, OPERATOR, &m)) {
        notice_withdrawn(s, notice, false);
        return;
    }
    note(s, "takes G%d back: %d", notice, m.number);
    if (m.number != 200)
        lost(s, "%s is answered %d: %s", target, m.number, m.text[1]);
    reached(PATH_message_back);
    notice_withdrawn(s, notice, true);
    message_done(&m);
}
