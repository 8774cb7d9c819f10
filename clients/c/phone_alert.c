/*
 * phone_alert.c - tjzw-phone alerts: what is in force, from what is held.
 */
#include <stdio.h>
#include <string.h>

#include "clients/c/phone.h"

struct walk {
    const struct phone *p;
    size_t n;
};

static bool print_one(void *ctx, const struct tjzw_alert *a)
{
    struct walk *w = ctx;
    char at[32];

    w->n++;
    if (w->p->json) {
        printf("%.*s\n", (int)a->json_len, a->json);
        return !ferror(stdout);
    }
    printf("%s【%s%s】%s\n", w->n > 1 ? "\n" : "", a->level, a->over ? "·已解除" : "预警",
           a->title);
    if (a->expires)
        printf("有效期至 %s\n", phone_time(a->expires, "%Y-%m-%d %H:%M", at));
    if (*a->body)
        printf("%s\n", a->body);
    if (*a->instruction)
        printf("防御指南：%s\n", a->instruction);
    printf("%s发布，编号 %s\n", a->source, a->identifier);
    return !ferror(stdout);
}

int phone_alerts(struct phone *p, const char *none)
{
    struct walk w = { p, 0 };
    struct tjzw_error e;
    enum tjzw_code rc;

    (void)none;
    rc = tjzw_alerts(p->t, p->more, print_one, &w, &e);
    if (rc == TJZW_USAGE)
        return phone_wrong("不是区划代码：", p->more, "应是 6、9 或 12 位数字，如 120101。");
    if (rc)
        return phone_failed(p, "alerts", &e);
    if (!w.n)
        fprintf(stderr, "本机没有有效的预警。最近一次同步的时间用 status 看。\n");
    return phone_finish("alerts");
}
