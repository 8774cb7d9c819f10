/*
 * run_row.h - what the files run_*.c share: rows of a campaign's block.
 */
#ifndef PUSH_RUN_ROW_H
#define PUSH_RUN_ROW_H

#include "push/run.h"
#include "server/store/db.h"

struct run_row {
    int64_t campaign;
    const char *audience, *column, *areas, *said; /* in w->mem; said "": as the campaign */
    enum push_class class;
    enum run_doubt doubt;
    int64_t after;
    int64_t ends_ms, moved_ms, last, rank, block; /* last: the newest device that is meant */
    enum run_state state;
    bool news;
    bool opened; /* no part is to come any more */
};

/* RC_NOT_FOUND. */
enum rc run_read(struct work *w, int64_t campaign, struct run_row *out);
/* RC_CORRUPT for a blob that is no set. */
enum rc run_bits(struct work *w, const struct rows *q, int column, struct bits *out);
/*
 * Adds to a campaign's outcome, of today; nobody: nothing happens. Whoever was in doubt before and went out again (RUN_RESENT) ends as RUN_ACCEPTED or stays RUN_DOUBT, where he was in doubt,
 * whatever `what` says.
 */
enum rc run_outcome(struct work *w, int64_t campaign, enum transport by, int64_t block,
                    enum run_what what, const struct bits *who);
/* Whether some of a block were in doubt and went out again. */
enum rc run_any_resent(struct work *w, int64_t campaign, int64_t block, bool *any);
/* Adds to a note, which is of no day: what is told again tomorrow is told already. */
enum rc run_note(struct work *w, int64_t campaign, enum transport by, int64_t block,
                 enum run_what what, const struct bits *who);
/* Those of a block become a batch that waits until `at_ms`. Nobody: none is made. */
enum rc run_wait(struct work *w, int64_t campaign, enum transport by, int64_t block, int tries,
                 int64_t at_ms, const struct bits *who);
/*
 * Those that were in doubt go out again, or stay so. `at_ms`: when a vendor is asked again that did not answer, and that once only; 0: the process ended, and they go at once, however often.
 */
enum rc run_doubtful(struct work *w, const struct run_row *r, enum transport by, int64_t block,
                     int tries, int64_t at_ms, const struct bits *who);
/* Of class marketing: those of a block got it, or may have, and so their owners did. */
enum rc run_owners(struct work *w, const struct run_row *r, enum transport by, int64_t block,
                   const struct bits *who);

#endif
