/*
 * duplicate.h - the same text at two sites: what is published elsewhere that is like a text, exactly or nearly (fingerprint.h). A projection of the change log, in derived.db.
 *
 * Told to who reviews and to who handed the text in, as a hint: two sites may well publish one notice, and which of them keeps it is for people to say.
 */
#ifndef SOURCE_DUPLICATE_H
#define SOURCE_DUPLICATE_H

#include "server/derived/projection.h"
#include "server/library/item.h"
#include "server/source/fingerprint.h"

enum { DUPLICATES_MAX = 10 /* told of one text */, DUPLICATES_PAGE = 200 };

extern const struct projection duplicate_projection;

struct duplicate {
    struct item item;       /* published now */
    enum likeness likeness; /* NEAR or SAME */
};

/*
 * Published items of other sites than `site` that are like the content, the most alike first, at most DUPLICATES_MAX, in w->mem. `self`: not this one; NULL: all. On a worker, not the writer: where
 * nothing is derived it finds none.
 */
enum rc duplicates_of(struct work *w, const struct content *c, int64_t site,
                      const struct id *self, struct duplicate **out, int *n);

struct duplicate_pair {
    struct item item;
    struct duplicate *like;
    int n;
};
/*
 * All that are published and have something like them at another site, by id: of the next DUPLICATES_PAGE items behind `after` (NULL: from the first). *next: go on behind it; false: that was all.
 * RC_BUSY: nothing is derived yet.
 */
enum rc duplicates_list(struct work *w, const struct id *after, struct duplicate_pair **out,
                        int *n, struct id *last, bool *next);

#endif
