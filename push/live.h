/*
 * live.h - how far campaigns are, as it happens: events of sse.h, a topic each.
 *
 *     event: progress
 *     data: {"audience":8000,"campaign":12,"complete":true,"onTheWay":20,"outcomes":{"accepted":7880,"doubt":0,…},"recalled":0,"state":"running","stateText":"发送中","waiting":100}
 *
 * Each says all that there is to say, so who is slow misses nothing that counts. At most two a second and campaign; none while nothing changes.
 */
#ifndef PUSH_LIVE_H
#define PUSH_LIVE_H

#include "push/campaign.h"
#include "server/http/sse.h"

struct live_conf {
    int64_t beat_ms;
    bool (*lasts)(const struct sse_owner *); /* sse.h */
};
/* Before the threads start; after they have ended. */
void live_open(const struct live_conf *c);
void live_close(void);
/* Any thread: sessions, keys or rights have ended. */
void live_weed(void);
/* On the thread of push, whose w->db reads: tells what has changed, at most every LIVE_MS. */
enum { LIVE_MS = 500 };
void live_look(struct work *w);
/* Any thread: a stream of the campaign's, which begins with how it is now; whose it is, is the caller's to fill in (and that he must go on having the right to see it). RC_BUSY: there are as many as there may be. */
enum rc live_wish(struct work *w, const struct campaign *c, uint64_t client,
                  struct sse_wish *out);

#endif
