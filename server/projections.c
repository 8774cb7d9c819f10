/*
 * projections.c - the table.
 */
#include "server/projections.h"

#include "server/feed/feed_log.h"
#include "server/search/index.h"

const struct projection *const projections[] = {
    &feed_projection,
    &search_projection,
    NULL,
};
