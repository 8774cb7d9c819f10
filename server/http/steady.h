/*
 * steady.h - the clock that libh2o times with.
 */
#ifndef HTTP_STEADY_H
#define HTTP_STEADY_H

#include <stdint.h>

#include <h2o.h>

/* Microseconds: the wall clock when it was first asked, going on evenly from there. */
int64_t steady_us(void);
/* How often it was asked by steady_time(). */
uint64_t steady_asked(void);

/* ---- for who stands in the place of libh2o's (interpose.c) ---- */

void steady_time(struct timeval *out);
void steady_stamp(h2o_context_t *ctx); /* h2o_context_update_timestamp_cache() */

#endif
