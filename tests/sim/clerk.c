/*
 * clerk.c - what the staff do with letters and messages, by the API: take in, ask back, draft, review, answer; send and take back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"
#include "tests/sim/reached.h"

static const char json[] = "content-type: application/json\n";

void clerk_open(struct sim *s)
{
    static const char org[] = "{\"code\":\"" UNIT "\",\"name\":\"示例局\"}";
    struct message m;

    if (!server_request(s, POST, "/v1/orgs", json, org, strlen(org), OPERATOR, &m) ||
        m.number != 201)
        lost(s, "a unit cannot be made: %d %s", m.number, m.text[1]);
    message_done(&m);
}

/* ---- letters ---- */

/* What may follow, one of them by chance. `next`: done at once behind it. */
static const struct move {
    const char *state, *verb, *next;
    bool words;
} moves[] = {
    { "submitted", "accept", NULL, false },     { "submitted", "accept", "begin", false },
    { "submitted", "accept", "begin", false },  { "submitted", "ask", NULL, true },
    { "submitted", "refuse", NULL, true },      { "accepted", "assign", NULL, false },
    { "accepted", "begin", NULL, false },       { "assigned", "begin", NULL, false },
    { "in_progress", "draft", "review", true }, { "in_progress", "answer", NULL, false },
    { "in_progress", "answer", NULL, false },   { "in_progress", "ask", NULL, true },
    { "follow_up", "follow", NULL, true },
};

/* *draft: the step of its draft. False: the server ended over it, or it may not be done: there is no reviewed draft. */
static bool handle(struct sim *s, int letter, const char *verb, bool words, int64_t *draft)
{
    char target[100], body[40] = "{}";
    struct message m;
    const char *at;
    bool done;

    snprintf(target, sizeof target, "/v1/letters/%s/%s", mail_id(s, letter), verb);
    if (words)
        snprintf(body, sizeof body, "{\"text\":\"S%u\"}", ++s->written);
    if (!strcmp(verb, "review"))
        snprintf(body, sizeof body, "{\"draft\":%" PRId64 "}", *draft);
    if (!server_request(s, POST, target, json, body, strlen(body), OPERATOR, &m)) {
        mail_handled(s, letter, false);
        return false;
    }
    done = m.number == 200;
    if (!done && m.number != 409)
        lost(s, "%s is answered %d: %s", target, m.number, m.text[1]);
    note(s, "L%d: %s %d", letter, verb, m.number);
    if (done)
        mail_handled(s, letter, true);
    if (done && (at = strstr(m.text[1], ",\"draft\":")))
        sscanf(at, ",\"draft\":%" SCNd64, draft);
    if (done && !strcmp(verb, "answer"))
        reached(PATH_answered);
    message_done(&m);
    return done;
}

/* Where it stands. False: the server ended over it. */
static bool look_up(struct sim *s, int letter, char state[24])
{
    char target[100];
    const char *at;
    struct message m;

    snprintf(target, sizeof target, "/v1/letters/%s", mail_id(s, letter));
    if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m))
        return false;
    if (m.number != 200 || !(at = strstr(m.text[1], ",\"state\":\"")))
        lost(s, "L%d was taken, and is answered %d", letter, m.number);
    snprintf(state, 24, "%.*s", (int)strcspn(at + 10, "\""), at + 10);
    message_done(&m);
    return true;
}

static bool handle_once(struct sim *s, int letter)
{
    const struct move *next = NULL;
    char state[24];
    int64_t draft = 0;
    int n = 0;

    if (!look_up(s, letter, state))
        return false;
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (!strcmp(moves[i].state, state) && dice_one_in(&s->dice, (uint32_t)++n))
            next = &moves[i];
    if (!next || !handle(s, letter, next->verb, next->words, &draft))
        return false;
    return !next->next || handle(s, letter, next->next, false, &draft);
}

void clerk_handle(struct sim *s)
{
    int letter = mail_pick(s);

    for (uint32_t i = 1 + dice_roll(&s->dice, 8); letter >= 0 && i-- > 0;)
        if (!handle_once(s, letter))
            return;
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
