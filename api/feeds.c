/*
 * feeds.c - from an address to a document.
 *
 *     /feeds/all.atom                    the newest; with ?since=N.CHAIN, which the edge adds (server/http/delta.h), what is new: 226
 *     /feeds/columns/17.atom
 *     /feeds/columns/17/3-CHAIN-0.atom   an archive
 */
#include "api/feeds.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "api/feed_read.h"
#include "api/instance.h"
#include "api/page.h"
#include "api/places.h"
#include "server/http/target.h"

enum { TAG_HASH = 16, THEME_MAX = 600 };

/* ---- what a feed is of ---- */

static enum rc no_feed(struct work *w)
{
    return err_set(&w->err, RC_NOT_FOUND, "there is no such feed; /feeds lists them");
}

static enum rc of_all(struct work *w, const char *name, struct feed_source *out)
{
    if (name && strcmp(name, "all"))
        return no_feed(w);
    *out = (struct feed_source){ .scope = "all", .home = "/", .path = "/feeds/all" };
    return RC_OK;
}

/* By its number where the code would be two segments of a path. */
static const char *site_path(struct work *w, const struct site *site)
{
    struct buf path = BUF_IN(w->mem);

    buf_adds(&path, "/feeds/sites/");
    if (strchr(site->code, '/'))
        buf_int(&path, site->no);
    else
        buf_url(&path, site->code, strlen(site->code));
    return path.p;
}

static enum rc of_site(struct work *w, const char *name, struct feed_source *out)
{
    struct site site;
    enum rc rc;

    if ((rc = place_site(w, name, &site)))
        return rc;
    *out = (struct feed_source){ .scope = arena_printf(w->mem, "site/%" PRId64, site.no),
                                 .title = site.name,
                                 .home = "/columns",
                                 .path = site_path(w, &site) };
    return RC_OK;
}

static enum rc of_column(struct work *w, const char *name, struct feed_source *out)
{
    struct column column;
    int64_t no = strspn(name, "0123456789") == strlen(name) && strlen(name) <= 18 && *name > '0'
                     ? strtoll(name, NULL, 10)
                     : 0;
    enum rc rc;

    if (!no)
        return no_feed(w);
    if ((rc = column_by_no(w, no, &column)))
        return rc;
    *out = (struct feed_source){ .scope = arena_printf(w->mem, "column/%" PRId64, no),
                                 .title = column.name,
                                 .home = arena_printf(w->mem, "/columns/%" PRId64, no),
                                 .path = arena_printf(w->mem, "/feeds/columns/%" PRId64, no) };
    return RC_OK;
}

static enum rc of_area(struct work *w, const char *name, struct feed_source *out)
{
    if (!org_region_ok(name))
        return no_feed(w);
    *out = (struct feed_source){ .scope = arena_printf(w->mem, "area/%s", name),
                                 .title = arena_printf(w->mem, "行政区划 %s", name),
                                 .home = "/",
                                 .path = arena_printf(w->mem, "/feeds/areas/%s", name) };
    return RC_OK;
}

static enum rc of_theme(struct work *w, const char *name, struct feed_source *out)
{
    struct buf path = BUF_IN(w->mem);

    if (strlen(name) > THEME_MAX)
        return no_feed(w);
    buf_adds(&path, "/feeds/themes/");
    buf_url(&path, name, strlen(name));
    *out = (struct feed_source){ .scope = arena_printf(w->mem, "theme/%s", name),
                                 .title = name,
                                 .home = "/",
                                 .path = path.p };
    return RC_OK;
}

static const struct {
    const char *under;
    enum rc (*find)(struct work *w, const char *name, struct feed_source *out);
} kinds[] = {
    { "/feeds/sites/", of_site }, { "/feeds/columns/", of_column },
    { "/feeds/areas/", of_area }, { "/feeds/themes/", of_theme },
    { "/feeds/", of_all },
};

static enum rc find_source(struct work *w, const char *path, const char *name,
                           struct feed_source *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strncmp(path, kinds[i].under, strlen(kinds[i].under)))
            return kinds[i].find(w, name, out);
    return no_feed(w);
}

/* "17.atom" */
static const struct feed_format *split(struct work *w, const char *file, const char **name)
{
    size_t n;
    const struct feed_format *as = feed_format_of(file, &n);

    *name = as ? arena_strndup(w->mem, file, n) : NULL;
    return as;
}

/* ---- answers ---- */

/* "N.CHAIN.HASH": where the scope stands, for who asks what is new since then, and the document's bytes. */
static const char *tag_of(struct work *w, const struct feed_scope *at,
                          const struct buf *document)
{
    uint8_t hash[TAG_HASH];
    char chain[FEED_CHAIN_TEXT], text[2 * TAG_HASH + 1];

    crypto_generichash(hash, sizeof hash, (const uint8_t *)document->p, document->n, NULL, 0);
    return arena_printf(w->mem, "\"%" PRId64 ".%s.%s\"", at->n,
                        hex_text(at->chain, sizeof at->chain, chain),
                        hex_text(hash, sizeof hash, text));
}

static void reply_document(struct reply *rp, const struct feed_format *as,
                           const struct buf *document)
{
    reply_buf(rp, as->type, document);
    rp->cache = CACHE_SHORT;
}

/* Only for who asked in that way: nobody else may be given a part for the whole, so no cache outside keeps it. */
static void reply_new(struct reply *rp, const struct feed_format *as,
                      const struct buf *document)
{
    reply_buf(rp, as->type, document);
    rp->status = 226;
    rp->cache = NULL;
    reply_header(rp, "im", "feed");
    reply_header(rp, "vary", "a-im, if-none-match");
}

