/*
 * feed_log.h - scopes of feeds, and what each of them counted (docs/feeds.md). A projection of the change log, in derived.db.
 */
#ifndef FEED_FEED_LOG_H
#define FEED_FEED_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/id.h"
#include "server/base/work.h"
#include "server/derived/projection.h"

enum { FEED_CHAIN_BYTES = 8, FEED_CHAIN_TEXT = 17 };

extern const struct projection feed_projection;

/* Names of scopes: "all", "site/12", "column/17" (numbers of the library), "area/120101" (GB/T 2260), "theme/城乡建设". */
enum { FEED_SCOPE_MAX = 700 };

struct feed_scope {
    int64_t no; /* 0: nothing was ever counted in it */
    int64_t n;  /* its last row; 0: none */
    uint8_t chain
        [FEED_CHAIN_BYTES]; /* of that row: SHA-256 of the chain before it, of the change (item, record, stream, seq) and op, cut */
    int64_t at;             /* seconds: when its last change was made */
    int64_t modified;       /* seconds: when that was counted, which is later; 0: not known */
};

/* All through w->derived: call derived_read() first. A scope that nothing was counted in is an empty one. */
enum rc feed_scope_find(struct work *w, const char *name, struct feed_scope *out);
/* The scope as it was at row n. RC_NOT_FOUND: it has no such row. */
enum rc feed_scope_at(struct work *w, const struct feed_scope *now, int64_t n,
                      struct feed_scope *out);

enum feed_op {
    FEED_ENTRY = 1,
    FEED_WITHDRAWN = 2,
    FEED_EXPIRED = 3,
    FEED_GONE = 4,
    FEED_MOVED = 5
};

struct feed_row {
    int64_t n, stream, seq, rev;
    struct id item;
    enum feed_op op;
    int64_t at;  /* seconds: when it was published, moved or withdrawn */
    bool newest; /* the item's last row in the scope */
    bool
        good; /* nothing later made it void: the item is still in the scope, and no purge removed its text */
};
/* Rows after `after`, up to `upto`, newest first, in w->mem. */
enum rc feed_rows(struct work *w, const struct feed_scope *scope, int64_t after, int64_t upto,
                  struct feed_row **out, int *n);
/* Where an item stands in every scope that ever had it, in w->mem. */
struct feed_standing {
    const char *scope; /* its name */
    int64_t n;         /* the item's last row */
    bool shown;
};
enum rc feed_standings(struct work *w, const struct id *item, struct feed_standing **out,
                       int *n);
/* The newest row after n that makes void what documents up to n hold: it is part of their names. 0: there is none. */
enum rc feed_void_after(struct work *w, const struct feed_scope *scope, int64_t n,
                        int64_t *out);

#endif
