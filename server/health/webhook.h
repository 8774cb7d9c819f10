/*
 * webhook.h - tells the operator's own address of alerts (setting alert_webhook; docs/alerts.md has the bytes).
 *
 * What is told is the state of an alert as it is when its turn comes: a newer one takes the place of one that could not be told, so nothing
 * queues. One request at a time, again after 1, 2, 4 … 300 s and some chance until it is accepted; an event has an id, by which who hears it
 * twice knows.
 *
 * All but `landed` is called on one thread.
 */
#ifndef HEALTH_WEBHOOK_H
#define HEALTH_WEBHOOK_H

#include "server/base/conf.h"

/* `instance` says who speaks: the public URL. `landed` is called, on the outbound thread, when webhook_turn() has something to do. Both
 * outlive webhook_stop(). RC_INVALID if a setting is none. After client_start(). */
enum rc webhook_start(struct err *e, const struct conf *c, const char *instance,
                      void (*landed)(void));
/* Takes an answer, sends what there is. When it wants to be called again (clock_mono_us), INT64_MAX: not before something happens. */
int64_t webhook_turn(int64_t now_us);
/* After client_stop(). Accepts not having been started. */
void webhook_stop(void);

#endif
