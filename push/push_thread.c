/*
 * push_thread.c - rounds of one job of the writer each, between which messages travel.
 *
 *     round   write what was answered, follow the library, start what is due, open, stop, end, and take as much as the sender has room for; one transaction
 *     give    what was taken, now that it is committed
 *     turn    of the sender, until something was answered or it is time to look again
 *
 * If a round fails (a full disk), nothing of it happened: what was answered is written in the next, and what was taken then was never given. What is wrong with one campaign is its own affair: each
 * step stands in a savepoint (guard()). Others wait for the writer as long as a round takes: so each kind of work in it has some milliseconds, and what is left comes in the next.
 */
#include "push/push_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "push/campaign_damage.h"
#include "push/campaign_inbox.h"
#include "push/campaign_run.h"
#include "push/campaign_step.h"
#include "push/live.h"
#include "push/push_clock.h"
#include "push/push_pace.h"
#include "push/push_task.h"
#include "push/run.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/store/db.h"
#include "server/store/writer.h"

enum {
    AT_ONCE = 8, /* blocks opened, rows dropped, batches taken for a transport in one round */
    FOLLOWED = 100, /* changes of the library in one round */
    STARTED = 100,  /* campaigns, if there is time */
    RECALLED = 4,
    WORK_MS = 30,    /* of a round, for each kind of work; what was begun is ended */
    FAILED_MS = 1000 /* until a round that failed is tried again */
};

static struct {
    pthread_t thread;
    atomic_bool running, stop;
    struct sender *sender;
    struct db *db; /* for looking */
    struct task *answered, *taken;
    struct ledger_quiets *quiets;
    int first;            /* the transport that is taken for first: each in its turn */
    bool recovered;       /* what was on its way when the process ended is told apart */
    int64_t recovered_to; /* up to this batch */
} push;

static void on_answered(struct task *k)
{
    task_put(&push.answered, k);
}

/* ---- a step, and what it may cost ---- */

struct round {
    bool busy;          /* something was done, so that there may be more */
    bool all_started;   /* of what is due */
    int64_t shifted_ms; /* rows were told of it that the clock jumped */
    int written;        /* of push.answered, from its first on */
    int64_t until_us;   /* for the work it is at */
};

static void begin_work(struct round *r)
{
    r->until_us = clock_mono_us() + WORK_MS * 1000;
}

/* There may be more, but others wait. */
static bool is_late(struct round *r)
{
    bool late = clock_mono_us() > r->until_us;

    r->busy |= late;
    return late;
}

/* One campaign's rows, or sets that it asks for; not the disk's fault, which is everybody's. */
static bool is_damage(enum rc rc)
{
    return rc == RC_CORRUPT || rc == RC_INVALID || rc == RC_INTERNAL;
}

static struct commit_hook **last_hook(struct work *w)
{
    struct commit_hook **at = &w->after;

    while (*at)
        at = &(*at)->next;
    return at;
}

typedef enum rc (*step_fn)(struct work *w, void *arg, int64_t *run);

/* In a savepoint, with memory of its own. If it finds damage nothing of it happened but that the run it was about pays for it, and *damaged is true. */
static enum rc guard(struct work *w, step_fn step, void *arg, bool *damaged)
{
    struct commit_hook **end = last_hook(w);
    int64_t run = 0;
    struct err why;
    enum rc rc, over;

    *damaged = false;
    if ((rc = db_savepoint(w)))
        return rc;
    work_part(w);
    rc = step(w, arg, &run);
    why = w->err;
    work_part_done(w);
    if (!rc || rc == RC_NOT_FOUND || rc == RC_BUSY)
        return (over = db_release(w)) ? over : rc;
    if ((over = db_back(w)))
        return over;
    *end = NULL;
    if (!run || !is_damage(rc))
        return rc;
    *damaged = true;
    return campaign_damaged(w, run, why.text);
}

