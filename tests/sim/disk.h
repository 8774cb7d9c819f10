/*
 * disk.h - what a loss of power leaves of a process's files.
 *
 * The functions of libc that change files are ours in this program. Below one directory they remember, beside doing what they are asked,
 * what was not synced yet. At the n-th of them the process ends, and the files are what a disk might hold then:
 *
 *     bytes       of what was written (or cut off) to a file since its last fsync, each write is there or not, whatever its order; one
 *                 that is there may be torn: whole sectors of 512 bytes of it are missing
 *     names       files made, linked, renamed and removed reach the disk in their order, as in the journal of a file system: since the last fsync
 *                 of a directory, some of the last are undone. fsync of a file brings its own name, and what was before it
 *
 * Or the process alone ends (kill -9) and the system goes on: nothing is lost but what it would have done next.
 *
 * Not here: what is no data (the -shm of SQLite, locks).
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include <stdbool.h>

#include "tests/sim/dice.h"
#include "tests/sim/reached.h"

enum { DISK_DIED = 70 }; /* the exit status of a process that ended so */

/* What happens at an end, of which each is counted: the process alone ended, the power failed, a write is missing then, a sector of one is, a name is undone. */
enum disk_fate { DISK_KILLED, DISK_POWER, DISK_MISSING, DISK_TORN, DISK_UNNAMED, DISK_FATES };

/* This process's files are those below `root`, where ROOT.gone holds what may come back. rows: under what each fate is counted; it stays the caller's. */
void disk_begin(const char *root, struct dice d, const enum path rows[DISK_FATES]);
/* At the n-th change from now on, or nothing if n is 0. */
void disk_end_at(unsigned n, bool power);
/* Changes so far. */
unsigned disk_changes(void);

#endif
