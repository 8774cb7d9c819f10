/*
 * phone.c - tjzw-phone: a phone on the command line, made of tjzw.h and nothing else.
 *
 * One table of commands; help comes from it. What is read (lists, items, JSON) goes to stdout,
 * what is told (progress, errors) to stderr. Exit status: 0 done, 1 it failed, 2 it was asked
 * wrongly.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients/c/phone.h"
#include "clients/c/tjzw.h"

enum { BEIJING = 8 * 3600 };

struct command {
    const char *name, *argument;
    const char *summary;
    const char *examples;
    int (*run)(struct phone *p, const char *argument);
    bool asks;         /* the network: knows --server and the like, and must know a server */
    unsigned optional; /* further arguments it takes */
};

static struct tjzw *volatile running; /* for the signal handler */

/* ---- telling ---- */

int phone_failed(struct phone *p, const char *what, const struct tjzw_error *e)
{
    p->code = e->code;
    fprintf(stderr, "tjzw-phone %s：%s。\n", what, e->text);
    if (e->detail[0])
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

/* ---- sync ---- */

static bool show_progress(void *ctx, const struct tjzw_progress *p)
{
    static const char *const phases[] = { "询问", "下载", "核验并写入" };

    (void)ctx;
    if (p->phase == TJZW_FETCHING && p->bytes_expected)
        fprintf(stderr, "\r%s %" PRIu64 "/%" PRIu64 " KB   ", phases[p->phase], p->bytes / 1024,
                p->bytes_expected / 1024);
    else if (p->phase == TJZW_FETCHING)
        fprintf(stderr, "\r%s %" PRIu64 " KB   ", phases[p->phase], p->bytes / 1024);
    else if (p->phase == TJZW_APPLYING)
        fprintf(stderr, "\r%s %" PRIu64 "/%" PRIu64 " 条   ", phases[p->phase], p->records,
                p->records_expected);
    return false;
}

static void show_request(void *ctx, const struct tjzw_trace *r)
{
    (void)ctx;
    printf("  GET %s\n      状态 %d，收 %" PRIu64 " 字节，发 %" PRIu64 " 字节，%" PRIu64
           " 毫秒\n",
           r->path, r->status, r->bytes_down, r->bytes_up, r->ms);
}

static const char *yes_no(bool b)
{
    return b ? "true" : "false";
}

/* One line, however it ended: programs read it instead of the sentences. */
void phone_tell_json(const struct phone *p)
{
    const struct tjzw_sync_result *r = &p->synced;

    putchar('{');
    if (p->code)
        printf("\"error\":\"%s\",", tjzw_code_name(p->code));
    printf("\"requests\":%" PRIu32 ",\"bytes_down\":%" PRIu64 ",\"bytes_up\":%" PRIu64
           ",\"ms\":%" PRIu64 ",\"cursor\":\"%s\",\"records\":%" PRIu64
           ",\"changed\":%s,\"repaired\":%s,\"skipped\":%s,\"unfinished\":%s,\"wait\":%" PRIu32
           "}\n",
           r->requests, r->bytes_down, r->bytes_up, r->ms, r->cursor, r->records,
           yes_no(r->changed), yes_no(r->repaired), yes_no(r->skipped), yes_no(r->unfinished),
           r->wait);
}

void phone_tell_sync(const struct phone *p, const struct tjzw_sync_result *r)
{
    if (r->changed)
        printf("已更新：%" PRIu64 " 处变化，全部通过签名核验。", r->records);
    else
        printf("已是最新。");
    printf("位置 %s\n", r->cursor);
    if (r->repaired)
        printf("本机内容已修复：逐条与签名的状态核对，只重新取回了有出入的（本机数据曾损坏，或"
               "服务器曾从备份恢复）。\n");
    if (p->verbose)
        printf("共 %" PRIu32 " 次请求，收 %" PRIu64 " 字节，发 %" PRIu64 " 字节，用时 %" PRIu64
               " 毫秒\n",
               r->requests, r->bytes_down, r->bytes_up, r->ms);
}

static int run_sync(struct phone *p, const char *argument)
{
    bool terminal = isatty(STDERR_FILENO) && !p->json && !p->verbose;
    struct tjzw_sync_options options = { .timeout = p->timeout,
                                         .stream = p->stream,
                                         .progress = terminal ? show_progress : NULL,
                                         .trace =
                                             p->verbose && !p->json ? show_request : NULL };
    const struct tjzw_sync_result *result = &p->synced;
    struct tjzw_error e;
    enum tjzw_code rc;

    (void)argument;
    phone_runs(p->t);
    rc = tjzw_sync(p->t, &options, &p->synced, &e);
    phone_runs(NULL);
    if (terminal)
        fprintf(stderr, "\r\033[K");
    if (result->first_use)
        fprintf(stderr, "首次连接，已信任该平台的公钥。请与平台公布的指纹核对：\n  %s\n",
                result->trust);
    if (rc && result->wait)
        fprintf(stderr, "服务器请求 %" PRIu32 " 秒后再试。\n", result->wait);
    if (rc)
        return phone_failed(p, "sync", &e);
    if (!p->json)
        phone_tell_sync(p, result);
    return phone_finish("sync");
}

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

/* ---- reading ---- */

static bool print_line(void *ctx, const struct tjzw_item *item)
{
    char date[32];
    size_t *n = ctx;

    ++*n;
    printf("%s  %s  [%s]  %s%s\n", phone_time(item->date, "%Y-%m-%d", date), item->id,
           item->column, item->title, item->kept ? "  ★" : "");
    return !ferror(stdout);
}

static struct tjzw_query the_query(const struct phone *p)
{
    return (struct tjzw_query){ .stream = p->stream,
                                .column = p->column,
                                .kept = p->kept,
                                .most = p->most ? p->most : UINT32_MAX };
}

static int run_list(struct phone *p, const char *argument)
{
    struct tjzw_query query = the_query(p);
    struct tjzw_error e;
    size_t n = 0;

    (void)argument;
    if (tjzw_list(p->t, &query, print_line, &n, &e))
        return phone_failed(p, "list", &e);
    if (n == 0)
        fprintf(stderr,
                "本机没有%s条目。可先运行 tjzw-phone sync，或用 columns 查看有哪些栏目。\n",
                p->column ? "该栏目的" : "");
    return phone_finish("list");
}

static int run_search(struct phone *p, const char *argument)
{
    struct tjzw_query query = the_query(p);
    struct tjzw_error e;
    size_t n = 0;

    if (tjzw_search(p->t, argument, &query, print_line, &n, &e))
        return phone_failed(p, "search", &e);
    if (n == 0)
        fprintf(stderr, "本机没有包含“%s”的条目。\n", argument);
    return phone_finish("search");
}

static bool print_item(void *ctx, const struct tjzw_item *item)
{
    (void)ctx;
    phone_show(item);
    return false;
}

int phone_not_an_id(const char *text)
{
    return phone_wrong("不是条目编号：", text,
                       "编号形如 019a2b3c-0000-7000-8000-000000000001，用 list 可以看到。");
}

static int run_show(struct phone *p, const char *argument)
{
    enum tjzw_code rc;
    struct tjzw_error e;

    rc = tjzw_read(p->t, argument, print_item, NULL, &e);
    if (rc == TJZW_USAGE)
        return phone_not_an_id(argument);
    return rc ? phone_failed(p, "show", &e) : phone_finish("show");
}

static bool print_record(void *ctx, const struct tjzw_item *item)
{
    (void)ctx;
    fwrite(item->json, 1, item->json_len, stdout);
    putchar('\n');
    return !ferror(stdout);
}

static int run_export(struct phone *p, const char *argument)
{
    struct tjzw_error e;

    (void)argument;
    if (tjzw_export(p->t, p->stream, print_record, NULL, &e))
        return phone_failed(p, "export", &e);
    return phone_finish("export");
}

static bool print_column(void *ctx, const struct tjzw_column *c)
{
    (void)ctx;
    printf("%6" PRIu64 " 条  %s  （%s，%s）\n", c->items, c->path, c->site, c->type);
    return !ferror(stdout);
}

static int run_columns(struct phone *p, const char *argument)
{
    struct tjzw_error e;

    (void)argument;
    if (tjzw_columns(p->t, print_column, NULL, &e))
        return phone_failed(p, "columns", &e);
    return phone_finish("columns");
}

/* ---- commands and options ---- */

static const struct command commands[] = {
    { "sync", NULL, "取回最新内容，核验签名后才采用；断网、中断都不影响已有内容",
      "tjzw-phone --store a.db --server https://127.0.0.1:8443 --cacert "
      "tjzw-data/keys/tls-cert.pem sync -v",
      run_sync, true, 0 },
    { "list", NULL, "列出条目，新的在前",
      "tjzw-phone --store a.db list --column 通知公告 -n 20", run_list },
    { "show", "ID", "显示一条的全文",
      "tjzw-phone --store a.db show 019a2b3c-0000-7000-8000-000000000001", run_show },
    { "search", "WORD", "在标题和全文中查找；几个词用空格分开，须都出现",
      "tjzw-phone --store a.db search \"社保 缴费\"", run_search },
    { "columns", NULL, "列出栏目和各有多少条", "tjzw-phone --store a.db columns", run_columns },
    { "status", NULL, "有多少条，何时核验，是否最新", "tjzw-phone --store a.db status",
      phone_status },
    { "keep", "ID", "收藏一条：不论保留范围都留在本机，并随同步更新",
      "tjzw-phone --store a.db keep 019a2b3c-0000-7000-8000-000000000001", phone_keep },
    { "unkeep", "ID", "取消收藏；在保留范围之外的随即删去",
      "tjzw-phone --store a.db unkeep 019a2b3c-0000-7000-8000-000000000001", phone_unkeep },
    { "fetch", "ID", "取回保留范围之外的一条旧内容，核验后收藏",
      "tjzw-phone --store a.db fetch 019a2b3c-0000-7000-8000-000000000001", phone_fetch, true,
      0 },
    { "blob", "HASH",
      "取条目的图片或附件（show 里的 64 位十六进制），存到其后给出的文件；不给则输出",
      "tjzw-phone --store a.db blob "
      "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae 附件.pdf",
      phone_blob, true, 1 },
    { "listen", NULL, "一直连着服务器，一有新内容就同步；其后可给秒数",
      "tjzw-phone --store a.db listen 60", phone_listen, true, 1 },
    { "background", NULL, "后台同步一次：限时、限内存，没到时候就什么也不做；其后可给秒数",
      "tjzw-phone --store a.db background 25", phone_background, true, 1 },
    { "verify", NULL, "把本机的全部内容重新计算一遍，与签名核对",
      "tjzw-phone --store a.db verify", phone_verify },
    { "export", NULL,
      "按编号顺序输出全部已发布条目，一行一条 JSON，与服务器 tjzw export 逐字节相同",
      "tjzw-phone --store a.db export > mine.ndjson", run_export },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const char options_help[] =
    "选项：\n"
    "  --store FILE      数据文件（必需），没有就新建\n"
    "  --server URL      sync 等联网的命令：服务器地址 https://主机[:端口]\n"
    "  --cacert FILE     同上：验证服务器 TLS 证书用的 PEM 文件。服务器自签的证书在它的\n"
    "                    数据目录 DIR/keys/tls-cert.pem\n"
    "  --trust KEY       同上，和 verify：平台公钥，64 位十六进制；不给则信任首次遇到的，\n"
    "                    并显示出来供核对\n"
    "                    以上三项在 sync 成功后记在数据文件里，以后可省；首次同步一开始就\n"
    "                    记下，以便中断后继续。其他命令不记\n"
    "  --stream NAME     数据流，默认 main\n"
    "  --horizon NUMBER  sync：本机只保留最新的多少条（略多于此数），all 为全部；记在数据\n"
    "                    文件里，收藏的不受影响\n"
    "  --kept            list、search：只看收藏的\n"
    "  --column PATH     list、search：只看这个栏目和它下面的\n"
    "  -n NUMBER         list、search：最多多少条，默认全部\n"
    "  --timeout SECONDS sync、fetch、blob：最多用多少秒\n"
    "  -v                sync：逐条显示请求、字节和时间\n"
    "  --json            sync、fetch、background：只输出一行 JSON，listen：每次同步一行；\n"
    "                    失败时其中的 error 是错误的种类\n"
    "  -h, --help        帮助；在命令后面则显示该命令的例子\n";

static void print_help(const struct command *c)
{
    if (c) {
        printf("tjzw-phone [选项] %s%s%s\n  %s\n\n例：\n  %s\n\n%s", c->name,
               c->argument ? " " : "", c->argument ? c->argument : "", c->summary, c->examples,
               options_help);
        return;
    }
    printf("tjzw-phone %s：把政务公开内容同步到本机，核验签名，断网可读。\n\n用法：tjzw-phone "
           "--store FILE [选项] 命令\n\n命令：\n",
           tjzw_version());
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s%-5s %s\n           例：%s\n", commands[i].name,
               commands[i].argument ? commands[i].argument : "", commands[i].summary,
               commands[i].examples);
    printf("\n%s", options_help);
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

/* 0, or the exit status. *help: it was asked for. */
static int take_options(int argc, char **argv, struct phone *p, bool *help)
{
    static const struct option options[] = {
        { "store", required_argument, NULL, 's' },  { "server", required_argument, NULL, 'u' },
        { "cacert", required_argument, NULL, 'c' }, { "trust", required_argument, NULL, 't' },
        { "stream", required_argument, NULL, 'S' }, { "horizon", required_argument, NULL, 'H' },
        { "column", required_argument, NULL, 'C' }, { "timeout", required_argument, NULL, 'T' },
        { "kept", no_argument, NULL, 'k' },         { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    int o;

    while ((o = getopt_long(argc, argv, "vhn:", options, NULL)) != -1)
        switch (o) {
        case 's': p->store = optarg; break;
        case 'u': p->server.url = optarg; break;
        case 'c': p->server.cacert = optarg; break;
        case 't': p->server.trust = optarg; break;
        case 'S': p->stream = p->server.stream = optarg; break;
        case 'H': p->horizon = optarg; break;
        case 'C': p->column = optarg; break;
        case 'v': p->verbose = true; break;
        case 'k': p->kept = true; break;
        case 'j': p->json = true; break;
        case 'h': *help = true; break;
        case 'n':
        case 'T':
            if (!phone_number(optarg, o == 'n' ? &p->most : &p->timeout))
                return phone_wrong("不是有效的数字：", optarg, "请给出 1 以上的整数。");
            break;
        default: return phone_wrong("选项不对", NULL, "用 tjzw-phone --help 查看全部选项。");
        }
    return 0;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* "all" is 0. */
static bool take_horizon(const char *text, uint64_t *out)
{
    uint32_t n = 0;
    bool good = strcmp(text, "all") == 0 || phone_number(text, &n);

    *out = n;
    return good;
}

static int check(const struct phone *p, const struct command *c, int arguments)
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
static int take_server(struct phone *p, const struct command *c)
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

static int run_open(struct phone *p, const struct command *c, const char *argument)
{
    int status = take_server(p, c);
    struct tjzw_error e;
    uint64_t horizon;

    if (!status && c->asks && p->horizon && take_horizon(p->horizon, &horizon) &&
        tjzw_horizon(p->t, p->stream, horizon, &e))
        status = phone_failed(p, c->name, &e);
    return status ? status : c->run(p, argument);
}

static int run(struct phone *p, const struct command *c, const char *argument)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    struct tjzw_error e;
    int status;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    status = tjzw_open(p->store, &p->t, &e) ? phone_failed(p, c->name, &e)
                                            : run_open(p, c, argument);
    if (p->json && c->asks && c->run != phone_blob && c->run != phone_listen) {
        if (status == EXIT_ASKED_WRONGLY)
            p->code = TJZW_USAGE;
        phone_tell_json(p);
        status = status ? status : phone_finish(c->name);
    }
    tjzw_close(p->t);
    return status;
}

int main(int argc, char **argv)
{
    struct phone p = { 0 };
    const struct command *c = NULL;
    bool help = false;
    int status;

    if ((status = take_options(argc, argv, &p, &help)))
        return status;
    if (optind < argc && !(c = find_command(argv[optind])))
        return phone_wrong("没有这个命令：", argv[optind],
                           "用 tjzw-phone --help 查看全部命令。");
    if (help || !c) {
        print_help(c);
        return help ? EXIT_SUCCESS : EXIT_ASKED_WRONGLY;
    }
    if ((status = check(&p, c, argc - optind - 1)))
        return status;
    if (optind + 1 + (c->argument != NULL) < argc)
        p.more = argv[optind + 1 + (c->argument != NULL)];
    return run(&p, c, c->argument ? argv[optind + 1] : NULL);
}
