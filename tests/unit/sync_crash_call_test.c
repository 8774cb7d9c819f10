/*
 * sync_crash_call_test.c - the server ends at each call that changes a file, one after the other.
 *
 * A first run without a crash counts the calls of founding, publishing, signing, building objects and layers, and taking down.
 * Then each round has an empty directory and ends at its call n: before it, or with half of what it should write. Every second
 * round crashes twice: the start after the crash, and what follows it, ends at a call of its own. Threads run as they like, so
 * call n is not the same one in every run.
 *
 * TJZW_FULL: every n, both ways. TJZW_SEED: where the stride of the short run begins. TJZW_CALL: that n only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/crash_shim.h"
#include "tests/lib/crash_world.h"

enum {
    JOBS = 9,
    BYTES = 3000,
    ROUNDS = 40,
    AGAIN = 150 /* calls of a start and its first objects, about */
};

struct crash {
    long at; /* 0: no crash */
    bool half;
};

static long *counted; /* shared with the publisher */

static void begin(void *arg)
{
    const struct crash *c = arg;
    char n[32];

    snprintf(n, sizeof n, "%ld", c->at);
    if (setenv("CRASH_SHIM_AT", n, 1) ||
        (c->half ? setenv("CRASH_SHIM_HALF", "1", 1) : unsetenv("CRASH_SHIM_HALF")))
        abort();
    crash_shim_begin();
}

static void end(void *arg)
{
    (void)arg;
    *counted = crash_shim_calls();
}

/* Whether it came to that call. */
static bool publish(struct crash c, unsigned seed)
{
    struct crash_load load = { seed, BYTES, JOBS, 3, begin, &c, end };
    int status = crash_world_reap(crash_world_publish(&load));

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    if (status)
        fail_msg("call %ld: the publisher failed (status %#x)", c.at, (unsigned)status);
    return false;
}

/* `n` is 0: no crash. False if there is no such call. */
static bool crash_at(long n, bool half, bool twice)
{
    bool crashed;

    /* In memory where that is to be had: the disk is not asked. */
    crash_world_fresh(access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    crashed = publish((struct crash){ n, half }, 1);
    if (twice)
        publish((struct crash){ 1 + n * 7 % AGAIN, !half }, 2);
    if (!crash_world_holds())
        fail_msg("call %ld, %s%s", n, half ? "half written" : "before it",
                 twice ? ", and again" : "");
    return crashed;
}

static long number(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text ? atol(text) : otherwise;
}

/* Both ways, each beside one of the others. False if there is no such call. */
static bool crash_both_ways(long n)
{
    return crash_at(n, false, true) && crash_at(n, true, false);
}

static void no_crash_leaves_anything_wrong(void **state)
{
    long stride, n, rounds = 0, only = number("TJZW_CALL", 0);

    (void)state;
    assert_false(crash_at(0, false, false));
    assert_true(*counted > 10 * ROUNDS); /* the shim sees them */
    if (only || getenv("TJZW_FULL")) {
        for (n = only ? only : 1; crash_both_ways(n) && !only; n++)
            ;
        assert_true(only || n > *counted / 2);
        return;
    }
    stride = *counted / ROUNDS;
    n = 1 + labs(number("TJZW_SEED", 0)) % stride;
    for (; crash_at(n, rounds % 2, rounds / 2 % 2); n += stride)
        rounds++;
    assert_true(rounds >= ROUNDS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_leaves_anything_wrong),
    };
    int failed;

    counted =
        mmap(NULL, sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counted == MAP_FAILED)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    crash_world_done();
    return failed;
}
