/*
 * session_crash_test.c - the power goes at each call that changes a file while tokens are exchanged, one call after the other.
 *
 *     this process: a phone --socket--> server, forked: writer --> pwrite … fdatasync --> answer
 *
 * What was written and not synced is lost with the power (crash_shim.h). The phone keeps the newest token that it was told. When the server is back
 * that token must bring another one: it was durable before its answer left, or it was never seen. So nobody is signed out
 * by a power cut, and whoever comes with a token from before is found out all the same.
 *
 * The last case takes a disk that says "synced" and is not: then tokens must be lost, or this test could not fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/identity/session.h"
#include "server/store/writer.h"
#include "tests/lib/crash_shim.h"

enum { EXCHANGES = 12, QUEUE = 10, STRIDE = 3 };

static const uint8_t key[32] = "the key of the tokens' tags, 32";

struct crash {
    long at; /* 0: none */
    bool half, deaf;
};

static struct {
    char dir[64], path[96];
    pid_t server;
    int fd;
    char newest[BEARER_TEXT], before[BEARER_TEXT]; /* as the phone was told */
    long *counted;                                 /* shared with the server */
} t;

struct answer {
    enum session_answer how;
    struct session_tokens tokens;
};

/* ---- the server ---- */

struct job {
    char refresh[BEARER_TEXT]; /* "": a new session */
    struct answer a;
};

static enum rc run(struct work *w, void *arg)
{
    const struct session_new n = {
        .account = 7, .kind = SESSION_CITIZEN, .level = 1, .device = "手机"
    };
    struct job *j = arg;
    int64_t id;

    return *j->refresh
               ? session_exchange(w, 0, j->refresh, clock_mono_us(), &j->a.how, &j->a.tokens)
               : session_open(w, &n, &id, &j->a.tokens);
}

static enum rc load(struct work *w, void *arg)
{
    (void)arg;
    return session_load(w, key);
}

static void serve(int fd)
{
    struct arena *mem;
    struct work w;
    struct job j;

    while (read(fd, j.refresh, sizeof j.refresh) == sizeof j.refresh) {
        mem = arena_new();
        work_init(&w, mem, NULL, "test", RIGHT_ALL);
        j.a = (struct answer){ .how = SESSION_EXCHANGED };
        if (writer_call(&w, run, &j))
            abort();
        *t.counted = crash_shim_calls();
        if (write(fd, &j.a, sizeof j.a) != sizeof j.a)
            break;
        arena_free(mem);
    }
}

static void say(const char *name, bool on, const char *value)
{
    if (on ? setenv(name, value, 1) : unsetenv(name))
        abort();
}

_Noreturn static void be_the_server(int fd, struct crash c)
{
    struct arena *mem = arena_new();
    char at[32];
    struct work w;
    struct err e;

    snprintf(at, sizeof at, "%ld", c.at);
    say("CRASH_SHIM_AT", true, at);
    say("CRASH_SHIM_HALF", c.half, "1");
    say("CRASH_SHIM_LOSE", true, "1");
    say("CRASH_SHIM_DEAF", c.deaf, "1");
    crash_shim_begin();
    work_init(&w, mem, NULL, "test", RIGHT_ALL);
    if (writer_start(&e, t.path, QUEUE) || writer_call(&w, load, NULL))
        abort();
    serve(fd);
    writer_stop();
    _exit(0);
}

static void start(struct crash c)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    t.fd = pair[0];
    if (!(t.server = fork())) {
        close(pair[0]);
        be_the_server(pair[1], c);
    }
    close(pair[1]);
}

/* Whether it was killed. */
static bool stop(void)
{
    int status;

    close(t.fd);
    assert_int_equal(waitpid(t.server, &status, 0), t.server);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    assert_int_equal(status, 0);
    return false;
}

/* ---- the phone ---- */

