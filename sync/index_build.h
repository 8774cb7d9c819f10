/*
 * index_build.h - the steps of a build between its plan and its end. For index.c.
 */
#ifndef SYNC_INDEX_BUILD_H
#define SYNC_INDEX_BUILD_H

#include "sync/index_plan.h"

/* The next object, or the layers' plan; or b->overtaken. Inside a snapshot. */
enum rc build_next(struct work *w, struct live *l, struct build *b);
bool build_is_done(const struct build *b);

#endif
