/*
 * serve.c - `tjzw serve`: opens the sockets, and lets a child serve on them (supervise.h).
 *
 *     settings --> sockets --> root is given up --> | child: filter --> app_start --> URLs --> (SIGTERM, SIGINT) --> app_stop
 *                                                   | parent: READY=1, signals
 *
 * Signals are blocked before the first thread exists, so that no loop ever sees EINTR.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/app.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/channel/mirror_edge.h"
#include "server/cli/commands.h"
#include "server/cli/running.h"
#include "server/cli/set_up.h"
#include "server/confine.h"
#include "server/demo/demo_accounts.h"
#include "server/http/tls.h"
#include "server/supervise.h"
#include "server/user.h"
#include "sync/keys.h"
#include "sync/live.h"

/* One datagram to the socket of this name; "@" stands for the abstract name space. */
static bool say(const char *to, const char *text)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    AUTO(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(to) >= sizeof at.sun_path)
        return false;
    memcpy(at.sun_path, to, strlen(to));
    if (*to == '@')
        at.sun_path[0] = '\0';
    return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&at,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(to))) >= 0;
}

/* Tells systemd (sd_notify(3)). */
static void notify(const char *state)
{
    const char *to = getenv("NOTIFY_SOCKET");

    if (to && *to && !say(to, state))
        LOG(LOG_WARN, "notify_failed", L_STR("why", strerror(errno)));
}

/* Environment: what the program before this one leaves us (sockets_text). */
#define SOCKETS_INHERITED "SERVE_SOCKETS"

/* A demo stays on this machine unless told otherwise. */
static const char demo_listen[] =
    "http://127.0.0.1:8080,https://127.0.0.1:8443,https://[::1]:8443";

/* Options of an edge stand for the settings edge_*. */
static enum rc settle_edge(struct err *e, const struct args *a, struct conf *c)
{
    static const char *const names[][2] = { { "mirror", "edge_of" },
                                            { "trust", "edge_trust" },
                                            { "cacert", "edge_ca" } };
    enum rc rc = RC_OK;

    for (size_t i = 0; i < sizeof names / sizeof *names && !rc; i++) {
        const char *text = arg_text(a, names[i][0], NULL);

        if (text)
            rc = conf_set(e, c, names[i][1], text);
    }
    if (!rc && *c->edge_of && arg_flag(a, "demo"))
        rc = err_set(e, RC_INVALID, "an edge has no demo: it shows what %s publishes",
                     c->edge_of);
    return rc ? rc : cli_settle_edge(e, c);
}

static enum rc settle(struct err *e, const struct args *a, struct conf *c)
{
    const struct conf_list *listen = arg_list(a, "listen");
    struct buf joined = BUF_IN(c->mem);
    bool is_default = c->listen.n == 1 && !strcmp(c->listen.v[0], "https://[::]:8443");

    for (int i = 0; i < listen->n; i++)
        buf_printf(&joined, "%s%s", i ? "," : "", listen->v[i]);
    if (settle_edge(e, a, c))
        return e->rc;
    if (arg_flag(a, "demo") && conf_set(e, c, "sms_development", "true"))
        return e->rc;
    if (listen->n)
        return conf_set(e, c, "listen", joined.p);
    return arg_flag(a, "demo") && is_default ? conf_set(e, c, "listen", demo_listen) : RC_OK;
}

/* Who there is to sign in as. */
static void say_accounts(const struct conf *c)
{
    enum { TEXT_MAX = 16384 };
    struct arena *mem = arena_new();
    struct err e = { 0 };
    char *text;
    size_t n;

    if (!fs_read(&e, mem, arena_printf(mem, "%s/" DEMO_ACCOUNTS, c->data), TEXT_MAX, &text, &n))
        fputs(text, stdout);
    arena_free(mem);
}

static void say_where(const struct app *app, const struct conf *c)
{
    struct conf_list urls = app_urls(app);
    const char *url = urls.v[0];
    char trust[HASH_TEXT];
    struct err e = { 0 };

    printf("天津政务后端 tjzw %s\n  数据目录  %s\n", TJZW_VERSION, c->data);
    for (int i = 0; i < urls.n; i++)
        printf("  服务地址  %s\n", urls.v[i]);
    printf("  接口文档  %sdocs\n", url);
    if (sync_keys())
        printf("  平台公钥  %s\n", keys_trust(sync_keys(), trust));
    else
        printf("  镜像自    %s（本节点只读）\n", c->edge_of);
    printf("  试一试    curl -s %s'%sv1/items?n=3'\n", strncmp(url, "https", 5) ? "" : "-k ",
           url);
    if (app_is_demo(app)) {
        printf("  离线同步  build/tjzw-phone --store phone.db --server %s", url);
        if (!strncmp(url, "https", 5) && !*c->tls_cert) /* self-signed */
            printf(" --cacert %s/keys/tls-cert.pem", c->data);
        printf(" sync\n  登录页    %ssign-in\n", url);
        say_accounts(c);
        printf("  演示模式：内容均为示例，不会向任何人发送消息。按 Ctrl+C 停止。\n");
    } else if (sync_keys() && set_up_say(&e, c->data)) {
        LOG(LOG_ERROR, "no_set_up_link", L_STR("why", e.text));
    }
    fflush(stdout);
}

static void reload(struct app *app)
{
    struct err e = { 0 };

    if (app_reload(app, &e))
        LOG(LOG_ERROR, "not_reloaded", L_STR("reason", e.text));
    else
        LOG(LOG_INFO, "reloaded", { 0 });
}

