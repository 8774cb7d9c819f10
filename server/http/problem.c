/*
 * problem.c - the table of failures and its two renderings.
 *
 * What failed inside (disk, corruption, our own mistakes) is told to the log with its reason
 * and to the client without one: the trace id joins the two.
 */
#include "server/http/problem.h"

#include <stdio.h>
#include <string.h>

#include "server/base/jx.h"

const char TYPE_PROBLEM[] = "application/problem+json";

/* clang-format off */
static const struct problem table[] = {
    { RC_INVALID, 400, "invalid", "请求有误", "The request breaks a rule",
      "请求的地址、参数或内容不符合接口的规定，detail 说明是哪一处。", "按 detail 和 errors 的提示修改后再发送；接口的规定见 /openapi.json。" },
    { RC_UNAUTHORIZED, 401, "unauthorized", "需要身份凭证", "Credentials are needed",
      "这个接口只对持有凭证的人开放，而请求没有带凭证，或凭证无效、已过期。", "用 Authorization: Bearer 带上有效的令牌；令牌由管理员签发。" },
    { RC_FORBIDDEN, 403, "forbidden", "没有权限", "The right is missing",
      "凭证有效，但它没有这项操作的权限。", "请管理员签发带有该权限的令牌。" },
    { RC_UNLISTED, 403, "device", "这台设备没有登记，请找系统管理员", "The rights of staff do not count at this device",
      "工作人员只能在登记过的设备上办公，而这台设备不在名单里：可能是新换的设备或浏览器，也可能清除过浏览器的数据。", "把 detail 里或“登录的设备”页上的设备编号告诉系统管理员，由他登记；登记后不用重新登录，马上可用。" },
    { RC_READ_ONLY, 403, "read-only", "本节点只供阅读", "Nothing can be changed here",
      "本节点只展示另一台服务器发布的内容，自己不发布，也不接受任何改动。", "到发布这些内容的服务器上去改，detail 里有它的地址。" },
    { RC_NOT_FOUND, 404, "not-found", "没有找到", "There is nothing here",
      "这个地址上没有内容：可能是地址写错了，也可能内容从未发布。", "检查地址；最新内容可以从首页或列表接口找到。" },
    { RC_GONE, 410, "gone", "内容已经撤下", "It was withdrawn",
      "这里曾经有内容，后来被撤下，或被新的版本取代。", "不要重试；请从列表或最新的同步头重新获取。" },
    { RC_CONFLICT, 409, "conflict", "与当前状态冲突", "The state does not allow it",
      "对象现在的状态不允许这项操作，或者别人先改了它。", "重新读取对象，看清现状，再决定是否操作。" },
    { RC_PRECONDITION, 412, "precondition", "前提条件不成立", "If-Match does not hold",
      "请求声明的版本（If-Match）不是对象现在的版本。", "重新读取对象，用新的 ETag 再试。" },
    { RC_TOO_LARGE, 413, "too-large", "内容太大", "The content is too large",
      "请求的内容超过了这个接口允许的大小。", "分成几次发送，或压缩内容。" },
    { RC_UNPROCESSABLE, 422, "idempotency-mismatch", "幂等键已用于别的请求", "The Idempotency-Key was used for something else",
      "同一个 Idempotency-Key 一天之内曾用于另一个内容不同的请求。", "每个新的请求使用新的键；只有重发同一个请求时才重用。" },
    { RC_UNFIT, 422, "unfit", "内容有必须改正的问题", "A blocking rule refuses the text",
      "内容违反了不得发布的规则（如被篡改的标题、密级标志、身份证号码），这一步没有进行，草稿还在。", "按 verdicts 逐处修改后再送审、审核或发布：每处有字段、起止位置、规则和改法。" },
    { RC_TOO_MANY, 429, "too-many", "请求太频繁", "Too many requests",
      "这个网络地址在一分钟里的请求超过了限额。", "按 Retry-After 的秒数等待后再试；批量数据请用同步接口。" },
    { RC_BUSY, 503, "busy", "服务正忙", "The server is busy",
      "等待处理的请求太多，服务器没有接受这一个，也没有做任何改动。", "按 Retry-After 的秒数等待后再试。" },
    { RC_FULL, 507, "full", "存储空间不足，暂时只读", "No room is left: nothing can be changed for now",
      "服务器的磁盘快要写满了，这一次的改动没有保存；已有的内容照常可以阅读。", "请管理员腾出空间，服务器会自动恢复；按 Retry-After 的秒数等待后再发送同一个请求。" },
    { RC_UNWRITABLE, 507, "unwritable", "存储设备不可写，暂时只读", "The disk takes no writes: nothing can be changed for now",
      "服务器的磁盘出了故障，或被挂载为只读，这一次的改动没有保存；已有的内容照常可以阅读。", "请管理员检查磁盘，修好后服务器会自动恢复；按 Retry-After 的秒数等待后再发送同一个请求。" },
    { RC_IO, 500, "io", "服务器读写失败", "The server's disk or network failed",
      "服务器的磁盘或网络出错，改动没有保存。", "稍后再试；若一再发生，请把 traceId 告诉管理员。" },
    { RC_CORRUPT, 500, "corrupt", "服务器数据校验失败", "Stored data did not verify",
      "服务器保存的数据与它的校验值不符，为免误导没有给出。", "请把 traceId 告诉管理员，由管理员运行 tjzw verify。" },
    /* What only HTTP itself can bring about stands behind the first row of its kind, so that problem_of() does not meet it. */
    { RC_INVALID, 405, "method", "这个地址不支持该方法", "The method is not supported here",
      "这个地址存在，但不接受请求所用的方法。", "可用的方法列在 Allow 头里。" },
    { RC_TOO_LARGE, 431, "headers", "请求头太大", "The header fields are too large",
      "请求头的各项加起来超过了 32 KB。", "去掉不需要的请求头（常见的是过多的 Cookie），再发送。" },
    { RC_INVALID, 415, "media-type", "内容的类型不对", "The content has another media type",
      "请求的 Content-Type 不是这个接口所收的类型。", "以 detail 所说的类型发送；一般是 Content-Type: application/json。" },
    { RC_INVALID, 416, "range", "所求的区间不存在", "The range lies outside",
      "请求的字节区间超出了内容的长度。", "内容的实际长度在 Content-Range 头里；去掉 Range 可取全文。" },
    { RC_INTERNAL, 500, "internal", "服务器内部错误", "The server made a mistake",
      "服务器程序出错，不是请求的问题。", "稍后再试；若一再发生，请把 traceId 告诉管理员。" },
};
/* clang-format on */

