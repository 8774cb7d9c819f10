/*
 * dz.c - most changes are small corrections of something the reader holds.
 *
 *     record at `from` --+--[a delta pays]--> born seq name D --> section (one zstd frame)
 *     record at `to` ----+               \--> delta ------------> deltas (a zstd frame each)
 *                         \-----------------> the record -------> section
 *
 * The prefix of a delta is the record as of `from`, if its bytes are still here. A purge removed
 * them, or a mirror never had them: then the record goes into the section whole, where its
 * neighbours help to compress it. Records stand there before what is told of deltas: like beside like.
 *
 * A URL is for all cursors that round to `from`. An item that changed among them and again later has
 * no one prefix that all hold: it goes whole too, or each of them would ask for it alone.
 *
 * A delta pays if it has less than half of what the record costs alone: in the section, among its
 * like, a record costs about that half, and so does what the section tells of a delta.
 */
#include "sync/dz.h"

#include <inttypes.h>
#include <string.h>

#include <zstd.h>

#include "server/store/db.h"
#include "sync/pack.h"
#include "sync/verify.h"

enum { WHOLE, DELTA }; /* how */

struct dz {
    uint32_t records;
    struct buf section, told, deltas; /* told: of the deltas, the end of the section */
    ZSTD_CCtx *zstd;
    struct buf room;        /* for one delta */
    struct buf now, before; /* a record, and its prefix */
};

static void put_be(uint8_t *out, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
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
    buf_done(&d->told);
    buf_done(&d->deltas);
    buf_done(&d->room);
    buf_done(&d->now);
    buf_done(&d->before);
    ZSTD_freeCCtx(d->zstd);
}

static void join(struct buf *out, const struct pack_record *r)
{
    out->n = 0;
    buf_add(out, r->frame, r->frame_n);
    buf_add(out, r->bytes, r->f.length);
}

/* Compresses d->now into d->room; its size, or SIZE_MAX. */
static size_t squeeze(struct dz *d, int level, const struct buf *prefix)
{
    size_t most = ZSTD_compressBound(d->now.n), done;

    buf_reserve(&d->room, most);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(
            ZSTD_CCtx_refPrefix(d->zstd, prefix ? prefix->p : NULL, prefix ? prefix->n : 0)))
        return SIZE_MAX;
    done = ZSTD_compress2(d->zstd, d->room.p, most, d->now.p, d->now.n);
    return ZSTD_isError(done) ? SIZE_MAX : done;
}

/* What the section has of a delta. */
static void tell(struct dz *d, const struct wire_frame *f, const struct pack_record *prefix,
                 size_t delta)
{
    uint8_t out[WIRE_DZ_DELTA], leaf[WIRE_HASH];

    verify_leaf(prefix->frame, prefix->frame_n, prefix->digest, leaf);
    put_be(out, f->born, 8);
    put_be(out + 8, f->seq, 8);
    memcpy(out + 16, leaf, WIRE_DZ_NAME);
    put_be(out + 24, delta, 4);
    buf_addc(&d->told, DELTA);
    buf_add(&d->told, out, sizeof out);
}

/* Adds d->now, the record of `f`, as a delta, if that pays. */
static bool add_delta(struct dz *d, const struct rows *q, const struct wire_frame *f)
{
    struct pack_record prefix;
    struct err none;
    size_t alone, delta;

    if (pack_record(&none, q, PACK_COLUMNS, &prefix))
        return false;
    join(&d->before, &prefix);
    alone = squeeze(d, ALONE_LEVEL, NULL);
    delta = squeeze(d, DELTA_LEVEL, &d->before);
    if (delta > WIRE_RECORD_MAX || WIRE_DZ_DELTA + 2 * delta > alone)
        return false;
    tell(d, f, &prefix, delta);
    buf_add(&d->deltas, d->room.p, delta);
    return true;
}

static enum rc add(struct err *e, struct dz *d, const struct rows *q)
{
    struct pack_record r;
    enum rc rc = pack_record(e, q, 0, &r);

    if (rc)
        return rc;
    join(&d->now, &r);
    if (!add_delta(d, q, &r.f)) {
        buf_addc(&d->section, WHOLE);
        buf_add(&d->section, d->now.p, d->now.n);
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
    buf_add(&d->section, d->told.p ? d->told.p : "", d->told.n);
    rc = pack_encode(e, WIRE_ZSTD, section_level(d->section.n),
                     d->section.p ? d->section.p : "", d->section.n, out);
    if (rc)
        return rc;
    put_be(header + 8, d->records, 4);
    put_be(header + 12, out->n - at - sizeof header, 4);
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
