/*
 * dz.h - a catch-up whose corrections travel as differences (docs/protocol/sync.md section 6).
 */
#ifndef SYNC_DZ_H
#define SYNC_DZ_H

#include "server/base/buf.h"
#include "server/base/work.h"
#include "sync/wire.h"

/*
 * Appends the body of the URL `u` (of kind WIRE_URL_LOG) to a heap buffer, bit for bit the same
 * each time. The caller has checked the URL and the size of the records, and holds a snapshot.
 */
enum rc dz_make(struct work *w, int64_t stream, const struct wire_url *u, struct buf *out);

#endif
