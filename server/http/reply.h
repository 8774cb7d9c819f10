/*
 * reply.h - what a handler answers. The edge turns it into HTTP: HEAD, ETag and 304, Range,
 * Content-Length, error pages.
 *
 * All pointers live in w->mem, or for ever. The edge copies what they point at, and w->mem is gone
 * before the answer is sent.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/work.h"

enum { REPLY_HEADERS = 8 };

struct sse_wish;

struct header {
    const char *name, *value; /* name in lower case */
};

struct reply {
    int status;       /* 0 counts as 200 */
    const char *type; /* Content-Type */
    const char *body;
    size_t len;
    const char *etag; /* with its quotes, strong; NULL: made from the body's hash when the route
                         is R_CACHED */
    const char *cache; /* Cache-Control; NULL: "no-store" */
    int64_t
        modified; /* seconds: Last-Modified, once it is past, and 304 to who held it since then; 0: not said */
    const char *also; /* on failure: members of the problem besides, as JSON, each with a comma
                         before it; NULL: none */
    bool ranges;      /* answers Range */
    bool once;        /* R_CACHED: not kept, for hardly anybody will ask for it again */
    bool in_place; /* the body is sent from where it lies (a file in memory), and w->mem lives
                          as long. Not R_CACHED */
    const struct sse_wish
        *stream; /* instead of a body: server-sent events (sse.h). Not R_CACHED */
    struct header extra[REPLY_HEADERS];
    int nextra;
};

extern const char TYPE_JSON[], TYPE_HTML[], TYPE_TEXT[], TYPE_BYTES[], TYPE_NDJSON[],
    TYPE_EVENTS[], TYPE_CSV[];
extern const char CACHE_SHORT[];   /* "public, max-age=0, s-maxage=5" */
extern const char CACHE_FOREVER[]; /* "public, max-age=31536000, immutable" */

void reply_body(struct reply *rp, const char *type, const void *p, size_t n);
void reply_buf(struct reply *rp, const char *type, const struct buf *b);
void reply_header(struct reply *rp, const char *name,
                  const char *value); /* asserts that there is room */

#endif
