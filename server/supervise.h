/*
 * supervise.h - a process that serves, and one that starts it again when it dies.
 *
 *     the parent: listening sockets, signals, nothing else       the child: everything else
 *
 * Called while the process has one thread.
 */
#ifndef SERVER_SUPERVISE_H
#define SERVER_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SUPERVISE_VERSION_MS = 5000 }; /* for a new program to say its --version */

struct supervised {
    /*
     * The child's life; its value is its exit status. It calls supervise_ready() once it serves, and ends in
     * order on SIGTERM or SIGINT. `again`: it is not the first one. SIGTERM, SIGINT, SIGHUP, SIGUSR2 and SIGCHLD are
     * blocked.
     */
    int (*serve)(void *arg, bool again);
    void (*on_ready)(void *arg); /* in the parent, for the first child: it serves */
    void (*on_stop)(void *arg);  /* in the parent: the end has begun; nobody else is let in */
    void (*before_exec)(
        void *arg); /* what the next program is to find: environment, descriptors */
    void *arg;
    int64_t
        stop_ms; /* a child that was told to end gets so long, and 5 s, before it is killed */
};

/*
 * Runs until SIGTERM or SIGINT; the exit status. A child that ends before it ever served ends us too, with its
 * status. SIGHUP goes on to the child. SIGUSR2 executes the program that now lies at our path, with our arguments,
 * if that program can say its --version; it takes the sockets over, ends this child and starts its own.
 */
int supervise(const struct supervised *s);

/* In the child. */
void supervise_ready(void);
/* How many children died before this one, not longer than that ago. A new program (SIGUSR2) begins to count anew. */
int supervise_deaths(int64_t within_ms);

#endif
