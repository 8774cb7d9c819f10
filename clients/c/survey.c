/*
 * survey.c - surveys as somebody meets them on his phone: public content that was synced, read and answered without a network.
 *
 *     item of kind `survey` (docs/surveys.md) --tjzw_survey_answer--> checked here --> the action survey.answer in the outbox --> taken: the entry `answered`
 *
 * What can be known here is told here: that an answer fits its question, that a survey is open, that he has answered it. What only the server knows (who answered on
 * another phone meanwhile, whether it came in time) it says when the answer arrives; then it stands in the outbox with the reason.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/entries.h"
#include "clients/c/outbox.h"

enum { RATING_USUAL = 5, TEXT_USUAL = 300, PATTERN_MAX = 64 };

static int64_t time_of(const json_t *record, const char *name)
{
    return store_time(json_string_value(json_object_get(record, name)));
}

/* ---- questions and answers ---- */

static int64_t number_of(const json_t *question, const char *name, int64_t usual)
{
    const json_t *v = json_object_get(question, name);

    return json_is_integer(v) ? json_integer_value(v) : usual;
}

static bool is_between(const json_t *v, int64_t least, int64_t most)
{
    return json_is_integer(v) && json_integer_value(v) >= least &&
           json_integer_value(v) <= most;
}

static bool fits_single(const json_t *question, const json_t *v)
{
    return is_between(v, 0, (int64_t)json_array_size(json_object_get(question, "choices")) - 1);
}

static bool fits_multiple(const json_t *question, const json_t *v)
{
    int64_t all = (int64_t)json_array_size(json_object_get(question, "choices"));
    size_t n = json_array_size(v);
    uint64_t chosen = 0;

    if (!json_is_array(v) || n < 1 || (int64_t)n > number_of(question, "most", all))
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(v, i);

        if (!is_between(one, 0, all - 1) || json_integer_value(one) > 63 ||
            chosen & UINT64_C(1) << json_integer_value(one))
            return false;
        chosen |= UINT64_C(1) << json_integer_value(one);
    }
    return true;
}

static bool fits_rating(const json_t *question, const json_t *v)
{
    return is_between(v, 1, number_of(question, "of", RATING_USUAL));
}

/* Characters, not bytes. */
static bool fits_text(const json_t *question, const json_t *v)
{
    int64_t n = 0;

    if (!json_is_string(v))
        return false;
    for (const char *c = json_string_value(v); *c; c++)
        n += (*c & 0xc0) != 0x80;
    return n >= 1 && n <= number_of(question, "max", TEXT_USUAL);
}

static const struct {
    const char *name;
    bool (*fits)(const json_t *question, const json_t *v);
} kinds[] = {
    { "single", fits_single },
    { "multiple", fits_multiple },
    { "rating", fits_rating },
    { "text", fits_text },
};

/* What a later server asks otherwise can only be left out. */
static bool fits(const json_t *question, const json_t *v)
{
    const char *kind = json_string_value(json_object_get(question, "kind"));

    if (json_is_null(v))
        return !json_is_true(json_object_get(question, "required"));
    for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, kind) == 0)
            return kinds[i].fits(question, v);
    return false;
}

static enum tjzw_code check_answers(const json_t *questions, const json_t *answers,
                                    struct tjzw_error *e)
{
    const json_t *question;
    bool any = false;
    size_t i;

    if (!json_is_array(answers) || json_array_size(answers) != json_array_size(questions))
        return fail_with(e, TJZW_USAGE, "an answer has a place for each of the %zu questions",
                         json_array_size(questions));
    json_array_foreach(questions, i, question)
    {
        if (!fits(question, json_array_get(answers, i)))
            return fail_with(e, TJZW_USAGE, "question %zu: no answer to it", i + 1);
        any |= !json_is_null(json_array_get(answers, i));
    }
    return any ? TJZW_OK : fail_with(e, TJZW_USAGE, "nothing was answered");
}

/* ---- what somebody has answered ---- */

struct given {
    char *answers; /* JSON, free it; NULL: not on this phone */
    bool answered, waits;
    char code[32], detail[256]; /* "": it was not refused */
};

static void take_given(sqlite3_stmt *q, struct given *out)
{
    json_t *value = json_loads((const char *)sqlite3_column_text(q, 0), 0, NULL);
    const char *code = (const char *)sqlite3_column_text(q, 1),
               *detail = (const char *)sqlite3_column_text(q, 2);

    out->answers = json_dumps(json_object_get(value, "answers"), JSON_COMPACT);
    out->answered = !code;
    out->waits = sqlite3_column_int(q, 3) == 1;
    snprintf(out->code, sizeof out->code, "%s", code ? code : "");
    snprintf(out->detail, sizeof out->detail, "%s", detail ? detail : "");
    json_decref(value);
}

static enum tjzw_code find_given(struct tjzw *t, const struct person *p, const char *survey,
                                 struct given *out, struct tjzw_error *e)
{
    struct shown_list entries = { 0 };
    char pattern[PATTERN_MAX];
    enum tjzw_code rc;
    sqlite3_stmt *q;
    bool any;

    *out = (struct given){ 0 };
    if (!p->no)
        return TJZW_OK;
    snprintf(pattern, sizeof pattern, "\"survey\":\"%s\"", survey);
    if (!(q = store_bound(t, e, STMT_SURVEY_ANSWER, "it", p->no, pattern)))
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any)
        take_given(q, out);
    store_reset(q);
    if (!rc && !out->answered &&
        !(rc = entries_list(t, p->no, "answered", survey, &entries, e)))
        out->answered = entries.n > 0;
    entries_free(&entries);
    return rc;
}

