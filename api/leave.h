/*
 * leave.h - all that is known of somebody, for himself; and the end of it: docs/identity.md, "Erasure and export".
 */
#ifndef API_LEAVE_H
#define API_LEAVE_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_my_export(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_my_erase(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_my_erase(struct work *w, const struct request *rq, struct reply *rp);

#endif
