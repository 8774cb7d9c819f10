/*
 * phone_status.c - tjzw-phone status and verify: how much is held, how fresh it is, and is it what was signed?
 */
#include <inttypes.h>
#include <stdio.h>

#include "clients/c/phone.h"

static void print_freshness(const struct tjzw_status *s)
{
    char a[32], b[48];

    if (s->signed_at == 0) {
        printf("本机还没有内容：尚未成功同步过。\n");
        return;
    }
    printf("签发时间：%s（北京时间）\n", phone_time(s->signed_at, "%Y-%m-%d %H:%M:%S", a));
    printf("最近核验：%s\n", phone_time(s->checked_at, "%Y-%m-%d %H:%M:%S", a));
    if (s->fresh_for)
        printf("新鲜程度：是最新的，%s内有效\n", phone_span(s->fresh_for, b));
    else
        printf("新鲜程度：已过期 %s，联网后请运行 sync\n", phone_span(s->behind, b));
}

static void print_range(const struct tjzw_status *s)
{
    char a[32];

    if (s->horizon)
        printf("保留范围：最新的 %" PRIu64 " 条\n", s->horizon);
    else
        printf("保留范围：全部\n");
    if (s->signed_at && s->all)
        printf("本机持有：全部内容\n");
    else if (s->signed_at && s->since)
        printf("本机持有：%s 起的全部内容，另有更早的 %" PRIu64 " 条\n",
               phone_time(s->since, "%Y-%m-%d", a), s->older);
    if (s->kept)
        printf("收藏：%" PRIu64 " 条，不论保留范围都留在本机\n", s->kept);
    if (s->withheld)
        printf("另有 %" PRIu64 " 条，该服务器暂不展示\n", s->withheld);
}

int phone_status(struct phone *p, const char *argument)
{
    struct tjzw_status s;
    struct tjzw_error e;

    (void)argument;
    if (tjzw_status(p->t, p->stream, &s, &e))
        return phone_failed(p, "status", &e);
    printf("服务器：%s，数据流 %s\n", s.url, s.stream);
    printf("平台公钥：%s\n", s.trust[0] ? s.trust : "（首次同步时取得）");
    printf("条目：%" PRIu64 " 条，另有 %" PRIu64 " 条已下线\n", s.items, s.tombstones);
    print_range(&s);
    if (s.cursor[0])
        printf("位置：%s\n", s.cursor);
    print_freshness(&s);
    if (s.pending)
        printf("上次同步没有完成，已收到 %" PRIu64 " KB，下次继续\n",
               (s.pending + 1023) / 1024);
    if (s.damaged)
        printf("注意：verify 发现本机数据损坏，下次同步时逐条核对并修复\n");
    return phone_finish("status");
}

int phone_verify(struct phone *p, const char *argument)
{
    struct tjzw_verdict v;
    struct tjzw_error e;

    (void)argument;
    if (tjzw_verify(p->t, p->stream, &v, &e))
        return phone_failed(p, "verify", &e);
    if (v.checked == 0)
        printf("本机还没有内容，没有可核验的。\n");
    else
        printf("核验通过：%" PRIu64 " 条（含已下线的）与签名的状态完全一致。\n", v.checked);
    return phone_finish("verify");
}
