/*
 * routes.h - the one route table, and what is printed of it.
 */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "server/base/buf.h"
#include "server/http/route.h"

extern const struct route routes_table[]; /* for routes_set(); ends with a row without a path */

struct route_tag {
    const char *name, *doc; /* Chinese; no name ends the table */
};
extern const struct route_tag routes_tags[]; /* what the rows of a tag have in common */

void routes_put_path(struct buf *out, const struct route *r); /* "/v1/items/{id}" */
void routes_print_doc(struct buf *out); /* Markdown: docs/reference/routes.md */

#endif
