/*
 * arena.c - struct arena is an h2o memory pool under another name, so that a request's own pool
 * serves as one.
 */
#include "server/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <h2o/memory.h>

#include "server/base/memory.h"

static h2o_mem_pool_t *pool_of(struct arena *mem)
{
    return (h2o_mem_pool_t *)(void *)mem;
}

struct arena *arena_new(void)
{
    h2o_mem_pool_t *pool = h2o_mem_alloc(sizeof *pool);

    h2o_mem_init_pool(pool);
    return arena_of_pool(pool);
}

void arena_free(struct arena *mem)
{
    if (!mem)
        return;
    h2o_mem_clear_pool(pool_of(mem));
    free(mem);
}

struct arena *arena_of_pool(struct st_h2o_mem_pool_t *pool)
{
    return (struct arena *)(void *)pool;
}

void *arena_alloc(struct arena *mem, size_t n)
{
    return h2o_mem_alloc_pool(pool_of(mem), n);
}

void *arena_zalloc(struct arena *mem, size_t n)
{
    return memset(arena_alloc(mem, n), 0, n);
}

void *arena_dup(struct arena *mem, const void *p, size_t n)
{
    void *copy = arena_alloc(mem, n ? n : 1);

    if (n)
        memcpy(copy, p, n);
    return copy;
}

char *arena_strdup(struct arena *mem, const char *s)
{
    return s ? arena_dup(mem, s, strlen(s) + 1) : NULL;
}

char *arena_strndup(struct arena *mem, const char *s, size_t n)
{
    char *copy = arena_alloc(mem, n + 1);

    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *arena_printf(struct arena *mem, const char *fmt, ...)
{
    va_list ap;
    char *out;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        memory_end(); /* all that printing to memory can want */
    out = arena_alloc(mem, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(out, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return out;
}

struct deferred {
    void (*fn)(void *);
    void *p;
};

static void run_deferred(void *p)
{
    struct deferred *d = p;

    d->fn(d->p);
}

/* The pool keeps its shared blocks in a list, newest first, and disposes of them in that order
 * before any other memory goes. */
void arena_defer(struct arena *mem, void (*fn)(void *), void *p)
{
    struct deferred *d = h2o_mem_alloc_shared(pool_of(mem), sizeof *d, run_deferred);

    d->fn = fn;
    d->p = p;
}
