/*
 * watch.h - event loops that do not turn any more end the process, with their stack in the log.
 *
 * A hostile connection or a mistake of ours can make a loop spin or block, and thousands of phones wait for
 * ever. A process that is started again (supervise.h) serves them within the second.
 */
#ifndef HTTP_WATCH_H
#define HTTP_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <h2o.h>

enum {
    WATCH_BEAT_MS = 250,
    WATCH_STUCK_MS = 2000, /* of its own: asleep, or with a processor */
};

struct pulse { /* of a loop */
    h2o_multithread_receiver_t receiver;
    h2o_multithread_message_t beat;
    pthread_t thread;
    pid_t tid;
    atomic_bool asked; /* the beat is on its way */
    /* The watcher's. */
    int64_t stuck_ms;
    int64_t ran_us; /* at the last look */
};

/* On the loop's thread, with its queue; pulse_close() before that goes and after watch_stop(). */
void pulse_open(struct pulse *p, h2o_multithread_queue_t *queue);
void pulse_close(struct pulse *p);

/* The signal by which a stuck loop is asked for its stack: loops must not block it. */
int watch_signal(void);
/* Watches `n` pulses, all open, `stride` bytes apart. Once at a time. */
void watch_start(struct pulse *first, int n, size_t stride);
void watch_stop(void); /* accepts not having been started */

#endif
