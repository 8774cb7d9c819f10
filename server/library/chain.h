/*
 * chain.h - how a site reviews what it publishes: a setting of the site.
 *
 * A site that has set nothing has one step, which whoever may review takes; programs and the operator as well, and one
 * person takes a thing down. As soon as a site has a chain of its own, people alone review (review.h), publishing asks
 * whether all of it was gone through, an import leaves drafts but where an agreement accepts the review of who sends it (agreement.h), and
 * what cannot wait is an audited emergency.
 */
#ifndef LIBRARY_CHAIN_H
#define LIBRARY_CHAIN_H

#include "server/base/buf.h"
#include "server/base/work.h"

enum { CHAIN_STEPS_MAX = 3, CHAIN_NAMED_MAX = 20 };

/* Before what the secrecy review (保密审查) must stand. */
enum secrecy { SECRECY_NONE, SECRECY_LAST, SECRECY_PUBLISH, SECRECY_COUNT };

struct chain {
    bool own;  /* false: the site has set nothing */
    int steps; /* 1 to CHAIN_STEPS_MAX */
    enum secrecy secrecy;
    int eyes; /* 1 or 2: how many people take something down */
};

/* In w->mem. */
enum rc chain_of(struct work *w, int64_t site, struct chain *out);
/*
 * `in->steps` 0: the site has none of its own any more, nor named reviewers. RC_INVALID with the field. RC_FORBIDDEN without RIGHT_SECURE:
 * who edits and publishes does not say how he is reviewed.
 */
enum rc chain_set(struct work *w, int64_t site, const struct chain *in);
/* The secrecy review's word; SECRECY_COUNT if it is none. */
enum secrecy secrecy_parse(const char *word);

/*
 * Who may take a step: names "account:7", or words of roles (role.def); n 0: whoever has RIGHT_REVIEW at the site, which the others need too.
 * Step 0 is the secrecy review. RC_INVALID, RC_FORBIDDEN as above.
 */
enum rc chain_name(struct work *w, int64_t site, int step, const char *const *who, int n);
/* Whether the actor is one of them, or nobody is named. */
enum rc chain_admits(struct work *w, int64_t site, int step, bool *yes);

/* {"eyes":1,"own":true,"reviewers":[{"step":1,"who":["account:7"]}],"secrecy":"none","steps":3} */
enum rc chain_json(struct work *w, int64_t site, struct buf *out);

#endif
