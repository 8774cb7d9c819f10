/*
 * schedule.h - an approved revision is published at a time: once, at that second or, if the server was down then, as soon as it is up.
 *
 * What is due is taken by schedule_tick(), in the transaction that publishes it. An edit, a return or a publication before the time voids it;
 * so does whatever would refuse a publication by hand then (the chain of review, the rules, the right of who set it), and the revision's
 * reviews say so.
 */
#ifndef LIBRARY_SCHEDULE_H
#define LIBRARY_SCHEDULE_H

#include "server/library/item.h"

enum { SCHEDULE_AHEAD = 366 * 86400 };

struct schedule {
    int64_t rev, at; /* at 0: none */
    const char *actor;
};

/* The newest revision, which must be `rev` and approved, at `at` seconds: later than now. In the place of an earlier time. RIGHT_PUBLISH at the site. */
enum rc schedule_set(struct work *w, const struct id *id, int64_t rev, int64_t at,
                     struct item *out);
/* RC_NOT_FOUND if there is none. */
enum rc schedule_cancel(struct work *w, const struct id *id, struct item *out);
enum rc schedule_of(struct work *w, const struct id *id, struct schedule *out);
/* Without a word: the revision is no longer what was scheduled. */
enum rc schedule_drop(struct work *w, const struct id *id);

/* For a writer_tick, some times a second: publishes what is due, each in a savepoint of one transaction. Costs nothing while nothing is. */
void schedule_tick(struct db *db, void *arg);

#endif
