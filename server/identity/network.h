/*
 * network.h - where a session came from, as far as its owner may want to know: the network, "203.0.113.0/24" or "2001:db8:1::/48". We have no list of
 * which town that is, and do not guess; nor is the whole address kept, which the audit log alone has.
 *
 * At rest it is sealed ("session.network", owner the session).
 */
#ifndef IDENTITY_NETWORK_H
#define IDENTITY_NETWORK_H

#include "server/base/work.h"

enum { NETWORK_TEXT = 64 };

/* Of an address as text; "" of what is none ("local"). Returns `out`. */
char *network_of(const char *address, char out[NETWORK_TEXT]);

/* The sealed network of who asks; NULL if it is not known. */
enum rc network_close(struct work *w, int64_t session, uint8_t **out, size_t *n);
struct rows;
/* NULL: there is none, or it does not open. In w->mem. */
const char *network_open(struct work *w, int64_t session, const struct rows *q, int column);

#endif
