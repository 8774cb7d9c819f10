/*
 * events.h - server-sent events (WHATWG HTML section 9.2) out of bytes as they come, and what a hint says
 * (docs/protocol/events.md). Pure; inside libtjzw only.
 */
#ifndef TJZW_EVENTS_H
#define TJZW_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/wire.h"

enum {
    EVENT_MAX = 64 << 10 /* bytes of a line, and of an event's data */,
    EVENT_ID_MAX = 8192
};

struct event {
    const char *type; /* "message" if it has none */
    const char *data; /* NUL-terminated; `n` bytes */
    size_t n;
};
typedef void event_fn(void *ctx, const struct event *event);

/* What was received of one stream of events; the id outlives the stream. */
struct events {
    char line[EVENT_MAX], data[EVENT_MAX + 1];
    size_t nline, ndata;
    char type[64];
    char id[EVENT_ID_MAX]; /* to be sent back as Last-Event-ID; "": none */
    uint32_t retry_ms;     /* 0: not said */
    bool begun, after_cr, any_data;
};

/* A new stream begins: all but id and retry is forgotten. */
void events_begin(struct events *s);
/* Calls `fn` for each event that these bytes complete. false: a line or an event is too long, so the
 * stream is to be closed. */
bool events_take(struct events *s, const void *bytes, size_t n, event_fn *fn, void *ctx);

struct hint {
    struct wire_url twin; /* of the head that is shown now */
    uint64_t spread;      /* seconds */
    uint64_t list;        /* 0: not said */
};

/* false: nothing is to be done about this event. */
bool event_hint(const struct event *event, struct hint *out);

#endif
