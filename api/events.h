/*
 * events.h - GET /v1/events: hints that a stream has a new head (docs/protocol/events.md).
 */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "server/base/conf.h"
#include "server/http/route.h"

extern const struct param event_params[];

/* Before writer_start(): asks to hear of heads. */
void events_open(const struct conf *conf);
/* After the loops and the writer have ended. */
void events_close(void);

enum rc get_events(struct work *w, const struct request *rq, struct reply *rp);

#endif
