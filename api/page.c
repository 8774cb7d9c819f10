/*
 * page.c - what all pages share, so that each of them is calm in the same way.
 *
 * Large is not another site but another size: the same addresses, the root's font at 24 px,
 * targets of 60 px, and links that stay large.
 */
#include "api/page.h"

#include <assert.h>
#include <string.h>

#include "api/instance.h"
#include "server/base/clock.h"

void page_text(struct buf *out, const char *s)
{
    if (s)
        buf_html(out, s, strlen(s));
}

void page_time(struct buf *out, int64_t at, bool with_minute)
{
    char full[CLOCK_TEXT], shown[CLOCK_TEXT];

    buf_printf(out, "<time datetime=\"%s\">%s</time>", clock_text(at, full),
               with_minute ? clock_minute(at, shown) : clock_day(at, shown));
}

void page_meta(struct page *p, const char *name, const char *content)
{
    if (!content || !*content)
        return;
    assert(p->nmetas < PAGE_METAS);
    p->metas[p->nmetas].name = name;
    p->metas[p->nmetas++].content = content;
}

static void put_head(struct buf *out, const struct page *p)
{
    buf_printf(
        out,
        "<!doctype html>\n<html lang=\"zh-CN\"%s>\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
        p->large ? " class=\"large\"" : "");
    if (p->title) {
        page_text(out, p->title);
        buf_adds(out, " - ");
    }
    page_text(out, instance()->name);
    buf_adds(out, "</title>\n");
    for (int i = 0; i < p->nmetas; i++) {
        buf_printf(out, "<meta %s=\"%s\" content=\"",
                   strchr(p->metas[i].name, ':') ? "property" : "name", p->metas[i].name);
        page_text(out, p->metas[i].content);
        buf_adds(out, "\">\n");
    }
    if (p->noindex)
        buf_adds(out, "<meta name=\"robots\" content=\"noindex\">\n");
    if (p->path && *instance()->public_url) {
        buf_adds(out, "<link rel=\"canonical\" href=\"");
        page_text(out, instance()->public_url);
        page_text(out, p->path);
        buf_adds(out, "\">\n");
    }
    buf_adds(out,
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<link rel=\"stylesheet\" href=\"/style.css\">\n"
             "<link rel=\"icon\" href=\"/favicon.ico\" type=\"image/svg+xml\">\n</head>\n");
}

void page_open(struct buf *out, const struct page *p)
{
    put_head(out, p);
    buf_adds(out, "<body>\n<a class=\"skip\" href=\"#main\">跳到正文</a>\n<header "
                  "class=\"top\">\n<div class=\"wrap\">\n");
    buf_printf(out, "<a class=\"name\" href=\"%s\">", p->large ? "/large" : "/");
    page_text(out, instance()->name);
    buf_adds(out, "</a>\n");
    if (p->other)
        buf_printf(out, "<a class=\"size\" href=\"%s\">%s</a>\n", p->other,
                   p->large ? "标准版" : "长辈版");
    buf_adds(out, "</div>\n</header>\n");
    if (p->banner) {
        buf_adds(out, "<aside class=\"banner\" aria-label=\"状态\"><p class=\"wrap\">");
        page_text(out, p->banner);
        buf_adds(out, "</p></aside>\n");
    }
    if (instance()->demo)
        buf_adds(out, "<aside class=\"banner\" aria-label=\"演示\"><p "
                      "class=\"wrap\">演示数据：内容均为示例，不作为办事依据。</p></aside>\n");
    buf_adds(out, "<main id=\"main\" class=\"wrap\" tabindex=\"-1\">\n");
}

void page_close(struct buf *out, const struct page *p)
{
    buf_printf(
        out,
        "</main>\n<footer class=\"foot\">\n<nav class=\"wrap\" aria-label=\"站内\">\n<ul>\n"
        "<li><a href=\"%s\">首页</a></li>\n<li><a href=\"/columns%s\">全部栏目</a></li>\n"
        "<li><a href=\"/docs\">开发者文档</a></li>\n</ul>\n</nav>\n"
        "<p "
        "class=\"wrap\">内容出自统一信息资源库，先入库，后使用。所有时间为北京时间。</p>\n</"
        "footer>\n</body>\n</html>\n",
        p->large ? "/large" : "/", p->large ? "?large=1" : "");
}

void page_reply(struct reply *rp, const struct buf *b)
{
    reply_buf(rp, TYPE_HTML, b);
    reply_header(rp, "content-language", "zh-CN");
}

static void put_about(struct buf *out, const struct problem *p)
{
    buf_printf(out, "<p class=\"small\">状态 %d，<a href=\"/problems/%s\">关于这种错误</a>",
               p->status, p->slug);
}

void page_gone(struct work *w, struct reply *rp, const char *heading, const char *const *words)
{
    struct page page = { .title = heading, .noindex = true };
    struct buf b = BUF_IN(w->mem);

    page_open(&b, &page);
    buf_adds(&b, "<h1>");
    page_text(&b, heading);
    buf_adds(&b, "</h1>\n");
    for (; *words; words++) {
        buf_adds(&b, "<p>");
        page_text(&b, *words);
        buf_adds(&b, "</p>\n");
    }
    buf_adds(&b, "<p><a class=\"button\" href=\"/\">回到首页</a></p>\n");
    put_about(&b, problem_of(RC_GONE));
    buf_adds(&b, "。</p>\n");
    page_close(&b, &page);
    page_reply(rp, &b);
    rp->status = problem_of(RC_GONE)->status;
}

/* The sentence in `e` is for programs, which get it as JSON: a citizen is told what to do. */
void page_problem(const struct problem *p, const struct err *e, const char *request,
                  struct buf *out)
{
    struct page page = { .title = p->title, .noindex = true };

    (void)e;
    page_open(out, &page);
    buf_printf(out, "<h1>%s</h1>\n<p>%s</p>\n<p>%s</p>\n", p->title, p->cause, p->fix);
    buf_adds(out, "<p><a class=\"button\" href=\"/\">回到首页</a></p>\n");
    put_about(out, p);
    if (request && *request)
        buf_printf(out, "。请求编号 <code>%s</code>，报告问题时请附上", request);
    buf_adds(out, "。</p>\n");
    page_close(out, &page);
}
