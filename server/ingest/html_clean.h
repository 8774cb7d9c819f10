/*
 * html_clean.h - a page's HTML as the light Markdown of an article's body (server/base/markup.h).
 *
 * Pure: no I/O, no state, bounded. By an allow-list: what is not named here leaves nothing but its
 * text, and what nobody sees (script, style, comments, hidden elements, fallbacks) not even that.
 * What a reader sees stays, but for white space. The output is text that passes content_read() and
 * from which markup_html() makes no other mark than the page had.
 */
#ifndef INGEST_HTML_CLEAN_H
#define INGEST_HTML_CLEAN_H

#include <stdbool.h>

#include "server/base/buf.h"
#include "server/base/err.h"

enum { HTML_BODY_MAX = 204800 }; /* bytes of what comes out: field.def, body */

enum html_picture {
    PICTURE_LINK,  /* a link to where it lies */
    PICTURE_WORDS, /* its words alone */
    PICTURE_BLOB   /* it is here: `name` was set */
};

/* How to clean. Zero: no base, pictures become links. */
struct html_how {
    const char *base; /* the page's own address; NULL: relative links become text */
    /* What becomes of a picture, by its absolute address; NULL: PICTURE_LINK. `name` takes 64
     * lower-case hex digits and a NUL: the blob's SHA-256. */
    enum html_picture (*picture)(void *arg, const char *url, char name[65]);
    /* Whether what a link leads to is a file of ours, `name` as above; NULL: none is. */
    bool (*link)(void *arg, const char *url, char name[65]);
    void *arg;
};

/* What was met, for a report on the page; counts. */
struct html_found {
    int links,
        links_refused;      /* written; turned into text, for they lead to no page of the web */
    int pictures, wordless; /* all; those without an alternative text */
    int tables;             /* kept as tables */
    int scripts, handlers, styles, frames, forms, hidden; /* dropped; hidden: elements */
};

/*
 * Adds the Markdown of `n` bytes of UTF-8 to `out`. RC_TOO_LARGE with a sentence for the editor if
 * the page is past a limit (html_tree.h) or its text is longer than HTML_BODY_MAX; then nothing was
 * added. `found` may be NULL.
 */
enum rc html_clean(struct err *e, const char *html, size_t n, const struct html_how *how,
                   struct buf *out, struct html_found *found);

#endif
