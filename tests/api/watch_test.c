/*
 * watch_test.c - a loop that hangs ends its process, not before 2 s and within some 3, with its stack; one that turns or is not let to, or a
 * process that was stopped as a whole, does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/http/watch.h"

enum {
    LOOPS = 2,
    LIFE_S = 6,     /* of a child that nobody ends, */
    LATEST_S = 30,  /* of one that must not live */
    STARVED_S = 10, /* of one among others, */
    OTHERS = 12,    /* each of which wants all of its processor, */
    TURN_MS = 400,  /* and that needs so much of it for a turn */
    EARLIEST_MS = 2000,
};

enum hang { NOT, ASLEEP, SPINNING, STARVED };

static int64_t *hangs_since; /* shared with the child */

static struct place {
    struct pulse pulse;
    pthread_t thread;
    enum hang hang;
} places[LOOPS];

static pthread_barrier_t ready;
static atomic_bool stop;

/* ---- in the child ---- */

static void *spin(void *unused)
{
    while (!stop)
        ;
    return unused;
}

/* All threads of the child on one processor. */
static void crowd(void)
{
    pthread_t other;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    for (int i = 0; i < OTHERS; i++)
        if (!pthread_create(&other, NULL, spin, NULL))
            pthread_detach(other);
}

static int64_t ran_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void work(int64_t ms)
{
    for (int64_t end = ran_ms() + ms; ran_ms() < end;)
        ;
}

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
        if (p->hang && turn > 2 && !*hangs_since) /* the signal wakes who sleeps */
            *hangs_since = clock_mono_us();
        if (p->hang == ASLEEP && turn > 2)
            sleep(60);
        while (p->hang == SPINNING && turn > 2 && !stop)
            ;
        if (p->hang == STARVED)
            work(TURN_MS);
    }
    h2o_evloop_run(own, 0); /* a beat may be on its way */
    pulse_close(&p->pulse);
    h2o_multithread_destroy_queue(queue);
    h2o_evloop_destroy(own);
    return NULL;
}

/* Its end is the child's; `hang` is the second loop's. */
static void live(enum hang hang)
{
    static const unsigned life[] = { LIFE_S, LATEST_S, LATEST_S, STARVED_S };

    if (hang == STARVED)
        crowd();
    pthread_barrier_init(&ready, NULL, LOOPS + 1);
    places[1].hang = hang;
    for (int i = 0; i < LOOPS; i++)
        pthread_create(&places[i].thread, NULL, loop, &places[i]);
    pthread_barrier_wait(&ready);
    watch_start(&places[0].pulse, LOOPS, sizeof *places);
    sleep(life[hang]);
    watch_stop();
    atomic_store(&stop, true);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(places[i].thread, NULL);
    _exit(0);
}

/* ---- in the test ---- */

/* The child's status; what it said on stderr is in `said`. If `pause`, it is stopped for 3 s. */
static int run(enum hang hang, bool pause, char said[65536])
{
    char path[] = "/tmp/tjzw-watch-XXXXXX";
    int fd = mkstemp(path), status;
    pid_t child;
    ssize_t n;

    *hangs_since = 0;
    if ((child = fork()) == 0) {
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

static void assert_ended(enum hang hang)
{
    char said[65536];
    int status = run(hang, false, said);
    int64_t ms = (clock_mono_us() - *hangs_since) / 1000;

    assert_true(ms >= EARLIEST_MS);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "\"loop_stuck\""));
    assert_non_null(strstr(said, "watch_test")); /* the stack names the program's functions */
}

static void a_loop_that_sleeps_ends_the_process(void **state)
{
    (void)state;
    assert_ended(ASLEEP);
}

static void a_loop_that_spins_ends_the_process(void **state)
{
    (void)state;
    assert_ended(SPINNING);
}

static void loops_that_turn_are_left_alone(void **state)
{
    char said[65536];

    (void)state;
    assert_int_equal(run(NOT, false, said), 0);
    assert_string_equal(said, "");
}

static void a_process_that_was_stopped_is_not_stuck(void **state)
{
    char said[65536];

    (void)state;
    assert_int_equal(run(NOT, true, said), 0);
}

/* Its turns take seconds, for it is let to run for moments only. */
static void a_loop_that_waits_for_a_processor_is_not_stuck(void **state)
{
    char said[65536];
    int status = run(STARVED, false, said);

    (void)state;
    if (status)
        print_message("# %s\n", said);
    assert_int_equal(status, 0);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_sleeps_ends_the_process),
        cmocka_unit_test(a_loop_that_spins_ends_the_process),
        cmocka_unit_test(loops_that_turn_are_left_alone),
        cmocka_unit_test(a_process_that_was_stopped_is_not_stuck),
        cmocka_unit_test(a_loop_that_waits_for_a_processor_is_not_stuck),
    };

    hangs_since = mmap(NULL, sizeof *hangs_since, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(hangs_since, MAP_FAILED);
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
