/*
 * campaigns.c - campaigns as staff read and write them. What may be done, and what it asks, stands in push/campaign_state.def.
 */
#include "api/campaigns.h"

#include <inttypes.h>
#include <string.h>

#include "api/campaign_view.h"
#include "api/places.h"
#include "api/view.h"
#include "push/campaign_addressed.h"
#include "push/campaign_step.h"
#include "push/plan.h"
#include "push/sample.h"

enum { PAGE = 50 };

const struct param campaigns_params[] = {
    { "site", P_TEXT, 1, 64, "站点标识码，或编号；只管一个站点的推送，可以不写" },
    { "state", P_TEXT, 1, 20, "只要这一状态的，如 submitted" },
    { "n", P_INT, 1, CAMPAIGN_PAGE_MAX, "每页条数，默认 50" },
    { "cursor", P_INT, 1, INT64_MAX, "上一页答复里的 next；不给则从最新的开始" },
    { 0 },
};
const struct param campaign_params[] = { { "campaign", P_INT, 1, INT64_MAX, "推送的编号" },
                                         { 0 } };

/* ---- which ---- */

enum rc campaign_of(struct work *w, const struct request *rq, struct campaign *out)
{
    enum rc rc = campaign_find(w, request_int(rq, "campaign", 0), out);

    return rc ? rc : work_need_at(w, CAMPAIGN_RIGHTS, out->site);
}

static enum rc reply_campaign(struct work *w, const struct campaign *c, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = campaign_view(w, &b, c, true)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* The site that was named, or his own; EVERYWHERE: of all. */
static enum rc find_site(struct work *w, const char *name, int64_t *out)
{
    struct site site;
    enum rc rc;

    *out = EVERYWHERE;
    if (name) {
        if ((rc = place_site(w, name, &site)))
            return rc;
        *out = site.no;
        return work_need_at(w, CAMPAIGN_RIGHTS, site.no);
    }
    if (actor_has_at(&w->who, CAMPAIGN_RIGHTS, EVERYWHERE))
        return RC_OK;
    for (int i = 0; i < w->who.nscopes; i++) {
        if (!(w->who.scopes[i].rights & CAMPAIGN_RIGHTS))
            continue;
        if (*out)
            return err_field(&w->err, "site", "您管几个站点的推送：请说明是哪一个");
        *out = w->who.scopes[i].site;
    }
    return *out ? RC_OK : work_need_at(w, CAMPAIGN_RIGHTS, EVERYWHERE);
}

enum rc get_campaigns(struct work *w, const struct request *rq, struct reply *rp)
{
    struct campaign_query q = { .state = request_text(rq, "state", ""),
                                .before = request_int(rq, "cursor", 0),
                                .most = (int)request_int(rq, "n", PAGE) };
    struct buf b = BUF_IN(w->mem);
    struct campaign *list;
    enum rc rc;
    int n;

    if (*q.state && campaign_state_parse(q.state) < 0)
        return err_field(&w->err, "state", "没有这个状态");
    if ((rc = find_site(w, request_text(rq, "site", NULL), &q.site)) ||
        (rc = campaign_list(w, &q, &list, &n)))
        return rc;
    view_list_open(&b, "campaigns");
    for (int i = 0; i < n && !rc; i++)
        rc = campaign_view(w, &b, &list[i], false);
    view_list_close(&b, n == q.most ? arena_printf(w->mem, "%" PRId64, list[n - 1].no) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return rc;
}

/* ---- read ---- */

enum rc get_campaign(struct work *w, const struct request *rq, struct reply *rp)
{
    struct campaign c;
    enum rc rc = campaign_of(w, rq, &c);

    return rc ? rc : reply_campaign(w, &c, rp);
}

enum rc get_campaign_steps(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_of(w, rq, &c)) || (rc = campaign_view_steps(w, &b, &c)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_campaign_plan(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct campaign c;
    struct plan plan;
    enum rc rc;

    if ((rc = campaign_of(w, rq, &c)) || (rc = plan_of(w, &c, &plan)))
        return rc;
    plan_print(&plan, &b);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_campaign_sample(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sample_person *people;
    struct buf b = BUF_IN(w->mem);
    struct campaign c;
    enum rc rc;
    int n;

    if ((rc = campaign_of(w, rq, &c)) || (rc = sample(w, &c, &people, &n)))
        return rc;
    buf_addc(&b, '{');
    jx_put_int(&b, "leastOf", SAMPLE_LEAST_OF);
    jx_key(&b, "people");
    buf_addc(&b, '[');
    for (int i = 0; i < n; i++) {
        buf_adds(&b, i ? ",{" : "{");
        jx_put_text(&b, "area", people[i].area);
        jx_put_text(&b, "hint", people[i].hint);
        jx_put_text(&b, "transport", transport_type((int)people[i].by)->word);
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- write ---- */

static enum rc reply_new(struct work *w, const struct campaign *c, struct reply *rp)
{
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/push/campaigns/%" PRId64, c->no));
    return reply_campaign(w, c, rp);
}

enum rc post_campaign(struct work *w, const struct request *rq, struct reply *rp)
{
    struct campaign in = { 0 }, c;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = campaign_address(w, body)) || (rc = campaign_read(w, body, true, &in)) ||
        (rc = campaign_create(w, &in, &c)))
        return rc;
    return reply_new(w, &c, rp);
}

enum rc post_campaign_copy(struct work *w, const struct request *rq, struct reply *rp)
{
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_of(w, rq, &c)) || (rc = campaign_copy(w, c.no, &c)))
        return rc;
    return reply_new(w, &c, rp);
}

enum rc patch_campaign(struct work *w, const struct request *rq, struct reply *rp)
{
    struct campaign c;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = campaign_edit(w, request_int(rq, "campaign", 0), body, &c)))
        return rc;
    return reply_campaign(w, &c, rp);
}

