/*
 * service.h - the server speaks of itself: alive, ready, numbers, version, its own interface.
 */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_healthz(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_readyz(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_metrics(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_version(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_openapi(struct work *w, const struct request *rq, struct reply *rp);

#endif
