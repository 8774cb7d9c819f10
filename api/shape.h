/*
 * shape.h - what a handler takes and gives, beyond what its row in the route table says.
 */
#ifndef API_SHAPE_H
#define API_SHAPE_H

#include "api/routes.h"

struct shape {
    enum rc (*handler)(struct work *, const struct request *, struct reply *);
    const char *body;      /* name of the body's schema, "" for plain bytes; NULL: no body */
    const char *body_type; /* its media type; NULL: application/json */
    const char *answer;    /* name of the answer's schema, "" for plain bytes; NULL: nothing */
    const char *answer_type; /* NULL: application/json */
    int status, also;        /* 0: 200; 0: no other success */
    unsigned flags;          /* SHAPE_… */
};
enum {
    SHAPE_IF_MATCH = 1 << 0, /* takes If-Match */
    SHAPE_MUST_MATCH = 1 << 1,
    SHAPE_RANGE = 1 << 2,         /* answers Range */
    SHAPE_CONTENT_RANGE = 1 << 3, /* takes Content-Range */
    SHAPE_ETAG = 1 << 4,          /* answers 304 */
    SHAPE_NAMES = 1 << 5, /* names something in its query or body that may not be there */
    SHAPE_GUARDED =
        1 << 6,            /* for everybody, but not from everywhere, or not for each account */
    SHAPE_EVENTS = 1 << 7, /* a stream that takes Last-Event-ID */
};
const struct shape *shape_of(
    const struct route *r); /* never NULL; without a row: plain bytes */

#endif
