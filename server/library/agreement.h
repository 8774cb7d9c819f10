/*
 * agreement.h - how far a site accepts the review of a source: whoever submits to it by a key, or is asked by us.
 *
 *     none       what it sends is a draft, for our editors
 *     submit     … and goes to our review by itself
 *     publish    the source's own review is accepted: what it sends is published
 *
 * The rules of server/check stand in each case: what they block stays a draft. An agreement names the document it rests on, may end by itself, is recorded by a security administrator,
 * and stands in the audit log.
 */
#ifndef LIBRARY_AGREEMENT_H
#define LIBRARY_AGREEMENT_H

#include "server/base/work.h"

enum { AGREEMENT_SOURCE_MAX = 60, AGREEMENT_BASIS_MAX = 200 /* characters */ };

enum accepts { ACCEPTS_NONE, ACCEPTS_SUBMIT, ACCEPTS_PUBLISH };

const char *accepts_name(enum accepts a); /* "none", "submit", "publish" */

struct agreement {
    const char *source; /* "party:heping" */
    enum accepts accepts;
    const char *basis;
    int64_t ends; /* seconds; 0: it does not */
    int64_t at;   /* … when it was recorded */
};

/* In w->mem, by source; those that have ended, too. */
enum rc agreement_list(struct work *w, int64_t site, struct agreement **out, int *n);
/* What holds now. */
enum rc agreement_holds(struct work *w, int64_t site, const char *source, enum accepts *out);
/*
 * On the writer. "none" takes it back. RC_INVALID names the member; RC_FORBIDDEN without RIGHT_SECURE, and for a program: who edits and publishes does not say how
 * he is reviewed.
 */
enum rc agreement_set(struct work *w, int64_t site, const char *source, const char *accepts,
                      const char *basis, int64_t ends);

#endif
