/*
 * withdrawal.c - the table of channels, and what each says of a takedown.
 *
 * Nothing is done here: each channel follows the log by itself (docs/ARCHITECTURE.md), and this asks how far it is. A channel that is added gets
 * a row, and the report has it.
 */
#include "api/withdrawal.h"

#include <inttypes.h>
#include <string.h>

#include "api/feed_read.h"
#include "api/view.h"
#include "push/campaign.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/channel/channel_task.h"
#include "server/derived/derived.h"
#include "server/feed/feed_log.h"
#include "server/library/attachment.h"
#include "server/library/purge_url.h"
#include "server/library/site.h"
#include "server/library/stream.h"
#include "server/library/takedown.h"
#include "server/websub/websub_table.h"
#include "sync/head.h"

static enum rc done(struct coverage *out, const char *said)
{
    *out = (struct coverage){ .state = COVERAGE_DONE, .said = said };
    return RC_OK;
}

static enum coverage_state state_of(int64_t total, int64_t waiting)
{
    return waiting ? COVERAGE_WAITING : total ? COVERAGE_DONE : COVERAGE_NONE;
}

/* ---- this server ---- */

static enum rc look_library(struct work *w, const struct ended *e, struct coverage *out)
{
    return done(out, arena_printf(w->mem, "变更日志第 %" PRId64 " 条是它的墓碑", e->item.seq));
}

static enum rc look_pages(struct work *w, const struct ended *e, struct coverage *out)
{
    (void)w;
    (void)e;
    return done(out, "提交的同时生效：答复按新的状态重新生成");
}

static enum rc look_sync(struct work *w, const struct ended *e, struct coverage *out)
{
    struct live *l = live_by_no(e->item.stream);
    struct wire_head h;

    (void)w;
    out->total = 1;
    out->waiting = !l || !head_values(l, &h) || (int64_t)h.seq < e->item.seq;
    out->state = state_of(out->total, out->waiting);
    out->said = "签名头包含墓碑；手机在下次同步时删去";
    return RC_OK;
}

/* ---- what follows the log ---- */

/* RC_BUSY of the derived database is no failure of the report. */
static enum rc derived_waits(struct coverage *out)
{
    out->state = COVERAGE_WAITING;
    out->waiting = 1;
    out->said = "派生库还没有就绪";
    return RC_OK;
}

static enum rc look_search(struct work *w, const struct ended *e, struct coverage *out)
{
    int64_t seq;
    enum rc rc;

    if ((rc = derived_read(w)) == RC_BUSY)
        return derived_waits(out);
    if (rc || (rc = derived_taken(w, e->item.stream, &seq)))
        return rc;
    out->total = 1;
    out->waiting = seq < e->item.seq;
    out->state = state_of(1, out->waiting);
    out->said = "结果按资源库核对，索引里的字随后清除";
    return RC_OK;
}

static enum rc look_feeds(struct work *w, const struct ended *e, struct coverage *out)
{
    struct feed_standing *list;
    enum rc rc;
    int n;

