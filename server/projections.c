/*
 * projections.c - the table.
 */
#include "server/projections.h"

#include "server/feed/feed_log.h"

const struct projection *const projections[] = {
    &feed_projection,
    NULL,
};
