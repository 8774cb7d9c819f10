/*
 * frames.h - what a reader of records saw: how many there were, and a sum of their bytes. On the way every
 * frame is encoded again, which must give the bytes it came in.
 */
#ifndef TESTS_FUZZ_FRAMES_H
#define TESTS_FUZZ_FRAMES_H

#include <stdlib.h>
#include <string.h>

#include "sync/wire.h"

struct seen {
    uint64_t records, bytes, sum; /* the bytes with their frames */
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
    s->bytes += n + f->length;
    for (uint32_t i = 0; i < f->length; i++)
        s->sum = s->sum * 31 + bytes[i];
    return SYNC_OK;
}

#endif
