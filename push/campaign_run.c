/*
 * campaign_run.c - from steps to runs, and back.
 */
#include "push/campaign_run.h"

#include <inttypes.h>
#include <string.h>

#include "push/campaign_audience.h"
#include "push/campaign_inbox.h"
#include "push/campaign_said.h"
#include "push/campaign_step.h"
#include "push/run_row.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/store/db.h"

/* Each district of the order, as run_begin() wants them. */
static enum rc read_districts(struct work *w, const struct campaign *c, struct run_new *run)
{
    const char *text = arena_printf(w->mem, "{\"order\":%s}", c->districts);
    json_t *value, *one;
    size_t i;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, text, strlen(text), &value)))
        return rc;
    json_array_foreach(json_object_get(value, "order"), i, one) if (run->nareas < RUN_AREAS)
        run->areas[run->nareas++] = json_string_value(one);
    return RC_OK;
}

static enum rc fire(struct work *w, const struct campaign *c)
{
    struct run_new run = { .campaign = c->no,
                           .audience = c->audience,
                           .class = c->class,
                           .doubt = c->doubt == CAMPAIGN_RESEND ? RUN_RESEND : RUN_SKIP,
                           .ends_ms = (clock_now() + c->ttl) * 1000 };
    enum rc rc;

    if ((rc = read_districts(w, c, &run)) || (rc = campaign_column(w, c, &run.column)) ||
        (rc = campaign_is_news(w, c, &run.news)) || (rc = campaign_fired(w, c->no)))
        return rc;
    if ((rc = run_begin(w, &run)))
        return rc;
    return campaign_inbox_begin(w, c);
}

/* Whoever goes on with one that missed its time starts it. */
static enum rc resume(struct work *w, const struct campaign *c)
{
    return c->fired ? run_pause(w, c->no, false) : fire(w, c);
}

/* One that is through has nothing to stop; one that never fired has no run. */
static enum rc stop(struct work *w, int64_t run)
{
    enum run_state state;
    enum rc rc = run_state(w, run, &state);

    if (rc == RC_NOT_FOUND || (!rc && (state == RUN_OVER || state == RUN_STOPPING)))
        return RC_OK;
    return rc ? rc : run_stop(w, run);
}

static enum rc take_back(struct work *w, const struct campaign *c)
{
    enum rc rc = stop(w, c->no);

    return rc ? rc : campaign_inbox_recall(w, c->no);
}

static enum rc begin_test(struct work *w, const struct campaign *c)
{
    const struct conf_list *testers = campaign_settled()->testers;
    struct run_new run = { .campaign = -c->no,
                           .class = PUSH_SERVICE,
                           .doubt = RUN_SKIP,
                           .ends_ms = (clock_now() + CAMPAIGN_TEST_FOR) * 1000 };
    struct buf audience = BUF_IN(w->mem);
    enum rc rc;

    if (!testers || !testers->n)
        return err_set(&w->err, RC_CONFLICT,
                       "没有试发的人：请在设置 push_testers 里写上他们的账号");
    buf_adds(&audience, "{\"accounts\":[");
    for (int i = 0; i < testers->n; i++)
        buf_printf(&audience, "%s%s", i ? "," : "", testers->v[i]);
    buf_adds(&audience, "]}");
    run.audience = audience.p;
    if ((rc = campaign_said_test(w, c, &run.said)) || (rc = campaign_is_news(w, c, &run.news)))
        return rc;
    if ((rc = run_forget(w, -c->no)))
        return rc == RC_CONFLICT ? err_set(&w->err, rc, "上一次试发还没有结束，请稍候") : rc;
    return run_begin(w, &run);
}

enum rc campaign_run(struct work *w, const struct campaign *c, enum campaign_step step)
{
    switch (step) {
    case CAMPAIGN_DO_TEST: return begin_test(w, c);
    case CAMPAIGN_DO_DUE: return fire(w, c);
    case CAMPAIGN_DO_PAUSE: return run_pause(w, c->no, true);
    case CAMPAIGN_DO_RESUME: return resume(w, c);
    case CAMPAIGN_DO_RECALL:
    case CAMPAIGN_DO_PULL: return take_back(w, c);
    default: return RC_OK;
    }
}

