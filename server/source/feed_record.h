/*
 * feed_record.h - an entry of somebody's feed as a record that an import takes.
 */
#ifndef SOURCE_FEED_RECORD_H
#define SOURCE_FEED_RECORD_H

#include <jansson.h>

#include "server/source/feed_read.h"

enum { FEED_ORIGIN_TEXT = 38 };

/* "feed-" and 32 hex digits of the SHA-256 of what the feed calls it: those names have blanks and slashes. */
char *feed_origin_id(const char *id, char out[FEED_ORIGIN_TEXT]);
/* id, title, html, url, author, pubDate, as far as they are there. The caller's. */
json_t *feed_record(const struct feed_entry *f);

#endif
