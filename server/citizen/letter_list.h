/*
 * letter_list.h - letters of a unit, or of all: by deadline for who works on them, by change for a system that keeps up with them.
 */
#ifndef CITIZEN_LETTER_LIST_H
#define CITIZEN_LETTER_LIST_H

#include "server/citizen/letter.h"

enum { LETTER_PAGE_MAX = 200, LETTER_CURSOR_TEXT = 48 };

struct letter_query {
    int64_t unit;                  /* 0: all, which wants the right everywhere */
    enum letter_category category; /* LETTER_NO_CATEGORY: any */
    const char *state;             /* a state's word; "": any */
    bool
        changed; /* in the order of changes, all letters; else those with a deadline, the most urgent first, then those whose clock stands */
    int64_t before;     /* only those due before this second; 0: all */
    const char *cursor; /* NULL: from the first */
    int most;
};

struct letter_page {
    struct letter *letters;
    int n;
    char next
        [LETTER_CURSOR_TEXT]; /* the cursor behind the last; of changes also where there are none yet */
    bool more;
};

/* In w->mem. RC_FORBIDDEN; RC_INVALID: cursor. Nothing of a writer who is hidden from the actor is taken out here: api/letters.c. */
enum rc letter_list(struct work *w, const struct letter_query *in, struct letter_page *out);

/* How many are overdue, and since when the oldest is; 0 and 0. */
enum rc letter_late(struct work *w, int64_t *n, int64_t *oldest);

#endif
