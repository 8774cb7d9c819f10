/*
 * directory.h - the small texts that are objects: ancestry and directory, which a head names
 * beside the index, and withheld, which the list of heads names (docs/protocol/sync.md section 7).
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

/* The list of items of a stream that are not shown here; !*any: there are none, and no object. */
enum rc withheld_make(struct work *w, int64_t stream, const uint8_t *held, bool *any,
                      uint8_t hash[HASH_BYTES]);

#endif
