/*
 * verify.h - proves that the log is what was written: nothing edited, removed or reordered.
 */
#ifndef LIBRARY_VERIFY_H
#define LIBRARY_VERIFY_H

#include "server/base/work.h"

struct verify_sum {
    int64_t changes, items, heads; /* that were looked at */
    int64_t purged; /* changes whose bytes a takedown removed: only their digest was seen */
    int64_t faults;
};

/*
 * Reads the whole stream from one snapshot and calls fault(arg, seq, sentence) for every fault;
 * seq is 0 where none can be named. RC_OK when there is none, RC_CORRUPT when there are, or the
 * store's error.
 */
enum rc verify_stream(struct work *w, int64_t stream,
                      void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                      struct verify_sum *sum);

#endif
