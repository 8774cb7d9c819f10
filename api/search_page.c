/*
 * search_page.c - the same for people: a box, what was found, and the way to more. Without JavaScript.
 */
#include <string.h>

#include "api/page.h"
#include "api/search.h"
#include "server/derived/derived.h"
#include "server/search/find.h"

enum { HITS = 20, BEHIND = 5 };

const struct param search_page_params[] = {
    { "q", P_TEXT, 0, 2000, "要找的词" },
    { "after", P_TEXT, 1, SEARCH_CURSOR, "从哪里继续" },
    { "large", P_BOOL, 0, 0, "长辈版" },
    { 0 },
};

void search_box(struct buf *b, const char *q, bool large)
{
    buf_adds(b, "<form class=\"search\" action=\"/search\" method=\"get\" role=\"search\">\n"
                "<label for=\"q\">搜索</label>\n<input class=\"box\" id=\"q\" name=\"q\" "
                "type=\"search\" "
                "maxlength=\"100\" autocomplete=\"off\" value=\"");
    page_text(b, q);
    buf_adds(b, "\">\n");
    if (large)
        buf_adds(b, "<input type=\"hidden\" name=\"large\" value=\"1\">\n");
    buf_adds(b, "<button class=\"button\" type=\"submit\">搜索</button>\n</form>\n");
}

/* The title is one span: a link of a list is a flex box, where each marked word were a column of its own. */
static void put_hit(struct buf *b, const struct search_hit *hit, bool large)
{
    char id[ID_TEXT];

    buf_printf(b, "<li>\n<a href=\"/a/%s%s\"><span>%s</span></a>\n", id_text(&hit->item.id, id),
               large ? "/large" : "", hit->title);
    if (*hit->snippet)
        buf_printf(b, "<p class=\"summary\">%s</p>\n", hit->snippet);
    buf_adds(b, "<p class=\"small\">");
    page_time(b, hit->item.date, false);
    if (hit->item.kind == KIND_FAQ)
        buf_adds(b, "　问答");
    buf_adds(b, "</p>\n</li>\n");
}

static void put_more(struct buf *b, const char *q, const char *next, bool large)
{
    if (!*next)
        return;
    buf_adds(b, "<nav class=\"pager\" aria-label=\"翻页\">\n<a class=\"button\" rel=\"next\" "
                "href=\"/search?q=");
    buf_url(b, q, strlen(q));
    buf_printf(b, "&amp;after=%s%s\">更多结果</a>\n</nav>\n", next,
               large ? "&amp;large=1" : "");
}

static void put_found(struct buf *b, const struct search_page *page, const char *q, bool large,
                      bool first)
{
    if (derived_age() >= BEHIND)
        buf_adds(b, "<p>索引正在更新，结果可能不全，请稍后再试。</p>\n");
    if (!page->n && first && !*page->next)
        buf_adds(b, "<p>没有找到。可以换个说法，或少写几个词。</p>\n");
    if (page->n) {
        buf_adds(b, "<ul class=\"items\">\n");
        for (int i = 0; i < page->n; i++)
            put_hit(b, &page->hits[i], large);
        buf_adds(b, "</ul>\n");
    }
    put_more(b, q, page->next, large);
    buf_adds(b, "<p class=\"way small\"><a href=\"/feeds/search.atom?q=");
    buf_url(b, q, strlen(q));
    buf_adds(b, "\">用阅读器订阅这次搜索的新结果</a></p>\n");
}

/* What cannot be searched for is said in the page, where it can be mended at once. */
static enum rc put_result(struct work *w, struct buf *b, const char *q, const char *after,
                          bool large)
{
    struct search_ask ask = { .q = q, .q_n = strlen(q), .limit = HITS, .after = after };
    struct search_page page;
    enum rc rc;

    if (!*q)
        return RC_OK;
    rc = search_find(w, &ask, &page);
    if (rc == RC_INVALID && !strcmp(w->err.field, "q"))
        buf_adds(b, "<p role=\"alert\">请输入要找的词：至多 100 字，要有文字或数字。</p>\n");
    else if (rc == RC_BUSY)
        buf_adds(b, "<p role=\"alert\">索引正在建立，请稍后再试。</p>\n");
    else if (rc)
        return rc;
    else
        put_found(b, &page, q, large, !after);
    return RC_OK;
}

enum rc get_search_page(struct work *w, const struct request *rq, struct reply *rp)
{
    bool large = request_int(rq, "large", 0);
    const char *q = request_text(rq, "q", "");
    struct buf b = BUF_IN(w->mem), other = BUF_IN(w->mem);
    struct page page = { .title = "搜索", .large = large, .noindex = true };
    enum rc rc;

    buf_adds(&other, "/search?q=");
    buf_url(&other, q, strlen(q));
    buf_adds(&other, large ? "" : "&large=1");
    page.other = other.p;
    page_open(&b, &page);
    buf_adds(&b, "<h1>搜索</h1>\n");
    search_box(&b, q, large);
    if ((rc = put_result(w, &b, q, request_text(rq, "after", NULL), large)))
        return rc;
    page_close(&b, &page);
    page_reply(rp, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
