/*
 * letter_view.h - how a letter looks to staff, in JSON.
 */
#ifndef API_LETTER_VIEW_H
#define API_LETTER_VIEW_H

#include "server/citizen/letter.h"

/* Appends an object, with the comma that an array wants before it. `whole`: with text, contact and steps; of a writer who is hidden from the actor,
 * without what says who he is. */
enum rc letter_view(struct work *w, struct buf *out, const struct letter *l, bool whole);

#endif
