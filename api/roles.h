/*
 * roles.h - who of the staff may do what: granted and taken by a security administrator.
 */
#ifndef API_ROLES_H
#define API_ROLES_H

#include "server/http/route.h"

extern const struct param role_list_params[], role_params[];

enum rc get_roles(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_roles_of(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_role(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_role(struct work *w, const struct request *rq, struct reply *rp);

/* The table of roles, for docs/reference/routes.md. */
void roles_print_doc(struct buf *out);

#endif
