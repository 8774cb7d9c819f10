/*
 * memory.c - one end for everybody who finds no memory: h2o_fatal().
 *
 * A server that goes on after a failed allocation would need thousands of ways out that no day ever walks. What was acknowledged is
 * on the disk, and another child serves within milliseconds; so ending is the safe way, and the only one.
 */
#include "server/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

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

/* ---- how much ---- */

enum { PATH_BYTES = 4096 };

/* INT64_MAX: it sets none, or has no such file. */
static int64_t limit_of(const char *group)
{
    char path[PATH_BYTES + 64];
    int64_t bytes;
    FILE *in;

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
    in = fopen(path, "re");
    if (!in)
        return INT64_MAX;
    if (fscanf(in, "%" SCNd64, &bytes) != 1 || bytes <= 0)
        bytes = INT64_MAX; /* "max" */
    fclose(in);
    return bytes;
}

/* A group may have no more than those that it is in. */
static int64_t limit_of_all(char *group)
{
    int64_t least = limit_of("");

    for (char *end; (end = strrchr(group, '/')); *end = '\0') {
        int64_t bytes = limit_of(group);

        least = bytes < least ? bytes : least;
    }
    return least;
}

int64_t memory_limit(void)
{
    char group[PATH_BYTES] = "";
    struct sysinfo machine;
    int64_t all = 0, least;
    FILE *in = fopen("/proc/self/cgroup", "re");

    if (!sysinfo(&machine))
        all = (int64_t)machine.totalram * machine.mem_unit;
    if (!in || fscanf(in, "0::%4095s", group) != 1)
        group[0] = '\0';
    if (in)
        fclose(in);
    least = limit_of_all(group);
    return least < all ? least : all;
}
