/*
 * submission.h - what a source handed in (报送), and what has become of it.
 *
 *     POST --> RECEIVED --(its files are fetched)--> CHECKING --> LANDED: a revision of an item, whose state it shows
 *       |         |                                     \-------> RETURNED: it could not be taken, `said` has why
 *       |         \--(a later version came)--> REPLACED
 *       \--(it names no files)--> LANDED
 *
 * A source is named "party:heping": it alone may send the next version of what it sent, and only it and the site's staff see what has become of it. Its own id of a text is what makes sending again
 * harmless: the same text of the same id is answered with what has become of the first, another text is a new version.
 */
#ifndef SOURCE_SUBMISSION_H
#define SOURCE_SUBMISSION_H

#include "server/library/agreement.h"
#include "server/library/checkup.h"
#include "server/library/item.h"
#include "server/source/submission_read.h"

enum { SUBMISSION_KEPT = 2 * 366 * 86400 /* seconds */, SUBMISSION_PAGE = 100 };

enum submission_state {
    SUBMISSION_RECEIVED,
    SUBMISSION_CHECKING,
    SUBMISSION_LANDED,
    SUBMISSION_RETURNED,
    SUBMISSION_REPLACED,
    SUBMISSION_STATES
};

/* What a source is told: of a landed one, as its item stands. */
enum shown_state {
    SHOWN_RECEIVED,
    SHOWN_CHECKING,
    SHOWN_IN_REVIEW, /* a draft, in review, or approved: our staff has it */
    SHOWN_PUBLISHED,
    SHOWN_RETURNED,  /* by a reviewer, or by us before anybody saw it */
    SHOWN_WITHDRAWN, /* it was published, and is not any more */
    SHOWN_REPLACED,  /* by a later version */
    SHOWN_STATES
};
const char *shown_name(enum shown_state s);  /* "in_review" */
const char *shown_label(enum shown_state s); /* Chinese */
int shown_parse(const char *name);           /* -1 if unknown */

struct submission {
    int64_t no;
    struct id id;
    int64_t site;
    const char *source, *origin_id;
    uint8_t hash[HASH_BYTES];
    enum party_kind kind;
    int64_t received; /* seconds */
    enum submission_state state;
    struct id item;
    int64_t rev;              /* 0: it is no revision yet */
    const char *field, *said; /* RETURNED: why; else NULL */
    const char *files;        /* JSON: source_file.h */
    int tries;
};

struct submission_status {
    enum shown_state shown;
    struct item item; /* where rev is set */
    struct check_result
        verdicts; /* what the rules say of it now; none where it is not ours to mend any more */
    const char *reason; /* RETURNED, WITHDRAWN: why; else NULL */
};

struct submission_new {
    int64_t site;
    const char *source;
    enum party_kind kind;
    const char *body; /* as it was sent */
    size_t len;
    struct submitted *read;
};

/*
 * On the writer. *known: the same was there already, and nothing was done. RC_INVALID, RC_NOT_FOUND, RC_CONFLICT, RC_GONE as of an import; RC_FORBIDDEN without RIGHT_IMPORT at the site. What names
 * files waits for them, else it has landed.
 */
enum rc submission_take(struct work *w, const struct submission_new *in, struct submission *out,
                        bool *known);

/* RC_NOT_FOUND, also for who has nothing to do with it. */
enum rc submission_find(struct work *w, const struct id *id, struct submission *out);
enum rc submission_by_no(struct work *w, int64_t no, struct submission *out);
enum rc submission_look(struct work *w, const struct submission *s,
                        struct submission_status *out);

/*
 * Newest first, from before number `before` (0: the newest), at most SUBMISSION_PAGE rows are looked at; of `site` (0: all). Those that the actor may see: a program its own, staff those of their
 * sites. *next: the number to go on with; 0: that was the last page.
 */
enum rc submission_list(struct work *w, int64_t site, int64_t before, struct submission **out,
                        int *n, int64_t *next);

/* Whether it has handed in something of that id. */
enum rc submission_known(struct work *w, const char *source, const char *origin_id, bool *out);

/* ---- for submission_land.c ---- */

/* A draft, or as far as the site's agreement with the source permits. On the writer; s->rev and s->item are set. */
enum rc submission_land(struct work *w, struct submission *s, struct submitted *read);

#endif
