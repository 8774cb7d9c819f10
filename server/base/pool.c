/*
 * pool.c - a list, a mutex, a condition. The list is bounded by count: each job is already
 * somebody's memory.
 */
#include "server/base/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <h2o/memory.h>

#include "server/base/clock.h"
#include "server/base/metric.h"

enum { THREADS_MAX = 64 };

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct pool_job *first, **last;
    int queued, queue_max, threads, niceness;
    bool stopping;
    void (*close)(struct db *);
    struct db *db[THREADS_MAX];
    pthread_t thread[THREADS_MAX];
    int64_t since_us[THREADS_MAX]; /* of the job that a thread is at; 0: none */
};

struct start {
    struct pool *pool;
    int no;
    struct db *db;
};

/* NULL: the pool is stopping and nothing is left. */
static struct pool_job *next_job(struct pool *p, int no)
{
    struct pool_job *job;

    pthread_mutex_lock(&p->lock);
    p->since_us[no] = 0;
    while (!p->first && !p->stopping)
        pthread_cond_wait(&p->more, &p->lock);
    job = p->first;
    if (job) {
        p->first = job->next;
        p->since_us[no] = job->since_us;
        if (!p->first)
            p->last = &p->first;
        p->queued--;
        metric_add(METRIC_jobs_queued, -1);
    }
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void *work_on(void *arg)
{
    struct start start = *(struct start *)arg;
    struct pool_job *job;

    free(arg);
    job = next_job(start.pool, start.no);
    if (job && start.pool->niceness) /* on Linux a thread's own */
        setpriority(PRIO_PROCESS, 0, start.pool->niceness);
    for (; job; job = next_job(start.pool, start.no))
        job->run(job, start.db);
    return NULL;
}

static void launch(struct pool *p, int i)
{
    struct start *start = h2o_mem_alloc(sizeof *start);

    *start = (struct start){ p, i, p->db[i] };
    if (pthread_create(&p->thread[i], NULL, work_on, start))
        h2o_fatal("no thread for a worker");
}

enum rc pool_new(struct err *e, int threads, int queue_max,
                 enum rc (*open)(struct err *, struct db **), void (*close)(struct db *),
                 struct pool **out)
{
    struct pool *p = h2o_mem_alloc(sizeof *p);
    enum rc rc = RC_OK;

    if (threads < 1 || threads > THREADS_MAX) {
        free(p);
        return err_set(e, RC_INVALID, "workers should be 1 to %d", THREADS_MAX);
    }
    *p = (struct pool){ .queue_max = queue_max, .close = close, .last = &p->first };
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    for (int i = 0; i < threads && open && !rc; i++)
        rc = open(e, &p->db[i]);
    p->threads = rc ? 0 : threads;
    for (int i = 0; i < p->threads; i++)
        launch(p, i);
    if (rc) {
        pool_free(p);
        return rc;
    }
    *out = p;
    return RC_OK;
}

void pool_lower(struct pool *p, int niceness)
{
    p->niceness = niceness;
}

bool pool_submit(struct pool *p, struct pool_job *job)
{
    bool taken;

    job->next = NULL;
    job->since_us = clock_mono_us();
    pthread_mutex_lock(&p->lock);
    taken = p->queued < p->queue_max && !p->stopping;
    if (taken) {
        *p->last = job;
        p->last = &job->next;
        p->queued++;
        metric_add(METRIC_jobs_queued, 1);
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    if (!taken)
        metric_add(METRIC_jobs_shed, 1);
    return taken;
}

int64_t pool_oldest_us(struct pool *p)
{
    int64_t oldest;

    pthread_mutex_lock(&p->lock);
    oldest = p->first ? p->first->since_us : 0;
    for (int i = 0; i < p->threads; i++)
        if (p->since_us[i] && (!oldest || p->since_us[i] < oldest))
            oldest = p->since_us[i];
    pthread_mutex_unlock(&p->lock);
    return oldest;
}

static void take_no_more(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
}

/* All its threads have ended. */
static void dispose(struct pool *p)
{
    for (int i = 0; i < THREADS_MAX && p->close; i++)
        if (p->db[i])
            p->close(p->db[i]);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    take_no_more(p);
    for (int i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    dispose(p);
}

bool pool_end(struct pool *p, int64_t most_ms)
{
    int64_t until_us = clock_mono_us() + most_ms * 1000;

    if (!p)
        return true;
    take_no_more(p);
    for (int i = 0; i < p->threads; i++)
        while (pthread_tryjoin_np(p->thread[i], NULL)) {
            if (clock_mono_us() > until_us)
                return false;
            usleep(1000);
        }
    dispose(p);
    return true;
}
