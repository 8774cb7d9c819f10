/*
 * channels.h - the register of accounts on other platforms, and what each shall say (docs/channels.md).
 */
#ifndef API_CHANNELS_H
#define API_CHANNELS_H

#include "server/channel/channel_account.h"
#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/http/route.h"

enum { CHANNEL_BODY_MAX = 128 * 1024 };

extern const struct param channels_params[], channel_params[];

enum rc get_channels(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_channel(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_channel(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_channel_credentials(struct work *w, const struct request *rq, struct reply *rp);

#endif
