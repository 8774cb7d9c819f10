/*
 * log_world.h - an audit log in a directory of its own: rows, signatures with both algorithms, and what is found of it.
 */
#ifndef TESTS_LOG_WORLD_H
#define TESTS_LOG_WORLD_H

#include "server/identity/audit.h"
#include "server/identity/audit_verify.h"
#include "tests/lib/library_world.h"

enum { ROWS = 43, HEAD_EVERY = 10, DAY = 86400 };

int log_set_up(void **state);
int log_tear_down(void **state);
void log_restart(struct library_world *t); /* as another process finds it, before it settles */
const char *log_file(struct library_world *t); /* of signatures */

/* Inside a transaction. */
void log_put(struct library_world *t, enum audit_action action, const char *object);
void log_add(struct library_world *t, enum audit_action action, const char *object);
void log_sign(struct library_world *t);
void log_settle(struct library_world *t);
/* Rows of every form, a signature every so often, and three rows that none covers yet. */
void log_live(struct library_world *t, int rows);

/* How many faults, and the first. */
struct seen {
    int n;
    int64_t no;
    char text[300];
    struct audit_sum sum;
};
struct seen log_look(struct library_world *t);
void log_assert_whole(struct library_world *t);

#endif
