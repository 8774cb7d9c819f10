/*
 * generation.h - a counter that moves whenever what the public may see has changed. Answers
 * made before are stale (server/http/cache.h).
 */
#ifndef BASE_GENERATION_H
#define BASE_GENERATION_H

#include <stdint.h>

uint64_t generation_now(void);
void generation_next(void); /* after the COMMIT, never before */

#endif
