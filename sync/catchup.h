/*
 * catchup.h - what changed between two states, as one pack (docs/protocol/sync.md section 6).
 */
#ifndef SYNC_CATCHUP_H
#define SYNC_CATCHUP_H

#include "sync/live.h"
#include "sync/wire.h"

/*
 * The body of the URL `u` (of kind WIRE_URL_LOG), in w->mem, the same bytes whenever it is
 * asked for. RC_INVALID for a `from` that no cursor rounds to, RC_NOT_FOUND if no head of that
 * state is in its lease, RC_GONE for an older cut, RC_TOO_LARGE above 64 MiB. `w` reads.
 */
enum rc catchup_make(struct work *w, struct live *l, const struct wire_url *u, const char **p,
                     size_t *n);

#endif
