/*
 * wire_pack_fuzz.c - a pack that arrives in pieces is the pack that arrives at once.
 *
 * The first byte is the size of the pieces. Both ways must see the same records and come to the
 * same end, and every frame must be encoded again to the bytes it came in.
 */
#include <stdlib.h>
#include <string.h>

#include "sync/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
    uint64_t records, bytes, sum;
};

static enum sync_rc on_record(void *ctx, struct sync_err *e, const struct wire_frame *f,
                              const uint8_t *frame, const uint8_t *bytes)
{
    struct seen *s = ctx;
    uint8_t again[WIRE_FRAME_MAX];
    size_t n;

    if (wire_frame_encode(e, f, again, &n) || n != wire_frame_size(f) ||
        memcmp(again, frame, n))
        abort();
    s->records++;
    s->bytes += f->length;
    for (uint32_t i = 0; i < f->length; i++)
        s->sum = s->sum * 31 + bytes[i];
    return SYNC_OK;
}

static enum sync_rc read_pack(const uint8_t *in, size_t n, size_t piece, struct seen *out)
{
    static uint8_t room[WIRE_RECORD_MAX];
    struct wire_pack p;
    struct sync_err e;
    enum sync_rc rc = SYNC_OK;

    wire_pack_init(&p, room);
    for (size_t at = 0; at < n && !rc; at += piece)
        rc = wire_pack_feed(&e, &p, in + at, n - at < piece ? n - at : piece, on_record, out);
    return rc ? rc : wire_pack_end(&e, &p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct seen whole = { 0 }, pieces = { 0 };

    if (!n)
        return 0;
    if (read_pack(data + 1, n - 1, n, &whole) !=
        read_pack(data + 1, n - 1, data[0] + 1u, &pieces))
        abort();
    if (memcmp(&whole, &pieces, sizeof whole))
        abort();
    return 0;
}
