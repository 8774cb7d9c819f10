/*
 * checkup.h - the rules of server/check over an item's content.
 */
#ifndef LIBRARY_CHECKUP_H
#define LIBRARY_CHECKUP_H

#include "server/check/check.h"
#include "server/library/content.h"

/* All that the rules of this step say of the content. What `out` points at is in `mem`. */
void checkup(struct arena *mem, const struct content *content, enum check_step step,
             const struct check_context *context, struct check_result *out);

/* The verdicts as an array of {rule, version, severity, field, from, to, said}. */
void checkup_json(struct buf *out, const struct check_result *result);

#endif
