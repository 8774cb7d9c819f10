/*
 * verify.h - proves that the log is what was written: nothing edited, removed or reordered.
 */
#ifndef LIBRARY_VERIFY_H
#define LIBRARY_VERIFY_H

#include <stdbool.h>

#include "server/base/id.h"
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

/* How far a verification in steps has come; all 0 at its beginning. */
struct verify_place {
    bool done;
    int stage;  /* what is looked at: changes, leaves, items, heads */
    bool begun; /* the next step goes on in it, after the seq or born `after` */
    int64_t after;
    uint8_t chain[HASH_BYTES]; /* at the change last looked at */
    int64_t seq;               /* of that change */
    int64_t purges;            /* seen so far */
    int64_t live;              /* items that are published then */
    int64_t born;              /* that the next leaf or item should have */
    int64_t first;             /* the first change of the leaf before */
    struct verify_sum sum;
};

/*
 * The same in steps of at most `most` rows, each from a snapshot of its own, so that nothing of the store is held for long: call it until at->done.
 * What is changed behind its back while it is under way it finds now or the next time.
 */
enum rc verify_step(struct work *w, int64_t stream, int64_t most,
                    void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                    struct verify_place *at);

#endif
