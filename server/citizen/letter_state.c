/*
 * letter_state.c - the tables as arrays, and how to find a row.
 */
#include "server/citizen/letter_state.h"

#include <string.h>

#include "server/base/clock.h"

static const struct letter_kind kinds[] = {
#define LETTER_CATEGORY(name, number, word, prefix, chinese, level, hide, complex) \
    { LETTER_##name, word, prefix, chinese, level, hide, complex },
#include "server/citizen/letter_category.def"
#undef LETTER_CATEGORY
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const struct letter_state_row letter_states[LETTER_STATES] = {
#define LETTER_STATE(name, word, chinese, runs) { word, chinese, runs },
#define LETTER_VERB(name, word, chinese, who, from, to, text, told)
#include "server/citizen/letter_verb.def"
#undef LETTER_STATE
#undef LETTER_VERB
};

#define IS(state) 1u << LETTER_##state
enum { LETTER_SAME = -1 };

const struct letter_verb_row letter_verbs[LETTER_VERBS] = {
#define LETTER_STATE(name, word, chinese, runs)
#define LETTER_VERB(name, word, chinese, who, from, to, text, told) \
    {                                                               \
        word,                                                       \
        chinese,                                                    \
        LETTER_BY_##who,                                            \
        from,                                                       \
        LETTER_##to,                                                \
        LETTER_TEXT_##text,                                         \
        LETTER_TELL_##told                                          \
    },
#include "server/citizen/letter_verb.def"
#undef LETTER_STATE
#undef LETTER_VERB
};

static const struct {
    enum letter_category category;
    const char *since;
    struct letter_days days;
} dues[] = {
#define LETTER_DUE(category, since, answer, complex, extension, ask, complete, lapse, third, \
                   source)                                                                   \
    { LETTER_##category,                                                                     \
      #since,                                                                                \
      { answer, complex, extension, ask, complete, LETTER_DO_##lapse, third, source } },
#include "server/citizen/letter_due.def"
#undef LETTER_DUE
};

const struct letter_kind *letter_kinds(int *n)
{
    *n = KINDS;
    return kinds;
}

const struct letter_kind *letter_kind(enum letter_category category)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].category == category)
            return &kinds[i];
    return NULL;
}

const struct letter_kind *letter_kind_parse(const char *word)
{
    for (int i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].word, word))
            return &kinds[i];
    return NULL;
}

int letter_state_parse(const char *word)
{
    for (int i = 0; i < LETTER_STATES; i++)
        if (!strcmp(letter_states[i].word, word))
            return i;
    return -1;
}

int letter_verb_parse(const char *word)
{
    for (int i = 0; i < LETTER_VERBS; i++)
        if (!strcmp(letter_verbs[i].word, word))
            return i;
    return -1;
}

/* "20190515" against "2019-05-15". */
static bool is_since(const char *since, const char *day)
{
    const char digits[] = {
        day[0], day[1], day[2], day[3], day[5], day[6], day[8], day[9], '\0'
    };

    return strcmp(since, digits) <= 0;
}

struct letter_days letter_days(enum letter_category category, int64_t received)
{
    struct letter_days found = { 0 };
    char day[CLOCK_TEXT];
    bool any = false;

    clock_day(received, day);
    for (size_t i = 0; i < sizeof dues / sizeof *dues; i++)
        if (dues[i].category == category && (!any || is_since(dues[i].since, day))) {
            found = dues[i].days; /* what is older than the first rule goes by that */
            any = true;
        }
    return found;
}
