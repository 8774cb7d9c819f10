/*
 * feed_read.h - RSS 2.0, RSS 1.0 and Atom of somebody else's, read by expat.
 *
 * Pure. No DTD, so no entities but XML's own; bounded in bytes, depth, entries. UTF-8, UTF-16, ISO 8859-1 and ASCII, as expat knows them.
 */
#ifndef SOURCE_FEED_READ_H
#define SOURCE_FEED_READ_H

#include "server/base/buf.h"
#include "server/base/err.h"

enum {
    FEED_MAX = 5 * 1024 * 1024, /* bytes */
    FEED_ENTRIES_MAX = 500,
    FEED_DEPTH_MAX = 64,
    FEED_TEXT_MAX = 400 * 1024 /* bytes of one element's text */
};

struct feed_entry {    /* texts in `mem`; NULL: it has none */
    const char *id;    /* guid, atom:id; else its link */
    const char *title; /* one line */
    const char *url;   /* absolute */
    const char *html;  /* the fullest text there is */
    const char *author;
    const char *date; /* as it was said */
    int64_t at;       /* seconds; 0: none, or it could not be read */
};

/* `url`: the feed's own address, by which relative links go. RC_INVALID with the place, RC_TOO_LARGE. */
enum rc feed_read(struct err *e, struct arena *mem, const char *text, size_t n, const char *url,
                  struct feed_entry **out, int *count);

#endif
