/*
 * sender_service.h - the pace of each service of a transport that is of many, as browsers' is: one that says "too fast" slows down and rests alone, and the others have the transport's pace, which is kept for all together before it comes here.
 *
 * Whose turn it is not is put off, not waited for: those behind him may be another service's. Of the few that browsers have the last SENDER_SERVICES are known.
 */
#ifndef PUSH_SENDER_SERVICE_H
#define PUSH_SENDER_SERVICE_H

#include "push/lane.h"

enum { SENDER_SERVICES = 16 };

/* Zeroed: none is known. */
struct sender_services {
    struct {
        uint64_t name; /* of its origin, by a hash; 0: free */
        int64_t used_ms;
        struct lane lane;
    } of[SENDER_SERVICES];
};

/* Whether a request to it may leave now; else *wait_ms until it may. `pace`: the transport's, a second. */
bool services_take(struct sender_services *s, const char *origin, int64_t pace, int64_t mono_ms,
                   int64_t *wait_ms);
/* It said so; `after_ms`: and for how long, 0: not that. */
void services_slow(struct sender_services *s, const char *origin, int64_t after_ms,
                   int64_t mono_ms);

#endif
