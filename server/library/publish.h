/*
 * publish.h - what the public sees changes only here. Every function writes exactly one change,
 * in the caller's transaction, or none when it fails.
 */
#ifndef LIBRARY_PUBLISH_H
#define LIBRARY_PUBLISH_H

#include "server/library/item.h"

/* Publishes the newest revision, which must be `rev` and approved. RC_CONFLICT, RC_FORBIDDEN,
 * RC_NOT_FOUND. */
enum rc publish_item(struct work *w, const struct id *id, int64_t rev, struct item *out);
/* The same for one who holds every right on the way: submits and approves first where that is
 * still to be done. */
enum rc publish_through(struct work *w, const struct id *id, int64_t rev, struct item *out);
/* To another column, perhaps of another site of the same stream. An item that is not published
 * moves without a change. */
enum rc publish_move(struct work *w, const struct id *id, int64_t col, struct item *out);
/*
 * VERB_WITHDRAW, VERB_EXPIRE or VERB_GONE: a tombstone takes the item's place. The reason is
 * part of it, and so is public. VERB_WITHDRAW and VERB_GONE take the text from every answer;
 * after a withdrawal the revisions still have it, for those who edit, and VERB_GONE removes it
 * there too.
 */
enum rc publish_end(struct work *w, const struct id *id, enum verb verb, const char *reason,
                    struct item *out);

/* Expires at most `limit` items that are due; *done says how many. For a writer_tick, in a
 * transaction of its own. */
enum rc publish_expire_due(struct work *w, int limit, int *done);
/* The tick itself: opens the transaction, expires what is due, commits. */
void publish_tick(struct db *db, void *arg);

#endif
