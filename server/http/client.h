/*
 * client.h - requests to other servers, over HTTP/2 where they speak it, on one thread for all;
 * and one at a time for commands.
 *
 * Nothing is ever sent twice without the caller's doing (transfer.h): a request that libcurl
 * would repeat on its own fails with in_doubt set, and the caller decides. Redirects are not followed.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/err.h"

struct client_request {
    /* The question. All of it must live until the answer is there. */
    const char *method, *url;
    const char *socket;         /* path of a UNIX socket to connect to; NULL: by the URL */
    const char *bearer;         /* NULL: none */
    const char *ca_file;        /* PEM; NULL: what this machine trusts */
    const char *const *headers; /* "name: value", NULL ends the list; or NULL */
    const void *body;
    size_t body_len;
    size_t answer_max;  /* bytes; 0: 1 MB. A longer answer is RC_TOO_LARGE */
    int64_t timeout_ms; /* for everything; 0: 30 s */
    bool tls_only;      /* https, or it fails */
    bool
        public_only; /* to public addresses alone (reach.h), whatever a name resolves to; through outbound_proxy: transfer.h */
    bool (*heard)(void *arg,
                  struct buf *body_in); /* transfer.h: of an answer that has no end */
    void *heard_arg;
    void (*done)(struct client_request *rq); /* on the outbound thread; not by client_call() */
    void *arg;                               /* the caller's */

    /* The answer. client_request_done() frees it. */
    /* RC_OK: an answer came, whatever its status. RC_IO, RC_TOO_LARGE, RC_BUSY (we stop): none. */
    enum rc rc;
    struct err err;
    bool in_doubt; /* with rc: it may have reached the other side */
    int status;
    struct buf body_in;    /* heap */
    struct buf headers_in; /* heap; lines "name: value", names in lower case */

    /* Only client.c looks here. */
    struct client_request *next;
    void *handle;
    size_t sent;
};

/* "" if absent; `out` holds n bytes. */
const char *client_header(const struct client_request *rq, const char *name, char *out,
                          size_t n);
void client_request_done(struct client_request *rq);

/* Sends and waits, without the outbound thread. Returns rq->rc. */
enum rc client_call(struct client_request *rq);
/* What the server behind a data directory answers to GET `target` over its admin socket within two seconds, in `mem`;
 * NULL: nothing, or no success. */
const char *client_ask(const char *data, struct arena *mem, const char *target);

/* What a server that answered said last of the time. */
struct client_clock {
    int64_t at;      /* seconds: when it answered; 0: none has */
    int64_t ahead_s; /* of our clock */
    char host[64];
};
/* The one that differs most from ours, of the servers that have answered since then. */
void client_clock(int64_t since, struct client_clock *out);

enum rc client_start(struct err *e, int queue_max);
/* False: the queue is full or the client is not running, and done() is not called. */
bool client_send(struct client_request *rq);
/* What is under way ends with RC_BUSY. Accepts not having been started. */
void client_stop(void);

#endif
