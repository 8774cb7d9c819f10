/*
 * projections.c - the table.
 */
#include "server/projections.h"

const struct projection *const projections[] = {
    NULL,
};
