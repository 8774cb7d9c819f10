/*
 * alerts.h - what is wrong with this server (docs/alerts.md).
 */
#ifndef API_ALERTS_H
#define API_ALERTS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_alerts(struct work *w, const struct request *rq, struct reply *rp);

#endif
