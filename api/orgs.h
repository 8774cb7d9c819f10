/*
 * orgs.h - organisations: everybody reads them, editors change them.
 */
#ifndef API_ORGS_H
#define API_ORGS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_orgs(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_org(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_org(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_org(struct work *w, const struct request *rq, struct reply *rp);

#endif
