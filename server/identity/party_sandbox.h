/*
 * party_sandbox.h - what a program's requests would have shown, for its owner to read: they were tried and taken back (party_reach.h).
 *
 * A row for each account that would have been told something, with what it would have been told; of a request that tells nobody by name, what was answered. Sealed
 * at rest, for it names people.
 */
#ifndef IDENTITY_PARTY_SANDBOX_H
#define IDENTITY_PARTY_SANDBOX_H

#include "server/base/work.h"

enum {
    SANDBOX_ROWS = 200,           /* that are kept of a party */
    SANDBOX_KEPT = 7 * 86400,     /* seconds: server/retention.def */
    SANDBOX_SHOWN_MAX = 16 * 1024 /* bytes of each; what is longer is cut */
};

struct sandbox_request {
    const char *method, *route; /* as the table of routes has it */
    int status;
    const char *answer; /* NULL: nothing */
    size_t answer_len;
};

/* On the writer, when all that the request did was taken back: writes down whom w->reached names, or the answer. */
enum rc party_sandbox_add(struct work *w, const struct sandbox_request *r);

struct sandbox_row {
    int64_t no, at, account; /* account 0: nobody by name */
    const char *method, *route, *kind;
    int status;
    bool cut;
    const char *shown; /* NULL: it was taken away from him */
};
/* The newest first, below `before` (0: the newest of all), at most `most`, in w->mem. Whether he may read it is the caller's to say. */
enum rc party_sandbox_list(struct work *w, int64_t party, int64_t before, int most,
                           struct sandbox_row **out, int *n);

#endif
