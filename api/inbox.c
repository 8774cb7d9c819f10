/*
 * inbox.c - a notice of the system to one account, and taken back. Its text stands in no log.
 */
#include "api/inbox.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/citizen/inbox.h"

enum { DAY = 86400, DAYS_MAX = 366, WITHDRAWN_AT_ONCE = 5000 };

const struct param inbox_group_params[] = {
    { "group", P_TEXT, 1, INBOX_GROUP_MAX, "消息所属的一组，发送时给的" }, { 0 }
};

static enum rc read_message(struct work *w, const struct request *rq, struct message *m,
                            int64_t *account)
{
    static const struct jx_field members[] = {
        { "account", JX_INT, true, 1, INT64_MAX },
        { "group", JX_TEXT, true, 1, INBOX_GROUP_MAX },
        { "title", JX_TEXT, true, 1, INBOX_TITLE_MAX },
        { "text", JX_TEXT, false, 0, INBOX_TEXT_MAX },
        { "item", JX_TEXT, false, ID_TEXT - 1, ID_TEXT - 1 },
        { "days", JX_INT, false, 1, DAYS_MAX },
        { 0 },
    };
    struct id *item = arena_zalloc(w->mem, sizeof *item);
    const char *id;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    id = jx_text(body, "item");
    if (id && !id_parse(id, strlen(id), item))
        return err_field(&w->err, "/item", "that is no item's number");
    if (strchr(jx_text(body, "group"),
               '/')) /* or who holds the first of them keeps the others out */
        return err_field(&w->err, "/group",
                         "带斜线的组是信件、推送等自己用的，由它们发送和撤回：请换一个名称");
    *account = jx_int(body, "account", 0);
    *m = (struct message){ .kind = "notice",
                           .group = jx_text(body, "group"),
                           .title = jx_text(body, "title"),
                           .text = jx_text(body, "text"),
                           .item = id ? item : NULL,
                           .expires = clock_now() + DAY * jx_int(body, "days", DAYS_MAX) };
    return RC_OK;
}

enum rc post_message(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct message m;
    int64_t account = 0, no = 0;
    enum rc rc;

    if ((rc = read_message(w, rq, &m, &account)) || (rc = inbox_put(w, account, &m, &no)))
        return rc;
    work_fact(w, "account", account);
    buf_addc(&b, '{');
    jx_put_int(&b, "number", no);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 201;
    return RC_OK;
}

enum rc delete_messages(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc;
    int n;

    if ((rc = inbox_withdraw(w, request_arg(rq, "group")->text, WITHDRAWN_AT_ONCE, &n)))
        return rc;
    work_fact(w, "withdrawn", n);
    buf_addc(&b, '{');
    jx_put_bool(&b, "more", n == WITHDRAWN_AT_ONCE);
    jx_put_int(&b, "withdrawn", n);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
