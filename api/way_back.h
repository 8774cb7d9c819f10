/*
 * way_back.h - where a page leads when it is done: `return=…`, which anybody can write into a link.
 */
#ifndef API_WAY_BACK_H
#define API_WAY_BACK_H

#include "server/base/arena.h"

enum { WAY_BACK_MAX = 4096 }; /* bytes: an authorization request of a program fits */

/*
 * `text` if it is a page of this server, path and query as they came: a GET route that is R_PAGE. Anything else, and NULL, is `otherwise`: nobody
 * can have us lead somebody to another site.
 */
const char *way_back(struct arena *mem, const char *text, const char *otherwise);

#endif
