/*
 * feed.h - a document of a feed, and its three formats (docs/feeds.md).
 *
 * One structure, three writers that decide nothing: whatever is in the structure is written in each format as that format says it, and what a
 * format cannot say is left out there. Writers are pure; texts are UTF-8 as the library keeps them, NULL where nothing is known; URLs are absolute.
 */
#ifndef API_FEED_H
#define API_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/id.h"

struct feed_file {
    const char *name, *url;
    const char *type; /* media type */
    int64_t size;     /* bytes */
};

struct feed_entry {
    struct id id;
    const char *stream; /* its place in the log: the same for feeds, phones and mirrors */
    int64_t seq, revision;
    const char *title, *url;
    const char *summary; /* one paragraph of plain text */
    const char *html;    /* the whole content; "" when the item has no text */
    const char *author;  /* 来源 */
    const char *image;
    const char *origin;       /* URL of the original */
    const char *const *terms; /* column, theme, keywords */
    int nterms;
    int64_t published, updated; /* seconds */
    const struct feed_file *files;
    int nfiles;
};

/* An item that was here and is no longer (RFC 6721). */
struct feed_gone {
    struct id id;
    const char *stream;
    int64_t seq, at;    /* at: seconds */
    const char *reason; /* NULL: none was given */
};

struct feed {
    const char *title, *about;
    const char *home;    /* the page that shows the same */
    const char *self;    /* this document's own URL */
    const char *current; /* the newest document's; the same as self but in an archive */
    const char *before;  /* of the archive with what came before; NULL: this is all */
    const char *hub;     /* WebSub; NULL: none */
    bool archive;
    int64_t updated; /* seconds: the newest change in it; 0: nothing was ever here */
    const struct feed_entry *entries;
    int n;
    const struct feed_gone *gone;
    int ngone;
};

struct feed_format {
    const char *ending; /* ".atom" */
    const char *type;   /* media type of the document */
    const char *label;  /* what people call it */
    bool
        tells_gone; /* it has words for what is no longer there: else only the whole document shows it */
    void (*write)(const struct feed *f, struct buf *out);
};

enum { FEED_FORMATS = 3 };
extern const struct feed_format feed_formats[FEED_FORMATS];
/* The format whose ending `name` has, and *n the length of what stands before it; NULL: none has it. */
const struct feed_format *feed_format_of(const char *name, size_t *n);

/* feed_atom.c, feed_rss.c, feed_json.c */
void feed_write_atom(const struct feed *f, struct buf *out);
void feed_write_rss(const struct feed *f, struct buf *out);
void feed_write_json(const struct feed *f, struct buf *out);

/* The namespace of `stream`, `seq` and `revision` in XML. */
extern const char FEED_NAMESPACE[];

#endif
