/*
 * projection.h - what is made of the change log: rows of derived.db that a take() writes, change by change.
 *
 * To add one: its tables in server/store/schema/derived.sql, its statements in a file that begins with `-- schema: derived`, a struct
 * projection, and its row in server/projections.c. It is called on one thread; what it wrote is committed together with the place in the log
 * that it stands for, so whatever crashes, each change is taken once. Whoever changes what the rows mean raises `version`:
 * then everything is made anew from the log.
 */
#ifndef DERIVED_PROJECTION_H
#define DERIVED_PROJECTION_H

#include <jansson.h>
#include <stdbool.h>

#include "server/base/id.h"
#include "server/base/work.h"
#include "server/library/change.h"

/* One row of the log, in the order of seq for each stream; of a mirrored stream those that are held, not the versions in between. */
struct derived_change {
    int64_t stream, seq, born;
    struct id item;
    int64_t rev;
    enum change_op op;
    unsigned flags;       /* CHANGE_PURGE: the records of the item's earlier changes are gone */
    int64_t site, column; /* as the stream's own directory numbers them */
    int64_t date, at;     /* seconds: what lists are sorted by; when it was published */
    const char *title;    /* "" in a tombstone */
    bool newest;          /* no later change of the item is known */
    const char *bytes;    /* the record; NULL: a later change removed it */
    size_t n;
    const json_t *record; /* the same, parsed; NULL without it, or if it is none */
};

struct projection {
    const char *name;
    int version;
    /*
     * In a transaction of w->derived; w->db is a reading connection to the library, which may be ahead of the change. w->mem goes after each
     * change, work_kept(w) and the change itself after the batch. *shown: something that the public is answered from changed. An error of the
     * store takes the whole batch back, and it comes again later; any other is one of this change's content: what the projection wrote of it is taken back, and it
     * is passed over.
     */
    enum rc (*take)(struct work *w, const struct derived_change *c, bool *shown);
    /* Before the first and after the last take() of a batch, for who writes all at once; w->mem goes after the batch. NULL: nothing to do. */
    void (*begin)(struct work *w);
    enum rc (*settle)(struct work *w);
    /*
     * After something was taken from the public, and whenever there is nothing to take: a step of making what was deleted unreadable in the file,
     * of some 100 ms, in a transaction of its own; *more: another one is needed. NULL: DELETE is enough.
     */
    enum rc (*wipe)(struct work *w, bool first, bool *more);
    /* Its tables, ended by NULL: their pages are overwritten where nothing stands afterwards (db_scrub()). */
    const char *const *tables;
};

#endif
