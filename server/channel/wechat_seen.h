/*
 * wechat_seen.h - messages that came in the last minutes, and what was answered: one process's memory.
 *
 *     new --> under way --(answered)--> answered --(WECHAT_WINDOW s)--> forgotten
 *
 * A nonce is good for one message. WeChat asks for the same message up to three times; it is known by who wrote, when, its number and its event together, because its number alone is not
 * unique. Of a message only a keyed hash is kept.
 */
#ifndef CHANNEL_WECHAT_SEEN_H
#define CHANNEL_WECHAT_SEEN_H

#include "server/base/buf.h"

enum {
    WECHAT_WINDOW = 300, /* seconds around now in which a timestamp is believed */
    WECHAT_SEEN = 65536, /* messages */
    WECHAT_KEPT = 4096,  /* … of which the newest have their answer */
    WECHAT_ANSWER_MAX = 8192
};

enum wechat_seen { WECHAT_NEW, WECHAT_AGAIN, WECHAT_REPLAY };

struct wechat_coming {
    int64_t channel, now;
    const char *timestamp, *nonce;
    const char *from, *created, *id, *event;
};

/* Whether the timestamp is within the window. */
bool wechat_in_time(const char *timestamp, int64_t now);
/*
 * Takes it down if it is new. WECHAT_AGAIN: the answer it had is added to *answer, nothing if it is still under way or had none. WECHAT_REPLAY: its nonce was another message's.
 * Any thread.
 */
enum wechat_seen wechat_see(const struct wechat_coming *m, struct buf *answer);
void wechat_answered(const struct wechat_coming *m, const char *answer, size_t n);
void wechat_forget_all(void); /* tests */

#endif
