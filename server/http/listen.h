/*
 * listen.h - where a server listens: "https://[::]:8443", "http://127.0.0.1:8080", a socket in
 * the file system.
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "server/base/err.h"

enum { LISTEN_URL = 80 };

struct endpoint {
    bool tls;
    struct sockaddr_storage addr;
    socklen_t addr_len;
};

/*
 * Reads SCHEME://ADDRESS:PORT[/]. ADDRESS is IPv4, IPv6 in brackets, or localhost (127.0.0.1);
 * [::] takes IPv4 as well. PORT must be said, because a scheme's own, 80 or 443, is seldom what
 * was meant and often somebody else's; 0 means any. Plain
 * http is refused (RC_INVALID) but for loopback addresses.
 */
enum rc endpoint_parse(struct err *e, const char *url, struct endpoint *out);
/* How to reach it: "https://[::1]:8443/" for all addresses too. */
char *endpoint_url(const struct endpoint *at, char out[LISTEN_URL]);
/*
 * Opens `n` listening sockets that share the port (SO_REUSEPORT), after a probe that shares
 * with nobody: RC_CONFLICT names the address when somebody listens there already. Port 0 is
 * replaced by the one that was given.
 */
enum rc endpoint_open(struct err *e, struct endpoint *at, int n, int *fds);
/* A listening socket in the file system, mode 0600. A dead one is replaced; RC_CONFLICT when
 * somebody answers there. */
enum rc endpoint_open_unix(struct err *e, const char *path, int *fd);

#endif
