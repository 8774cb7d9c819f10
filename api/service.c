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
