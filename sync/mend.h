/*
 * mend.h - makes a file that somebody asked for, and that is not there, again.
 */
#ifndef SYNC_MEND_H
#define SYNC_MEND_H

#include "server/base/id.h"
#include "server/base/pool.h"
#include "sync/live.h"
#include "sync/wire.h"

struct mend;

/* `pool` works; NULL: nobody does. `cannot` is told, on a worker, that a file cannot be made as it was. */
struct mend *mend_new(struct live *l, struct pool *pool, void (*cannot)(struct live *l));
/* Any thread: this file is wanted. More than a few dozen are forgotten, and made when asked for again. */
void mend_ask(struct mend *m, const uint8_t hash[HASH_BYTES], enum wire_encoding encoding);
void mend_stop(struct mend *m); /* begins nothing more */
void mend_free(struct mend *m); /* after its pool ended; accepts NULL */

#endif
