/*
 * writer_test.c - group commit: what is answered has happened, what failed has not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/store/db.h"
#include "server/store/writer.h"

enum { STREAM = 7, QUEUE = 100000 };

struct world {
    char dir[64], path[96];
    struct arena *mem;
    struct work w; /* with a reader's connection */
};

static int set_up(void **state)
{
    struct world *t = calloc(1, sizeof *t);

    log_set_fd(-1);
    strcpy(t->dir, "/tmp/tjzw-writer-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/%s", t->dir, DB_NAME);
    t->mem = arena_new();
    work_init(&t->w, t->mem, NULL, "test", RIGHT_ALL);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct world *t = *state;
    char command[128];

    db_close(t->w.db);
    writer_stop();
    arena_free(t->mem);
    snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
    free(t);
    return system(command);
}

static void start(struct world *t)
{
    struct err e;

    if (writer_start(&e, t->path, QUEUE))
        fail_msg("%s", e.text);
    assert_int_equal(db_open(&e, t->path, DB_READ, &t->w.db), RC_OK);
}

/* How many epochs the stream has: the rows that the jobs below add. */
static int64_t count(struct world *t)
{
    struct rows q;
    int64_t n = 0;

    assert_int_equal(db_query(&t->w, SQL_ancestry_all, &q, "i", (int64_t)STREAM), RC_OK);
    while (rows_next(&q))
        n++;
    assert_int_equal(rows_done(&q), RC_OK);
    return n;
}

static enum rc add(struct work *w, void *arg)
{
    return db_run(w, SQL_ancestry_add, "iii", (int64_t)STREAM, (int64_t)(intptr_t)arg,
                  (int64_t)1);
}

/* Writes, and then finds that it must not. */
static enum rc add_and_fail(struct work *w, void *arg)
{
    enum rc rc = add(w, arg);

    return rc ? rc : err_set(&w->err, RC_INVALID, "refused");
}

static void a_call_is_durable_when_it_returns(void **state)
{
    struct world *t = *state;

    start(t);
    assert_int_equal(writer_call(&t->w, add, (void *)1), RC_OK);
    assert_int_equal(count(t), 1);
    assert_int_equal(writer_call(&t->w, add, (void *)1), RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "ancestry_add"));
    assert_int_equal(count(t), 1);
}

static void a_writer_that_does_not_run_takes_nothing(void **state)
{
    struct world *t = *state;

    assert_int_equal(writer_call(&t->w, add, (void *)1), RC_BUSY);
    start(t);
    writer_stop();
    assert_int_equal(writer_call(&t->w, add, (void *)1), RC_BUSY);
}

/* A producer's own jobs, each with its own work and expectation. */
struct many {
    struct writer_job *jobs;
    struct work *works;
    struct arena *mem;
    int first;
};

enum { THREADS = 4, EACH = 2500, FAILS_EVERY = 10 };
static atomic_int answered, wrong;

static void many_done(struct writer_job *job)
{
    bool fails = job->run == add_and_fail;

    if (job->rc != (fails ? RC_INVALID : RC_OK))
        wrong++;
    answered++;
}

static void *produce(void *arg)
{
    struct many *m = arg;

    for (int i = 0; i < EACH; i++) {
        struct writer_job *job = &m->jobs[i];

        work_init(&m->works[i], m->mem, NULL, "test", RIGHT_ALL);
        *job = (struct writer_job){ .w = &m->works[i],
                                    .run = i % FAILS_EVERY ? add : add_and_fail,
                                    .done = many_done,
                                    .arg = (void *)(intptr_t)(m->first + i) };
        if (!writer_submit(job))
            wrong++;
    }
    return NULL;
}

