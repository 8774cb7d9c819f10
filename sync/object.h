/*
 * object.h - things known by the SHA-256 of their bytes (docs/protocol/sync.md section 7):
 * small texts are rows, packs are files.
 *
 *     DATA/objects/ab/abcd…64      identity
 *     DATA/objects/ab/abcd…64.gz   gzip
 *     DATA/objects/ab/abcd…64.zst  zstd
 *
 * A file is there whole or not at all, and all three are durable before an index names them.
 */
#ifndef SYNC_OBJECT_H
#define SYNC_OBJECT_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/wire.h"

/* Stores a text as a row (kind: ancestry, directory, index) under its hash. Inside a
 * transaction. */
enum rc object_put(struct work *w, int64_t stream, const char *kind, const void *p, size_t n,
                   uint8_t hash[HASH_BYTES]);
/*
 * Removes rows that were superseded before `horizon` (seconds; INT64_MAX: at any time), and
 * whatever is older than the `most` newest (0: no such limit), but never `current`.
 */
enum rc object_expire(struct work *w, int64_t stream, const char *kind, const uint8_t *current,
                      int64_t horizon, int most);

/* Writes the three files of a pack unless they are there, and fills hash and sizes of `out`.
 * `level` is zstd's. */
enum rc object_write(struct err *e, const char *data, const void *p, size_t n, int level,
                     struct wire_object *out);
/* Whether all three files are there. */
bool object_exists(struct arena *mem, const char *data, const uint8_t hash[HASH_BYTES]);
/* Any object, in `mem`. RC_NOT_FOUND. */
enum rc object_read(struct work *w, const char *data, const uint8_t hash[HASH_BYTES],
                    enum wire_encoding encoding, const char **p, size_t *n);
/*
 * Removes the files of all objects that no stored index of any stream names, and what a crash
 * left half-made. Only for the one who writes objects, while he does not. `w` reads.
 */
enum rc object_sweep(struct work *w, const char *data, int64_t stream, int *removed);

#endif
