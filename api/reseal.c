#include "api/reseal.h"

#include "api/instance.h"
#include "server/base/jx.h"
#include "server/identity/reseal.h"

enum rc get_key_reseal(struct work *w, const struct request *rq, struct reply *rp)
{
    struct reseal_state s = reseal_state();
    struct buf b = BUF_IN(w->mem);

    (void)rq;
    buf_addc(&b, '{');
    jx_put_int(&b, "done", s.done);
    jx_put_int(&b, "failed", s.failed);
    jx_put_bool(&b, "running", s.running);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc post_key_reseal(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    work_fact(w, "key", seal_newest());
    reseal_begin(w);
    rp->status = 204;
    return RC_OK;
}

enum rc post_key_retire(struct work *w, const struct request *rq, struct reply *rp)
{
    rp->status = 204;
    return reseal_retire(w, arena_printf(w->mem, "%s/keys", instance()->dir),
                         request_text(rq, "role", ""));
}
