/*
 * channel_tasks.c - versions and tasks as JSON; members sorted by name.
 */
#include "api/channel_tasks.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "server/channel/channel_task.h"
#include "server/channel/channel_thread.h"
#include "server/library/checkup.h"

const struct param channel_versions_params[] = {
    { "channel", P_INT, 1, INT64_MAX, "账号的编号" },
    { "before", P_INT, 1, INT64_MAX, "上一页最后一稿的编号" },
    { 0 },
};
const struct param channel_version_params[] = {
    { "version", P_INT, 1, INT64_MAX, "文稿的编号" }, { 0 }
};
const struct param channel_tasks_params[] = {
    { "state", P_TEXT, 1, 20,
      "只要这一状态的：queued、waiting、unknown、done、failed、cancelled" },
    { "before", P_INT, 1, INT64_MAX, "上一页最后一个的编号" },
    { 0 },
};
const struct param channel_task_params[] = { { "task", P_INT, 1, INT64_MAX, "发布任务的编号" },
                                             { 0 } };

/* ---- versions ---- */

static enum rc put_faults(struct work *w, struct buf *b, const struct channel_version *v)
{
    struct channel_faults f;
    enum rc rc = channel_version_check(w, v, &f);

    if (rc)
        return rc;
    jx_key(b, "faults");
    buf_addc(b, '[');
    for (int i = 0; i < f.n; i++) {
        buf_adds(b, i ? ",{" : "{");
        jx_put_text(b, "field", channel_field_name(f.v[i].field));
        jx_put_text(b, "said", f.v[i].said);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    return RC_OK;
}

static enum rc put_verdicts(struct work *w, struct buf *b, const struct channel_version *v)
{
    struct channel_faults f;
    enum rc rc = channel_version_check(w, v, &f);