/* ---- a survey ---- */

static enum tjzw_survey_state state_of(int64_t opens, int64_t closes, int64_t now)
{
    if (closes && now >= closes)
        return TJZW_SURVEY_CLOSED;
    return now < opens ? TJZW_SURVEY_EARLY : TJZW_SURVEY_OPEN;
}

/* Whom it asks, as the level that the server wants of him. */
static uint32_t level_of(const json_t *record)
{
    static const char *const audiences[] = { "所有人", "登录用户", "实名用户" };
    const char *text = json_string_value(json_object_get(record, "audience"));

    for (uint32_t i = 0; text && i < sizeof audiences / sizeof *audiences; i++)
        if (strcmp(audiences[i], text) == 0)
            return i;
    return 0;
}

struct walk {
    struct tjzw *t;
    struct person p;
    tjzw_survey_fn *fn;
    void *ctx;
    size_t n;
    bool enough;
};

static enum tjzw_code tell(struct walk *w, const char *id, const char *title,
                           const json_t *record, struct tjzw_error *e)
{
    char *questions = json_dumps(json_object_get(record, "questions"), JSON_COMPACT);
    struct given given;
    enum tjzw_code rc = find_given(w->t, &w->p, id, &given, e);
    struct tjzw_survey s = {
        .id = id,
        .title = title,
        .questions = questions ? questions : "[]",
        .opens = time_of(record, "opens"),
        .closes = time_of(record, "closes"),
        .level = level_of(record),
        .answers = given.answers,
        .answered = given.answered,
        .waits = given.waits,
        .code = given.code[0] ? given.code : NULL,
        .detail = given.code[0] ? given.detail : NULL,
    };

    s.state = state_of(s.opens, s.closes, (int64_t)store_clock(w->t));
    if (!rc) {
        w->n++;
        w->enough = !w->fn(w->ctx, &s);
    }
    free(given.answers);
    free(questions);
    return rc;
}

/* What only mentions the words is none. */
static enum tjzw_code tell_row(struct walk *w, sqlite3_stmt *q, struct tjzw_error *e)
{
    json_t *record =
        json_loadb(sqlite3_column_blob(q, 6), (size_t)sqlite3_column_bytes(q, 6), 0, NULL);
    const char *kind = json_string_value(json_object_get(record, "kind"));
    enum tjzw_code rc = TJZW_OK;
    char id[37];

    store_print_id(sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), id);
    if (kind && strcmp(kind, "survey") == 0)
        rc = tell(w, id, (const char *)sqlite3_column_text(q, 5), record, e);
    json_decref(record);
    return rc;
}

enum tjzw_code tjzw_surveys(struct tjzw *t, const char *id, tjzw_survey_fn *fn, void *ctx,
                            struct tjzw_error *e)
{
    struct walk w = { .t = t, .fn = fn, .ctx = ctx };
    uint8_t raw[WIRE_ID];
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool any;

    if (id && !store_take_id(id, raw))
        return fail_with(e, TJZW_USAGE, "an id has 8-4-4-4-12 hex digits");
    if ((rc = person_here(t, &w.p, e)))
        return rc;
    if (!(q = store_bound(t, e, STMT_SURVEYS, "b", (const void *)(id ? raw : NULL),
                          id ? sizeof raw : (size_t)0)))
        return TJZW_STORE;
    while (!rc && !w.enough && !(rc = store_step(t, q, &any, e)) && any)
        rc = tell_row(&w, q, e);
    store_reset(q);
    return rc || !id || w.n ? rc : fail_with(e, TJZW_NOT_FOUND, "no such survey is held");
}

/* ---- answering ---- */

struct answering {
    json_t *questions;
    enum tjzw_survey_state state;
    bool answered;
    char id[37];
};

static bool look(void *ctx, const struct tjzw_survey *s)
{
    struct answering *a = ctx;

    a->questions = json_loads(s->questions, 0, NULL);
    a->state = s->state;
    a->answered = s->answered;
    snprintf(a->id, sizeof a->id, "%s", s->id);
    return false;
}

static enum tjzw_code write_answer(struct tjzw *t, const char *survey, const json_t *answers,
                                   struct tjzw_error *e)
{
    json_t *value = json_pack("{s:O,s:s}", "answers", answers, "survey", survey);
    char *text = json_dumps(value, JSON_COMPACT);
    enum tjzw_code rc;

    if (!text)
        abort();
    rc = tjzw_act(t, "survey.answer", text, NULL, e);
    json_decref(value);
    free(text);
    return rc;
}

enum tjzw_code tjzw_survey_answer(struct tjzw *t, const char *id, const char *answers,
                                  struct tjzw_error *e)
{
    json_t *given = answers ? json_loads(answers, JSON_REJECT_DUPLICATES, NULL) : NULL;
    struct answering a = { 0 };
    enum tjzw_code rc =
        id ? tjzw_surveys(t, id, look, &a, e) : fail_with(e, TJZW_USAGE, "which survey?");

    if (!rc && a.answered)
        rc = fail_with(e, TJZW_USAGE, "answered already");
    else if (!rc && a.state != TJZW_SURVEY_OPEN)
        rc = fail_with(e, TJZW_USAGE, "not open");
    if (!rc && !(rc = check_answers(a.questions, given, e)))
        rc = write_answer(t, a.id, given, e);
    json_decref(a.questions);
    json_decref(given);
    return rc;
}
