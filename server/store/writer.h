/*
 * writer.h - the one thread that changes the database.
 *
 *     jobs --> queue --> BEGIN  [savepoint job release|back] ...  COMMIT --> hooks --> done()
 *
 * It takes all that is pending, runs each job in its savepoint, commits them together (group
 * commit, synchronous=FULL) and only then lets them answer. A job that returns an error is
 * rolled back alone. If the COMMIT fails the whole group gets that error (RC_FULL, RC_IO) and
 * nothing of it happened. There is one writer a process.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/work.h"

struct writer_job {
    struct writer_job *next;
    struct work *w; /* the job's work; the writer lends it its connection */
    enum rc (*run)(struct work *w, void *arg); /* inside the savepoint; may not touch shared
                                                  memory (work_after_commit does) */
    void (*done)(struct writer_job *job); /* on the writer thread, after COMMIT; the job is the
                                             callee's again. May be NULL */
    void *arg;
    int64_t since_us; /* when it was submitted (clock_mono_us) */
    enum rc rc;       /* the outcome, for done() */
};

/* Opens (and migrates) the database and starts the thread. */
enum rc writer_start(struct err *e, const char *db_path, int queue_max);
bool writer_submit(
    struct writer_job *job); /* false: the queue is full or the writer is stopping */
/* Submits and waits: for start-up, commands and tests, never on a loop thread or inside a job. */
enum rc writer_call(struct work *w, enum rc (*run)(struct work *w, void *arg), void *arg);
/*
 * Calls fn(arg) on the writer thread, outside any transaction, about every `every_ms` while it
 * runs (a job for the clock: re-signing heads, purging old keys). At most 16; before
 * writer_start().
 */
void writer_tick(int64_t every_ms, void (*fn)(struct db *db, void *arg), void *arg);
/* When the oldest job that is not answered was submitted; 0: there is none. */
int64_t writer_oldest_us(void);
void writer_stop(void); /* finishes what is queued, joins, closes the database */

#endif