/* How long the end may take. */
static int64_t wait_for_stop(struct app *app, const struct conf *c)
{
    sigset_t signals;
    int got = 0;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR2);
    while (sigwait(&signals, &got) || got == SIGHUP)
        if (got == SIGHUP)
            reload(app);
    supervise_ends();
    LOG(LOG_INFO, "stopping", L_STR("signal", strsignal(got)));
    return got == SIGUSR2 ? SUPERVISE_REPLACE_MS : c->stop_deadline;
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        LOG(LOG_WARN, "file_limit", L_STR("why", strerror(errno)));
}

/* What keeps a server from starting, and the way out of it. */
static const char *start_hint(enum rc rc)
{
    switch (rc) {
    case RC_INVALID: return "mend that setting; all of them: tjzw print-conf";
    case RC_CONFLICT: return "stop the other program, or choose another --data or --listen";
    case RC_FORBIDDEN: return "see docs/operate.md, \"Who runs it\"";
    default: return "look for more: tjzw doctor --data DIR";
    }
}

struct serving {
    const struct conf *c;
    bool demo;
    struct sockets sockets;
};

/* A kernel or a container that allows no filter does not keep a city from its server. */
static void confine(bool wanted)
{
    const char *why = "setting confine";
    struct err e = { 0 };
    int calls = 0;

    if (wanted && confine_calls(&e, &calls, &why))
        why = e.text;
    if (calls)
        LOG(LOG_INFO, "confined", L_STR("seccomp", "on"), L_INT("calls_allowed", calls));
    else
        LOG(LOG_WARN, "confined", L_STR("seccomp", "off"), L_STR("why", why));
}

enum { COMMAND_MS = 2000, AGAIN_MS = 20 };

/* Where nobody is, a command is the server for a moment (link.h): whoever comes back after a death waits for it. */
static enum rc start(const struct serving *s, bool again, struct err *e, struct app **out)
{
    int64_t until = clock_mono_us() + (again ? COMMAND_MS * 1000 : 0);
    enum rc rc;

    while ((rc = app_start(e, s->c, &s->sockets, s->demo, again, out)) == RC_CONFLICT &&
           clock_mono_us() < until)
        clock_sleep_ms(AGAIN_MS);
    return rc;
}

/* The child. */
static int serve(void *arg, bool again)
{
    const struct serving *s = arg;
    struct app *app = NULL;
    struct err e = { 0 };

    confine(s->c->confine);
    if (start(s, again, &e, &app))
        return cli_fail(&e, "the server cannot start", start_hint(e.rc));
    if (!again)
        say_where(app, s->c);
    supervise_serves();
    app_stop(app, wait_for_stop(app, s->c));
    return 0;
}

static void on_ready(void *arg)
{
    (void)arg;
    notify("READY=1");
}

static void on_stop(void *arg)
{
    struct serving *s = arg;

    notify("STOPPING=1");
    sockets_close(&s->sockets);
}

static void before_exec(void *arg)
{
    static char text[SOCKETS_TEXT];
    struct serving *s = arg;

    sockets_text(&s->sockets, text);
    setenv(SOCKETS_INHERITED, text, 1);
}

/* Who asked by `tjzw upgrade` listens for a word; others do not. */
static void on_refused(void *arg, pid_t by, const char *why)
{
    char to[UPGRADE_SOCKET];

    (void)arg;
    (void)say(upgrade_socket(by, to), why);
}

/* An upgrade with a certificate that is no good would end a server that has a better one in memory. */
static enum rc check_tried(struct err *e, const struct serving *s)
{
    bool tls = false;

    for (int i = 0; i < s->sockets.n; i++)
        tls |= s->sockets.at[i].tls;
    return tls && supervise_is_tried() ? tls_check(e, s->c->tls_cert, s->c->tls_key) : RC_OK;
}

static int run(const struct conf *c, bool demo)
{
    static struct serving s;
    struct supervised supervised = { .serve = serve,
                                     .on_ready = on_ready,
                                     .on_stop = on_stop,
                                     .before_exec = before_exec,
                                     .on_refused = on_refused,
                                     .arg = &s,
                                     .stop_ms = c->stop_deadline };
    struct user user;
    struct err e = { 0 };
    enum rc rc;
    int loops;

    s.c = c;
    s.demo = demo;
    /* Settings that cannot be are told before a port that is taken. */
    if (!(rc = mirror_edge_check(&e, c)) && !(rc = sockets_loops(&e, c->loops, &loops)) &&
        !(rc = user_find(&e, c->user, &user)) &&
        !(rc = sockets_open(&e, &c->listen, loops, getenv(SOCKETS_INHERITED), &s.sockets)))
        if (!(rc = user_become(&e, &user, c->data)))
            rc = check_tried(&e, &s);
    unsetenv(SOCKETS_INHERITED);
    if (rc)
        return cli_fail(&e, "the server cannot start", start_hint(rc));
    if (geteuid() == 0)
        LOG(LOG_WARN, "runs_as_root",
            L_STR("better", "set user: its name, see docs/operate.md"));
    confine_rights(c->confine);
    return supervise(&supervised);
}

int cmd_serve(const struct args *a)
{
    struct err e = { 0 };
    struct conf c;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    if (settle(&e, a, &c)) {
        code = cli_fail(&e, "settings", NULL);
    } else {
        log_set_level((enum log_level)c.log_level);
        raise_file_limit();
        code = run(&c, arg_flag(a, "demo"));
    }
    conf_done(&c);
    return code;
}
