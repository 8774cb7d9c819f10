/*
 * question.h - the questions of a survey, as they stand in an item of kind `survey`, and what is an answer to them. Pure: JSON in, a struct out.
 *
 *     {"kind":"single","title":"您怎样来办事？","choices":["步行","公交","开车"],"required":true}
 *     {"kind":"multiple","title":"…","choices":["…","…"],"most":2}        most: of them at most so many; absent: all
 *     {"kind":"rating","title":"…","of":5}                               1 to `of`; absent: 5
 *     {"kind":"text","title":"…","max":300}                              characters; absent: 300
 *
 * An answer is an array as long as that of the questions: the number of a choice (from 0), an array of such numbers, a rating, a text; null where nothing was said.
 */
#ifndef LIBRARY_QUESTION_H
#define LIBRARY_QUESTION_H

#include <jansson.h>

#include "server/base/arena.h"

enum question_kind { QUESTION_SINGLE, QUESTION_MULTIPLE, QUESTION_RATING, QUESTION_TEXT };

enum {
    QUESTIONS_MAX = 30,
    QUESTION_CHOICES_MAX = 30,
    QUESTION_RATING_MAX = 10,
    QUESTION_TEXT_MAX = 500, /* characters of one answer … */
    QUESTION_ALL_TEXT =
        1500,            /* … and of all together: what a form of a browser holds (form.h) */
    QUESTION_BOXES = 100 /* what such a form has to be ticked and filled in, in all */
};

struct question {
    enum question_kind kind;
    const char *title;
    const char **choices; /* NULL unless there are some to choose from */
    int n;                /* choices; rating: the highest */
    int most;             /* MULTIPLE: choices at most; TEXT: characters */
    bool required;
};

const char *question_kind_name(enum question_kind kind); /* "single" */

/* Texts live as long as `list`. RC_INVALID, with the place from `at` on. */
enum rc questions_read(struct err *e, struct arena *mem, const json_t *list, const char *at,
                       struct question **out, int *n);

/* What was answered to one question. */
struct answer {
    bool given;
    int64_t number;   /* SINGLE, RATING */
    uint32_t chosen;  /* MULTIPLE: bits */
    const char *text; /* TEXT; lives as long as the JSON */
};
/* RC_INVALID: that is no answer to these questions, or one that is required is missing; `at` as above. */
enum rc answers_read(struct err *e, struct arena *mem, const struct question *q, int n,
                     const json_t *list, const char *at, struct answer **out);

#endif
