/*
 * campaign_report.c - lines of a report; members sorted by name.
 *
 * The sums of the transports and those of the districts are the audience, each for themselves; the table has a row for each transport and district, and a last one with all.
 */
#include "api/campaign_report.h"

#include "api/campaigns.h"
#include "api/view.h"
#include "push/live.h"
#include "push/missing.h"
#include "push/report.h"
#include "server/base/csv.h"

static void open_object(struct buf *b)
{
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
}

/* ---- as JSON ---- */

static void put_line(struct buf *b, const struct report_line *l)
{
    jx_put_int(b, "devices", report_devices(l));
    jx_put_int(b, "onTheWay", l->sent);
    jx_key(b, "outcomes");
    buf_addc(b, '{');
    for (int what = 1; what < RUN_WHATS; what++)
        if (l->what[what] && what != RUN_OWNER)
            jx_put_int(b, run_words[what], l->what[what]);
    buf_addc(b, '}');
}

static struct report_line of_transport(const struct report *r, int by)
{
    struct report_line sum = { 0 };

    for (int i = 0; i <= REPORT_AREAS; i++)
        report_add(&sum, &r->by[by][i]);
    return sum;
}

static struct report_line of_area(const struct report *r, int area)
{
    struct report_line sum = { 0 };

    for (int by = 1; by < TRANSPORT_COUNT; by++)
        report_add(&sum, &r->by[by][area]);
    return sum;
}

static struct report_line of_all(const struct report *r)
{
    struct report_line sum = { 0 }, one;

    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        one = of_transport(r, by);
        report_add(&sum, &one);
    }
    return sum;
}

/* The last of them is elsewhere. */
static int area_at(const struct report *r, int i)
{
    return i < r->nareas ? i : REPORT_AREAS;
}

static const char *code_at(const struct report *r, int i)
{
    return i < r->nareas ? r->area[i] : "";
}

