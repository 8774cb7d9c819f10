/*
 * idempotency.h - a mutation that is sent again with the same Idempotency-Key happens once, and
 * both get the same answer.
 *
 * Kept a day, by the actor's name and the key, in the transaction of the effect itself: there
 * is no moment at which one is there without the other. Only what succeeded is kept; what
 * failed changed nothing and may be tried again.
 */
#ifndef HTTP_IDEMPOTENCY_H
#define HTTP_IDEMPOTENCY_H

#include "server/http/route.h"

/*
 * Runs the handler inside the writer's savepoint, or replays what it answered before (with the
 * header idempotency-replayed: true). RC_UNPROCESSABLE: the key was used for another method,
 * target or body.
 */
enum rc idempotency_run(struct work *w, const struct route *r, const struct request *rq,
                        struct reply *rp);
enum { IDEMPOTENCY_KEPT = 24 * 60 * 60 }; /* seconds: server/retention.def */

#endif
