/*
 * index.h - makes the objects that hold the whole state, and the index that lists them
 * (docs/protocol/sync.md section 7).
 */
#ifndef SYNC_INDEX_H
#define SYNC_INDEX_H

#include "sync/live.h"

struct index;

/* For live.c. `workers` may be NULL: then only index_build() builds. */
struct index *index_new(struct live *l, struct pool *workers, int64_t every);
void index_stop(struct index *x); /* begins nothing more */
void index_free(struct index *x); /* after the workers ended; accepts NULL */

/* On the writer thread: starts a build in the background if the log, now at `seq`, is far
 * enough ahead of the newest index. */
void index_kick(struct index *x, uint64_t seq);
/* On the writer thread, after COMMIT: the newest index stands for `seq`. */
void index_reached(struct index *x, uint64_t seq);
/* On the writer thread: something was taken down at or before `seq`. Objects are made again at
 * once, and those before do not stay for a week. */
void index_cut(struct index *x, uint64_t seq);
/* Any thread: an index that reaches `seq` is needed now, however few changes that is. */
void index_want(struct index *x, uint64_t seq);
/* At start: so does the stored one, which may have been made in a hurry. */
void index_resume(struct index *x, uint64_t seq);
/* Whether no build is due or under way; without `tidy`, one that only joins objects does not count. */
bool index_settled(struct index *x, uint64_t seq, bool tidy);
/* Whether one is under way, or will be: then a head may wait for it. */
bool index_will_come(const struct index *x);

/*
 * Brings the index up to the present and waits for it: for commands (the end of an import) and
 * tests. `db` is a read connection of the calling thread. Not while workers build.
 */
enum rc index_build(struct live *l, struct err *e, struct db *db);

#endif
