/*
 * reseal.h - keys of personal fields: what older ones sealed is sealed anew, and they are retired.
 */
#ifndef API_RESEAL_H
#define API_RESEAL_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_key_reseal(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_key_reseal(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_key_retire(struct work *w, const struct request *rq, struct reply *rp);

#endif
