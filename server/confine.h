/*
 * confine.h - what the process that serves may ask of the kernel: what a server needs, and nothing else.
 *
 * Whoever finds a way to run code of his own in it cannot start a program, look into another process, load code,
 * open a raw socket or change the machine: such a call fails with EPERM, is counted (seccomp_refused) and told in
 * the log, and the server goes on.
 */
#ifndef SERVER_CONFINE_H
#define SERVER_CONFINE_H

#include <stdbool.h>

#include "server/base/err.h"
#include "server/store/db.h"

/* For this process and all it will start: never more rights than now (no_new_privs). With `secrets` also no core
 * dump, and no debugger of the same user: a TLS key is in our memory. */
void confine_rights(bool secrets);

/*
 * From now on only the system calls of the table, on all threads, for good. Loads first what would be loaded later:
 * no code can be afterwards. `calls`: how many are allowed, 0 where there is no filter, and then `why` says so: a
 * build with a sanitizer, a processor that we do not know. RC_IO: the kernel refuses the filter.
 */
enum rc confine_calls(struct err *e, int *calls, const char **why);

/* Tells the log which calls were refused since it last did. Of writer_tick(). */
void confine_tick(struct db *unused, void *unused_too);

#endif
