/*
 * search.h - the published library searched, for programs and for people; and its 公开目录.
 */
#ifndef API_SEARCH_H
#define API_SEARCH_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/http/route.h"

extern const struct param search_params[], suggest_params[], catalogue_params[],
    search_page_params[];

enum rc get_search(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_suggestions(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_catalogue(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_search_page(struct work *w, const struct request *rq, struct reply *rp);

/* Appends a box to search with; `q` is what stands in it, NULL: nothing. */
void search_box(struct buf *out, const char *q, bool large);

#endif
