/*
 * poll.c - answers to surveys, as a plain list.
 *
 * An answer is known by its words, "Q7", which are its text; so one that is counted twice is there twice. What was chosen follows from the number, so the counts can be
 * added up from the answers.
 *
 *     told      the server has said that it has it: it is there, but for a restore to a time before, and of a guest who is part of an account that has answered as
 *               well. Of who is erased the choices stay, and the words go
 */
#include "tests/sim/poll.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/reached.h"

enum { ANSWERS = 48, SURVEYS = 32, ID = 40 };

struct answer {
    bool by_guest, sent, told, backed_up, before; /* before: a restore lost it */
    int64_t account;                              /* whose device was told so */
    char survey[ID], key[ID];
};

struct polls {
    struct answer answer[ANSWERS];
    int n;
    char closed[SURVEYS][ID]; /* those that may be over, or gone */
    int nclosed;
    bool restored;
};

struct polls *polls_new(void)
{
    struct polls *polls = calloc(1, sizeof *polls);

    if (!polls)
        abort();
    return polls;
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

/* ---- what is done ---- */

int poll_begins(struct sim *s, const struct device *p, const char *survey)
{
    struct polls *polls = s->polls;
    struct answer *a = &polls->answer[polls->n];

    if (polls->n == ANSWERS)
        return -1;
    a->by_guest = folk_is_guest(s, p);
    snprintf(a->survey, sizeof a->survey, "%s", survey);
    return polls->n++;
}

int poll_choice(int answer)
{
    return answer % POLL_CHOICES;
}

void poll_closes(struct sim *s, const char *survey)
{
    struct polls *polls = s->polls;

    if (polls->nclosed < SURVEYS)
        snprintf(polls->closed[polls->nclosed++], ID, "%s", survey);
}

void poll_backed_up(struct sim *s)
{
    for (int i = 0; i < s->polls->n; i++)
        s->polls->answer[i].backed_up = s->polls->answer[i].told;
}

void poll_restored(struct sim *s)
{
    s->polls->restored = true;
    for (int i = 0; i < s->polls->n; i++) {
        struct answer *a = &s->polls->answer[i];

        a->before |= a->told && !a->backed_up;
        a->told &= a->backed_up;
        a->by_guest |= a->told; /* whose account is another's by now nobody saw */
    }
}

/* ---- what the network sees ---- */

static const char *words_of(const json_t *value)
{
    const char *text = json_string_value(json_array_get(json_object_get(value, "answers"), 1));

    return text ? text : "";
}

void poll_asked(struct sim *s, const struct device *p, const json_t *mutation)
{
    const json_t *value = json_object_get(mutation, "value");
    struct answer *a;
    int no;

    if (strcmp(text_of(mutation, "type"), "survey.answer") != 0)
        return;
    if ((no = mail_number(words_of(value), 'Q', s->polls->n)) < 0)
        lost(s, "phone %d sends an answer that nobody gave", p->no);
    a = &s->polls->answer[no];
    if (!a->key[0])
        snprintf(a->key, sizeof a->key, "%s", text_of(mutation, "key"));
    if (strcmp(a->key, text_of(mutation, "key")) != 0 ||
        strcmp(a->survey, text_of(value, "survey")) != 0)
        lost(s, "answer Q%d was %s, and is sent as %s", no, a->key, text_of(mutation, "key"));
    a->sent = true;
}

/* A guest's is somebody's from when that account's device was told so: it was sent again after his session had ended. */
static void take(struct sim *s, int no, int64_t account, bool guests)
{
    struct polls *polls = s->polls;
    struct answer *a = &polls->answer[no];

    if (a->by_guest && a->told && a->account != account)
        reached(PATH_survey_follows);
    a->by_guest &= guests;

    for (int i = 0; i < polls->n; i++) {
        const struct answer *other = &polls->answer[i];

        if (i != no && other->told && !other->by_guest && other->account == account &&
            !strcmp(other->survey, a->survey))
            lost(s, "account %" PRId64 " has two answers, Q%d and Q%d", account, i, no);
    }
    reached(a->told     ? PATH_survey_again
            : a->before ? PATH_survey_restored
                        : PATH_survey_answer);
    a->told = true;
    a->account = account;
}

static bool may_be_closed(const struct polls *polls, const char *survey)
{
    for (int i = 0; i < polls->nclosed; i++)
        if (!strcmp(polls->closed[i], survey))
            return true;
    return false;
}

static bool has_another(const struct polls *polls, int no)
{
    for (int i = 0; i < polls->n; i++)
        if (i != no && polls->answer[i].sent &&
            !strcmp(polls->answer[i].survey, polls->answer[no].survey))
            return true;
    return false;
}

static void check_refusal(struct sim *s, int no, const char *code)
{
    const struct polls *polls = s->polls;

    if (strcmp(code, "closed") == 0 && may_be_closed(polls, polls->answer[no].survey)) {
        reached(PATH_survey_late);
        return;
    }
    if (strcmp(code, "too_many") == 0 && has_another(polls, no)) {
        reached(PATH_survey_other);
        return;
    }
    if (strcmp(code, "missing") != 0 || !polls->restored)
        lost(s, "answer Q%d is refused: %s", no, code);
}

bool poll_result(struct sim *s, const struct device *p, const char *device,
                 const json_t *mutation, const json_t *result)
{
    const char *what = text_of(result, "result");
    int no = mail_number(words_of(json_object_get(mutation, "value")), 'Q', s->polls->n);

    if (strcmp(text_of(mutation, "type"), "survey.answer") != 0)
        return false;
    if (strcmp(what, "done") == 0)
        take(s, no, folk_device_account(s, p, device), folk_device_is_guests(s, p, device));
    else if (strcmp(what, "refused") == 0)
        check_refusal(s, no, text_of(result, "code"));
    return true;
}

/* ---- in the end ---- */

/* What staff read of a survey; NULL: it is not there any more. */
static char *fetch(struct sim *s, const char *survey, const char *what)
{
    struct message m;
    char target[120], *out = NULL;

    snprintf(target, sizeof target, "/v1/staff/surveys/%s%s", survey, what);
    if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m))
        lost(s, "the server ended over %s", target);
    if (m.number == 200)
        out = strdup(m.text[1]);
    else if (m.number != 404 && m.number != 410)
        lost(s, "%s is answered %d", target, m.number);
    message_done(&m);
    return out;
}

