/*
 * feed_read_fuzz.c - any bytes as a feed: refused with a reason, or entries of text that is text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/source/feed_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void is_text(const char *s)
{
    if (s && strlen(s) > FEED_TEXT_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct feed_entry *entries;
    struct err e = { 0 };
    int count;

    if (feed_read(&e, mem, (const char *)data, n, "https://www.example.cn/feeds/all.rss",
                  &entries, &count)) {
        if (!*e.text)
            abort();
    } else {
        if (count > FEED_ENTRIES_MAX)
            abort();
        for (int i = 0; i < count; i++) {
            is_text(entries[i].html);
            is_text(entries[i].title);
            if (entries[i].url && strncmp(entries[i].url, "http", 4))
                abort();
        }
    }
    arena_free(mem);
    return 0;
}
