/*
 * witness.h - who is told of what was done over HTTP, and of what was refused: the audit log, which this layer does
 * not know.
 */
#ifndef HTTP_WITNESS_H
#define HTTP_WITNESS_H

#include "server/http/route.h"

struct witness {
    /* Calls the handler on the writer, in the savepoint of its request; NULL: it is called. What is only tried is taken back here (api/sandbox.h). */
    enum rc (*handle)(struct work *w, const struct route *r, const struct request *rq,
                      struct reply *rp);
    /* A route with an `act` succeeded. On the writer: in the transaction of its effect where it has one there, else in one of its
     * own, before the answer leaves. If this fails, so does the request. */
    enum rc (*done)(struct work *w, const struct route *r, const struct request *rq,
                    const struct reply *rp);
    /* 401 or 403; on a loop thread. `r` may be NULL. */
    void (*refused)(const struct route *r, const struct actor *who, const char *client,
                    enum rc why);
};

void witness_set(const struct witness *w); /* before the loops start; NULL: nobody is told */

/* Calls the handler, on the writer, and tells of it. */
enum rc witness_handle(struct work *w, const struct route *r, const struct request *rq,
                       struct reply *rp);
enum rc witness_tell(struct work *w, const struct route *r, const struct request *rq,
                     const struct reply *rp);
void witness_refuse(const struct route *r, const struct actor *who, const char *client,
                    enum rc why);

#endif