static bool ask(const char *refresh, struct answer *a)
{
    char text[BEARER_TEXT] = "";

    snprintf(text, sizeof text, "%s", refresh);
    return send(t.fd, text, sizeof text, MSG_NOSIGNAL) == sizeof text &&
           read(t.fd, a, sizeof *a) == sizeof *a;
}

static void keep(const struct answer *a)
{
    memcpy(t.before, t.newest, sizeof t.before);
    memcpy(t.newest, a->tokens.refresh, sizeof t.newest);
}

static void fresh(void)
{
    char command[128];

    if (*t.dir) {
        snprintf(command, sizeof command, "rm -rf %s", t.dir);
        assert_int_equal(system(command), 0);
    }
    strcpy(t.dir, "/tmp/tjzw-session-crash-XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    snprintf(t.path, sizeof t.path, "%s/tjzw.db", t.dir);
}

/* A session, made while nothing fails: what follows is about its exchanges. */
static void sign_in(void)
{
    struct answer a;

    fresh();
    start((struct crash){ 0 });
    assert_true(ask("", &a));
    memcpy(t.newest, a.tokens.refresh, sizeof t.newest);
    memcpy(t.before, t.newest, sizeof t.before);
    assert_false(stop());
}

/* Exchanges until the power goes. False: it did not, there are no more calls. */
static bool exchange_until(struct crash c)
{
    struct answer a;

    start(c);
    for (int i = 0; i < EXCHANGES && ask(t.newest, &a); i++) {
        assert_int_equal(a.how, SESSION_EXCHANGED);
        keep(&a);
    }
    return stop();
}

/* The token that the phone holds is good, or the answer to it was lost and comes once more. */
static bool holds(struct answer *a)
{
    return ask(t.newest, a) && (a->how == SESSION_EXCHANGED || a->how == SESSION_REPEATED);
}

static void look(struct crash c)
{
    char past[BEARER_TEXT];
    struct answer a;

    start((struct crash){ 0 });
    memcpy(past, t.before, sizeof past);
    if (!holds(&a))
        fail_msg("call %ld%s: the phone is signed out", c.at, c.half ? ", half" : "");
    keep(&a);
    assert_true(ask(t.newest, &a));
    assert_int_equal(a.how, SESSION_EXCHANGED);
    if (strcmp(past, t.before) != 0) {
        assert_true(ask(past, &a));
        assert_int_equal(a.how, SESSION_REUSED);
    }
    assert_false(stop());
}

static long calls_of_all(void)
{
    sign_in();
    assert_false(exchange_until((struct crash){ 0 }));
    return *t.counted;
}

static void a_token_is_durable_before_its_answer_leaves(void **state)
{
    long all = calls_of_all(), step = getenv("TJZW_FULL") ? 1 : STRIDE, rounds = 0;

    (void)state;
    assert_true(all > 3 * EXCHANGES);
    for (long n = 1; n <= all; n += step)
        for (int half = 0; half < 2; half++) {
            struct crash c = { .at = n, .half = half };

            sign_in();
            rounds += exchange_until(c);
            look(c);
        }
    print_message("the power went %ld times, over %ld calls\n", rounds, all);
    assert_true(rounds > 0);
}

static void a_disk_that_lies_is_found_out(void **state)
{
    long all = calls_of_all(), lost = 0;
    struct answer a;

    (void)state;
    for (long n = 2; n <= all; n += STRIDE) {
        sign_in();
        exchange_until((struct crash){ .at = n, .deaf = true });
        start((struct crash){ 0 });
        lost += !holds(&a);
        stop();
    }
    print_message("%ld phones were signed out\n", lost);
    assert_true(lost > 0);
}

static int set_up(void **state)
{
    (void)state;
    log_set_fd(-1);
    t.counted = mmap(NULL, sizeof *t.counted, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return t.counted == MAP_FAILED;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", t.dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_durable_before_its_answer_leaves),
        cmocka_unit_test(a_disk_that_lies_is_found_out),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
