/*
 * rebuild.h - proves that the files of a stream's newest index are what the log gives, or makes
 * them so. For `tjzw rebuild`, while no server runs.
 */
#ifndef SYNC_REBUILD_H
#define SYNC_REBUILD_H

#include "server/base/work.h"

struct rebuilt {
    int64_t objects;                 /* of the index */
    int64_t right, missing, damaged; /* files, as they were found: three an object */
    int64_t mended;                  /* files */
    int64_t
        wrong;    /* objects of which the log gives other bytes, or another length compressed */
    int64_t gone; /* objects that wait to be made without what was purged */
};

/* Adds to `out`, and says of each object that is not right what is wrong. `w` reads. */
enum rc rebuild_stream(struct work *w, const char *data, int64_t stream, bool mend,
                       void (*say)(void *arg, const char *text), void *arg,
                       struct rebuilt *out);

#endif
