/*
 * limit.h - how many requests that make work (the cache has no answer to them) one client address
 * may make.
 *
 * A token bucket for each IPv4 address and each IPv6 /64 (what one subscriber holds): it fills
 * at the limit a minute and holds a minute's worth. Besides, each IPv6 /48 (what one customer may be given whole, RFC 6177)
 * has a bucket for all of its /64 together, LIMIT_NETWORK times as large. The table has a fixed size; when it is full
 * the address that was silent longest is forgotten, which gives it a full bucket.
 */
#ifndef HTTP_LIMIT_H
#define HTTP_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "server/base/verdict.h"

enum { LIMIT_NETWORK = 32 };

void limit_init(int64_t per_minute); /* 0: no limit */
bool limit_is_on(void);
/* Who counts as one: the hash of an address under a random key of this process, never 0. */
uint64_t limit_client(const struct sockaddr *client);
/* Takes one token. `now_ms` is any clock that does not go back. */
struct verdict limit_take(const struct sockaddr *client, int64_t now_ms);

#endif
