/*
 * state.h - what the files of this folder share; nobody else includes it.
 */
#ifndef DERIVED_STATE_H
#define DERIVED_STATE_H

#include <stdatomic.h>

#include "server/derived/derived.h"
#include "server/store/db.h"

extern struct derived_state {
    char path[4096]; /* "": nothing is derived here */
    const struct projection *const *all;
    struct db *db;          /* the only one that writes */
    _Atomic int edition;    /* another file has its name since */
    atomic_bool stop;       /* the thread is to end: a batch is cut short */
    _Atomic int64_t behind; /* clock_mono_us() since when changes wait; 0: none does */
    _Atomic int64_t oldest; /* when the first of them was made, seconds; 0: not looked yet */
} derived;

/* A step of cleaning the file, if something is to be cleaned; `now`: even if that was done just now. *more: come again. */
enum rc derived_wipe(struct work *w, bool now, bool *more);

#endif
