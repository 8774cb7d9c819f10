/*
 * index.h - makes the objects that hold the whole state, and the index that lists them
 * (docs/protocol/sync.md section 7).
 */
#ifndef SYNC_INDEX_H
#define SYNC_INDEX_H

#include "server/base/id.h"
#include "sync/live.h"
#include "sync/wire.h"

struct index;
struct db;

/* For live.c. What a purge waits for is built by `urgent`, all else by `leisure`; both may be NULL: then only
 * index_build() builds. */
struct index *index_new(struct live *l, struct pool *leisure, struct pool *urgent,
                        int64_t every);
void index_stop(struct index *x); /* begins nothing more */
void index_free(struct index *x); /* after both pools ended; accepts NULL */

/* On the writer thread: starts a build in the background if the log, now at `seq`, is far
 * enough ahead of the newest index. */
void index_kick(struct index *x, uint64_t seq);
/*
 * On the writer thread, after COMMIT: the versions of an item before `seq` were purged.
 * index_retire() then makes every object that holds one of them 410, durably, and has it made again
 * at once; outside a transaction, after all that one COMMIT held was told. `db` is the writer's.
 * What it cannot write it tries again when called again.
 */
void index_purge(struct index *x, uint64_t born, uint64_t seq);
void index_retire(struct index *x, struct db *db);
/* Any thread: an index that reaches `seq` is needed now, however few changes that is. */
void index_want(struct index *x, uint64_t seq);
/* At start, inside a transaction: the stored index stands for `seq`; it may have been made in a
 * hurry, files may be missing, and a purge may not have been told. */
enum rc index_resume(struct index *x, struct work *w, uint64_t seq);
/* Whether no build is due or under way; without `tidy`, one that only joins objects does not count. */
bool index_settled(struct index *x, uint64_t seq, bool tidy);
/* Whether one is under way, or will be: then a head may wait for it. */
bool index_will_come(const struct index *x);

/* object_read() for whoever serves: what is missing (RC_BUSY) is made again. */
enum rc index_read(struct work *w, struct live *l, const uint8_t hash[HASH_BYTES],
                   enum wire_encoding encoding, const char **p, size_t *n);

/*
 * Brings the index up to the present and waits for it: for commands (the end of an import) and
 * tests. `db` is a read connection of the calling thread. Not while workers build.
 */
enum rc index_build(struct live *l, struct err *e, struct db *db);

#endif
