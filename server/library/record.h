/*
 * record.h - the canonical bytes of a published item (docs/protocol/sync.md section 9): what
 * phones, exports and pages read.
 */
#ifndef LIBRARY_RECORD_H
#define LIBRARY_RECORD_H

#include "server/library/content.h"
#include "server/library/state.h"

struct record_facts { /* what the library itself says of the item */
    struct id id;
    int64_t revision;
    const char *site;   /* the site's code */
    const char *column; /* the column's path on the day of publication */
    const char *authority;
    const char *origin_id;      /* NULL: none */
    int64_t published, updated; /* seconds */
};

/* Appends the record of a published item. */
void record_write(const struct content *c, const struct record_facts *facts, struct buf *out);
/*
 * Appends the record of one that is no longer: {"id","reason"?,"state","withdrawn"}. No title,
 * because a title may be what had to go.
 */
void record_tombstone(const struct id *id, enum state state, const char *reason, int64_t at,
                      struct buf *out);

#endif
