/*
 * survey_result.h - what came back, for members of staff: counts, single answers without who gave them, and a draft that tells the public.
 */
#ifndef CITIZEN_SURVEY_RESULT_H
#define CITIZEN_SURVEY_RESULT_H

#include "server/citizen/survey.h"

struct survey_tally {
    int64_t n[QUESTION_CHOICES_MAX +
              1]; /* by choice or rating; TEXT: [0], how many wrote something */
};
struct survey_result {
    int64_t answers;
    struct survey_tally *tallies; /* one a question */
};
/* RC_FORBIDDEN unless the actor may see drafts at the survey's site. */
enum rc survey_result(struct work *w, const struct survey *s, struct survey_result *out);

struct survey_row {
    int64_t no, at;
    const char *chosen; /* JSON: an array as long as the questions; null for a text */
    const char *texts;  /* JSON: likewise, null for what is no text; NULL: there is none */
};
/* Behind `after`, in the order they came; at most `most`. Rights as above. */
enum rc survey_rows(struct work *w, const struct survey *s, int64_t after, int most,
                    struct survey_row **out, int *n);
/* The answer to question i of such a row, as people read it: "公交、开车"; "" if it was not given. */
const char *survey_words(struct work *w, const struct survey *s, const struct survey_row *r,
                         int i);

/* A draft of an article with the counts, in the survey's column, that points at the survey. It goes through review like all others. */
enum rc survey_draft(struct work *w, const struct survey *s, struct item *out);
/* Ends it now: a new revision whose only change is `closes`. Needs RIGHT_PUBLISH at its site. RC_CONFLICT: it is over. */
enum rc survey_close(struct work *w, const struct survey *s, struct item *out);

#endif
