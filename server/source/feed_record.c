/*
 * feed_record.c - see the header.
 */
#include "server/source/feed_record.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/id.h"

char *feed_origin_id(const char *id, char out[FEED_ORIGIN_TEXT])
{
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];

    sha256(id, strlen(id), hash);
    snprintf(out, FEED_ORIGIN_TEXT, "feed-%.32s", hex_text(hash, sizeof hash, hex));
    return out;
}

json_t *feed_record(const struct feed_entry *f)
{
    char id[FEED_ORIGIN_TEXT], at[CLOCK_TEXT];
    const struct {
        const char *name, *value;
    } members[] = { { "id", f->id ? feed_origin_id(f->id, id) : NULL },
                    { "title", f->title },
                    { "html", f->html },
                    { "url", f->url },
                    { "author", f->author },
                    { "pubDate", f->at ? clock_minute(f->at, at) : NULL } };
    json_t *record = json_object();

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].value)
            json_object_set_new(record, members[i].name, json_string(members[i].value));
    return record;
}
