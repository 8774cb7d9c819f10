/*
 * audit_mark.h - how far the audit log had come: in memory, and in DATA/audit-mark.
 *
 * Number and chain of the newest row, noted after each COMMIT. Who changes the database behind the server's back can put back the end that it had an hour ago, which was genuine then; what
 * stands outside of it he does not reach. The file is not fsynced: after a loss of power it may be older than the log, and never newer.
 *
 *     NUMBER CHAIN        20 digits, 64 hex digits
 */
#ifndef IDENTITY_AUDIT_MARK_H
#define IDENTITY_AUDIT_MARK_H

#include "server/base/work.h"
#include "server/identity/audit.h"

/* For who writes the log. RC_IO. What does not read as a mark counts as none. */
enum rc audit_mark_open(struct err *e, const char *data);
void audit_mark_close(void); /* accepts not being open */

/* After COMMIT it is so, unless it was further already. Accepts not being open. */
void audit_mark_later(struct work *w, const struct audit_end *end);
/* The newest, and whether this process wrote that row; false: nothing was noted, or it is not open. On the writer's thread. */
bool audit_mark(struct audit_end *out, bool *own);

/* As the file of that directory has it, for who only reads; false: there is none. */
bool audit_mark_read(const char *data, struct audit_end *out);

#endif
