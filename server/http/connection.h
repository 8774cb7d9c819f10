/*
 * connection.h - the connections of a loop: whether they may come in, whose they are, a record and a guard of each, and how long it
 * has tried our patience.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <stdbool.h>

#include <h2o.h>

struct networks;

/* Of one loop, for its thread alone. */
struct connections {
    h2o_context_t *ctx;
    const bool *leaving;                     /* the loop is shutting down */
    size_t body_max;                         /* the largest body of any route */
    const struct networks *trusted;          /* proxies that are believed who their client is */
    void (*closed)(struct connections *all); /* one has closed and is not counted any more */
    h2o_linklist_t list;                     /* from here on connection.c's */
    int count;
};

void connections_init(struct connections *all);
/* Takes in what was accepted: it goes on to libh2o by `way` as soon as it is known whose it is, or is closed. `way` must stay. */
void connection_new(struct connections *all, h2o_socket_t *sock, h2o_accept_ctx_t *way);
/* Whose the connection of this request is; NULL: nobody's. */
struct crowd_client *connection_client(const h2o_req_t *req);
/* Once a second: ends who is too slow (patience.h). */
void connections_tick(struct connections *all);
/* Of HTTP/1.1, without a request so far: whether its first one is awaited, or one has begun to come. */
bool connection_may_ask(const h2o_req_t *req);
/* A request has come whole, with so many bytes of fields: they and its body are its connection's to answer for (guard.h). */
void connection_keep(h2o_req_t *req, size_t fields);
/* Its content is as long as it says. */
bool connection_brought_all(const h2o_req_t *req);
/* The peer's side of a hang-up: what is being written fails, libh2o reads the end of the stream, and closes in its own order. */
void connection_cut(h2o_socket_t *sock);
void connections_cut(struct connections *all);

#endif
