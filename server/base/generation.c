/*
 * generation.c - one number, and who waits for the next.
 *
 * Whoever moves it pays for those who wait only if there are any: they count themselves before they look at the number, and it is moved
 * before they are counted.
 */
#include "server/base/generation.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "server/base/clock.h"

static _Atomic uint64_t generation = 1;
static _Atomic int waiting;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved;
static pthread_once_t once = PTHREAD_ONCE_INIT;

uint64_t generation_now(void)
{
    return atomic_load_explicit(&generation, memory_order_acquire);
}

void generation_nudge(void)
{
    if (!atomic_load(&waiting))
        return;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

void generation_next(void)
{
    atomic_fetch_add(&generation, 1);
    generation_nudge();
}

static void set_up(void)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&moved, &attr);
    pthread_condattr_destroy(&attr);
}

void generation_wait(uint64_t seen, int64_t most_ms, const atomic_bool *stop)
{
    int64_t until_us = clock_mono_us() + most_ms * 1000;
    struct timespec until = { until_us / 1000000, until_us % 1000000 * 1000 };

    pthread_once(&once, set_up);
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&waiting, 1);
    while (atomic_load(&generation) == seen && !atomic_load(stop) &&
           !pthread_cond_timedwait(&moved, &lock, &until))
        ;
    atomic_fetch_sub(&waiting, 1);
    pthread_mutex_unlock(&lock);
}
