/*
 * columns.h - sites and their columns: everybody reads them, editors change them.
 */
#ifndef API_COLUMNS_H
#define API_COLUMNS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_sites(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_site(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_columns(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_column(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_site(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_site(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_site_rules(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_site_rule(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_column(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_column(struct work *w, const struct request *rq, struct reply *rp);

#endif
