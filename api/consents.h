/*
 * consents.h - what somebody allowed programs, in his own hands; and his answer to a device that shows eight letters.
 */
#ifndef API_CONSENTS_H
#define API_CONSENTS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum { DEVICE_BODY_MAX = 1024 };

enum rc get_my_consents(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_my_consent(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_my_device(struct work *w, const struct request *rq, struct reply *rp);

#endif