    if ((rc = derived_read(w)) == RC_BUSY)
        return derived_waits(out);
    if (rc || (rc = feed_standings(w, &e->item.id, &list, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        out->waiting += list[i].shown;
    out->total = n;
    out->state = state_of(n, out->waiting);
    out->said = "文档里已经没有它；等的是墓碑";
    return RC_OK;
}

/* The address of a scope's feed, without its format; NULL: the scope has none. */
static enum rc feed_path(struct work *w, const char *scope, const char **out)
{
    const char *slash = strchr(scope, '/'), *name = slash ? slash + 1 : "";
    struct buf b = BUF_IN(w->mem);
    struct site site;
    enum rc rc = RC_OK;

    buf_adds(&b, "/feeds/");
    if (!slash)
        buf_adds(&b, scope);
    else
        buf_printf(&b, "%.*ss/", (int)(slash - scope), scope);
    if (!strncmp(scope, "site/", 5)) {
        if ((rc = site_by_no(w, strtoll(name, NULL, 10), &site)))
            return rc;
        name = strchr(site.code, '/') ? name : site.code;
    }
    buf_url(&b, name, strlen(name));
    *out = b.p;
    return RC_OK;
}

static enum rc look_websub(struct work *w, const struct ended *e, struct coverage *out)
{
    struct feed_standing *list;
    int64_t failed = 0;
    const char *path;
    enum rc rc;
    int n;

    if ((rc = derived_read(w)) == RC_BUSY)
        return derived_waits(out);
    if (rc || (rc = feed_standings(w, &e->item.id, &list, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        struct websub_behind b;

        if ((rc = feed_path(w, list[i].scope, &path)) ||
            (rc = websub_behind(w, path, list[i].shown ? INT64_MAX : list[i].n, &b)))
            return rc;
        out->total += b.all;
        out->waiting += b.behind;
        failed += b.failed;
    }
    out->state = failed ? COVERAGE_FAILED : state_of(out->total, out->waiting);
    out->said = "订阅这些订阅源的，各收到一次墓碑";
    return RC_OK;
}

/* What is over stays so when an item expires; a withdrawal takes it back too (docs/push.md). */
static bool is_taken_back(const struct campaign *c, enum state how)
{
    return c->state == CAMPAIGN_CANCELLED || c->state == CAMPAIGN_RECALLED ||
           c->state == CAMPAIGN_REJECTED || (c->state == CAMPAIGN_DONE && how == STATE_EXPIRED);
}

static enum rc look_push(struct work *w, const struct ended *e, struct coverage *out)
{
    struct campaign *list;
    enum rc rc;
    int n;

    if ((rc = campaign_of_item(w, &e->item.id, &list, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        out->waiting += !is_taken_back(&list[i], e->state);
    out->total = n;
    out->state = state_of(n, out->waiting);
    out->said = "没有发的取消，发了的撤回；各台设备的结果见推送的报告";
    return RC_OK;
}

static enum rc look_blobs(struct work *w, const struct ended *e, struct coverage *out)
{
    struct takedown t;
    int64_t shared = 0;
    enum rc rc;

    if ((rc = takedown_begin(w, &e->item.id, &t)) || (rc = takedown_waiting(w, &out->waiting)))
        return rc;
    for (int i = 0; i < t.n; i++)
        shared += attachment_public(w, t.files[i]) == RC_OK;
    out->total = t.n;
    out->state = state_of(1, out->waiting);
    out->said = shared
                    ? arena_printf(w->mem, "其中 %" PRId64 " 个别的内容也在用，仍可读", shared)
                    : "没有别的内容用到的，已不能再读；永久删除的，文件也删";
    return RC_OK;
}

/* ---- others ---- */

static enum rc look_caches(struct work *w, const struct ended *e, struct coverage *out)
{
    int64_t oldest;
    enum rc rc;

    (void)e;
    if ((rc = purge_url_waiting(w, &out->waiting, &oldest)))
        return rc;
    out->total = out->waiting;
    out->state = out->waiting ? COVERAGE_WAITING : COVERAGE_DONE;
    out->said = purge_url_watched() ? "地址已告知前面的缓存"
                                    : "没有设 purge_hook；列表和订阅源在缓存里至多 5 秒";
    return RC_OK;
}

static enum rc look_mirrors(struct work *w, const struct ended *e, struct coverage *out)
{
    (void)w;
    (void)e;
    *out = (struct coverage){ .state = COVERAGE_UNKNOWN,
                              .said = "镜像本数据流的服务器、离线的手机，在下次同步时撤下；"
                                      "何时同步，它们不告诉我们" };
    return RC_OK;
}

static enum rc look_platform(struct work *w, const struct ended *e, const char *kind,
                             struct coverage *out)
{
    struct channel_standing c;
    enum rc rc;

    if ((rc = channel_standing(w, &e->item.id, kind, &c)))
        return rc;
    out->total = c.out;
    out->waiting = c.out - c.deleted;
    out->state = c.stuck ? COVERAGE_FAILED : state_of(out->total, out->waiting);
    out->said = c.stuck ? "有的没有删成，或不知道发出没有：见 tjzw channel tasks"
                        : "发出的由发件箱逐一删除";
    return RC_OK;
}

static enum rc look_wechat(struct work *w, const struct ended *e, struct coverage *out)
{
    return look_platform(w, e, "wechat", out);
}

static enum rc look_weibo(struct work *w, const struct ended *e, struct coverage *out)
{
    return look_platform(w, e, "weibo", out);
}

/* One row a channel. */
static const struct withdrawal_channel channels[] = {
    { "library", "资源库", look_library },   { "pages", "网页与接口", look_pages },
    { "sync", "离线同步", look_sync },       { "search", "搜索", look_search },
    { "feeds", "订阅源", look_feeds },       { "websub", "订阅推送（WebSub）", look_websub },
    { "push", "消息推送", look_push },       { "blobs", "图片与附件", look_blobs },
    { "caches", "缓存", look_caches },       { "mirrors", "镜像与手机", look_mirrors },
    { "wechat", "微信公众号", look_wechat }, { "weibo", "微博", look_weibo },
};

enum { CHANNELS = sizeof channels / sizeof *channels };

static const char *const words[COVERAGE_STATES] = { "done", "waiting", "failed", "none",
                                                    "unknown" };

static void put_channel(struct buf *b, const struct withdrawal_channel *c,
                        const struct coverage *v)
{
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_text(b, "channel", c->word);
    jx_put_text(b, "label", c->label);
    jx_put_text(b, "said", v->said);
    jx_put_text(b, "state", words[v->state]);
    jx_put_int(b, "total", v->total);
    jx_put_int(b, "waiting", v->waiting);
    buf_addc(b, '}');
}

/* The last step that took it from the public. */
static enum rc find_end(struct work *w, const struct item *it, struct ended *out)
{
    struct item_event *events;
    enum rc rc;
    int n;

    *out = (struct ended){ .item = *it };
    if ((rc = item_events(w, &it->id, &events, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        int after = state_parse(events[i].after);

        if (events[i].at < out->at ||
            (after != STATE_WITHDRAWN && after != STATE_EXPIRED && after != STATE_GONE))
            continue;
        out->state = (enum state)after;
        out->at = events[i].at;
        out->actor = events[i].actor;
        out->reason = events[i].reason;
    }
    return out->at && !it->live_rev
               ? RC_OK
               : err_set(&w->err, RC_NOT_FOUND, "这一条没有撤下：没有可以报告的");
}

enum rc get_withdrawal(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct ended e;
    struct item it;
    bool all = true;
    enum rc rc;

    if ((rc = item_find(w, &request_arg(rq, "id")->id, &it)) ||
        (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, it.site)) || (rc = find_end(w, &it, &e)))
        return rc;
    buf_addc(&b, '{');
    jx_put_text(&b, "actor", e.actor);
    view_time(&b, "at", e.at);
    jx_key(&b, "channels");
    buf_addc(&b, '[');
    for (int i = 0; i < CHANNELS; i++) {
        struct coverage v = { 0 };

        if ((rc = channels[i].look(w, &e, &v)))
            return rc;
        all &= v.state != COVERAGE_WAITING && v.state != COVERAGE_FAILED;
        put_channel(&b, &channels[i], &v);
    }
    buf_addc(&b, ']');
    jx_put_bool(&b, "done", all);
    jx_put_text(&b, "reason", e.reason);
    jx_put_int(&b, "seq", it.seq);
    jx_put_text(&b, "state", state_name(e.state));
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
