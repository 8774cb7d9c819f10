/*
 * push_thread.c - rounds of one job of the writer each, between which messages travel.
 *
 *     round   write what was answered, follow the library, start what is due, open, stop, end, and take as much as the sender has room for; one transaction
 *     give    what was taken, now that it is committed
 *     turn    of the sender, until something was answered or it is time to look again
 *
 * If a round fails (a full disk), nothing of it happened: what was answered is written in the next, and what was taken then was never given.
 */
#include "push/push_thread.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#include "push/campaign_run.h"
#include "push/campaign_step.h"
#include "push/lane.h"
#include "push/run.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/store/db.h"
#include "server/store/writer.h"

enum {
    AT_ONCE = 8, /* blocks opened, rows dropped, batches taken for a transport in one round */
    FOLLOWED = 100, /* changes of the library in one round */
    STARTED = 4,    /* campaigns */
    PACED = 32,     /* campaigns with a pace of their own */
    SINGLES =
        100, /* devices of a batch where each is a request: it is in doubt until its last answer */
    HELD_MS =
        60000, /* that a task waits for a vendor that is down: then it is nobody's doubt any more, but waits in its row */
    FAILED_MS = 1000 /* until a round that failed is tried again */
};

/* A batch on its way, with all the memory it takes. */
struct task {
    struct task *next;
    struct arena *mem;
    struct run_batch b;
    struct campaign c;
    struct campaign_shown shown;
    struct push_message message;
    struct sender_job job;
    int64_t again_ms;
};

struct pace {
    int64_t campaign;
    struct lane lane;
};

static struct {
    pthread_t thread;
    atomic_bool running, stop;
    struct sender *sender;
    struct db *db; /* for looking */
    int64_t a_day; /* of marketing, a person's own limit */
    struct task *answered, *taken;
    struct pace paces[PACED];
    int npaces;
} push;

/* ---- tasks ---- */

static void task_free(struct task *k)
{
    arena_free(k->mem);
}

static void put(struct task **list, struct task *k)
{
    k->next = *list;
    *list = k;
}

static struct task *pop(struct task **list)
{
    struct task *k = *list;

    if (k)
        *list = k->next;
    return k;
}

static const enum run_what whats[] = {
    [PUSH_AGAIN] = 0,       [PUSH_ACCEPTED] = RUN_ACCEPTED, [PUSH_REJECTED] = RUN_REJECTED,
    [PUSH_GONE] = RUN_GONE, [PUSH_QUOTA] = RUN_QUOTA,       [PUSH_DOUBT] = RUN_DOUBT,
};

/* When those are tried again that were not sent. A vendor that is down costs nobody a try. */
static int64_t again_at(const struct sender_job *job, const struct task *k)
{
    int64_t now = clock_now(), after = 0, at;
    uint64_t dice;

    if (job->again_ms > clock_now_ms())
        after = (job->again_ms - clock_now_ms() + 999) / 1000;
    if (job->open)
        return clock_now_ms() + (after ? after * 1000 : 1000);
    randombytes_buf(&dice, sizeof dice);
    at = lane_retry(k->b.tries + 1, now, k->c.fired + k->c.ttl, after, dice);
    return at < 0 ? INT64_MAX : at * 1000;
}

static void on_done(struct sender_job *job)
{
    struct task *k = job->arg;

    for (int i = 0; i < k->b.n; i++) {
        const struct push_verdict *v = &job->verdict[i];

        k->b.target[i].what = whats[v->kind];
        k->b.target[i].keep = v->gone_ms && k->b.target[i].told * 1000 >= v->gone_ms;
    }
    k->again_ms = again_at(job, k);
    put(&push.answered, k);
}

static enum sender_haste haste_of(enum push_class class)
{
    return class == PUSH_EMERGENCY ? SENDER_EMERGENCY : SENDER_CAMPAIGN;
}

