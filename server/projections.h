/*
 * projections.h - all that is made of the change log in derived.db, one row each.
 */
#ifndef SERVER_PROJECTIONS_H
#define SERVER_PROJECTIONS_H

#include "server/derived/projection.h"

extern const struct projection *const projections[]; /* ended by NULL */

#endif
