/*
 * push.c - a phone says where it is reached, with the session it has; staff ask whom an audience counts. A token stands in no log.
 */
#include "api/push.h"

#include <string.h>

#include "api/view.h"
#include "push/address.h"
#include "push/audience.h"
#include "push/vendor.h"
#include "sync/state.h"

const struct param push_device_params[] = { { "device", P_TEXT, STATE_DEVICE, STATE_DEVICE,
                                              "手机自己抽取的编号，与同步所用的相同" },
                                            { 0 } };

enum rc put_my_push(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "token", JX_TEXT, true, 1, PUSH_TOKEN_MAX },
                                               { "transport", JX_TEXT, true, 1, 20 },
                                               { 0 } };
    const char *device = request_arg(rq, "device")->text;
    const char *token, *why;
    enum transport by;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    if (!(by = transport_parse(jx_text(body, "transport"))))
        return err_field(&w->err, "/transport", "there is no such transport");
    token = jx_text(body, "token");
    if ((why = vendor_refuses(by, w->mem, token)))
        return err_field(&w->err, "/token", "%s", why);
    rp->status = 204;
    return address_tell(w, w->who.account, device, by, token);
}

/* The token is not told back: who has the phone has it, and nobody else needs it. */
enum rc get_my_push(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum transport by;
    int64_t told;
    enum rc rc = address_mine(w, w->who.account, request_arg(rq, "device")->text, &by, &told);

    if (rc)
        return rc;
    buf_addc(&b, '{');
    view_time(&b, "told", told);
    jx_put_text(&b, "transport", transport_type((int)by)->word);
    buf_addc(&b, '}');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc delete_my_push(struct work *w, const struct request *rq, struct reply *rp)
{
    rp->status = 204;
    return address_forget(w, w->who.account, request_arg(rq, "device")->text);
}

static void print_counts(struct buf *b, const struct audience_counts *n)
{
    buf_addc(b, '{');
    jx_put_int(b, "devices", n->all);
    jx_key(b, "transports");
    buf_addc(b, '{');
    for (int i = 0; i < TRANSPORT_COUNT; i++)
        if (n->by[i])
            jx_put_int(b, transport_type(i)->word, n->by[i]);
    buf_adds(b, "}}\n");
}

enum rc post_audience(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "audience", JX_OBJECT, true, 0, 0 },
                                               { "class", JX_TEXT, false, 1, 20 },
                                               { "column", JX_TEXT, false, 1, 40 },
                                               { 0 } };
    struct buf b = BUF_IN(w->mem);
    struct audience_counts n;
    struct audience *a;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = audience_parse(w, json_object_get(body, "audience"), &a)))
        return rc;
    if (jx_text(body, "class"))
        audience_refusals(w, a, jx_text(body, "class"), jx_text(body, "column"));
    if ((rc = audience_open(w, a)) || (rc = audience_count(w, a, &n)))
        return rc;
    print_counts(&b, &n);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
