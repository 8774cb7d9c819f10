/*
 * introduction.c - a look at a socket's first bytes.
 *
 * Nothing is read before the header is whole, and then exactly the header: TLS or HTTP, often in the same packet, finds all of its own bytes
 * where they always are. What was only looked at leaves the socket readable, and a loop would be told so again and again;
 * so the kernel is asked to call it readable when one more byte is there (SO_RCVLOWAT), or when the peer has closed.
 */
#include "server/http/introduction.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/proxy.h"

/* Whom a proxy finds on its own machine is the proxy, to us: whoever comes from our loopback has rights here. */
static const struct networks loopback = {
    2, { { { [10] = 0xff, 0xff, 127 }, 104 }, { { [15] = 1 }, 128 } }
};

static void wake_at(int fd, size_t bytes)
{
    int least = (int)bytes;

    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

static bool has_ended(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };

    return poll(&p, 1, 0) == 1;
}

static enum introduced conclude(enum proxy_said said, const struct sockaddr_storage *client)
{
    if (said == PROXY_BAD)
        return INTRODUCED_BADLY;
    return said == PROXY_CLIENT && !networks_have(&loopback, (const struct sockaddr *)client)
               ? INTRODUCED_CLIENT
               : INTRODUCED_SELF;
}

enum introduced introduction_take(int fd, struct sockaddr_storage *client)
{
    uint8_t bytes[PROXY_HEADER_MAX];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    enum proxy_said said;
    size_t used = 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return INTRODUCED_LATER;
    if (n <= 0)
        return INTRODUCED_GONE;
    said = proxy_read(bytes, (size_t)n, &used, client);
    if (said == PROXY_MORE && has_ended(fd))
        return INTRODUCED_GONE;
    if (said == PROXY_MORE) {
        wake_at(fd, (size_t)n + 1);
        return INTRODUCED_LATER;
    }
    wake_at(fd, 1);
    if (used && recv(fd, bytes, used, MSG_DONTWAIT) != (ssize_t)used)
        return INTRODUCED_GONE;
    return conclude(said, client);
}
