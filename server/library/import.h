/*
 * import.h - records from elsewhere, one JSON object a line.
 *
 * Two steps: import_prepare() needs no database and may run on any thread; import_apply() runs
 * inside a writer job, once for a chunk of lines. A refused record says why and hinders no
 * other.
 */
#ifndef LIBRARY_IMPORT_H
#define LIBRARY_IMPORT_H

#include "server/library/item.h"

enum { IMPORT_LINE_MAX = 1024 * 1024, IMPORT_CHUNK_MAX = 1000 };

struct import_options {
    int64_t stream;        /* of sites that are made */
    const char *authority; /* who alone may revise; NULL: the name of the site's stream */
    const char *site;      /* code of the site that takes everything; NULL: by each source */
    bool
        agreed; /* the site accepts the review of who sends it (agreement.h): its chain is not asked */
    bool publish;
    bool create;           /* sites and columns that are not there yet */
    const char *emergency; /* why the sites' chains of review are not asked; NULL: they are */
};

enum import_result {
    IMPORT_REFUSED,
    IMPORT_CREATED,
    IMPORT_UPDATED,
    IMPORT_MOVED,
    IMPORT_UNCHANGED,
    IMPORT_RESULTS
};
const char *import_result_name(enum import_result r);

struct import_line {
    enum import_result result;
    struct err why; /* IMPORT_REFUSED: the reason; .field the member */
    const char *origin_id;
    const char *source; /* the site's code */
    const char *column; /* path */
    struct content content;
    struct id id; /* the item's, after import_apply() */
    const struct check_result
        *held; /* it was to be published, and is a draft: what the rules say; else NULL */
    bool
        unreviewed; /* it was to be published, and is a draft: the site reviews what comes in */
};

/* Parses, checks and canonicalises one line (without its \n). Never fails: a refusal stands in
 * `out`. What `out` points at is in `mem`. */
void import_prepare(struct arena *mem, const char *line, size_t n, struct import_line *out);
/* Asks the rules ahead, off the writer, for a line that was not refused; who does not leaves it to import_apply(). */
void import_check(struct arena *mem, struct import_line *line, bool publish);
/*
 * Puts the lines that were not refused into the library. Not RC_OK only when the store failed,
 * and then nothing of the chunk counts. Needs RIGHT_IMPORT, and RIGHT_PUBLISH to publish;
 * both at the sites that records go to and come from. Without RIGHT_EDIT a record whose place would have to be made is refused.
 * A record that a rule blocks from the public is taken as a draft, and is `held`; so is, as `unreviewed`, one of a site that has a chain of
 * review of its own and no agreement with who sends (chain.h), but in an emergency: then the audit log says so. RC_FORBIDDEN for a program that claims one.
 */
enum rc import_apply(struct work *w, const struct import_options *o, struct import_line *lines,
                     int n);

#endif
