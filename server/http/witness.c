/*
 * witness.c - passes on what the edge sees.
 */
#include "server/http/witness.h"

static struct witness told;

void witness_set(const struct witness *w)
{
    told = w ? *w : (struct witness){ 0 };
}

enum rc witness_tell(struct work *w, const struct route *r, const struct request *rq,
                     const struct reply *rp)
{
    return r->act && told.done ? told.done(w, r, rq, rp) : RC_OK;
}

enum rc witness_handle(struct work *w, const struct route *r, const struct request *rq,
                       struct reply *rp)
{
    enum rc rc = told.handle ? told.handle(w, r, rq, rp) : r->handler(w, rq, rp);

    return rc ? rc : witness_tell(w, r, rq, rp);
}

void witness_refuse(const struct route *r, const struct actor *who, const char *client,
                    enum rc why)
{
    if (told.refused && (why == RC_UNAUTHORIZED || why == RC_FORBIDDEN || why == RC_UNLISTED))
        told.refused(r, who, client, why);
}
