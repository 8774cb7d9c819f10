/*
 * callback.h - the address of an official account that WeChat asks (docs/channels.md).
 */
#ifndef API_CALLBACK_H
#define API_CALLBACK_H

#include "api/channels.h"

enum rc get_wechat(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_wechat(struct work *w, const struct request *rq, struct reply *rp);

#endif
