/*
 * audit_verify.h - is the audit log what was written?
 */
#ifndef IDENTITY_AUDIT_VERIFY_H
#define IDENTITY_AUDIT_VERIFY_H

#include "server/base/work.h"

struct audit_sum {
    int64_t rows, first, last; /* first, last: numbers; 0: there are no rows */
    int64_t heads;             /* signatures that hold */
    int64_t removed;           /* rows before the boundary: kept their time */
    int64_t lost;              /* rows that a restore lost, and audit.cut tells of */
    int64_t faults;
};

/*
 * Reads every row, and every signature in the table and in DATA/audit-heads, or the file `heads` instead of it: a
 * copy that was kept elsewhere. Calls fault(arg, no, sentence) for each row, or signature of one, that is not as it was written. May run beside the server.
 * The keys were loaded (audit_head_load_public). RC_CORRUPT if there was a fault.
 */
enum rc audit_verify(struct work *w, const char *heads,
                     void (*fault)(void *arg, int64_t no, const char *text), void *arg,
                     struct audit_sum *out);

#endif
