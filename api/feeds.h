/*
 * feeds.h - /feeds: the library for readers of feeds (docs/feeds.md).
 */
#ifndef API_FEEDS_H
#define API_FEEDS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_feed(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_feed_archive(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_feeds_page(struct work *w, const struct request *rq, struct reply *rp);

#endif
