/*
 * turns.c - see the header. The functions of libc by which threads wait are ours here: this program's symbols come before libc's, for the libraries
 * too. One thread has the turn; it hands it on by the semaphore of the next.
 *
 * Not here: what files do (disk.c).
 */
#include "tests/sim/turns.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, MONO_SINCE = 1700000000 };

enum state { READY, ON_LOCK, ON_CONDITION, ON_THREAD, ON_TIME, IDLE, OVER };

struct thread {
    enum state state;
    const void *on; /* a mutex, a condition, a thread */
    int64_t until_us;
    bool woken;
    sem_t turn;
    pthread_t id;
    void *(*fn)(void *);
    void *arg;
};

int64_t *turns_now_us;
static int64_t beside_us;

static struct thread threads[THREADS]; /* 0: the main thread */
static int count;
static _Thread_local struct thread *me;
static struct dice dice;

/* ---- who is next ---- */

static bool can_go_on(const struct thread *t)
{
    switch (t->state) {
    case READY:
    case IDLE: return true;
    case ON_LOCK: return ((const pthread_mutex_t *)t->on)->__data.__lock == 0;
    case ON_CONDITION: return t->woken || t->until_us <= *turns_now_us;
    case ON_THREAD: return ((const struct thread *)t->on)->state == OVER;
    case ON_TIME: return t->until_us <= *turns_now_us;
    case OVER: return false;
    }
    return false;
}

/* All wait for a time: it comes. */
static void jump(void)
{
    int64_t first = INT64_MAX;

    for (int i = 0; i < count; i++)
        if ((threads[i].state == ON_CONDITION || threads[i].state == ON_TIME) &&
            threads[i].until_us < first)
            first = threads[i].until_us;
    if (first == INT64_MAX) {
        fprintf(stderr, "sim: all threads wait for each other\n");
        abort();
    }
    *turns_now_us = first;
}

static struct thread *choose(void)
{
    for (;;) {
        int can[THREADS], n = 0;

        for (int i = 1; i < count; i++)
            if (can_go_on(&threads[i]))
                can[n++] = i;
        if (n)
            return &threads[can[n > 1 ? dice_roll(&dice, (uint32_t)n) : 0]];
        if (can_go_on(&threads[0]))
            return &threads[0];
        jump();
    }
}

static void hand_on(struct thread *to)
{
    sem_post(&to->turn);
    if (me->state == OVER)
        return;
    while (sem_wait(&me->turn))
        ;
}

static void wait_as(enum state state, const void *on, int64_t until_us)
{
    struct thread *next;

    me->state = state;
    me->on = on;
    me->until_us = until_us;
    me->woken = false;
    next = choose();
    if (next != me)
        hand_on(next);
    me->state = READY;
}

void turns_begin(struct dice d)
{
    dice = d;
    count = 1;
    me = &threads[0];
    *me = (struct thread){ .state = READY };
    sem_init(&me->turn, 0, 0);
}

void turns_rest(void)
{
    wait_as(IDLE, NULL, 0);
}

/* ---- threads ---- */

#define NEXT(name)                           \
    ({                                       \
        static void *found;                  \
        if (!found)                          \
            found = dlsym(RTLD_NEXT, #name); \
        (typeof(&name))found;                \
    })

static void *run(void *arg)
{
    void *out;

    me = arg;
    while (sem_wait(&me->turn))
        ;
    out = me->fn(me->arg);
    me->state = OVER;
    hand_on(choose());
    return out;
}

int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    struct thread *t = &threads[count];
    int failed;

    if (count == THREADS)
        return EAGAIN;
    *t = (struct thread){ .state = READY, .fn = fn, .arg = arg };
    sem_init(&t->turn, 0, 0);
    failed = NEXT(pthread_create)(&t->id, attr, run, t);
    if (failed)
        return failed;
    count++;
    *id = t->id;
    return 0;
}

int pthread_join(pthread_t id, void **out)
{
    for (int i = 1; i < count; i++)
        if (pthread_equal(threads[i].id, id))
            wait_as(ON_THREAD, &threads[i], INT64_MAX);
    return NEXT(pthread_join)(id, out);
}

/* ---- locks and conditions ---- */

int pthread_mutex_lock(pthread_mutex_t *m)
{
    while (pthread_mutex_trylock(m))
        wait_as(ON_LOCK, m, INT64_MAX);
    return 0;
}

static int wait_for(pthread_cond_t *c, pthread_mutex_t *m, int64_t until_us)
{
    bool woken;

    pthread_mutex_unlock(m);
    wait_as(ON_CONDITION, c, until_us);
    woken = me->woken;
    pthread_mutex_lock(m);
    return woken ? 0 : ETIMEDOUT;
}

int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m)
{
    return wait_for(c, m, INT64_MAX);
}

/* Every condition of ours goes by the monotonic clock. */
int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
                           const struct timespec *restrict until)
{
    int64_t mono_us = (int64_t)until->tv_sec * 1000000 + until->tv_nsec / 1000;

    return wait_for(c, m, mono_us + (int64_t)MONO_SINCE * 1000000);
}

static void wake(const pthread_cond_t *c, bool all)
{
    int waiting[THREADS], n = 0;

    for (int i = 0; i < count; i++)
        if (threads[i].state == ON_CONDITION && threads[i].on == c && !threads[i].woken)
            waiting[n++] = i;
    if (n && !all)
        threads[waiting[n > 1 ? dice_roll(&dice, (uint32_t)n) : 0]].woken = true;
    for (int i = 0; i < n && all; i++)
        threads[waiting[i]].woken = true;
}

int pthread_cond_signal(pthread_cond_t *c)
{
    wake(c, false);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
    wake(c, true);
    return 0;
}

/* ---- time ---- */

static struct timespec spec_of(int64_t us)
{
    return (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
}

void turns_wall(int64_t us)
{
    beside_us = us;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    bool wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;

    *out = spec_of(*turns_now_us + (wall ? beside_us : 0));
    out->tv_sec -= wall ? 0 : MONO_SINCE;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    *out = (struct timeval){ (*turns_now_us + beside_us) / 1000000,
                             (*turns_now_us + beside_us) % 1000000 };
    return 0;
}

time_t time(time_t *out)
{
    time_t now = (*turns_now_us + beside_us) / 1000000;

    if (out)
        *out = now;
    return now;
}

static void sleep_us(int64_t us)
{
    wait_as(ON_TIME, NULL, *turns_now_us + us);
}

int nanosleep(const struct timespec *length, struct timespec *left)
{
    (void)left;
    sleep_us((int64_t)length->tv_sec * 1000000 + length->tv_nsec / 1000);
    return 0;
}

int usleep(useconds_t us)
{
    sleep_us(us);
    return 0;
}

/* Only the main thread has a loop. */
int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    (void)timeout_ms;
    turns_rest();
    return NEXT(epoll_wait)(fd, events, max, 0);
}
