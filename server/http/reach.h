/*
 * reach.h - addresses that are everybody's, and those that are of one's own network.
 */
#ifndef HTTP_REACH_H
#define HTTP_REACH_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for what no stranger on the Internet has: loopback, private and link-local networks, multicast, what is reserved. */
bool reach_is_public(const struct sockaddr *address);

#endif
