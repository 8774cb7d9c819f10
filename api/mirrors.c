/*
 * mirrors.c - the operator's view of server/channel/mirror.h.
 */
#include "api/mirrors.h"

#include <string.h>

#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/channel/mirror.h"
#include "server/channel/mirror_status.h"

enum { LINE_MAX_CHARS = 500 };

static void put_since(struct buf *b, int64_t since)
{
    char text[CLOCK_TEXT];

    if (since)
        jx_put_text(b, "since", clock_text(since, text));
}

static void put_mirror(struct buf *b, const struct mirror_state *m)
{
    char text[CLOCK_TEXT];

    if (b->p[b->n - 1] != '[')
        buf_addc(b, ',');
    buf_addc(b, '{');
    if (m->checked)
        jx_put_text(b, "checked", clock_text(m->checked, text));
    jx_put_int(b, "epoch", m->epoch);
    jx_put_text(b, "error", *m->error ? m->error : NULL);
    jx_put_int(b, "failures", m->failures);
    jx_put_int(b, "items", m->items);
    jx_put_int(b, "seq", m->seq);
    put_since(b, m->since);
    jx_put_text(b, "stream", m->stream);
    jx_put_text(b, "trust", *m->trust ? m->trust : NULL);
    jx_put_text(b, "url", m->url);
    buf_addc(b, '}');
}

/* How it is with the list of streams that an edge follows; nothing on other servers. */
static void put_list(struct buf *b)
{
    struct mirror_status s;
    char text[CLOCK_TEXT];

    mirror_status_of(MIRROR_STATUS_LIST, &s);
    if (!s.checked && !s.failures)
        return;
    jx_key(b, "edge");
    buf_addc(b, '{');
    if (s.checked)
        jx_put_text(b, "checked", clock_text(s.checked, text));
    jx_put_text(b, "error", *s.error ? s.error : NULL);
    jx_put_int(b, "failures", s.failures);
    put_since(b, s.since);
    buf_addc(b, '}');
}

static enum rc reply_list(struct work *w, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct mirror_state *m;
    enum rc rc;
    int n;

    if ((rc = mirror_list(w, &m, &n)))
        return rc;
    buf_addc(&b, '{');
    put_list(&b);
    jx_key(&b, "mirrors");
    buf_addc(&b, '[');
    for (int i = 0; i < n; i++)
        put_mirror(&b, &m[i]);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_mirrors(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    return reply_list(w, rp);
}

enum rc post_mirror(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "url", JX_TEXT, true, 1, LINE_MAX_CHARS },
        { "stream", JX_TEXT, true, 1, 32 },
        { "trust", JX_TEXT, false, 64, 64 },
        { "ca", JX_TEXT, false, 1, LINE_MAX_CHARS },
        { 0 },
    };
    struct mirror_new in;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    in = (struct mirror_new){ .url = jx_text(body, "url"),
                              .stream = jx_text(body, "stream"),
                              .trust = jx_text(body, "trust"),
                              .cacert = jx_text(body, "ca") };
    if ((rc = mirror_follow(w, &in)) || (rc = reply_list(w, rp)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", "/v1/mirrors");
    return RC_OK;
}

enum rc delete_mirror(struct work *w, const struct request *rq, struct reply *rp)
{
    enum rc rc = mirror_unfollow(w, request_text(rq, "stream", ""));

    if (!rc)
        rp->status = 204;
    return rc;
}

enum rc post_withhold(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "reason", JX_TEXT, false, 1, LINE_MAX_CHARS },
                                               { 0 } };
    bool withhold = !strcmp(strrchr(rq->path, '/'), "/withhold");
    const char *reason = NULL;
    json_t *body;
    enum rc rc;

    if (rq->body_len) {
        if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
            (rc = jx_check(&w->err, body, members, "")))
            return rc;
        reason = jx_text(body, "reason");
    }
    if ((rc = mirror_withhold(w, &request_arg(rq, "id")->id, reason, withhold)))
        return rc;
    rp->status = 204;
    return RC_OK;
}
