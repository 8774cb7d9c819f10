/*
 * websub_wire.c - see the header.
 */
#include "server/websub/websub_wire.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

enum { REST_MS = 2000, CHANCE_OF = 5 };

const char *const websub_modes[] = { [WEBSUB_SUBSCRIBE] = "subscribe",
                                     [WEBSUB_UNSUBSCRIBE] = "unsubscribe",
                                     [WEBSUB_DENIED] = "denied" };

static enum rc no_callback(struct err *e, const char *why)
{
    return err_field(e, "hub.callback", "%s", why);
}

/* NULL: it is neither http nor https. */
static const char *after_scheme(const char *url)
{
    if (!strncasecmp(url, "https://", 8))
        return url + 8;
    return strncasecmp(url, "http://", 7) ? NULL : url + 7;
}

/* "host", "host:80", "[::1]:80" without the port and the brackets. */
static size_t host_length(const char *authority, size_t n, const char **host)
{
    const char *end;

    *host = authority;
    if (n && *authority == '[') {
        *host = authority + 1;
        end = memchr(authority, ']', n);
        return end ? (size_t)(end - *host) : 0;
    }
    end = memchr(authority, ':', n);
    return end ? (size_t)(end - authority) : n;
}

enum rc websub_callback(struct err *e, const char *url, char host[WEBSUB_HOST_MAX + 1])
{
    const char *authority = after_scheme(url), *name;
    size_t n;

    if (strlen(url) > WEBSUB_CALLBACK_MAX)
        return no_callback(e, "a callback has at most 2000 bytes");
    if (!authority)
        return no_callback(e, "a callback begins with https:// or http://");
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || *c == '\\')
            return no_callback(e,
                               "a callback is visible ASCII, everything else percent-encoded");
    if (strchr(url, '#'))
        return no_callback(e, "a callback has no fragment");
    n = strcspn(authority, "/?");
    if (memchr(authority, '@', n))
        return no_callback(e, "a callback names no user");
    n = host_length(authority, n, &name);
    if (!n || n > WEBSUB_HOST_MAX)
        return no_callback(e, "a callback has a host");
    for (size_t i = 0; i < n; i++)
        host[i] = (char)tolower((unsigned char)name[i]);
    while (n && host[n - 1] == '.') /* the same host */
        n--;
    host[n] = '\0';
    return n ? RC_OK : no_callback(e, "a callback has a host");
}

int64_t websub_lease(int64_t asked)
{
    if (asked <= 0)
        return WEBSUB_LEASE;
    if (asked < WEBSUB_LEASE_LEAST)
        return WEBSUB_LEASE_LEAST;
    return asked < WEBSUB_LEASE_MOST ? asked : WEBSUB_LEASE_MOST;
}

int64_t websub_rest_ms(unsigned failures, uint32_t chance)
{
    int64_t rest = REST_MS;

    for (unsigned i = 1; i < failures && rest < WEBSUB_REST_MOST_MS; i++)
        rest *= 2;
    rest = rest < WEBSUB_REST_MOST_MS ? rest : WEBSUB_REST_MOST_MS;
    return rest - chance % (rest / CHANCE_OF + 1);
}

static void put(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "&hub.%s=", name);
    buf_url(out, value, strlen(value));
}

void websub_question(struct buf *out, const struct websub_question *q)
{
    const char *query = strchr(q->callback, '?');

    buf_adds(out, q->callback);
    if (!query || query[1])
        buf_addc(out, query ? '&' : '?');
    buf_adds(out, "hub.mode=");
    buf_adds(out, q->mode);
    put(out, "topic", q->topic);
    if (q->challenge)
        put(out, "challenge", q->challenge);
    if (q->lease)
        buf_printf(out, "&hub.lease_seconds=%lld", (long long)q->lease);
    if (q->reason)
        put(out, "reason", q->reason);
}

void websub_sign(struct buf *out, const char *secret, size_t secret_n, const void *body,
                 size_t n)
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, secret_n);
    crypto_auth_hmacsha256_update(&state, body, n);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
    buf_adds(out, "sha256=");
    buf_hex(out, mac, sizeof mac);
}
