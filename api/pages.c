/*
 * pages.c - home, the directory of columns, a column's list.
 *
 * The tags are those of 国办发〔2017〕47号: a home page has the site's three, a list the
 * column's four as well.
 *
 * Not here: the article itself (article_page.c).
 */
#include "api/pages.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "api/assets_gen.h"
#include "api/instance.h"
#include "api/page.h"
#include "api/search.h"
#include "api/site_meta.h"
#include "server/library/item.h"
#include "server/library/stream.h"

enum { HOME_ITEMS = 20, LIST_ITEMS = 30, HOME_COLUMNS = 12 };

/* ---- parts ---- */

static enum rc put_item(struct work *w, struct buf *b, struct places *places,
                        const struct item *it, bool large, bool with_column)
{
    const struct column *column;
    char id[ID_TEXT];
    enum rc rc;

    if ((rc = places_column(w, places, it->col, &column)))
        return rc;
    buf_printf(b, "<li>\n<a href=\"/a/%s%s\">", id_text(&it->id, id), large ? "/large" : "");
    page_text(b, it->title);
    buf_adds(b, "</a>\n");
    if (it->summary && !large) {
        buf_adds(b, "<p class=\"summary\">");
        page_text(b, it->summary);
        buf_adds(b, "</p>\n");
    }
    buf_adds(b, "<p class=\"small\">");
    page_time(b, it->date, false);
    if (with_column) {
        buf_adds(b, "　");
        page_text(b, column->name);
    }
    buf_adds(b, "</p>\n</li>\n");
    return RC_OK;
}

static enum rc put_items(struct work *w, struct buf *b, const struct item_page *page,
                         bool large, bool with_column)
{
    struct places places = PLACES_NONE;
    enum rc rc;

    if (!page->n) {
        buf_adds(b, "<p>这里还没有内容。</p>\n");
        return RC_OK;
    }
    buf_adds(b, "<ul class=\"items\">\n");
    for (int i = 0; i < page->n; i++)
        if ((rc = put_item(w, b, &places, &page->items[i], large, with_column)))
            return rc;
    buf_adds(b, "</ul>\n");
    return RC_OK;
}

static void put_column_link(struct buf *b, const struct column *c, bool large)
{
    buf_printf(b, "<li><a href=\"/columns/%" PRId64 "%s\">", c->no, large ? "?large=1" : "");
    page_text(b, c->name);
    buf_adds(b, "</a></li>\n");
}

/* The open columns right below `parent` (0: at the top), in the order that editors gave them; at most `most`. *n is how many. */
static enum rc children(struct work *w, const struct site *site, int64_t parent, int most,
                        struct column **out, int *n)
{
    struct column *all;
    int count, kept = 0;
    enum rc rc;

    if ((rc = column_list(w, site->no, &all, &count)))
        return rc;
    for (int i = 0; i < count; i++)
        if (all[i].parent == parent && all[i].open)
            all[kept++] = all[i];
    *n = kept < most ? kept : most;
    *out = all;
    return RC_OK;
}

/* ---- home ---- */

/* The site's first columns: a way in, not a directory. Of several sites none is shown before the others. */
static enum rc put_main_columns(struct work *w, struct buf *b, const struct site *site,
                                bool large)
{
    struct column *columns;
    enum rc rc;
    int n = 0;

    if (site && (rc = children(w, site, 0, HOME_COLUMNS, &columns, &n)))
        return rc;
    buf_adds(b, "<nav class=\"columns\" aria-label=\"栏目\">\n<ul>\n");
    for (int i = 0; i < n; i++)
        put_column_link(b, &columns[i], large);
    buf_printf(b, "<li><a href=\"/columns%s\">全部栏目</a></li>\n</ul>\n</nav>\n",
               large ? "?large=1" : "");
    return RC_OK;
}

static enum rc put_state(struct work *w, struct buf *b, const struct item_page *page)
{
    struct stream stream;
    int64_t newest = 0;
    enum rc rc;

    if ((rc = instance_stream(w, &stream)))
        return rc;
    for (int i = 0; i < page->n; i++)
        if (page->items[i].updated > newest)
            newest = page->items[i].updated;
    buf_adds(b, "<p class=\"small\">");
    if (newest) {
        buf_adds(b, "最近入库 ");
        page_time(b, newest, true);
        buf_adds(b, "，");
    }
    buf_printf(b, "变更日志第 %" PRId64 " 号</p>\n", stream.seq);
    return RC_OK;
}

static enum rc home(struct work *w, bool large, struct reply *rp)
{
    struct page page = {
        .path = "/", .large = large, .other = large ? "/" : "/large", .feed = "/feeds/all"
    };
    struct item_query q = { .by = LIST_ALL, .limit = HOME_ITEMS };
    struct buf b = BUF_IN(w->mem);
    struct item_page items;
    struct site *sites, *only;
    enum rc rc;
    int n;

