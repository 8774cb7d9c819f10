/*
 * running.h - the server that runs behind a data directory, seen from another process.
 */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include <stdint.h>
#include <sys/types.h>

#include "server/base/arena.h"

/* The process that listens on DIR/admin.sock; 0: none does. */
pid_t running_server(const char *data);
/* The supervisor of a server; 0: it has none, as a command that is the server for a moment. */
pid_t running_parent(pid_t server);
/* A number of /proc/PID/status by its name, the first of several; -1: there is none. */
int64_t running_status(pid_t pid, const char *name);

/* Where `tjzw upgrade`, that process, listens for why the supervisor refused it; "@" stands for the abstract name space. */
enum { UPGRADE_SOCKET = 40 };
char *upgrade_socket(pid_t asks, char out[UPGRADE_SOCKET]);

/* One of its metrics; -1: it does not answer. */
int64_t running_metric(const char *data, const char *name);

#endif
