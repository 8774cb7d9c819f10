/*
 * docs_page.c - /docs: five minutes to the first answer, then every route, then the data they
 * take and give, then every failure.
 * /problems/NAME: one failure.
 *
 * The curl lines work as they stand on the host that was asked, which is why the page is not
 * kept in the answer cache.
 */
#include "api/docs_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/docs_data.h"
#include "api/instance.h"
#include "api/openapi.h"
#include "api/page.h"
#include "api/shape.h"
#include "server/library/stream.h"

/* ---- five minutes ---- */

struct guide {
    const char *origin;
    const char *insecure; /* "-k " for a certificate that curl does not know */
    const char *stream;
};

static void put_curl(struct buf *b, const struct guide *g, const char *options,
                     const char *target)
{
    buf_adds(b, "<pre tabindex=\"0\"><code>curl -s ");
    buf_adds(b, g->insecure);
    page_text(b, options);
    buf_adds(b, "'");
    page_text(b, g->origin);
    page_text(b, target);
    buf_adds(b, "'</code></pre>\n");
}

static void put_quick_start(struct work *w, struct buf *b, const struct guide *g)
{
    buf_adds(b, "<h2 id=\"start\">5 "
                "分钟接入</h2>\n<p>公开内容不需要申请，也不需要凭证。最新的三条：</p>\n");
    put_curl(b, g, "", "/v1/items?n=3");
    buf_adds(b, "<p>答复里有 <code>next</code>，就把它作为 <code>cursor</code> "
                "再问一次；没有就到底了。翻页期间发布的内容不会使结果重复或遗漏。"
                "每一条的 <code>id</code> 可取全文，也是网页地址 <code>/a/{id}</code>：</p>\n");
    put_curl(b, g, "", "/v1/items/{id}");
    buf_adds(b,
             "<p>答复都带 <code>ETag</code>。下次带上它，没有变化时只答 304，不费流量：</p>\n");
    put_curl(b, g, "-i -H 'If-None-Match: \"…\"' ", "/v1/items?n=3");
    buf_adds(b, "<p>"
                "要保存全部内容并跟上每次变更，请不要轮询列表，用同步接口：先取签名的头，再取变"
                "更，断网可读，撤稿会传到。</p>\n");
    put_curl(b, g, "", arena_printf(w->mem, "/v1/sync/%s/head", g->stream));
    buf_adds(b, "<p>发布内容的程序需要管理员签发的令牌，放在 <code>Authorization: "
                "Bearer</code> 头里；给每个写请求带上自选的 <code>Idempotency-Key</code>，"
                "网络出错时原样重发，不会重复生效。机器可读的接口文档：<a "
                "href=\"/openapi.json\">/openapi.json</a>。</p>\n");
}

/* ---- the routes ---- */

static void put_params(struct buf *b, const struct route *r)
{
    if (!r->params)
        return;
    buf_printf(b,
               "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"%s "
               "的参数\"><table>\n<thead><tr><th scope=\"col\">参数</th><th "
               "scope=\"col\">说明</th></tr></thead>\n<tbody>\n",
               r->summary);
    for (const struct param *p = r->params; p->name; p++) {
        buf_printf(b, "<tr><td><code>%s</code></td><td>", p->name);
        page_text(b, p->doc);
        if (p->type == P_INT && p->max < INT32_MAX)
            buf_printf(b, "（%" PRId64 "–%" PRId64 "）", p->min, p->max);
        buf_adds(b, "</td></tr>\n");
    }
    buf_adds(b, "</tbody></table></div>\n");
}

/* "-X POST -H 'Authorization: …' …" of the example. */
static const char *curl_options(struct work *w, const struct route *r, const struct shape *s)
{
    struct buf b = BUF_IN(w->mem);

    buf_adds(&b, "");
    if (r->method != GET)
        buf_printf(&b, "-X %s ", method_name(r->method));
    if (r->right != RIGHT_READ)
        buf_adds(&b, "-H \"Authorization: Bearer $TOKEN\" ");
    if (s->flags & SHAPE_IF_MATCH)
        buf_adds(&b, "-H 'If-Match: \"3\"' ");
    if (s->body)
        buf_printf(&b, "-H 'Content-Type: %s' --data-binary @FILE ",
                   s->body_type ? s->body_type : TYPE_JSON);
    return b.p;
}

/* Where the section 数据 says what goes in and what comes out. */
static void put_schemas(struct buf *b, const struct shape *s)
{
    if (s->body && *s->body) {
        buf_adds(b, "请求：");
        docs_data_link(b, s->body);
        buf_adds(b, "。");
    }
    if (s->answer && *s->answer) {
        buf_printf(b, "答复 %d：", s->status ? s->status : 200);
        docs_data_link(b, s->answer);
        buf_adds(b, "。");
    }
}

