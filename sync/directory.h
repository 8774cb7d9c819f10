/*
 * directory.h - the two small objects that a head names beside the index: ancestry and
 * directory (docs/protocol/sync.md section 7).
 */
#ifndef SYNC_DIRECTORY_H
#define SYNC_DIRECTORY_H

#include "server/base/id.h"
#include "server/base/work.h"

/*
 * Makes the object as it stands now and tells its hash. It is stored unless it is `held` (NULL:
 * none), the one that the newest head names. Inside a transaction.
 */
enum rc ancestry_make(struct work *w, int64_t stream, const uint8_t *held,
                      uint8_t hash[HASH_BYTES]);
enum rc directory_make(struct work *w, int64_t stream, const uint8_t *held,
                       uint8_t hash[HASH_BYTES]);

#endif
