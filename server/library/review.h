/*
 * review.h - what reviewers decide of a revision, and whether that is enough.
 *
 *     submit --> step 1 --> ... --> last step --> approved --> published
 *                  \ return: all that passed is void, and the revision a draft again
 *     secrecy review: at any time between; before the last step or the publication it must stand, as the site says
 *
 * Nobody reviews what he wrote or handed in since the last publication, nor what a program of his did; nobody takes two steps of one
 * revision. The secrecy review is no step of the chain: one of its reviewers may make it, but not an author. Where the site has a chain of
 * its own, programs and the operator review nothing.
 *
 * Each decision is a row of `review` for ever: who, when, at which step, for which site. What was said in it goes with the text.
 */
#ifndef LIBRARY_REVIEW_H
#define LIBRARY_REVIEW_H

#include "server/library/chain.h"
#include "server/library/item.h"

enum { REVIEW_SAID_MAX = 500, REVIEW_BASIS_MAX = 200, REVIEW_ROWS_MAX = 1000 };

struct review {
    int64_t rev;
    int step;            /* 1 to 3; 0: none of the chain */
    const char *verdict; /* pass, secrecy, return, comment */
    const char *actor;
    const char *said, *basis; /* NULL: none, or gone with the text */
    bool valid;               /* false: the revision was handed back since */
    int64_t at;
};

/* The actor as a human being: "account:7"; "" if nobody is known, as with the operator or a program of nobody. In w->mem. */
const char *review_behind(struct work *w);
/* Whether he is a human being who signed in. */
bool review_is_person(const struct actor *who);

/*
 * What item_step() asks when the newest revision is approved or handed back: writes the decision. *last: the chain is gone through.
 * RC_FORBIDDEN: not he; RC_CONFLICT: the secrecy review is missing.
 */
enum rc review_pass(struct work *w, const struct item *it, const char *said, bool *last);
enum rc review_return(struct work *w, const struct item *it, const char *reason);
/*
 * The secrecy review of the newest revision, which must be `rev` and in review or approved. RC_INVALID without a basis (依据); RC_FORBIDDEN, RC_CONFLICT.
 */
enum rc review_secrecy(struct work *w, const struct id *id, int64_t rev, const char *basis,
                       const char *said, struct item *out);
/* A word to the others, in any state but gone. RC_CONFLICT: an item has room for REVIEW_ROWS_MAX rows. */
enum rc review_comment(struct work *w, const struct id *id, const char *said, struct item *out);
/* Whether the newest revision may be published as the site is now: RC_CONFLICT if a step or the secrecy review is missing. */
enum rc review_passed(struct work *w, const struct item *it);

enum rc review_list(struct work *w, const struct id *id, struct review **out, int *n);
/* `"chain":{…},"reviews":[…]`, and "nextStep" of a revision in review. */
enum rc review_json(struct work *w, const struct item *it, struct buf *out);

#endif
