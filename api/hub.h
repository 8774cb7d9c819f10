/*
 * hub.h - POST /hub: who wants to be told of a feed's news (docs/feeds.md, WebSub), and what the hub says.
 */
#ifndef API_HUB_H
#define API_HUB_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/websub/websub_hub.h"

/* Feeds as the hub's thread asks for them. */
extern const struct websub_feeds hub_feeds;
/* Whether callbacks may lie in our own network; before the first request. */
void hub_open(bool private_net);

enum rc prepare_hub(struct work *w, struct request *rq);
enum rc post_hub(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_websub(struct work *w, const struct request *rq, struct reply *rp);

#endif