/* Whether it was asked for by the one spelling of its address: others are answered, and not kept. */
static bool is_canonical(const char *target, const struct feed_source *of)
{
    size_t path = strlen(of->path), ending = strlen(of->ending);

    return !strncmp(target, of->path, path) && !strncmp(target + path, of->ending, ending) &&
           (!target[path + ending] || target[path + ending] == '?');
}

/* WebSub wants both in the answer itself, whatever is in the document. */
static const char *hub_link(struct work *w, const struct feed *feed)
{
    return arena_printf(w->mem, "<%s>; rel=\"hub\", <%s>; rel=\"self\"", feed->hub, feed->self);
}

/* ---- by its path, for the hub ---- */

enum rc feed_at(struct work *w, const char *path, struct feed_source *of,
                const struct feed_format **as)
{
    const char *file = strrchr(path, '/'), *name;
    char *plain;
    enum rc rc;

    if (!file || strchr(path, '?') || strlen(path) > TARGET_PATH_MAX)
        return no_feed(w);
    file++;
    plain = arena_zalloc(w->mem, strlen(file) + 1);
    if (target_decode(file, strlen(file), false, plain) < 0 || !(*as = split(w, plain, &name)))
        return no_feed(w);
    if ((rc = find_source(w, path, name, of)))
        return rc;
    of->ending = (*as)->ending;
    return is_canonical(path, of) ? RC_OK : no_feed(w);
}

/* ---- answers to who asks ---- */

enum rc get_feed(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *name, *since = request_text(rq, "since", NULL);
    const struct feed_format *as = split(w, request_arg(rq, "feed")->text, &name);
    struct buf whole = BUF_IN(w->mem), some = BUF_IN(w->mem);
    struct feed_source of;
    struct feed_scope at, later;
    struct feed feed;
    enum feed_news news = FEED_NO_NEWS;
    enum rc rc;

    if (!as)
        return no_feed(w);
    if ((rc = find_source(w, rq->path, name, &of)))
        return rc;
    of.ending = as->ending;
    if ((rc = feed_read_newest(w, &of, &feed, &at)))
        return rc;
    if (!at.no && !strncmp(of.scope, "theme/", 6))
        return no_feed(w);
    as->write(&feed, &whole);
    rp->etag = tag_of(w, &at, &whole);
    rp->modified = at.modified;
    reply_header(rp, "link", hub_link(w, &feed));
    if (since && (rc = feed_read_since(w, &of, since, &feed, &later, &news)))
        return rc;
    rp->once = news == FEED_UNKNOWN || !at.no ||
               !is_canonical(rq->target,
                             &of); /* or what anybody can make up would wash the cache out */
    if (news != FEED_NEWS || (feed.ngone && !as->tells_gone)) {
        reply_document(rp, as, &whole);
        return RC_OK;
    }
    as->write(&feed, &some);
    reply_new(rp, as, &some);
    return RC_OK;
}

enum rc get_feed_archive(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *place =
        strncmp(rq->path, "/feeds/all/", 11) ? request_arg(rq, "place")->text : NULL;
    const char *name;
    const struct feed_format *as = split(w, request_arg(rq, "archive")->text, &name);
    struct buf document = BUF_IN(w->mem);
    struct feed_source of;
    struct feed feed;
    enum rc rc;

    if (!as)
        return no_feed(w);
    if ((rc = find_source(w, rq->path, place, &of)))
        return rc;
    of.ending = as->ending;
    if ((rc = feed_read_archive(w, &of, name, &feed)))
        return rc;
    as->write(&feed, &document);
    reply_document(rp, as, &document);
    return RC_OK;
}

/* ---- the list, for people ---- */

static void put_links(struct buf *b, const char *path, const char *label)
{
    buf_adds(b, "<li>");
    page_text(b, label);
    for (int i = 0; i < FEED_FORMATS; i++)
        buf_printf(b, " <a href=\"%s%s\">%s</a>", path, feed_formats[i].ending,
                   feed_formats[i].label);
    buf_adds(b, "</li>\n");
}

static enum rc put_site(struct work *w, struct buf *b, const struct site *site)
{
    struct column *columns;
    enum rc rc;
    int n;

    if ((rc = column_list(w, site->no, &columns, &n)))
        return rc;
    buf_adds(b, "<section>\n<h2>");
    page_text(b, site->name);
    buf_adds(b, "</h2>\n<ul class=\"feeds\">\n");
    put_links(b, site_path(w, site), "全站");
    for (int i = 0; i < n; i++)
        if (columns[i].open)
            put_links(b, arena_printf(w->mem, "/feeds/columns/%" PRId64, columns[i].no),
                      columns[i].path);
    buf_adds(b, "</ul>\n</section>\n");
    return RC_OK;
}

enum rc get_feeds_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct page page = { .title = "订阅", .path = "/feeds" };
    struct buf b = BUF_IN(w->mem);
    struct site *sites;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = site_list(w, 0, &sites, &n)))
        return rc;
    page_open(&b, &page);
    buf_adds(&b, "<h1>订阅</"
                 "h1>\n<p>"
                 "用您习惯的阅读器订阅下面的地址，新发布的内容会自动出现；撤下的内容会随之消失"
                 "。三种格式内容相同，任选其一。</p>\n"
                 "<ul class=\"feeds\">\n");
    put_links(&b, "/feeds/all", "全部内容");
    buf_adds(&b, "</ul>\n");
    for (int i = 0; i < n && !rc; i++)
        rc = sites[i].open ? put_site(w, &b, &sites[i]) : RC_OK;
    if (rc)
        return rc;
    buf_adds(&b, "<p>按行政区划订阅：/feeds/areas/区划代码.atom；按主题分类订阅：/feeds/themes/"
                 "主题.atom。</p>\n");
    page_close(&b, &page);
    page_reply(rp, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
