/*
 * letter_state.h - what kinds of letters there are, where one may stand, what may be done with it there, and how long it may take: four tables
 * (letter_category.def, letter_due.def, letter_verb.def) and no code.
 */
#ifndef CITIZEN_LETTER_STATE_H
#define CITIZEN_LETTER_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum letter_category {
    LETTER_NO_CATEGORY,
#define LETTER_CATEGORY(name, number, word, prefix, chinese, level, hide, complex) \
    LETTER_##name = (number),
#include "server/citizen/letter_category.def"
#undef LETTER_CATEGORY
};

struct letter_kind {
    enum letter_category category;
    const char *word, *prefix, *chinese;
    int level;    /* acr that its writer needs; 0: a guest may, too */
    bool hide;    /* the handling unit may be kept from knowing who wrote */
    bool complex; /* may be called complex, and take longer */
};

enum letter_state {
#define LETTER_STATE(name, word, chinese, runs) LETTER_##name,
#define LETTER_VERB(name, word, chinese, who, from, to, text, told)
#include "server/citizen/letter_verb.def"
#undef LETTER_STATE
#undef LETTER_VERB
    LETTER_STATES
};

enum letter_verb {
#define LETTER_STATE(name, word, chinese, runs)
#define LETTER_VERB(name, word, chinese, who, from, to, text, told) LETTER_DO_##name,
#include "server/citizen/letter_verb.def"
#undef LETTER_STATE
#undef LETTER_VERB
    LETTER_VERBS
};

enum letter_who { LETTER_BY_WRITER, LETTER_BY_STAFF, LETTER_BY_CLOCK };
enum letter_text_need { LETTER_TEXT_NO, LETTER_TEXT_MAY, LETTER_TEXT_MUST };
enum letter_tell { LETTER_TELL_NOT, LETTER_TELL_STEP, LETTER_TELL_WORDS };

struct letter_state_row {
    const char *word, *chinese;
    bool runs; /* somebody has to do something by a day */
};

struct letter_verb_row {
    const char *word, *chinese;
    enum letter_who who;
    unsigned from; /* 1 << enum letter_state */
    int to;        /* enum letter_state; -1: as it was */
    enum letter_text_need text;
    enum letter_tell told; /* to its writer */
};

/* Working days. */
struct letter_days {
    int answer, complex, extension;
    int ask;                /* the writer must be asked to complete it within; 0: no rule */
    int complete;           /* he is to do it within */
    enum letter_verb lapse; /* the clock's, if he does not */
    int third; /* third parties are to say what they think of it within; 0: no rule */
    const char *source;
};

extern const struct letter_state_row letter_states[LETTER_STATES];
extern const struct letter_verb_row letter_verbs[LETTER_VERBS];

const struct letter_kind *letter_kind(enum letter_category category); /* NULL: there is none */
const struct letter_kind *letter_kind_parse(const char *word);        /* NULL: there is none */
const struct letter_kind *letter_kinds(int *n);
int letter_state_parse(const char *word); /* -1: there is none */
int letter_verb_parse(const char *word);  /* -1: there is none */
/* Of a letter that was received at this second. */
struct letter_days letter_days(enum letter_category category, int64_t received);

#endif
