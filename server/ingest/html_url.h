/*
 * html_url.h - the address that a page's link or picture means, if it is one of the web.
 */
#ifndef INGEST_HTML_URL_H
#define INGEST_HTML_URL_H

#include "server/base/buf.h"

enum { HTML_URL_MAX = 2000 }; /* bytes, as of every link of an item */

/*
 * Adds to `out` what `text` (an attribute's value) means on the page `base`: an absolute http or
 * https address of ASCII without blanks, quotes, brackets or parentheses. `base` may be NULL: then
 * only absolute addresses are. False, and nothing is added, for other schemes, places in the page
 * itself, names and passwords in an address, and what is too long.
 */
bool html_url(struct buf *out, const char *base, const char *text);

#endif
