/*
 * channel_thread.c - what is due, what came of it.
 *
 *     change log --> withdrawals
 *     due --> intent written --> outbound thread --> landed --> judged --> outcome written
 *
 * An outcome that cannot be written (a full disk) is kept and tried again; until then its account waits. What the process takes with it stands as an intent, and is in doubt at the next
 * start.
 */
#include "server/channel/channel_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/channel/channel_flight.h"
#include "server/store/db.h"
#include "server/store/writer.h"

enum { TICK_MS = 1000, HINTS = 64, FOLLOW_AT_ONCE = 500, DUE_MOST = 2000 };

static struct {
    struct channel_conf conf;
    struct db *db;
    pthread_t thread;
    bool running;
    atomic_bool stop, stirred;
    pthread_mutex_t lock; /* for what landed, and for hints */
    struct channel_flight *landed;
    int64_t hints[HINTS];
    int nhints;
    /* The thread's own. */
    struct channel_flight *flying, *unsaved;
    int nflying;
    bool followed; /* the change log as it was at `seen` */
    uint64_t seen;
} out = { .lock = PTHREAD_MUTEX_INITIALIZER };

void channel_stir(void *unused)
{
    (void)unused;
    if (!atomic_exchange(&out.stirred, true))
        generation_nudge();
}

void channel_hint(int64_t channel)
{
    pthread_mutex_lock(&out.lock);
    if (out.nhints < HINTS)
        out.hints[out.nhints++] = channel;
    pthread_mutex_unlock(&out.lock);
    channel_stir(NULL);
}

static enum rc write_down(enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct arena *mem = arena_new();
    struct work w;
    enum rc rc;

    work_init(&w, mem, NULL, "channels", RIGHT_READ);
    rc = writer_call(&w, run, arg);
    if (rc && rc != RC_CONFLICT && rc != RC_NOT_FOUND)
        LOG(LOG_WARN, "channel_not_written", L_STR("kind", rc_name(rc)));
    arena_free(mem);
    return rc;
}

/* ---- the change log, hints ---- */

static enum rc follow(struct work *w, void *n)
{
    return channel_follow(w, FOLLOW_AT_ONCE, n);
}

static void follow_all(void)
{
    uint64_t now = generation_now();
    int n = 0;

    if (out.followed && now == out.seen)
        return;
    out.followed = false;
    do {
        if (write_down(follow, &n))
            return;
    } while (n);
    out.seen = now;
    out.followed = true;
}

static enum rc nudge(struct work *w, void *arg)
{
    const int64_t *channel = arg;

    return db_run(w, SQL_channel_task_nudge, "ii", *channel, clock_now());
}

static void take_hints(void)
{
    int64_t all[HINTS];
    int n;

    pthread_mutex_lock(&out.lock);
    n = out.nhints;
    memcpy(all, out.hints, sizeof all);
    out.nhints = 0;
    pthread_mutex_unlock(&out.lock);
    for (int i = 0; i < n; i++)
        (void)write_down(nudge, &all[i]); /* it is looked at later, by itself */
}

/* ---- out ---- */

static void on_landed(struct client_request *rq)
{
    struct channel_flight *f = rq->arg;

    pthread_mutex_lock(&out.lock);
    f->landed = out.landed;
    out.landed = f;
    pthread_mutex_unlock(&out.lock);
    channel_stir(NULL);
}

static bool is_busy(int64_t channel)
{
    for (const struct channel_flight *f = out.flying; f; f = f->next)
        if (f->account.no == channel)
            return true;
    return false;
}

static void take_off(struct channel_flight *f)
{
    f->next = out.flying;
    out.flying = f;
    out.nflying++;
    f->rq.done = on_landed;
    f->rq.arg = f;
    f->rq.timeout_ms = FLIGHT_MS;
    f->rq.public_only = !out.conf.private_net;
    if (f->unbuilt || !client_send(&f->rq)) {
        f->rq.rc = RC_BUSY;
        on_landed(&f->rq);
    }
}

static enum rc intend(struct work *w, void *arg)
{
    struct channel_flight *f = arg;
    struct channel_task t;
    enum rc rc = channel_task_intend(w, f->task.no, f->step, &t);

    f->intended = !rc && t.intent == f->step;
    return rc;
}

/* Nothing is in flight of this account. False: it cannot be done now. */
static bool launch(struct work *w, int64_t task)
{
    struct channel_flight *f = channel_flight_new();
    enum rc rc = channel_flight_prepare(f, w, task, &out.conf);

    if (rc && rc != RC_BUSY)
        LOG(LOG_ERROR, "channel_task_stuck", L_INT("task", task), L_STR("kind", rc_name(rc)));
    if (rc || is_busy(f->account.no)) {
        channel_flight_free(f);
        return false;
    }
    if (f->for_grant) {
        take_off(f);
        return true;
    }
    if (write_down(intend, f) || !f->intended) {
        channel_flight_free(f);
        return false;
    }
    channel_flight_build(f, w);
    take_off(f);
    return true;
}

