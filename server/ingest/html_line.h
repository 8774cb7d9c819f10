/*
 * html_line.h - one line of light Markdown, written character by character from text that may mean
 * none of its marks.
 *
 * Spaces, bold and the bracket of a link are written late: only when something follows that is
 * seen. So no mark stands around nothing, and spaces stand outside of marks.
 */
#ifndef INGEST_HTML_LINE_H
#define INGEST_HTML_LINE_H

#include "server/base/buf.h"

struct line {
    struct buf text;
    bool bold_wanted, bold;
    bool link_wanted, link; /* "[" is to be written; was */
    bool cell;              /* in a table: bars are escaped */
    bool said;              /* it cannot be taken for a table's rule of dashes any more */
    int space;              /* 0: none is due; 1: a blank; 2: an ideographic one */
    char last;              /* the last literal character, if it was ASCII */
};

/* Adds `n` bytes of UTF-8: white space is folded, what is not seen is dropped. */
void line_text(struct line *l, const char *s, size_t n);
/* "![words](sha256:name)"; not inside a link. */
void line_picture(struct line *l, const char *words, const char *name);
/* Ends a link that was wanted: "](address)" if it has a label. True if it was written. */
bool line_link_end(struct line *l, const char *address);
/* Closes what is open; `start`: the text begins a line of its own, and is made to mean nothing
 * else. */
void line_end(struct line *l, bool start);
/* Empties it; what is wanted stays wanted. */
void line_clear(struct line *l);

#endif
