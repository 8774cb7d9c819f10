/*
 * channels.c - accounts as JSON. Nothing sealed ever stands in an answer.
 */
#include "api/channels.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "server/base/clock.h"

const struct param channels_params[] = {
    { "after", P_INT, 0, INT64_MAX, "上一页最后一个的编号" }, { 0 }
};
const struct param channel_params[] = {
    { "channel", P_INT, 1, INT64_MAX, "账号的编号，见 GET /v1/channels" }, { 0 }
};

static void put_replies(struct work *w, struct buf *b, const struct channel_account *a)
{
    json_t *object;
    struct err ignored;

    if (!a->replies || jx_object(&ignored, w->mem, a->replies, strlen(a->replies), &object))
        return;
    jx_key(b, "replies");
    jx_canonical(b, json_object_get(object, "replies"));
}

static enum rc view_channel(struct work *w, struct buf *b, struct places *places,
                            const struct channel_account *a)
{
    const struct site *site;
    struct org org = { 0 };
    enum rc rc;

    if ((rc = places_site(w, places, a->site, &site)) ||
        (a->org && (rc = org_by_no(w, a->org, &org))))
        return rc;
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    view_time(b, "changed", a->changed);
    jx_put_bool(b, "credentials", a->secret != NULL);
    jx_put_text(b, "domain", a->domain);
    jx_put_text(b, "filing", a->filing);
    jx_put_text(b, "handle", a->handle);
    jx_put_text(b, "kind", a->kind);
    jx_put_text(b, "name", a->name);
    jx_put_int(b, "no", a->no);
    jx_put_text(b, "org", a->org ? org.name : NULL);
    view_time(b, "published", a->published);
    put_replies(w, b, a);
    jx_put_text(b, "scope", a->scope);
    jx_put_text(b, "site", site->code);
    jx_put_text(b, "state", a->state);
    jx_put_text(b, "stateText", channel_state_chinese(a->state));
    if (a->trouble_until > clock_now())
        jx_put_text(b, "trouble", a->trouble);
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc reply_channel(struct work *w, int64_t no, struct reply *rp)
{
    struct places places = PLACES_NONE;
    struct buf b = BUF_IN(w->mem);
    struct channel_account a;
    enum rc rc;

    if ((rc = channel_account_find(w, no, &a)) || (rc = view_channel(w, &b, &places, &a)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_channels(struct work *w, const struct request *rq, struct reply *rp)
{
    struct places places = PLACES_NONE;
    struct buf b = BUF_IN(w->mem);
    struct channel_account *all;
    enum rc rc;
    int n;

    if ((rc = channel_account_list(w, request_int(rq, "after", 0), &all, &n)))
        return rc;
    view_list_open(&b, "channels");
    for (int i = 0; i < n; i++)
        if ((rc = view_channel(w, &b, &places, &all[i])))
            return rc;
    view_list_close(&b,
                    n == CHANNEL_PAGE ? arena_printf(w->mem, "%" PRId64, all[n - 1].no) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_channel(struct work *w, const struct request *rq, struct reply *rp)
{
    return reply_channel(w, request_int(rq, "channel", 0), rp);
}

/* The members that a new account and a changed one share. */
#define CHANNEL_MEMBERS(body)                                                            \
    { "name", JX_TEXT, false, 1, CHANNEL_NAME_MAX }, { "state", JX_TEXT, false, 1, 20 }, \
        { "filing", JX_TEXT, false, 0, 64 }, { "domain", JX_TEXT, false, 0, 253 },       \
        { "scope", JX_TEXT, false, 1, 10 },                                              \
        { "replies", JX_OBJECTS, false, 0, CHANNEL_REPLIES_MAX }, place_org_field(body, "org")

static const char *given(const json_t *body, const char *name, const char *otherwise)
{
    const char *text = jx_text(body, name);

    return !text ? otherwise : *text ? text : NULL;
}

static enum rc read_members(struct work *w, const json_t *body, struct channel_account *a)
{
    const json_t *replies = json_object_get(body, "replies");
    struct buf b = BUF_IN(w->mem);

    a->name = given(body, "name", a->name);
    a->state = given(body, "state", a->state);
    a->scope = given(body, "scope", a->scope);
    a->filing = given(body, "filing", a->filing);
    a->domain = given(body, "domain", a->domain);
    if (replies) {
        buf_adds(&b, "{\"replies\":");
        jx_canonical(&b, replies);
        buf_addc(&b, '}');
        a->replies = json_array_size(replies) ? b.p : NULL;
    }
    return place_org_in(w, body, "org", &a->org);
}

enum rc post_channel(struct work *w, const struct request *rq, struct reply *rp)
{
    struct channel_account a = { .state = "filing", .scope = "all" };
    struct site site;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    const struct jx_field members[] = { { "kind", JX_TEXT, true, 1, 20 },
                                        { "handle", JX_TEXT, true, 1, CHANNEL_HANDLE_MAX },
                                        place_field(body, "site", true),
                                        CHANNEL_MEMBERS(body),
                                        { 0 } };

    if ((rc = jx_check(&w->err, body, members, "")) || (rc = place_site_in(w, body, &site)) ||
        (rc = read_members(w, body, &a)))
        return rc;
    if (!a.name)
        return err_field(&w->err, "/name", "请写明账号的名称");
    a.kind = jx_text(body, "kind");
    a.handle = jx_text(body, "handle");
    a.site = site.no;
    if ((rc = channel_account_create(w, &a)))
        return rc;
    work_fact(w, "channel", a.no);
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/channels/%" PRId64, a.no));
    return reply_channel(w, a.no, rp);
}

enum rc patch_channel(struct work *w, const struct request *rq, struct reply *rp)
{
    struct channel_account a;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    const struct jx_field members[] = { CHANNEL_MEMBERS(body), { 0 } };

    if ((rc = jx_check(&w->err, body, members, "")) ||
        (rc = channel_account_find(w, request_int(rq, "channel", 0), &a)) ||
        (rc = read_members(w, body, &a)) || (rc = channel_account_edit(w, &a)))
        return rc;
    return reply_channel(w, a.no, rp);
}

enum rc put_channel_credentials(struct work *w, const struct request *rq, struct reply *rp)
{
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = channel_credentials_set(w, request_int(rq, "channel", 0), body)))
        return rc;
    return reply_channel(w, request_int(rq, "channel", 0), rp);
}
