/*
 * phone.c - tjzw-phone: a phone on the command line, made of tjzw.h and tjzw_me.h and nothing else.
 *
 * Here: from the arguments to the command and back. What is read (lists, items, JSON) goes to stdout, what is told
 * (progress, errors) to stderr. Exit status: 0 done, 1 it failed, 2 it was asked wrongly. The commands: phone_command.c.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/phone.h"

enum { BEIJING = 8 * 3600 };

static struct tjzw *volatile running; /* for the signal handler */

/* ---- telling ---- */

/* What the server said in English is for who looks for the cause: with -v. */
static bool is_for_him(const struct phone *p, const struct tjzw_error *e)
{
    return e->detail[0] && (p->verbose || (e->code != TJZW_REFUSED && e->code != TJZW_SIGN_IN));
}

int phone_failed(struct phone *p, const char *what, const struct tjzw_error *e)
{
    p->code = e->code;
    fprintf(stderr, "tjzw-phone %s：%s。\n", what, e->text);
    if (is_for_him(p, e))
        fprintf(stderr, "  （%s：%s）\n", tjzw_code_name(e->code), e->detail);
    return e->code == TJZW_USAGE ? EXIT_ASKED_WRONGLY : EXIT_FAILURE;
}

int phone_wrong(const char *what, const char *value, const char *how)
{
    fprintf(stderr, "tjzw-phone：%s%s%s。%s\n", what, value ? " " : "", value ? value : "",
            how);
    return EXIT_ASKED_WRONGLY;
}

const char *phone_time(int64_t t, const char *format, char out[32])
{
    time_t beijing = (time_t)t + BEIJING;
    struct tm tm;

    if (!gmtime_r(&beijing, &tm) || strftime(out, 32, format, &tm) == 0)
        snprintf(out, 32, "?");
    return out;
}

const char *phone_span(uint64_t seconds, char out[48])
{
    static const struct {
        uint64_t seconds;
        const char *unit;
    } units[] = { { 86400, "天" }, { 3600, "小时" }, { 60, "分钟" }, { 1, "秒" } };
    size_t i = 0;

    while (i < 3 && seconds < 2 * units[i].seconds)
        i++;
    snprintf(out, 48, "%" PRIu64 " %s", seconds / units[i].seconds, units[i].unit);
    return out;
}

/* stdout may be a full disk or a closed pipe. */
int phone_finish(const char *what)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_SUCCESS;
    fprintf(stderr,
            "tjzw-phone %s：结果没有写全（输出端写不进去）。请检查磁盘空间或管道后重试。\n",
            what);
    return EXIT_FAILURE;
}

const char *phone_word(const char *const (*table)[2], size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i][0], name) == 0)
            return table[i][1];
    return name;
}

bool phone_number(const char *text, uint32_t *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || v == 0 || v > 1000000000)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* ---- what a signal stops ---- */

void phone_runs(struct tjzw *t)
{
    running = t;
}

static void on_signal(int signal)
{
    (void)signal;
    if (running)
        tjzw_stop(running);
}

/* ---- a command ---- */

/* "all" is 0. */
static bool take_horizon(const char *text, uint64_t *out)
{
    uint32_t n = 0;
    bool good = strcmp(text, "all") == 0 || phone_number(text, &n);

    *out = n;
    return good;
}

static int check(const struct phone *p, const struct phone_command *c, int arguments)
{
    uint64_t horizon;

    if (arguments < (c->argument ? 1 : 0))
        return phone_wrong("缺少参数", c->argument, "用 tjzw-phone 命令 --help 查看例子。");
    if (arguments > (c->argument ? 1 : 0) + (int)c->optional)
        return phone_wrong("参数太多，多出来的是", NULL,
                           "几个词请用引号括在一起；用 tjzw-phone 命令 --help 查看例子。");
    if (!p->store)
        return phone_wrong("没有指定数据文件", NULL,
                           "请加上 --store FILE，例如 --store notices.db。");
    if (p->horizon && !take_horizon(p->horizon, &horizon))
        return phone_wrong("不是有效的保留范围：", p->horizon,
                           "请给出 1 以上的整数，例如 --horizon 5000；或 --horizon all。");
    return 0;
}

/* Where from and whom to trust, for the commands that ask: the library remembers it when a sync
 * has proved it. */
static int take_server(struct phone *p, const struct phone_command *c)
{
    bool syncs = c->asks;
    struct tjzw_error e;
    struct tjzw_status s;

    if (!syncs && (c->run != phone_verify || !p->server.trust))
        return 0;
    if (!p->server.url && tjzw_status(p->t, p->stream, &s, NULL) == TJZW_NOT_FOUND)
        return syncs
                   ? phone_wrong("还不知道服务器地址", NULL, "第一次同步请加上 --server URL。")
                   : 0;
    if (!p->server.url && !p->server.cacert && !p->server.trust)
        return 0;
    return tjzw_follow(p->t, &p->server, &e) ? phone_failed(p, c->name, &e) : 0;
}

static int run_open(struct phone *p, const struct phone_command *c, const char *argument)
{
    int status = take_server(p, c);
    struct tjzw_error e;
    uint64_t horizon;

    if (!status && c->asks && p->horizon && take_horizon(p->horizon, &horizon) &&
        tjzw_horizon(p->t, p->stream, horizon, &e))
        status = phone_failed(p, c->name, &e);
    return status ? status : c->run(p, argument);
}

static int run(struct phone *p, const struct phone_command *c, const char *argument)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    struct tjzw_error e;
    int status;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    status = tjzw_open(p->store, &p->t, &e) ? phone_failed(p, c->name, &e)
                                            : run_open(p, c, argument);
    if (p->json && c->asks && c->run != phone_blob && c->run != phone_listen &&
        c->run != phone_sign_in && c->run != phone_account) {
        if (status == EXIT_ASKED_WRONGLY)
            p->code = TJZW_USAGE;
        phone_tell_json(p);
        status = status ? status : phone_finish(c->name);
    }
    tjzw_close(p->t);
    return status;
}

/* Those behind the one that the command must have, as many as there are. */
static void take_more(struct phone *p, char **rest)
{
    const char **const places[] = { &p->more, &p->third, &p->fourth };

    for (size_t i = 0; i < sizeof places / sizeof *places && rest[i]; i++)
        *places[i] = rest[i];
}

int main(int argc, char **argv)
{
    struct phone p = { 0 };
    const struct phone_command *c = NULL;
    const char *name;
    bool help = false;
    int status;

    if ((status = phone_options(argc, argv, &p, &help)))
        return status;
    if ((name = argv[optind]) && strcmp(name, "help") == 0) {
        help = true;
        name = argv[++optind];
    }
    if (name && !(c = phone_command(name)))
        return phone_wrong("没有这个命令：", name, "用 tjzw-phone --help 查看全部命令。");
    if (help || !c) {
        phone_help(c);
        return help ? EXIT_SUCCESS : EXIT_ASKED_WRONGLY;
    }
    if ((status = check(&p, c, argc - optind - 1)))
        return status;
    take_more(&p, argv + optind + 1 + (c->argument != NULL));
    return run(&p, c, c->argument ? argv[optind + 1] : NULL);
}
