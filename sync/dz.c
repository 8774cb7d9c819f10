/*
 * dz.c - most changes are small corrections of something the reader holds.
 *
 *     record at `to` --+--> its frame --------------------------------> section (one zstd frame)
 *                      +--> its bytes --[a delta pays]--> deltas (a zstd frame each)
 *                                     \-------------------------------> section
 *
 * The prefix of a delta is the record as of `from`, if its bytes are still here. A purge removed
 * them, or a mirror never had them: then the record goes into the section whole, where its
 * neighbours help to compress it.
 *
 * A URL is for all cursors that round to `from`. An item that changed among them and again later has
 * no one prefix that all hold: it goes whole too, or each of them would ask for it alone.
 *
 * A delta pays if it has less than half of what the record costs alone: in the section, among its
 * like, a record costs about that half.
 */
#include "sync/dz.h"

#include <inttypes.h>
#include <string.h>

#include <zstd.h>

#include "server/base/id.h"
#include "server/store/db.h"
#include "sync/pack.h"

enum { C_PREFIX_DIGEST = PACK_COLUMNS, C_PREFIX };
enum { WHOLE, DELTA }; /* how */

struct dz {
    uint32_t records;
    struct buf section, deltas;
    ZSTD_CCtx *zstd;
    struct buf room; /* for one delta */
};

static void put_be32(uint8_t *out, size_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* docs/sync.md, "Numbers behind the constants": somebody waits, some 60 ms at most. */
enum {
    ALONE_LEVEL = 1,
    DELTA_LEVEL = 6,
    SECTION_LEVEL = 18,
    SMALL = 192 << 10,
    LARGE = 1 << 20
};

static int section_level(size_t n)
{
    return n <= SMALL ? SECTION_LEVEL : n <= LARGE ? PACK_WAIT : PACK_HURRY;
}

static enum rc dz_open(struct err *e, struct dz *d)
{
    *d = (struct dz){ .zstd = ZSTD_createCCtx() };
    return d->zstd ? RC_OK : err_set(e, RC_INTERNAL, "zstd cannot start");
}

static void dz_close(struct dz *d)
{
    buf_done(&d->section);
    buf_done(&d->deltas);
    buf_done(&d->room);
    ZSTD_freeCCtx(d->zstd);
}

/* The row's prefix, if its bytes are those that were published, and their SHA-256. */
static const void *prefix_of(const struct rows *q, size_t *n, uint8_t hash[HASH_BYTES])
{
    size_t digest_n = 0;
    const void *digest = rows_blob(q, C_PREFIX_DIGEST, &digest_n);
    const void *bytes = rows_blob(q, C_PREFIX, n);

    if (!bytes || digest_n != HASH_BYTES)
        return NULL;
    sha256(bytes, *n, hash);
    return memcmp(hash, digest, HASH_BYTES) ? NULL : bytes;
}

/* Compresses into d->room; its size, or SIZE_MAX. */
static size_t squeeze(struct dz *d, int level, const void *prefix, size_t prefix_n,
                      const void *bytes, size_t n)
{
    size_t most = ZSTD_compressBound(n), done;

    buf_reserve(&d->room, most);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_refPrefix(d->zstd, prefix, prefix_n)))
        return SIZE_MAX;
    done = ZSTD_compress2(d->zstd, d->room.p, most, bytes, n);
    return ZSTD_isError(done) ? SIZE_MAX : done;
}

/* Adds the record's bytes as a delta, if that pays. */
static bool add_delta(struct dz *d, const struct rows *q, const void *bytes, size_t n)
{
    uint8_t hash[HASH_BYTES], size[4];
    size_t prefix_n = 0, alone, delta;
    const void *prefix = n ? prefix_of(q, &prefix_n, hash) : NULL;

    if (!prefix)
        return false;
    alone = squeeze(d, ALONE_LEVEL, NULL, 0, bytes, n);
    delta = squeeze(d, DELTA_LEVEL, prefix, prefix_n, bytes, n);
    if (delta >= n || WIRE_DZ_NAME + sizeof size + delta > alone / 2)
        return false;
    put_be32(size, delta);
    buf_addc(&d->section, DELTA);
    buf_add(&d->section, hash, WIRE_DZ_NAME);
    buf_add(&d->section, size, sizeof size);
    buf_add(&d->deltas, d->room.p, delta);
    return true;
}

static enum rc add(struct err *e, struct dz *d, const struct rows *q)
{
    struct pack_record r;
    enum rc rc = pack_record(e, q, &r);

    if (rc)
        return rc;
    buf_add(&d->section, r.frame, r.frame_n);
    if (!add_delta(d, q, r.bytes, r.f.length)) {
        buf_addc(&d->section, WHOLE);
        buf_add(&d->section, r.bytes, r.f.length);
    }
    d->records++;
    return RC_OK;
}

/* The highest cursor that may round to `from`. */
static uint64_t last_cursor(const struct wire_url *u)
{
    unsigned k = 0;

    while (u->to - u->from >= (uint64_t)16 << k)
        k++;
    return u->from + ((uint64_t)1 << k) - 1;
}

static enum rc collect(struct work *w, struct dz *d, int64_t stream, const struct wire_url *u)
{
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_sync_dz, &q, "iiii", stream, (int64_t)u->from, (int64_t)u->to,
                       (int64_t)last_cursor(u))))
        return rc;
    while (!rc && rows_next(&q))
        rc = add(&w->err, d, &q);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc finish(struct err *e, struct dz *d, struct buf *out)
{
    uint8_t header[WIRE_DZ_HEADER] = "TJZWDZ1\n";
    size_t at = out->n;
    enum rc rc;

    buf_add(out, header, sizeof header);
    rc = pack_encode(e, WIRE_ZSTD, section_level(d->section.n),
                     d->section.p ? d->section.p : "", d->section.n, out);
    if (rc)
        return rc;
    put_be32(header + 8, d->records);
    put_be32(header + 12, out->n - at - sizeof header);
    memcpy(out->p + at, header, sizeof header);
    buf_add(out, d->deltas.p ? d->deltas.p : "", d->deltas.n);
    return RC_OK;
}

enum rc dz_make(struct work *w, int64_t stream, const struct wire_url *u, struct buf *out)
{
    struct dz d;
    enum rc rc = dz_open(&w->err, &d);

    if (!rc && !(rc = collect(w, &d, stream, u)))
        rc = finish(&w->err, &d, out);
    dz_close(&d);
    return rc;
}
