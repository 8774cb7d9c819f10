/*
 * cache.h - ready-made answers in memory, shared by all loops: at most cache_size bytes, least recently used goes first.
 *
 * Bound to a generation: whatever changes what the public may see calls generation_next() (server/base/generation.h) after its COMMIT, and every answer of an
 * earlier generation is stale from then on (but for R_FOREVER ones). An answer that is being made is waited for, not made twice.
 */
#ifndef HTTP_CACHE_H
#define HTTP_CACHE_H

#include <stdint.h>

void cache_forget(const char *target); /* one URL, R_FOREVER ones too (a takedown) */
void cache_forget_all(void);

#endif
