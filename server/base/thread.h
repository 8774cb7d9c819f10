/*
 * thread.h - a thread of its own beside the loops.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "server/base/err.h"

/*
 * Signals are for the main thread: this one takes none but SIGSYS, by which what is refused comes (server/confine.c).
 * `name`: at most 15 bytes, of the thread as ps shows it and of the error. RC_IO.
 */
enum rc thread_start(struct err *e, const char *name, void *(*fn)(void *), void *arg,
                     pthread_t *out);

#endif
