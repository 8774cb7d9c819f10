/*
 * mirror_net.h - the pull engine's requests to other servers, by sync/net.
 *
 * It belongs to one thread, and blocks it: mirrors have one of their own, all the same.
 */
#ifndef CHANNEL_MIRROR_NET_H
#define CHANNEL_MIRROR_NET_H

#include <stdatomic.h>

#include "server/base/conf.h"
#include "sync/follow.h"

struct mirror_net;

/* By the proxy of the settings, whose texts must stay. While *stop is set, requests end with SYNC_CANCELLED. */
struct mirror_net *mirror_net_new(const struct conf *c, const atomic_bool *stop);
void mirror_net_free(struct mirror_net *n); /* accepts NULL */
/* The server of the next requests: "https://host:port", and whom to believe (NULL: what this machine trusts). */
void mirror_net_to(struct mirror_net *n, const char *url, const char *cacert);
struct follow_transport mirror_net_transport(struct mirror_net *n);
/* The longest Retry-After of the last run, in seconds; 0: none. Asking forgets it. */
uint32_t mirror_net_retry(struct mirror_net *n);

#endif
