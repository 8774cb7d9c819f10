/*
 * supervise.c - one child at a time.
 *
 *     STARTING --ready--> SERVING --dies--> RESTING --back-off--> STARTING
 *     any --SIGTERM, SIGINT--> STOPPING --gone, or killed at the deadline--> the end
 *     SERVING --SIGUSR2--> exec; the new program begins in REPLACING: the old child ends --> STARTING
 *
 * A child's first death is followed by the next start at once: what crashed it may never come again, and
 * phones wait in the kernel's queue. One that dies within a second of its start makes the next rest longer:
 * half a second at most if it served, for between two deaths there is a service; 10 s if it never did. The child dies with its parent (PR_SET_PDEATHSIG): nobody would start it again, and nobody
 * else could have the data directory.
 */
#include "server/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"

#define OLD_CHILD \
    "SERVE_OLD_CHILD" /* environment: the process that the program before left us */

enum {
    GRACE_MS = 5000, /* behind stop_ms, then SIGKILL */
    SOON_MS = 1000,  /* a child that lives longer is no part of a series of deaths */
    REST_FIRST_MS = 100,
    REST_MOST_MS = 10 * 1000,
    REST_SERVED_MS = 500,
    ARGUMENTS_MAX = 256,
    ARGUMENTS_ROOM = 64 << 10,
    DEATHS_KEPT = 64,
};

enum state { STARTING, SERVING, RESTING, STOPPING, REPLACING };

static struct {
    const struct supervised *s;
    enum state state;
    pid_t child;
    int ready;        /* pipe from the child; -1: it has spoken, or there is none */
    int signals;      /* signalfd */
    int64_t begun_us; /* when the child was started */
    int64_t due_us;   /* RESTING: the next start; STOPPING, REPLACING: the kill. 0: none */
    int deaths;       /* in a row, each soon after its start */
    bool served;      /* some child has */
    int64_t died_us
        [DEATHS_KEPT]; /* the last deaths: a ring, which each child finds as it was when it began */
    unsigned died;
    char program[4096];
    char arguments[ARGUMENTS_ROOM];
} me;

static int to_parent = -1; /* in the child */

void supervise_ready(void)
{
    if (to_parent >= 0) {
        if (write(to_parent, "r", 1) != 1)
            LOG(LOG_WARN, "parent_gone", { 0 });
        close(to_parent);
        to_parent = -1;
    }
}

int supervise_deaths(int64_t within_ms)
{
    int64_t since_us = clock_mono_us() - within_ms * 1000;
    int n = 0;

    for (int i = 0; i < DEATHS_KEPT; i++)
        n += me.died_us[i] && me.died_us[i] >= since_us;
    return n;
}

/* ---- starting ---- */

static void be_the_child(int pipe_end, pid_t parent)
{
    to_parent = pipe_end;
    close(me.signals);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    exit(me.s->serve(me.s->arg, me.served));
}

static void start(void)
{
    pid_t parent = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC)) {
        LOG(LOG_ERROR, "no_pipe", L_STR("why", strerror(errno)));
        abort();
    }
    fflush(NULL);
    me.child = fork();
    if (me.child == 0) {
        close(ends[0]);
        be_the_child(ends[1], parent);
    }
    close(ends[1]);
    me.ready = ends[0];
    me.begun_us = clock_mono_us();
    me.state = STARTING;
    me.due_us = 0;
    if (me.child < 0) { /* no memory, too many processes: as if it had died at once */
        LOG(LOG_ERROR, "no_child", L_STR("why", strerror(errno)));
        close(me.ready);
        me.ready = -1;
        me.state = RESTING;
        me.due_us = clock_mono_us() + REST_MOST_MS * INT64_C(1000);
    }
}

static void is_ready(void)
{
    char said;
    bool serves = read(me.ready, &said, 1) == 1;

    close(me.ready);
    me.ready = -1;
    if (!serves || me.state != STARTING)
        return;
    me.state = SERVING;
    if (!me.served)
        me.s->on_ready(me.s->arg);
    else
        LOG(LOG_INFO, "serves_again", L_INT("pid", me.child),
            L_INT("ms", (clock_mono_us() - me.begun_us) / 1000));
    me.served = true;
}

/* ---- ending ---- */

static void tell_to_end(enum state state)
{
    me.state = state;
    me.due_us = clock_mono_us() + (me.s->stop_ms + GRACE_MS) * 1000;
    if (me.child > 0)
        kill(me.child, SIGTERM);
}

static void stop(void)
{
    me.s->on_stop(me.s->arg);
    tell_to_end(STOPPING);
}

static int rest_ms(void)
{
    int ms = REST_FIRST_MS, most = me.state == SERVING ? REST_SERVED_MS : REST_MOST_MS;

    if (me.deaths <= 1)
        return 0;
    for (int i = 2; i < me.deaths && ms < most; i++)
        ms *= 2;
    return ms < most ? ms : most;
}

/* What a status says of an end: "signal 6", "status 1". */
static const char *how(int status, char out[32])
{
    if (WIFSIGNALED(status))
        snprintf(out, 32, "signal %d", WTERMSIG(status));
    else
        snprintf(out, 32, "status %d", WEXITSTATUS(status));
    return out;
}

