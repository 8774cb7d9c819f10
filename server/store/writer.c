/*
 * writer.c - the one thread that changes the database: group commit.
 *
 *     submit --> queue --(all that waits)--> group
 *
 *     BEGIN
 *         each job: SAVEPOINT, run, RELEASE or ROLLBACK TO
 *     COMMIT
 *     the hooks of all that succeeded, then done() of all
 *
 * While one group commits the next gathers, so the group's size follows the load by itself: one
 * fsync a group, not one a job.
 *
 * The promise: done() with RC_OK means that the change is on the disk and that memory shows it.
 * A job that fails is rolled back alone and the others go on. If the transaction itself is lost
 * - the COMMIT failed, or SQLite rolled back by itself on a full disk or a failed read - every
 * job that had succeeded gets that error, none of its effects and none of its hooks; jobs that
 * had failed by themselves keep their own reason. The next group begins afresh: when there is
 * room again, writing works again (disk.c says when that is tried).
 *
 * Not here: what the jobs do (library, sync), who waits for them (server/http).
 */
#include "server/store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/store/db.h"
#include "server/store/disk.h"

enum { TICKS_MAX = 24 };

struct tick {
    int64_t every_us, next_us;
    void (*fn)(struct db *db, void *arg);
    void *arg;
};

static struct {
    pthread_t thread;
    struct db *db; /* the thread's own while it runs */
    struct tick ticks[TICKS_MAX];
    int tick_count;

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t more;
    bool running, stopping;
    struct writer_job *first, **last;
    int queued, queue_max;
    int64_t group_us; /* when the first of those under way was submitted; 0: none are */
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local bool on_writer; /* this is the writer's thread */

/* The transaction that held them is lost: what they did did not happen. */
static void fail_group(struct writer_job *group, const struct err *why)
{
    metric_add(METRIC_write_failures, 1);
    disk_note(why->rc);
    LOG(LOG_ERROR, "write_failed", L_STR("kind", rc_name(why->rc)), L_STR("why", why->text));
    for (struct writer_job *job = group; job; job = job->next) {
        if (job->rc)
            continue;
        job->rc = why->rc;
        job->w->err = *why;
        job->w->after = NULL;
    }
}

/* Only a lost transaction is an error here: what the job itself returned stands in job->rc. */
static enum rc run_job(struct work *tx, struct writer_job *job)
{
    struct db *lender = job->w->db;
    enum rc rc;

    if ((rc = db_savepoint(tx)))
        return rc;
    job->w->db = tx->db;
    job->rc = job->run(job->w, job->arg);
    job->w->db = lender;
    if (job->rc)
        job->w->after = NULL;
    if (db_in_transaction(tx->db))
        return job->rc ? db_back(tx) : db_release(tx);
    tx->err = job->w->err;
    return job->rc ? job->rc
                   : err_set(&tx->err, RC_INTERNAL, "a job ended the writer's transaction");
}

static enum rc run_group(struct work *tx, struct writer_job *group)
{
    enum rc rc;

    if ((rc = db_begin(tx)))
        return rc;
    for (struct writer_job *job = group; job; job = job->next)
        if ((rc = run_job(tx, job)))
            return rc;
    return db_commit(tx);
}

static void answer_group(struct writer_job *group)
{
    int64_t written = 0;

    for (struct writer_job *job = group; job; job = job->next)
        if (!job->rc) {
            written++;
            work_committed(job->w);
        }
    metric_add(METRIC_writes, written);
    for (struct writer_job *job = group, *next; job; job = next) {
        next = job->next; /* done() takes the job away */
        if (job->done)
            job->done(job);
    }
}

static void commit_group(struct writer_job *group)
{
    struct work tx = { .db = writer.db };
    enum rc rc;

    for (struct writer_job *job = group; job; job = job->next)
        job->rc = RC_OK;
    if ((rc = run_group(&tx, group))) {
        tx.err.rc = rc; /* a job may have given a kind without a sentence */
        db_rollback(tx.db);
        fail_group(group, &tx.err);
    } else {
        metric_add(METRIC_write_groups, 1);
    }
    answer_group(group);
}

static int64_t run_ticks(void)
{
    int64_t soonest = INT64_MAX;

    for (struct tick *t = writer.ticks; t < writer.ticks + writer.tick_count; t++) {
        if (t->next_us <= clock_mono_us()) {
            t->fn(writer.db, t->arg);
            t->next_us = clock_mono_us() + t->every_us;
        }
        soonest = t->next_us < soonest ? t->next_us : soonest;
    }
    return soonest;
}

/* All that waits; NULL when it is time for a tick or for the end. */
static struct writer_job *take_group(int64_t until_us, bool *stop)
{
    struct timespec until = { .tv_sec = until_us / 1000000,
                              .tv_nsec = until_us % 1000000 * 1000 };
    struct writer_job *group;
    int timed_out = 0;

