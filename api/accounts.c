/*
 * accounts.c - staff as JSON. Citizens are in no list: an account of one is locked by its number, which the audit log has.
 */
#include "api/accounts.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "server/base/jx.h"
#include "server/identity/lockout.h"

const struct param account_list_params[] = {
    { "after", P_INT, 0, INT64_MAX, "从这个编号之后开始，见上一页的 next" }, { 0 }
};
const struct param account_params[] = { { "account", P_INT, 1, INT64_MAX, "账号的编号" },
                                        { 0 } };

static void put_account(struct buf *b, const struct account *a)
{
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    jx_put_int(b, "account", a->id);
    view_time(b, "created", a->created);
    jx_put_text(b, "kind", account_kind_name(a->kind));
    if (a->kind != ACCOUNT_CITIZEN)
        jx_put_text(b, "name", a->name);
    view_time(b, "since", a->state_at);
    jx_put_text(b, "state", account_state_name(a->state));
    buf_addc(b, '}');
}

enum rc get_accounts(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct account *list;
    const char *next = "";
    enum rc rc;
    int n;

    if ((rc = account_list(w, ACCOUNT_STAFF, request_int(rq, "after", 0), ACCOUNT_PAGE_MAX,
                           &list, &n)))
        return rc;
    view_list_open(&b, "accounts");
    for (int i = 0; i < n; i++)
        put_account(&b, &list[i]);
    if (n == ACCOUNT_PAGE_MAX)
        next = arena_printf(w->mem, "%" PRId64, list[n - 1].id);
    view_list_close(&b, next);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc patch_account(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "state", JX_TEXT, true, 1, 20 }, { 0 } };
    const char *locked = account_state_name(ACCOUNT_LOCKED), *state;
    struct buf b = BUF_IN(w->mem);
    struct account a;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    state = jx_text(body, "state");
    if (strcmp(state, locked) != 0 && strcmp(state, account_state_name(ACCOUNT_OPEN)) != 0)
        return err_field(&w->err, "/state", "state is open or locked");
    if ((rc = lockout_set(w, request_int(rq, "account", 0), !strcmp(state, locked), &a)))
        return rc;
    work_fact_word(w, "state", account_state_name(a.state));
    put_account(&b, &a);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
