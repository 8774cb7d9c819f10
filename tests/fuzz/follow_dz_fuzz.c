/*
 * follow_dz_fuzz.c - a .dz that arrives in pieces is the .dz that arrives at once, and neither gives more
 * than its limits.
 *
 * The first byte is the size of the pieces. Prefixes are 600 bytes that follow from the item's place.
 */
#include <stdlib.h>
#include <string.h>

#include "sync/follow_engine.h"
#include "tests/fuzz/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { LIMIT = 1 << 20, MOST = 64, PREFIX = 600 };

static enum sync_rc on_prefix(void *ctx, struct sync_err *e, const struct dz_delta *delta,
                              uint8_t *out, size_t *n, bool *held)
{
    (void)ctx, (void)e;
    for (size_t i = 0; i < PREFIX; i++)
        out[i] = (uint8_t)('a' + (delta->born + i) % 26);
    *n = PREFIX;
    *held = delta->name[0] != 0;
    return SYNC_OK;
}

static enum sync_rc read_dz(const uint8_t *in, size_t n, size_t piece, struct seen *out)
{
    struct dz_calls calls = { out, on_record, on_prefix };
    struct dz *d = dz_new(LIMIT, MOST, &calls);
    enum sync_rc rc = SYNC_OK;
    struct sync_err e;

    for (size_t at = 0; at < n && !rc; at += piece)
        rc = dz_feed(&e, d, in + at, n - at < piece ? n - at : piece);
    if (!rc)
        rc = dz_end(&e, d);
    dz_free(d);
    if (out->records > MOST || out->bytes > LIMIT)
        abort();
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct seen whole = { 0 }, pieces = { 0 };
    enum sync_rc rc;

    if (!n)
        return 0;
    /* zstd checks a little less of a frame that comes in pieces, so one may fail alone. */
    rc = read_dz(data + 1, n - 1, n, &whole);
    if (!rc && !read_dz(data + 1, n - 1, data[0] + 1u, &pieces) &&
        memcmp(&whole, &pieces, sizeof whole))
        abort();
    return 0;
}
