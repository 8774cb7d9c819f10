/*
 * sync.h - runs of the pull engine. Inside libtjzw only.
 */
#ifndef TJZW_SYNC_H
#define TJZW_SYNC_H

#include "clients/c/link.h"

/* How a run differs from the usual one. */
struct run {
    const char *twin;    /* a head that a hint named; NULL: the newest */
    const uint8_t *item; /* WIRE_ID: fetch this older item instead; NULL: sync */
    bool in_steps;       /* what is fetched is shown piece by piece, in bounded memory */
};

/* Adds to `out`; notes when it was and how it went. */
enum tjzw_code sync_stream(struct link *l, struct stream *s, const struct run *run,
                           struct tjzw_sync_result *out, struct tjzw_error *e);
/* When the next sync of this stream may be, by this device's clock; at most now if it may be. */
int64_t sync_due(const struct stream *s, int64_t now);

/* A link_fn for who is on this phone: the exchange, and what was read, if he agreed to tell it. */
enum tjzw_code sync_me(struct link *l, const void *none, struct tjzw_sync_result *out,
                       struct tjzw_error *e);

/* blob.c: after a sync, blobs that nothing shown names any more go. */
enum tjzw_code blob_weed(struct tjzw *t, struct tjzw_error *e);

#endif
