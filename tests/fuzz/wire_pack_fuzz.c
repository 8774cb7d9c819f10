/*
 * wire_pack_fuzz.c - a pack that arrives in pieces is the pack that arrives at once.
 *
 * The first byte is the size of the pieces. Both ways must see the same records and come to the
 * same end, and every frame must be encoded again to the bytes it came in.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

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