    if (rc || !f.checked.n)
        return rc;
    jx_key(b, "verdicts");
    checkup_json(b, &f.checked);
    return RC_OK;
}

/* `whole`: with its body and what is wrong with it. */
static enum rc view_version(struct work *w, struct buf *b, const struct channel_version *v,
                            bool whole)
{
    char id[ID_TEXT], hash[HASH_TEXT], cover[HASH_TEXT];
    struct channel_task t;
    enum rc rc, none = channel_task_of(w, v->no, CHANNEL_PUBLISH, &t);

    if (none && none != RC_NOT_FOUND)
        return none;
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    jx_put_text(b, "approver", v->approver);
    jx_put_text(b, "author", v->author);
    if (whole)
        jx_put_text(b, "body", v->body);
    jx_put_text(b, "byline", v->byline);
    view_time(b, "changed", v->changed);
    jx_put_int(b, "channel", v->channel);
    if (v->has_cover)
        jx_put_text(b, "cover", hex_text(v->cover, HASH_BYTES, cover));
    jx_put_text(b, "digest", v->digest);
    if (whole && (rc = put_faults(w, b, v)))
        return rc;
    jx_put_text(b, "hash", hex_text(v->hash, HASH_BYTES, hash));
    jx_put_text(b, "item", id_text(&v->item, id));
    jx_put_int(b, "no", v->no);
    jx_put_int(b, "rev", v->rev);
    jx_put_text(b, "state", v->state);
    if (!none)
        jx_put_int(b, "task", t.no);
    jx_put_text(b, "title", v->title);
    if (whole && (rc = put_verdicts(w, b, v)))
        return rc;
    jx_put_text(b, "why", v->why);
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc reply_version(struct work *w, int64_t no, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct channel_version v;
    enum rc rc;

    if ((rc = channel_version_find(w, no, &v)) || (rc = view_version(w, &b, &v, true)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc may_see(struct work *w, int64_t channel)
{
    struct channel_account a;
    enum rc rc = channel_account_find(w, channel, &a);

    return rc ? rc : work_need_at(w, CHANNEL_RIGHTS, a.site);
}

enum rc get_channel_versions(struct work *w, const struct request *rq, struct reply *rp)
{
    int64_t channel = request_int(rq, "channel", 0);
    struct buf b = BUF_IN(w->mem);
    struct channel_version *all;
    enum rc rc;
    int n;

    if ((rc = may_see(w, channel)) ||
        (rc = channel_version_list(w, channel, request_int(rq, "before", 0), &all, &n)))
        return rc;
    view_list_open(&b, "versions");
    for (int i = 0; i < n; i++)
        if ((rc = view_version(w, &b, &all[i], false)))
            return rc;
    view_list_close(&b,
                    n == CHANNEL_PAGE ? arena_printf(w->mem, "%" PRId64, all[n - 1].no) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_channel_version(struct work *w, const struct request *rq, struct reply *rp)
{
    struct channel_version v;
    enum rc rc;

    if ((rc = channel_version_find(w, request_int(rq, "version", 0), &v)) ||
        (rc = may_see(w, v.channel)))
        return rc;
    return reply_version(w, v.no, rp);
}

#define VERSION_MEMBERS                                                             \
    { "title", JX_TEXT, false, 0, 200 }, { "digest", JX_TEXT, false, 0, 400 },      \
        { "byline", JX_TEXT, false, 0, 60 }, { "body", JX_TEXT, false, 0, 100000 }, \
    {                                                                               \
        "cover", JX_TEXT, false, 0, HASH_TEXT                                       \
    }

static enum rc read_version(struct work *w, const json_t *body, struct channel_version *v)
{
    const struct {
        const char *name, **to;
    } texts[] = { { "title", &v->title },
                  { "digest", &v->digest },
                  { "byline", &v->byline },
                  { "body", &v->body } };
    const char *cover = jx_text(body, "cover");

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (jx_text(body, texts[i].name))
            *texts[i].to = jx_text(body, texts[i].name);
    if (!cover)
        return RC_OK;
    v->has_cover = *cover != '\0';
    return !*cover || hex_parse(cover, strlen(cover), v->cover, HASH_BYTES)
               ? RC_OK
               : err_field(&w->err, "/cover", "封面是文件的 SHA-256，64 位小写十六进制");
}

enum rc post_channel_version(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "item", JX_TEXT, true, 36, 36 },
                                               VERSION_MEMBERS,
                                               { 0 } };
    struct channel_version v = { .channel = request_int(rq, "channel", 0),
                                 .title = "",
                                 .digest = "",
                                 .byline = "",
                                 .body = "" };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    if (!id_parse(jx_text(body, "item"), 36, &v.item))
        return err_field(&w->err, "/item", "内容的编号是一个 UUID");
    if ((rc = read_version(w, body, &v)) || (rc = channel_version_create(w, &v)))
        return rc;
    work_fact(w, "version", v.no);
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/channel-versions/%" PRId64, v.no));
    return reply_version(w, v.no, rp);
}

enum rc patch_channel_version(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { VERSION_MEMBERS, { 0 } };
    struct channel_version v;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = channel_version_find(w, request_int(rq, "version", 0), &v)) ||
        (rc = read_version(w, body, &v)) || (rc = channel_version_rewrite(w, &v)))
        return rc;
    return reply_version(w, v.no, rp);
}

enum rc post_channel_approve(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "hash", JX_TEXT, true, 64, 64 }, { 0 } };
    struct channel_version v;
    uint8_t hash[HASH_BYTES];
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    if (!hex_parse(jx_text(body, "hash"), 64, hash, HASH_BYTES))
        return err_field(&w->err, "/hash", "hash 是 64 位小写十六进制");
    if ((rc = channel_version_approve(w, request_int(rq, "version", 0), hash, &v)))
        return rc;
    return reply_version(w, v.no, rp);
}

enum rc post_channel_return(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "text", JX_TEXT, true, 1, 500 }, { 0 } };
    struct channel_version v;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = channel_version_return(w, request_int(rq, "version", 0), jx_text(body, "text"),
                                     &v)))
        return rc;
    return reply_version(w, v.no, rp);
}

