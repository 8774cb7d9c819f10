/*
 * audit.c - pages of the audit log as JSON.
 *
 * Nothing can be changed here. What a command may add is its own doing, of a short list.
 */
#include "api/audit.h"

#include <string.h>

#include "api/items.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/identity/audit_list.h"
#include "server/identity/session.h"

enum { ACTION_MAX = 40, ACTOR_MAX = 63 };

const struct param audit_params[] = {
    { "since", P_TEXT, 10, 40, "只要这一时刻（含）之后的，如 2026-11-21，或 2026-11-21 10:00" },
    { "until", P_TEXT, 10, 40, "只要这一时刻之前的" },
    { "actor", P_TEXT, 1, ACTOR_MAX, "只要这一操作者的，如 operator、account:7、party:cms" },
    { "action", P_TEXT, 1, ACTION_MAX, "只要这一种操作的，如 item.publish" },
    { "n", P_INT, 1, AUDIT_PAGE_MAX, "每页条数，默认 100" },
    { "cursor", P_TEXT, 1, AUDIT_CURSOR, "上一页答复里的 next；不给则从最新的开始" },
    { 0 },
};
const struct param audit_note_params[] = {
    { "action", P_TEXT, 1, ACTION_MAX, "backup、key.backup、key.restore、audit.export" }, { 0 }
};

static void put_row(struct work *w, struct buf *b, const struct audit_row *r,
                    const char *address)
{
    char text[CLOCK_TEXT];

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_text(b, "action", r->action);
    jx_put_text(b, "actor", r->actor);
    jx_put_text(b, "address", address ? address : "?");
    if (r->details) {
        jx_key(b, "details");
        buf_adds(b, r->details);
    }
    jx_put_int(b, "no", r->no);
    jx_put_text(b, "object", r->object);
    jx_put_text(b, "result", r->result);
    if (r->session)
        jx_put_text(b, "session", arena_printf(w->mem, SESSION_NAME, r->session));
    jx_put_text(b, "time", clock_text(r->at, text));
    jx_put_text(b, "what", audit_chinese(r->action));
    buf_addc(b, '}');
}

static enum rc read_time(struct work *w, const struct request *rq, const char *name,
                         int64_t *out)
{
    const char *text = request_text(rq, name, NULL);

    if (text && clock_parse(text, strlen(text), out))
        return err_field(&w->err, name, "\"%.40s\" is no day or time", text);
    return RC_OK;
}

enum rc get_audit(struct work *w, const struct request *rq, struct reply *rp)
{
    struct audit_filter f = { .actor = request_text(rq, "actor", NULL),
                              .action = request_text(rq, "action", NULL),
                              .cursor = request_text(rq, "cursor", NULL),
                              .n = (int)request_int(rq, "n", 100) };
    struct buf b = BUF_IN(w->mem);
    struct audit_page page;
    enum rc rc;

    if ((rc = read_time(w, rq, "since", &f.since)) ||
        (rc = read_time(w, rq, "until", &f.until)) || (rc = audit_list(w, &f, &page)))
        return rc;
    view_list_open(&b, "records");
    for (int i = 0; i < page.n; i++)
        put_row(w, &b, &page.rows[i], page.addresses[i]);
    view_list_close(&b, page.next);
    items_link_next(w, rq, page.next, rp);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc post_audit_note(struct work *w, const struct request *rq, struct reply *rp)
{
    static const enum audit_action may[] = { AUDIT_backup, AUDIT_key_backup, AUDIT_key_restore,
                                             AUDIT_audit_export };
    enum audit_action action = audit_find(request_arg(rq, "action")->text);
    enum rc rc;

    for (size_t i = 0; i < sizeof may / sizeof *may; i++)
        if (may[i] == action) {
            if ((rc = audit_add(w, action, NULL, RC_OK)))
                return rc;
            rp->status = 204;
            return RC_OK;
        }
    return err_field(&w->err, "action", "no command says that it did this");
}
