/*
 * guard.h - between a socket and libh2o: every byte of a connection is judged before libh2o reads it.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdbool.h>

#include <h2o.h>

#include "server/http/records.h"

struct guard;
struct crowd_client;

struct guard_conf {
    size_t body_max;             /* the largest body of any route */
    const bool *leaving;         /* the loop is shutting down */
    bool is_many;                /* a trusted proxy's, which brings many clients */
    struct crowd_client *client; /* who pays for frames besides the connection; NULL: nobody */
    void (*closed)(void *of);    /* the socket has closed, and the guard with it */
    void *of;
};

/* Takes over sock->on_close. Before anything is read from the socket, and in its loop's thread. */
struct guard *guard_new(h2o_socket_t *sock, const struct guard_conf *conf);
/* What went past it. */
uint64_t guard_frames(const struct guard *g);
uint64_t guard_writes(const struct guard *g);

/* A request of HTTP/2 has come whole, with a head and a body of so many bytes: libh2o keeps them as long as the request. May end the connection. */
void guard_keep(struct guard *g, h2o_mem_pool_t *request, size_t head, size_t body);

/* TLS has come to a record or message (records.c). False: the connection has ended, and no more of it shall be decrypted. */
bool guard_hear(h2o_socket_t *sock, enum record_word word, size_t n);

/* How far it is, for who has little patience. */
struct guard_state {
    bool is_http2;
    bool writing; /* HTTP/2: a write is under way */
    bool
        held; /* HTTP/2: a frame waits until the write is through, and nothing behind it is read meanwhile */
    bool midway;    /* HTTP/2: something other than a body has begun and is not complete, … */
    uint64_t begun; /* … and while this number stays the same it is the same one */
    int bodies;     /* HTTP/2: not ended */
    uint64_t taken; /* bytes: HTTP/2: of bodies; HTTP/1: of anything */
};

struct guard_state guard_state(const struct guard *g);
/* libh2o hears that the peer is gone, and closes. Not while it writes. The guard may be gone afterwards. */
void guard_hang_up(struct guard *g);
/* conf.of of the guard of this socket; NULL: it has none. */
void *guard_owner(const h2o_socket_t *sock);

/* ---- for who stands in libh2o's place (interpose.c) ---- */

typedef void (*guard_start)(h2o_socket_t *sock, h2o_socket_cb cb);
typedef void (*guard_send)(h2o_socket_t *sock, h2o_iovec_t *bufs, size_t n, h2o_socket_cb cb);

/* What the program defined under libh2o's names, and `library`, libh2o's own. Sockets without a guard are
 * passed on as they are. */
void guard_read_start(h2o_socket_t *sock, h2o_socket_cb cb, guard_start library);
void guard_write(h2o_socket_t *sock, h2o_iovec_t *bufs, size_t n, h2o_socket_cb cb,
                 guard_send library);

/* Defined beside them: whether this program is the control of tests/attack, which has no guard and shall run
 * nevertheless. */
extern const bool guard_is_off;

#endif
