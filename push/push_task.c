/*
 * push_task.c - from a batch to a job, and from verdicts to outcomes.
 */
#include "push/push_task.h"

#include <sodium.h>

#include "push/bulletin.h"
#include "push/campaign_fit.h"
#include "push/lane.h"
#include "push/notice.h"
#include "push/push_pace.h"
#include "push/push_thread.h"
#include "push/run_receipt.h"
#include "push/run_row.h"
#include "server/base/clock.h"

enum {
    HELD_MS =
        60000 /* that a task waits for a vendor that is down: then it is nobody's doubt any more, but waits in its row */
};

void task_free(struct task *k)
{
    arena_free(k->mem);
}

void task_put(struct task **list, struct task *k)
{
    k->next = *list;
    *list = k;
}

struct task *task_pop(struct task **list)
{
    struct task *k = *list;

    if (k)
        *list = k->next;
    return k;
}

/* ---- answered ---- */

static const enum run_what whats[] = {
    [PUSH_AGAIN] = 0,       [PUSH_ACCEPTED] = RUN_ACCEPTED, [PUSH_REJECTED] = RUN_REJECTED,
    [PUSH_GONE] = RUN_GONE, [PUSH_QUOTA] = RUN_QUOTA,       [PUSH_DOUBT] = RUN_DOUBT,
};

/* By the wall clock as it went when the task was taken. */
static int64_t now_ms(const struct task *k)
{
    return clock_mono_us() / 1000 + k->offset_ms;
}

static int64_t shifted(int64_t at_ms, int64_t ms)
{
    return at_ms && at_ms != INT64_MAX ? at_ms + ms : at_ms;
}

void task_follow_clock(struct task *k)
{
    int64_t offset_ms = clock_offset_ms(), ms = offset_ms - k->offset_ms;

    k->offset_ms = offset_ms;
    k->again_ms = shifted(k->again_ms, ms);
    for (int i = 0; i < k->b.n; i++)
        k->b.target[i].again_ms = shifted(k->b.target[i].again_ms, ms);
}

/* Of one moment and one throw of the dice, so that those who are told the same wait together. */
struct retry {
    const struct task *k;
    int64_t mono_ms;
    uint64_t dice;
};

/* When those are tried again that were not sent. A vendor that is down costs nobody a try, nor does waiting for a service's turn. */
static int64_t again_at(const struct retry *r, int64_t until_ms, bool free)
{
    int64_t now = r->mono_ms + r->k->offset_ms, after = 0, at;

    if (until_ms > r->mono_ms)
        after = (until_ms - r->mono_ms + 999) / 1000;
    if (free)
        return now + (after ? after * 1000 : 1000);
    at = lane_retry(r->k->b.tries + 1, now / 1000, r->k->said.ends_ms / 1000, after, r->dice);
    return at < 0 ? INT64_MAX : at * 1000;
}

static void on_done(struct sender_job *job)
{
    struct task *k = job->arg;
    struct retry r = { k, clock_mono_us() / 1000, 0 };

    randombytes_buf(&r.dice, sizeof r.dice);
    k->again_ms = again_at(&r, job->again_ms, job->open);
    for (int i = 0; i < k->b.n; i++) {
        const struct push_verdict *v = &job->verdict[i];
        const struct sender_again *a = &job->again[i];
        struct run_target *t = &k->b.target[i];

        t->what = whats[v->kind];
        t->keep = v->gone_ms && t->told * 1000 >= v->gone_ms;
        t->put_off = a->put_off;
        t->again_ms = a->at_ms
                          ? again_at(&r, a->at_ms > job->again_ms ? a->at_ms : job->again_ms,
                                     job->open || a->put_off)
                          : 0;
    }
    k->answered(k);
}

void task_give(struct task *k, struct sender *s)
{
    struct err e = { 0 };

    if (!k->idle && !sender_give(s, &e, &k->job))
        return;
    for (int i = 0; i < k->b.n; i++) /* it never left */
        k->b.target[i].what = k->idle ? RUN_REJECTED : 0;
    k->again_ms = now_ms(k) + 1000;
    k->answered(k);
}

/* ---- taken ---- */

static enum sender_haste haste_of(const struct task *k)
{
    if (k->said.class == PUSH_EMERGENCY)
        return SENDER_EMERGENCY;
    return run_kind(k->b.campaign) == RUN_NOTICE ? SENDER_PERSONAL : SENDER_CAMPAIGN;
}

/* What has not left by then goes back to its row: the end of its time, the vendor's night, or long enough for somebody else to have a turn. */
static int64_t until(const struct task *k)
{
    int64_t now = now_ms(k) / 1000, at_ms = now_ms(k) + HELD_MS, night;
    struct push_limit l = push_limit(k->b.by, k->said.class, push_limit_day(now));

    if (k->said.ends_ms < at_ms)
        at_ms = k->said.ends_ms;
    night = push_limit_refused_from(&l, now);
    return (night < at_ms / 1000 ? night * 1000 : at_ms) - k->offset_ms;
}

