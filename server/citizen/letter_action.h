/*
 * letter_action.h - the rows of action.c that are about letters: letter_send.h, as a phone asks for it. The key of a mutation is the UUID of what it does.
 *
 * Who may what is the category's to say, so the table lets guests in.
 */
#ifndef CITIZEN_LETTER_ACTION_H
#define CITIZEN_LETTER_ACTION_H

#include "server/citizen/action.h"

enum rc letter_action_send(struct work *w, const struct mutation *m, struct result *r);
enum rc letter_action_add(struct work *w, const struct mutation *m, struct result *r);
enum rc letter_action_withdraw(struct work *w, const struct mutation *m, struct result *r);
enum rc letter_action_rate(struct work *w, const struct mutation *m, struct result *r);

enum rc letter_action_private(struct work *w, const struct mutation *m, struct result *r);

#endif
