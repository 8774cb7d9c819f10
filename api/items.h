/*
 * items.h - what everybody may read of the items.
 */
#ifndef API_ITEMS_H
#define API_ITEMS_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/library/item.h"

enum rc get_items(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_column_items(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_item(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_revisions(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_revision(struct work *w, const struct request *rq, struct reply *rp);

/* The query of a request with ?n= ?cursor= ?since= ?until=. RC_INVALID names the parameter. */
enum rc items_query(struct work *w, const struct request *rq, struct item_query *out);
/* A "Link: <…>; rel=next" for the page that follows, with the request's other parameters;
 * nothing on the last page. */
void items_link_next(struct work *w, const struct request *rq, const char *next,
                     struct reply *rp);

#endif
