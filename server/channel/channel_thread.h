/*
 * channel_thread.h - the thread "channels", which does what stands in the outbox (docs/channels.md).
 *
 * Requests go through the outbound thread (server/http/client.h), one an account at a time; what came of them is written by the writer.
 */
#ifndef CHANNEL_THREAD_H
#define CHANNEL_THREAD_H

#include "server/channel/channel_version.h"

struct channel_conf {
    const char *db_path;
    const char *wechat, *weibo; /* where their interfaces are */
    bool private_net;           /* they may lie in our own network */
};

/* After channel_open(), the writer and the outbound client. */
enum rc channel_start(struct err *e, const struct channel_conf *c);
/* After client_stop(), while the writer runs: what was answered is written. Accepts not having been started. */
void channel_stop(void);

/* There is something to do; after the COMMIT, on any thread (a hook of work_after_commit()). */
void channel_stir(void *unused);
/* The platform says that something of that account is decided: it is looked at soon. Any thread; without the thread nothing happens. */
void channel_hint(int64_t channel);

#endif
