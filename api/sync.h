/*
 * sync.h - the public side of delta-sync: docs/protocol/sync.md over HTTP.
 */
#ifndef API_SYNC_H
#define API_SYNC_H

#include "server/http/route.h"

extern const struct param sync_stream_params[], sync_twin_params[], sync_log_params[],
    sync_object_params[], sync_item_params[], sync_place_params[], sync_cover_params[],
    sync_tile_params[];

enum rc get_sync_keys(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sync_heads(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sync_heads_of(struct work *w, const struct request *rq, struct reply *rp);
/* A new key, its line in the chain, and a head that it signs. */
enum rc post_key_rotate(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sync_head(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sync_twin(struct work *w, const struct request *rq, struct reply *rp);
/* A catch-up, an object, a cover, a tile or an item: its URL says which. */
enum rc get_sync_bytes(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sync_place(struct work *w, const struct request *rq, struct reply *rp);

#endif
