/*
 * state.h - a citizen's own state, and guests (docs/protocol/state.md).
 */
#ifndef API_STATE_H
#define API_STATE_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum { STATE_BODY_MAX = 256 * 1024 };

enum rc early_state(struct work *w, struct request *rq, struct reply *rp, bool *done);
enum rc post_state(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_guest(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_adopt(struct work *w, const struct request *rq, struct reply *rp);

/* How often phones shall ask that have nothing to send (the setting state_poll, ms). Before requests come. */
void state_open(int64_t poll_ms);

#endif
