/*
 * phone_read.c - tjzw-phone's commands that sync, and those that read what is held.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "clients/c/phone.h"

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
    printf("  %s %s\n      状态 %d，收 %" PRIu64 " 字节，发 %" PRIu64 " 字节，%" PRIu64
           " 毫秒\n",
           r->method, r->path, r->status, r->bytes_down, r->bytes_up, r->ms);
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
        printf("已更新：%" PRIu64 " 处变化，公开内容全部通过签名核验。", r->records);
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

int phone_sync(struct phone *p, const char *argument)
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

int phone_list(struct phone *p, const char *argument)
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

int phone_search(struct phone *p, const char *argument)
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

int phone_show_item(struct phone *p, const char *argument)
{
    enum tjzw_code rc;
    struct tjzw_error e;

    rc = tjzw_read(p->t, argument, print_item, NULL, &e);
    if (rc == TJZW_USAGE)
        return phone_not_an_id(argument);
    if (rc)
        return phone_failed(p, "show", &e);
    (void)!tjzw_count_read(p->t, argument,
                           NULL); /* if its owner agreed; reading does not hang on it */
    return phone_finish("show");
}

static bool print_record(void *ctx, const struct tjzw_item *item)
{
    (void)ctx;
    fwrite(item->json, 1, item->json_len, stdout);
    putchar('\n');
    return !ferror(stdout);
}

int phone_export(struct phone *p, const char *argument)
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

int phone_columns(struct phone *p, const char *argument)
{
    struct tjzw_error e;

    (void)argument;
    if (tjzw_columns(p->t, print_column, NULL, &e))
        return phone_failed(p, "columns", &e);
    return phone_finish("columns");
}
