/*
 * sync_crash_test.c - kill -9 at any instant: what was shown stays true, and everything is readable again.
 *
 * Each round lets a server publish as fast as it can in the directory of the round before, and kills it after a random time.
 * At which call that is the test does not know; sync_crash_call_test.c does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/crash_world.h"

enum { ROUNDS = 6, ROUNDS_FULL = 60 /* with TJZW_FULL: ./dev test --full */ };

static void nothing_shown_is_lost_when_the_server_is_killed(void **state)
{
    unsigned rounds = getenv("TJZW_FULL") ? ROUNDS_FULL : ROUNDS;

    (void)state;
    srandom(20251121);
    crash_world_fresh("/tmp");
    for (unsigned round = 0; round < rounds; round++) {
        struct crash_load load = { .seed = round, .bytes = CRASH_BYTES };
        int pid = crash_world_publish(&load);

        usleep((useconds_t)(50000 + random() % 700000));
        kill(pid, SIGKILL);
        assert_true(WIFSIGNALED(crash_world_reap(pid)));
        if (!crash_world_holds())
            fail_msg("round %u", round);
    }
    assert_true(crash_world_shown() > rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_shown_is_lost_when_the_server_is_killed),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    crash_world_done();
    return failed;
}
