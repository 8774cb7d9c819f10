/*
 * markup.h - the light Markdown of an article's body, as safe HTML or as plain text.
 *
 * Pure: no I/O, no state, linear in the length of the text, which is UTF-8 and hostile. What is
 * not a mark is text; text is escaped; nothing else is ever written.
 */
#ifndef BASE_MARKUP_H
#define BASE_MARKUP_H

#include "server/base/buf.h"

/*
 * Headings start at <h2> (the page's title is the <h1>) and never jump a level, whatever the
 * author counted.
 */
void markup_html(struct buf *out, const char *text, size_t n);
/* The same without marks: for screen readers, small devices and reading aloud. Ends with one
 * newline. */
void markup_text(struct buf *out, const char *text, size_t n);
/* The first `max` code points of the running text, on one line, with "…" when something was
 * left out. */
void markup_brief(struct buf *out, const char *text, size_t n, int max);

#endif
