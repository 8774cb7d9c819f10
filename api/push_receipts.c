/*
 * push_receipts.c - a vendor tells what became of messages. He has no account here: what he says is believed as far as it bears the mark that was sent with the message (push/run_receipt.h).
 */
#include "api/push_receipts.h"

#include "push/run_receipt.h"
#include "server/base/jx.h"
#include "server/base/metric.h"

const struct param push_receipts_params[] = {
    { "vendor", P_TEXT, 1, 20, "哪一家：huawei、huawei_next、honor、xiaomi、oppo、vivo" }, { 0 }
};

enum rc prepare_push_receipts(struct work *w, struct request *rq)
{
    struct vendor_receipts *list = arena_zalloc(w->mem, sizeof *list);
    enum transport by = transport_parse(request_arg(rq, "vendor")->text);
    const struct vendor *v = vendor_of(by);

    list->mem = w->mem;
    if (!v || !v->read_receipts)
        return err_set(&w->err, RC_NOT_FOUND, "there are no receipts of such a vendor");
    if (!v->read_receipts(w->mem, rq->body, rq->body_len, list))
        return err_set(&w->err, RC_INVALID, "this is no receipt as that vendor writes it");
    rq->prepared = list;
    return run_receipts_check(&w->err, by, list);
}

/* The answer is Huawei's; the others look at the status alone. */
enum rc post_push_receipts(struct work *w, const struct request *rq, struct reply *rp)
{
    enum transport by = transport_parse(request_arg(rq, "vendor")->text);
    const struct vendor_receipts *list = rq->prepared;
    struct buf b = BUF_IN(w->mem);
    int taken = 0;
    enum rc rc;

    if ((rc = run_receipts(w, by, list, &taken)))
        return rc;
    metric_add(METRIC_push_receipts, taken);
    buf_addc(&b, '{');
    jx_put_text(&b, "errmsg", "success");
    jx_put_text(&b, "errno", "0");
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