struct sum {
    int answers, chosen[POLL_CHOICES];
    uint64_t there; /* the answers whose words are */
};

static void add_line(struct sim *s, const char *survey, const char *line, struct sum *sum)
{
    json_t *o = json_loads(line, 0, NULL);
    json_int_t chosen = json_integer_value(json_array_get(json_object_get(o, "chosen"), 0));
    const char *words = json_string_value(json_array_get(json_object_get(o, "texts"), 1));
    int no = words ? mail_number(words, 'Q', s->polls->n) : -1;

    if (words && (no < 0 || strcmp(s->polls->answer[no].survey, survey) != 0 ||
                  chosen != poll_choice(no)))
        lost(s, "survey %s has an answer that nobody gave: %s", survey, line);
    if (words && sum->there & UINT64_C(1) << no)
        lost(s, "Q%d is there twice", no);
    sum->there |= words ? UINT64_C(1) << no : 0;
    sum->answers++;
    sum->chosen[chosen % POLL_CHOICES]++;
    json_decref(o);
}

/* The counts are those of the answers, each of which is there once. */
static void check_counts(struct sim *s, const char *survey, const char *result,
                         const struct sum *sum)
{
    json_t *o = json_loads(result, 0, NULL);
    const json_t *counts =
        json_object_get(json_array_get(json_object_get(o, "questions"), 0), "counts");

    if (json_integer_value(json_object_get(o, "answers")) != sum->answers)
        lost(s, "survey %s counts %s, and has %d answers", survey, result, sum->answers);
    for (int i = 0; i < POLL_CHOICES; i++)
        if (json_integer_value(json_array_get(counts, (size_t)i)) != sum->chosen[i])
            lost(s, "survey %s counts choice %d otherwise: %s, and it was chosen %d times",
                 survey, i, result, sum->chosen[i]);
    json_decref(o);
}

static void audit_one(struct sim *s, const char *survey)
{
    char *result = fetch(s, survey, ""), *lines = fetch(s, survey, "/answers?n=1000"),
         *rest = lines;
    struct sum sum = { 0 };

    for (char *line; result && lines && (line = strsep(&rest, "\n")) && *line;)
        add_line(s, survey, line, &sum);
    for (int i = 0; result && i < s->polls->n; i++) {
        const struct answer *a = &s->polls->answer[i];

        if (!strcmp(a->survey, survey) && a->told && !a->by_guest &&
            !(sum.there & UINT64_C(1) << i))
            lost(s, "Q%d was taken and is not there", i);
    }
    if (result && lines)
        check_counts(s, survey, result, &sum);
    free(result);
    free(lines);
}

void poll_audit(struct sim *s)
{
    const struct polls *polls = s->polls;

    for (int i = 0; i < polls->n; i++) {
        int first = 0;

        while (strcmp(polls->answer[first].survey, polls->answer[i].survey) != 0)
            first++;
        if (first == i)
            audit_one(s, polls->answer[i].survey);
    }
}

void poll_settled(struct sim *s, const struct device *p, int64_t account, const char *entries)
{
    for (int i = 0; i < s->polls->n; i++) {
        const struct answer *a = &s->polls->answer[i];
        char mark[ID + 16];

        snprintf(mark, sizeof mark, "answered\t%s\t", a->survey);
        if (a->told && !a->by_guest && a->account == account && !strstr(entries, mark))
            lost(s, "phone %d of account %" PRId64 " does not know that Q%d was answered",
                 p->no, account, i);
    }
}
