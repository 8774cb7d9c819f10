/*
 * reply.c - the few words that most answers share.
 */
#include "server/http/reply.h"

#include <assert.h>

const char TYPE_JSON[] = "application/json";
const char TYPE_HTML[] = "text/html; charset=utf-8";
const char TYPE_TEXT[] = "text/plain; charset=utf-8";
const char TYPE_BYTES[] = "application/octet-stream";
const char TYPE_NDJSON[] = "application/x-ndjson";
const char TYPE_CSV[] = "text/csv; charset=utf-8";
const char TYPE_EVENTS[] = "text/event-stream";
const char CACHE_SHORT[] = "public, max-age=0, s-maxage=5";
const char CACHE_FOREVER[] = "public, max-age=31536000, immutable";

void reply_body(struct reply *rp, const char *type, const void *p, size_t n)
{
    rp->type = type;
    rp->body = p;
    rp->len = n;
}

void reply_buf(struct reply *rp, const char *type, const struct buf *b)
{
    reply_body(rp, type, b->p ? b->p : "", b->n);
}

void reply_header(struct reply *rp, const char *name, const char *value)
{
    assert(rp->nextra < REPLY_HEADERS);
    rp->extra[rp->nextra++] = (struct header){ name, value };
}
