/*
 * watch_test.c - a loop that hangs ends its process within 3 s, with its stack; one that is only asleep does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/http/watch.h"

enum { LOOPS = 2 };

static struct place {
    struct pulse pulse;
    pthread_t thread;
    int hang; /* how: 0 not, 1 asleep, 2 spinning */
} places[LOOPS];

static pthread_barrier_t ready;
static atomic_bool stop;

/* ---- in the child ---- */

static void *loop(void *arg)
{
    struct place *p = arg;
    h2o_loop_t *own = h2o_evloop_create();
    h2o_multithread_queue_t *queue = h2o_multithread_create_queue(own);
    sigset_t all;

    sigfillset(&all);
    sigdelset(&all, watch_signal());
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pulse_open(&p->pulse, queue);
    pthread_barrier_wait(&ready);
    for (int turn = 0; !stop; turn++) {
        h2o_evloop_run(own, 1000);
        if (p->hang == 1 && turn > 2)
            sleep(60);
        while (p->hang == 2 && turn > 2 && !stop)
            ;
    }
    pulse_close(&p->pulse);
    h2o_multithread_destroy_queue(queue);
    h2o_evloop_destroy(own);
    return NULL;
}

/* Its end is the child's; `hang` is the second loop's. */
static void live(int hang)
{
    pthread_barrier_init(&ready, NULL, LOOPS + 1);
    places[1].hang = hang;
    for (int i = 0; i < LOOPS; i++)
        pthread_create(&places[i].thread, NULL, loop, &places[i]);
    pthread_barrier_wait(&ready);
    watch_start(&places[0].pulse, LOOPS, sizeof *places);
    sleep(4);
    watch_stop();
    atomic_store(&stop, true);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(places[i].thread, NULL);
    _exit(0);
}

/* ---- in the test ---- */

/* The child's status; what it said on stderr is in `said`. If `pause`, it is stopped for 3 s. */
static int run(int hang, bool pause, char said[65536])
{
    char path[] = "/tmp/tjzw-watch-XXXXXX";
    int fd = mkstemp(path), status;
    pid_t child = fork();
    ssize_t n;

    if (child == 0) {
        struct rlimit none = { 0, 0 };

        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        dup2(fd, STDERR_FILENO);
        live(hang);
    }
    if (pause) {
        sleep(1);
        kill(child, SIGSTOP);
        sleep(3);
        kill(child, SIGCONT);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    n = pread(fd, said, 65535, 0);
    said[n > 0 ? n : 0] = '\0';
    close(fd);
    unlink(path);
    return status;
}

static void assert_ended(int hang)
{
    char said[65536];
    int status = run(hang, false, said);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "\"loop_stuck\""));
    assert_non_null(strstr(said, "watch_test")); /* the stack names the program's functions */
}

static void a_loop_that_sleeps_ends_the_process(void **state)
{
    (void)state;
    assert_ended(1);
}

static void a_loop_that_spins_ends_the_process(void **state)
{
    (void)state;
    assert_ended(2);
}

static void loops_that_turn_are_left_alone(void **state)
{
    char said[65536];

    (void)state;
    assert_int_equal(run(0, false, said), 0);
    assert_string_equal(said, "");
}

static void a_process_that_was_stopped_is_not_stuck(void **state)
{
    char said[65536];

    (void)state;
    assert_int_equal(run(0, true, said), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_sleeps_ends_the_process),
        cmocka_unit_test(a_loop_that_spins_ends_the_process),
        cmocka_unit_test(loops_that_turn_are_left_alone),
        cmocka_unit_test(a_process_that_was_stopped_is_not_stuck),
    };

    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
