/*
 * change.h - the change log: every publication, in the order of commit, chained by hashes.
 *
 * One call, one change. It numbers the change from the stream's row in the same transaction, so
 * seq and born have no gaps whatever is rolled back.
 */
#ifndef LIBRARY_CHANGE_H
#define LIBRARY_CHANGE_H

#include <stdbool.h>

#include "server/base/buf.h"
#include "server/base/id.h"
#include "server/base/work.h"

enum change_op { CHANGE_PUT = 1, CHANGE_WITHDRAWN = 2, CHANGE_EXPIRED = 3, CHANGE_GONE = 4 };
enum { CHANGE_PURGE = 1 }; /* bit of flags */

struct change {
    int64_t stream;
    int64_t seq;  /* given by change_write() */
    int64_t born; /* -1: never published before, given by change_write() */
    struct id item;
    int64_t rev;
    enum change_op op;
    unsigned flags;
    int64_t site, col;
    int64_t date;      /* seconds */
    const char *title; /* "" in a tombstone */
    const char *bytes; /* the record */
    size_t n;
    int gain;   /* by how many more items are published now: 1, 0 or -1 */
    int64_t at; /* seconds: when, the same as the record says */
};

/*
 * Appends the change. CHANGE_PURGE removes the bytes of all earlier changes of the item and
 * counts in the stream's cut. Only inside a writer job. RC_TOO_LARGE, RC_NOT_FOUND (no such
 * stream), RC_CORRUPT, or the store's.
 */
enum rc change_write(struct work *w, struct change *c);

/*
 * The leaf of a change whose record's bytes hash to `digest` (docs/protocol/sync.md section 2);
 * of `c`, `bytes` is not looked at. RC_TOO_LARGE if it fits no frame.
 */
enum rc change_leaf(struct err *e, const struct change *c, const uint8_t digest[HASH_BYTES],
                    uint8_t leaf[HASH_BYTES]);

/*
 * One observer hears of what was committed, on the writer thread, after COMMIT and before
 * anybody is answered, change by change in the order of seq. Set it before the writer starts;
 * NULL removes it.
 */
struct change_told {
    int64_t stream, seq;
    uint64_t born;
    enum change_op op;
    unsigned flags;
    uint8_t leaf[HASH_BYTES];
};
struct change_observer {
    void (*change)(const struct change_told *t);
    void (*directory)(int64_t stream); /* its sites or columns are other ones */
};
void change_observe(const struct change_observer *observer);
/* Said by site.c and column.c: after COMMIT the observer hears of it and the public answers are
 * made anew. */
void change_directory(struct work *w, int64_t stream);

#endif
