/*
 * search.h - the published library searched, for programs and for people; and its 公开目录.
 */
#ifndef API_SEARCH_H
#define API_SEARCH_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/http/route.h"

struct search_ask;

extern const struct param search_params[], search_feed_params[], suggest_params[],
    catalogue_params[], search_page_params[];

enum rc get_search(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_suggestions(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_catalogue(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_search_feed(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_search_page(struct work *w, const struct request *rq, struct reply *rp);

/* What is wanted, by the parameters of search_feed_params; all else of *out is 0. */
enum rc search_read(struct work *w, const struct request *rq, struct search_ask *out);

/* Appends a box to search with; `q` is what stands in it, NULL: nothing. */
void search_box(struct buf *out, const char *q, bool large);

#endif
