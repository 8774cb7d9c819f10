/*
 * alert_thread.h - who looks: a thread of low priority with a read connection of its own.
 */
#ifndef HEALTH_ALERT_THREAD_H
#define HEALTH_ALERT_THREAD_H

#include "server/health/judge.h"

struct server;

/* All that is named outlives alert_thread_stop(). */
struct alert_thread {
    const struct conf *c;
    const char *db_path, *instance;
    struct pool *workers;
    const struct server *server;
    int (*deaths)(int64_t within_ms);
};

/* After client_start(). RC_INVALID for a setting that is none. */
enum rc alert_thread_start(struct err *e, const struct alert_thread *t);
/* After client_stop(), before what it looks at goes. Accepts not having been started. */
void alert_thread_stop(void);
/* Of a server that could not start, with neither client nor thread: whether that goes on is judged, and what was not told yet is told, within
 * 5 s. Of `t` only c, instance and deaths. */
void alert_last_words(const struct alert_thread *t);

#endif
