/*
 * question.c - four kinds of questions: a row each says which members it may have and how an answer is read.
 */
#include "server/library/question.h"

#include <string.h>

#include "server/base/jx.h"
#include "server/library/field.h"

enum { TITLE_MAX = 200, CHOICE_MAX = 100, RATING_USUAL = 5, TEXT_USUAL = 300 };

static const char *const kinds[] = {
    [QUESTION_SINGLE] = "single",
    [QUESTION_MULTIPLE] = "multiple",
    [QUESTION_RATING] = "rating",
    [QUESTION_TEXT] = "text",
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *question_kind_name(enum question_kind kind)
{
    return kinds[kind];
}

/* ---- questions ---- */

#define COMMON                                                                  \
    { "kind", JX_TEXT, true, 1, 10 }, { "title", JX_TEXT, true, 1, TITLE_MAX }, \
    {                                                                           \
        "required", JX_BOOL, false, 0, 0                                        \
    }
#define CHOICES                                            \
    {                                                      \
        "choices", JX_TEXTS, true, 2, QUESTION_CHOICES_MAX \
    }

static const struct jx_field members[KINDS][6] = {
    [QUESTION_SINGLE] = { COMMON, CHOICES, { 0 } },
    [QUESTION_MULTIPLE] = { COMMON,
                            CHOICES,
                            { "most", JX_INT, false, 1, QUESTION_CHOICES_MAX },
                            { 0 } },
    [QUESTION_RATING] = { COMMON, { "of", JX_INT, false, 2, QUESTION_RATING_MAX }, { 0 } },
    [QUESTION_TEXT] = { COMMON, { "max", JX_INT, false, 1, QUESTION_TEXT_MAX }, { 0 } },
};

static enum rc read_kind(struct err *e, const json_t *o, const char *at,
                         enum question_kind *out)
{
    const char *name = json_is_object(o) ? jx_text(o, "kind") : NULL;

    for (int i = 0; i < KINDS && name; i++)
        if (!strcmp(kinds[i], name)) {
            *out = (enum question_kind)i;
            return RC_OK;
        }
    return err_field(e, at, "a question is single, multiple, rating or text");
}

static enum rc read_choices(struct err *e, struct arena *mem, const json_t *o, const char *at,
                            struct question *q)
{
    const json_t *list = json_object_get(o, "choices");
    enum rc rc;

    q->n = (int)json_array_size(list);
    q->choices = arena_zalloc(mem, (size_t)q->n * sizeof *q->choices);
    for (int i = 0; i < q->n; i++) {
        q->choices[i] = json_string_value(json_array_get(list, (size_t)i));
        if ((rc = field_check_line(e, at, q->choices[i], strlen(q->choices[i]), 1, CHOICE_MAX)))
            return rc;
        for (int other = 0; other < i; other++)
            if (!strcmp(q->choices[i], q->choices[other]))
                return err_field(e, at, "a choice stands there twice");
    }
    q->most = (int)jx_int(o, "most", q->n);
    return q->most <= q->n ? RC_OK : err_field(e, at, "most is more than there are choices");
}

static enum rc read_question(struct err *e, struct arena *mem, const json_t *o, const char *at,
                             struct question *q)
{
    enum rc rc;

    if ((rc = read_kind(e, o, at, &q->kind)) || (rc = jx_check(e, o, members[q->kind], at)))
        return rc;
    q->title = jx_text(o, "title");
    q->required = jx_bool(o, "required", false);
    if ((rc = field_check_line(e, at, q->title, strlen(q->title), 1, TITLE_MAX)))
        return rc;
    switch (q->kind) {
    case QUESTION_SINGLE:
    case QUESTION_MULTIPLE: return read_choices(e, mem, o, at, q);
    case QUESTION_RATING: q->n = (int)jx_int(o, "of", RATING_USUAL); break;
    case QUESTION_TEXT: q->most = (int)jx_int(o, "max", TEXT_USUAL); break;
    }
    return RC_OK;
}

/* A browser's form must hold it. */
static enum rc check_room(struct err *e, const char *at, const struct question *q, int n)
{
    int boxes = 0, text = 0;

    for (int i = 0; i < n; i++) {
        boxes += q[i].kind == QUESTION_MULTIPLE ? q[i].n : 1;
        text += q[i].kind == QUESTION_TEXT ? q[i].most : 0;
    }
    if (boxes > QUESTION_BOXES)
        return err_field(e, at, "there are more than %d boxes to tick or fill in",
                         QUESTION_BOXES);
    if (text > QUESTION_ALL_TEXT)
        return err_field(e, at, "the texts together may have at most %d characters",
                         QUESTION_ALL_TEXT);
    return RC_OK;
}

enum rc questions_read(struct err *e, struct arena *mem, const json_t *list, const char *at,
                       struct question **out, int *n)
{
    size_t count = json_array_size(list);
    struct question *q;
    enum rc rc;

    if (!json_is_array(list) || count < 1 || count > QUESTIONS_MAX)
        return err_field(e, at, "a survey has 1 to %d questions", QUESTIONS_MAX);
    q = arena_zalloc(mem, count * sizeof *q);
    for (size_t i = 0; i < count; i++)
        if ((rc = read_question(e, mem, json_array_get(list, i),
                                arena_printf(mem, "%s/%zu", at, i), &q[i])))
            return rc;
    if ((rc = check_room(e, at, q, (int)count)))
        return rc;
    *out = q;
    *n = (int)count;
    return RC_OK;
}

/* ---- answers ---- */

static bool read_number(const json_t *v, int64_t min, int64_t max, int64_t *out)
{
    *out = json_integer_value(v);
    return json_is_integer(v) && *out >= min && *out <= max;
}

static bool read_chosen(const json_t *v, const struct question *q, uint32_t *out)
{
    size_t n = json_array_size(v);
    int64_t one;

    *out = 0;
    if (!json_is_array(v) || n < 1 || n > (size_t)q->most)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!read_number(json_array_get(v, i), 0, q->n - 1, &one) || *out & UINT32_C(1) << one)
            return false;
        *out |= UINT32_C(1) << one;
    }
    return true;
}

