/*
 * delta.h - "only what is new, please": RFC 3229 for feeds, as an address.
 */
#ifndef HTTP_DELTA_H
#define HTTP_DELTA_H

#include <h2o.h>

enum { DELTA_SINCE_MAX = 64 };

/*
 * A GET below /feeds/ with `A-IM: feed` and one entity tag "SINCE.HASH" in If-None-Match asks for `since=SINCE` from here on, so that what is new since then is
 * an answer like every other one: named by its address, made once, kept for all who hold the same. All else stays as it is.
 */
void delta_name(h2o_req_t *req);

#endif
