/*
 * refusal.h - who was refused, written down however often he comes.
 *
 * The first refusal of a kind has a row at once. What is refused alike after it is counted, and told in one row after a
 * minute; who goes on is told of after two more, four, and so on up to an hour. A kind is why (no credential,
 * no right), whom, and which route; so a flood of one kind hides none of another, and a day of it is a few
 * dozen rows. Beyond REFUSAL_KINDS at a time all others are counted together.
 */
#ifndef IDENTITY_REFUSAL_H
#define IDENTITY_REFUSAL_H

#include "server/base/work.h"

enum { REFUSAL_KINDS = 512 };

/* On any thread; waits for nothing. `method` and `path` are of the route and live for ever; `result`: RC_UNAUTHORIZED, RC_FORBIDDEN or RC_UNLISTED. */
void refusal_note(const char *method, const char *path, const struct actor *who,
                  const char *client, enum rc result);
/* Writes what is due, or all of it. Inside a writer job or tick's transaction; what is rolled back stays due. */
enum rc refusal_write(struct work *w, bool all);
bool refusal_is_due(bool all);

#endif
