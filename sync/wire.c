/*
 * wire.c - frames, packs, cursors and the catch-up rounding: the binary half of the protocol.
 *
 *     pack   = "TJZWPK1\n" count  record*          record = frame bytes
 *     frame  = op flags T L born seq id site column date title
 *              (big-endian, 56 + T bytes)
 *
 * A pack arrives in whatever pieces the network cuts it into. The reader hands a record on
 * straight from the piece it came in when it is whole there, and gathers it in the caller's
 * room only when a cut runs through it; so the usual record is never copied. Not here: the text
 * forms (wire_text.c), hashes and signatures (verify.c), what a record changes (merge.h).
 */
#include "sync/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char pack_magic[8] = { 'T', 'J', 'Z', 'W', 'P', 'K', '1', '\n' };

/* ---- errors ---- */

enum sync_rc sync_err_set(struct sync_err *e, enum sync_rc rc, const char *fmt, ...)
{
    va_list args;

    e->rc = rc;
    va_start(args, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
    return rc;
}

const char *sync_rc_name(enum sync_rc rc)
{
    static const char *const names[] = {
        [SYNC_OK] = "ok",
        [SYNC_INVALID] = "invalid",
        [SYNC_UNTRUSTED] = "untrusted",
        [SYNC_ROLLBACK] = "rollback",
        [SYNC_MISMATCH] = "mismatch",
        [SYNC_NET] = "net",
        [SYNC_BUSY] = "busy",
        [SYNC_GONE] = "gone",
        [SYNC_STALE] = "stale",
        [SYNC_STORE] = "store",
        [SYNC_FULL] = "full",
        [SYNC_CANCELLED] = "cancelled",
        [SYNC_USAGE] = "usage",
        [SYNC_NOT_HELD] = "not_held",
    };

    return (unsigned)rc < sizeof names / sizeof names[0] ? names[rc] : "unknown";
}

/* ---- big-endian integers ---- */

static void put_be(uint8_t *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

static uint64_t get_be(const uint8_t *in, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | in[i];
    return v;
}

/* ---- frames ---- */

/* The length of the sequence that starts at s, 0 if it is not well-formed. Unicode 15, table
 * 3-7. */
static size_t utf8_step(const unsigned char *s, size_t n)
{
    static const struct {
        unsigned char first, last, low,
            high; /* range of the lead byte, and of the byte behind it */
        unsigned char len;
    } table[] = {
        { 0x01, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
        { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
        { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
        { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (s[0] < table[i].first || s[0] > table[i].last)
            continue;
        if (n < table[i].len)
            return 0;
        if (table[i].len > 1 && (s[1] < table[i].low || s[1] > table[i].high))
            return 0;
        for (size_t k = 2; k < table[i].len; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return table[i].len;
    }
    return 0;
}

bool wire_is_utf8(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t step = utf8_step((const unsigned char *)s + i, n - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

size_t wire_frame_size(const struct wire_frame *f)
{
    return WIRE_FRAME_FIXED + (size_t)f->title_len;
}

/* What holds for a frame whichever way it goes, its title aside. */
static enum sync_rc frame_check(struct sync_err *e, const struct wire_frame *f)
{
    if (f->op < WIRE_PUT || f->op > WIRE_TAKEN_DOWN)
        return sync_err_set(e, SYNC_INVALID, "frame: unknown op %u", f->op);
    if (f->flags & ~WIRE_PURGE)
        return sync_err_set(e, SYNC_INVALID, "frame: unknown flags 0x%02x", f->flags);
    if (f->title_len > WIRE_TITLE_MAX)
        return sync_err_set(e, SYNC_INVALID, "frame: a title of %u bytes", f->title_len);
    if (f->op != WIRE_PUT && f->title_len != 0)
        return sync_err_set(e, SYNC_INVALID, "frame: a tombstone with a title");
    if (f->length > WIRE_BYTES_MAX)
        return sync_err_set(e, SYNC_INVALID, "frame: a record of %u bytes", f->length);
    if (f->born > INT64_MAX || f->seq > INT64_MAX || f->seq == 0)
        return sync_err_set(e, SYNC_INVALID, "frame: born or seq out of range");
    return SYNC_OK;
}

static enum sync_rc title_check(struct sync_err *e, const struct wire_frame *f)
{
    if (f->title_len != 0 && !wire_is_utf8(f->title, f->title_len))
        return sync_err_set(e, SYNC_INVALID, "frame: the title is not UTF-8");
    return SYNC_OK;
}

enum sync_rc wire_frame_encode(struct sync_err *e, const struct wire_frame *f, uint8_t *out,
                               size_t *n)
{
    enum sync_rc rc;

    if ((rc = frame_check(e, f)) || (rc = title_check(e, f)))
        return rc;
    out[0] = f->op;
    out[1] = f->flags;
    put_be(out + 2, f->title_len, 2);
    put_be(out + 4, f->length, 4);
    put_be(out + 8, f->born, 8);
    put_be(out + 16, f->seq, 8);
    memcpy(out + 24, f->id, WIRE_ID);
    put_be(out + 40, f->site, 4);
    put_be(out + 44, f->column, 4);
    put_be(out + 48, (uint64_t)f->date, 8);
    if (f->title_len != 0)
        memcpy(out + WIRE_FRAME_FIXED, f->title, f->title_len);
    *n = wire_frame_size(f);
    return SYNC_OK;
}

/* The fixed part only: enough to know how long the record is. */
static enum sync_rc frame_fixed(struct sync_err *e, const uint8_t *in, struct wire_frame *out)
{
    struct wire_frame f = {
        .op = in[0],
        .flags = in[1],
        .title_len = (uint16_t)get_be(in + 2, 2),
        .length = (uint32_t)get_be(in + 4, 4),
        .born = get_be(in + 8, 8),
        .seq = get_be(in + 16, 8),
        .site = (uint32_t)get_be(in + 40, 4),
        .column = (uint32_t)get_be(in + 44, 4),
        .date = (int64_t)get_be(in + 48, 8),
        .title = (const char *)in + WIRE_FRAME_FIXED,
    };
    enum sync_rc rc;

    memcpy(f.id, in + 24, WIRE_ID);
    if ((rc = frame_check(e, &f)))
        return rc;
    *out = f;
    return SYNC_OK;
}

enum sync_rc wire_frame_decode(struct sync_err *e, const uint8_t *in, size_t n,
                               struct wire_frame *out)
{
    struct wire_frame f;
    enum sync_rc rc;

    if (n < WIRE_FRAME_FIXED)
        return sync_err_set(e, SYNC_INVALID, "frame: cut short");
    if ((rc = frame_fixed(e, in, &f)))
        return rc;
    if (n < wire_frame_size(&f))
        return sync_err_set(e, SYNC_INVALID, "frame: cut short");
    if ((rc = title_check(e, &f)))
        return rc;
    *out = f;
    return SYNC_OK;
}

/* ---- packs ---- */

void wire_pack_header(uint8_t out[WIRE_PACK_HEADER], uint32_t records)
{
    memcpy(out, pack_magic, sizeof pack_magic);
    put_be(out + sizeof pack_magic, records, 4);
}

void wire_pack_init(struct wire_pack *p, uint8_t *room)
{
    *p = (struct wire_pack){ .room = room };
}

/* Moves input to the room until it holds `want` bytes; false if the input ends first. */
static bool pack_gather(struct wire_pack *p, const uint8_t **in, size_t *n, size_t want)
{
    size_t part = want - p->held < *n ? want - p->held : *n;

    if (part == 0)
        return p->held == want;
    memcpy(p->room + p->held, *in, part);
    p->held += part;
    *in += part;
    *n -= part;
    return p->held == want;
}

static enum sync_rc pack_start(struct sync_err *e, struct wire_pack *p)
{
    if (memcmp(p->room, pack_magic, sizeof pack_magic) != 0)
        return sync_err_set(e, SYNC_INVALID, "pack: not a pack of version 1");
    p->records = (uint32_t)get_be(p->room + sizeof pack_magic, 4);
    p->started = true;
    p->held = 0;
    return SYNC_OK;
}

/* Hands on the record at `at`, of which `n` bytes are there. *used stays 0 if that is not all
 * of it. */
static enum sync_rc pack_record(struct sync_err *e, struct wire_pack *p, const uint8_t *at,
                                size_t n, wire_record_fn *fn, void *ctx, size_t *used)
{
    struct wire_frame f;
    size_t frame, whole;
    enum sync_rc rc;

    if (n < WIRE_FRAME_FIXED)
        return SYNC_OK;
    if ((rc = frame_fixed(e, at, &f)))
        return rc;
    frame = wire_frame_size(&f);
    whole = frame + f.length;
    if (n < whole)
        return SYNC_OK;
    if ((rc = title_check(e, &f)) || (rc = fn(ctx, e, &f, at, at + frame)))
        return rc;
    p->seen++;
    *used = whole;
    return SYNC_OK;
}

/* Completes the record that a cut ran through, first its fixed part, then the rest. */
static enum sync_rc pack_mend(struct sync_err *e, struct wire_pack *p, const uint8_t **in,
                              size_t *n, wire_record_fn *fn, void *ctx)
{
    struct wire_frame f;
    size_t used = 0;
    enum sync_rc rc;

    if (p->held < WIRE_FRAME_FIXED && !pack_gather(p, in, n, WIRE_FRAME_FIXED))
        return SYNC_OK;
    if ((rc = frame_fixed(e, p->room, &f)))
        return rc;
    if (!pack_gather(p, in, n, wire_frame_size(&f) + f.length))
        return SYNC_OK;
    if ((rc = pack_record(e, p, p->room, p->held, fn, ctx, &used)))
        return rc;
    p->held = 0;
    return SYNC_OK;
}

enum sync_rc wire_pack_feed(struct sync_err *e, struct wire_pack *p, const uint8_t *in,
                            size_t n, wire_record_fn *fn, void *ctx)
{
    enum sync_rc rc;

    if (!p->started) {
        if (!pack_gather(p, &in, &n, WIRE_PACK_HEADER))
            return SYNC_OK;
        if ((rc = pack_start(e, p)))
            return rc;
    }
    while (n > 0) {
        size_t used = 0;

        if (p->seen == p->records)
            return sync_err_set(e, SYNC_INVALID, "pack: bytes behind the last record");
        if (p->held == 0 && (rc = pack_record(e, p, in, n, fn, ctx, &used)))
            return rc;
        in += used;
        n -= used;
        if (used == 0 && (rc = pack_mend(e, p, &in, &n, fn, ctx)))
            return rc;
    }
    return SYNC_OK;
}

enum sync_rc wire_pack_end(struct sync_err *e, const struct wire_pack *p)
{
    if (!p->started || p->held != 0 || p->seen != p->records)
        return sync_err_set(e, SYNC_INVALID, "pack: ends after %u of %u records", p->seen,
                            p->records);
    return SYNC_OK;
}

/* ---- catch-up ---- */

uint64_t wire_catchup_from(uint64_t cursor, uint64_t head)
{
    unsigned k = 0;

    while (head - cursor >= (uint64_t)16 << k)
        k++;
    return cursor >> k << k;
}

bool wire_catchup_ok(uint64_t from, uint64_t to)
{
    uint64_t oldest = to > WIRE_CATCHUP_MAX ? to - WIRE_CATCHUP_MAX : 0;

    /* A cursor rounds with 2^k if it is 8*2^k to 16*2^k - 1 behind (k = 0: up to 15): is there
     * one in the block at `from`? */
    for (unsigned k = 0; from <= to && k <= 9; k++) {
        uint64_t block = (uint64_t)1 << k;
        uint64_t low = from > oldest ? from : oldest, high = from + block - 1;

        if (from % block != 0 || (k > 0 && to < 8 * block))
            continue;
        if (to >= 16 * block && low < to - 16 * block + 1)
            low = to - 16 * block + 1;
        if (high > (k > 0 ? to - 8 * block : to))
            high = k > 0 ? to - 8 * block : to;
        if (low <= high)
            return true;
    }
    return false;
}
