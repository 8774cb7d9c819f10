/*
 * pages.h - the pages that lead to articles, and what every page needs.
 */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_home(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_home_large(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_directory(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_column_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_style(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_favicon(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_robots(struct work *w, const struct request *rq, struct reply *rp);

#endif
