/*
 * router.h - from path and method to a row of the route table (route.h).
 *
 * A literal segment wins over a parameter. Nothing is allocated for a match.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "server/http/route.h"
#include "server/http/target.h"

struct match {
    const struct route *route; /* NULL: no row answers this method here */
    unsigned methods; /* bits 1 << enum method of the rows with this path; 0: no such path */
};

/* A HEAD finds the row of GET. */
struct match router_find(const struct target *t, enum method m);
/* "GET, HEAD, OPTIONS": what a 405 or an OPTIONS says, in the arena. */
const char *router_allow(struct arena *mem, unsigned methods);

#endif
