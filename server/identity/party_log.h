/*
 * party_log.h - the last requests of each party, for its owner to read: never a query or a body.
 */
#ifndef IDENTITY_PARTY_LOG_H
#define IDENTITY_PARTY_LOG_H

#include "server/base/work.h"

enum { PARTY_LOG_MAX = 1000 }; /* that are kept of a party */

struct party_request {
    int64_t at_ms;
    int64_t key;                /* 0: it came with a session of a person */
    const char *method, *route; /* as the table of routes has it; "": it led nowhere */
    int status;
    int64_t ms;
};

/* Any thread; waits for nothing. method and route live for ever. */
void party_log_note(int64_t party, const struct party_request *r);
/* The newest first, as of some seconds ago. In w->mem. */
enum rc party_log_list(struct work *w, int64_t party, int most, struct party_request **out,
                       int *n);

struct db;
/* On the writer's thread, every few seconds: writes down what was noted, and when keys were used. */
void party_log_tick(struct db *db, void *unused);
void party_log_finish(void); /* before writer_stop(): the last of it */

#endif
