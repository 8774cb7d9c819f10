/*
 * object.h - things known by the SHA-256 of their bytes (docs/protocol/sync.md section 7):
 * small texts are rows, packs are files.
 *
 *     DATA/objects/ab/abcd…64      identity
 *     DATA/objects/ab/abcd…64.gz   gzip
 *     DATA/objects/ab/abcd…64.zst  zstd
 *
 * A file is there whole or not at all, and all three are durable before an index names them.
 *
 *     never known --> named by an index --> superseded, a week --> gone
 *                                     \----- purged -------------> gone
 */
#ifndef SYNC_OBJECT_H
#define SYNC_OBJECT_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/recipe.h"
#include "sync/wire.h"

/* Stores a text as a row (kind: ancestry, directory, index, withheld) under its hash. Inside a
 * transaction. */
enum rc object_put(struct work *w, int64_t stream, const char *kind, const void *p, size_t n,
                   uint8_t hash[HASH_BYTES]);
/*
 * Removes rows that were superseded before `horizon` (seconds; INT64_MAX: at any time), and
 * whatever is older than the `most` newest (0: no such limit), but never `current`. They are
 * gone from then on.
 */
enum rc object_expire(struct work *w, int64_t stream, const char *kind, const uint8_t *current,
                      int64_t horizon, int most);
/* From the COMMIT on nobody gets it any more. Inside a transaction. */
enum rc object_gone(struct work *w, int64_t stream, const uint8_t hash[HASH_BYTES]);

/*
 * Writes the three files of a pack under its hash and fills hash, sizes and level of `out`, where
 * `level` is what is asked for. An object that has a row keeps its level and the files that are
 * there: its URLs have answered these bytes. RC_BUSY if *stop (may be NULL) was set meanwhile: some of
 * the files may be there then, as a crash would leave them. `w` reads.
 */
enum rc object_write(struct work *w, const char *data, int64_t stream, const void *p, size_t n,
                     const atomic_bool *stop, struct part *out);
/* Whether all three files are there and of their size. */
bool object_exists(struct arena *mem, const char *data, const struct wire_object *o);
/* Compares one file with what it should be, byte for byte, and writes it anew if `mend`. */
enum object_state { OBJECT_RIGHT, OBJECT_MISSING, OBJECT_DAMAGED };
enum rc object_check(struct err *e, const char *data, const uint8_t hash[HASH_BYTES],
                     enum wire_encoding encoding, const void *p, size_t n, bool mend,
                     enum object_state *out);
/*
 * Any object, in `mem`. RC_NOT_FOUND: never known; RC_GONE: purged, or superseded long ago;
 * RC_BUSY: its file is missing and will be made again.
 */
enum rc object_read(struct work *w, const char *data, const uint8_t hash[HASH_BYTES],
                    enum wire_encoding encoding, const char **p, size_t *n);
void object_unlink(struct arena *mem, const char *data, const uint8_t hash[HASH_BYTES]);

/* Hashes, sorted, each once. */
struct hashes {
    uint8_t (*hash)[HASH_BYTES];
    size_t n;
};
bool hashes_have(const struct hashes *h, const uint8_t hash[HASH_BYTES]);
/* Those that the stored indexes of a stream name. */
enum rc object_named(struct work *w, int64_t stream, struct hashes *out);
/* A build, of any stream, begins (1) or ends (-1): a sweep must not take what it is writing. */
void object_writing(int by);
/*
 * Removes the files that no stored index of any stream names, those of gone objects, and what a
 * crash left half-made. Nothing while more builds are under way than the caller's own, `mine`: the last of them
 * sweeps. `w` reads.
 */
enum rc object_sweep(struct work *w, const char *data, int mine, int *removed);

#endif
