/*
 * sets.h - for each trait all devices that have it, 65,536 to a row of the table push_set.
 */
#ifndef PUSH_SETS_H
#define PUSH_SETS_H

#include "push/bits.h"
#include "server/base/work.h"

/*
 * A row that cannot be read is remembered until sets_mend() has made it anew, of what the rows of its devices say they stand in. On the writer; *n: how many rows that were.
 */
enum rc sets_mend(struct work *w, int *n);

/* Device `no` stands in block no / BITS at place no % BITS. Nothing stands there: *out is empty. RC_CORRUPT. */
enum rc sets_read(struct work *w, int64_t trait, int64_t block, struct bits *out);

struct sets_change {
    int64_t trait, no;
    bool in; /* from now on; false: no longer */
};
/* On the writer: each row that they touch is read and written once. Puts the list in another order; of two for the same trait and device the result is either. */
enum rc sets_apply(struct work *w, struct sets_change *list, int n);

#endif
