/*
 * invitations.h - links that make staff: made by who may, used once: docs/protocol/auth.md.
 */
#ifndef API_INVITATIONS_H
#define API_INVITATIONS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc post_invitation(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_invitation_offer(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_invitation_use(struct work *w, struct request *rq);
enum rc post_invitation_use(struct work *w, const struct request *rq, struct reply *rp);

#endif