static void put_route(struct work *w, struct buf *b, const struct guide *g,
                      const struct route *r)
{
    const struct shape *s = shape_of(r);
    struct buf path = BUF_IN(w->mem);
    char rights[RIGHTS_TEXT];

    routes_put_path(&path, r);
    buf_printf(b, "<section class=\"route\">\n<h3><code>%s %s</code></h3>\n<p>%s。",
               method_name(r->method), path.p, r->summary);
    if (r->right == RIGHT_READ)
        buf_adds(b, "不需要凭证。");
    else
        buf_printf(b, "需要 <code>%s</code> 权限。", rights_text(r->right, rights));
    if (r->body_max)
        buf_printf(b, "正文%s最多 %" PRId64 " KB。", s->body_type ? "" : "是 JSON，",
                   r->body_max / 1024);
    put_schemas(b, s);
    buf_adds(b, "</p>\n");
    put_params(b, r);
    put_curl(b, g, curl_options(w, r, s), r->example ? r->example : path.p);
    buf_adds(b, "</section>\n");
}

static void put_routes(struct work *w, struct buf *b, const struct guide *g)
{
    for (const struct route_tag *tag = routes_tags; tag->name; tag++) {
        buf_printf(b, "<h2>%s</h2>\n<p>%s</p>\n", tag->name, tag->doc);
        for (const struct route *r = routes_table; r->path; r++)
            if (openapi_shows(r) && !strcmp(r->tag, tag->name))
                put_route(w, b, g, r);
    }
}

/* ---- failures ---- */

static void put_problems(struct buf *b)
{
    const struct problem *all;
    int n;

    all = problem_all(&n);
    buf_adds(b, "<h2 id=\"problems\">错误</h2>\n<p>没有成功的答复都是 "
                "<code>application/problem+json</code>：<code>type</code> "
                "指向说明页，<code>detail</code> 说明这一次的原因，"
                "<code>traceId</code> 是请求编号，报告问题时请附上。</p>\n"
                "<div class=\"wide\" tabindex=\"0\" role=\"group\" "
                "aria-label=\"错误\"><table>\n<thead><tr><th scope=\"col\">状态</th><th "
                "scope=\"col\">类型</th><th scope=\"col\">含义</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < n; i++)
        buf_printf(b,
                   "<tr><td>%d</td><td><a href=\"/problems/%s\">%s</a></td><td>%s</td></tr>\n",
                   all[i].status, all[i].slug, all[i].slug, all[i].title);
    buf_adds(b, "</tbody></table></div>\n");
}

enum rc get_docs(struct work *w, const struct request *rq, struct reply *rp)
{
    struct page page = { .title = "开发者文档", .path = "/docs" };
    struct buf b = BUF_IN(w->mem), origin = BUF_IN(w->mem);
    struct guide g = { .insecure = rq->tls && !*instance()->public_url ? "-k " : "" };
    struct stream stream;
    enum rc rc;

    if ((rc = instance_stream(w, &stream)))
        return rc;
    instance_asked(&origin, rq);
    g.origin = origin.p;
    g.stream = stream.name;
    page_open(&b, &page);
    buf_adds(
        &b,
        "<h1>开发者文档</h1>\n<nav class=\"columns\" "
        "aria-label=\"本页\">\n<ul>\n<li><a href=\"#start\">5 分钟接入</a></li>\n"
        "<li><a href=\"#data\">数据</a></li>\n<li><a href=\"#problems\">错误</a></li>\n<li><a "
        "href=\"/openapi.json\">OpenAPI 文档</a></li>\n</ul>\n</nav>\n");
    put_quick_start(w, &b, &g);
    put_routes(w, &b, &g);
    docs_data_put(&b);
    put_problems(&b);
    page_close(&b, &page);
    page_reply(rp, &b);
    return RC_OK;
}

enum rc get_problem(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct problem *p = problem_by_slug(request_arg(rq, "slug")->text);
    struct buf b = BUF_IN(w->mem);
    struct page page = { 0 };

    if (!p)
        return err_set(&w->err, RC_NOT_FOUND, "there is no problem type of that name");
    page.title = p->title;
    page_open(&b, &page);
    buf_printf(&b,
               "<h1>%s</h1>\n<p class=\"small\">HTTP %d　<code>/problems/%s</code>　<span "
               "lang=\"en\">%s</span></p>\n"
               "<h2>为什么会这样</h2>\n<p>%s</p>\n<h2>怎么办</h2>\n<p>%s</p>\n"
               "<p><a class=\"button\" href=\"/docs#problems\">全部错误</a></p>\n",
               p->title, p->status, p->slug, p->english, p->cause, p->fix);
    page_close(&b, &page);
    page_reply(rp, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
