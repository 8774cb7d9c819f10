/*
 * letter_entry.h - a letter as its writer's devices see it: the entry `letter` of his state (docs/letters.md section 3), and a message for what he should hear of.
 */
#ifndef CITIZEN_LETTER_ENTRY_H
#define CITIZEN_LETTER_ENTRY_H

#include "server/citizen/letter.h"

/* After every change of a letter, in its transaction. *seq (may be NULL): where the entry stands; a letter of nobody has none. */
enum rc letter_tell(struct work *w, const struct letter *l, int64_t *seq);
/* Where the entry stands already; likewise, if there is none yet. */
enum rc letter_told(struct work *w, const struct letter *l, int64_t *seq);

/* Once it was received: the entry `words`, the receipt and the canonical JSON that it is for, so that all of the writer's devices can show and prove it. */
enum rc letter_keep_words(struct work *w, const struct letter *l, const char *sent,
                          const char *receipt);

#endif
