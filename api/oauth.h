/*
 * oauth.h - what the endpoints for programs have in common: who the program is, and how it is told of errors (RFC 6749).
 */
#ifndef API_OAUTH_H
#define API_OAUTH_H

#include "server/http/form.h"
#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/identity/grant_client.h"

/* A request of a program, read and checked as far as is the same for all. */
struct oauth_call {
    struct form form;
    struct grant_client client;
    const char *error; /* NULL: none. RFC 6749 section 5.2; w->err says why */
    int64_t wait;      /* seconds, where its key has no request left; else 0 */
};

/*
 * The form, and the program: by its key in Authorization (Basic) or in the form, or by its name alone if it has none. What is wrong
 * stands in *out, for the handler to answer. A key that is shown is charged, and is the one this request stands under in its party's log.
 */
void oauth_read(struct work *w, const struct request *rq, struct oauth_call *out);
/* NULL: absent. */
const char *oauth_text(const struct oauth_call *c, const char *name);
/* The error as JSON: 401 for invalid_client, 429 for a key that must wait, else 400. */
void oauth_refuse(struct work *w, const struct request *rq, struct reply *rp,
                  const struct oauth_call *c, const char *error);
/* A good answer, no-store. */
void oauth_reply(struct reply *rp, const struct buf *b);

/* ---- what a browser brings of a program ---- */

/* *location: `path` with the request parked behind ?ask=. RC_INVALID: it is too long. */
enum rc oauth_park(struct work *w, const char *path, const char *query, size_t n,
                   const char **location);
/* The request itself, fresh or parked; then *ask is its name, and *since when it came. */
enum rc oauth_query(struct work *w, const struct request *rq, const char **query,
                    const char **ask, int64_t *since);
void oauth_send(struct reply *rp, const char *location); /* 303, and tells nobody from where */

/* ---- the endpoints ---- */

enum rc prepare_authorize(struct work *w, struct request *rq);
enum rc get_authorize(struct work *w, const struct request *rq, struct reply *rp);
/* A request that is posted comes without the browser's cookie if another site made it do so (SameSite=Lax): it is parked, and the browser comes back at once, with ?ask=. */
enum rc post_parked(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_grant(struct work *w, struct request *rq);
enum rc post_grant(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_device(struct work *w, struct request *rq);
enum rc post_device(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_introspect(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_revoke(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_call(struct work *w, struct request *rq);
enum rc get_userinfo(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_oidc_configuration(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_oidc_keys(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_logout(struct work *w, struct request *rq);
enum rc get_logout(struct work *w, const struct request *rq, struct reply *rp);

#endif
