/*
 * sandbox.c - a request that is only tried, and the list of those.
 *
 *     savepoint --> handler --(tried)--> back, no hooks --> row of the sandbox --> audit, Idempotency-Key --> COMMIT
 *                          \--(real)---> release ------------------------------> as ever
 *
 * A handler's effects are rows and hooks that wait for the COMMIT (writer.h), so to take it back is to roll it back: no handler knows
 * of the sandbox, and one that is added is in it.
 */
#include "api/sandbox.h"

#include <string.h>

#include "api/view.h"
#include "server/base/jx.h"
#include "server/identity/party.h"
#include "server/identity/party_reach.h"
#include "server/identity/party_sandbox.h"
#include "server/store/db.h"

enum { PAGE = 20 };

/* ---- tried ---- */

static enum rc take_back(struct work *w, const struct route *r, struct reply *rp)
{
    bool json = rp->type && !strcmp(rp->type, TYPE_JSON);
    const struct sandbox_request said = { method_name(r->method), r->path,
                                          rp->status ? rp->status : 200, json ? rp->body : NULL,
                                          rp->len };
    enum rc rc;

    w->after = NULL;
    if ((rc = db_back(w)) || (rc = party_sandbox_add(w, &said)))
        return rc;
    work_fact(w, "sandbox", 1);
    reply_header(rp, "sandbox", "true");
    return RC_OK;
}

enum rc sandbox_handle(struct work *w, const struct route *r, const struct request *rq,
                       struct reply *rp)
{
    enum rc rc;

    if (w->who.kind != PARTY_TEST && w->who.kind != PARTY_TEAM)
        return r->handler(w, rq, rp);
    if ((rc = db_savepoint(w)))
        return rc;
    rc = r->handler(w, rq, rp);
    if (!db_in_transaction(w->db))
        return rc ? rc : err_set(&w->err, RC_INTERNAL, "the transaction was lost");
    if (rc) {
        w->after = NULL;
        return db_back(w) ? RC_INTERNAL : rc;
    }
    return party_is_tried(w) ? take_back(w, r, rp) : db_release(w);
}

/* ---- read ---- */

const struct param sandbox_params[] = {
    { "party", P_TEXT, 1, PARTY_ID_MAX, "第三方的代号；用它自己的密钥，可以不写" },
    { "before", P_INT, 1, INT64_MAX, "只要编号小于它的：上一页最后一条的 no" },
    { "n", P_INT, 1, SANDBOX_ROWS, "条数，默认 20" },
    { 0 },
};

/* Its own key, its owner, or who runs the server if nobody else owns it. What it says is for nobody else: a security administrator knows that it is there. */
static enum rc find_party(struct work *w, const struct request *rq, int64_t *no)
{
    const char *id = request_text(rq, "party", NULL);
    struct party p;
    enum rc rc;

    if (!w->who.account && !w->who.party && !w->who.operator)
        return err_set(&w->err, RC_UNAUTHORIZED, "this needs a program's key, or its owner");
    *no = w->who.key ? w->who.party : 0;
    if (*no && (!id || !strcmp(w->who.name + strlen("party:"), id)))
        return RC_OK;
    if (!id)
        return err_field(&w->err, "party", "请说明是哪一个程序");
    if ((rc = party_find(w, id, &p)))
        return rc;
    *no = p.no;
    return party_is_his(w, &p) || (w->who.operator&& !p.owner)
               ? RC_OK
               : err_set(&w->err, RC_FORBIDDEN, "the sandbox of %s is for its owner to read",
                         p.id);
}

/* What is whole is JSON of ours. */
static void put_shown(struct buf *b, const struct sandbox_row *r)
{
    if (!r->shown)
        return;
    if (r->cut) {
        jx_put_text(b, "text", r->shown);
        return;
    }
    jx_key(b, "shown");
    buf_add(b, r->shown, strcspn(r->shown, "\n"));
}

static void put_row(struct buf *b, const struct sandbox_row *r)
{
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    if (r->account)
        jx_put_int(b, "account", r->account);
    jx_put_text(b, "kind", r->kind);
    jx_put_text(b, "method", r->method);
    jx_put_int(b, "no", r->no);
    jx_put_text(b, "route", r->route);
    put_shown(b, r);
    jx_put_int(b, "status", r->status);
    view_time(b, "time", r->at);
    buf_addc(b, '}');
}

enum rc get_sandbox(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct sandbox_row *list;
    int64_t party = 0;
    enum rc rc;
    int n;

    if ((rc = find_party(w, rq, &party)) ||
        (rc = party_sandbox_list(w, party, request_int(rq, "before", 0),
                                 (int)request_int(rq, "n", PAGE), &list, &n)))
        return rc;
    view_list_open(&b, "entries");
    for (int i = 0; i < n; i++)
        put_row(&b, &list[i]);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
