/*
 * projections.c - the table.
 */
#include "server/projections.h"

#include "server/feed/feed_log.h"
#include "server/search/index.h"
#include "server/source/duplicate.h"

const struct projection *const projections[] = {
    &feed_projection,
    &search_projection,
    &duplicate_projection,
    NULL,
};