    if ((rc = item_list(w, &q, &items)) || (rc = site_list(w, 0, &sites, &n)))
        return rc;
    only = n == 1 ? &sites[0] : NULL;
    site_meta(w, &page, only);
    page_open(&b, &page);
    search_box(&b, NULL, large);
    buf_adds(&b, "<h1>最新发布</h1>\n");
    if ((rc = put_state(w, &b, &items)))
        return rc;
    if ((rc = put_main_columns(w, &b, only, large)))
        return rc;
    if ((rc = put_items(w, &b, &items, large, true)))
        return rc;
    page_close(&b, &page);
    page_reply(rp, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_home(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    return home(w, false, rp);
}

enum rc get_home_large(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    return home(w, true, rp);
}

/* ---- the directory ---- */

static enum rc put_site(struct work *w, struct buf *b, const struct site *site, bool large)
{
    struct column *columns;
    enum rc rc;
    int n;

    if (!site->open)
        return RC_OK;
    if ((rc = column_list(w, site->no, &columns, &n)))
        return rc;
    buf_adds(b, "<h2>");
    page_text(b, site->name);
    buf_adds(b, "</h2>\n<ul class=\"tree\">\n");
    for (int i = 0; i < n; i++) {
        if (!columns[i].open)
            continue;
        buf_printf(b, "<li><a href=\"/columns/%" PRId64 "%s\">", columns[i].no,
                   large ? "?large=1" : "");
        page_text(b, columns[i].path);
        buf_adds(b, "</a></li>\n");
    }
    buf_adds(b, "</ul>\n");
    return RC_OK;
}

enum rc get_directory(struct work *w, const struct request *rq, struct reply *rp)
{
    bool large = request_int(rq, "large", 0);
    struct page page = { .title = "全部栏目",
                         .path = "/columns",
                         .large = large,
                         .other = large ? "/columns" : "/columns?large=1",
                         .feed = "/feeds/all" };
    struct buf b = BUF_IN(w->mem);
    struct site *sites;
    enum rc rc;
    int n;

    if ((rc = site_list(w, 0, &sites, &n)))
        return rc;
    site_meta(w, &page, n == 1 ? &sites[0] : NULL);
    page_open(&b, &page);
    buf_adds(&b, "<h1>全部栏目</h1>\n");
    for (int i = 0; i < n; i++)
        if ((rc = put_site(w, &b, &sites[i], large)))
            return rc;
    buf_adds(&b, "<p class=\"way\"><a href=\"/feeds\">用阅读器订阅更新（Atom、RSS）</a></p>\n");
    page_close(&b, &page);
    page_reply(rp, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

/* ---- a column ---- */

static enum rc put_children(struct work *w, struct buf *b, const struct column *of,
                            const struct site *site, bool large)
{
    struct column *columns;
    enum rc rc;
    int n;

    if ((rc = children(w, site, of->no, INT_MAX, &columns, &n)) || !n)
        return rc;
    buf_adds(b, "<nav class=\"columns\" aria-label=\"下级栏目\">\n<ul>\n");
    for (int i = 0; i < n; i++)
        put_column_link(b, &columns[i], large);
    buf_adds(b, "</ul>\n</nav>\n");
    return RC_OK;
}

static void put_pager(struct buf *b, const struct column *c, const struct item_page *page,
                      bool large, bool first)
{
    if (first && !*page->next)
        return;
    buf_adds(b, "<nav class=\"pager\" aria-label=\"翻页\">\n");
    if (!first)
        buf_printf(b, "<a class=\"button\" href=\"/columns/%" PRId64 "%s\">回到最新</a>\n",
                   c->no, large ? "?large=1" : "");
    if (*page->next)
        buf_printf(b,
                   "<a class=\"button\" rel=\"next\" href=\"/columns/%" PRId64
                   "?%scursor=%s\">更早的内容</a>\n",
                   c->no, large ? "large=1&amp;" : "", page->next);
    buf_adds(b, "</nav>\n");
}

static enum rc column_page(struct work *w, const struct column *column, const struct site *site,
                           const char *cursor, bool large, struct reply *rp)
{
    const char *path = arena_printf(w->mem, "/columns/%" PRId64, column->no);
    struct page page = { .title = column->name,
                         .path = path,
                         .large = large,
                         .other = large ? path : arena_printf(w->mem, "%s?large=1", path),
                         .feed = arena_printf(w->mem, "/feeds%s", path) };
    struct item_query q = {
        .by = LIST_COLUMN, .no = column->no, .limit = LIST_ITEMS, .cursor = cursor
    };
    struct buf b = BUF_IN(w->mem);
    struct item_page items;
    enum rc rc;

    if ((rc = item_list(w, &q, &items)))
        return rc;
    site_meta(w, &page, site);
    column_meta(w, &page, column, site);
    page_open(&b, &page);
    buf_adds(&b, "<p class=\"crumbs\">");
    page_text(&b, site->name);
    buf_adds(&b, "</p>\n<h1>");
    page_text(&b, column->name);
    buf_adds(&b, "</h1>\n");
    if (column->description) {
        buf_adds(&b, "<p>");
        page_text(&b, column->description);
        buf_adds(&b, "</p>\n");
    }
    if ((rc = put_children(w, &b, column, site, large)) ||
        (rc = put_items(w, &b, &items, large, false)))
        return rc;
    put_pager(&b, column, &items, large, !cursor);
    page_close(&b, &page);
    page_reply(rp, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_column_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct column column;
    struct site site;
    enum rc rc;

    if ((rc = column_by_no(w, request_arg(rq, "column")->num, &column)))
        return rc;
    if ((rc = site_by_no(w, column.site, &site)))
        return rc;
    return column_page(w, &column, &site, request_text(rq, "cursor", NULL),
                       request_int(rq, "large", 0), rp);
}

/* ---- what every page needs ---- */

enum rc get_style(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w;
    (void)rq;
    reply_body(rp, "text/css; charset=utf-8", embed_style_css, embed_style_css_n);
    rp->cache = "public, max-age=300";
    return RC_OK;
}

enum rc get_favicon(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w;
    (void)rq;
    reply_body(rp, "image/svg+xml", embed_favicon_svg, embed_favicon_svg_n);
    rp->cache = "public, max-age=86400";
    return RC_OK;
}

enum rc get_robots(struct work *w, const struct request *rq, struct reply *rp)
{
    static const char text[] = "User-agent: *\nDisallow: /preview/\nDisallow: /v1/\n";

    (void)w;
    (void)rq;
    reply_body(rp, TYPE_TEXT, text, sizeof text - 1);
    rp->cache = "public, max-age=86400";
    return RC_OK;
}