/* What is left of it, so that what waited here is not shown after its end. The end of a recall's run is that of trying: what takes a message's place waits for a phone as long as that may have. */
static int64_t ttl_left(const struct task *k)
{
    int64_t left = (k->said.ends_ms - now_ms(k)) / 1000;

    if (run_kind(k->b.campaign) == RUN_RECALL || left >= k->said.ttl)
        return k->said.ttl;
    return left > 1 ? left : 1;
}

static const char *sender_of(const struct task *k)
{
    if (k->said.shown.sender)
        return k->said.shown.sender;
    return k->said.sender ? k->said.sender : campaign_settled()->sender;
}

/* Its collapse id is the campaign's: a token is of one device, so that a message sent twice is shown once. */
static void fill_job(struct task *k)
{
    const char **tokens = arena_alloc(k->mem, (size_t)k->b.n * sizeof *tokens);
    int64_t no = run_campaign(k->b.campaign);
    bool notice = run_kind(k->b.campaign) == RUN_NOTICE;

    for (int i = 0; i < k->b.n; i++)
        tokens[i] = k->b.target[i].token;
    k->message = (struct push_message){
        .title = k->said.shown.title,
        .text = k->said.shown.text,
        .link = k->said.shown.link,
        .picture = k->said.shown.picture,
        .sender = sender_of(k),
        .mark = run_mark(k->b.by, k->b.campaign, arena_alloc(k->mem, RUN_MARK)),
        .collapse = k->said.collapse
                        ? k->said.collapse
                        : arena_printf(k->mem, "%c%lld", notice ? 'n' : 'c', (long long)no),
        .ttl = ttl_left(k),
        .number = notice ? k->b.campaign : no,
        .class = k->said.class,
        .news = k->said.news && *campaign_settled()->news_licence,
        .badge = -1,
        .takes_back = run_kind(k->b.campaign) == RUN_RECALL,
    };
    k->job = (struct sender_job){ .by = k->b.by,
                                  .haste = haste_of(k),
                                  .message = &k->message,
                                  .tokens = tokens,
                                  .n = k->b.n,
                                  .until_ms = until(k),
                                  .done = on_done,
                                  .arg = k };
}

/* Removed or withdrawn before its turn: nobody is rung up for it. */
static enum rc fill_notice(struct work *w, struct task *k)
{
    enum rc rc = notice_said(w, k->b.campaign, k->b.by, &k->said);
    struct run_row row;

    if (!rc && (rc = run_read(w, k->b.campaign, &row)))
        return rc;
    if (!rc)
        k->said.ends_ms = row.ends_ms; /* of the clock as it goes by now */
    k->idle = rc == RC_NOT_FOUND;
    if (!rc)
        fill_job(k);
    return k->idle ? RC_OK : rc;
}

static enum rc fill(struct work *w, struct task *k)
{
    enum rc rc = campaign_said(w, k->b.campaign, &k->said);

    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_CORRUPT, "a campaign on its way is not there");
    if (rc)
        return rc;
    if (run_kind(k->b.campaign) == RUN_BULLETIN)
        bulletin_fit(w, &k->said, k->b.by);
    else
        campaign_shown_at(w, &k->said.shown, k->b.by, k->said.class,
                          push_limit_day(clock_now()));
    fill_job(k);
    return RC_OK;
}

/* ---- what bounds it ---- */

static void limit_class(struct run_limits *l, enum transport by, enum push_class class)
{
    int64_t now = clock_now();
    struct push_limit limit = push_limit(by, class, push_limit_day(now));

    l->a_day[class] = limit.day;
    l->refused_until_ms[class] = push_limit_refused_until(&limit, now) * 1000;
    if (class == PUSH_MARKETING)
        l->news_a_day = *campaign_settled()->news_licence ? limit.news_day : limit.day;
}

struct run_limits task_limits(enum transport by, enum sender_haste haste,
                              struct ledger_quiets *quiets)
{
    int32_t today = push_limit_day(clock_now());
    struct run_limits l = { .emergency = haste == SENDER_EMERGENCY,
                            .personal = haste == SENDER_PERSONAL,
                            .most = PUSH_SINGLES,
                            .a_person = (int)campaign_settled()->a_person,
                            .quiets = quiets,
                            .rests = push_pace_rests };

    if (push_limit(by, PUSH_SERVICE, today).tokens > 1)
        l.most = RUN_BATCH;
    for (int class = PUSH_SERVICE; class < PUSH_EMERGENCY; class ++)
        limit_class(&l, by, (enum push_class) class);
    return l;
}

enum rc task_take(struct work *w, enum transport by, const struct run_limits *l,
                  void (*answered)(struct task *k), struct task **out, int64_t *run)
{
    struct arena *mem = arena_new(), *round = w->mem;
    struct task *k = arena_zalloc(mem, sizeof *k);
    enum rc rc;

    k->mem = w->mem = mem;
    k->answered = answered;
    k->offset_ms = clock_offset_ms();
    if (!(rc = run_take(w, by, l, &k->b)) && k->b.n)
        rc = run_kind(k->b.campaign) == RUN_NOTICE ? fill_notice(w, k) : fill(w, k);
    w->mem = round;
    *run = k->b.campaign;
    *out = NULL;
    if (rc || !k->b.n)
        task_free(k);
    else
        *out = k;
    return rc;
}
