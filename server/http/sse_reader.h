/*
 * sse_reader.h - the streams of server-sent events on their loop threads, and what they share with
 * sse.c (private to the edge).
 */
#ifndef HTTP_SSE_READER_H
#define HTTP_SSE_READER_H

#include <stdatomic.h>

#include <h2o.h>

#include "server/http/sse.h"

/* ---- for the edge, on a loop's own thread ---- */

/* Answers with a stream; status and headers are set. The request may be gone afterwards. */
void sse_begin(h2o_req_t *req, const struct sse_wish *wish);
/* Each round of stopping: ends every stream, and after a moment cuts the connections of those that take no
 * bytes. */
void sse_stop(void);
/* When the loop has no connection left and nobody publishes any more. */
void sse_loop_done(void);

/* ---- between sse.c and sse_reader.c ---- */

/* Never changes; counted by references from any thread. */
struct sse_event {
    atomic_uint refs;
    int topic;
    uint64_t serial;
    size_t n;
    char text[];
};

/* All that a reader holds. */
struct sse_place {
    uint64_t reached; /* the serial of the last event he got, or need not get */
    int topic;        /* its number; -1: all */
    bool behind;      /* gets the newest of each topic, until he has them all */
};

/* Where somebody begins who knows what the wish's last_id lists. */
struct sse_place sse_place_of(struct sse *s, const struct sse_wish *wish);
/* The next event that is due, with a reference; NULL: none. Moves the place. */
struct sse_event *sse_next(struct sse *s, struct sse_place *p, uint64_t due);
void sse_event_unref(struct sse_event *e);
uint64_t sse_serial(struct sse *s); /* of the last event published */
const struct sse_conf *sse_conf_of(const struct sse *s);
/* How many read when the first loop asked this, because it stops. */
int64_t sse_leaving(struct sse *s);
/* A reader of this client who came (1), or went (-1). */
void sse_count(struct sse *s, uint64_t client, int n);

enum {
    SSE_TOLD = 512 /* accounts that sse_tell() remembers for loops that have not looked yet */
};
/* The accounts that were told of since *after, which moves on; how many, -1: more than are remembered. */
int sse_told(struct sse *s, uint64_t *after, int64_t out[SSE_TOLD]);

/* A loop that wants to hear of events, of sse_weed() and of sse_tell(): they are called on the publisher's thread. */
struct sse_bell {
    void (*ring)(struct sse_bell *b);
    void (*weed)(struct sse_bell *b);
    void (*tell)(struct sse_bell *b);
    struct sse_bell *next;
};
void sse_listen(struct sse *s, struct sse_bell *b);
void sse_unlisten(struct sse *s, struct sse_bell *b); /* it is not rung after this */

#endif
