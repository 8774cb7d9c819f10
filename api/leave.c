/*
 * leave.c - the handlers.
 *
 * What is taken away for good, or carried away as a whole, wants a sign-in of the last ten minutes; staying wants none.
 */
#include "api/leave.h"

#include "api/auth_json.h"
#include "server/base/clock.h"
#include "server/identity/erase.h"
#include "server/identity/personal.h"

enum rc get_my_export(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    (void)rq;
    if ((rc = auth_need_fresh(w, rp)) || (rc = db_begin_read(w)))
        return rc;
    rc = personal_export(w, w->who.account, &b);
    db_end_read(w->db);
    if (rc)
        return rc;
    reply_header(rp, "content-disposition", "attachment; filename=\"my-data.json\"");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc post_my_erase(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    char time[CLOCK_TEXT];
    int64_t due;
    enum rc rc;

    (void)rq;
    if ((rc = auth_need_fresh(w, rp)) || (rc = erase_ask(w, w->who.account, &due)))
        return rc;
    buf_addc(&b, '{');
    jx_put_text(&b, "erased_at", clock_text(due, time));
    jx_put_text(&b, "state", "leaving");
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc delete_my_erase(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    rp->status = 204;
    return erase_take_back(w, w->who.account);
}
