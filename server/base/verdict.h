/*
 * verdict.h - what a limit of requests says of one of them, and what its client is told (draft-ietf-httpapi-ratelimit-headers-11).
 */
#ifndef BASE_VERDICT_H
#define BASE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum { VERDICTS = 2 }; /* that one request may have */

struct verdict {
    const char *name; /* of the policy; it lives for ever */
    int64_t window;   /* seconds that the quota is for */
    bool allowed;
    bool network;      /* it is the /48 that has nothing left (limit.h) */
    int64_t quota;     /* a window */
    int64_t remaining; /* whole requests left now */
    int64_t reset; /* seconds until it is full; when not allowed, until the next request is */
};

#endif
