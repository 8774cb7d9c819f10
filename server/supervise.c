/*
 * supervise.c - one child at a time.
 *
 *     STARTING --serves--> SERVING --dies--> RESTING --back-off--> STARTING
 *     any --SIGTERM, SIGINT--> STOPPING --gone, or killed at the deadline--> the end
 *     SERVING --SIGUSR2--> the new program is tried --> exec; it begins in REPLACING: the old child ends --> STARTING
 *
 * A child's first death is followed by the next start at once: what crashed it may never come again, and
 * phones wait in the kernel's queue. One that dies within a second of its start makes the next rest longer:
 * half a second at most if it served, for between two deaths there is a service; 10 s if it never did. The child dies with its parent (PR_SET_PDEATHSIG): nobody would start it again, and nobody
 * else could have the data directory.
 *
 * Over a pipe a child says two things in its life: that it serves, and that it has heard that it is to end. Who dies before that last word
 * was not ended by us, however near the instant: it crashed, and a stop that came meanwhile has nothing left to end.
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

/* What a child says. */
#define SERVES 's'
#define ENDS   'e'

/* Environment: */
#define OLD_CHILD "SERVE_OLD_CHILD" /* the process that the program before left us */
#define ASKED_BY  "SERVE_ASKED_BY"  /* and who asked that we take its place */
#define TRIED     "SERVE_TRIED"     /* it only wants to know whether we could serve */

enum {
    GRACE_MS = 5000, /* behind the time to end, then SIGKILL */
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
    int said;         /* pipe from the child; -1: there is none */
    bool by_us;       /* the child ends because it was told to, or was killed for it */
    int signals;      /* signalfd */
    int64_t begun_us; /* when the child was started */
    int64_t due_us;   /* RESTING: the next start; STOPPING, REPLACING: the kill. 0: none */
    int deaths;       /* in a row, each soon after its start */
    bool served;      /* some child has */
    pid_t asked_by;   /* an upgrade whose end is not known yet; 0: none */
    int64_t died_us
        [DEATHS_KEPT]; /* the last deaths: a ring, which each child finds as it was when it began */
    unsigned died;
    char program[4096];
    char arguments[ARGUMENTS_ROOM];
} me;

static int to_parent = -1; /* in the child */

static bool say(char what)
{
    return to_parent < 0 || write(to_parent, &what, 1) == 1;
}

void supervise_serves(void)
{
    if (!say(SERVES))
        LOG(LOG_WARN, "parent_gone", { 0 });
}

void supervise_ends(void)
{
    (void)say(ENDS); /* the program that replaces ours does not listen */
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
    me.said = ends[0];
    me.by_us = false;
    me.begun_us = clock_mono_us();
    me.state = STARTING;
    me.due_us = 0;
    if (me.child < 0) { /* no memory, too many processes: as if it had died at once */
        LOG(LOG_ERROR, "no_child", L_STR("why", strerror(errno)));
        close(me.said);
        me.said = -1;
        me.state = RESTING;
        me.due_us = clock_mono_us() + REST_MOST_MS * INT64_C(1000);
    }
}

static void serves(void)
{
    if (me.state != STARTING)
        return;
    me.state = SERVING;
    if (!me.served)
        me.s->on_ready(me.s->arg);
    else
        LOG(LOG_INFO, "serves_again", L_INT("pid", me.child),
            L_INT("ms", (clock_mono_us() - me.begun_us) / 1000));
    me.served = true;
    me.asked_by = 0;
}

static void listen_to_child(void)
{
    char what;

    if (read(me.said, &what, 1) != 1) {
        close(me.said);
        me.said = -1;
    } else if (what == SERVES) {
        serves();
    } else {
        me.by_us = true;
    }
}

/* ---- ending ---- */

static void tell_to_end(enum state state, int by, int64_t ms)
{
    me.state = state;
    me.due_us = clock_mono_us() + (ms + GRACE_MS) * 1000;
    if (me.child > 0)
        kill(me.child, by);
}

