/*
 * main.c - tjzw-sim: many towns, each by its seed.
 *
 *     tjzw-sim [--seed N] [--rounds N] [--jobs N] [--stop] [--verbose]
 *
 * A round is a process of its own, in a directory in memory. A round that is lost prints its seed and why; `--seed N` plays it again, `--verbose` shows it step
 * by step. One in 16 is played twice, and must give the same: what was not would be found once and never again.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"
#include "tests/sim/poll.h"
#include "tests/sim/reached.h"
#include "tests/sim/session.h"
#include "tests/sim/taken.h"
#include "tests/sim/tally.h"
#include "tests/sim/turns.h"

enum { JOBS_MAX = 16, TWICE_EVERY = 16 };

static const int64_t BEGIN_US = 1795000000000000;

static struct {
    uint64_t seed;
    unsigned rounds, jobs;
    bool verbose, stop; /* stop: at the first that is lost */
    bool paths;         /* one of reached.def that was not taken is a failure */
} asked = { .seed = 1, .rounds = 1, .jobs = 1 };

/* ---- what a round says ---- */

void note(struct sim *s, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    for (const char *p = text; *p; p++)
        s->hash = (s->hash ^ (uint8_t)*p) * 0x100000001b3u;
    if (s->verbose)
        printf("%10.3f %3u  %s\n", (double)(*turns_now_us - BEGIN_US) / 1e6, s->step, text);
}

void pass(struct sim *s, int64_t ms)
{
    (void)s;
    *turns_now_us += ms * 1000;
}

/* Whatever still runs, and the directory. */
static void clear(struct sim *s)
{
    char command[200];

    server_kill(s);
    for (int i = 0; i < PHONES; i++)
        phone_end(&s->phone[i]);
    snprintf(command, sizeof command, "rm -rf '%s'", s->dir);
    if (!getenv("TJZW_SIM_KEEP") && system(command))
        warn("%s", command);
}

void lost(struct sim *s, const char *format, ...)
{
    va_list ap;

    printf("seed %" PRIu64 " is lost at step %u: ", s->seed, s->step);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n  again: %s --seed %" PRIu64 " --verbose\n", program_invocation_name, s->seed);
    fflush(stdout);
    clear(s);
    _exit(1);
}

/* ---- one round ---- */

static uint64_t play(uint64_t seed)
{
    static struct sim s;

    s = (struct sim){ .seed = seed,
                      .dice = { seed },
                      .npast = 1,
                      .hash = 0xcbf29ce484222325u,
                      .verbose = asked.verbose };
    s.dice = dice_split(&s.dice, 0);
    *turns_now_us = BEGIN_US;
    snprintf(s.dir, sizeof s.dir, "/dev/shm/tjzw-sim-XXXXXX");
    if (!mkdtemp(s.dir))
        err(1, "mkdtemp");
    snprintf(s.server_dir, sizeof s.server_dir, "%.60s/server", s.dir);
    snprintf(s.backup_dir, sizeof s.backup_dir, "%.60s/backup", s.dir);
    if (mkdir(s.server_dir, 0700))
        err(1, "mkdir");
    for (int i = 0; i < PHONES; i++) {
        s.phone[i].no = i;
        snprintf(s.phone[i].dir, sizeof s.phone[i].dir, "%.60s/phone-%d", s.dir, i);
    }
    s.net = net_new();
    s.folk = folk_new();
    s.takens = takens_new();
    s.sessions = sessions_new();
    s.mail = mail_new();
    s.notices = notices_new();
    s.polls = polls_new();
    s.tallies = tallies_new();
    round_run(&s);
    clear(&s);
    net_free(s.net);
    free(s.folk);
    free(s.takens);
    free(s.sessions);
    mail_free(s.mail);
    free(s.notices);
    free(s.polls);
    tallies_free(s.tallies);
    return s.hash;
}

/* Only one process of a round runs at a time: on one core they hand over quickly. */
static void stay_on(unsigned core)
{
    cpu_set_t all, one;
    int n = 0;

    if (sched_getaffinity(0, sizeof all, &all))
        return;
    core %= (unsigned)CPU_COUNT(&all);
    while (!CPU_ISSET(n, &all) || core--)
        n++;
    CPU_ZERO(&one);
    CPU_SET(n, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* In a process of its own. */
_Noreturn static void play_alone(uint64_t seed)
{
    bool twice = asked.rounds == 1 ? !asked.verbose : seed % TWICE_EVERY == 0;
    uint64_t hash;

    stay_on((unsigned)seed);
    turns_now_us = mmap(NULL, sizeof *turns_now_us, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (turns_now_us == MAP_FAILED)
        err(1, "mmap");
    hash = play(seed);
    if (twice && play(seed) != hash) {
        printf("seed %" PRIu64 " is not the same twice\n", seed);
        fflush(stdout);
        _exit(1);
    }
    if (asked.rounds == 1)
        printf("seed %" PRIu64 ": %016" PRIx64 "\n", seed, hash);
    fflush(stdout);
    _exit(0);
}

/* ---- all of them ---- */

static unsigned reap(void)
{
    int status = 0;

    if (wait(&status) > 0 && WIFSIGNALED(status))
        printf("a round ended by signal %d\n", WTERMSIG(status));
    return status ? 1 : 0;
}

static void read_arguments(int argc, char **argv)
{
    static const struct option options[] = { { "seed", required_argument, NULL, 's' },
                                             { "rounds", required_argument, NULL, 'r' },
                                             { "jobs", required_argument, NULL, 'j' },
                                             { "stop", no_argument, NULL, 'x' },
                                             { "verbose", no_argument, NULL, 'v' },
                                             { "paths", no_argument, NULL, 'p' },
                                             { 0 } };

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 's': asked.seed = strtoull(optarg, NULL, 10); break;
        case 'r': asked.rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'j': asked.jobs = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'x': asked.stop = true; break;
        case 'p': asked.paths = true; break;
        case 'v': asked.verbose = true; break;
        default:
            errx(2, "usage: tjzw-sim [--seed N] [--rounds N] [--jobs N] [--stop] [--paths] "
                    "[--verbose]");
        }
}

int main(int argc, char **argv)
{
    unsigned running = 0, failed = 0, missed = 0;

    read_arguments(argc, argv);
    reached_begin();
    for (unsigned i = 0; i < asked.rounds && !(asked.stop && failed); i++) {
        if (running == asked.jobs) {
            failed += reap();
            running--;
        }
        fflush(stdout);
        switch (fork()) {
        case -1: err(1, "fork");
        case 0: play_alone(asked.seed + i);
        default: running++;
        }
    }
    while (running--)
        failed += reap();
    if (asked.rounds > 1)
        missed = reached_print(asked.rounds);
    if (asked.paths && missed)
        printf("%u paths were never taken: the lines that end in !\n", missed);
    printf("%u rounds, %u lost\n", asked.rounds, failed);
    return failed || (asked.paths && missed);
}
