/*
 * consents.c - for the app: what the pages /consent and /device are for a browser.
 *
 * A consent is named by its party's number, because it can be taken back when the party is no more.
 */
#include "api/consents.h"

#include "api/ask.h"
#include "api/view.h"
#include "server/base/jx.h"
#include "server/identity/consent.h"
#include "server/identity/provider.h"

static void put(struct work *w, struct buf *b, const struct consent *c)
{
    bool known;
    struct grant_client client;
    char scopes[GRANT_SCOPES_TEXT];

    known = provider_clients()->by_number(w->mem, c->party, &client);
    buf_adds(b, b->p[b->n - 1] == '}' ? ",{" : "{");
    view_time(b, "given", c->given);
    if (known)
        jx_put_text(b, "id", client.id);
    jx_put_text(b, "name", known ? client.name : "已停用的程序");
    jx_put_int(b, "no", c->party);
    jx_put_text(b, "scopes", grant_scopes_text(c->scopes, scopes));
    buf_addc(b, '}');
}

enum rc get_my_consents(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct consent *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = consent_list(w, w->who.account, &list, &n)))
        return rc;
    view_list_open(&b, "consents");
    for (int i = 0; i < n; i++)
        put(w, &b, &list[i]);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc delete_my_consent(struct work *w, const struct request *rq, struct reply *rp)
{
    enum rc rc = consent_end(w, w->who.account, request_int(rq, "party", 0));

    if (!rc)
        rp->status = 204;
    return rc;
}

enum rc post_my_device(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "allow", JX_BOOL, true },
                                               { "code", JX_TEXT, true, 8, 40 },
                                               { 0 } };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = ask_device_answer(w, jx_text(body, "code"), jx_bool(body, "allow", false))))
        return rc;
    rp->status = 204;
    return RC_OK;
}
