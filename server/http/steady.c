/*
 * steady.c - time for libh2o that does not jump with the wall clock.
 *
 * libh2o asks gettimeofday at each turn of a loop and takes all its timers from that: a step of an hour forward
 * would end every connection that waits for something, a step back would let no timer ring for an hour. So
 * gettimeofday is the program's own (interpose.c): the wall clock as it was when first asked, and from there the monotonic one.
 * Of what libh2o prints only the header Date shows the time, and that is the wall clock's, as it is now.
 *
 * Libraries that want to know what time it is ask time or clock_gettime, and get the wall clock.
 */
#include "server/http/steady.h"

#include <stdatomic.h>
#include <time.h>

#include "server/base/clock.h"

/* Behind the age of any timer: libh2o subtracts without looking, and some machines wake up in 1970. */
#define LEAST_US (INT64_C(1000000000) * 1000000)

static _Atomic int64_t ahead = INT64_MIN; /* of the monotonic clock */
static _Atomic uint64_t asked;

int64_t steady_us(void)
{
    int64_t mono = clock_mono_us(), by = atomic_load_explicit(&ahead, memory_order_relaxed);

    if (by == INT64_MIN) {
        int64_t wall = clock_now_ms() * 1000,
                fresh = (wall > LEAST_US ? wall : LEAST_US) - mono;

        if (atomic_compare_exchange_strong(&ahead, &by, fresh))
            by = fresh;
    }
    return mono + by;
}

uint64_t steady_asked(void)
{
    return atomic_load_explicit(&asked, memory_order_relaxed);
}

void steady_time(struct timeval *out)
{
    int64_t us = steady_us();

    atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed);
    *out = (struct timeval){ us / 1000000, us % 1000000 };
}

void steady_stamp(h2o_context_t *ctx)
{
    time_t wall = (time_t)clock_now();
    h2o_timestamp_string_t *text =
        h2o_mem_alloc_shared(NULL, sizeof(h2o_timestamp_string_t), NULL);
    struct tm gmt;

    gmtime_r(&wall, &gmt);
    h2o_time2str_rfc1123(text->rfc1123, &gmt);
    text->log[0] = '\0'; /* we have a log of our own */
    if (ctx->_timestamp_cache.value)
        h2o_mem_release_shared(ctx->_timestamp_cache.value);
    ctx->_timestamp_cache.value = text;
    ctx->_timestamp_cache.uv_now_at = h2o_now(ctx->loop);
    steady_time(&ctx->_timestamp_cache.tv_at);
}
