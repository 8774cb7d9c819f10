/*
 * rebuild.h - proves that the files of a stream's objects, those of the newest index and the superseded ones that
 * are still served, are what the log gives, or makes them so.
 */
#ifndef SYNC_REBUILD_H
#define SYNC_REBUILD_H

#include <stdatomic.h>

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/wire.h"

struct rebuilt {
    int64_t objects;
    int64_t right, missing, damaged; /* files, as they were found: three an object */
    int64_t mended;                  /* files */
    int64_t
        wrong;    /* objects of which the log gives other bytes, or another length compressed */
    int64_t gone; /* objects that wait to be made without what was purged */
};

/* For `tjzw rebuild`, while no server runs. Adds to `out`, and says of each object that is not right what is wrong. `w` reads. */
enum rc rebuild_stream(struct work *w, const char *data, int64_t stream, bool mend,
                       void (*say)(void *arg, const char *text), void *arg,
                       struct rebuilt *out);
/*
 * Under a running server: makes this file again, as it was. RC_NOT_FOUND if nobody may have it any more; RC_CORRUPT if
 * the log, or this program's compressor, gives other bytes; RC_BUSY soon after *stop was set. `w` reads, and is in no
 * transaction.
 */
enum rc rebuild_file(struct work *w, const char *data, int64_t stream,
                     const uint8_t hash[HASH_BYTES], enum wire_encoding encoding,
                     const atomic_bool *stop);

#endif