static void died(int status)
{
    int64_t lived_ms = (clock_mono_us() - me.begun_us) / 1000;
    char text[32];
    int ms;

    me.deaths = lived_ms < SOON_MS ? me.deaths + 1 : 1;
    me.died_us[me.died++ % DEATHS_KEPT] = clock_mono_us();
    ms = rest_ms();
    LOG(LOG_ERROR, "server_died", L_INT("pid", me.child), L_STR("by", how(status, text)),
        L_INT("after_ms", lived_ms), L_INT("again_in_ms", ms));
    me.child = 0;
    me.state = RESTING;
    me.due_us = clock_mono_us() + ms * INT64_C(1000);
}

/* The exit status if that is the end of us, or -1. */
static int reap(void)
{
    int status;

    if (me.child <= 0 || waitpid(me.child, &status, WNOHANG) != me.child)
        return -1;
    if (me.ready >= 0)
        is_ready(); /* it may have served for a moment */
    switch (me.state) {
    case STOPPING: return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    case REPLACING: start(); return -1;
    default: break;
    }
    if (!me.served)
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    died(status);
    return -1;
}

/* ---- another program ---- */

static void read_own_name(void)
{
    ssize_t n = readlink("/proc/self/exe", me.program, sizeof me.program - 1);
    FILE *in = fopen("/proc/self/cmdline", "re");
    size_t read = in ? fread(me.arguments, 1, sizeof me.arguments - 1, in) : 0;

    me.program[n > 0 ? n : 0] = '\0';
    me.arguments[read] = '\0';
    if (in)
        fclose(in);
}

/* A program that cannot even do that must not take our place. */
static bool says_its_version(void)
{
    int64_t until = clock_mono_us() + SUPERVISE_VERSION_MS * INT64_C(1000);
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 1);
        execl(me.program, me.program, "--version", (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_mono_us() > until) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return false;
        }
        usleep(1000);
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void become_the_new_one(void)
{
    char *argv[ARGUMENTS_MAX + 1], pid[24];
    int n = 0;

    if (me.state != SERVING || !says_its_version()) {
        LOG(LOG_ERROR, "not_upgraded", L_STR("program", me.program),
            L_STR("why", me.state != SERVING ? "the server is just starting"
                                             : "the program there does not run"));
        return;
    }
    for (char *p = me.arguments; *p && n < ARGUMENTS_MAX; p += strlen(p) + 1)
        argv[n++] = p;
    argv[n] = NULL;
    snprintf(pid, sizeof pid, "%d", (int)me.child);
    setenv(OLD_CHILD, pid, 1);
    me.s->before_exec(me.s->arg);
    LOG(LOG_INFO, "upgrading", L_STR("program", me.program));
    execv(me.program, argv);
    LOG(LOG_ERROR, "not_upgraded", L_STR("program", me.program), L_STR("why", strerror(errno)));
    unsetenv(OLD_CHILD);
}

/* We are the new program: its child is ours now, and ends. */
static bool takes_over(void)
{
    const char *old = getenv(OLD_CHILD);

    if (!old)
        return false;
    me.child = (pid_t)strtol(old, NULL, 10);
    unsetenv(OLD_CHILD);
    me.served = true;
    tell_to_end(REPLACING);
    return true;
}

/* ---- the loop ---- */

static void on_signal(void)
{
    struct signalfd_siginfo got;

    if (read(me.signals, &got, sizeof got) != sizeof got)
        return;
    switch (got.ssi_signo) {
    case SIGTERM:
    case SIGINT:
        if (me.state != STOPPING)
            stop();
        break;
    case SIGHUP:
        if (me.child > 0)
            kill(me.child, SIGHUP);
        break;
    case SIGUSR2: become_the_new_one(); break;
    default: break; /* SIGCHLD: reap() looks after every turn */
    }
}

static void on_time(void)
{
    if (!me.due_us || clock_mono_us() < me.due_us)
        return;
    me.due_us = 0;
    if (me.state == RESTING)
        start();
    else if (me.child > 0) {
        LOG(LOG_ERROR, "server_killed", L_INT("pid", me.child));
        kill(me.child, SIGKILL);
    }
}

static int wait_ms(void)
{
    int64_t us = me.due_us - clock_mono_us();

    return !me.due_us ? -1 : us <= 0 ? 0 : (int)(us / 1000 + 1);
}

int supervise(const struct supervised *s)
{
    sigset_t set;
    int status;

    me.s = s;
    me.ready = -1;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    me.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    read_own_name();
    if (!takes_over())
        start();
    while ((status = reap()) < 0) {
        struct pollfd wait[2] = { { me.signals, POLLIN, 0 }, { me.ready, POLLIN, 0 } };

        if (me.state == STOPPING && me.child <= 0)
            return 0;
        poll(wait, 2, wait_ms());
        if (me.ready >= 0 && wait[1].revents)
            is_ready();
        if (wait[0].revents)
            on_signal();
        on_time();
    }
    return status;
}