/* What the campaign said when it was tested last. RC_NOT_FOUND. */
static enum rc read_hash(struct work *w, int64_t no, uint8_t hash[HASH_BYTES])
{
    const void *p;
    struct rows q;
    enum rc rc, end;
    size_t n;

    if (!(rc = db_one(w, SQL_push_step_tested, &q, "i", no))) {
        if ((p = rows_blob(&q, 0, &n)) && n == HASH_BYTES)
            memcpy(hash, p, HASH_BYTES);
        else
            rc = RC_NOT_FOUND;
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

static int64_t sum_of(const struct run_counts *n, enum run_what what)
{
    int64_t sum = 0;

    for (int by = 0; by < TRANSPORT_COUNT; by++)
        sum += n->by[by][what];
    return sum;
}

/* What those who tried it read: a test that reached nobody is none, and says why. */
static const char *say_tested(struct work *w, const struct run_counts *n)
{
    static const char *const words[RUN_RESENT] = {
        [RUN_REJECTED] = "厂商没有收下", [RUN_GONE] = "地址已失效",
        [RUN_QUOTA] = "今天已收满",      [RUN_QUIET] = "正在免打扰时间",
        [RUN_DOUBT] = "不知道是否送到",  [RUN_OFF] = "通道没有开",
        [RUN_STOPPED] = "没有发",
    };
    int64_t got = sum_of(n, RUN_ACCEPTED);
    struct buf b = BUF_IN(w->mem);

    if (got)
        buf_printf(&b, "试发到了 %" PRId64 " 部手机，共 %" PRId64 " 部", got, n->audience);
    else
        buf_printf(&b, "试发没有到任何手机，不算试发过；共 %" PRId64 " 部", n->audience);
    for (int what = 1; what < RUN_RESENT; what++)
        if (words[what] && sum_of(n, (enum run_what)what))
            buf_printf(&b, "，%s %" PRId64 " 部", words[what], sum_of(n, (enum run_what)what));
    return b.p;
}

enum rc campaign_run_tested(struct work *w, int64_t run)
{
    uint8_t hash[HASH_BYTES];
    struct run_counts n;
    enum rc rc;

    if ((rc = run_count(w, run, &n)))
        return rc;
    rc = read_hash(w, -run, hash);
    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (sum_of(&n, RUN_ACCEPTED) && (rc = campaign_tested(w, -run, hash)))
        return rc;
    return campaign_log_test(w, -run, hash, say_tested(w, &n));
}

/* ---- taking back ---- */

/* RC_OK: it is over, or never was. RC_BUSY. */
static enum rc ask_over(struct work *w, int64_t run, bool *was)
{
    enum run_state state = RUN_OVER;
    enum rc rc = run_state(w, run, &state);

    *was = !rc;
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc || state == RUN_OVER ? rc : RC_BUSY;
}

static enum rc begin_recall(struct work *w, int64_t no, unsigned revokes)
{
    struct run_new run = { .campaign = RUN_RECALLS + no,
                           .audience = "{}",
                           .doubt = RUN_RESEND,
                           .ends_ms = (clock_now() + CAMPAIGN_RECALL_FOR) * 1000 };
    struct run_row was;
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_find(w, no, &c)) || (rc = run_read(w, no, &was)) ||
        (rc = campaign_said_recall(w, &c, revokes, &run.said)))
        return rc;
    run.class = c.class;
    run.news = was.news;
    return run_begin(w, &run);
}

enum rc campaign_run_recall(struct work *w, int64_t no, unsigned revokes)
{
    bool sent, recalled;
    enum rc rc;

    if ((rc = ask_over(w, no, &sent)) || (rc = ask_over(w, RUN_RECALLS + no, &recalled)))
        return rc;
    return sent && !recalled ? begin_recall(w, no, revokes) : RC_NOT_FOUND;
}