static int find_due(struct work *w, int64_t *due)
{
    struct rows q;
    int n = 0;

    if (db_query(w, SQL_channel_task_due, &q, "i", clock_now()))
        return 0;
    while (n < DUE_MOST && rows_next(&q))
        due[n++] = rows_int(&q, 0);
    return rows_done(&q) ? 0 : n;
}

static void launch_due(void)
{
    static int64_t due[DUE_MOST];
    struct arena *mem = arena_new();
    struct work w;
    int n;

    work_init(&w, mem, out.db, "channels", RIGHT_READ);
    n = find_due(&w, due);
    for (int i = 0; i < n && out.nflying < FLIGHTS_MOST; i++) {
        work_part(&w);
        (void)launch(&w, due[i]); /* or later */
        work_part_done(&w);
        db_end_read(out.db);
    }
    arena_free(mem);
}

/* ---- home ---- */

static enum rc settle(struct work *w, void *arg)
{
    return channel_flight_settle(w, arg);
}

static void forget(struct channel_flight *f)
{
    for (struct channel_flight **at = &out.flying; *at; at = &(*at)->next)
        if (*at == f) {
            *at = f->next;
            out.nflying--;
            break;
        }
    channel_flight_free(f);
}

/* RC_NOT_FOUND: somebody else has decided meanwhile. */
static void save(struct channel_flight *f)
{
    enum rc rc = write_down(settle, f);

    if (!rc || rc == RC_NOT_FOUND || rc == RC_CONFLICT) {
        forget(f);
        return;
    }
    f->landed = out.unsaved;
    out.unsaved = f;
}

static void take_landed(void)
{
    struct channel_flight *all, *again = out.unsaved;

    out.unsaved = NULL;
    for (struct channel_flight *f = again, *next; f; f = next) {
        next = f->landed;
        save(f);
    }
    pthread_mutex_lock(&out.lock);
    all = out.landed;
    out.landed = NULL;
    pthread_mutex_unlock(&out.lock);
    for (struct channel_flight *f = all, *next; f; f = next) {
        next = f->landed;
        metric_add(METRIC_channel_requests, 1);
        channel_flight_judge(f);
        save(f);
    }
}

/* ---- the thread ---- */

static void *work_off(void *unused)
{
    while (!atomic_load(&out.stop)) {
        atomic_store(&out.stirred, false);
        take_landed();
        follow_all();
        take_hints();
        launch_due();
        generation_wait(out.seen, TICK_MS, &out.stirred);
    }
    take_landed();
    while (out.flying)
        forget(out.flying);
    out.unsaved = NULL;
    return unused;
}

static enum rc doubt_all(struct work *w, void *n)
{
    return channel_tasks_left(w, n);
}

/* Whatever was under way when the process ended. */
static enum rc begin(struct err *e)
{
    struct arena *mem = arena_new();
    struct work w;
    enum rc rc;
    int n;

    work_init(&w, mem, NULL, "channels", RIGHT_READ);
    do {
        n = 0;
        rc = writer_call(&w, doubt_all, &n);
    } while (!rc && n);
    if (rc)
        *e = w.err;
    arena_free(mem);
    return rc;
}

static enum rc start(struct err *e)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    sigdelset(&all, SIGSYS); /* what is refused comes by it (server/confine.c) */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&out.thread, NULL, work_off, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set(e, RC_IO, "start the thread of channels: %s", strerror(failed));
    pthread_setname_np(out.thread, "channels");
    return RC_OK;
}

enum rc channel_start(struct err *e, const struct channel_conf *c)
{
    enum rc rc;

    if ((rc = db_open(e, c->db_path, DB_READ, &out.db)))
        return rc;
    out.conf = *c;
    out.followed = false;
    atomic_store(&out.stop, false);
    if ((rc = begin(e)) || (rc = start(e))) {
        db_close(out.db);
        out.db = NULL;
        return rc;
    }
    out.running = true;
    return RC_OK;
}

void channel_stop(void)
{
    if (!out.running)
        return;
    atomic_store(&out.stop, true);
    channel_stir(NULL);
    atomic_store(&out.stirred, true);
    generation_nudge();
    pthread_join(out.thread, NULL);
    db_close(out.db);
    out.db = NULL;
    out.running = false;
}
