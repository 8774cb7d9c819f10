/*
 * disk.h - whether the disk takes what is written, and what it keeps for us.
 *
 * Below the reserve, or after a write that failed, the server is read only: everything that can be read is read,
 * changes are refused with a reason, and as soon as there is room again they are taken.
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <stdint.h>

#include "server/base/err.h"

/* Looks at the disk of this directory, now and twice a second on the writer's thread. Before writer_start(). `reserve`: bytes
 * that changes leave free; 0: none. */
void disk_watch(const char *data, int64_t reserve);
void disk_forget(void); /* after writer_stop(): nobody looks, and nothing is refused */

/* How a write ended, whatever it was of: RC_FULL and RC_UNWRITABLE count, all else says nothing. Any thread. */
void disk_note(enum rc rc);
/* RC_OK, or why changes are refused: RC_FULL, RC_UNWRITABLE. Any thread, waits for nobody. */
enum rc disk_state(void);
/* The same with its sentence. */
enum rc disk_check(struct err *e);

#endif
