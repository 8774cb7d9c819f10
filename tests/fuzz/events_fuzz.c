/*
 * events_fuzz.c - a stream of hints as a phone reads it: the events do not depend on how the bytes were cut into pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "clients/c/events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What was told, as one number. */
static void mix(void *ctx, const struct event *e)
{
    uint64_t *sum = ctx;
    struct hint hint;

    if (strlen(e->type) >= 64 || e->n > EVENT_MAX || e->data[e->n])
        abort();
    for (const char *p = e->type; *p; p++)
        *sum = *sum * 31 + (uint8_t)*p;
    for (size_t i = 0; i < e->n; i++)
        *sum = *sum * 31 + (uint8_t)e->data[i];
    if (event_hint(e, &hint) && hint.twin.kind != WIRE_URL_TWIN)
        abort();
    *sum = *sum * 31 + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct events whole, pieces;
    uint64_t a = 0, b = 0;
    bool good, also = true;

    memset(&whole, 0, sizeof whole);
    memset(&pieces, 0, sizeof pieces);
    good = events_take(&whole, data, n, mix, &a);
    for (size_t at = 0; at < n && also; at++)
        also = events_take(&pieces, data + at, 1, mix, &b);
    if (good != also || a != b || strcmp(whole.id, pieces.id) != 0 ||
        whole.retry_ms != pieces.retry_ms)
        abort();
    return 0;
}
