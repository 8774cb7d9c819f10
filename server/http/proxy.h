/*
 * proxy.h - who the client is behind a proxy that is believed: PROXY protocol version 2 (haproxy.org, proxy-protocol.txt
 * of 2020-03-05, section 2.2) and `Forwarded` (RFC 7239). Nothing here knows a socket.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "server/base/conf.h"

/* ---- networks ---- */

struct network {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    int bits;
};

struct networks {
    int n;
    struct network list[CONF_LIST_MAX];
};

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. RC_INVALID names the one that is none, or has bits behind
 * its length. */
enum rc networks_parse(struct err *e, const char *setting, const struct conf_list *list,
                       struct networks *out);
bool networks_have(const struct networks *n, const struct sockaddr *address);

/* ---- PROXY v2 ---- */

enum { PROXY_HEADER_MAX = 536 };

enum proxy_said {
    PROXY_MORE,   /* it may become one: more bytes are needed */
    PROXY_NONE,   /* it is none */
    PROXY_LOCAL,  /* a header that tells of no client: a health check, or an unknown family */
    PROXY_CLIENT, /* a header with the client's address */
    PROXY_BAD     /* of another version, too long, or not what it says */
};

/* Looks at the first n bytes of a connection. *used: bytes of the header (LOCAL, CLIENT). */
enum proxy_said proxy_read(const uint8_t *in, size_t n, size_t *used,
                           struct sockaddr_storage *client);

/* ---- Forwarded ---- */

/*
 * The values of all fields `Forwarded` of a request that a trusted proxy sent, in their order: from the last element on,
 * which that proxy wrote, the first `for=` that is no trusted proxy's is the client's. False: there is none, or a
 * proxy hid it or cannot be understood: then who spoke to us is the client.
 */
bool forwarded_client(const struct networks *trusted, const char *const *values,
                      const size_t *lengths, size_t n, struct sockaddr_storage *out);

#endif