static enum rc read_order(struct work *w, const struct request *rq, struct campaign_order *o,
                          uint8_t hash[HASH_BYTES])
{
    static const struct jx_field members[] = { { "hash", JX_TEXT, false, 1, HASH_TEXT },
                                               { "text", JX_TEXT, false, 1, CAMPAIGN_WHY_MAX },
                                               { 0 } };
    const char *text;
    json_t *body;
    enum rc rc;

    if (!rq->body_len)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    o->text = jx_text(body, "text");
    if (!(text = jx_text(body, "hash")))
        return RC_OK;
    if (!hex_parse(text, strlen(text), hash, HASH_BYTES))
        return err_field(&w->err, "/hash", "hash 是 64 位小写十六进制");
    o->hash = hash;
    return RC_OK;
}

/* On a worker: what an approver can see is kept with his approval. */
enum rc prepare_campaign_approval(struct work *w, struct request *rq)
{
    struct buf b = BUF_IN(w->mem);
    struct campaign c;
    struct plan plan;
    enum rc rc;

    if ((rc = campaign_of(w, rq, &c)) || (rc = plan_of(w, &c, &plan)))
        return rc;
    plan_print(&plan, &b);
    rq->prepared = b.p;
    return RC_OK;
}

enum rc post_campaign_step(struct work *w, const struct request *rq, struct reply *rp)
{
    int step = campaign_step_parse(strrchr(rq->path, '/') + 1);
    struct campaign_order o = { .plan = rq->prepared };
    uint8_t hash[HASH_BYTES];
    struct campaign c;
    enum rc rc;

    if (step < 0)
        return err_set(&w->err, RC_INTERNAL, "%s is a route without a step", rq->path);
    if ((rc = read_order(w, rq, &o, hash)) ||
        (rc = campaign_do(w, request_int(rq, "campaign", 0), (enum campaign_step)step, &o, &c)))
        return rc;
    return reply_campaign(w, &c, rp);
}
