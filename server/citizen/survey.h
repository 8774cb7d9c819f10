/*
 * survey.h - surveys and 意见征集: an item of kind `survey` asks, and each account or browser answers once.
 *
 * What is asked is public content like all other: written, reviewed, published and withdrawn by the library, carried by delta-sync, read offline. Here is only what comes back: who may answer now, one answer
 * each, and the counts. docs/surveys.md.
 */
#ifndef CITIZEN_SURVEY_H
#define CITIZEN_SURVEY_H

#include "server/citizen/action.h"
#include "server/library/item.h"
#include "server/library/question.h"

enum survey_audience { SURVEY_ANYONE, SURVEY_SIGNED_IN, SURVEY_REAL_NAME };
enum survey_state { SURVEY_EARLY, SURVEY_OPEN, SURVEY_CLOSED };

enum {
    SURVEY_BROWSER = 32,                   /* bytes of what stands for a browser */
    SURVEY_ANSWERS_KEPT = 3 * 366 * 86400, /* the counts stay */
    SURVEY_PAGE_MAX = 1000,
    SURVEY_LIST_MAX = 100
};

struct survey {
    struct item item;
    const char *title, *summary, *body; /* the latter two NULL: none */
    const json_t *list;                 /* the questions as they stand in the record */
    struct question *questions;
    int n;
    int64_t opens, closes; /* seconds; 0: from the beginning, without an end */
    enum survey_audience audience;
    bool ours; /* published here: answers to another server's are given there */
};

/* What is published now. RC_NOT_FOUND: that is no survey; RC_GONE: it was withdrawn. */
enum rc survey_find(struct work *w, const struct id *id, struct survey *out);
/* Those that are published, the newest first; at most SURVEY_LIST_MAX. */
enum rc survey_list(struct work *w, struct survey **out, int *n);
enum survey_state survey_state(const struct survey *s, int64_t now);
const char *survey_audience_chinese(enum survey_audience a);

struct survey_sender {
    int64_t account;                 /* 0: nobody has signed in, and a browser answers */
    int level;                       /* acr */
    uint8_t browser[SURVEY_BROWSER]; /* counts if account is 0 */
    uint64_t client; /* likewise: an address, as a number that says nothing by itself */
    struct id id;    /* of the answer, drawn by who sends it: the same again is no second one */
};
/* How many answers of browsers one client may give in an hour; 0: no limit. Before the threads start. */
void survey_open(int64_t browsers_per_hour);
/* On the writer. REFUSED_NOT in *why: it is taken, now or before. Answers were read by answers_read(). */
enum rc survey_take(struct work *w, const struct survey *s, const struct answer *a,
                    const struct survey_sender *from, enum refused *why);
/* Whether this sender has answered. */
enum rc survey_has(struct work *w, const struct survey *s, const struct survey_sender *from,
                   bool *has);
/* The action survey.answer. */
enum rc survey_answer(struct work *w, const struct mutation *m, struct result *r);
/* Why it was refused, for the person. */
const char *survey_refusal(const struct survey *s, enum refused why);
/* On the writer: whether an answer of this UUID came before, from whomever. A guest's is this account's from then on: his phone had to begin again. */
enum rc survey_find_sent(struct work *w, const struct survey *s,
                         const struct survey_sender *from, bool *found);
/* What a guest answered becomes the account's; where both did, the guest's goes, and out of the counts. On the writer. */
enum rc survey_adopt(struct work *w, int64_t guest, int64_t account);

#endif
