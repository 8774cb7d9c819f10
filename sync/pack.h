/*
 * pack.h - records behind each other, and their encodings (docs/protocol/sync.md section 3).
 */
#ifndef SYNC_PACK_H
#define SYNC_PACK_H

#include <stdatomic.h>

#include "server/base/buf.h"
#include "server/store/db.h"
#include "sync/wire.h"

struct pack {
    struct buf body; /* header and records */
    uint32_t records;
    uint64_t first_born, last_born; /* of the first and the last record that were added */
    uint64_t lowest_seq, highest_seq;
};

/* An empty one on the heap; pack_done() frees it. */
void pack_init(struct pack *p, size_t room);
void pack_done(struct pack *p);
/*
 * The record of a row of which PACK_COLUMNS columns, from `first` on, are those of sync_catchup. What it
 * points to lives until the next row. RC_CORRUPT if its bytes are not those of its digest, RC_GONE if they
 * were purged.
 */
enum { PACK_COLUMNS = 12 };
struct pack_record {
    struct wire_frame f;
    uint8_t frame[WIRE_FRAME_MAX];
    size_t frame_n;
    const void *bytes;     /* f.length of them, never NULL */
    const uint8_t *digest; /* HASH_BYTES: of the bytes */
};
enum rc pack_record(struct err *e, const struct rows *q, int first, struct pack_record *out);
/* Adds the record of such a row, from its first column on. */
enum rc pack_add(struct err *e, struct pack *p, const struct rows *q);
/* The item and the change of such a row. */
int64_t pack_born(const struct rows *q);
int64_t pack_seq(const struct rows *q);
/* The number of records goes into the header. */
void pack_end(struct pack *p);

/* zstd's level for what is made while somebody waits, and for what is made once and fetched for
 * months. */
enum { PACK_WAIT = 12, PACK_HURRY = 9, PACK_BEST = 19 };

/* Appends p in that encoding, bit for bit the same every time. `level` is one of the above, for
 * gzip too. */
enum rc pack_encode(struct err *e, enum wire_encoding encoding, int level, const void *p,
                    size_t n, struct buf *out);
/*
 * The same bytes, or RC_BUSY soon after *stop was set by another thread; then what `out` holds behind its
 * end is nobody's. `stop` may be NULL.
 */
enum rc pack_encode_until(struct err *e, enum wire_encoding encoding, int level, const void *p,
                          size_t n, const atomic_bool *stop, struct buf *out);

#endif