/* Its collapse id is the campaign's: a token is of one device, so that a message sent twice is shown once. */
static void fill_job(struct task *k)
{
    const char **tokens = arena_alloc(k->mem, (size_t)k->b.n * sizeof *tokens);
    int64_t until = (k->c.fired + k->c.ttl) * 1000, soon = clock_now_ms() + HELD_MS;

    for (int i = 0; i < k->b.n; i++)
        tokens[i] = k->b.target[i].token;
    k->message = (struct push_message){
        .title = k->shown.title,
        .text = k->shown.text,
        .link = k->shown.link,
        .picture = k->shown.picture,
        .sender = campaign_settled()->sender,
        .collapse =
            arena_printf(k->mem, "c%lld", (long long)(k->c.no < 0 ? -k->c.no : k->c.no)),
        .ttl = k->c.ttl,
        .number = k->c.no,
        .class = k->c.class,
        .badge = -1,
    };
    k->job = (struct sender_job){ .by = k->b.by,
                                  .haste = haste_of(k->c.class),
                                  .message = &k->message,
                                  .tokens = tokens,
                                  .n = k->b.n,
                                  .until_ms = until < soon ? until : soon,
                                  .done = on_done,
                                  .arg = k };
}

/* ---- the pace of a campaign ---- */

static struct pace *pace_of(int64_t campaign)
{
    for (int i = 0; i < push.npaces; i++)
        if (push.paces[i].campaign == campaign)
            return &push.paces[i];
    return NULL;
}

static bool rests(void *unused, int64_t campaign)
{
    const struct pace *p = pace_of(campaign);

    (void)unused;
    return p && lane_wait(&p->lane, clock_mono_us() / 1000) > 0;
}

/* A new one, or that of a campaign which has not waited for its pace lately. */
static struct pace *free_pace(int64_t now_ms)
{
    if (push.npaces < PACED)
        return &push.paces[push.npaces++];
    for (int i = 0; i < PACED; i++)
        if (!lane_wait(&push.paces[i].lane, now_ms))
            return &push.paces[i];
    return &push.paces[0];
}

static void count_pace(int64_t run, int64_t pace, int n)
{
    int64_t now_ms = clock_mono_us() / 1000;
    struct pace *p = pace_of(run);

    if (!pace)
        return;
    if (!p) {
        p = free_pace(now_ms);
        p->campaign = run;
        lane_init(&p->lane, pace, now_ms);
    }
    lane_take(&p->lane, n, now_ms);
}

/* ---- a round ---- */

struct round {
    bool busy; /* something was done, so that there may be more */
};

static enum rc write_answered(struct work *w, struct round *r)
{
    for (struct task *k = push.answered; k; k = k->next) {
        enum rc rc;

        work_part(w);
        rc = run_write(w, &k->b, k->again_ms);
        work_part_done(w);
        if (rc && rc != RC_NOT_FOUND)
            return rc;
        r->busy = true;
    }
    return RC_OK;
}

/* A record that is no reason for it any more, or a time long past: somebody has to look. */
static enum rc start_one(struct work *w, int64_t no)
{
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_find(w, no, &c)))
        return rc;
    if ((c.start ? c.start : c.changed) < clock_now() - PUSH_LATE)
        return campaign_step(w, no, CAMPAIGN_DO_LATE, "错过了时间：服务当时没有运行", &c);
    rc = campaign_step(w, no, CAMPAIGN_DO_DUE, NULL, &c);
    return rc == RC_CONFLICT || rc == RC_INVALID
               ? campaign_step(w, no, CAMPAIGN_DO_LATE, arena_strdup(w->mem, w->err.text), &c)
               : rc;
}

static enum rc start_due(struct work *w, struct round *r)
{
    int64_t *no;
    enum rc rc;
    int n;

