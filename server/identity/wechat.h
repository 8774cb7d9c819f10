/*
 * wechat.h - how WeChat is asked who somebody is, and what it answers. Pure.
 *
 *     GET sns/jscode2session?appid&secret&js_code&grant_type=authorization_code       a mini-program
 *     GET sns/oauth2/access_token?appid&secret&code&grant_type=authorization_code     a page, an app
 *
 *     {"openid":"…","unionid":"…","session_key":"…"}      or {"errcode":40029,"errmsg":"…"}, both with status 200
 *
 * Of the answer openid and unionid are read and nothing else: a session_key opens what WeChat sealed for its owner, so it is neither
 * kept nor given to anybody.
 */
#ifndef IDENTITY_WECHAT_H
#define IDENTITY_WECHAT_H

#include <jansson.h>

#include "server/base/buf.h"
#include "server/identity/upstream.h"

struct wechat_ids {
    const char *openid, *unionid; /* unionid NULL: the appid belongs to no open platform */
};

void wechat_put_url(struct buf *out, const struct upstream *u, const char *code);
/* wechat.def: RC_UNAUTHORIZED, RC_FORBIDDEN, RC_TOO_MANY: of who signs in; RC_BUSY: of WeChat or our settings. */
enum rc wechat_read(struct err *e, const json_t *answer, struct wechat_ids *out);

#endif
