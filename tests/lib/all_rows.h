/*
 * all_rows.h - what a whole database holds, as a sum a table: to see that a request has changed nothing.
 *
 * Not counted: the sandbox, and what is written of every request (audit log, quotas, requests, answers for an Idempotency-Key). Counted beside the tables: the file of
 * takedowns, which no rollback takes back.
 */
#ifndef TESTS_ALL_ROWS_H
#define TESTS_ALL_ROWS_H

#include "tests/lib/service_world.h"

enum { ALL_ROWS_TABLES = 200 };

struct all_rows {
    char name[ALL_ROWS_TABLES][40];
    uint64_t sum[ALL_ROWS_TABLES];
    int n;
    int64_t journal; /* bytes */
};

/* Of the database of a service world. */
void all_rows_read(struct world *t, struct all_rows *out);
/* The first table that is not as it was then; NULL: none. */
const char *all_rows_changed(struct world *t, const struct all_rows *before);

#endif
