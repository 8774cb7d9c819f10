/*
 * watch.c - a thread that sends every loop a message, and sees whether it was read.
 *
 *     beat --> loop reads it: fine
 *         \--> not read for 2 s of its own --> signal: the loop's thread prints its stack --> abort()
 *
 * Time counts that the loop had: it ran, or it slept over something that does not come. What it waits for a processor, on a machine that has more to do than it
 * can, is not its fault, and another child would have no more of it; nor is it while the process is stopped as a whole, for then nobody beats.
 *
 * The stack is printed by the stuck thread itself, in a handler that uses nothing but what is safe there:
 * backtrace() was called once before, so that its library is loaded.
 */
#include "server/http/watch.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"

enum { FRAMES = 64, STACK_MS = 200 };

static struct {
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool stop;
    char *first;
    int n;
    size_t stride;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- the loop's side ---- */

static void on_beat(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct pulse *p = H2O_STRUCT_FROM_MEMBER(struct pulse, receiver, receiver);

    while (!h2o_linklist_is_empty(messages))
        h2o_linklist_unlink(messages->next);
    atomic_store(&p->asked, false);
}

void pulse_open(struct pulse *p, h2o_multithread_queue_t *queue)
{
    memset(p, 0, sizeof *p);
    p->thread = pthread_self();
    p->tid = gettid();
    h2o_multithread_register_receiver(queue, &p->receiver, on_beat);
}

void pulse_close(struct pulse *p)
{
    h2o_multithread_unregister_receiver(p->receiver.queue, &p->receiver);
}

/* ---- the end ---- */

int watch_signal(void)
{
    return SIGUSR1;
}

static void print_stack(int signal)
{
    void *frames[FRAMES];

    (void)signal;
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
}

static void end(struct pulse *p)
{
    struct timespec wait = { 0, STACK_MS * 1000000L };

    LOG(LOG_ERROR, "loop_stuck", L_INT("ms", WATCH_STUCK_MS));
    pthread_kill(p->thread, watch_signal());
    nanosleep(&wait, NULL);
    abort();
}

/* ---- the watcher ---- */

/* Neither running nor waiting for a processor (proc(5)). What cannot be known is a yes. */
static bool is_asleep(const struct pulse *p)
{
    char path[64], text[128] = "", *state;
    int fd;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)p->tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(fd);
    state = strrchr(text, ')'); /* of its name */
    return !state || strncmp(state, ") R", 3);
}

/* Of the beat that has passed, what was the loop's own. */
static int64_t had_ms(struct pulse *p)
{
    int64_t before = p->ran_us;

    p->ran_us = clock_ran_us(p->thread);
    return is_asleep(p) ? WATCH_BEAT_MS : (p->ran_us - before) / 1000;
}

static void look(struct pulse *p)
{
    if (atomic_exchange(&p->asked, true)) {
        p->stuck_ms += had_ms(p);
        if (p->stuck_ms >= WATCH_STUCK_MS)
            end(p);
        return;
    }
    p->stuck_ms = 0;
    p->ran_us = clock_ran_us(p->thread);
    h2o_multithread_send_message(&p->receiver, &p->beat);
}

/* False: it is time to end. */
static bool rest(void)
{
    int64_t at_us = clock_mono_us() + WATCH_BEAT_MS * 1000;
    struct timespec until = { at_us / 1000000, at_us % 1000000 * 1000 };
    bool stop;

    pthread_mutex_lock(&watch.lock);
    while (!watch.stop && pthread_cond_timedwait(&watch.ended, &watch.lock, &until) == 0)
        ;
    stop = watch.stop;
    pthread_mutex_unlock(&watch.lock);
    return !stop;
}

static void *run(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "watch");
    while (rest())
        for (int i = 0; i < watch.n; i++)
            look((struct pulse *)(void *)(watch.first + (size_t)i * watch.stride));
    return NULL;
}

void watch_start(struct pulse *first, int n, size_t stride)
{
    struct sigaction action = { .sa_handler = print_stack };
    pthread_condattr_t attr;
    void *warm[1];

    (void)backtrace(warm, 1);
    sigaction(watch_signal(), &action, NULL);
    watch.first = (char *)first;
    watch.n = n;
    watch.stride = stride;
    watch.stop = false;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&watch.ended, &attr);
    pthread_condattr_destroy(&attr);
    watch.running = true;
    if (pthread_create(&watch.thread, NULL, run, NULL))
        abort();
}

void watch_stop(void)
{
    if (!watch.running)
        return;
    pthread_mutex_lock(&watch.lock);
    watch.stop = true;
    pthread_cond_signal(&watch.ended);
    pthread_mutex_unlock(&watch.lock);
    pthread_join(watch.thread, NULL);
    pthread_cond_destroy(&watch.ended);
    watch.running = false;
}
