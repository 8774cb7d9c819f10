/*
 * recipe.h - what an object of an index is made of, so that the log alone gives the same bytes again.
 *
 *     of each item in one of the spans   the newest change up to `as_of`,
 *     if its seq is                      after the span's `after` and at most `upto`,
 *     unless it was purged since.
 *
 * A base is one span after 0, and upto == as_of. A layer is as many spans as there are bases it
 * changes, and one for the items behind the last base. The pieces of a layer that was cut by seq
 * share `as_of`. What a later takedown leaves out of an object changes its bytes, hence its name;
 * the recipe stays.
 */
#ifndef SYNC_RECIPE_H
#define SYNC_RECIPE_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/pack.h"
#include "sync/wire.h"

struct span {
    uint64_t first, last; /* of born */
    uint64_t after;       /* seq */
    uint64_t bytes;       /* of its records, as the object was made */
};

/* An object of an index: its line, its recipe, and what is known of it. */
struct part {
    struct wire_object o;
    uint64_t as_of, upto;
    struct span *span; /* ascending, none empty, none touching another's items */
    size_t spans;
    int level;     /* of compression */
    uint64_t live; /* of a base: bytes of its items' newest records, wherever they stand */
    bool gone;     /* it holds what was purged: nobody gets it any more */
    bool missing;  /* a file is not there, or not of its size */
    bool fresh;    /* its row is to be written */
    bool built;    /* and its files have been */
};

/* The row of an object; RC_NOT_FOUND. `out` lives in w->mem, as all that follows. */
enum rc part_find(struct work *w, int64_t stream, const uint8_t hash[HASH_BYTES],
                  struct part *out);
/* All rows of a stream, in no order. */
enum rc part_list(struct work *w, int64_t stream, struct part **out, size_t *n);
enum rc part_store(struct work *w, int64_t stream, const struct part *p);

/* A record that an object will hold. */
struct entry {
    uint64_t born, seq;
    uint32_t bytes; /* frame and bytes */
    uint32_t span;  /* number of its span */
};

/* The entries of a recipe (of `p` only as_of, upto and the spans count), ascending by born. Reads
 * narrow rows: as many as changed, or as the spans are wide, whichever is less. */
enum rc recipe_entries(struct work *w, int64_t stream, const struct part *p, struct entry **out,
                       size_t *n);
/* Adds the records of entries, but for those that were purged. */
enum rc recipe_fill(struct work *w, int64_t stream, const struct entry *entry, size_t n,
                    struct pack *out);
/* All of it: what the recipe gives now. */
enum rc recipe_make(struct work *w, int64_t stream, const struct part *p, struct pack *out);
/*
 * pack_add(), but a record that was purged is passed over: *left_out. RC_CORRUPT if its bytes are missing without a
 * purge.
 */
enum rc recipe_add(struct work *w, int64_t stream, struct pack *p, const struct rows *q,
                   bool *left_out);

/* The span that an item belongs to, or -1. */
long span_of(const struct span *span, size_t n, uint64_t born);

#endif