enum { ROWS = sizeof table / sizeof *table };

const struct problem *problem_all(int *n)
{
    *n = ROWS;
    return table;
}

const struct problem *problem_of(enum rc rc)
{
    for (int i = 0; i < ROWS; i++)
        if (table[i].rc == rc)
            return &table[i];
    return &table[ROWS - 1];
}

const struct problem *problem_by_slug(const char *slug)
{
    for (int i = 0; i < ROWS; i++)
        if (!strcmp(table[i].slug, slug))
            return &table[i];
    return NULL;
}

/* Our own failures carry paths and statements in their sentence: those are for the log. */
static const char *sentence(const struct problem *p, const struct err *e)
{
    return p->status == 500 || e->inside || !e->text[0] ? p->english : e->text;
}

/* By what `field` begins with: problem.h. */
static void put_place(struct buf *out, const char *field)
{
    char pointer[sizeof((struct err *)0)->field + 1];

    if (*field == '?') {
        jx_put_text(out, "parameter", field + 1);
    } else if (*field == '/') {
        snprintf(pointer, sizeof pointer, "#%s", field);
        jx_put_text(out, "pointer", pointer);
    } else {
        jx_put_text(out, "header", field);
    }
}

/* `also`: further members, each with a comma before it. */
static void render_json(const struct problem *p, const struct err *e, const char *request,
                        const char *also, struct buf *out)
{
    const char *detail = sentence(p, e);

    buf_printf(out, "{\"type\":\"/problems/%s\"", p->slug);
    jx_put_text(out, "title", p->title);
    jx_put_int(out, "status", p->status);
    jx_put_text(out, "detail", detail);
    buf_printf(out, ",\"instance\":\"urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s\"", request,
               request + 8, request + 12, request + 16, request + 20);
    jx_put_text(out, "traceId", request);
    if (e->field[0] && p->status != 500) {
        jx_key(out, "errors");
        buf_adds(out, "[{");
        put_place(out, e->field);
        jx_put_text(out, "detail", detail);
        buf_adds(out, "}]");
    }
    buf_adds(out, also);
    buf_addc(out, '}');
}

static void render_page(const struct problem *p, const struct err *e, const char *request,
                        struct buf *out)
{
    const char *detail = sentence(p, e);

    buf_printf(out,
               "<!doctype html>\n<html lang=\"zh-CN\">\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, "
               "initial-scale=1\">\n<title>%s</title>\n"
               "<h1>%s</h1>\n<p>%s</p>\n<p>%s</p>\n<p lang=\"en\">",
               p->title, p->title, p->cause, p->fix);
    buf_html(out, detail, strlen(detail));
    buf_printf(out,
               "</p>\n<p><small>%d · %s</small></p>\n<p><a href=\"/\">回到首页</a> · "
               "<a href=\"/problems/%s\">这是什么</a></p>\n",
               p->status, request, p->slug);
}

static void (*draw_page)(const struct problem *, const struct err *, const char *,
                         struct buf *) = render_page;

void problem_set_page(void (*draw)(const struct problem *p, const struct err *e,
                                   const char *request, struct buf *out))
{
    draw_page = draw;
}

void problem_reply(struct arena *mem, const struct problem *p, const struct err *e,
                   const char *request, bool page, struct reply *rp)
{
    struct buf body = BUF_IN(mem);

    if (page)
        draw_page(p, e, request, &body);
    else
        render_json(p, e, request, rp->also ? rp->also : "", &body);
    rp->status = p->status;
    rp->etag = NULL;
    rp->cache = NULL;
    rp->ranges = false;
    reply_buf(rp, page ? TYPE_HTML : TYPE_PROBLEM, &body);
    for (int i = 0; i < rp->nextra; i++)
        if (!strcmp(rp->extra[i].name, "content-language"))
            return;
    if (rp->nextra < REPLY_HEADERS)
        reply_header(rp, "content-language", "zh-CN");
}
