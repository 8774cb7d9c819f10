/*
 * reading.h - lists that staff look at over and over, in the audit log: told at once, and then counted.
 *
 * A list has its row the first time, before the answer leaves. Read again by the same hand in the same session it is counted, and told in one
 * row an hour later, and so on until an hour passes without. So a queue that a clerk's screen asks for every half minute is two rows an
 * hour at most, and who leafed through all of it is seen by the count. Beyond READING_KINDS at a time each has a row of its own.
 */
#ifndef IDENTITY_READING_H
#define IDENTITY_READING_H

#include "server/identity/audit.h"

enum { READING_KINDS = 512 };

/* All of it on the writer's thread. Writes the row, or counts. */
enum rc reading_tell(struct work *w, enum audit_action act);
/* Writes the counts that are due, or all; what is rolled back stays due. */
enum rc reading_write(struct work *w, bool all);
bool reading_is_due(void);
void reading_forget(void);

#endif