static enum rc read_answer(struct err *e, const struct question *q, const json_t *v,
                           const char *at, struct answer *a)
{
    bool good = false;

    if (!v || json_is_null(v))
        return q->required ? err_field(e, at, "this question must be answered") : RC_OK;
    a->given = true;
    switch (q->kind) {
    case QUESTION_SINGLE: good = read_number(v, 0, q->n - 1, &a->number); break;
    case QUESTION_MULTIPLE: good = read_chosen(v, q, &a->chosen); break;
    case QUESTION_RATING: good = read_number(v, 1, q->n, &a->number); break;
    case QUESTION_TEXT:
        a->text = json_string_value(v);
        if (a->text)
            return field_check_text(e, at, a->text, json_string_length(v), 1, q->most);
        break;
    }
    return good ? RC_OK : err_field(e, at, "that is no answer to this question");
}

enum rc answers_read(struct err *e, struct arena *mem, const struct question *q, int n,
                     const json_t *list, const char *at, struct answer **out)
{
    struct answer *a = arena_zalloc(mem, (size_t)n * sizeof *a);
    bool any = false;
    enum rc rc;

    if (!json_is_array(list) || json_array_size(list) != (size_t)n)
        return err_field(e, at, "an answer has a place for each of the %d questions", n);
    for (int i = 0; i < n; i++) {
        if ((rc = read_answer(e, &q[i], json_array_get(list, (size_t)i),
                              arena_printf(mem, "%s/%d", at, i), &a[i])))
            return rc;
        any = any || a[i].given;
    }
    if (!any)
        return err_field(e, at, "nothing was answered");
    *out = a;
    return RC_OK;
}
