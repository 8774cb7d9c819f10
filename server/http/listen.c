/*
 * listen.c - URLs and sockets.
 *
 * With SO_REUSEPORT a second server would bind the same port without a word and steal half of
 * the connections. So the first bind is made without it, and fails where anybody listens.
 */
#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/base/fs.h"

enum { BACKLOG = 4096, HOST_MAX = 64, STALL_MS = 30 * 1000, RECEIVE_BYTES = 128 << 10 };

/* ---- URLs ---- */

static bool is_loopback(const struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;

    if (a->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
    return ntohl(four->sin_addr.s_addr) >> 24 == 127;
}

static bool read_address(const char *host, bool bracketed, uint16_t port, struct endpoint *out)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&out->addr;
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&out->addr;

    if (bracketed) {
        *six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
        out->addr_len = sizeof *six;
        return inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
    }
    *four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    out->addr_len = sizeof *four;
    return inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1",
                     &four->sin_addr) == 1;
}

/* Behind the address stand a port and at most a slash. NULL, or what is wrong. */
static const char *read_port(const char *p, uint16_t *port)
{
    char *end;
    unsigned long n;

    if (strpbrk(p, "/?#") && strcmp(strpbrk(p, "/?#"), "/"))
        return "should end with its port: a server listens on an address, not on a path or a "
               "query";
    if (*p != ':')
        return "should say its port, like :8443 or :8080";
    n = p[1] >= '0' && p[1] <= '9' ? strtoul(p + 1, &end, 10) : 65536;
    if (n > 65535 || (*end && *end != '/'))
        return "should end with a port from 0 to 65535";
    *port = (uint16_t)n;
    return NULL;
}

enum rc endpoint_parse(struct err *e, const char *url, struct endpoint *out)
{
    struct endpoint at = { .tls = !strncmp(url, "https://", 8) };
    uint16_t port = 0;
    char host[HOST_MAX];
    const char *p, *end, *wrong;
    bool bracketed;

    if (!at.tls && strncmp(url, "http://", 7))
        return err_set(e, RC_INVALID, "\"%s\" should begin with https:// or http://", url);
    p = url + (at.tls ? 8 : 7);
    bracketed = *p == '[';
    p += bracketed;
    end = p + strcspn(p, bracketed ? "]" : ":/?#");
    if (end == p || (bracketed && *end != ']') || end - p >= HOST_MAX)
        return err_set(e, RC_INVALID, "\"%s\" has no address", url);
    snprintf(host, sizeof host, "%.*s", (int)(end - p), p);
    if ((wrong = read_port(end + bracketed, &port)))
        return err_set(e, RC_INVALID, "\"%s\" %s", url, wrong);
    if (!read_address(host, bracketed, port, &at))
        return err_set(e, RC_INVALID,
                       "\"%s\" should name an address, like 127.0.0.1, [::] or localhost", url);
    if (!at.tls && !is_loopback(&at.addr))
        return err_set(
            e, RC_INVALID,
            "\"%s\": plain http is for loopback addresses only (127.0.0.1 or [::1]); use https",
            url);
    *out = at;
    return RC_OK;
}

static uint16_t port_of(const struct endpoint *at)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&at->addr;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&at->addr;

    return ntohs(at->addr.ss_family == AF_INET6 ? six->sin6_port : four->sin_port);
}

char *endpoint_url(const struct endpoint *at, char out[LISTEN_URL])
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&at->addr;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&at->addr;
    char host[INET6_ADDRSTRLEN] = "";
    bool v6 = at->addr.ss_family == AF_INET6;
    bool all = v6 ? IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr) : four->sin_addr.s_addr == 0;

    inet_ntop(at->addr.ss_family,
              v6 ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr, host,
              sizeof host);
    snprintf(out, LISTEN_URL, "%s://%s%s%s:%d/", at->tls ? "https" : "http",
             v6 && !all ? "[" : "", all ? "localhost" : host, v6 && !all ? "]" : "",
             port_of(at));
    return out;
}

/* ---- sockets ---- */

/* -1 with errno. An accepted connection inherits TCP_USER_TIMEOUT: a peer that takes no bytes
 * for so long is cut. And SO_RCVBUF: libh2o reads and decrypts all that lies there in one turn. */
static int bind_socket(const struct endpoint *at, bool share)
{
    int on = 1, off = 0, stall = STALL_MS, room = RECEIVE_BYTES, why;
    int fd = socket(at->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof stall);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (at->addr.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (share)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&at->addr, at->addr_len) || listen(fd, BACKLOG)) {
        why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* Where the kernel knows no IPv6, all addresses are all IPv4 addresses. */
static void without_ipv6(struct endpoint *at)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port_of(at)) };
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&at->addr;

    if (at->addr.ss_family != AF_INET6 || !IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr))
        return;
    memcpy(&at->addr, &four, sizeof four);
    at->addr_len = sizeof four;
}

static enum rc cannot_listen(struct err *e, const struct endpoint *at)
{
    char url[LISTEN_URL];

    endpoint_url(at, url);
    if (errno == EADDRINUSE)
        return err_set(e, RC_CONFLICT, "port %d is taken: another program listens on %s",
                       port_of(at), url);
    return err_errno(e, "listen on %s", url);
}

enum rc endpoint_open(struct err *e, struct endpoint *at, int n, int *fds)
{
    int probe = bind_socket(at, false);
    enum rc rc;

    if (probe < 0 && errno == EAFNOSUPPORT) {
        without_ipv6(at);
        probe = bind_socket(at, false);
    }
    if (probe < 0)
        return cannot_listen(e, at);
    getsockname(probe, (struct sockaddr *)&at->addr, &at->addr_len);
    close(probe);
    for (int i = 0; i < n; i++) {
        fds[i] = bind_socket(at, true);
        if (fds[i] >= 0)
            continue;
        rc = cannot_listen(e, at);
        while (i-- > 0)
            close(fds[i]);
        return rc;
    }
    return RC_OK;
}

/* Whether somebody answers at the socket in the file system. */
static bool is_alive(const struct sockaddr_un *at)
{
    AUTO(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && !connect(fd, (const struct sockaddr *)at, sizeof *at);
}

enum rc endpoint_open_unix(struct err *e, const char *path, int *out)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    AUTO(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof at.sun_path)
        return err_set(
            e, RC_INVALID,
            "the socket's path %s is longer than %zu bytes: use a shorter data directory", path,
            sizeof at.sun_path - 1);
    strcpy(at.sun_path, path);
    if (fd < 0)
        return err_errno(e, "make the socket %s", path);
    if (is_alive(&at))
        return err_set(e, RC_CONFLICT, "another server answers at %s", path);
    unlink(path);
    /* Before bind(): the file is born with this mode, and nobody can slip in between. */
    if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, BACKLOG))
        return err_errno(e, "listen on %s", path);
    *out = fd;
    fd = -1;
    return RC_OK;
}
