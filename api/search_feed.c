/*
 * search_feed.c - a search that somebody follows: what has the words, the newest first, in the formats of feeds (docs/feeds.md).
 *
 * It counts nothing, so it has no deltas and no archives; its entity tag is made of its bytes.
 */
#include <string.h>

#include "api/feed_entry.h"
#include "api/feed_read.h"
#include "api/search.h"
#include "server/search/find.h"

enum { ITEMS = SEARCH_PAGE_MAX };

static enum rc put_hit(struct work *w, struct places *places, const struct search_hit *hit,
                       struct feed *feed, struct feed_entry *entries)
{
    struct slice record;
    struct item item;
    enum rc rc = item_live(w, &hit->item.id, &item, &record);

    if (rc == RC_GONE || rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc || (rc = feed_entry_read(w, places, &item, &record, true, &entries[feed->n])))
        return rc;
    if (entries[feed->n].updated > feed->updated)
        feed->updated = entries[feed->n].updated;
    feed->n++;
    return RC_OK;
}

static enum rc read_feed(struct work *w, const struct search_ask *ask, struct feed *out)
{
    struct feed_entry *entries = arena_zalloc(w->mem, ITEMS * sizeof *entries);
    struct places places = PLACES_NONE;
    struct search_page page;
    enum rc rc;

    if ((rc = search_find(w, ask, &page)))
        return rc;
    for (int i = 0; i < page.n; i++)
        if ((rc = put_hit(w, &places, &page.hits[i], out, entries)))
            return rc;
    out->entries = entries;
    return RC_OK;
}

enum rc get_search_feed(struct work *w, const struct request *rq, struct reply *rp)
{
    size_t n;
    const struct feed_format *as = feed_format_of(rq->path, &n);
    const char *q = request_text(rq, "q", NULL);
    struct feed_source of = { .path = "/feeds/search", .ending = as->ending };
    struct buf b = BUF_IN(w->mem), home = BUF_IN(w->mem);
    struct search_ask ask;
    struct feed feed;
    enum rc rc;

    if (!q)
        return err_field(&w->err, "q", "what to search for is missing");
    if ((rc = search_read(w, rq, &ask)))
        return rc;
    ask.limit = ITEMS;
    ask.newest = true;
    buf_adds(&home, "/search?q=");
    buf_url(&home, q, strlen(q));
    of.home = home.p;
    of.title = arena_printf(w->mem, "搜索“%s”", q);
    of.query = arena_printf(w->mem, "?%s", rq->query);
    feed_open(w, &of, &feed);
    if ((rc = read_feed(w, &ask, &feed)))
        return rc;
    as->write(&feed, &b);
    reply_buf(rp, as->type, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
