/*
 * crash_world.h - a publishing server that is to be killed, and what must hold afterwards.
 *
 * A forked process publishes, signs, builds objects and takes items down, and tells of every head it
 * shows. When it is dead another process opens the directory, and an independent reading of the
 * tables and the files says what the answers should be: every head that was shown is there, the newest is no
 * lower, what it stands for can be read, every file is what its name says, nothing that was purged is served.
 */
#ifndef TESTS_CRASH_WORLD_H
#define TESTS_CRASH_WORLD_H

#include <stdbool.h>
#include <stddef.h>

struct crash_load {
    unsigned seed;
    size_t bytes; /* of a change, at most; up to CRASH_BYTES */
    unsigned
        jobs; /* of twenty changes each, settled one by one; 0: without a pause until it is killed */
    unsigned takedown; /* every so many jobs one takes an item down; 0: now and then */
    void (*begin)(void *), *arg; /* in the process, before and after all; may be NULL */
    void (*end)(void *);
};

enum { CRASH_BYTES = 30000 };

/* An empty directory below that one, in place of the one before. */
void crash_world_fresh(const char *below);
void crash_world_done(void);
/* A process that publishes; it ends by itself only after load->jobs. */
int crash_world_publish(const struct crash_load *load);
/* Waits for its end and remembers what it showed; waitpid()'s status. */
int crash_world_reap(int pid);
/* Heads shown in this directory so far. */
size_t crash_world_shown(void);
/* Starts a server again and examines. What does not hold is on stderr. */
bool crash_world_holds(void);

#endif
