/*
 * feeds.h - /feeds: the library for readers of feeds (docs/feeds.md).
 */
#ifndef API_FEEDS_H
#define API_FEEDS_H

#include "api/feed_read.h"
#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_feed(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_feed_archive(struct work *w, const struct request *rq, struct reply *rp);
/*
 * The feed with that path, in its one spelling, and its format: "/feeds/columns/17.atom". RC_NOT_FOUND: none has it; a search and an archive have none that is
 * counted on. A theme is found whether or not anything has it.
 */
enum rc feed_at(struct work *w, const char *path, struct feed_source *of,
                const struct feed_format **as);
enum rc get_feeds_page(struct work *w, const struct request *rq, struct reply *rp);

#endif
