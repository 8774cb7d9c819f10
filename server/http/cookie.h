/*
 * cookie.h - an access token that a browser carries (RFC 6265).
 *
 *     over TLS, ours or a trusted proxy's        __Host-tjzw    Secure; HttpOnly; SameSite=Lax; Path=/
 *     over plain HTTP, which is loopback alone   tjzw           HttpOnly; SameSite=Lax; Path=/
 *
 * No other host can set the first one, not even one of the same domain.
 */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

struct cookie { /* not NUL-terminated */
    const char *value;
    size_t n;
};

const char *cookie_name(bool secure);
/*
 * Looks for a cookie in the value of one field `Cookie`; a request may have several. Each time it is there adds one
 * to *found: where it is there twice, nobody knows which one is ours.
 */
void cookie_find(const char *field, size_t n, const char *name, struct cookie *out, int *found);

#endif
