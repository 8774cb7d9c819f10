/*
 * push_receipts.h - what vendors of push tell later of messages: POST /v1/push/receipts/:vendor.
 */
#ifndef API_PUSH_RECEIPTS_H
#define API_PUSH_RECEIPTS_H

#include "server/http/route.h"

enum { PUSH_RECEIPTS_MAX = 262144 }; /* bytes of a body */

extern const struct param push_receipts_params[];

enum rc prepare_push_receipts(struct work *w, struct request *rq);
enum rc post_push_receipts(struct work *w, const struct request *rq, struct reply *rp);

#endif
