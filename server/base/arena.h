/*
 * arena.h - memory that lives as long as a piece of work, and goes as one.
 *
 * A thin cover over h2o_mem_pool_t, so that a request on its loop thread can lend its own pool
 * and nothing is copied. Running out of memory aborts. An arena belongs to one thread at a
 * time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/err.h"

struct arena;
struct st_h2o_mem_pool_t;

struct arena *arena_new(void);
void arena_free(struct arena *mem); /* runs what was deferred; accepts NULL */
/* The arena that an h2o request's pool already is. Never arena_free() it. */
struct arena *arena_of_pool(struct st_h2o_mem_pool_t *pool);

void *arena_alloc(struct arena *mem, size_t n);  /* not zeroed */
void *arena_zalloc(struct arena *mem, size_t n); /* zeroed */
void *arena_dup(struct arena *mem, const void *p, size_t n);
char *arena_strdup(struct arena *mem, const char *s); /* NULL stays NULL */
char *arena_strndup(struct arena *mem, const char *s,
                    size_t n); /* NUL-terminated copy of n bytes */
char *arena_printf(struct arena *mem, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Calls fn(p) when the arena goes, latest first. */
void arena_defer(struct arena *mem, void (*fn)(void *), void *p);

#endif
