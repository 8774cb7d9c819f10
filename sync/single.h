/*
 * single.h - one item alone: its record, and where it stands (docs/protocol/sync.md section 7).
 */
#ifndef SYNC_SINGLE_H
#define SYNC_SINGLE_H

#include "sync/live.h"
#include "sync/wire.h"

/*
 * The body of the URL `u` (of kind WIRE_URL_ITEM), in w->mem: a pack of one record. RC_GONE if
 * the item has a newer version, RC_NOT_FOUND if it never had this one, or for another epoch.
 * `w` reads.
 */
enum rc single_record(struct work *w, struct live *l, const struct wire_url *u, const char **p,
                      size_t *n);
/* "born seq\n" of the item `id`, in w->mem. RC_NOT_FOUND if it was never published here. */
enum rc single_place(struct work *w, struct live *l, const uint8_t id[WIRE_ID], const char **p,
                     size_t *n);

#endif
