/*
 * feed.c - the formats.
 */
#include "api/feed.h"

#include <string.h>

const char FEED_NAMESPACE[] = "urn:tjzw:feed:1";

const struct feed_format feed_formats[FEED_FORMATS] = {
    { ".atom", "application/atom+xml; charset=utf-8", "Atom", true, feed_write_atom },
    { ".rss", "application/rss+xml; charset=utf-8", "RSS", false, feed_write_rss },
    { ".json", "application/feed+json; charset=utf-8", "JSON Feed", true, feed_write_json },
};

const struct feed_format *feed_format_of(const char *name, size_t *n)
{
    size_t all = strlen(name);

    for (int i = 0; i < FEED_FORMATS; i++) {
        size_t ending = strlen(feed_formats[i].ending);

        if (all > ending && !strcmp(name + all - ending, feed_formats[i].ending)) {
            *n = all - ending;
            return &feed_formats[i];
        }
    }
    return NULL;
}
