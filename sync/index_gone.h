/*
 * index_gone.h - which objects must not be served any more because of a purge. For index.c.
 */
#ifndef SYNC_INDEX_GONE_H
#define SYNC_INDEX_GONE_H

#include "server/base/buf.h"
#include "server/base/work.h"

struct purge {
    uint64_t born, seq; /* versions of the item before seq are withdrawn */
};

/* Appends the purges after `seq` to `out`, as struct purge. */
enum rc gone_since(struct work *w, int64_t stream, uint64_t seq, struct buf *out);
/*
 * Marks every object of any stored index that holds an earlier version of a purged item, and appends
 * its hash to `died`. Inside a transaction.
 */
enum rc gone_mark(struct work *w, int64_t stream, const struct purge *purge, size_t n,
                  struct buf *died);

#endif
