/*
 * errand.h - something that takes its time on threads of its own, for which a request waits without a thread.
 *
 *     worker: prepare() --> start() --> others' threads --> done() --> writer: handler
 */
#ifndef BASE_ERRAND_H
#define BASE_ERRAND_H

#include "server/base/err.h"

struct errand {
    /* Hands it over and returns; done() may have been called by then. RC_BUSY: it is not taken. */
    enum rc (*start)(struct errand *x, struct err *e);
    /* Set by who waits: called once, on any thread, when it is done. */
    void (*done)(struct errand *x);
    void *waiter;
};

#endif
