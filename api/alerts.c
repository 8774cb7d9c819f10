/*
 * alerts.c - the table of server/health/alert.h as JSON, from memory: it answers when disk and workers do not.
 */
#include "api/alerts.h"

#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/health/alert.h"

enum rc get_alerts(struct work *w, const struct request *rq, struct reply *rp)
{
    struct alert *all = arena_alloc(w->mem, ALERTS * sizeof *all);
    struct buf b = BUF_IN(w->mem);
    int64_t looked = alert_all(all);
    char text[CLOCK_TEXT];
    enum rc rc;

    (void)rq;
    if ((rc = work_need(w, RIGHT_OPERATE)))
        return rc;
    buf_addc(&b, '{');
    if (looked)
        jx_put_text(&b, "looked", clock_text(looked, text));
    jx_key(&b, "alerts");
    buf_addc(&b, '[');
    for (int i = 0; i < ALERTS; i++) {
        buf_adds(&b, i ? ",{" : "{");
        alert_put(&all[i], &alert_rows[i], &b);
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
