/*
 * net.h - the built-in transport, by libcurl. Inside libtjzw only.
 */
#ifndef TJZW_NET_H
#define TJZW_NET_H

#include "clients/c/tjzw.h"

struct net;

struct net *net_open(void);
void net_close(struct net *n);
/* For the requests that follow. Seconds; cacert NULL: the system's. Connections are kept
 * between calls if nothing changes. */
void net_configure(struct net *n, const char *cacert, uint32_t connect_timeout,
                   uint32_t idle_timeout);
/* struct tjzw_transport.get with a struct net as context. */
void net_get(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *stop_ctx),
             void *stop_ctx);

#endif
