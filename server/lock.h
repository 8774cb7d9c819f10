/*
 * lock.h - one process at a time owns a data directory.
 */
#ifndef SERVER_LOCK_H
#define SERVER_LOCK_H

#include "server/base/err.h"

/* Makes the directory if need be and takes its lock (flock on DIR/lock, which holds our pid for
 * people). RC_CONFLICT: another has it. RC_FORBIDDEN: it is not ours (user.h). */
enum rc lock_take(struct err *e, const char *data, int *out);
void lock_drop(int fd); /* negative is nothing */

#endif
