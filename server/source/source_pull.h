/*
 * source_pull.h - one source asked, and what it has handed in.
 */
#ifndef SOURCE_SOURCE_PULL_H
#define SOURCE_SOURCE_PULL_H

#include "server/source/source.h"
#include "server/source/submission_fetch.h"

/* The next whose time has come: RC_NOT_FOUND if none has, RC_BUSY if it was cut. `w` reads; what is written goes to the writer. */
enum rc source_pull_next(struct work *w, const struct fetch_door *door);

#endif
