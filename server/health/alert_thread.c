/*
 * alert_thread.c - a look every alert_every, a step of the patrol every second, the webhook when it has something to do.
 *
 * Nobody waits for this thread, and it waits for nobody but the disk: if that hangs, so does it, and tjzw_alert_looks stands still, which is
 * for a watcher outside to see.
 */
#include "server/health/alert_thread.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#include "server/base/clock.h"
#include "server/base/thread.h"
#include "server/health/alert.h"
#include "server/health/patrol.h"
#include "server/health/webhook.h"
#include "server/http/client.h"
#include "server/http/server.h"
#include "server/store/db.h"

enum { PATROL_MS = 1000, NICENESS = 10, LAST_WORDS_MS = 5000, TURN_MS = 20, OUTBOUND_MAX = 8 };

static struct {
    struct alert_thread t;
    struct db *db;
    struct running run;
    struct patrol patrol;

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t stirred;
    bool stop, stir; /* behind the lock */
} me = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void stir(void)
{
    pthread_mutex_lock(&me.lock);
    me.stir = true;
    pthread_cond_signal(&me.stirred);
    pthread_mutex_unlock(&me.lock);
}

static void look(void)
{
    struct work w;
    struct health h = { .c = me.t.c, .w = &w, .run = &me.run };

    work_init(&w, arena_new(), me.db, "clock", RIGHT_ALL);
    me.run.now_us = clock_mono_us();
    me.run.certificate_end = server_tls_end(me.t.server);
    alert_look(&h);
    db_end_read(me.db);
    arena_free(w.mem);
}

/* Faster looks make faster steps, of fewer rows. */
static int64_t patrol_ms(void)
{
    return me.t.c->alert_every < PATROL_MS ? me.t.c->alert_every : PATROL_MS;
}

static void patrol(void)
{
    int64_t rows = me.t.c->verify_pace * patrol_ms() / PATROL_MS;
    struct work w;

    if (!me.t.c->verify_pace)
        return;
    work_init(&w, arena_new(), me.db, "clock", RIGHT_ALL);
    patrol_step(&me.patrol, &w, me.t.c->data, rows ? rows : 1);
    db_end_read(me.db);
    arena_free(w.mem);
}

/* False: it is time to end. */
static bool rest(int64_t until_us)
{
    struct timespec until = { until_us / 1000000, until_us % 1000000 * 1000 };
    bool stop;

    pthread_mutex_lock(&me.lock);
    while (!me.stop && !me.stir && !pthread_cond_timedwait(&me.stirred, &me.lock, &until))
        ;
    me.stir = false;
    stop = me.stop;
    pthread_mutex_unlock(&me.lock);
    return !stop;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void *watch(void *unused)
{
    int64_t look_us = clock_mono_us(), patrol_us = look_us, hook_us;

    setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux a thread's own */
    do {
        int64_t now_us = clock_mono_us();

        if (now_us >= patrol_us) {
            patrol();
            patrol_us = clock_mono_us() + patrol_ms() * 1000;
        }
        if (now_us >= look_us) {
            look();
            look_us = now_us + me.t.c->alert_every * 1000;
        }
        hook_us = webhook_turn(clock_mono_us());
    } while (rest(least(hook_us, least(look_us, patrol_us))));
    return unused;
}

/* A fault that the process before this one found is one until a round has found none. */
static void remember_faults(void)
{
    struct alert all[ALERTS];
    const struct alert *a = &all[ALERT_AT_broken_chain];

    alert_all(all);
    if (!a->firing)
        return;
    me.patrol.found_before = a->value > 0 ? a->value : 1;
    snprintf(me.patrol.text, sizeof me.patrol.text, "%.250s", a->text);
}

static enum rc launch(struct err *e)
{
    pthread_condattr_t attr;
    enum rc rc;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&me.stirred, &attr);
    pthread_condattr_destroy(&attr);
    if ((rc = thread_start(e, "alerts", watch, NULL, &me.thread)))
        pthread_cond_destroy(&me.stirred);
    return rc;
}

enum rc alert_thread_start(struct err *e, const struct alert_thread *t)
{
    enum rc rc;

    if ((rc = webhook_start(e, t->c, t->instance, stir)) ||
        (rc = db_open(e, t->db_path, DB_READ, &me.db)))
        return rc;
    me.t = *t;
    me.run =
        (struct running){ .workers = t->workers, .deaths = t->deaths, .patrol = &me.patrol };
    me.patrol = (struct patrol){ 0 };
    me.stop = me.stir = false;
    alert_open(t->c->data);
    remember_faults();
    if ((rc = launch(e))) {
        db_close(me.db);
        me.db = NULL;
        return rc;
    }
    me.running = true;
    return RC_OK;
}

void alert_thread_stop(void)
{
    if (!me.running)
        return;
    pthread_mutex_lock(&me.lock);
    me.stop = true;
    pthread_cond_signal(&me.stirred);
    pthread_mutex_unlock(&me.lock);
    pthread_join(me.thread, NULL);
    pthread_cond_destroy(&me.stirred);
    webhook_stop();
    db_close(me.db);
    me.db = NULL;
    me.running = false;
}

static void nobody_waits(void)
{
}

void alert_last_words(const struct alert_thread *t)
{
    struct running run = { .now_us = clock_mono_us(), .deaths = t->deaths };
    struct health h = { .c = t->c, .run = &run };
    int64_t until_us = run.now_us + LAST_WORDS_MS * INT64_C(1000);
    struct err unused = { 0 };
    struct alert untold;

    if (webhook_start(&unused, t->c, t->instance, nobody_waits) ||
        client_start(&unused, OUTBOUND_MAX))
        return;
    alert_open(t->c->data);
    alert_look_at(&h, ALERT_AT_crash_loop);
    for (webhook_turn(clock_mono_us());
         alert_untold(-1, &untold) >= 0 && clock_mono_us() < until_us;
         webhook_turn(clock_mono_us()))
        clock_sleep_ms(TURN_MS);
    client_stop();
    webhook_stop();
}
