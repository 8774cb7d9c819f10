/*
 * visit.h - one exchange with a device: what it brings is taken exactly once, and it is given what changed (docs/protocol/state.md section 2).
 *
 *     visit_idle   in memory: it brings nothing, and nothing changed
 *     visit_read   it brings nothing, and is given what changed
 *     visit_write  it brings something, or is to be written down
 */
#ifndef CITIZEN_VISIT_H
#define CITIZEN_VISIT_H

#include "server/citizen/action.h"
#include "server/citizen/cursor.h"
#include "server/citizen/entry.h"

enum {
    VISIT_MUTATIONS_MAX = 500,
    VISIT_ENTRIES_MAX = 1000,
    VISIT_ENTRIES = 500,
    VISIT_NUMBER_MAX = 999999999999999
};

struct visit {
    int64_t account;
    const char *device; /* NULL: it does not say */
    bool holds;         /* it has a cursor */
    struct cursor cursor;
    int64_t acked;
    int most; /* entries wanted */
    const struct mutation
        *mutations; /* ascending by 1; their account and device are the visit's */
    int n;
};

struct visited {
    struct buf results; /* members of a JSON array; empty: there are none */
    int64_t expected;   /* the n that is wanted next; 0: no device */
    bool reset;         /* what is given from here on is all there is */
    struct cursor cursor;
    struct entry_page page;
};

bool visit_idle(const struct visit *v, struct visited *out);
/* *must_write: it was not asked for anything, but the device is to be written down once a day, so that visit_write() is to follow. */
enum rc visit_read(struct work *w, const struct visit *v, struct visited *out,
                   bool *must_write);
/* On the writer. Entries' texts are in w->mem. */
enum rc visit_write(struct work *w, const struct visit *v, struct visited *out);

#endif
