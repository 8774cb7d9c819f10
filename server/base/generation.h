/*
 * generation.h - a counter that moves whenever what the public may see has changed. Answers
 * made before are stale (server/http/cache.h).
 */
#ifndef BASE_GENERATION_H
#define BASE_GENERATION_H

#include <stdatomic.h>
#include <stdint.h>

uint64_t generation_now(void);
void generation_next(void); /* after the COMMIT, never before */
/*
 * Waits until the generation is another one than `seen`, or *stop is set (then generation_nudge()), or `most_ms` are over. For threads that
 * nobody waits for.
 */
void generation_wait(uint64_t seen, int64_t most_ms, const atomic_bool *stop);
void generation_nudge(void);

#endif
