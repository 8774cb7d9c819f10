/*
 * feed_entry.h - a published item as an entry of a feed.
 */
#ifndef API_FEED_ENTRY_H
#define API_FEED_ENTRY_H

#include "api/feed.h"
#include "api/places.h"
#include "server/library/item.h"

/*
 * One revision of it, by its record: `item->seq` and `item->live_rev` say which. Everything is in w->mem, or lives as long as `places`. But for the site's name it
 * is a function of the record and these two. Not `whole`: its content only leads to its page. RC_INVALID for a record that is no JSON object.
 */
enum rc feed_entry_read(struct work *w, struct places *places, const struct item *item,
                        const struct slice *record, bool whole, struct feed_entry *out);

#endif
