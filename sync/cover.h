/*
 * cover.h - the covers of a stream's newest heads, in memory (docs/protocol/sync.md section 7).
 *
 * The writer thread keeps one before it shows the head; any thread reads.
 */
#ifndef SYNC_COVER_H
#define SYNC_COVER_H

#include "sync/tree.h"

struct covers;

struct covers *covers_new(void);
void covers_free(struct covers *c); /* accepts NULL */

/* Copies what tree_cover() gave for the state epoch.seq. One that is there already counts as
 * new. */
void cover_keep(struct covers *c, uint64_t epoch, uint64_t seq, const char *p, size_t n);
/* Both in one, for a tree that stands at epoch.seq. */
void cover_take(struct covers *c, struct tree *t, uint64_t epoch, uint64_t seq);
/* A copy in `mem`. RC_NOT_FOUND if the state is none of the newest heads'. */
enum rc cover_read(struct covers *c, struct err *e, struct arena *mem, uint64_t epoch,
                   uint64_t seq, const char **p, size_t *n);

#endif
