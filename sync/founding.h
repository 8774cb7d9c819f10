/*
 * founding.h - a stream's epoch: given when its log is founded, and anew whenever the log went
 * back in time.
 */
#ifndef SYNC_FOUNDING_H
#define SYNC_FOUNDING_H

#include <stdint.h>

#include "server/base/work.h"

/*
 * Sees that the stream has a row and an epoch that no other history of it ever had; *no is its
 * number. For the writer's connection, inside a transaction, before the first change of a run.
 * `data` is the data directory. RC_CORRUPT if DATA/epoch cannot be read as what it is.
 */
enum rc sync_founding(struct work *w, const char *data, const char *name, int64_t *no);
/*
 * Writes down outside the database, durably, that the stream has come to epoch.seq. Called
 * before a head of that state is signed, so that a database that is older than a signed head is
 * known for what it is.
 */
enum rc founding_mark(struct err *e, struct arena *mem, const char *data, const char *name,
                      uint64_t epoch, uint64_t seq);

/* RC_INVALID if the clock cannot have been set: neither an epoch nor a key line gets its time. */
enum rc founding_clock(struct err *e);

#endif