    pthread_mutex_lock(&writer.lock);
    writer.group_us = 0;
    while (!writer.first && !writer.stopping && !timed_out)
        timed_out = until_us == INT64_MAX
                        ? pthread_cond_wait(&writer.more, &writer.lock)
                        : pthread_cond_timedwait(&writer.more, &writer.lock, &until);
    group = writer.first;
    writer.group_us = group ? group->since_us : 0;
    writer.first = NULL;
    writer.last = &writer.first;
    writer.queued = 0;
    *stop = writer.stopping && !group;
    pthread_mutex_unlock(&writer.lock);
    return group;
}

static void *writer_main(void *unused)
{
    bool stop = false;

    (void)unused;
    on_writer = true;
    pthread_setname_np(pthread_self(), "writer");
    while (!stop) {
        struct writer_job *group = take_group(run_ticks(), &stop);

        if (group)
            commit_group(group);
    }
    return NULL;
}

void writer_tick(int64_t every_ms, void (*fn)(struct db *db, void *arg), void *arg)
{
    assert(!writer.running && writer.tick_count < TICKS_MAX);
    writer.ticks[writer.tick_count++] =
        (struct tick){ .every_us = every_ms * 1000, .fn = fn, .arg = arg };
}

enum rc writer_start(struct err *e, const char *db_path, int queue_max)
{
    pthread_condattr_t attr;
    enum rc rc;
    int failed;

    assert(!writer.running);
    if ((rc = db_open(e, db_path, DB_WRITE, &writer.db)))
        return rc;
    for (int i = 0; i < writer.tick_count; i++)
        writer.ticks[i].next_us = clock_mono_us() + writer.ticks[i].every_us;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&writer.more, &attr);
    pthread_condattr_destroy(&attr);
    writer.last = &writer.first;
    writer.queue_max = queue_max;
    writer.stopping = false;
    writer.running = true;
    failed = pthread_create(&writer.thread, NULL, writer_main, NULL);
    if (!failed)
        return RC_OK;
    writer.running = false;
    db_close(writer.db);
    return err_set(e, RC_IO, "start the writer thread: %s", strerror(failed));
}

bool writer_submit(struct writer_job *job)
{
    bool taken;

    job->since_us = clock_mono_us();
    pthread_mutex_lock(&writer.lock);
    taken = writer.running && !writer.stopping && writer.queued < writer.queue_max;
    if (taken) {
        job->next = NULL;
        *writer.last = job;
        writer.last = &job->next;
        if (writer.queued++ == 0)
            pthread_cond_signal(&writer.more);
    }
    pthread_mutex_unlock(&writer.lock);
    return taken;
}

int64_t writer_oldest_us(void)
{
    int64_t oldest;

    pthread_mutex_lock(&writer.lock);
    oldest = writer.group_us ? writer.group_us : writer.first ? writer.first->since_us : 0;
    pthread_mutex_unlock(&writer.lock);
    return oldest;
}

struct call {
    struct writer_job job; /* the first member: done() casts back */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
};

static void call_done(struct writer_job *job)
{
    struct call *call = (struct call *)job;

    /* Signalled under the lock: the waiter's stack, where the call stands, is gone as soon as
     * it sees `done`. */
    pthread_mutex_lock(&call->lock);
    call->done = true;
    pthread_cond_signal(&call->answered);
    pthread_mutex_unlock(&call->lock);
}

enum rc writer_call(struct work *w, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct call call = { .job = { .w = w, .run = run, .done = call_done, .arg = arg },
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .answered = PTHREAD_COND_INITIALIZER };

    assert(!on_writer); /* it would wait for itself */
    if (!writer_submit(&call.job))
        return err_set(&w->err, RC_BUSY, "the writer's queue is full, or it is stopping");
    pthread_mutex_lock(&call.lock);
    while (!call.done)
        pthread_cond_wait(&call.answered, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.answered);
    pthread_mutex_destroy(&call.lock);
    return call.job.rc;
}

void writer_stop(void)
{
    if (!writer.running)
        return;
    pthread_mutex_lock(&writer.lock);
    writer.stopping = true;
    pthread_cond_signal(&writer.more);
    pthread_mutex_unlock(&writer.lock);
    pthread_join(writer.thread, NULL);
    pthread_mutex_lock(&writer.lock);
    writer.running = false;
    pthread_mutex_unlock(&writer.lock);
    pthread_cond_destroy(&writer.more);
    db_close(writer.db);
    writer.db = NULL;
    writer.tick_count = 0;
}