static enum rc repeat(struct work *w, struct round *r, step_fn step, void *arg)
{
    begin_work(r);
    for (int i = 0; i < AT_ONCE && !is_late(r); i++) {
        bool damaged;
        enum rc rc = guard(w, step, arg, &damaged);

        if (rc == RC_NOT_FOUND)
            return RC_OK;
        r->busy = true;
        if (rc)
            return rc == RC_BUSY ? RC_OK : rc;
    }
    return RC_OK;
}

/* ---- a round ---- */

static enum rc write_one(struct work *w, void *task, int64_t *run)
{
    struct task *k = task;

    *run = k->b.campaign;
    task_follow_clock(k);
    return run_write(w, &k->b, k->again_ms);
}

/* What came home has to be written: once more, when what was damaged is put aside; then it stays in doubt. */
static enum rc write_answered(struct work *w, struct round *r)
{
    r->written = 0;
    begin_work(r);
    for (struct task *k = push.answered; k && !is_late(r); k = k->next, r->written++) {
        bool damaged;
        enum rc rc = guard(w, write_one, k, &damaged);

        if (!rc && damaged)
            rc = guard(w, write_one, k, &damaged);
        if (rc && rc != RC_NOT_FOUND)
            return rc;
        r->busy = true;
    }
    return RC_OK;
}

/* A record that is no reason for it any more, or a time long past: somebody has to look. */
static enum rc start_one(struct work *w, void *which, int64_t *run)
{
    int64_t no = *(int64_t *)which;
    struct campaign c;
    enum rc rc;

    *run = no;
    if ((rc = campaign_find(w, no, &c)))
        return rc;
    if (push_clock_leapt(c.start))
        return campaign_step(w, no, CAMPAIGN_DO_LATE, push_clock_why(w), &c);
    if ((c.start ? c.start : c.changed) < clock_now() - PUSH_LATE)
        return campaign_step(w, no, CAMPAIGN_DO_LATE, "错过了时间：服务当时没有运行", &c);
    rc = campaign_step(w, no, CAMPAIGN_DO_DUE, NULL, &c);
    return rc == RC_CONFLICT || rc == RC_INVALID
               ? campaign_step(w, no, CAMPAIGN_DO_LATE, arena_strdup(w->mem, w->err.text), &c)
               : rc;
}

static enum rc start_due(struct work *w, struct round *r)
{
    bool damaged;
    int64_t *no;
    enum rc rc;
    int n, done;

    if ((rc = campaign_due(w, clock_now(), STARTED, &no, &n)))
        return rc;
    begin_work(r);
    for (done = 0; done < n && !rc && !is_late(r); done++, r->busy = true)
        rc = guard(w, start_one, &no[done], &damaged);
    r->all_started = !rc && done == n && n < STARTED;
    return rc;
}

static enum rc follow(struct work *w, struct round *r)
{
    int n = 0;
    enum rc rc = campaign_follow(w, FOLLOWED, &n);

    r->busy |= n == FOLLOWED;
    return rc;
}

/* By whom messages are taken back, and of these by whom they are removed. */
static unsigned recalls(unsigned *revokes)
{
    unsigned some = 0;

    *revokes = 0;
    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        enum vendor_recall how = sender_recalls(push.sender, (enum transport)by);

        some |= how != VENDOR_RECALL_NONE ? 1U << by : 0;
        *revokes |= how == VENDOR_RECALL_REVOKE ? 1U << by : 0;
    }
    return some;
}

static enum rc open_one(struct work *w, void *unused, int64_t *run)
{
    unsigned revokes;

    (void)unused;
    return run_open(w, sender_on(push.sender), recalls(&revokes), run);
}

static enum rc drop_one(struct work *w, void *unused, int64_t *run)
{
    (void)unused;
    return run_drop(w, sender_on(push.sender), run);
}

static enum rc inbox_one(struct work *w, void *unused, int64_t *run)
{
    (void)unused;
    return campaign_inbox_step(w, run);
}

static enum rc end_one(struct work *w, void *unused, int64_t *run)
{
    struct campaign c;
    bool stopped;
    enum rc rc;

