/*
 * letter_message.h - the progress of a letter as messages to its writer (inbox.h), one a step that he should hear of.
 */
#ifndef CITIZEN_LETTER_MESSAGE_H
#define CITIZEN_LETTER_MESSAGE_H

#include "server/citizen/letter.h"

/*
 * On the writer, in the transaction of the step `s`, which led to where `l` is now; `unit` is the name of who has it. Of one step there is one message, however often
 * this is called. Steps that nobody needs to hear of, and letters of nobody: nothing.
 */
enum rc letter_message(struct work *w, const struct letter *l, const struct letter_step *s,
                       const char *unit);

#endif
