/*
 * guess.c - the one throttle of this process, and a lock around it.
 */
#include "server/identity/guess.h"

#include <pthread.h>
#include <stddef.h>

#include "server/base/clock.h"
#include "server/base/metric.h"

static struct {
    pthread_mutex_t lock;
    struct throttle *throttle;
} here = { .lock = PTHREAD_MUTEX_INITIALIZER };

void guess_open(void)
{
    here.throttle = throttle_new();
}

void guess_close(void)
{
    throttle_free(here.throttle);
    here.throttle = NULL;
}

enum throttle_answer guess_take(struct throttle_guess *g, int64_t *wait)
{
    enum throttle_answer answer;

    pthread_mutex_lock(&here.lock);
    answer = throttle_take(here.throttle, g, clock_mono_us() / 1000000, wait);
    pthread_mutex_unlock(&here.lock);
    metric_add(METRIC_sign_in_throttled, answer != THROTTLE_GO);
    return answer;
}

void guess_was_wrong(const struct throttle_guess *g)
{
    pthread_mutex_lock(&here.lock);
    throttle_wrong(here.throttle, g, clock_mono_us() / 1000000);
    pthread_mutex_unlock(&here.lock);
}

void guess_was_right(const struct throttle_guess *g)
{
    pthread_mutex_lock(&here.lock);
    throttle_right(here.throttle, g);
    pthread_mutex_unlock(&here.lock);
}

void guess_was_lost(void *guess)
{
    pthread_mutex_lock(&here.lock);
    throttle_give_back(here.throttle, guess);
    pthread_mutex_unlock(&here.lock);
}
