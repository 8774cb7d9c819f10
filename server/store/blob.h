/*
 * blob.h - pictures and attachments: files named by the SHA-256 of their bytes.
 *
 * `data` is the data directory; the files stand in DATA/blobs. A blob is there whole, on the
 * disk and with the right bytes, or not at all. Functions may be called on any thread and from
 * several processes.
 */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/err.h"
#include "server/base/id.h"

enum {
    BLOB_MAX = 64 * 1024 * 1024, /* bytes of one blob */
    BLOB_CHUNK_MAX = 256 * 1024, /* bytes of one chunk */
    BLOB_SHELVES = 256,          /* directories, by the first byte of the hash */
};

/* Stores `n` bytes that must have this hash: RC_INVALID if they have not, RC_TOO_LARGE. Having
 * it already is fine. */
enum rc blob_put(struct err *e, const char *data, const uint8_t hash[HASH_BYTES], const void *p,
                 size_t n);

/*
 * Stores a blob of `size` bytes piece by piece: `n` bytes at `offset`, which must be what is
 * there already. *have becomes how many bytes are there now; `size` means that the blob is
 * complete. n 0 only asks.
 *
 * RC_CONFLICT: the offset is another one, and *have is the right one. RC_BUSY: another sender's
 * piece is being written, ask again. RC_INVALID: with this piece the blob is complete and its
 * hash is wrong; what was there is gone, *have is 0. RC_TOO_LARGE.
 */
enum rc blob_chunk(struct err *e, const char *data, const uint8_t hash[HASH_BYTES],
                   int64_t size, int64_t offset, const void *p, size_t n, int64_t *have);

/* Opens it for reading; the caller closes *fd. RC_NOT_FOUND. */
enum rc blob_open(struct err *e, const char *data, const uint8_t hash[HASH_BYTES], int *fd,
                  int64_t *size);
bool blob_exists(const char *data, const uint8_t hash[HASH_BYTES]);
/* Drops what came of it in pieces: it turned out to be of something else. */
void blob_forget_part(const char *data, const uint8_t hash[HASH_BYTES]);
/* RC_NOT_FOUND. */
enum rc blob_remove(struct err *e, const char *data, const uint8_t hash[HASH_BYTES]);
/*
 * The blobs in one of the BLOB_SHELVES of the directory that nobody has sent since `before` (seconds since 1970): of at most `most` the hashes, *n how many.
 */
enum rc blob_shelf(struct err *e, const char *data, int shelf, int64_t before, int most,
                   uint8_t (*out)[HASH_BYTES], int *n);
/* Removes what was begun and not touched since `before` (seconds since 1970); *n is how many.
 */
enum rc blob_sweep(struct err *e, const char *data, int64_t before, int *n);

#endif