    if ((rc = campaign_due(w, clock_now(), STARTED, &no, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++, r->busy = true)
        rc = start_one(w, no[i]);
    return rc;
}

static enum rc follow(struct work *w, struct round *r)
{
    int n = 0;
    enum rc rc = campaign_follow(w, FOLLOWED, &n);

    r->busy |= n == FOLLOWED;
    return rc;
}

static enum rc repeat(struct work *w, struct round *r, enum rc (*step)(struct work *w))
{
    for (int i = 0; i < AT_ONCE; i++) {
        enum rc rc;

        work_part(w);
        rc = step(w);
        work_part_done(w);
        if (rc == RC_NOT_FOUND)
            return RC_OK;
        r->busy = true;
        if (rc)
            return rc == RC_BUSY ? RC_OK : rc;
    }
    return RC_OK;
}

static enum rc open_one(struct work *w)
{
    return run_open(w, sender_on(push.sender));
}

static enum rc drop_one(struct work *w)
{
    return run_drop(w, sender_on(push.sender));
}

static enum rc end_one(struct work *w)
{
    struct campaign c;
    int64_t no;
    bool stopped;
    enum rc rc;

    if ((rc = run_end(w, &no, &stopped)) || stopped)
        return rc;
    return no > 0 ? campaign_step(w, no, CAMPAIGN_DO_DONE, NULL, &c)
                  : campaign_run_tested(w, no);
}

/* Those that were done when they were recalled have nothing left to stop. */
static enum rc recall(struct work *w, struct round *r)
{
    struct campaign c;
    int64_t *no;
    enum rc rc;
    int n;

    if ((rc = campaign_in_state(w, CAMPAIGN_RECALLING, STARTED, &no, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++) {
        enum run_state state;

        rc = run_state(w, no[i], &state);
        if (rc == RC_NOT_FOUND || (!rc && state == RUN_OVER)) {
            rc = campaign_step(w, no[i], CAMPAIGN_DO_RECALLED, NULL, &c);
            r->busy = true;
        }
    }
    return rc;
}

/* ---- taking ---- */

static struct run_limits limits_of(enum transport by, bool emergency)
{
    int32_t today = push_limit_day(clock_now());
    struct run_limits l = { .emergency = emergency, .most = SINGLES, .rests = rests };

    if (push_limit(by, PUSH_SERVICE, today).tokens > 1)
        l.most = RUN_BATCH;
    for (int class = PUSH_SERVICE; class < PUSH_EMERGENCY; class ++)
        l.a_day[class] = push_limit(by, (enum push_class) class, today).day;
    if (!l.a_day[PUSH_MARKETING] || l.a_day[PUSH_MARKETING] > push.a_day)
        l.a_day[PUSH_MARKETING] = (int)push.a_day;
    return l;
}

static enum rc fill(struct work *w, struct task *k)
{
    enum rc rc;

    if ((rc = campaign_find(w, k->b.campaign < 0 ? -k->b.campaign : k->b.campaign, &k->c)) ||
        (rc = campaign_shown(w, &k->c, &k->shown)))
        return rc;
    if (k->b.campaign < 0)
        k->c.fired = clock_now();
    fill_job(k);
    return RC_OK;
}

/* RC_NOT_FOUND: there is nothing. */
static enum rc take_one(struct work *w, enum transport by, const struct run_limits *l)
{
    struct arena *mem = arena_new(), *round = w->mem;
    struct task *k = arena_zalloc(mem, sizeof *k);
    enum rc rc;

    k->mem = w->mem = mem;
    if (!(rc = run_take(w, by, l, &k->b)) && k->b.n && (rc = fill(w, k)) == RC_NOT_FOUND)
        rc = err_set(&w->err, RC_INTERNAL, "a campaign on its way is not there");
    w->mem = round;
    if (rc || !k->b.n) {
        task_free(k);
        return rc;
    }
    count_pace(k->b.campaign, k->c.pace, k->b.n);
    put(&push.taken, k);
    return RC_OK;
}

static enum rc take_for(struct work *w, struct round *r, enum transport by, bool emergency)
{
    enum sender_haste haste = emergency ? SENDER_EMERGENCY : SENDER_CAMPAIGN;
    int room = sender_room(push.sender, by, haste);
    struct run_limits l = limits_of(by, emergency);

    for (int i = 0; i < room && i < AT_ONCE; i++) {
        enum rc rc = take_one(w, by, &l);

        if (rc == RC_NOT_FOUND)
            return RC_OK;
        if (rc)
            return rc;
        r->busy = true;
    }
    return RC_OK;
}

static enum rc take_all(struct work *w, struct round *r)
{
    unsigned on = sender_on(push.sender);
    enum rc rc = RC_OK;

    for (int emergency = 1; emergency >= 0; emergency--)
        for (int by = 1; by < TRANSPORT_COUNT && !rc; by++)
            if (on >> by & 1U)
                rc = take_for(w, r, (enum transport)by, emergency);
    return rc;
}

static enum rc round_job(struct work *w, void *arg)
{
    struct round *r = arg;
    enum rc rc;

    if ((rc = write_answered(w, r)) || (rc = follow(w, r)) || (rc = start_due(w, r)) ||
        (rc = repeat(w, r, open_one)) || (rc = repeat(w, r, drop_one)) ||
        (rc = repeat(w, r, end_one)) || (rc = recall(w, r)))
        return rc;
    return take_all(w, r);
}

/* The last of all: nobody sends any more. */
static enum rc last_job(struct work *w, void *arg)
{
    return write_answered(w, arg);
}

/* Nothing of it happened. */
static void round_failed(const struct work *w)
{
    struct task *k;

    LOG(LOG_ERROR, "push_round_failed", L_STR("why", w->err.text));
    while ((k = pop(&push.taken)))
        task_free(k);
}

static void give(struct task *k)
{
    struct err e = { 0 };

    if (!sender_give(push.sender, &e, &k->job))
        return;
    for (int i = 0; i < k->b.n; i++) /* it never left */
        k->b.target[i].what = 0;
    k->again_ms = clock_now_ms() + 1000;
    put(&push.answered, k);
}

/* Whether there is more to do at once. */
static bool make_round(enum rc (*job)(struct work *w, void *arg), bool *failed)
{
    struct round r = { false };
    struct task *k;
    struct work w;

    work_init(&w, arena_new(), NULL, "system", RIGHT_ALL);
    *failed = writer_call(&w, job, &r) != RC_OK;
    if (*failed)
        round_failed(&w);
    else {
        while ((k = pop(&push.answered)))
            task_free(k);
        while ((k = pop(&push.taken)))
            give(k);
    }
    arena_free(w.mem);
    return !*failed && r.busy;
}

/* ---- the thread ---- */

/* Whether anything is to be done by now that nobody told us of. */
static bool look(void)
{
    struct rows q;
    struct work w;
    bool any = true; /* a look that failed is no reason to sleep */
    enum rc rc;

    work_init(&w, arena_new(), push.db, "system", RIGHT_READ);
    if (!(rc = db_one(&w, SQL_push_look, &q, "i", clock_now())))
        any = rows_int(&q, 0) != 0;
    if (rows_done(&q))
        any = true;
    db_end_read(push.db);
    arena_free(w.mem);
    return any;
}

static enum rc recover_job(struct work *w, void *n)
{
    return run_recover(w, AT_ONCE, n);
}

/* All that was on its way when the process ended. */
static enum rc recover(struct err *e)
{
    enum rc rc = RC_OK;
    int n = AT_ONCE;

    while (n == AT_ONCE && !rc) {
        struct work w;

        work_init(&w, arena_new(), NULL, "system", RIGHT_ALL);
        if ((rc = writer_call(&w, recover_job, &n)))
            *e = w.err;
        arena_free(w.mem);
    }
    return rc;
}

static bool is_stopped(const struct sender_job *job, void *unused)
{
    const struct task *k = job->arg;
    enum run_state state;
    struct work w;
    bool stopped;

    (void)unused;
    work_init(&w, arena_new(), push.db, "system", RIGHT_READ);
    stopped = run_state(&w, k->b.campaign, &state) || state != RUN_RUNNING;
    db_end_read(push.db);
    arena_free(w.mem);
    return stopped;
}

static void *loop(void *unused)
{
    bool woken = true, failed;

    (void)unused;
    while (!atomic_load(&push.stop)) {
        int64_t ms = sender_turn(push.sender), most = PUSH_LOOK_MS;

        if (push.answered || woken || look()) {
            sender_drop(push.sender, is_stopped, NULL);
            woken = make_round(round_job, &failed);
            most = failed ? FAILED_MS : woken ? 0 : PUSH_LOOK_MS;
        }
        sender_wait(push.sender, ms < most ? ms : most);
    }
    return NULL;
}

enum rc push_thread_start(struct err *e, const struct conf *c, const char *db_path,
                          struct sender *sender)
{
    enum rc rc;

    push.sender = sender;
    push.a_day = c->push_a_day;
    campaign_transports(sender_on(sender));
    atomic_store(&push.stop, false);
    if ((rc = db_open(e, db_path, DB_READ, &push.db)) || (rc = recover(e))) {
        sender_close(sender);
        db_close(push.db);
        push.db = NULL;
        return rc;
    }
    if (pthread_create(&push.thread, NULL, loop, NULL))
        return err_set(e, RC_IO, "could not start the thread for push");
    atomic_store(&push.running, true);
    return RC_OK;
}

/* What comes home now is written; the rest is in doubt at the next start. */
void push_thread_stop(void)
{
    struct task *k;
    bool failed;

    if (!atomic_exchange(&push.running, false))
        return;
    atomic_store(&push.stop, true);
    sender_wake(push.sender);
    pthread_join(push.thread, NULL);
    sender_close(push.sender);
    push.sender = NULL;
    make_round(last_job, &failed);
    while ((k = pop(&push.answered)))
        task_free(k);
    db_close(push.db);
    push.db = NULL;
    push.npaces = 0;
}
