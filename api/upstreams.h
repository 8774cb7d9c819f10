/*
 * upstreams.h - signing in by another's word, for apps: docs/protocol/auth.md. For browsers: upstream_page.h.
 */
#ifndef API_UPSTREAMS_H
#define API_UPSTREAMS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_upstreams(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_upstream_start(struct work *w, struct request *rq);
enum rc post_upstream_start(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_upstream(struct work *w, struct request *rq);
enum rc post_upstream(struct work *w, const struct request *rq, struct reply *rp);

/* Prepared by prepare_upstream() like the other. */
enum rc post_my_upstream(struct work *w, const struct request *rq, struct reply *rp);

#endif
