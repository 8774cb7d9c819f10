/*
 * feed_read.h - a document of a feed out of the library: the newest, what is new since then, an archive (docs/feeds.md).
 */
#ifndef API_FEED_READ_H
#define API_FEED_READ_H

#include "api/feed.h"
#include "server/base/work.h"
#include "server/feed/feed_log.h"

/* What a feed is of. Texts live as long as the documents. */
struct feed_source {
    const char *
        scope; /* feed_log.h; NULL: of a search, which has no archives and is asked for whole */
    const char *title; /* without the service's name: "通知公告"; NULL: everything */
    const char *home;  /* path of the page that shows the same */
    const char
        *path; /* of the feed, without ending, as it stands in URLs: "/feeds/columns/17" */
    const char *ending; /* of the format: ".atom" */
    const char *query;  /* "?q=…"; NULL: none */
};

/* The frame of a document: all but what it holds. */
void feed_open(struct work *w, const struct feed_source *of, struct feed *out);

/* *at: the scope's last row, which is what the document stands for. */
enum rc feed_read_newest(struct work *w, const struct feed_source *of, struct feed *out,
                         struct feed_scope *at);

/* What can be said to who holds what a feed was at `since` ("N.CHAIN", from an entity tag of it). */
enum feed_news {
    FEED_NEWS,    /* `out` is what came since then */
    FEED_NO_NEWS, /* the feed stands there */
    FEED_UNKNOWN, /* it is no place of this feed, or too much came: only the whole helps him. As with FEED_NO_NEWS, nothing is written to `out` */
};
/* *now: where the feed stands, unless FEED_UNKNOWN. */
enum rc feed_read_since(struct work *w, const struct feed_source *of, const char *since,
                        struct feed *out, struct feed_scope *now, enum feed_news *news);

/* The archive document of that name, "K-CHAIN-VOID". RC_GONE for one that was, or could have been; RC_NOT_FOUND. */
enum rc feed_read_archive(struct work *w, const struct feed_source *of, const char *name,
                          struct feed *out);

#endif
