/*
 * stream.h - a request of HTTP/2 as libh2o has it: what it keeps to itself, and its end before its time.
 *
 * For requests of HTTP/2 that came over a socket, and in their loop's thread: each of these is a part of a stream of libh2o's.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdbool.h>

#include <h2o.h>

/* Its content is as long as its content-length says, if it says anything (RFC 9113 8.1.1). */
bool stream_is_filled(const h2o_req_t *req);
/* Bytes of its answer wait for nothing but its own window. */
bool stream_is_shut(const h2o_req_t *req);
/* As if the peer had reset it, who is told (CANCEL). The request and all that it has are gone, now or when what is being written of it is. */
void stream_reset(h2o_req_t *req);

#endif
