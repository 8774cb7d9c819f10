/*
 * orgs.c - the public bodies that publish: a code that stays, a name, a region, who is above.
 *
 * In a body an organisation is its code or its number, and 0 is none. Nothing is deleted: what
 * was published stays published by somebody. Which site belongs to whom is the site's to say
 * (columns.c).
 */
#include "api/orgs.h"

#include <inttypes.h>

#include "api/view.h"
#include "server/base/jx.h"

static enum rc reply_org(struct work *w, const struct org *o, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    view_org(&b, o);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_orgs(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct org *orgs;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = org_list(w, &orgs, &n)))
        return rc;
    view_list_open(&b, "orgs");
    for (int i = 0; i < n; i++)
        view_org(&b, &orgs[i]);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_org(struct work *w, const struct request *rq, struct reply *rp)
{
    struct org org;
    enum rc rc;

    if ((rc = place_org(w, request_arg(rq, "org")->text, &org)))
        return rc;
    rp->cache = CACHE_SHORT;
    return reply_org(w, &org, rp);
}

/* What a body says of it; what it does not say stays as it is. */
static enum rc read_org(struct work *w, const json_t *body, bool new, struct org *o)
{
    const struct jx_field members[] = {
        { "name", JX_TEXT, new, 1, 100 },
        { "region", JX_TEXT, false, 6, 12 },
        place_org_field(body, "parent"),
        { new ? "code" : NULL, JX_TEXT, true, 1, 64 }, /* NULL ends the table: a code stays */
        { 0 },
    };
    enum rc rc;

    if ((rc = jx_check(&w->err, body, members, "")) ||
        (rc = place_org_in(w, body, "parent", &o->parent)))
        return rc;
    if (jx_text(body, "name"))
        o->name = jx_text(body, "name");
    if (jx_text(body, "region"))
        o->region = jx_text(body, "region");
    return RC_OK;
}

enum rc post_org(struct work *w, const struct request *rq, struct reply *rp)
{
    struct org org = { 0 };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = read_org(w, body, true, &org)))
        return rc;
    org.code = jx_text(body, "code");
    if ((rc = org_create(w, &org)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/orgs/%" PRId64, org.no));
    return reply_org(w, &org, rp);
}

enum rc patch_org(struct work *w, const struct request *rq, struct reply *rp)
{
    struct org org;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = place_org(w, request_arg(rq, "org")->text, &org)) ||
        (rc = read_org(w, body, false, &org)) || (rc = org_edit(w, &org)))
        return rc;
    return reply_org(w, &org, rp);
}
