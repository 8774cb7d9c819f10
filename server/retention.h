/*
 * retention.h - what is thrown away when, so that no table grows with rows that are over: the table is retention.def.
 */
#ifndef SERVER_RETENTION_H
#define SERVER_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

struct db;

/* Before the writer starts. `audit_keep` (ms): for so long rows may name an account that became a part of another. */
void retention_open(int64_t audit_keep_ms);
/* At most RETENTION_BATCH rows of each kind. True: all that was due is gone. On the writer's thread. */
enum { RETENTION_BATCH = 1000 };
bool retention_run(struct db *db);
/* For a writer_tick of a second: once a minute, and every second as long as there is more. */
void retention_tick(struct db *db, void *unused);

/* For docs and tests. */
struct retention {
    const char *table, *rule;
    int64_t
        keep; /* seconds after the time that its statement looks at; -1: until what it named is gone from the audit log */
};
const struct retention *retention_rows(int *n);

#endif
