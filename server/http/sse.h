/*
 * sse.h - server-sent events: one short memory of what happened, read by any number of streams.
 *
 *     sse_publish() --> newest of each topic + ring of the last SSE_RING events --> readers
 *
 * A reader holds a place in the ring and nothing else. Who is slow has no queue: when the ring has gone round
 * he gets the newest event of every topic and goes on from there. So an event should say a
 * state ("the head is now 41"), which the next one of its topic replaces.
 *
 * What is sent, exactly: an event is
 *
 *     id: TOPIC=ID,TOPIC=ID,…\n      the newest of every topic, so that one id says all a reader knows
 *     event: NAME\n
 *     data: DATA\n\n
 *
 * A stream begins with "retry: MS\n\n" and the newest event of every topic that its
 * Last-Event-ID does not list; when it is silent it carries ":\n\n" every beat; when the server ends it, it ends with another
 * "retry: MS\n\n".
 * Not here: sockets and timers (sse_reader.c).
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/metric.h"

enum { SSE_RING = 256, SSE_TOPICS = 128, SSE_WORD_MAX = 63 /* a topic, an id */ };

struct sse;

/* With what somebody asked, and what of it must be so for as long as he is answered. */
struct sse_owner {
    int64_t session, key; /* 0: with none */
    unsigned rights;      /* one of which he must have … */
    int64_t site;         /* … here; 0: of none is asked */
};

struct sse_conf {
    int64_t
        spread_ms; /* one event reaches the readers within this, each at his own moment; 0: at once */
    int64_t beat_ms;     /* a comment this often finds out who has gone; at least 1 */
    int64_t readers_max; /* above it sse_full() */
    int64_t client_max;  /* streams of one client, likewise; 0: no limit */
    bool own_ids; /* an event's id names its own topic alone: for readers of one topic each */
    bool (*lasts)(const struct sse_owner
                      *); /* asked at sse_weed(), and at each beat; NULL: nothing ends */
    enum metric sent, readers,
        skipped; /* COUNTER, GAUGE, COUNTER: times a slow one was brought to the newest */
};

/* What a stream wants: a reply's `stream` (reply.h). */
struct sse_wish {
    struct sse *sse;
    uint64_t client;        /* who asks (limit_client()) */
    struct sse_owner owner; /* his stream ends with it */
    int64_t account;        /* whose news he is told of, too (sse_tell()); 0: nobody's */
    const char *topic;      /* NULL: all */
    const char *
        last_id; /* Last-Event-ID; NULL: none. What it does not list is told; nonsense lists nothing */
};

struct sse *sse_new(const struct sse_conf *conf);
/* After the last loop has ended and nobody publishes; accepts NULL. */
void sse_free(struct sse *s);
/*
 * Any thread; never waits for a reader. `topic` and `id` are at most SSE_WORD_MAX visible characters without
 * comma and equals sign, `event` and `data` one line each. A topic beyond SSE_TOPICS is refused and logged.
 */
void sse_publish(struct sse *s, const char *topic, const char *id, const char *event,
                 const char *data);
/* Any thread: nobody is told of the topic any more; under its name a new one may come, which those who read it by now know nothing of. */
void sse_forget(struct sse *s, const char *topic);
/*
 * Any thread: there is something new for an account. Its readers get "event: me\ndata: {}\n\n" at once, without an id: it says nothing, may be doubled, and is not told again to who comes back.
 */
void sse_tell(struct sse *s, int64_t account);
/* Any thread: sessions, keys or rights have ended, and the streams of those who had them end now. */
void sse_weed(struct sse *s);
/* Whether the readers, or those of this client, are as many as they may be. Loops that ask together may exceed
 * it by one each. */
bool sse_full(struct sse *s, uint64_t client);

#endif
