/*
 * duplicates.h - texts that another site has: for who reviews, for who handed one in, and all of them (docs/ingest.md).
 */
#ifndef API_DUPLICATES_H
#define API_DUPLICATES_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/library/item.h"

enum rc get_duplicates(struct work *w, const struct request *rq, struct reply *rp);
/* Adds the member "duplicates" of a text: an array, empty where there is none. On a worker. */
enum rc duplicates_put(struct work *w, struct buf *b, const struct content *c,
                       const struct item *it);

#endif