static void put_areas(struct buf *b, const struct report *r)
{
    jx_key(b, "districts");
    buf_addc(b, '[');
    for (int i = 0; i <= r->nareas; i++) {
        struct report_line l = of_area(r, area_at(r, i));

        if (!report_devices(&l))
            continue;
        open_object(b);
        jx_put_text(b, "code", code_at(r, i));
        put_line(b, &l);
        jx_put_int(b, "waiting", l.waiting);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
}

static void put_transports(struct buf *b, const struct report *r)
{
    jx_key(b, "transports");
    buf_addc(b, '[');
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        struct report_line l = of_transport(r, by);

        if (!report_devices(&l))
            continue;
        open_object(b);
        put_line(b, &l);
        jx_put_text(b, "transport", transport_type(by)->word);
        jx_put_int(b, "waiting", l.waiting);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
}

static void put_recall_line(struct buf *b, const struct report_recall *l)
{
    jx_put_int(b, "inDoubt", l->in_doubt);
    jx_put_int(b, "of", l->of);
    jx_put_int(b, "onlyInbox", l->only_inbox);
    jx_put_int(b, "overwritten", l->overwritten);
    jx_put_int(b, "revoked", l->revoked);
}

static void add_recall(struct report_recall *to, const struct report_recall *l)
{
    to->of += l->of;
    to->waiting += l->waiting;
    to->revoked += l->revoked;
    to->overwritten += l->overwritten;
    to->only_inbox += l->only_inbox;
    to->unreachable += l->unreachable;
    to->in_doubt += l->in_doubt;
}

static void put_recall(struct buf *b, const struct report *r)
{
    struct report_recall all = { 0 };

    for (int by = 1; by < TRANSPORT_COUNT; by++)
        add_recall(&all, &r->recall[by]);
    jx_key(b, "recall");
    buf_addc(b, '{');
    jx_put_text(b, "inbox", r->inbox ? "published" : "withdrawn");
    put_recall_line(b, &all);
    jx_key(b, "transports");
    buf_addc(b, '[');
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        if (!r->recall[by].of)
            continue;
        open_object(b);
        put_recall_line(b, &r->recall[by]);
        jx_put_text(b, "transport", transport_type(by)->word);
        jx_put_int(b, "unreachable", r->recall[by].unreachable);
        jx_put_int(b, "waiting", r->recall[by].waiting);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    jx_put_int(b, "unreachable", all.unreachable);
    jx_put_int(b, "waiting", all.waiting);
    buf_addc(b, '}');
}

static void put_report(struct buf *b, const struct campaign *c, const struct report *r)
{
    struct report_line all = of_all(r);

    buf_addc(b, '{');
    jx_put_int(b, "audience", r->audience);
    jx_put_bool(b, "complete", r->opened);
    put_areas(b, r);
    jx_put_int(b, "onTheWay", all.sent);
    if (r->recalled)
        put_recall(b, r);
    jx_put_text(b, "state", campaign_states[c->state].word);
    put_transports(b, r);
    jx_put_int(b, "waiting", all.waiting);
    buf_adds(b, "}\n");
}

enum rc get_campaign_report(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct campaign c;
    struct report *r;
    enum rc rc;

    if ((rc = campaign_of(w, rq, &c)) || (rc = report_make(w, &c, &r)))
        return rc;
    put_report(&b, &c, r);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- as a table ---- */

/* NULL: none of a reader's. */
static const char *const chinese[RUN_WHATS] = {
    [RUN_ACCEPTED] = "厂商已接收",  [RUN_REJECTED] = "未送达",    [RUN_GONE] = "设备已失效",
    [RUN_QUOTA] = "超过每日条数",   [RUN_QUIET] = "免打扰",       [RUN_DOUBT] = "不能确定",
    [RUN_OFF] = "通道未开通",       [RUN_STOPPED] = "停发",       [RUN_RESENT] = "其中重发过",
    [RUN_DELIVERED] = "回执：送达", [RUN_CLICKED] = "回执：点击", [RUN_DROPPED] = "回执：丢弃",
};

static void put_head(struct buf *b)
{
    csv_begin(b);
    csv_text(b, "通道");
    csv_text(b, "区");
    csv_text(b, "设备");
    csv_text(b, "等待");
    csv_text(b, "在途");
    for (int what = 1; what < RUN_WHATS; what++)
        if (chinese[what])
            csv_text(b, chinese[what]);
    csv_end(b);
}

static void put_row(struct buf *b, const char *by, const char *area,
                    const struct report_line *l)
{
    csv_text(b, by);
    csv_text(b, area);
    csv_int(b, report_devices(l));
    csv_int(b, l->waiting);
    csv_int(b, l->sent);
    for (int what = 1; what < RUN_WHATS; what++)
        if (chinese[what])
            csv_int(b, l->what[what]);
    csv_end(b);
}

enum rc get_campaign_report_csv(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct report_line all;
    struct campaign c;
    struct report *r;
    enum rc rc;

    if ((rc = campaign_of(w, rq, &c)) || (rc = report_make(w, &c, &r)))
        return rc;
    put_head(&b);
    for (int by = 1; by < TRANSPORT_COUNT; by++)
        for (int i = 0; i <= r->nareas; i++) {
            const struct report_line *l = &r->by[by][area_at(r, i)];

            if (report_devices(l))
                put_row(&b, transport_type(by)->word, i < r->nareas ? code_at(r, i) : "其他",
                        l);
        }
    all = of_all(r);
    put_row(&b, "合计", "", &all);
    reply_buf(rp, TYPE_CSV, &b);
    return RC_OK;
}

/* ---- as it happens ---- */

/* Whether he may is asked again whenever sessions, keys, roles or lists of devices change: the stream ends with his right to it. */
enum rc get_campaign_live(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sse_wish *wish = arena_zalloc(w->mem, sizeof *wish);
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_of(w, rq, &c)))
        return rc;
    if ((rc = live_wish(w, &c, rq->client_tag, wish))) {
        reply_header(rp, "retry-after", "30");
        return rc;
    }
    wish->owner = (struct sse_owner){
        .session = w->who.session, .key = w->who.key, .rights = CAMPAIGN_RIGHTS, .site = c.site
    };
    wish->last_id = rq->last_event_id;
    rp->type = TYPE_EVENTS;
    rp->stream = wish;
    reply_header(rp, "x-accel-buffering", "no");
    return RC_OK;
}

/* ---- what is not ---- */

static void put_missing(struct buf *b, const struct missing *m)
{
    char id[ID_TEXT];

    open_object(b);
    if (m->campaign)
        jx_put_int(b, "campaign", m->campaign);
    jx_put_text(b, "item", id_text(&m->item, id));
    jx_put_int(b, "site", m->site);
    view_time(b, "since", m->since);
    jx_put_text(b, "title", m->title);
    jx_put_text(b, "what", missing_words[m->kind]);
    buf_addc(b, '}');
}

/* Of the sites that he pushes for. */
enum rc get_push_missing(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc = RC_OK;
    struct missing *m;
    int n;

    (void)rq;
    view_list_open(&b, "missing");
    for (int kind = 0; kind < MISSINGS && !rc; kind++) {
        if ((rc = missing_list(w, (enum missing_kind)kind, &m, &n)))
            break;
        for (int i = 0; i < n; i++)
            if (actor_has_at(&w->who, CAMPAIGN_RIGHTS, m[i].site))
                put_missing(&b, &m[i]);
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return rc;
}
