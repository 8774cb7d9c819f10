/*
 * relay.h - items that come from elsewhere in somebody's own words, signed, and that nobody here writes: they are published as they come, revision after revision, and end by the clock.
 *
 * Who believes the signature is not this file: warning/take.c. What keeps everybody else away: item_check_staff().
 */
#ifndef LIBRARY_RELAY_H
#define LIBRARY_RELAY_H

#include "server/library/item.h"

struct relay {
    const char *site; /* code; NULL or "": the oldest site of our own stream that is open */
    const char
        *column; /* path; it is made if it is not there, and taken even if it is closed */
    const char *origin_id;         /* of a new item: its name at who sent it */
    const struct content *content; /* of KIND_WARNING */
};

/* On the writer: a new item, published. RC_CONFLICT: there is no site, or the name is taken. */
enum rc relay_new(struct work *w, const struct relay *r, struct item *out);
/* The next revision of one, published; also of one that has expired. */
enum rc relay_next(struct work *w, const struct id *id, const struct content *content,
                   struct item *out);
/* Those that are published now, of all streams, the newest first, at most `most`: their records, in w->mem. */
enum rc relay_live(struct work *w, int most, struct slice **out, int *n);

#endif
