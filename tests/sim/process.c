/*
 * process.c - the processes of a simulation: forked, asked one thing at a time, ended, killed.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/disk.h"
#include "tests/sim/reached.h"
#include "tests/sim/sim.h"
#include "tests/sim/turns.h"

enum {
    STARTS = 20,
    CPU_S = 60 /* of a process that needs one or two: it goes round and round */
};

/* In the child: the ends of other lines are not its business. */
static void forget_others(const struct sim *s)
{
    if (s->server.pid)
        close(s->server.fd);
    for (int i = 0; i < PHONES; i++)
        if (s->phone[i].child.pid)
            close(s->phone[i].child.fd);
}

/* 0 in the child. */
static pid_t begin(struct sim *s, struct child *c, int *theirs)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        lost(s, "socketpair");
    fflush(stdout);
    c->pid = fork();
    if (c->pid < 0)
        lost(s, "fork");
    if (!c->pid) {
        close(ends[0]);
        forget_others(s);
        if (setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_S, CPU_S }))
            _exit(1);
        *theirs = ends[1];
        return 0;
    }
    close(ends[1]);
    c->fd = ends[0];
    c->life++;
    return c->pid;
}

/* It is over: whether as it should be. */
static void reap(struct sim *s, struct child *c, const char *who)
{
    int status;

    close(c->fd);
    waitpid(c->pid, &status, 0);
    c->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == DISK_DIED) {
        note(s, "%s crashed", who);
        reached(c == &s->server ? PATH_server_crashed : PATH_phone_crashed);
    } else
        lost(s, "%s ended by itself: %s %d", who, WIFEXITED(status) ? "status" : "signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void kill_it(struct child *c)
{
    if (!c->pid)
        return;
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    close(c->fd);
    c->pid = 0;
}

/* ---- the server ---- */

static bool server_try(struct sim *s, const char *restore, unsigned end_at)
{
    struct server_start start = { .dir = s->server_dir,
                                  .restore = restore,
                                  .dice = dice_split(&s->dice, 1000 + s->server.life),
                                  .end_at = end_at,
                                  .power = dice_one_in(&s->dice, 2) };
    char path[PATHS + 16];
    struct message ready;
    int fd;

    /* A restore that was cut short is made again; one that was not, is not. */
    snprintf(path, sizeof path, "%s/tjzw.db", s->server_dir);
    if (access(path, F_OK) == 0)
        start.restore = NULL;
    if (!begin(s, &s->server, &fd))
        server_main(fd, &start);
    if (!line_receive(s->server.fd, &ready)) {
        reap(s, &s->server, "the server, starting,");
        reached(PATH_server_cut_start);
        return false;
    }
    if (ready.number)
        lost(s, "the server does not start: %s", ready.text[0]);
    message_done(&ready);
    return true;
}

void server_begin(struct sim *s, const char *restore, bool may_end)
{
    int tries = 0;
    unsigned end_at = 0;

    do
        end_at =
            may_end && tries < 3 && dice_one_in(&s->dice, 4) ? 1 + dice_roll(&s->dice, 40) : 0;
    while (!server_try(s, restore, end_at) && ++tries < STARTS);
    if (!s->server.pid)
        lost(s, "the server did not start in %d tries", STARTS);
    if (end_at) { /* it stood before it came so far */
        server_kill(s);
        server_begin(s, NULL, false);
    }
}

bool server_ask(struct sim *s, const struct message *m, struct message *out)
{
    if (!s->server.pid)
        return false;
    if (line_send(s->server.fd, m) && line_receive(s->server.fd, out))
        return true;
    reap(s, &s->server, "the server");
    return false;
}

bool server_request(struct sim *s, enum method method, const char *target, const char *headers,
                    const char *body, size_t n, int who, struct message *out)
{
    struct message m = { .kind = SERVER_ASK, .number = (int)method, .more = who }, a;

    message_text(&m, 0, target, strlen(target));
    message_text(&m, 1, headers, strlen(headers));
    message_text(&m, 2, body, n);
    if (!server_ask(s, &m, &a))
        return false;
    *out = a;
    return true;
}

void server_crash_soon(struct sim *s)
{
    struct message m = { .kind = SERVER_END_AT,
                         .number = (int)(1 + dice_roll(&s->dice, 1u << dice_roll(&s->dice, 8))),
                         .more = dice_one_in(&s->dice, 2) },
                   out;

    note(s, "the server is to end at %d%s", m.number, m.more ? ", by power" : "");
    if (server_ask(s, &m, &out))
        message_done(&out);
}

void server_end(struct sim *s)
{
    struct message m = { .kind = SERVER_STOP };
    char byte;

    if (!s->server.pid)
        return;
    line_send(s->server.fd, &m);
    if (read(s->server.fd, &byte, 1) == 0) {
        int status;

        waitpid(s->server.pid, &status, 0);
        if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != DISK_DIED))
            lost(s, "the server did not end well: %x", (unsigned)status);
        close(s->server.fd);
        s->server.pid = 0;
    }
}

