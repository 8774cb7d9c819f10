/*
 * net.h - requests by libcurl, in a thread that waits for them: HTTP/2 where the server has it, 16 side by
 * side (without HTTP/2 on 6 connections), which are kept for the next batch. The built-in transport
 * of libtjzw, and that of mirrors, which only GET.
 *
 * A body is sent once at most: what becomes of it after a cut is for who asked to find out.
 *
 * One thread at a time uses a net. It is no place for a loop thread: server/http/client.h is.
 */
#ifndef SYNC_NET_H
#define SYNC_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;

/* One request. Every function is called with `ctx`, in order, as the answer comes. */
struct net_request {
    const char *url;
    const char *const *headers;               /* "Name: value" lines; NULL ends; NULL: none */
    void (*on_status)(void *ctx, int status); /* again for a final answer after a 1xx */
    void (*on_header)(void *ctx, const char *name, const char *value);
    /* Not zero: end all requests of the batch now. */
    int (*on_body)(void *ctx, const void *bytes, size_t n);
    void *ctx;
    const char *method; /* NULL: GET */
    const void *body;   /* of `size` bytes; NULL with a method: an empty one. It must stay */
    size_t size;

    /* How it ended. */
    bool whole;                        /* the body has come to its end */
    bool untrusted;                    /* it has not, for the server's TLS certificate */
    char why[200];                     /* it has not: English */
    uint64_t bytes_down, bytes_up, ms; /* HTTP bytes, headers included */
};

/* `agent`: what the server is told; `now_ms`: a monotonic clock. Both outlive the net. */
struct net *net_open(const char *agent, uint64_t (*now_ms)(void));
void net_close(struct net *n); /* accepts NULL */
/* For the requests that follow, in seconds: connect_timeout of each; idle_timeout in which not one
 * of those under way moves. cacert: a PEM file; NULL: what this machine trusts. Connections are
 * kept if nothing changes. */
void net_configure(struct net *n, const char *cacert, uint32_t connect_timeout,
                   uint32_t idle_timeout);
/* The HTTP proxy of all requests, "http://host:port" or "" for none, "user:password" or "", and who is asked without it, as libcurl takes
 * them (CURLOPT_NOPROXY). The texts must stay. Without this call it is as with curl: the environment's http_proxy. */
void net_proxy(struct net *n, const char *url, const char *secret, const char *direct);
/* Performs all of them and returns when every one has ended. `stop` is asked several times a second:
 * true ends them now. */
void net_get(struct net *n, struct net_request *requests, size_t count,
             bool (*stop)(void *stop_ctx), void *stop_ctx);

#endif
