/*
 * page.c - what all pages share, so that each of them is calm in the same way.
 *
 * Large is not another site but another size: the same addresses, the root's font at 24 px,
 * targets of 60 px, and links that stay large.
 */
#include "api/page.h"

#include <assert.h>
#include <string.h>

#include "api/feed.h"
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
    for (int i = 0; p->feed && i < FEED_FORMATS; i++)
        buf_printf(out, "<link rel=\"alternate\" type=\"%.*s\" href=\"%s%s\" title=\"%s\">\n",
                   (int)strcspn(feed_formats[i].type, ";"), feed_formats[i].type, p->feed,
                   feed_formats[i].ending, feed_formats[i].label);
    buf_adds(out, "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<link rel=\"stylesheet\" href=\"/style.css\">\n"
                  "<link rel=\"icon\" href=\"/favicon.ico\" type=\"image/svg+xml\">\n");
    if (p->next) {
        buf_adds(out, "<meta http-equiv=\"refresh\" content=\"0; url=");
        page_text(out, p->next);
        buf_adds(out, "\">\n");
    }
    if (p->script)
        buf_adds(out, "<script src=\"/passkey.js\" defer></script>\n");
    buf_adds(out, "</head>\n");
}

void page_open(struct buf *out, const struct page *p)
{
    put_head(out, p);
    buf_adds(out, "<body>\n<a class=\"skip\" href=\"#main\">跳到正文</a>\n<header "
                  "class=\"top\">\n<div class=\"wrap\">\n");
    buf_printf(out, "<a class=\"name\" href=\"%s\">", p->large ? "/large" : "/");
    page_text(out, instance()->name);
    buf_adds(out, "</a>\n");
    if (p->other) {
        buf_adds(out, "<a class=\"size\" href=\"");
        page_text(out, p->other);
        buf_printf(out, "\">%s</a>\n", p->large ? "标准版" : "长辈版");
    }
    buf_adds(out, "</div>\n</header>\n");
    if (p->banner) {
        buf_adds(out, "<aside class=\"banner\" aria-label=\"状态\"><p class=\"wrap\">");
        page_text(out, p->banner);
        if (p->banner_way)
            buf_printf(out, "<a href=\"%s%s\">切换或结束</a>", p->banner_way,
                       p->large ? "?large=1" : "");
        buf_adds(out, "</p></aside>\n");
    }
    if (instance()->demo)
        buf_adds(out, "<aside class=\"banner\" aria-label=\"演示\"><p "
                      "class=\"wrap\">演示数据：内容均为示例，不作为办事依据。</p></aside>\n");
    buf_adds(out, "<main id=\"main\" class=\"wrap\" tabindex=\"-1\">\n");
}

void page_close(struct buf *out, const struct page *p)
{
    const char *size = p->large ? "?large=1" : "";

    buf_printf(
        out,
        "</main>\n<footer class=\"foot\">\n<nav class=\"wrap\" aria-label=\"站内\">\n<ul>\n"
        "<li><a href=\"%s\">首页</a></li>\n<li><a href=\"/columns%s\">全部栏目</a></li>\n",
        p->large ? "/large" : "/", size);
    if (instance()->stream) /* what only shows what another publishes has no accounts */
        buf_printf(out, "<li><a href=\"/account%s\">我的账号</a></li>\n", size);
    buf_adds(
        out,
        "<li><a href=\"/docs\">开发者文档</a></li>\n</ul>\n</nav>\n<p class=\"wrap\">"
        "内容出自统一信息资源库，先入库，后使用。所有时间为北京时间。</p>\n</footer>\n</body>\n"
        "</html>\n");
}

void page_reply(struct reply *rp, const struct buf *b)
{
    reply_buf(rp, TYPE_HTML, b);
    reply_header(rp, "content-language", "zh-CN");
}

/* What could end a word of the policy is in no origin. */
static const char *form_to(const struct page *p)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/.-[]";

    return p->form_to && strspn(p->form_to, letters) == strlen(p->form_to) ? p->form_to : "";
}

void page_reply_as(struct work *w, struct reply *rp, const struct buf *b, const struct page *p)
{
    page_reply(rp, b);
    if (p->script || p->form_to)
        reply_header(rp, "content-security-policy",
                     arena_printf(w->mem,
                                  "default-src 'none'; %sstyle-src 'self'; img-src 'self'; "
                                  "base-uri 'none'; form-action 'self' %s; frame-ancestors "
                                  "'none'",
                                  p->script ? "script-src 'self'; " : "", form_to(p)));
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

/* For who came with a browser and not with a program. */
static const struct said {
    const char *slug, *title, *cause, *fix;
} said[] = {
    { "unauthorized", "请先登录", "这个页面只给登录了的人看。", "请登录以后再打开。" },
    { "forbidden", "您不能进行这项操作",
      "这个页面开得太久，或登录的人已经换了，或您正在以单位的名义办事，或您的账号没有这项权限"
      "。",
      "请重新打开这个页面再试一次；还是不行，就请联系给您开通账号的单位。" },
    { "invalid", "没有看懂这个请求", "网址或填写的内容不完整。",
      "请回到前一页，重新打开再试一次。" },
    { "too-many", "操作太频繁了", "这个网络在一分钟里的请求太多。", "请等一分钟再试。" },
};

/* The problem in a visitor's words. */
static struct said in_words(const struct problem *p)
{
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (!strcmp(said[i].slug, p->slug))
            return said[i];
    return (struct said){ p->slug, p->title, p->cause, p->fix };
}

/* The sentence in `e` is for programs, which get it as JSON: a citizen is told what to do. */
void page_problem(const struct problem *p, const struct err *e, const char *request,
                  struct buf *out)
{
    const struct said words = in_words(p);
    struct page page = { .title = words.title, .noindex = true };

    (void)e;
    page_open(out, &page);
    buf_printf(out, "<h1>%s</h1>\n<p>%s</p>\n<p>%s</p>\n", words.title, words.cause, words.fix);
    buf_adds(out, "<p><a class=\"button\" href=\"/\">回到首页</a></p>\n");
    put_about(out, p);
    if (request && *request)
        buf_printf(out, "。请求编号 <code>%s</code>，报告问题时请附上", request);
    buf_adds(out, "。</p>\n");
    page_close(out, &page);
}