/* ---- tasks ---- */

static void view_task(struct buf *b, const struct channel_task *t)
{
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    view_time(b, "again", t->again);
    jx_put_text(b, "article", t->article_id);
    view_time(b, "changed", t->changed);
    jx_put_int(b, "channel", t->channel);
    view_time(b, "created", t->created);
    jx_put_int(b, "failures", t->failures);
    jx_put_int(b, "no", t->no);
    jx_put_text(b, "said", t->said);
    jx_put_text(b, "state", t->state);
    jx_put_text(b, "stateText", channel_task_chinese(t->state));
    jx_put_bool(b, "underWay", t->intent != CHANNEL_NO_STEP);
    jx_put_text(b, "url", t->url);
    jx_put_text(b, "verb", t->verb == CHANNEL_DELETE ? "delete" : "publish");
    jx_put_int(b, "version", t->version);
    jx_put_bool(b, "withdrawn", t->doomed);
    buf_addc(b, '}');
}

static enum rc reply_task(struct work *w, int64_t no, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct channel_task t;
    enum rc rc = channel_task_find(w, no, &t);

    if (rc)
        return rc;
    view_task(&b, &t);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc reply_changed(struct work *w, const struct channel_task *t, struct reply *rp)
{
    work_after_commit(w, channel_stir, NULL);
    return reply_task(w, t->no, rp);
}

enum rc post_channel_send(struct work *w, const struct request *rq, struct reply *rp)
{
    struct channel_task t;
    enum rc rc = channel_send(w, request_int(rq, "version", 0), &t);

    return rc ? rc : reply_changed(w, &t, rp);
}

enum rc get_channel_tasks(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *state = request_text(rq, "state", NULL);
    struct buf b = BUF_IN(w->mem);
    struct channel_task *all;
    struct err kept = w->err;
    enum rc rc;
    int n;

    if (state && !channel_task_is_state(state))
        return err_field(&w->err, "state", "没有这个状态");
    if ((rc = channel_task_list(w, state, request_int(rq, "before", 0), &all, &n)))
        return rc;
    view_list_open(&b, "tasks");
    for (int i = 0; i < n; i++) {
        rc = may_see(w, all[i].channel);
        if (!rc)
            view_task(&b, &all[i]);
        else if (rc != RC_FORBIDDEN && rc != RC_UNLISTED)
            return rc;
    }
    w->err = kept;
    view_list_close(&b,
                    n == CHANNEL_PAGE ? arena_printf(w->mem, "%" PRId64, all[n - 1].no) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_channel_task(struct work *w, const struct request *rq, struct reply *rp)
{
    struct channel_task t;
    enum rc rc;

    if ((rc = channel_task_find(w, request_int(rq, "task", 0), &t)) ||
        (rc = may_see(w, t.channel)))
        return rc;
    return reply_task(w, t.no, rp);
}

enum rc post_channel_cancel(struct work *w, const struct request *rq, struct reply *rp)
{
    struct channel_task t;
    enum rc rc = channel_task_cancel(w, request_int(rq, "task", 0), &t);

    return rc ? rc : reply_changed(w, &t, rp);
}

enum rc post_channel_retry(struct work *w, const struct request *rq, struct reply *rp)
{
    struct channel_task t;
    enum rc rc = channel_task_retry(w, request_int(rq, "task", 0), &t);

    return rc ? rc : reply_changed(w, &t, rp);
}

enum rc post_channel_resolve(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "went", JX_BOOL, true, 0, 0 },
                                               { "article", JX_TEXT, false, 1, 200 },
                                               { 0 } };
    struct channel_task t;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = channel_task_resolve(w, request_int(rq, "task", 0), jx_bool(body, "went", false),
                                   jx_text(body, "article"), &t)))
        return rc;
    work_fact_word(w, "went", jx_bool(body, "went", false) ? "yes" : "no");
    return reply_changed(w, &t, rp);
}
