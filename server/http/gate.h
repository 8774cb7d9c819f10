/*
 * gate.h - who asks, and whether he may: settled on the loop thread, from memory, before anything is queued.
 *
 *     Authorization: Bearer TOKEN     anywhere; where the answer is the same for all (R_CACHED) it gives nothing, but must be good
 *     a cookie (cookie.h)             on pages alone, and never where an Authorization came too
 *     the admin socket                the operator
 *
 * What a credential is worth is not known here: whoever knows sets struct gate_source.
 */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include <h2o.h>

#include "server/base/verdict.h"
#include "server/http/proxy.h"
#include "server/http/route.h"
#include "server/http/send.h"

struct gate_source {
    const struct networks *
        staff; /* copied: what else there is than reading and oneself is allowed from there only; NULL, or none: from anywhere */
    /*
     * Who holds this credential: fills *out, whose scopes lie in `mem`, or RC_UNAUTHORIZED. On any loop, from memory
     * alone. `cookie`: a browser brought it.
     */
    enum rc (*know)(struct err *e, struct arena *mem, const char *credential, bool cookie,
                    struct actor *out);
    /* One request more of who came with a key: false if a quota of the key is spent. What is told of them goes to `out`. NULL: there are none. */
    bool (*charge)(const struct actor *who, struct verdict out[VERDICTS]);
    /* A party's request was answered; `r` may be NULL. NULL: nobody is told. */
    void (*told)(const struct actor *who, const struct route *r, int status, int64_t ms);
};

void gate_set(const struct gate_source *s); /* before the loops start; NULL: nobody is known */

struct knock {
    const h2o_req_t *req;
    const struct route *route;
    enum origin origin;
    const struct sockaddr *client;
    bool secure; /* TLS reaches to the client, from us or from a trusted proxy */
    bool
        is_edge; /* it knows nobody, so a token for another server hinders nobody from reading */
    struct arena *mem;
    struct err *err;
    struct reply *rp; /* gets what a client should know of a refusal */
};

/*
 * RC_UNAUTHORIZED: a bearer token that is not good. A cookie that is not good is as none. Who asks from outside of the staff's
 * networks has the rights of everybody, SELF and ACT.
 */
enum rc gate_know(const struct knock *k, struct actor *out);
/* RC_UNAUTHORIZED, RC_FORBIDDEN unless he may call the route. */
enum rc gate_check(const struct knock *k, const struct actor *who);
/* *n verdicts of the key he came with; RC_TOO_MANY. Who came with none has none. */
enum rc gate_charge(struct err *e, const struct actor *who, struct verdict out[VERDICTS],
                    int *n);
void gate_tell(const struct actor *who, const struct route *r, int status, int64_t ms);

#endif
