/*
 * websub_wire.h - what the hub says and how it is spelled (W3C WebSub): questions, signatures, leases, rests. Pure.
 */
#ifndef WEBSUB_WIRE_H
#define WEBSUB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/err.h"

enum {
    WEBSUB_CALLBACK_MAX = 2000, /* bytes of a callback */
    WEBSUB_SECRET_MAX = 199,    /* "less than 200 bytes", says the specification */
    WEBSUB_HOST_MAX = 255,
    WEBSUB_CHALLENGE = 32, /* letters of a challenge */
    WEBSUB_LEASE = 10 * 86400,
    WEBSUB_LEASE_LEAST = 3600,
    WEBSUB_LEASE_MOST = 30 * 86400, /* seconds */
    WEBSUB_REST_MOST_MS = 3600 * 1000
};

enum websub_mode { WEBSUB_SUBSCRIBE = 1, WEBSUB_UNSUBSCRIBE = 2, WEBSUB_DENIED = 3 };
extern const char *const websub_modes[]; /* by enum websub_mode: "subscribe" … */

/*
 * Whether that is a URL that may be called: http or https, no user, no fragment, visible ASCII. `host`: its host without the port, in lower case, without the brackets of an
 * address. RC_INVALID says why not.
 */
enum rc websub_callback(struct err *e, const char *url, char host[WEBSUB_HOST_MAX + 1]);

/* Seconds that are granted to who asks for so many; 0: he did not say. */
int64_t websub_lease(int64_t asked);

/* Milliseconds until the next try after so many failures in a row: 2 s, doubled to an hour, of which a fifth is `chance`. */
int64_t websub_rest_ms(unsigned failures, uint32_t chance);

/* What is asked of a callback. Its own query stays. `challenge` NULL: none; `lease` 0: none; `reason` NULL: none. */
struct websub_question {
    const char *callback, *mode, *topic, *challenge, *reason;
    int64_t lease; /* seconds */
};
void websub_question(struct buf *out, const struct websub_question *q);

/* Adds "sha256=HEX", the HMAC-SHA256 of the body. */
void websub_sign(struct buf *out, const char *secret, size_t secret_n, const void *body,
                 size_t n);

#endif
