/*
 * state.h - what the files of this folder share; nobody else includes it.
 */
#ifndef DERIVED_STATE_H
#define DERIVED_STATE_H

#include <stdatomic.h>

#include "server/derived/derived.h"
#include "server/library/stream.h"
#include "server/store/db.h"

extern struct derived_state {
    char path[4096]; /* "": nothing is derived here */
    const struct projection *const *all;
    struct db *db;       /* the only one that writes */
    _Atomic int edition; /* another file has its name since */
    atomic_bool open;    /* for writing: it is of these projections */
    atomic_bool missing; /* nothing is in it, though there are changes: the disk takes none */
    atomic_bool stop;    /* the thread is to end: a batch is cut short */
    _Atomic int64_t behind; /* clock_mono_us() since when changes wait; 0: none does */
    _Atomic int64_t oldest; /* when the first of them was made, seconds; 0: not looked yet */
} derived;

enum { STREAMS_MAX = 128 /* a server has 64 */ };

struct place {
    int64_t stream, epoch, seq;
    char name[STREAM_NAME_MAX + 1];
    uint8_t chain[HASH_BYTES];
    size_t chain_n;
};

/* Of all streams; `out` has room for STREAMS_MAX. */
enum rc derived_places(struct work *w, struct place *out, int *n);
struct place *place_of(struct place *p, int n,
                       int64_t stream); /* NULL: nothing was taken of it */

/* A transaction of derived.db; commit: or, if rc says that something failed, its end. What went wrong stands in w->err. */
enum rc derived_begin(struct work *w);
enum rc derived_commit(struct work *w, enum rc rc);

/* A step of cleaning the file, if something is to be cleaned; `now`: even if that was done just now. *more: come again. */
enum rc derived_wipe(struct work *w, bool now, bool *more);

#endif
