/*
 * question_fuzz.c - any bytes as a survey and an answer to it, {"answers":…,"questions":…}: refused with a sentence, or within all limits.
 */
#include <stdlib.h>
#include <string.h>

#include "server/base/jx.h"
#include "server/library/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_question(const struct question *q)
{
    bool chooses = q->kind == QUESTION_SINGLE || q->kind == QUESTION_MULTIPLE;

    if (!q->title || !*q->title || !question_kind_name(q->kind))
        abort();
    if (chooses && (q->n < 2 || q->n > QUESTION_CHOICES_MAX || q->most < 1 || q->most > q->n))
        abort();
    if (q->kind == QUESTION_RATING && (q->n < 2 || q->n > QUESTION_RATING_MAX))
        abort();
    if (q->kind == QUESTION_TEXT && (q->most < 1 || q->most > QUESTION_TEXT_MAX))
        abort();
}

static void check_answer(const struct question *q, const struct answer *a)
{
    if (!a->given) {
        if (q->required)
            abort();
        return;
    }
    if (q->kind == QUESTION_SINGLE && (a->number < 0 || a->number >= q->n))
        abort();
    if (q->kind == QUESTION_RATING && (a->number < 1 || a->number > q->n))
        abort();
    if (q->kind == QUESTION_MULTIPLE &&
        (!a->chosen || a->chosen >> q->n || __builtin_popcount(a->chosen) > q->most))
        abort();
    if (q->kind == QUESTION_TEXT && (!a->text || !*a->text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct err e = { 0 };
    struct question *q;
    struct answer *a;
    json_t *o;
    int count;

    if (!jx_object(&e, mem, (const char *)data, n, &o) &&
        !questions_read(&e, mem, json_object_get(o, "questions"), "questions", &q, &count)) {
        for (int i = 0; i < count; i++)
            check_question(&q[i]);
        if (!answers_read(&e, mem, q, count, json_object_get(o, "answers"), "answers", &a))
            for (int i = 0; i < count; i++)
                check_answer(&q[i], &a[i]);
    }
    arena_free(mem);
    return 0;
}
