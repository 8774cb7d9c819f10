/*
 * memory.c - one end for everybody who finds no memory: h2o_fatal().
 *
 * A server that goes on after a failed allocation would need thousands of ways out that no day ever walks. What was acknowledged is
 * on the disk, and another child serves within milliseconds; so ending is the safe way, and the only one.
 */
#include "server/base/memory.h"

#include <stdlib.h>

#include <h2o/memory.h>
#include <jansson.h>
#include <openssl/crypto.h>

void memory_end(void)
{
    h2o_fatal("no memory");
}

static void *get(size_t n)
{
    return h2o_mem_alloc(n ? n : 1);
}

static void *crypto_get(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return n ? h2o_mem_alloc(n) : NULL;
}

static void *crypto_change(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    if (n)
        return h2o_mem_realloc(p, n);
    free(p);
    return NULL;
}

static void crypto_drop(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

void memory_init(void)
{
    json_set_alloc_funcs(get, free);
    CRYPTO_set_mem_functions(crypto_get, crypto_change, crypto_drop);
}