    (void)unused;
    if ((rc = run_end(w, run, &stopped)) || stopped)
        return rc;
    switch (run_kind(*run)) {
    case RUN_TEST: return campaign_run_tested(w, *run);
    case RUN_BULLETIN:
    case RUN_RECALL: /* who recalls looks himself whether it is over */
    case RUN_NOTICE: return RC_OK;
    default: return campaign_step(w, *run, CAMPAIGN_DO_DONE, NULL, &c);
    }
}

/* RC_BUSY: something is on its way yet, or in an inbox. */
static enum rc recall_one(struct work *w, void *which, int64_t *run)
{
    struct campaign_inbox inbox = { .over = true };
    struct campaign c;
    unsigned revokes;
    enum rc rc;

    *run = *(int64_t *)which;
    recalls(&revokes);
    if ((rc = campaign_run_recall(w, *run, revokes)) != RC_NOT_FOUND)
        return rc;
    rc = campaign_inbox_count(w, *run, &inbox);
    if ((rc && rc != RC_NOT_FOUND) || !inbox.over)
        return rc && rc != RC_NOT_FOUND ? rc : RC_BUSY;
    return campaign_step(w, *run, CAMPAIGN_DO_RECALLED, NULL, &c);
}

static enum rc recall(struct work *w, struct round *r)
{
    bool damaged;
    int64_t *no;
    enum rc rc;
    int n;

