/*
 * reach.h - addresses that are everybody's, and those that are of one's own network.
 */
#ifndef HTTP_REACH_H
#define HTTP_REACH_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for what no stranger on the Internet has: loopback, private and link-local networks, multicast, what is reserved. */
bool reach_is_public(const struct sockaddr *address);
/*
 * Whether a URL's host may be such an address, as far as can be told without asking for it: what is written as an address in any spelling is looked at, and so are names that only one's own network
 * gives out (localhost, names without a dot, below .local, .internal, .lan, .home.arpa …). What another name leads to, only who resolves it can say.
 */
bool reach_may_be_public(const char *host);

#endif
