/*
 * tile.h - the children of one node of the tree (docs/protocol/sync.md section 7).
 */
#ifndef SYNC_TILE_H
#define SYNC_TILE_H

#include "sync/live.h"
#include "sync/wire.h"

/* The body of the URL `u` (of kind WIRE_URL_TILE), in w->mem. RC_NOT_FOUND unless the node has
 * this value now. `w` reads. */
enum rc tile_make(struct work *w, struct live *l, const struct wire_url *u, const char **p,
                  size_t *n);

#endif