    if ((rc = campaign_in_state(w, CAMPAIGN_RECALLING, RECALLED, &no, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++) {
        rc = guard(w, recall_one, &no[i], &damaged);
        r->busy |= !rc;
        rc = rc == RC_BUSY ? RC_OK : rc;
    }
    return rc;
}

/* ---- taking ---- */

struct taking {
    enum transport by;
    struct run_limits limits;
};

static enum rc take_one(struct work *w, void *arg, int64_t *run)
{
    struct taking *t = arg;
    struct task *k;
    enum rc rc = task_take(w, t->by, &t->limits, on_answered, &k, run);

    if (rc || !k)
        return rc;
    push_pace_count(k->b.campaign, k->said.pace, k->b.n);
    task_put(&push.taken, k);
    return RC_OK;
}

static enum rc take_for(struct work *w, struct round *r, enum transport by,
                        enum sender_haste haste)
{
    int room = sender_room(push.sender, by, haste);
    struct taking t = { by, task_limits(by, haste, push.quiets) };

    for (int i = 0; i < room && i < AT_ONCE && !is_late(r); i++) {
        bool damaged;
        enum rc rc = guard(w, take_one, &t, &damaged);

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

    begin_work(r);
    push.first = push.first % (TRANSPORT_COUNT - 1) + 1;
    for (int haste = SENDER_EMERGENCY; haste < SENDER_HASTES; haste++)
        for (int i = 0; i < TRANSPORT_COUNT - 1 && !rc; i++) {
            int by = (push.first - 1 + i) % (TRANSPORT_COUNT - 1) + 1;

            if (on >> by & 1U)
                rc = take_for(w, r, (enum transport)by, (enum sender_haste)haste);
        }
    return rc;
}

/* What waits for a moment waits as long as it was meant to, and what runs ends when it was to, though the clock that says so was set. */
static enum rc follow_clock(struct work *w, struct round *r)
{
    push_clock_look();
    r->shifted_ms = push_clock_jumped_ms();
    return r->shifted_ms ? run_shift(w, r->shifted_ms) : RC_OK;
}

static enum rc round_job(struct work *w, void *arg)
{
    struct round *r = arg;
    enum rc rc;

    if ((rc = follow_clock(w, r)) || (rc = write_answered(w, r)) || (rc = follow(w, r)) ||
        (rc = start_due(w, r)) || (rc = repeat(w, r, open_one, NULL)) ||
        (rc = repeat(w, r, drop_one, NULL)) || (rc = repeat(w, r, inbox_one, NULL)) ||
        (rc = repeat(w, r, end_one, NULL)) || (rc = recall(w, r)))
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
    while ((k = task_pop(&push.taken)))
        task_free(k);
}

/* Whether there is more to do at once. */
static bool make_round(enum rc (*job)(struct work *w, void *arg), bool *failed)
{
    struct round r = { 0 };
    struct task *k;
    struct work w;

    work_init(&w, arena_new(), NULL, "system", RIGHT_ALL);
    *failed = writer_call(&w, job, &r) != RC_OK;
    if (*failed)
        round_failed(&w);
    else {
        push_clock_told(r.shifted_ms);
        if (r.all_started)
            push_clock_landed();
        while (r.written-- && (k = task_pop(&push.answered)))
            task_free(k);
        while ((k = task_pop(&push.taken)))
            task_give(k, push.sender);
    }
    arena_free(w.mem);
    return !*failed && r.busy;
}

/* ---- after a crash ---- */

struct recovering {
    int64_t no; /* the last batch that was looked at */
    bool all;
};

static enum rc recover_one(struct work *w, void *arg, int64_t *run)
{
    return run_recover(w, arg, run);
}

/* All that was on its way when the process ended is in doubt, before anything else leaves. */
static enum rc recover_job(struct work *w, void *arg)
{
    struct recovering *k = arg;
    enum rc rc = RC_OK;

    for (int i = 0; i < AT_ONCE && !rc; i++) {
        int64_t before = k->no;
        bool damaged;

        rc = guard(w, recover_one, &k->no, &damaged);
        if (!rc && damaged) {
            k->no = before;
            rc = guard(w, recover_one, &k->no, &damaged);
        }
    }
    k->all = rc == RC_NOT_FOUND;
    return k->all ? RC_OK : rc;
}

/* False: not yet; whether it failed. */
static bool recover(bool *failed)
{
    struct recovering k = { .no = push.recovered_to };
    struct work w;

    work_init(&w, arena_new(), NULL, "system", RIGHT_ALL);
    if ((*failed = writer_call(&w, recover_job, &k) != RC_OK))
        LOG(LOG_ERROR, "push_not_recovered", L_STR("why", w.err.text));
    else
        push.recovered_to = k.no;
    push.recovered = !*failed && k.all;
    arena_free(w.mem);
    return push.recovered;
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

/* Whoever watches is told. */
static void tell(void)
{
    struct work w;

    work_init(&w, arena_new(), push.db, "system", RIGHT_READ);
    live_look(&w);
    db_end_read(push.db);
    arena_free(w.mem);
}

static void *loop(void *unused)
{
    bool woken = true, failed;

    (void)unused;
    while (!atomic_load(&push.stop)) {
        int64_t ms = sender_turn(push.sender), most = PUSH_LOOK_MS;

        woken |= push_clock_look();
        if (!push.recovered && !recover(&failed)) {
            most = failed ? FAILED_MS : 0;
        } else if (push.answered || woken || look()) {
            sender_drop(push.sender, is_stopped, NULL);
            woken = make_round(round_job, &failed);
            most = failed ? FAILED_MS : woken ? 0 : PUSH_LOOK_MS;
        }
        tell();
        sender_wait(push.sender, ms < most ? ms : most);
    }
    return NULL;
}

/* What this server's database cannot give at once it is asked for again: a start waits for nothing here. */
enum rc push_thread_start(struct err *e, const char *db_path, struct sender *sender)
{
    enum rc rc;

    push.sender = sender;
    campaign_transports(sender_on(sender));
    atomic_store(&push.stop, false);
    push.recovered = false;
    push.recovered_to = 0;
    push_clock_forget();
    if ((rc = db_open(e, db_path, DB_READ, &push.db))) {
        sender_close(sender);
        db_close(push.db);
        push.db = NULL;
        return rc;
    }
    if (!(push.quiets = calloc(1, sizeof *push.quiets)))
        memory_end();
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
    while (push.answered && make_round(last_job, &failed))
        continue;
    while ((k = task_pop(&push.answered)))
        task_free(k);
    db_close(push.db);
    push.db = NULL;
    free(push.quiets);
    push.quiets = NULL;
    push_pace_forget();
}