static void stop(void)
{
    me.s->on_stop(me.s->arg);
    tell_to_end(STOPPING, SIGTERM, me.s->stop_ms);
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

/* An upgrade whose child never served: who asked for it need not wait. */
static void tell_who_asked(const char *by)
{
    char why[64];

    snprintf(why, sizeof why, "its server ended with %s", by);
    if (me.asked_by)
        me.s->on_refused(me.s->arg, me.asked_by, why);
    me.asked_by = 0;
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
    tell_who_asked(text);
    me.child = 0;
    me.state = RESTING;
    me.due_us = clock_mono_us() + ms * INT64_C(1000);
}

/* What our own end is to say of a child's. */
static int last_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The exit status if that is the end of us, or -1. */
static int reap(void)
{
    char text[32];
    int status;

    if (me.child <= 0 || waitpid(me.child, &status, WNOHANG) != me.child)
        return -1;
    while (me.said >= 0)
        listen_to_child(); /* it may have served for a moment */
    switch (me.state) {
    case STOPPING:
        if (me.by_us)
            return last_status(status);
        LOG(LOG_ERROR, "server_died", L_INT("pid", me.child), L_STR("by", how(status, text)));
        return 0;
    case REPLACING: start(); return -1;
    default: break;
    }
    if (!me.served)
        return last_status(status);
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

/* The child that the program is tried in. What it says goes to `out`. */
static void be_tried(char **argv, int out)
{
    int null = open("/dev/null", O_RDWR);

    dup2(null, 1);
    dup2(out, 2);
    setenv(TRIED, "1", 1);
    me.s->before_exec(me.s->arg);
    execv(me.program, argv);
    _exit(127);
}

static bool is_told_to_stop(void)
{
    sigset_t waiting;

    sigpending(&waiting);
    return sigismember(&waiting, SIGTERM) || sigismember(&waiting, SIGINT);
}

/* It is left for who starts it again. */
static bool child_is_dead(void)
{
    siginfo_t of = { 0 };

    return !waitid(P_PID, (id_t)me.child, &of, WEXITED | WNOHANG | WNOWAIT) && of.si_pid;
}

/* Until it ends, or the time is over, which ends it, as our own end and our child's do. Whether it ended well. */
static bool ends_well(pid_t pid)
{
    int64_t until = clock_mono_us() + SUPERVISE_TRY_MS * INT64_C(1000);
    int status;

    while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_mono_us() > until || is_told_to_stop() || child_is_dead()) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return false;
        }
        usleep(1000);
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* NULL: the program can take our place; it found its settings and sockets good. Or why it cannot: its first line. */
static const char *try_it(char **argv)
{
    static const char by_us[] = "tjzw: ";
    static char said[512];
    ssize_t n = 0;
    int ends[2];
    pid_t pid;
    bool well;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
        return strerror(errno);
    pid = fork();
    if (pid == 0)
        be_tried(argv, ends[1]);
    close(ends[1]);
    well = ends_well(pid);
    if (!well)
        n = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    said[n > 0 ? n : 0] = '\0';
    said[strcspn(said, "\n")] = '\0';
    if (well)
        return NULL;
    if (is_told_to_stop())
        return "the server is told to end";
    if (child_is_dead())
        return "the server crashed meanwhile; try again";
    if (!*said)
        return "the program there does not run";
    return strncmp(said, by_us, strlen(by_us)) ? said : said + strlen(by_us);
}

static void not_upgraded(pid_t by, const char *why)
{
    LOG(LOG_ERROR, "not_upgraded", L_STR("program", me.program), L_STR("why", why));
    me.s->on_refused(me.s->arg, by, why);
}

static void put_pid(const char *name, pid_t pid)
{
    char text[24];

    snprintf(text, sizeof text, "%d", (int)pid);
    setenv(name, text, 1);
}

/* 0: there is none. */
static pid_t take_pid(const char *name)
{
    const char *text = getenv(name);
    pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;

    unsetenv(name);
    return pid;
}

static void become_the_new_one(pid_t by)
{
    char *argv[ARGUMENTS_MAX + 1];
    const char *why;
    int n = 0;

    for (char *p = me.arguments; *p && n < ARGUMENTS_MAX; p += strlen(p) + 1)
        argv[n++] = p;
    argv[n] = NULL;
    if ((why = me.state != SERVING ? "the server is just starting" : try_it(argv))) {
        not_upgraded(by, why);
        return;
    }
    put_pid(OLD_CHILD, me.child);
    put_pid(ASKED_BY, by);
    me.s->before_exec(me.s->arg);
    LOG(LOG_INFO, "upgrading", L_STR("program", me.program));
    execv(me.program, argv);
    not_upgraded(by, strerror(errno));
    unsetenv(OLD_CHILD);
    unsetenv(ASKED_BY);
}

/* We are the new program: its child is ours now, and ends. */
static bool takes_over(void)
{
    me.child = take_pid(OLD_CHILD);
    me.asked_by = take_pid(ASKED_BY);
    if (!me.child)
        return false;
    me.served = true;
    tell_to_end(REPLACING, SIGUSR2, SUPERVISE_REPLACE_MS);
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
    case SIGUSR2: become_the_new_one((pid_t)got.ssi_pid); break;
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
        me.by_us = true;
        kill(me.child, SIGKILL);
    }
}

static int wait_ms(void)
{
    int64_t us = me.due_us - clock_mono_us();

    return !me.due_us ? -1 : us <= 0 ? 0 : (int)(us / 1000 + 1);
}

bool supervise_is_tried(void)
{
    return getenv(TRIED) != NULL;
}

int supervise(const struct supervised *s)
{
    sigset_t set;
    int status;

    if (supervise_is_tried())
        return 0;
    me.s = s;
    me.said = -1;
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
        struct pollfd wait[2] = { { me.signals, POLLIN, 0 }, { me.said, POLLIN, 0 } };

        if (me.state == STOPPING && me.child <= 0)
            return 0;
        poll(wait, 2, wait_ms());
        if (me.said >= 0 && wait[1].revents)
            listen_to_child();
        if (wait[0].revents)
            on_signal();
        on_time();
    }
    return status;
}
