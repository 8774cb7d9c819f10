/*
 * reached.c - counters in shared memory.
 */
#include "tests/sim/reached.h"

#include <err.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

static const struct {
    const char *name, *what;
    unsigned towns;
} paths[] = {
#define REACHED(name, what, towns) { #name, what, towns },
#include "tests/sim/reached.def"
#undef REACHED
};

static atomic_uint *counts;

void reached_begin(void)
{
    counts = mmap(NULL, PATH_COUNT * sizeof *counts, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        err(1, "mmap");
}

void reached(enum path which)
{
    counts[which]++;
}

unsigned reached_print(unsigned towns)
{
    unsigned missed = 0;

    for (int i = 0; i < PATH_COUNT; i++) {
        bool miss = towns >= paths[i].towns && !counts[i];

        printf("reached %6u %s: %s%s\n", counts[i], paths[i].name, paths[i].what,
               miss ? " !" : "");
        missed += miss;
    }
    return missed;
}
