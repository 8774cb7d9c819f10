/*
 * sandbox.h - requests of programs that are only tried (server/identity/party_reach.h), and what they would have shown.
 */
#ifndef API_SANDBOX_H
#define API_SANDBOX_H

#include "server/http/route.h"

extern const struct param sandbox_params[];

/* Calls the handler, on the writer. Of what is only tried the answer stays, with the header `sandbox: true`, and nothing else but a row of the sandbox. */
enum rc sandbox_handle(struct work *w, const struct route *r, const struct request *rq,
                       struct reply *rp);

enum rc get_sandbox(struct work *w, const struct request *rq, struct reply *rp);

#endif
