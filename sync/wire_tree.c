/*
 * wire_tree.c - the tree in pieces: what a cover and a tile are made of, and which horizons a
 * reader may have (docs/protocol/sync.md sections 7 and 11).
 *
 *     leaf  0        first               1024·m          64·l        size
 *           |  node(16, ·)  |  node(10, ·)   |  node(6, ·)  |  leaves  |
 *
 * All of it follows from the size, so a reader checks lengths before it looks at anything else.
 */
#include "sync/wire.h"

#include <string.h>

static const uint8_t magic[8] = "TJZWCV1\n";

static void put_be64(uint8_t *out, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_be64(const uint8_t *in)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | in[i];
    return v;
}

static uint64_t down(uint64_t n, unsigned height)
{
    return n >> height << height;
}

static uint64_t first_of(uint64_t size)
{
    const uint64_t top = 1u << WIRE_COVER_TOP;

    return size > top ? down(size - top, WIRE_COVER_TOP) : 0;
}

void wire_cover_shape(uint64_t size, struct wire_cover *out)
{
    *out = (struct wire_cover){ .size = size, .first = first_of(size) };
    out->tops = out->first >> WIRE_COVER_TOP;
    out->mids = (size - out->first) >> WIRE_COVER_MID;
    out->lows = (size - down(size, WIRE_COVER_MID)) >> WIRE_COVER_LOW;
    out->lasts = size - down(size, WIRE_COVER_LOW);
}

size_t wire_cover_bytes(const struct wire_cover *c)
{
    return WIRE_COVER_HEADER + (c->tops + c->mids + c->lows) * WIRE_HASH +
           c->lasts * WIRE_LEAF_ROW;
}

void wire_cover_header(const struct wire_cover *c, uint8_t out[WIRE_COVER_HEADER])
{
    memcpy(out, magic, sizeof magic);
    put_be64(out + 8, c->size);
    put_be64(out + 16, c->first);
}

uint64_t wire_row_seq(const uint8_t row[WIRE_LEAF_ROW])
{
    return get_be64(row);
}

bool wire_rows_ok(const uint8_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t seq = get_be64(rows + i * WIRE_LEAF_ROW);

        if (seq == 0 || seq > INT64_MAX)
            return false;
    }
    return true;
}

enum sync_rc wire_cover_parse(struct sync_err *e, const uint8_t *in, size_t n,
                              struct wire_cover *out)
{
    struct wire_cover c;

    if (n < WIRE_COVER_HEADER || n > WIRE_COVER_MAX || memcmp(in, magic, sizeof magic) != 0)
        return sync_err_set(e, SYNC_INVALID, "cover: no cover");
    if (get_be64(in + 8) >> 40)
        return sync_err_set(e, SYNC_INVALID, "cover: of too many leaves");
    wire_cover_shape(get_be64(in + 8), &c);
    if (get_be64(in + 16) != c.first || n != wire_cover_bytes(&c))
        return sync_err_set(e, SYNC_INVALID, "cover: not as long as its size says");
    c.top = in + WIRE_COVER_HEADER;
    c.mid = c.top + c.tops * WIRE_HASH;
    c.low = c.mid + c.mids * WIRE_HASH;
    c.last = c.low + c.lows * WIRE_HASH;
    if (!wire_rows_ok(c.last, c.lasts))
        return sync_err_set(e, SYNC_INVALID, "cover: a seq is out of range");
    *out = c;
    return SYNC_OK;
}

/* ---- horizons ---- */

bool wire_horizon_ok(uint64_t size, uint64_t horizon)
{
    if (horizon > size)
        return false;
    return horizon == down(horizon, WIRE_COVER_TOP) ||
           (horizon == down(horizon, WIRE_COVER_MID) && horizon >= first_of(size));
}

uint64_t wire_horizon_below(uint64_t size, uint64_t born)
{
    uint64_t at = born < size ? born : size;

    return down(at, at >= first_of(size) ? WIRE_COVER_MID : WIRE_COVER_TOP);
}

uint64_t wire_horizon_above(uint64_t size, uint64_t born)
{
    unsigned height = born >= first_of(size) ? WIRE_COVER_MID : WIRE_COVER_TOP;
    uint64_t at = down(born + (1u << height) - 1, height);

    return wire_horizon_ok(size, at) ? at : 0;
}

/* ---- tiles ---- */

size_t wire_tile_shape(unsigned height, unsigned *child_height, size_t *child_bytes)
{
    static const struct {
        unsigned height, child_height;
        size_t children, child_bytes;
    } tiles[] = {
        { WIRE_COVER_TOP, WIRE_COVER_MID, 64, WIRE_HASH },
        { WIRE_COVER_MID, WIRE_COVER_LOW, 16, WIRE_HASH },
        { WIRE_COVER_LOW, 0, 64, WIRE_LEAF_ROW },
    };

    for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
        if (tiles[i].height != height)
            continue;
        if (child_height)
            *child_height = tiles[i].child_height;
        if (child_bytes)
            *child_bytes = tiles[i].child_bytes;
        return tiles[i].children;
    }
    return 0;
}

/* ---- ids ---- */

/* Where the hyphens of 8-4-4-4-12 stand: before these bytes. */
static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void wire_id_print(const uint8_t id[WIRE_ID], char out[WIRE_ID_TEXT])
{
    for (size_t i = 0; i < WIRE_ID; i++) {
        if (hyphen_before(i))
            *out++ = '-';
        wire_hex(id + i, 1, out);
        out += 2;
    }
}

bool wire_take_id(struct wire_text *t, uint8_t out[WIRE_ID])
{
    struct wire_text rest = *t;
    uint8_t id[WIRE_ID];

    if (rest.end - rest.at < WIRE_ID_TEXT - 1)
        return false;
    for (size_t i = 0; i < WIRE_ID; i++)
        if ((hyphen_before(i) && !wire_take_lit(&rest, "-")) ||
            !wire_unhex(rest.at, 2, id + i, 1))
            return false;
        else
            rest.at += 2;
    memcpy(out, id, sizeof id);
    *t = rest;
    return true;
}
