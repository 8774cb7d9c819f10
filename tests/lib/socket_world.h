/*
 * socket_world.h - a server on real sockets of this machine: by TLS, plain, by IPv6, and the admin
 * socket, with a small table of routes.
 */
#ifndef TESTS_SOCKET_WORLD_H
#define TESTS_SOCKET_WORLD_H

#include <stdatomic.h>

#include "server/http/server.h"

struct socket_world {
    char dir[64], admin[96], keys[96], ca[128];
    struct pool *pool;
    struct sockets sockets; /* given to the server */
    struct server *server;
};

enum { SOCKET_WORLD_QUEUE = 100 }; /* jobs that may wait for its two workers */

extern atomic_int socket_world_held;  /* 1: /slow waits */
extern atomic_int socket_world_calls; /* of /slow */

int socket_world_set_up(void **state); /* cmocka's; *state is a struct socket_world */
int socket_world_tear_down(void **state);
/* Fresh ones, for a server that is opened besides: by TLS, plain, by IPv6, on any ports. */
void socket_world_open(struct sockets *out);
/* What the server was opened with. */
struct server_conf socket_world_conf(const struct socket_world *b);

#endif
