/*
 * upstream_page.h - a browser signs in by another's word.
 */
#ifndef API_UPSTREAM_PAGE_H
#define API_UPSTREAM_PAGE_H

#include "server/http/route.h"

enum rc prepare_upstream_with(struct work *w, struct request *rq);
enum rc get_upstream_with(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_upstream_link(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_upstream_from(struct work *w, struct request *rq);
enum rc get_upstream_from(struct work *w, const struct request *rq, struct reply *rp);

#endif
