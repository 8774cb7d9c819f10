/*
 * thread.c - see the header.
 */
#include "server/base/thread.h"

#include <signal.h>
#include <string.h>

enum rc thread_start(struct err *e, const char *name, void *(*fn)(void *), void *arg,
                     pthread_t *out)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    sigdelset(&all, SIGSYS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(out, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set(e, RC_IO, "start the thread %s: %s", name, strerror(failed));
    pthread_setname_np(*out, name);
    return RC_OK;
}
