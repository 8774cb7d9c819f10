/*
 * outcome.h - what came of a request, as one block of memory: an answer, or why there is none; who reads it, and who
 * pays for it.
 *
 * Counted by references from any thread. What is in no cache and not read yet is bounded, for all and for each client:
 * a peer that takes no bytes keeps the answers it asked for.
 */
#ifndef HTTP_OUTCOME_H
#define HTTP_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http/reply.h"

struct arena;
struct crowd_client;

struct outcome {
    enum rc rc; /* RC_OK: rp is the answer */
    /* Its texts and bytes are part of this block. On failure only the extra headers and `also` count. */
    struct reply rp;
    const struct err *err; /* NULL unless rc */
    size_t size;
};

/* Copies everything. `shared`: a good answer without an ETag gets one made of its bytes. The caller holds the one
 * reference. */
struct outcome *outcome_new(enum rc rc, const struct reply *rp, const struct err *err,
                            bool shared);
struct outcome *outcome_ref(struct outcome *o);
void outcome_unref(struct outcome *o); /* accepts NULL */

/* The caller's reference is the reader's now, and goes with `mem`, his request's. `client`: NULL for nobody. */
void outcome_read(struct outcome *o, struct arena *mem, struct crowd_client *client);
/* Whether this client would be the one who pays, and has as much unread as it may. */
bool outcome_is_too_much(struct outcome *o, const struct crowd_client *client);
/* Whether there is room for one that was just made, whoever reads it; for a small one there nearly always is. */
bool outcome_has_room(const struct outcome *o);

/* For the cache: while it keeps one, nobody pays for it. */
void outcome_keep(struct outcome *o);
void outcome_let_go(struct outcome *o);

#endif
