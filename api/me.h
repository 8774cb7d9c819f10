/*
 * me.h - what everybody who is signed in sees and changes of his own account: docs/protocol/auth.md.
 */
#ifndef API_ME_H
#define API_ME_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_me(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_me(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_my_sessions(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_my_session(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_my_sessions(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_my_password(struct work *w, struct request *rq);
enum rc put_my_password(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_my_identifier(struct work *w, const struct request *rq, struct reply *rp);
/* A phone was added, and with it this account, if there is one (0), became a part of the one that asks: its state goes over, and the audit log hears of it. */
enum rc me_tell_added(struct work *w, int64_t joined);
enum rc delete_my_identifier(struct work *w, const struct request *rq, struct reply *rp);

#endif
