/*
 * invitations.c - what invite.c does, as JSON.
 *
 * The link leads to a page (set_up_page.h), where its token is a parameter, which no log of ours has.
 */
#include "api/invitations.h"

#include <string.h>

#include "api/auth_json.h"
#include "api/factors.h"
#include "api/instance.h"
#include "api/places.h"
#include "api/set_up_page.h"
#include "server/identity/account.h"
#include "server/identity/invite.h"
#include "server/identity/role.h"
#include "server/library/site.h"

static enum rc read_role(struct work *w, const json_t *body, const struct role_info **role,
                         int64_t *site)
{
    const char *word = jx_text(body, "role"), *code = jx_text(body, "site");
    struct site found;
    enum rc rc;

    *role = word ? role_find(word) : NULL;
    *site = EVERYWHERE;
    if (word && !*role)
        return err_field(&w->err, "/role", "there is no such role");
    if (!code)
        return RC_OK;
    if ((rc = place_site(w, code, &found)))
        return rc;
    *site = found.no;
    return RC_OK;
}

enum rc post_invitation(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "role", JX_TEXT, false, 1, ROLE_WORD_MAX },
                                               { "site", JX_TEXT, false, 1, 64 },
                                               { 0 } };
    struct buf b = BUF_IN(w->mem), url = BUF_IN(w->mem);
    const struct role_info *role;
    char token[INVITE_TEXT];
    int64_t site;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)) ||
        (rc = read_role(w, body, &role, &site)) || (rc = invite_make(w, role, site, token)))
        return rc;
    instance_url(&url, SET_UP_ADDRESS);
    buf_adds(&url, token);
    buf_addc(&b, '{');
    jx_put_int(&b, "expires_in", INVITE_LIFE);
    jx_put_text(&b, "role", role ? role->word : NULL);
    jx_put_text(&b, "token", token);
    jx_put_text(&b, "url", url.p);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 201;
    return RC_OK;
}

enum rc post_invitation_offer(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "token", JX_TEXT, true, 1, INVITE_TEXT },
                                               { "kind", JX_TEXT, true, 1, 20 },
                                               { 0 } };
    struct buf b = BUF_IN(w->mem);
    enum factor_kind kind = FACTOR_TOTP;
    struct invite i;
    struct slip s;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)) ||
        (rc = factors_read_kind(w, body, &kind)) ||
        (rc = invite_find(w, jx_text(body, "token"), &i)))
        return rc;
    s = invite_offer(&i, kind);
    if ((rc = factors_put_offer(w, &b, &s, "工作人员", i.hash, ACCOUNT_SUBJECT)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc prepare_invitation_use(struct work *w, struct request *rq)
{
    static const struct jx_field members[] = { { "token", JX_TEXT, true, 1, INVITE_TEXT },
                                               { "name", JX_TEXT, true, 1, 60 },
                                               { "login", JX_TEXT, true, 1, 128 },
                                               { "password", JX_TEXT, true, 1, 512 },
                                               { "factor", JX_OBJECT, true },
                                               { "device", JX_TEXT, false, 1, 80 },
                                               { 0 } };
    struct invite_entry e = { 0 };
    struct invite_use *u;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)) ||
        (rc = factors_read_proof(w, json_object_get(body, "factor"), "/factor", &e.proof)) ||
        (rc = auth_read_device(w, body, &e.device)))
        return rc;
    e.token = jx_text(body, "token");
    e.name = jx_text(body, "name");
    e.login = jx_text(body, "login");
    e.password = jx_text(body, "password");
    if ((rc = invite_prepare(w, &e, &u, &rq->errand)))
        return rc;
    rq->prepared = u;
    return RC_OK;
}

enum rc post_invitation_use(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct sign_in_result r;
    enum rc rc;

    if ((rc = invite_finish(w, rq->prepared, &r)) || (rc = auth_put_step(w, &b, &r)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 201;
    return RC_OK;
}
