/*
 * index.h - the search index: what words each published item has, as a projection of the log (docs/search.md).
 */
#ifndef SEARCH_INDEX_H
#define SEARCH_INDEX_H

#include "server/derived/projection.h"

extern const struct projection search_projection;

/* Numbers of documents (table doc): the first of the day that `at` is in, in Beijing. Days before 1900 and after 2299 are the nearest there are. */
int64_t doc_first_of_day(int64_t at);
/* The text of a document, from what the table keeps; "" if it is damaged. In mem. */
const char *doc_text(struct arena *mem, const void *packed, size_t packed_n, size_t *n);

#endif
