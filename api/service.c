/*
 * service.c - healthz says that the process answers, readyz that it may be sent citizens.
 * Neither touches the store: a slow disk must not make a supervisor kill what still serves from
 * memory.
 *
 * /metrics is for the machine itself (a collector on loopback, the admin socket) and for who
 * may operate. What a proxy on this machine passes on comes from loopback as well, but not from
 * the machine: it says so in X-Forwarded-For, Forwarded or Via, and is a stranger.
 */
#include "api/service.h"

#include <string.h>

#include "api/instance.h"
#include "api/openapi.h"
#include "api/view.h"
#include "server/base/jx.h"
#include "server/base/metric.h"
#include "server/store/disk.h"

enum { DAY = 86400 };

enum rc get_healthz(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w;
    (void)rq;
    reply_body(rp, TYPE_TEXT, "ok\n", 3);
    return RC_OK;
}

enum rc get_readyz(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    (void)rq;
    if (instance()->ready && !instance()->ready())
        return err_set(&w->err, RC_BUSY, "the server is starting or stopping");
    buf_adds(&b, "ready\n");
    if (disk_check(&w->err)) /* who reads is served all the same */
        buf_printf(&b, "read only: %s\n", w->err.text);
    reply_buf(rp, TYPE_TEXT, &b);
    return RC_OK;
}

enum rc get_metrics(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    bool here =
        !rq->forwarded && (!strncmp(rq->client, "127.", 4) || !strcmp(rq->client, "::1"));
    enum rc rc;

    if (!here && (rc = work_need(w, RIGHT_OPERATE)))
        return rc;
    metric_print(&b);
    reply_buf(rp, "text/plain; version=0.0.4; charset=utf-8", &b);
    return RC_OK;
}

enum rc get_version(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    (void)rq;
    buf_addc(&b, '{');
    jx_put_text(&b, "name", "tjzw");
    jx_put_text(&b, "version", TJZW_VERSION);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_openapi(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    (void)rq;
    openapi_print(&b);
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_tokens(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct token *tokens;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = token_list(w, &tokens, &n)))
        return rc;
    view_list_open(&b, "tokens");
    for (int i = 0; i < n; i++)
        view_token(&b, &tokens[i]);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc post_token(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "label", JX_TEXT, true, 1, TOKEN_LABEL_MAX },
        { "rights", JX_TEXT, true, 1, 100 },
        { "days", JX_INT, false, 1, TOKEN_LIFETIME_MAX / DAY },
        { 0 },
    };
    struct buf b = BUF_IN(w->mem);
    char token[TOKEN_TEXT];
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = jx_check(&w->err, body, members, "")))
        return rc;
    if ((rc = token_create(w, jx_text(body, "label"), jx_text(body, "rights"),
                           jx_int(body, "days", 90) * DAY, token)))
        return rc;
    buf_addc(&b, '{');
    jx_put_text(&b, "label", jx_text(body, "label"));
    jx_put_text(&b, "token", token);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 201;
    reply_header(
        rp, "location",
        arena_printf(w->mem, "/v1/tokens/%s", jx_text(body, "label"))); /* a-z 0-9 . _ - */
    return RC_OK;
}

enum rc delete_token(struct work *w, const struct request *rq, struct reply *rp)
{
    enum rc rc;

    if ((rc = token_revoke(w, request_arg(rq, "label")->text)))
        return rc;
    rp->status = 204;
    return RC_OK;
}
