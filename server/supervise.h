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

enum {
    SUPERVISE_TRY_MS = 5000, /* for a new program to find its settings and sockets good */
    /* For the old child to end what it has begun, when another waits for its place. Nobody new is served meanwhile, and
     * what takes longer is a download or an upload, which can be resumed. */
    SUPERVISE_REPLACE_MS = 2000,
};

struct supervised {
    /*
     * The child's life; its value is its exit status. It calls supervise_serves() once it serves, and ends in
     * order on SIGTERM or SIGINT, or in haste on SIGUSR2, for others wait to be served; it says supervise_ends() first.
     * `again`: it is not the first one. SIGTERM, SIGINT, SIGHUP, SIGUSR2 and SIGCHLD are blocked.
     */
    int (*serve)(void *arg, bool again);
    void (*on_ready)(void *arg); /* in the parent, for the first child: it serves */
    void (*on_stop)(void *arg);  /* in the parent: the end has begun; nobody else is let in */
    void (*before_exec)(
        void *arg); /* what the next program is to find: environment, descriptors */
    void (*on_refused)(
        void *arg, pid_t by,
        const char *why); /* that process asked for an upgrade, and gets none that serves */
    void *arg;
    int64_t
        stop_ms; /* a child that was told to end gets so long, and 5 s, before it is killed */
};

/*
 * Runs until SIGTERM or SIGINT; the exit status: the child's, or 0 if it died before it had heard. A child that ends before it ever served ends us too, with its
 * status. SIGHUP goes on to the child. SIGUSR2 executes the program that now lies at our path, with our arguments,
 * if it got as far as this call when it was tried; it takes the sockets over, ends this child and starts its own.
 * In a program that is only tried it returns 0 at once.
 */
int supervise(const struct supervised *s);

/* This program only has to say whether it could serve: supervise() will return at once. */
bool supervise_is_tried(void);

/* In the child. */
void supervise_serves(void);
void supervise_ends(void);
/* How many children died before this one, not longer than that ago. A new program (SIGUSR2) begins to count anew. */
int supervise_deaths(int64_t within_ms);

#endif
