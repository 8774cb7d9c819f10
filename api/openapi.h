/*
 * openapi.h - the interface described for programs, printed from the tables it runs on: routes,
 * fields, problems.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/routes.h"
#include "server/base/buf.h"

void openapi_print(
    struct buf *out); /* OpenAPI 3.1, one line of JSON; the same bytes every time */

/* What a handler takes and gives, beyond what its row says. */
struct shape {
    enum rc (*handler)(struct work *, const struct request *, struct reply *);
    const char *body;      /* name of the body's schema, "" for plain bytes; NULL: no body */
    const char *body_type; /* its media type; NULL: application/json */
    const char *answer;    /* name of the answer's schema, "" for plain bytes; NULL: nothing */
    const char *answer_type; /* NULL: application/json */
    int status;              /* 0: 200 */
    unsigned flags;          /* SHAPE_… */
};
enum {
    SHAPE_IF_MATCH = 1 << 0, /* takes If-Match */
    SHAPE_MUST_MATCH = 1 << 1,
    SHAPE_RANGE = 1 << 2,         /* answers Range */
    SHAPE_CONTENT_RANGE = 1 << 3, /* takes Content-Range */
    SHAPE_COMPLETES = 1 << 4,     /* answers 201 when the last piece is there, 200 before */
    SHAPE_ETAG = 1 << 5,          /* answers 304 */
    SHAPE_NAMES = 1 << 6,   /* names something in its query or body that may not be there */
    SHAPE_GUARDED = 1 << 7, /* for everybody, but not from everywhere */
    SHAPE_EVENTS = 1 << 8,  /* a stream that takes Last-Event-ID */
};
const struct shape *openapi_shape(const struct route *r); /* never NULL */
bool openapi_shows(const struct route *r);                /* it is in the document */

#endif
