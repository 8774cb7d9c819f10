/*
 * phone_watch.c - tjzw-phone's commands about what comes by itself: where this phone is reached by push, and what arrives while one looks.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/phone.h"

/* ---- where this phone is reached ---- */

static int said(struct phone *p, enum tjzw_code rc, const struct tjzw_error *e)
{
    if (rc == TJZW_SIGN_IN)
        fprintf(stderr, "服务器还不认识这部手机：请先 sync 或登录。\n");
    return rc ? phone_failed(p, "device", e) : phone_finish("device");
}

static int show_device(struct phone *p)
{
    struct tjzw_push_told told;
    struct tjzw_error e;
    enum tjzw_code rc;

    phone_runs(p->t);
    rc = tjzw_push_told(p->t, &told, &e);
    phone_runs(NULL);
    if (rc == TJZW_NOT_FOUND) {
        printf("本机没有登记接收推送：device TRANSPORT 令牌。\n");
        return phone_finish("device");
    }
    if (!rc)
        printf("本机（%s）从 %s 接收推送，%.10s %.5s 登记。\n", told.device, told.transport,
               told.told, told.told + (strlen(told.told) > 16 ? 11 : 0));
    return said(p, rc, &e);
}

int phone_device(struct phone *p, const char *none)
{
    const char *transport = p->more;
    bool removes = transport && strcmp(transport, "remove") == 0;
    char device[TJZW_DEVICE + 1] = "";
    struct tjzw_error e;
    enum tjzw_code rc;

    (void)none;
    if (!transport)
        return show_device(p);
    if (!removes && !p->third)
        return phone_wrong("缺少推送令牌", NULL,
                           "例如 device huawei 令牌；不再接收用 device remove。");
    phone_runs(p->t);
    rc = tjzw_push_address(p->t, removes ? NULL : transport, p->third, device, &e);
    phone_runs(NULL);
    if (!rc)
        printf(removes ? "本机（%s）不再接收推送。\n" : "本机（%s）可以收到推送了。\n", device);
    return said(p, rc, &e);
}

/* ---- what arrives ---- */

enum { ID = 37 };

struct watch {
    struct phone *p;
    struct tjzw *
        reader; /* another handle of the store: the one that listens is at work when it calls us */
    char (*seen)[ID]; /* all that this phone held since it began; the first `sorted` in order */
    size_t n, sorted, room;
    bool begun;
};

static const char *now_text(char out[32])
{
    return phone_time(time(NULL), "%H:%M:%S", out);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void remember(struct watch *w, const char id[ID])
{
    if (w->n == w->room) {
        w->room = w->room ? 2 * w->room : 1024;
        if (!(w->seen = reallocarray(w->seen, w->room, ID)))
            abort();
    }
    memcpy(w->seen[w->n++], id, ID);
}

static bool take_item(void *ctx, const struct tjzw_item *item)
{
    struct watch *w = ctx;
    char at[32];

    if (w->sorted && bsearch(item->id, w->seen, w->sorted, ID, by_id))
        return true;
    remember(w, item->id);
    if (w->begun)
        printf("%s 新内容：%s（%s）  show %s\n", now_text(at), item->title, item->column,
               item->id);
    return true;
}

/* All of it: what stands among the newest because another is gone is not new. */
static void look(struct watch *w)
{
    const struct tjzw_query all = { .stream = w->p->stream, .most = UINT32_MAX };
    struct tjzw_error e;

    if (tjzw_list(w->reader, &all, take_item, w, &e) && w->p->verbose)
        fprintf(stderr, "%s\n", e.detail);
    if (w->n > w->sorted)
        qsort(w->seen, w->n, ID, by_id);
    w->sorted = w->n;
    w->begun = true;
}

static bool on_synced(void *ctx, const char *stream, const struct tjzw_sync_result *result,
                      enum tjzw_code code, const struct tjzw_error *e)
{
    struct watch *w = ctx;
    char at[32];

    (void)stream;
    if (code && w->p->verbose)
        fprintf(stderr, "%s %s\n", now_text(at), e->text);
    if (!code && result->changed)
        look(w);
    return fflush(stdout) != 0;
}

static bool print_title(void *ctx, const struct tjzw_entry *entry)
{
    json_t *value = json_loads(entry->value, 0, NULL);
    const char *title = json_string_value(json_object_get(value, "title"));
    char now[32];

    (void)ctx;
    printf("%s 新消息：%s  inbox\n", now_text(now), title ? title : "");
    json_decref(value);
    return true;
}

/* A message that was taken back says so, too. */
static void on_change(void *ctx, const char *type, const char *key)
{
    struct watch *w = ctx;
    struct tjzw_error e;
    char at[32];

    if (!type || !key || strcmp(type, "message") != 0)
        return;
    if (tjzw_entries(w->reader, "message", key, print_title, w, &e) == TJZW_NOT_FOUND)
        printf("%s 一条消息收回了或删去了（编号 %s）\n", now_text(at), key);
    fflush(stdout);
}

int phone_watch(struct phone *p, const char *none)
{
    struct watch w = { .p = p };
    struct tjzw_listen_options options = { .stream = p->stream,
                                           .synced = on_synced,
                                           .ctx = &w };
    struct tjzw_error e;
    enum tjzw_code rc;

    (void)none;
    if (p->more && !phone_number(p->more, &options.seconds))
        return phone_wrong("不是有效的秒数：", p->more, "请给出 1 以上的整数。");
    if (tjzw_open(p->store, &w.reader, &e))
        return phone_failed(p, "watch", &e);
    look(&w);
    fprintf(stderr, "在看着：有新内容或消息就写在这里，按 Ctrl+C 停下。\n");
    tjzw_on_change(p->t, on_change, &w);
    phone_runs(p->t);
    rc = tjzw_listen(p->t, &options, &e);
    phone_runs(NULL);
    tjzw_close(w.reader);
    free(w.seen);
    p->code = TJZW_OK;
    return rc && rc != TJZW_STOPPED ? phone_failed(p, "watch", &e) : phone_finish("watch");
}
