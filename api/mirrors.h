/*
 * mirrors.h - whom this server follows (docs/mirror.md), and what of it is not shown.
 */
#ifndef API_MIRRORS_H
#define API_MIRRORS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_mirrors(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_mirror(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_mirror(struct work *w, const struct request *rq, struct reply *rp);
/* The last segment of the path is withhold or unwithhold. */
enum rc post_withhold(struct work *w, const struct request *rq, struct reply *rp);

#endif
