/*
 * pool.h - a bounded pool of worker threads. A full queue is told at once; it never grows.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>

#include "server/base/work.h"

struct pool;

struct pool_job {
    struct pool_job *next;
    int64_t since_us; /* when it was submitted (clock_mono_us) */
    /* Runs on a worker. `db` is that thread's own connection. The job belongs to the callee. */
    void (*run)(struct pool_job *job, struct db *db);
};

/*
 * `open` gives each thread its database when it starts and `close` takes it back when it ends;
 * both may be NULL. `queue_max` jobs may wait.
 */
enum rc pool_new(struct err *e, int threads, int queue_max,
                 enum rc (*open)(struct err *, struct db **), void (*close)(struct db *),
                 struct pool **out);
/* Before the first job: its threads step back for others (setpriority(2), 0 to 19). */
void pool_lower(struct pool *p, int niceness);
bool pool_submit(
    struct pool *p,
    struct pool_job *job); /* false: the queue is full, the job is still the caller's */
/* When the oldest job that is not done was submitted; 0: there is none. */
int64_t pool_oldest_us(struct pool *p);
void pool_free(struct pool *p); /* runs what is queued, then joins; accepts NULL */
/* The same, for at most `most_ms`. False: a thread is still at work, and the pool is left to it; only the end of the process may follow. */
bool pool_end(struct pool *p, int64_t most_ms);

#endif
