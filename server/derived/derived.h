/*
 * derived.h - DATA/derived.db: what is made of the change log for search and for feeds. Deleted, it is made anew.
 *
 *     COMMIT --> generation --> the thread: changes behind the place --> projections --> COMMIT with the new place --> generation
 *
 * The thread steps back for everybody and nobody waits for it; what it made may be some moments behind, so whoever answers from it asks the
 * library about each item that he shows.
 */
#ifndef DERIVED_DERIVED_H
#define DERIVED_DERIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "server/derived/projection.h"

/*
 * Opens DATA/derived.db for writing, or makes it anew if it is missing, damaged or of other projections. `all` ends with NULL. What the disk
 * refuses is logged, and no error: the thread tries again, and until then derived_read() says RC_BUSY.
 */
enum rc derived_open(struct err *e, const char *data, const struct projection *const *all);
/* After it: the thread, with a connection of its own to the library. */
enum rc derived_start(struct err *e, const char *db_path);
void derived_stop(void);  /* within a second; without a thread it does nothing */
void derived_close(void); /* after it */

/*
 * What the thread does, for tests and commands that have none: takes one batch of each stream. `w` reads the library. *more: there are others, and if it fails,
 * of the streams that do not.
 */
enum rc derived_turn(struct work *w, bool *more);
/* Turns until everything is taken, and wiped. */
enum rc derived_catch_up(struct work *w);

/*
 * Lends `w` this thread's reading connection to derived.db, as w->derived. RC_BUSY: nothing is derived here, or not yet. Not for loop threads. What
 * was asked through it must be at an end (rows_done()) before the next call of this thread.
 */
enum rc derived_read(struct work *w);

/* How far a stream is taken; 0: not at all. Through w->derived, after derived_read(). */
enum rc derived_taken(struct work *w, int64_t stream, int64_t *seq);

/* Seconds that the oldest change that was not taken waits; 0: all are, or the thread has only begun. Any thread. */
int64_t derived_age(void);

/* For a command beside the server: changes that are not taken, and when the oldest was made (0: none). RC_NOT_FOUND: there is no file. */
struct derived_lag {
    int64_t changes, oldest;
};
enum rc derived_lag(struct work *w, const char *data, struct derived_lag *out);

#endif
