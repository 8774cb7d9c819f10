/*
 * push.h - where a phone is reached, and whom an audience counts.
 */
#ifndef API_PUSH_H
#define API_PUSH_H

#include "server/http/route.h"

enum { PUSH_TOKEN_MAX = 2048, PUSH_BODY_MAX = 131072 };

extern const struct param push_device_params[];

enum rc put_my_push(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_my_push(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_my_push(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_audience(struct work *w, const struct request *rq, struct reply *rp);

#endif
