/*
 * wechat.c - two URLs and a table.
 */
#include "server/identity/wechat.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/jx.h"

static const struct {
    int64_t errcode;
    enum rc rc;
    const char *meaning;
} errors[] = {
#define WECHAT(errcode, rc, meaning) { errcode, rc, meaning },
#include "server/identity/wechat.def"
#undef WECHAT
};

static void put(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%c%s=", strchr(out->p, '?') ? '&' : '?', name);
    buf_url(out, value, strlen(value));
}

void wechat_put_url(struct buf *out, const struct upstream *u, const char *code)
{
    buf_adds(out, u->at.token);
    put(out, "appid", u->client);
    put(out, "secret", u->secret);
    put(out, u->kind == UPSTREAM_WECHAT_MINI ? "js_code" : "code", code);
    put(out, "grant_type", "authorization_code");
}

static enum rc refuse(struct err *e, int64_t errcode)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].errcode == errcode)
            return err_set(e, errors[i].rc, "WeChat says %" PRId64 ": %s", errcode,
                           errors[i].meaning);
    return err_set(e, RC_BUSY, "WeChat says %" PRId64, errcode);
}

enum rc wechat_read(struct err *e, const json_t *answer, struct wechat_ids *out)
{
    int64_t errcode = jx_int(answer, "errcode", 0);
    const char *openid = jx_text(answer, "openid"), *unionid = jx_text(answer, "unionid");

    if (errcode)
        return refuse(e, errcode);
    if (!openid || !*openid)
        return err_set(e, RC_BUSY, "WeChat's answer has no openid");
    *out = (struct wechat_ids){ openid, unionid && *unionid ? unionid : NULL };
    return RC_OK;
}