static void ten_thousand_jobs_of_four_threads_each_get_their_own_answer(void **state)
{
    struct world *t = *state;
    int64_t written = metric_get(METRIC_writes), groups = metric_get(METRIC_write_groups);
    pthread_t threads[THREADS];
    struct many many[THREADS];

    answered = wrong = 0;
    start(t);
    for (int i = 0; i < THREADS; i++) {
        many[i] = (struct many){ .jobs = calloc(EACH, sizeof *many[i].jobs),
                                 .works = calloc(EACH, sizeof *many[i].works),
                                 .mem = arena_new(),
                                 .first = i * EACH };
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &many[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    writer_stop(); /* drains */
    assert_int_equal(answered, THREADS * EACH);
    assert_int_equal(wrong, 0);
    assert_int_equal(count(t), THREADS * EACH / FAILS_EVERY * (FAILS_EVERY - 1));
    written = metric_get(METRIC_writes) - written;
    groups = metric_get(METRIC_write_groups) - groups;
    assert_int_equal(written, count(t));
    assert_in_range(groups, 1, THREADS * EACH / 2); /* they were committed together */
    for (int i = 0; i < THREADS; i++) {
        free(many[i].jobs);
        free(many[i].works);
        arena_free(many[i].mem);
    }
}

/* A gate holds the writer inside a job until the test has queued what shall be one group. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool at_gate;

static enum rc wait_at_gate(struct work *w, void *arg)
{
    (void)w;
    (void)arg;
    at_gate = true;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return RC_OK;
}

static void close_gate(struct writer_job *hold, struct work *w)
{
    pthread_mutex_lock(&gate);
    at_gate = false;
    *hold = (struct writer_job){ .w = w, .run = wait_at_gate };
    assert_true(writer_submit(hold));
    while (!at_gate)
        usleep(1000);
}

static char story[64];

static void tell(void *letter)
{
    strncat(story, letter, sizeof story - strlen(story) - 1);
}

/* Named by its letter: registers two hooks; an upper-case letter fails afterwards. */
static enum rc with_hooks(struct work *w, void *arg)
{
    const char *letter = arg;

    work_after_commit(w, tell, arena_printf(w->mem, "%s1", letter));
    work_after_commit(w, tell, arena_printf(w->mem, "%s2", letter));
    return *letter >= 'a' ? RC_OK : err_set(&w->err, RC_INVALID, "refused");
}

/* The parts' memory is gone by then; what they left for the commit is not. */
static enum rc in_parts(struct work *w, void *arg)
{
    struct arena *whole = w->mem;
    enum rc rc = RC_OK;

    for (const char *letter = arg; *letter && !rc; letter++) {
        work_part(w);
        assert_ptr_not_equal(w->mem, whole);
        memset(arena_alloc(w->mem, 100000), 'x', 100000);
        work_after_commit(w, tell, arena_printf(work_kept(w), "%c", *letter));
        work_part_done(w);
        assert_ptr_equal(w->mem, whole);
    }
    return rc;
}

static void what_a_part_leaves_for_the_commit_outlives_it(void **state)
{
    struct world *t = *state;
    struct work w;

    start(t);
    *story = '\0';
    work_init(&w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, in_parts, (void *)"abc"), RC_OK);
    writer_stop();
    assert_string_equal(story, "abc");
}

static void tell_done(struct writer_job *job)
{
    tell(job->arg);
}

static void hooks_run_after_the_commit_and_before_any_answer(void **state)
{
    struct world *t = *state;
    const char *letters[] = { "a", "B", "c" };
    struct writer_job hold, jobs[3];
    struct work holder = { .mem = t->mem };
    struct work works[3];

    start(t);
    *story = '\0';
    close_gate(&hold, &holder);
    for (int i = 0; i < 3; i++) {
        work_init(&works[i], t->mem, NULL, "test", RIGHT_ALL);
        jobs[i] = (struct writer_job){
            .w = &works[i], .run = with_hooks, .done = tell_done, .arg = (void *)letters[i]
        };
        assert_true(writer_submit(&jobs[i]));
    }
    pthread_mutex_unlock(&gate);
    writer_stop();
    assert_string_equal(story, "a1a2c1c2aBc");
}

static enum rc add_leave_open(struct work *w, void *arg)
{
    struct rows q;
    enum rc rc = add(w, arg);

    if (rc)
        return rc;
    return db_one(w, SQL_ancestry_all, &q, "i", (int64_t)STREAM); /* and no rows_done() */
}

static void a_query_left_open_does_not_stop_the_commit(void **state)
{
    struct world *t = *state;

    start(t);
    assert_int_equal(writer_call(&t->w, add, (void *)1), RC_OK);
    assert_int_equal(writer_call(&t->w, add_leave_open, (void *)2), RC_OK);
    assert_int_equal(writer_call(&t->w, add, (void *)3), RC_OK);
    assert_int_equal(count(t), 3);
}

static enum rc end_transaction(struct work *w, void *arg)
{
    (void)arg;
    db_rollback(w->db);
    return RC_OK;
}

static void a_job_that_ends_the_transaction_is_told_so(void **state)
{
    struct world *t = *state;

    start(t);
    assert_int_equal(writer_call(&t->w, end_transaction, NULL), RC_INTERNAL);
    assert_int_equal(writer_call(&t->w, add, (void *)1), RC_OK);
    assert_int_equal(count(t), 1);
}

/* As SQLite does when a disk is full: and no sentence with it. */
static enum rc lose_transaction(struct work *w, void *arg)
{
    (void)arg;
    db_rollback(w->db);
    return RC_FULL;
}

static void a_lost_transaction_fails_all_that_were_in_it(void **state)
{
    struct world *t = *state;
    struct writer_job hold, jobs[3];
    struct work holder = { .mem = t->mem };
    struct work works[3];

    start(t);
    *story = '\0';
    close_gate(&hold, &holder);
    for (int i = 0; i < 3; i++) {
        work_init(&works[i], t->mem, NULL, "test", RIGHT_ALL);
        jobs[i] = (struct writer_job){ .w = &works[i],
                                       .run = i == 0   ? with_hooks
                                              : i == 1 ? lose_transaction
                                                       : add,
                                       .arg = (void *)"a" };
        assert_true(writer_submit(&jobs[i]));
    }
    pthread_mutex_unlock(&gate);
    writer_stop();
    for (int i = 0; i < 3; i++)
        assert_int_equal(jobs[i].rc, RC_FULL);
    assert_string_equal(story, "");
    assert_int_equal(count(t), 0);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Adds so many rows that the transaction does not fit below the limit. */
static enum rc add_much(struct work *w, void *arg)
{
    enum rc rc = RC_OK;

    work_after_commit(w, tell, (void *)"!");
    for (intptr_t i = 0; i < 20000 && !rc; i++)
        rc = add(w, (void *)((intptr_t)arg + i));
    return rc;
}

static void count_answer(struct writer_job *job)
{
    (void)job;
    answered++;
}

static void a_full_disk_fails_the_whole_group_and_nothing_else(void **state)
{
    struct world *t = *state;
    struct writer_job hold, jobs[3];
    struct work holder = { .mem = t->mem };
    struct work works[3];
    struct stat wal;
    char path[128];

    signal(SIGXFSZ, SIG_IGN);
    start(t);
    *story = '\0';
    answered = 0;
    assert_int_equal(writer_call(&t->w, add, (void *)1), RC_OK);
    snprintf(path, sizeof path, "%s-wal", t->path);
    assert_int_equal(stat(path, &wal), 0);
    close_gate(&hold, &holder);
    for (int i = 0; i < 3; i++) {
        work_init(&works[i], t->mem, NULL, "test", RIGHT_ALL);
        jobs[i] = (struct writer_job){ .w = &works[i],
                                       .done = count_answer,
                                       .run = i == 0   ? add
                                              : i == 1 ? add_and_fail
                                                       : add_much,
                                       .arg = (void *)(intptr_t)(100 * (i + 1)) };
        assert_true(writer_submit(&jobs[i]));
    }
    limit_files((rlim_t)wal.st_size + 32768);
    pthread_mutex_unlock(&gate);
    while (answered < 3)
        usleep(1000);
    assert_int_equal(jobs[0].rc, RC_FULL);
    assert_int_equal(works[0].err.rc, RC_FULL);
    assert_int_equal(jobs[1].rc, RC_INVALID);
    assert_int_equal(jobs[2].rc, RC_FULL);
    assert_string_equal(story, "");
    assert_int_equal(count(t), 1);

    limit_files(RLIM_INFINITY);
    assert_int_equal(writer_call(&t->w, add_much, (void *)100), RC_OK);
    assert_string_equal(story, "!");
    assert_int_equal(count(t), 20001);
    assert_int_equal(db_check(&t->w.err, t->w.db), RC_OK);
}

static void count_tick(struct db *db, void *arg)
{
    atomic_int *ticks = arg;

    assert_non_null(db);
    assert_false(db_in_transaction(db));
    (*ticks)++;
}

static void ticks_come_while_it_idles_and_while_it_works(void **state)
{
    struct world *t = *state;
    static atomic_int ticks; /* the writer runs until after this test: tear_down() stops it */
    int before;

    writer_tick(5, count_tick, &ticks);
    start(t);
    for (int i = 0; i < 2000 && ticks < 3; i++)
        usleep(1000);
    assert_true(ticks >= 3);
    before = ticks;
    for (int i = 1; i < 20000 && ticks < before + 2; i++)
        assert_int_equal(writer_call(&t->w, add, (void *)(intptr_t)i), RC_OK);
    assert_true(ticks >= before + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_durable_when_it_returns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_writer_that_does_not_run_takes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            ten_thousand_jobs_of_four_threads_each_get_their_own_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hooks_run_after_the_commit_and_before_any_answer,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_part_leaves_for_the_commit_outlives_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_query_left_open_does_not_stop_the_commit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_job_that_ends_the_transaction_is_told_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lost_transaction_fails_all_that_were_in_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_fails_the_whole_group_and_nothing_else,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(ticks_come_while_it_idles_and_while_it_works, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
