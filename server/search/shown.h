/*
 * shown.h - a title or a text with what was searched for marked, as HTML.
 */
#ifndef SEARCH_SHOWN_H
#define SEARCH_SHOWN_H

#include "server/base/buf.h"
#include "server/search/query.h"

/* Appends the text, escaped, with <mark> around each phrase. */
void shown_marked(struct arena *mem, struct buf *out, const char *s, size_t n,
                  const struct query *q);
/* The same of some 100 characters around the first phrase that it holds, or of its beginning; on one line, "…" where something was left out. */
void shown_snippet(struct arena *mem, struct buf *out, const char *s, size_t n,
                   const struct query *q);

#endif