void server_kill(struct sim *s)
{
    kill_it(&s->server);
}

/* ---- phones ---- */

static bool await(struct sim *s, struct device *p, int what, struct message *out)
{
    struct message m, answer;
    char who[32];

    while (line_receive(p->child.fd, &m)) {
        if (m.kind == what) {
            *out = m;
            return true;
        }
        net_carry(s, p, &m, &answer);
        answer.kind = PHONE_ASKS;
        line_send(p->child.fd, &answer);
        message_done(&answer);
        message_done(&m);
    }
    snprintf(who, sizeof who, "phone %d", p->no);
    reap(s, &p->child, who);
    p->horizon = -1; /* a loss of power may take the last that was told */
    return false;
}

/* A phone whose battery was empty may be in 1970, or in 2100. */
static int64_t draw_clock(struct sim *s, struct device *p)
{
    static const int64_t year_us = 365 * 86400 * (int64_t)1000000;
    uint32_t what = s->faults ? dice_roll(&s->dice, 12) : 2;

    if (what > 1)
        return 0;
    reached(what ? PATH_clock_ahead : PATH_clock_behind);
    note(s, "phone %d is in %d", p->no, what ? 2100 : 1970);
    return what ? 74 * year_us : -*turns_now_us;
}

bool phone_begin(struct sim *s, struct device *p, bool may_end)
{
    struct phone_start start = {
        .dir = p->dir,
        .dice = dice_split(&s->dice, 2000 + 100 * (unsigned)p->no + p->child.life),
        .power = dice_one_in(&s->dice, 2),
        .end_at = may_end && dice_one_in(&s->dice, 8) ? 1 + dice_roll(&s->dice, 20) : 0,
        .wall_us = draw_clock(s, p)
    };
    struct message ready;
    int fd;

    if (!begin(s, &p->child, &fd))
        phone_main(fd, &start);
    if (!await(s, p, PHONE_READY, &ready))
        return false;
    if (ready.number)
        lost(s, "phone %d does not open its store: %d %s", p->no, ready.number, ready.text[0]);
    message_done(&ready);
    return true;
}

bool phone_do(struct sim *s, struct device *p, int what, struct message *out)
{
    return phone_tell(s, p, what, (const char *[TEXTS]){ "", "", "" }, out);
}

bool phone_tell(struct sim *s, struct device *p, int what, const char *text[TEXTS],
                struct message *out)
{
    struct message m = { .kind = what };

    if (!p->child.pid && !phone_begin(s, p, false))
        return false;
    for (int i = 0; i < TEXTS; i++)
        message_text(&m, i, text[i] ? text[i] : "", text[i] ? strlen(text[i]) : 0);
    if (!line_send(p->child.fd, &m))
        lost(s, "phone %d is not there", p->no);
    return await(s, p, what, out);
}

void phone_crash_soon(struct sim *s, struct device *p)
{
    struct message m = { .kind = PHONE_END_AT,
                         .number = (int)(1 + dice_roll(&s->dice, 1u << dice_roll(&s->dice, 7))),
                         .more = dice_one_in(&s->dice, 2) },
                   out;

    if (!p->child.pid && !phone_begin(s, p, false))
        return;
    note(s, "phone %d is to end at %d%s", p->no, m.number, m.more ? ", by power" : "");
    line_send(p->child.fd, &m);
    if (await(s, p, PHONE_END_AT, &out))
        message_done(&out);
}

void phone_end(struct device *p)
{
    if (p->child.pid && !p->epoch)
        p->horizon = -1; /* before its first sync a phone writes nothing of that down */
    kill_it(&p->child);
}
