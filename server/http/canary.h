/*
 * canary.h - whether the guard stands before libh2o in this very process.
 */
#ifndef HTTP_CANARY_H
#define HTTP_CANARY_H

#include "server/base/err.h"

/* Before anything is served. RC_INTERNAL and what to do, if libh2o can be reached past the guard. */
enum rc canary_check(struct err *e);

#endif
