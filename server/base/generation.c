/*
 * generation.c - one number.
 */
#include "server/base/generation.h"

#include <stdatomic.h>

static _Atomic uint64_t generation = 1;

uint64_t generation_now(void)
{
    return atomic_load_explicit(&generation, memory_order_acquire);
}

void generation_next(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_acq_rel);
}
